"""`plan --simulate`: arms drawn on real customers, analysed as `run` does, against the formula."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from plans import make_plan
from shops import Shop

from upliftlab.config.models.limits import Tolerance
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, foresee, untreated, weigh
from upliftlab.validation.customers import divided, treated
from upliftlab.validation.power_check import (
    SimulationSettings,
    scenario_of,
    simulated,
    with_simulation,
)
from upliftlab.validation.sample import SimulatedUnits

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMPAIGN = """\
arms: {none: {share: 40%, control: true}, mail: {share: 60%, channel: email, cost_per_contact: 0.1}}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics: {primary: PRIMARY}
money: {revenue: revenue, margin: 40%}
"""
METRICS = (
    "  revenue: {from: orders, sum: amount, unit: money, better: higher}\n"
    "  bought: {from: orders, any: true, unit: share, better: higher}\n"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """2,000 customers; three in ten buy, for about as much."""
    root, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(3)
    with DuckDB(lambda file: root / "data" / file) as engine:
        made = Shop(root, engine)
        made.table("customers", {"id": np.arange(2_000), "home": np.arange(2_000) // 2})
        orders = {
            "id": rng.choice(2_000, 600, replace=False),
            "at": [date(2026, 2, 25)] * 600,
            "amount": rng.lognormal(3, 0.5, 600),
        }
        made.table("orders", orders, time="at")
        yield made


def foreseen(shop, lift, text=CAMPAIGN, **assumed):
    plan = shop.plan(text.replace("PRIMARY", "revenue"), METRICS)
    effect = Tolerance(value=lift, kind="relative")
    setting = PlanningContext(NOW, shop.engine)
    known = foresee(plan, Assumptions(effect=effect, **assumed), setting)
    return known, untreated(known, setting), setting


@pytest.fixture(scope="module")
def played(shop):
    known, drawn, setting = foreseen(shop, 0.25)
    settings = SimulationSettings(300)
    return with_simulation(weigh(known, setting), known, drawn, settings), known, drawn


def test_simulated_power_false_positives_and_ship_are_the_formula_s(played):
    report, _, _ = played
    found = report.simulation
    (arm,) = found.arms
    assert 0.6 < arm.power < 0.9
    assert arm.simulated == pytest.approx(arm.power, abs=0.07)  # 2.5 Monte Carlo errors
    assert arm.simulated_low < arm.simulated < arm.simulated_high
    assert arm.agrees
    assert arm.false_positives == found.false_positives < 0.09
    assert arm.simulated_ships == pytest.approx(arm.ships, abs=0.07)
    assert (found.trials, found.asked, found.customers, found.units) == (300, 300, 2_000, 2_000)
    assert [each.template for each in found.doubts] == []


def test_the_same_seed_plays_the_same(played):
    report, known, drawn = played
    first, second = (
        with_simulation(report, known, drawn, SimulationSettings(25)).simulation for _ in range(2)
    )
    other = with_simulation(report, known, drawn, SimulationSettings(25, seed=2)).simulation
    assert first == second != other


def test_fewer_trials_are_told_of_where_time_runs_out(played):
    report, known, drawn = played
    steps: list[str] = []
    settings = SimulationSettings(100, seconds=0.0, progress=steps.append)
    found = with_simulation(report, known, drawn, settings).simulation
    assert (found.trials, found.asked) == (25, 100)
    assert "time ran out" in found.described.template
    assert steps[-1].startswith("25 of 100 experiments played")


def test_heavy_tails_are_named_where_they_break_the_formula(shop):
    """Most of the money is that of one in a thousand: in most experiments there is none of them."""
    known, _, setting = foreseen(shop, 0.8, customers=200)
    drawn = np.array([[0.0], [10.0], [9_000.0]]), np.array([10_000.0, 9_980.0, 20.0])
    unit = SimulatedUnits(*drawn).moments
    known = replace(known, baseline=replace(known.baseline, unit=unit))
    report = weigh(known, replace(setting, engine=None))
    found = with_simulation(report, known, drawn, SimulationSettings(50)).simulation
    (arm,) = found.arms
    assert arm.agrees is False
    assert "go by the simulation" in arm.sentence.template
    assert found.top_share > 0.25
    assert "heavy tails" in found.doubts[-1].template


def test_units_are_divided_and_nobody_is_in_two_arms():
    rng, counts = np.random.default_rng(1), np.array([5, 1, 4])
    found = divided(rng, counts, {"none": 4, "mail": 6})
    assert (found["none"] + found["mail"]).tolist() == counts.tolist()
    more = divided(rng, counts, {"none": 40, "mail": 60})
    assert [int(each.sum()) for each in more.values()] == [40, 60]


@pytest.mark.parametrize("lift", [0.3, -0.3])
@pytest.mark.parametrize("spreads", [True, False])
def test_an_effect_moves_the_metric_and_revenue_by_as_much(played, lift, spreads):
    """Revenue is twice the metric here, and some have revenue alone: it rises by the lift too."""
    _, known, drawn = played
    base = scenario_of(known, SimulatedUnits(*drawn))
    place = known.expectation.lead.place.above
    other = place + 1
    values = np.array([[0.0, 6.0], [10.0, 20.0], [40.0, 80.0]])
    counts = np.array([600_000.0, 300_000.0, 100_000.0])
    mean = 7.0
    effect = replace(base.effect, change=lift * mean, lift=lift, spreads=spreads, amounts=(other,))
    scenario = replace(base, pool=SimulatedUnits(values, counts), effect=effect)
    rng = np.random.default_rng(1)
    moved = treated(rng, scenario, "mail", counts.astype(int)).moments.mean
    assert moved[place] == pytest.approx(mean * (1 + lift), rel=0.01)
    assert moved[other] == pytest.approx((3.6 + 6 + 8) * (1 + lift), rel=0.01)


@pytest.mark.parametrize(
    "text",
    [
        CAMPAIGN + "assignment: {unit: home}\n",
        CAMPAIGN + "analysis: {covariates: [revenue_before], looks: [3 days]}\n",
        CAMPAIGN.replace("money: {", "decision: {metric: revenue}\nmoney: {"),
        CAMPAIGN.replace("primary: PRIMARY", "primary: bought"),
    ],
    ids=["households", "covariates and looks", "decided by revenue", "a share"],
)
def test_other_designs_are_played_as_they_are(shop, text):
    known, drawn, setting = foreseen(shop, 0.3, text)
    found = with_simulation(weigh(known, setting), known, drawn, SimulationSettings(50)).simulation
    (arm,) = found.arms
    assert abs(arm.simulated - arm.power) < 0.2  # 3 Monte Carlo errors
    assert found.false_positives < 0.2
    assert arm.simulated_ships is not None
    assert any("looks" in each.template for each in found.doubts) == ("looks" in text)


def test_more_customers_than_rows_are_drawn_with_replacement(shop):
    known, drawn, setting = foreseen(shop, 0.25, customers=4_000)
    found = with_simulation(weigh(known, setting), known, drawn, SimulationSettings(25)).simulation
    assert (found.customers, found.units) == (4_000, 2_000)
    assert any("with replacement" in each.template for each in found.doubts)


def test_where_there_are_no_rows_the_way_on_is_named(shop):
    effect = Tolerance(value=0.1, kind="relative")
    given = Assumptions(effect=effect, given=Given(10.0, 30.0), customers=2_000)
    known = foresee(make_plan(), given, PlanningContext(NOW))
    with pytest.raises(UpliftLabError) as error:
        untreated(known, PlanningContext(NOW))
    told = str(error.value.faults[0])
    assert told.startswith("UL325 ")
    assert "upliftlab validate EXPERIMENT --customers N" in told
    covered = CAMPAIGN + "analysis: {covariates: [revenue_before]}\n"
    with pytest.raises(UpliftLabError, match="leave out --explained"):
        foreseen(shop, 0.1, covered, explained=0.3)


def test_a_plan_is_played_where_it_is_asked_for(shop):
    known, _, setting = foreseen(shop, 0.25)
    found = simulated(25)(weigh(known, setting), known, setting).simulation
    assert (found.trials, found.seed) == (25, 1)
