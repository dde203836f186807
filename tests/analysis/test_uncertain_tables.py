"""Tables of values with standard errors: carried into every interval by one formula, or refused."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from spaces import Space

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.uncertain import tabled
from upliftlab.errors import DataError
from upliftlab.money.what_if import measured, what_if
from upliftlab.report.render import render

NOW = datetime.fromisoformat("2026-06-01T00:00:00+00:00")
N = 400
SE = {"monthly": 8.0, "yearly": 30.0}
SURE = {"trial": 20, "monthly": 90, "yearly": 240}
UNSURE = {name: {"value": v, "se": SE[name]} if name in SE else v for name, v in SURE.items()}
PLAN = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 28 days\ncurrency: EUR\nsegments: [region]\n"
    "arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 2}}\n"
    "metrics: {primary: ltv, secondary: [each]}\n"
    "money: {revenue: ltv, margin: 80%, contacts: one per customer}\n"
)
METRICS = (
    "  ltv: {from: states, last: worth, better: higher, unit: money}\n"
    "  changes: {from: states, count: true, better: higher}\n"
    "  each: {ratio: [ltv, changes], better: higher, unit: money}\n"
)


def world(seed=1):
    rng = np.random.default_rng(seed)
    arm = np.array(["none", "mail"])[np.arange(N) % 2]
    shares = {"none": [0.5, 0.3, 0.2], "mail": [0.3, 0.4, 0.3]}
    state = np.array([rng.choice(list(SURE), p=shares[a]) for a in arm])
    region = np.array(["north", "south"])[np.arange(N) // 2 % 2]
    age = rng.normal(size=N) + (state == "yearly")
    return arm, state, region, age


ARM, STATE, REGION, AGE = world()


def analysed(shop, values, more="", metrics=METRICS, states=STATE):
    shop.table("customers", {"id": np.arange(N), "arm": ARM, "region": REGION, "age": AGE})
    shop.table(
        "states",
        {"id": np.arange(len(states)), "at": [datetime(2026, 3, 3)] * len(states), "state": states},  # noqa: DTZ001
        time="at",
        complete_until="2026-05-31",
        columns={"worth": {"by": "state", "values": values}},
    )
    plan = shop.plan(PLAN + more, metrics=metrics)
    return analyze(plan, AnalysisContext(shop.engine, NOW))


def moved(where=None):
    """Σ se²·(p_treated − p_control)² by hand, of the customers of a condition."""
    among = np.ones(N, dtype=bool) if where is None else where
    return sum(
        (se * ((STATE[among & (ARM == "mail")] == name).mean()
               - (STATE[among & (ARM == "none")] == name).mean())) ** 2
        for name, se in SE.items()
    )  # fmt: skip


def added(unsure, sure, **asked):
    """By how much a table with standard errors raises a finding's variance."""
    (one,), (other,) = unsure.find(arm="mail", **asked), sure.find(arm="mail", **asked)
    assert one.estimate == pytest.approx(other.estimate)
    return one.se**2 - other.se**2


def test_every_interval_carries_the_table_on_every_engine(anywhere):
    unsure, sure = analysed(anywhere, UNSURE), analysed(anywhere, SURE)
    whole = {"dimension": None}
    assert added(unsure, sure, kind="difference", metric="ltv", **whole) == pytest.approx(moved())
    profit = added(unsure, sure, kind="profit_per_customer", **whole)
    assert profit == pytest.approx(0.8**2 * moved())
    total = added(unsure, sure, kind="incremental_profit", **whole)
    assert total == pytest.approx((200 * 0.8) ** 2 * moved())
    roi = added(unsure, sure, kind="roi", **whole)
    assert roi == pytest.approx((0.8 / 2) ** 2 * moved())
    ratio = added(unsure, sure, kind="difference", metric="each", **whole)
    assert ratio == pytest.approx(moved())  # everybody has one change
    for level in ("north", "south"):
        place = {"dimension": "region", "level": level}
        within = added(unsure, sure, kind="difference", metric="ltv", **place)
        assert within == pytest.approx(moved(level == REGION))


def test_relative_lift_moves_with_the_control_as_well(shop):
    unsure, sure = analysed(shop, UNSURE), analysed(shop, SURE)
    lift = added(unsure, sure, kind="relative_lift", metric="ltv", dimension=None)
    means = {a: sum(v * (STATE[a == ARM] == s).mean() for s, v in SURE.items())
             for a in ("none", "mail")}  # fmt: skip
    by_hand = 0.0
    for name, se in SE.items():
        t, c = ((STATE[a == ARM] == name).mean() for a in ("mail", "none"))
        by_hand += (se * (t / means["none"] - means["mail"] * c / means["none"] ** 2)) ** 2
    assert lift == pytest.approx(by_hand)


