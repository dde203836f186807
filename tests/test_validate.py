"""The verb `validate`: truths by hand, drawn units by their laws, and a small proof."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.money import ArmTerms
from upliftlab.results.analysis import Note
from upliftlab.results.costs import CostStep
from upliftlab.results.validation import ScenarioResult
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Moments
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.counts import MeasureCounts, ReplicationCounts, tally
from upliftlab.validation.evidence import evidence_of
from upliftlab.validation.measurement import Measurement, Replication, of_event, of_test
from upliftlab.validation.outcome import Outcome, outcome_of
from upliftlab.validation.pool import BLOCK, blocks
from upliftlab.validation.replication import trial
from upliftlab.validation.sample import sample
from upliftlab.validation.scenario import CUSTOMERS_ALONE, HOUSEHOLDS, Scenario, Truth
from upliftlab.validation.studies.adjusted import RepeatBuyers
from upliftlab.validation.studies.main import cells as main_grid
from upliftlab.validation.studies.registry import STUDIES, grid
from upliftlab.validation.validate import StudySettings, validate

CELLS = {cell.title: cell for cell in main_grid()}
SPARSE = Outcome("lognormal", 0.02, 60.0, 1.5)


def proved(title, replications, seed=1):
    [found] = validate([CELLS[title]], StudySettings(replications, seed)).cells
    return found


def measured(found, method, measure="difference"):
    [each] = [m for m in found.measured if (m.method, m.measure) == (method, measure)]
    return each


def test_the_grid_is_every_split_outcome_unit_cost_and_effect():
    assert len(CELLS) == 3 * 3 * 2 * 2 * 3
    assert all(sum(cell.scenario.units) == 50_000 for cell in CELLS.values())
    assert HOUSEHOLDS.size == pytest.approx(2.5)
    assert sum(HOUSEHOLDS.sizes.values()) == pytest.approx(1)


def test_the_truth_of_a_contact_and_a_fixed_cost_by_hand():
    """1.20 a customer rise by half: 0.60, of which 40 % are 0.24; cost 0.06 + 0.06."""
    truth = CELLS["95/5 · lognormal · customers · fixed · +50%"].scenario.truth((47_500, 2_500))
    assert truth.difference == pytest.approx(0.6)
    assert truth.profit == pytest.approx(47_500 * (0.24 - 0.12))
    assert truth.roi == pytest.approx(1.0)


def test_the_truth_of_redemptions_by_hand():
    """Cost 0.024 and 0.096 for redemptions, these half as many again with the effect."""
    truth = CELLS["95/5 · lognormal · customers · redemption · +50%"].scenario.truth((1_000, 100))
    assert truth.profit == pytest.approx(1_000 * (0.24 - 0.024 - 0.144))
    assert truth.roi == pytest.approx(0.24 / 0.168 - 1)


COSTS = (CostStep.contact_cost, CostStep.commission, CostStep.service, CostStep.fixed_cost)


def test_terms_of_both_arms_enter_the_truth():
    mine = ArmTerms(0.5, dict(zip(COSTS, (0.1, 0.1, 0.2, 30.0), strict=True)))
    theirs = ArmTerms(0.5, dict(zip(COSTS[1:], (0.2, 0.05, 10.0), strict=True)))
    outcome = Outcome("normal", 1.0, 10.0, 1.0)
    scenario = Scenario(outcome, CUSTOMERS_ALONE, (100, 50), 0.2, (mine, theirs))
    cost = 0.1 + 0.1 * 12 + 0.2 + 30 / 100 - (0.05 + 0.2 * 10 + 10 / 50)
    assert cost < 0
    assert scenario.truth((100, 50)) == Truth(2.0, pytest.approx(100 * (1 - cost)), None)
    assert replace(scenario, lift=0.0).truth((100, 50)).difference == 0
    assert replace(scenario, terms=None).truth((100, 50)) == Truth(2.0)


@given(
    buys=st.floats(0.001, 0.9),
    amount=st.floats(0.1, 1e4),
    spread=st.floats(0.05, 2.0),
)
def test_an_outcome_is_found_again_from_its_moments(buys, amount, spread):
    growth = exp(spread**2)
    first, second, third = (
        buys * amount,
        buys * amount**2 * growth,
        buys * amount**3 * growth**3,
    )
    n = 10_000
    m2 = n * (second - first**2) * (n - 1) / n
    m3 = n * (third - 3 * first * second + 2 * first**3)
    variance = m2 / (n - 1)
    unit = Moments(n, np.array([first]), np.array([[variance * (n - 1)]]), np.array([m3]))
    found = outcome_of(unit, 0, share=False)
    assert found.shape == "lognormal"
    assert found.mean == pytest.approx(first)
    assert (found.buys, found.amount) == pytest.approx((buys, amount), rel=1e-2)
    assert found.spread == pytest.approx(spread, rel=0.05)


def test_without_a_third_moment_an_outcome_is_normal_and_a_share_is_binary():
    unit = Moments(101, np.array([5.0]), np.array([[400.0]]), np.array([np.nan]))
    assert outcome_of(unit, 0, share=False) == Outcome("normal", 1.0, 5.0, 2.0)
    assert outcome_of(replace(unit, mean=np.array([0.2])), 0, share=True).shape == "binary"


@pytest.mark.parametrize("crowd", [CUSTOMERS_ALONE, HOUSEHOLDS], ids=["customers", "households"])
@pytest.mark.parametrize("shape", ["binary", "normal", "lognormal"])
@pytest.mark.parametrize("treated", [True, False])
def test_units_are_as_many_and_as_the_scenario_says(crowd, shape, treated):
    outcome = {
        "binary": Outcome("binary", 0.1, 1.0),
        "normal": Outcome("normal", 1.0, 50.0, 20.0),
        "lognormal": Outcome("lognormal", 0.1, 60.0, 0.5),
    }[shape]
    scenario = Scenario(outcome, crowd, (400_000, 300_000), 0.5, redeems=0.4)
    found = sample(np.random.default_rng(1), scenario, treated=treated).moments
    assert found.n == (400_000 if treated else 300_000)
    size = crowd.size
    assert len(found.mean) == (3 if crowd.households else 2)
    assert found.mean[0] == pytest.approx(outcome.mean * size * (1.5 if treated else 1), rel=0.02)
    buyers = outcome.buys * size * (1.5 if treated and outcome.buys < 1 else 1)
    assert found.mean[1] == pytest.approx(0.4 * buyers if treated else 0.0, rel=0.02)
    if crowd.households:
        assert found.mean[2] == pytest.approx(size, rel=0.01)


@pytest.mark.parametrize("shape", ["binary", "normal"])
def test_customers_of_a_household_are_as_alike_as_declared(shape):
    """Var Σ = E[s(1 + (s − 1)·ICC)]·σ² + Var(s)·μ²."""
    outcome = Outcome("binary", 0.1, 1.0) if shape == "binary" else Outcome("normal", 1, 50.0, 20.0)
    scenario = Scenario(outcome, HOUSEHOLDS, (400_000, 10), 0.0)
    found = sample(np.random.default_rng(2), scenario, treated=True).moments
    spread = 0.09 if shape == "binary" else 400.0
    sizes = np.repeat(list(HOUSEHOLDS.sizes), 1)
    shares = np.array(list(HOUSEHOLDS.sizes.values()))
    within = shares @ (sizes * (1 + (sizes - 1) * HOUSEHOLDS.alike)) * spread
    between = (shares @ sizes**2 - 2.5**2) * outcome.mean**2
    assert found.covariance[0, 0] == pytest.approx(within + between, rel=0.02)


def test_the_same_seed_gives_the_same_figures_however_the_work_is_spread():
    cells = [
        CELLS["95/5 · binary · customers · redemption · none"],
        CELLS["50/50 · binary · households · fixed · +10%"],
    ]
    alone, spread, other = (
        validate(cells, StudySettings(2 * BLOCK + 3, seed, processes))
        for seed, processes in ((1, 1), (1, 2), (2, 1))
    )
    assert alone == spread
    assert alone.cells != other.cells
    assert [cell.replications for cell in alone.cells] == [2 * BLOCK + 3] * 2
    only = validate(cells[1:], StudySettings(2 * BLOCK + 3))
    assert only.cells == alone.cells[1:]


def test_blocks_cover_every_replication_once():
    found = list(blocks(list(CELLS.values())[:2], BLOCK + 1, seed=1))
    assert [(block.number, block.trials) for block in found] == [(0, BLOCK), (1, 1)] * 2


def test_progress_is_told_to_the_end():
    told = []
    cell = CELLS["50/50 · binary · customers · fixed · none"]
    validate([cell], StudySettings(BLOCK + 1, progress=lambda *seen: told.append(seen)))
    assert told == [(BLOCK, BLOCK + 1), (BLOCK + 1, BLOCK + 1)]


def evidence(below, above, *, n=2_000, ends=(2_000, 2_000), **more) -> ScenarioResult:
    lower, upper = ends
    seen = MeasureCounts(n, lower, upper, min(ends), below, above, n, below + above, n, **more)
    counts = {("product", "difference"): seen, ("product", "profit"): replace(seen, null=0)}
    return evidence_of(NamedScenario({"a": "b"}, SCENARIO, trial), ReplicationCounts(n, 0, counts))


SCENARIO = Scenario(
    SPARSE,
    CUSTOMERS_ALONE,
    (10, 10),
    0.0,
    (ArmTerms(0.4, {CostStep.contact_cost: 1.0}), ArmTerms(0.4)),
)


@pytest.mark.parametrize(
    ("below", "above", "holds"),
    [
        (50, 50, True),
        (0, 69, True),  # 96.55 %, one tail 3.45 %
        (4, 84, False),  # a tail of 4.2 %: 3.5 % and two standard errors of .35 are exceeded
        (3, 83, True),
        (74, 74, True),  # 92.6 %: 93.5 % less two standard errors of .49
        (75, 75, False),
        (10, 10, False),  # 99 %: too wide is broken as well
    ],
)
def test_a_promise_is_broken_beyond_two_monte_carlo_errors(below, above, holds):
    found = evidence(below, above)
    assert found.holds is holds
    assert measured(found, "product").holds is holds
    each = measured(found, "product")
    assert each.coverage == pytest.approx(1 - (below + above) / 2_000)
    assert each.error == pytest.approx((0.95 * 0.05 / 2_000) ** 0.5)


def test_where_nothing_is_bounded_nothing_is_broken():
    found = evidence(0, 0, ends=(0, 0))
    assert found.holds
    each = measured(found, "product")
    assert (each.coverage, each.holds, each.unbounded) == (None, None, 1.0)


def test_false_alarms_are_told_from_power():
    found = evidence(50, 50)
    assert measured(found, "product").null
    assert not measured(found, "product", "profit").null


@pytest.mark.parametrize(
    ("title", "replications"),
    [
        ("50/50 · binary · customers · redemption · +10%", 600),
        ("95/5 · binary · customers · fixed · none", 300),
        ("90/10 · normal · customers · redemption · +50%", 200),
        ("50/50 · binary · households · redemption · +50%", 600),
        ("90/10 · normal · households · fixed · none", 200),
    ],
)
def test_a_small_proof_holds(title, replications):
    found = proved(title, replications)
    assert found.holds
    assert all(each.unbounded == 0 for each in found.measured)


def test_welch_alone_fails_a_small_holdout_of_skewed_spend_and_the_product_does_not():
    """The claim of gains that are not there: nominal 2.5 %, Welch some 14 %."""
    found = proved("95/5 · lognormal · customers · fixed · none", 250)
    assert found.calibrated > 0.9
    assert 0.09 < measured(found, "welch").above < 0.20
    assert measured(found, "welch").holds is False
    assert found.holds
    assert measured(found, "product").rejected < 0.09


def test_an_interval_of_one_end_counts_in_the_tail_that_it_bounds():
    """Of 2,000 lower ends 80 are above the truth, 4.0 %; of 500 upper ends 30 below it, 6.0 %."""
    found = evidence(30, 80, ends=(2_000, 500))
    each = measured(found, "product")
    assert (each.above, each.below) == (0.04, 0.06)
    assert each.coverage == pytest.approx(0.90)
    assert each.one_sided == 0.75
    assert each.error == pytest.approx((0.95 * 0.05 / 500) ** 0.5)
    assert each.holds is False
    alone = measured(evidence(0, 80, ends=(2_000, 0)), "product")
    assert (alone.coverage, alone.below, alone.above, alone.holds) == (None, None, 0.04, True)
    assert measured(evidence(0, 90, ends=(2_000, 0)), "product").holds is False


@pytest.mark.parametrize(("lower", "holds"), [(1_500, True), (2_000, False)])
def test_an_end_that_is_not_given_may_make_intervals_hold_more_often(lower, holds):
    """98.0 %: two errors above 96.5 are 97.6 (of 1,500) or 97.5; a quarter adds .6 points."""
    each = measured(evidence(40, 0, ends=(lower, 2_000)), "product")
    assert (each.coverage, each.holds) == (pytest.approx(0.98), holds)


def counted(*found, trials=1):
    return tally((Replication(tuple(found)) for _ in range(trials)), 0.05)


def test_what_is_withheld_is_told_with_its_reason():
    given = Measurement("difference", Effect(1.0, low=0.0, high=2.0), 1.0)
    absent = Measurement("difference", Effect(None, note=Note.few_purchases), 1.0)
    counts = counted(given, trials=3) + counted(absent)
    each = measured(evidence_of(NamedScenario({}, SCENARIO, trial), counts), "product")
    assert [(w.reason, w.share) for w in each.withheld] == [(Note.few_purchases.value, 0.25)]
    assert (each.unbounded, each.coverage) == (0.25, 1.0)


def test_an_interval_that_is_absent_without_a_reason_breaks_the_promise():
    for silent in (Measurement("difference", Effect(1.0), 1.0), of_test("levels", None, 0.05)):
        found = evidence_of(NamedScenario({}, SCENARIO, trial), counted(silent))
        assert not found.holds


@pytest.mark.parametrize(("rejected", "holds"), [(58, True), (59, False)])
def test_a_test_may_reject_as_often_as_it_says(rejected, holds):
    """4.5 % of 1,000 and two standard errors of .66 points are 5.8 %."""
    counts = counted(of_event("SHIP", it=True, at_most=0.045), trials=rejected)
    counts += counted(of_event("SHIP", it=False, at_most=0.045), trials=1_000 - rejected)
    each = measured(evidence_of(NamedScenario({}, SCENARIO, trial), counts), "product", "SHIP")
    assert (each.rejected, each.null, each.at_most) == (rejected / 1_000, True, 0.045)
    assert each.holds is holds


def test_studies_are_told_apart_by_their_words():
    """Names are the seed of a cell's chance, so no two are the same."""
    titles = [cell.title for cell in grid()]
    assert len(titles) == len(set(titles))
    for study, cells in STUDIES.items():
        assert study == "main" or {cell.name["study"] for cell in cells()} == {study}
    assert [cell.title for cell in grid({"ratios"})] == [c.title for c in STUDIES["ratios"]()]


