"""Levels side by side, from YAML and rows: worked by hand, by law, and what is left out."""

from datetime import UTC, datetime
from html import unescape
from math import sqrt
from re import sub

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import pick
from scipy.stats import f
from shops import Shop

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.render import render
from upliftlab.results.analysis import EstimandKind, Note, VerdictCode
from upliftlab.stats.adjust import holm
from upliftlab.stats.heterogeneity import common_control, heterogeneity, shrunken

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ASKED = """
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 1}}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 50%}
segments: [region]
"""


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def group(arm, region, mean, away=5.0, n=100):
    """`n` customers, half of them `away` above the mean and half below."""
    spend = mean + away * np.where(np.arange(n) % 2, 1.0, -1.0)
    return {"arm": [arm] * n, "region": [region] * n, "spend": spend}


def analysed(shop, groups, asked=ASKED):
    columns = {name: np.concatenate([g[name] for g in groups]) for name in groups[0]}
    shop.table("customers", {"id": np.arange(len(columns["arm"])), **columns})
    return analyze(shop.plan(asked), AnalysisContext(shop.engine, NOW))


def two_levels():
    """An effect of 3 in the north and of 1 in the south, either with a variance of 50/99."""
    means = {
        ("none", "north"): 10,
        ("mail", "north"): 13,
        ("none", "south"): 7,
        ("mail", "south"): 8,
    }
    return [group(arm, region, mean) for (arm, region), mean in means.items()]


def differ(analysis, kind="difference", dimension="region", arm="mail"):
    wanted = (kind, dimension, arm)
    return next(t for t in analysis.heterogeneity if (t.kind, t.dimension, t.arm) == wanted)


def cells_of(analysis):
    return [f for f in analysis.findings if f.dimension == "region"]


def words(analysis, lang="en"):
    """What the page says, without its tags."""
    return unescape(sub(r"<[^>]*>", "", render(analysis, lang=lang)))


def level(analysis, kind, name, arm="mail"):
    return pick(analysis, kind, arm, dimension="region", level=name)


# By hand.


def test_two_levels_by_hand(shop):
    """Q = 2²/(100/99) = 3.96; with τ² it is 2/(50/99 + τ²), which is 1 at τ² = 2 − 50/99."""
    found = analysed(shop, two_levels())
    test = differ(found)
    assert (test.levels, test.df, test.metric, test.note) == (2, 1, "spend", None)
    assert test.q == pytest.approx(3.96)
    assert test.p == pytest.approx(f.sf(3.96, 1, 1 / (2 * 0.5**2 / 198)), rel=1e-9), "Welch's F"
    assert test.p_adjusted == test.p, "the only one of its kind"
    assert test.tau == pytest.approx(sqrt(2 - 50 / 99))
    kept = (2 - 50 / 99) / 2
    for name, raw, best in (("north", 3.0, 2 + kept), ("south", 1.0, 2 - kept)):
        cell = level(found, "difference", name)
        assert cell.estimate == pytest.approx(raw)
        assert cell.shrunken == pytest.approx(best)


def test_profit_is_compared_per_customer_and_told_in_total(shop):
    """.5·3 − 1 = .5 per customer in the north, −.5 in the south, where twice as many live."""
    groups = [*two_levels(), group("none", "south", 7.0), group("mail", "south", 8.0)]
    found = analysed(shop, groups)
    test = differ(found, "incremental_profit")
    variances = np.array([2 * 6.25 / 99, 2 * 6.25 * 200 / 199 / 200])
    assert test.q == pytest.approx(1 / variances.sum())
    best = shrunken(np.array([0.5, -0.5]), np.diag(variances))
    assert test.tau == pytest.approx(sqrt(best.tau2))
    for name, customers, value in zip(("north", "south"), (100, 200), best.values, strict=True):
        cell = level(found, "incremental_profit", name)
        assert cell.estimate == pytest.approx(customers * (0.5 if name == "north" else -0.5))
        assert cell.shrunken == pytest.approx(customers * value)
        assert level(found, "roi", name).shrunken is None


def test_levels_no_further_apart_than_chance_are_best_taken_for_one(shop):
    groups = [dict(g, spend=10 * g["spend"] - 9 * g["spend"].mean()) for g in two_levels()]
    found = analysed(shop, groups)
    assert differ(found).q == pytest.approx(0.0396)
    assert differ(found).tau == 0
    assert [level(found, "difference", n).shrunken for n in ("north", "south")] == [2.0, 2.0]


ARMS = """
assignment: {observed: arm}
arms:
  none: {control: true}
  mail: {channel: email}
  late: {channel: email}
  text: {channel: sms}
metrics: {primary: spend}
"""


