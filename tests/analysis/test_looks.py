"""Several looks at one experiment, from the YAML to the page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from looking import (
    OUTCOMES,
    claims,
    criticals,
    early_criticals,
    growing,
    independent,
    schedule,
)
from plans import make_plan
from shops import Shop

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.contrasts import InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.analysis.findings import find
from upliftlab.analysis.verdict import VerdictInputs, decide
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import ConfigError
from upliftlab.report.render import render
from upliftlab.results.analysis import MetricInfo, VerdictCode
from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.sample_ratio_sequential import sequential_sample_ratio
from upliftlab.stats.sequential import Anytime, Declared, tuned_rho

SIZE = 400
START = date(2026, 3, 2)
TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 28 days\nmetrics: {primary: orders}\n"
    "arms: {none: {control: true}, mail: {channel: email}}\n"
)
LOOKS = "analysis: {looks: [7 days, 14 days, 28 days]}\n"
ORDERS = "  orders: {from: orders, count: true}\n"
FRACTIONS = (0.25, 0.5, 1.0)


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def counts(lift):
    """Orders of every customer (row) on each of 28 days (column); mail's customers order more."""
    rng = np.random.default_rng(5)
    rates = np.where(np.arange(SIZE) % 2, 0.10, 0.10 * (1 + lift))
    return rng.poisson(rates[:, None], (SIZE, 28))


