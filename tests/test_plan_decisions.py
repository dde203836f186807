"""What guardrails take: their chances against others' power functions, and against simulation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from outlooks import NOW
from plans import make_plan
from shops import Shop
from statsmodels.stats.power import NormalIndPower, TTestIndPower

from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.models.limits import Tolerance
from upliftlab.engines.duckdb import DuckDB
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.baseline import in_figures
from upliftlab.planning.decisions import LimitPower
from upliftlab.planning.design_inputs import prospect
from upliftlab.planning.plan import PlanningContext, plan
from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.moments import Moments
from upliftlab.stats.ratio import relative_lift

TIMES = 2_000


def limit(given, *, relative=False, sign=1.0, treated="50%", control="50%"):
    arms = {"none": {"share": control, "control": "true"}, "mail": {"share": treated}}
    made = make_plan(arms=arms)
    spec = estimation_spec(made)
    known = prospect(made, spec, in_figures(made, spec, given), Assumptions(given=given))
    return LimitPower(known.expectation, relative, sign, 0.05, 1.0)


@pytest.mark.parametrize(("control", "treated"), [(300, 300), (100, 500)])
def test_a_limit_in_units_has_the_power_of_a_one_sided_t_test(control, treated):
    n = control + treated
    reach = limit(Given(10.0, 4.0), control=f"{control / n:.10%}", treated=f"{treated / n:.10%}")
    theirs = TTestIndPower().power(
        1.0 / 4.0, control, 0.025, treated / control, alternative="larger"
    )
    # Welch's degrees of freedom are fewer than the pooled test's where groups differ in size.
    assert reach.chance("mail", n, 1.0) == pytest.approx(theirs, abs=0.005)


def test_a_limit_of_a_share_is_shown_with_the_customers_of_a_test_of_two_proportions():
    reach = limit(Given(0.05))
    needed = reach.needed("mail", 0.01, 0.8)
    effect = 0.01 / (0.05 * 0.95) ** 0.5
    theirs = NormalIndPower().solve_power(effect, alpha=0.025, power=0.8, alternative="larger")
    assert needed == pytest.approx(2 * theirs, rel=0.002)
    assert reach.smallest("mail", needed, 0.8) == pytest.approx(0.01, rel=0.002)


def test_a_limit_of_nothing_cannot_be_shown_to_hold():
    assert limit(Given(0.05)).needed("mail", 0.0, 0.8) is None


@pytest.mark.parametrize(("relative", "sign"), [(False, 1), (True, 1), (True, -1)])
def test_so_often_the_whole_interval_lies_within_the_limit(relative, sign):
    """Normal amounts of 10 ± 6 that the campaign does not move, 200 and 400 of them."""
    size = 0.15 if relative else 1.5
    reach = limit(
        Given(10.0, 6.0),
        relative=relative,
        sign=sign,
        control=f"{1 / 3:.10%}",
        treated=f"{2 / 3:.10%}",
    )
    told = reach.chance("mail", 600, size)
    rng, held = np.random.default_rng(5), 0
    for _ in range(TIMES):
        treated, control = (Moments.of(rng.normal(10, 6, (n, 1))) for n in (400, 200))
        pair = TwoSample(treated, control)
        found = (relative_lift if relative else difference)(pair, 0, 0.95)
        end = found.high if sign > 0 else found.low
        held += end is not None and sign * end <= size
    assert 0.6 < told < 0.95
    assert held / TIMES == pytest.approx(told, abs=0.025)


CAMPAIGN = """\
arms: {none: {share: 50%, control: true}, mail: {share: 50%, channel: email}}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics:
  primary: revenue
  guardrails:
    returned: {max_increase: 0.5 points}
    bought: {max_decrease: 1%}
    quit: {max_increase: 1%}
"""
METRICS = (
    "  revenue: {from: orders, sum: amount, unit: money, better: higher}\n"
    "  bought: {from: orders, any: true, unit: share}\n"
    "  returned: {from: orders, any: true, where: back = 1, unit: share}\n"
    "  quit: {from: orders, any: true, where: gone = 1, unit: share}\n"
)
LIFT = Tolerance(value=0.2, kind="relative")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """600 customers of whom some buy often, some return, and nobody quits."""
    root, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(3)
    with DuckDB(lambda file: root / "data" / file) as engine:
        made = Shop(root, engine)
        made.table("customers", {"id": np.arange(600)})
        days = rng.integers(0, 60, 4_000)
        orders = {
            "id": rng.integers(0, 600, 4_000),
            "at": [date(2026, 3, 1) - timedelta(days=int(day)) for day in days],
            "amount": rng.gamma(2.0, 10.0, 4_000),
            "back": (rng.random(4_000) < 0.05).astype(int),
            "gone": np.zeros(4_000, dtype=int),
        }
        made.table("orders", orders, time="at")
        setting = PlanningContext(datetime(2026, 6, 1, 12, tzinfo=UTC), engine)
        yield plan(made.plan(CAMPAIGN, METRICS), Assumptions(effect=LIFT), setting)


def test_every_part_of_the_verdict_is_told_and_the_one_that_takes_most_is_named(told):
    parts = {part.metric: part for part in told.decisions}
    assert list(parts) == ["revenue", "returned", "bought", "quit"]
    assert parts["revenue"].needed == told.needed
    assert (parts["returned"].limit, parts["returned"].unit) == (0.005, "points")
    assert (parts["bought"].limit, parts["bought"].unit) == (-0.01, "percent")
    assert parts["bought"].smallest < -0.01
    assert [part.metric for part in told.decisions if part.binds] == ["bought"]
    assert told.binding.values == {"metric": "bought", "needed": parts["bought"].needed}


def test_a_guardrail_of_which_the_past_tells_nothing_is_not_planned_for(told):
    found = told.decisions[-1]
    assert (found.planned, found.needed, found.chance, found.binds) == (False, None, None, False)
    assert "have the same 'quit'" in found.described.values["reason"]


def test_figures_tell_of_the_primary_metric_alone():
    made = make_plan(metrics={"primary": "spend", "guardrails": {"left": {"max_increase": "1%"}}})
    given = Given(10.0, 30.0)
    assumed = Assumptions(effect=LIFT, given=given, customers=5_000)
    found = plan(made, assumed, PlanningContext(NOW))
    assert [part.planned for part in found.decisions] == [True, False]
    assert found.decisions[0].binds
    alone = plan(make_plan(), replace(assumed, given=given), PlanningContext(NOW))
    assert (alone.decisions, alone.binding) == ((), None)


def test_where_no_number_of_customers_shows_that_it_pays_that_binds():
    made = make_plan(
        arms={"none": {"control": "true"}, "mail": {"cost_per_contact": "5"}},
        currency="EUR",
        money={"revenue": "spend", "margin": "10%", "contacts": "one per customer"},
        metrics={"primary": "spend", "guardrails": {"left": {"max_increase": "1%"}}},
    )
    assumed = Assumptions(effect=LIFT, given=Given(10.0, 30.0), customers=5_000)
    found = plan(made, assumed, PlanningContext(NOW))
    pays = next(part for part in found.decisions if part.name == "pays")
    assert (pays.needed, pays.binds) == (None, True)
    assert found.binding.values == {"arm": "mail"}
    assert "no number of customers shows that {arm} pays" in found.binding.template