def test_channels_and_arms_share_their_control(shop):
    sizes = {"none": 80, "mail": 100, "late": 100, "text": 100}
    means = {"none": 10.0, "mail": 12.0, "late": 12.0, "text": 9.0}
    found = analysed(shop, [group(a, "all", m, n=sizes[a]) for a, m in means.items()], ARMS)
    control, pooled, one = 25 / 79, 25 / 199, 25 / 99
    effects, covariance = np.array([2.0, -1.0]), common_control([pooled, one], control)
    test = differ(found, dimension="contact_channel", arm=None)
    assert test.q == pytest.approx(heterogeneity(effects, covariance).q)
    assert test.q == pytest.approx(3**2 / (pooled + one)), "the control drops out"
    best = shrunken(effects, covariance).values
    for channel, value in zip(("email", "sms"), best, strict=True):
        cell = pick(found, "difference", None, dimension="contact_channel", level=channel)
        assert cell.shrunken == pytest.approx(value)
    arms = differ(found, dimension=None, arm=None)
    assert (arms.levels, arms.df) == (3, 2)
    three = heterogeneity(np.array([2.0, 2.0, -1.0]), common_control([one] * 3, control))
    assert arms.q == pytest.approx(three.q)
    assert {pick(found, "difference", arm).shrunken for arm in ("mail", "late", "text")} == {None}


def test_several_tests_of_one_kind_are_corrected_together(shop):
    groups = [dict(g, sex=np.resize(["f", "f", "m"], 100)) for g in two_levels()]
    found = analysed(shop, groups, ASKED.replace("[region]", "[region, sex]"))
    for kind in (EstimandKind.difference, EstimandKind.incremental_profit):
        tests = [t for t in found.heterogeneity if t.kind is kind]
        assert [t.dimension for t in tests] == ["region", "sex"]
        assert [t.p_adjusted for t in tests] == holm([t.p for t in tests])


# What is left out.


def test_small_levels_and_those_where_nobody_differs_are_not_compared(shop):
    small = [group("none", "west", 10.0, n=48), group("mail", "west", 99.0, n=52)]
    alike = [group("none", "east", 10.0, away=0.0), group("mail", "east", 99.0, away=0.0)]
    found = analysed(shop, [*two_levels(), *small, *alike])
    test = differ(found)
    assert (test.levels, test.q) == (2, pytest.approx(3.96))
    for name in ("west", "east"):
        cell = level(found, "difference", name)
        assert cell.estimate == pytest.approx(89.0)
        assert cell.shrunken is None


def test_a_level_in_which_one_group_does_not_vary_is_compared_by_both_together(shop):
    """s² is 25·100/99 in three groups, 0 in one: a level of half of it, with ρ of 2 and 0."""
    idle = [group("none", "south", 7.0, away=0.0), group("mail", "south", 8.0)]
    test = differ(analysed(shop, [*two_levels()[:2], *idle]))
    variance = (25 / 99) * (1 + 1 / 2) * ((1 + 2) / 2 + (1 + 0) / 2)
    assert (test.levels, test.q) == (2, pytest.approx(4 / variance))


def test_a_test_that_cannot_be_made_says_why(shop):
    small = [group("none", "west", 10.0, n=48), group("mail", "west", 11.0, n=48)]
    found = analysed(shop, [*two_levels()[:2], *small])
    test = differ(found)
    assert (test.levels, test.q, test.df, test.p, test.p_adjusted, test.tau) == (1, *[None] * 5)
    assert test.note is Note.few_levels
    assert {f.shrunken for f in found.findings} == {None}
    assert "Whether levels differ cannot be told: fewer than two levels" in words(found)
    assert "客户数足以比较的取值不到两个。" in words(found, "zh")


def test_one_level_is_compared_with_nothing(shop):
    assert analysed(shop, two_levels()[:2]).heterogeneity == ()


def test_an_invalid_analysis_tells_nothing_of_its_levels(shop):
    found = analysed(shop, [*two_levels(), group("mail", "north", 13.0, n=400)])
    assert found.verdict.code is VerdictCode.invalid
    assert (found.heterogeneity, found.reconciliations) == ((), ())
    assert {f.shrunken for f in found.findings} == {None}


# Reconciliation.


def drawn(seed, households=False):
    """Two arms whose customers live in four regions, alike but for chance; a tail without one."""
    rng = np.random.default_rng(seed)
    groups = []
    for arm, n in (("none", 700), ("mail", 720)):
        region = rng.choice(["north", "south", "west", "east"], n, p=[0.3, 0.25, 0.3, 0.15])
        spend = np.round(rng.gamma(4.0, 4.0, n) * (1 + (region == "west")), 2)
        home = [f"{arm} {i // 2 if i < n // 2 else i}" for i in range(n)]
        groups.append({"arm": [arm] * n, "region": region, "spend": spend, "home": home})
    if not households:
        groups.append({"arm": ["mail"], "region": ["lone"], "spend": [80.0], "home": ["x"]})
        groups.append({"arm": ["none"], "region": ["lone"], "spend": [20.0], "home": ["y"]})
    return groups