def fill(shop, lift=0.0, last=28):
    """400 customers, every other one contacted, and their orders on each day."""
    shop.table("customers", {"id": range(SIZE), "arm": ["mail", "none"] * (SIZE // 2)})
    rows = [
        (k, START + timedelta(days=int(day)))
        for k, row in enumerate(counts(lift))
        for day in np.repeat(np.arange(last), row[:last])
    ]
    ids, days = zip(*rows, strict=True)
    shop.table("orders", {"id": list(ids), "at": list(days)}, time="at")


def analysed(shop, after, text=TEXT + LOOKS, metrics=ORDERS):
    """The analysis so many days after the start."""
    now = datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(days=after)
    return analyze(shop.plan(text, metrics), AnalysisContext(shop.engine, now))


def by_hand(lift, days, look):
    """What the orders of the first days say, without any table."""
    total = counts(lift)[:, :days].sum(axis=1, keepdims=True).astype(float)
    pair = TwoSample(Moments.of(total[0::2]), Moments.of(total[1::2]))
    return difference(pair, 0, Level(0.95, look))


def numbers(effect):
    return pytest.approx((effect.estimate, effect.low, effect.high, effect.p), rel=1e-9)


def told(finding):
    return finding.estimate, finding.low, finding.high, finding.p


@pytest.mark.parametrize(("after", "number"), [(7, 1), (9, 1), (14, 2), (27, 2), (28, 3), (60, 3)])
def test_each_look_counts_the_days_up_to_it_at_its_own_level(shop, after, number):
    fill(shop)
    days = (7, 14, 28)[number - 1]
    analysis = analysed(shop, after)
    look = Declared(FRACTIONS[:number], "obrien_fleming")
    finding = analysis.findings[0]
    assert told(finding) == numbers(by_hand(0.0, days, look))
    assert (finding.method, finding.confidence) == ("welch+looks", 0.95)
    told_of = analysis.look
    assert (told_of.number, told_of.planned) == (number, 3)
    assert told_of.fraction == FRACTIONS[number - 1]
    assert told_of.nominal == look.nominal(1 - 0.95)
    assert told_of.critical == pytest.approx((4.3326, 2.9631, 1.9686)[number - 1], abs=1e-4)
    assert told_of.days == (7.0, 14.0, None)[number - 1]
    assert told_of.following == ("2026-03-16", "2026-03-30", None)[number - 1]
    final = VerdictCode.inconclusive if number == 3 else VerdictCode.not_final
    assert analysis.verdict.code is final


def test_a_look_that_does_not_settle_it_tells_when_the_next_is_due(shop):
    fill(shop)
    verdict = analysed(shop, 8).verdict
    assert verdict.sentence == "Look 1 of 3 does not settle it."
    assert verdict.next_action == "Go on as planned; the next look is due on March 16, 2026."
    assert [arm.code for arm in verdict.arms] == [VerdictCode.inconclusive]


def test_a_clear_effect_ends_it_early(shop):
    fill(shop, lift=1.2)
    early = analysed(shop, 14)
    assert (early.verdict.code, early.verdict.arm) == (VerdictCode.ship, "mail")
    assert early.verdict.next_action == "Contact with mail."
    lower = ORDERS.replace("true}", "true, better: lower}")
    assert analysed(shop, 14, metrics=lower).verdict.code is VerdictCode.stop


def test_profit_to_date_may_ship_but_never_stops(shop):
    """Costs come at the start and revenue later: a loss on day 14 is none on day 28."""
    money = "currency: EUR\nmoney: {revenue: orders, margin: 50%}\n"
    fill(shop, lift=0.1)
    dear = TEXT.replace("channel: email", "channel: email, cost_per_contact: 5 EUR")
    assert analysed(shop, 14, dear + money + LOOKS).verdict.code is VerdictCode.not_final
    assert analysed(shop, 28, dear + money + LOOKS).verdict.code is VerdictCode.stop
    fill(shop, lift=1.5)
    cheap = dear.replace("5 EUR", "0.01 EUR")
    assert analysed(shop, 14, cheap + money + LOOKS).verdict.code is VerdictCode.ship


def test_a_rule_about_the_estimate_waits_for_the_last_look(shop):
    fill(shop, lift=1.2)
    rule = 'decision: {metric: orders, ship_if: "estimate > 0"}\n'
    assert analysed(shop, 14, TEXT + LOOKS + rule).verdict.code is VerdictCode.not_final
    assert analysed(shop, 28, TEXT + LOOKS + rule).verdict.code is VerdictCode.ship


def test_a_guardrail_stops_an_arm_at_any_look(shop):
    fill(shop, lift=1.2)
    rail = TEXT.replace("orders}", "orders, guardrails: {returns: {max_increase: 1%}}}", 1)
    metrics = ORDERS + "  returns: {from: orders, count: true, better: lower}\n"
    stopped = analysed(shop, 14, rail + LOOKS, metrics)
    assert stopped.verdict.code is VerdictCode.stop
    assert "returns exceeds its limit" in stopped.verdict.sentence


@pytest.mark.parametrize("looks", ["", LOOKS])
def test_before_anything_is_due_intervals_hold_at_any_time(shop, looks):
    fill(shop, lift=3.0, last=4)
    analysis = analysed(shop, 3, TEXT + looks)
    look = Anytime(3.5 / 28, tuned_rho(1.0, 0.05))
    assert told(analysis.findings[0]) == numbers(by_hand(3.0, 4, look))
    assert analysis.findings[0].method == "welch+anytime"
    assert analysis.verdict.code is VerdictCode.not_final
    assert analysis.verdict.arms == ()
    due = "first look is due on March 9" if looks else "window closes on March 30"
    assert due in analysis.verdict.sentence
    assert (analysis.look.number, analysis.look.fraction) == (0, pytest.approx(0.125))
    assert "read early: 12.5% of the planned time" in analysis.look.message


def test_elapsed_time_is_that_of_all_customers(shop):
    fill(shop)
    starts = [datetime(2026, 3, 2)] * 300 + [datetime(2026, 3, 16)] * 100  # noqa: DTZ001
    people = {"id": range(SIZE), "arm": ["mail", "none"] * (SIZE // 2), "seen": starts}
    shop.table("customers", people)
    text = TEXT.replace("observed: arm", "observed: arm, start: seen")
    text = text.replace("waves: [{start: 2026-03-02, share: 100%}]\n", "")
    analysis = analysed(shop, 21, text)
    assert analysis.look.fraction == pytest.approx((300 * 21.5 + 100 * 7.5) / (28 * SIZE))
    assert analysed(shop, 40, text).look.fraction == pytest.approx((300 * 28 + 100 * 26.5) / 11200)
    assert analysed(shop, 42, text).look is None


def test_before_the_start_no_interval_has_ends(shop):
    fill(shop)
    analysis = analysed(shop, -3, TEXT)
    for finding in analysis.findings:
        assert (finding.low, finding.high) == (None, None)
        assert finding.p is None or finding.p == pytest.approx(1)
    assert analysis.look.critical is None
    assert render(analysis)


def test_one_look_at_the_end_is_none(shop):
    fill(shop)
    once = analysed(shop, 28, TEXT + "analysis: {looks: [28 days]}\n")
    plain = analysed(shop, 28, TEXT)
    assert once.look is plain.look is None
    assert once.findings == plain.findings


def test_the_end_of_the_window_is_a_look_whether_named_or_not(shop):
    fill(shop)
    short = analysed(shop, 14, TEXT + "analysis: {looks: [7 days, 14 days]}\n")
    assert short.look == analysed(shop, 14).look
    assert short.findings == analysed(shop, 14).findings


def test_the_sample_ratio_may_be_asked_again_and_again(shop):
    fill(shop)
    people = {"id": range(SIZE), "arm": ["mail"] * 230 + ["none"] * 170}
    shop.table("customers", people)
    for after, text in ((7, TEXT + LOOKS), (28, TEXT + LOOKS), (7, TEXT)):
        asked = next(c for c in analysed(shop, after, text).checks if c.name == "sample_ratio")
        assert asked.p == pytest.approx(sequential_sample_ratio([170, 230], [1, 1]))
        assert "however often one looks" in asked.message
    once = next(c for c in analysed(shop, 28, TEXT).checks if c.name == "sample_ratio")
    assert once.p < 0.003
    assert "however often" not in once.message


def test_the_page_tells_which_look_it_is(shop):
    fill(shop)
    page = render(analysed(shop, 14))
    assert "Look <" in page
    assert "Lan and DeMets" in page
    assert 'class="stamp"' in page
    early = render(analysed(shop, 3, TEXT), lang="zh")
    assert "无论查看多少次都成立" in early
    assert "置信序列" in early


@pytest.mark.parametrize(
    ("looks", "metrics", "message"),
    [
        ("14 days", "{from: orders, count: true, during: [14 days, 28 days]}", "has not begun"),
        ("30 days", "{from: orders, count: true}", "lies after the outcome window"),
    ],
)
def test_looks_at_which_nothing_can_be_seen(shop, looks, metrics, message):
    fill(shop)
    with pytest.raises(ConfigError, match=f"UL132 .*{message}"):
        shop.plan(TEXT + f"analysis: {{looks: [{looks}]}}\n", f"  orders: {metrics}\n")


INFO = MetricInfo(name="spend", title="spend", unit="number", better="higher", role="primary")
STUDY_PLAN = make_plan(
    outcome_window="28 days",
    arms={"none": {"control": "true"}, "mail": {"title": "Mail"}},
)
INFOS = {number: schedule(FRACTIONS, number).info(0.95) for number in (1, 2, 3)}


def settled(groups, look_of):
    """Whether the moments of two groups give a verdict at a look."""
    spec = estimation_spec(STUDY_PLAN)
    found = contrasts_of(
        spec, {OVERALL: groups}, InferenceSettings(look=look_of.look(1 - spec.confidence))
    )
    if found[0].difference("spend").p > 0.2:  # far from a verdict, and most are
        return False
    findings, info = find(STUDY_PLAN, spec, found), INFOS[look_of.number]
    verdict = decide(VerdictInputs(STUDY_PLAN, spec, found, (), findings, (INFO,), info))
    return verdict.code in (VerdictCode.ship, VerdictCode.stop)


def test_declared_looks_err_as_often_as_one_would():
    """2,000 experiments without an effect, each read until a look settles it."""
    rng, size, times = np.random.default_rng(77), 2_000, np.array(FRACTIONS)
    wrong = 0
    for _ in range(size):
        arms = {arm: independent(rng, 150, times).astype(float) for arm in ("none", "mail")}
        looks = ({arm: Moments.of(rows[:, [at]]) for arm, rows in arms.items()} for at in range(3))
        wrong += any(
            settled(groups, schedule(FRACTIONS, at + 1)) for at, groups in enumerate(looks)
        )
    assert wrong / size == pytest.approx(0.05, abs=3 * (0.05 * 0.95 / size) ** 0.5)


@pytest.mark.parametrize("name", OUTCOMES)
def test_whatever_customers_do_over_time_looks_err_no_more_than_they_may(name):
    times, size = np.array(FRACTIONS), 4_000
    error = 3 * (0.05 * 0.95 / size) ** 0.5
    assert claims(OUTCOMES[name], times, criticals(FRACTIONS), size, 200) <= 0.05 + error


@pytest.mark.parametrize("name", ["orders at random", "customers with habits", "one conversion"])
def test_a_hundred_undeclared_looks_err_at_most_as_one_may(name):
    days = np.arange(1, 101) / 100
    assert claims(OUTCOMES[name], days, early_criticals(days), 1_000, 100) <= 0.05


def test_undeclared_looks_while_customers_still_come():
    assert growing(2_000) <= 0.05