@pytest.mark.parametrize("study", [name for name in STUDIES if name != "main"])
def test_every_study_draws_and_measures_the_same_for_the_same_seed(study):
    cell = next(iter(STUDIES[study]()))
    once, again = (validate([cell], StudySettings(3)).cells[0] for _ in range(2))
    assert once == again
    assert once.replications == 3
    shown = [
        each
        for each in once.measured
        if each.rejected is not None or each.coverage is not None or each.withheld
    ]
    assert shown == list(once.measured)


@pytest.mark.parametrize("shape", ["skewed", "binary"])
@pytest.mark.parametrize("strength", [0.2, 0.8])
def test_the_truth_of_an_interaction_is_what_customers_do(shape, strength):
    world = RepeatBuyers(shape, strength, interacts=True, units=(2_000_000, 2_000_000))
    rng = np.random.default_rng(3)
    treated, control = (world.arm(rng, treated=side).moments for side in (True, False))
    error = (treated.covariance[0, 0] / treated.n * 2) ** 0.5
    assert treated.mean[0] - control.mean[0] == pytest.approx(world.truth, abs=4 * error)
    assert world.truth > 8 * error
    if shape == "binary":
        observed = np.corrcoef(world.arm(rng, treated=False).values.T)[0, 1]
        assert observed == pytest.approx(strength, abs=0.01)