@pytest.mark.parametrize("unit", ["", "assignment: {observed: arm, unit: home}\n"])
def test_levels_add_up_to_the_total_to_the_cent(shop, unit):
    asked = (unit + ASKED.replace("assignment: {observed: arm}\n", "")) if unit else ASKED
    found = analysed(shop, drawn(3, households=bool(unit)), asked)
    (added,) = found.reconciliations
    assert (added.dimension, added.arm, added.note) == ("region", "mail", None)
    total = pick(found, "incremental_profit").estimate
    assert added.total == pytest.approx(total, rel=1e-12)
    assert added.levels + added.composition == pytest.approx(total, abs=0.005)
    rows = [f for f in cells_of(found) if f.kind is EstimandKind.incremental_profit]
    shown = sum(f.estimate for f in rows if f.estimate is not None)
    assert added.levels == pytest.approx(shown, abs=0.005), "the lone customer counts"
    lone = {f.level for f in cells_of(found)} & {"lone", "(other)"}
    assert lone == (set() if unit else {"(other)"})
    assert abs(added.composition) > 10
    assert "comes from levels' shares that differ" in words(found)


def test_a_level_without_a_control_has_no_sum(shop):
    found = analysed(shop, [*two_levels(), group("mail", "east", 10.0, n=3)])
    (added,) = found.reconciliations
    assert (added.levels, added.composition, added.note) == (None, None, Note.few_control)
    assert added.total == pytest.approx(pick(found, "incremental_profit").estimate)


def test_adjusted_levels_are_compared_and_not_added_up(shop):
    rng = np.random.default_rng(5)
    groups = []
    for g in drawn(4)[:2]:
        before = rng.normal(0, 10, len(g["arm"]))
        groups.append({**g, "spend": g["spend"] + before, "before": before})
    asked = ASKED + "analysis: {covariates: [before]}\n"
    found = analysed(shop, groups, asked)
    (added,) = found.reconciliations
    assert (added.total, added.levels, added.composition) == (None, None, None)
    assert added.note is Note.own_slopes
    assert "The levels' profits are not added up: each level is adjusted" in words(found)
    kinds = [
        EstimandKind.difference,
        EstimandKind.adjusted_difference,
        EstimandKind.incremental_profit,
    ]
    assert [t.kind for t in found.heterogeneity] == kinds
    sharp = [f for f in cells_of(found) if f.kind is EstimandKind.adjusted_difference]
    own = np.diag([f.se**2 for f in sharp])
    best = shrunken(np.array([f.estimate for f in sharp]), own).values
    assert [f.shrunken for f in sharp] == pytest.approx(list(best), rel=0.02), "pooled variances"


# Laws.


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.sampled_from([0.01, 7.0]))
def test_another_currency_changes_money_and_no_p(shop, seed, rate):
    groups = drawn(seed)
    one = analysed(shop, groups)
    cost = ASKED.replace("cost_per_contact: 1", f"cost_per_contact: {rate}")
    other = analysed(shop, [{**g, "spend": rate * np.array(g["spend"])} for g in groups], cost)
    for mine, theirs in zip(one.heterogeneity, other.heterogeneity, strict=True):
        assert (theirs.q, theirs.p) == pytest.approx((mine.q, mine.p), rel=1e-6)
        assert theirs.tau == pytest.approx(rate * mine.tau, rel=1e-5, abs=1e-7 * rate)
    for mine, theirs in zip(one.findings, other.findings, strict=True):
        assert (mine.shrunken is None) == (theirs.shrunken is None)
        if mine.shrunken is not None:
            assert theirs.shrunken == pytest.approx(rate * mine.shrunken, rel=1e-5, abs=1e-6)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000))
def test_shrunken_effects_lie_between_their_own_and_the_others(shop, seed):
    found = analysed(shop, drawn(seed))
    cells = [f for f in cells_of(found) if f.kind is EstimandKind.difference]
    kept = [f for f in cells if f.shrunken is not None]
    assert len(kept) == differ(found).levels == 4
    raw = [f.estimate for f in kept]
    weights = [f.se**-2 for f in kept]
    assert min(raw) - 1e-9 <= min(f.shrunken for f in kept)
    assert max(f.shrunken for f in kept) <= max(raw) + 1e-9
    if differ(found).tau == 0:
        (mean,) = {round(f.shrunken, 9) for f in kept}
        assert mean == pytest.approx(np.average(raw, weights=weights), abs=0.1 * np.std(raw))


# The page.


def test_the_page_says_whether_levels_differ(shop):
    found = analysed(shop, two_levels())
    assert "Levels differ in profit per customer (adjusted p: 0.0473), by more" in words(found)
    north = level(found, "incremental_profit", "north")
    place = f"/findings/{found.findings.index(north)}/shrunken"
    assert f'data-key="{place}"' in render(found)
    assert "upright stroke, shrunken" in words(found)
    far = [dict(g, spend=10 * g["spend"] - 9 * g["spend"].mean()) for g in two_levels()]
    asked = ASKED.replace("money: {revenue: spend, margin: 50%}\n", "")
    found = analysed(shop, far, asked)
    assert "No sign that levels differ in spend (adjusted p: 0.8424): diff" in words(found)