def test_adjusted_effects_carry_it_and_the_verdict_reads_the_same_interval(shop):
    more = "analysis: {covariates: [age]}\n"
    unsure, sure = analysed(shop, UNSURE, more), analysed(shop, SURE, more)
    sharp = added(unsure, sure, kind="adjusted_difference", metric="ltv", dimension=None)
    assert sharp == pytest.approx(moved())
    profit = added(unsure, sure, kind="incremental_profit", dimension=None)
    assert profit == pytest.approx((200 * 0.8) ** 2 * moved())
    (finding,) = unsure.find(kind="incremental_profit", arm="mail", dimension=None)
    (again,) = (
        each.profit for each in what_if(unsure, measured(unsure)).places if each.dimension is None
    )
    assert (again.low, again.high) == pytest.approx((finding.low, finding.high))


def test_levels_share_the_tables_error(shop):
    """One table is in all levels: what differs between them is told no worse where it cancels."""
    unsure, sure = analysed(shop, UNSURE), analysed(shop, SURE)
    tests = [
        next(t for t in a.heterogeneity if t.dimension == "region" and t.metric == "ltv")
        for a in (unsure, sure)
    ]
    north, south = (
        [
            se
            * (
                (STATE[(level == REGION) & (ARM == "mail")] == name).mean()
                - (STATE[(level == REGION) & (ARM == "none")] == name).mean()
            )
            for name, se in SE.items()
        ]
        for level in ("north", "south")
    )
    apart = sum((a - b) ** 2 for a, b in zip(north, south, strict=True))
    (one,) = sure.find(kind="difference", metric="ltv", dimension="region", level="north")
    (other,) = sure.find(kind="difference", metric="ltv", dimension="region", level="south")
    gap = one.estimate - other.estimate
    # Q = gap²/variance of the gap: the table adds only where levels move differently with it.
    assert gap**2 / tests[0].q - gap**2 / tests[1].q == pytest.approx(apart)


def test_the_report_says_which_it_is(shop):
    for values, told, said in (
        (UNSURE, "uncertain", "Intervals carry these"),
        (SURE, "known", "Intervals take the table"),
    ):
        found = analysed(shop, values)
        assert {m.name: m.table for m in found.metrics} == {"ltv": told, "each": told}
        assert said in render(found)
        course = found.time_course.absent[0].template
        assert ("standard errors" in course) == (told == "uncertain")
    assert tabled(shop.plan(PLAN, metrics=METRICS), "changes") is None


def test_a_state_that_the_table_lacks_is_told_once(shop):
    with pytest.raises(DataError) as refused:
        analysed(shop, UNSURE, states=[*STATE[:-1], "gone"])
    assert [fault.code for fault in refused.value.faults] == ["UL206"]
    assert "table of 'worth'" in str(refused.value)


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Space(tmp_path)


CAPPED = "analysis: {winsorize: {worth: 99%}}"
TABLE = "worth: {by: kind, values: {a: {value: 20, se: 4}, b: 3}}"


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (f"columns: {{{TABLE}}}\nmetrics: {{primary: worth, quantiles: {{worth: [median]}}}}",
         "not carried into quantiles"),
        (f"columns: {{{TABLE}}}\nmetrics: {{primary: worth}}\n{CAPPED}",
         "not carried into a capped metric"),
        (f"columns: {{{TABLE}}}\nmetrics: {{primary: spent}}\nsegments: [worth]",
         "not carried into segments"),
        (f"columns: {{{TABLE}}}\nmetrics: {{primary: spent}}\nanalysis: {{covariates: [worth]}}",
         "not carried into the covariate 'worth'"),
        (f"columns: {{{TABLE}}}\nmetrics: {{primary: spent}}\neligible: worth > 3",
         "not carried into 'eligible'"),
        (f"columns: {{{TABLE}, net: worth - 1}}\nmetrics: {{primary: net}}",
         "'net' is built on 'worth'"),
        (f"columns: {{{TABLE}}}\nmetrics: {{primary: worth}}\nuplift: {{features: [age]}}",
         "which learning has not"),
    ],
)  # fmt: skip
def test_where_it_cannot_be_carried_it_is_refused(space, part, said):
    found = [fault for fault in space.check(part) if "UL166" in fault]
    assert len(found) == 1, space.check(part)
    assert said in found[0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("{a: {value: 20, se: 0}}", "'se' is above 0"),
        ("{a: {value: 20}}", "se"),
        ("{a: {se: 20}}", "value"),
        ("{" + ", ".join(f"k{n}: {{value: 1, se: 1}}" for n in range(13)) + "}", "at most 12"),
    ],
)
def test_what_is_no_standard_error_is_refused(space, values, said):
    part = f"columns: {{worth: {{by: kind, values: {values}}}}}\nmetrics: {{primary: worth}}"
    found = space.check(part)
    assert found
    assert said in " ".join(found)


def test_more_customers_alone_are_not_said_to_settle_what_the_table_leaves_open(shop):
    """The interval's part of the table stays, so no multiple of the customers is told."""
    vague = {**SURE, "monthly": {"value": 90, "se": 300}, "yearly": {"value": 240, "se": 300}}
    verdict = analysed(shop, vague).verdict
    assert (verdict.code.name, "times as many" in verdict.next_action) == ("inconclusive", False)
    assert "know the table's values better" in verdict.next_action