def test_households_spend_as_much_as_their_customers():
    world = RepeatBuyers("binary", 0.7, interacts=False, units=(200_000, 2), households=True)
    found = world.arm(np.random.default_rng(4), treated=True).moments
    assert found.mean[0] / found.mean[2] == pytest.approx(0.2, rel=0.02)
    assert found.mean[1] / found.mean[2] == pytest.approx(0.2, rel=0.02)
    assert found.mean[2] == pytest.approx(2.5, rel=0.01)


def test_no_voucher_is_said_to_be_in_vain_that_brought_a_purchase():
    """The truth is a lower bound, by as many redemptions as new buyers leave out."""
    for cell in STUDIES["subsidy"]():
        world = cell.scenario
        added = world.units[0] * world.outcome.buys * world.lift
        left_out = world.anyway - world.bound
        assert left_out == pytest.approx(added * (1 - world.redeems), abs=1e-9)


def test_the_interval_of_vouchers_in_vain_holds_them():
    """95 % of 1,000 experiments in each of two cells: 93.6 to 96.4 by two standard errors."""
    chosen = {
        "subsidy · 5% · 50/50 · +20% · a quarter",
        "subsidy · 30% · 90/10 · none · nearly all",
    }
    cells = [cell for cell in STUDIES["subsidy"]() if cell.title in chosen]
    found = validate(cells, StudySettings(1_000))
    assert [len(cell.measured) for cell in found.cells] == [1, 1]
    for cell in found.cells:
        (told,) = cell.measured
        assert told.withheld is None or not told.withheld
        assert 0.936 <= told.coverage <= 0.964


def test_levels_that_are_alike_are_seldom_said_to_differ():
    """Nominal 5 % of 400: at most 7.2 % by two standard errors."""
    cells = {cell.title: cell for cell in STUDIES["heterogeneity"]()}
    cell = cells["heterogeneity · normal · 12×450/50"]
    found = validate([cell], StudySettings(400)).cells[0]
    assert found.holds
    assert measured(found, "product", "levels differ").rejected > 0.01
