"""The planner's power against experiments that were simulated and analysed: within two points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plans import make_plan
from scipy.special import ndtr

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.models import Metric
from upliftlab.config.models.limits import Tolerance
from upliftlab.money import MoneyContrast
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.baseline import Baseline, in_figures, known_covariates
from upliftlab.planning.design_inputs import outlook, prospect
from upliftlab.queries.units import SIZE
from upliftlab.results.analysis import Message
from upliftlab.results.plan import BaselineOrigin
from upliftlab.stats.effects import LinearContrast, welch
from upliftlab.stats.moments import Moments
from upliftlab.stats.sequential import boundaries

TIMES = 4_000
POINTS = 0.02
"""Monte Carlo's standard error is 0.6 points."""


def measured(spec, rows):
    """A baseline of a large sample of untreated units."""
    unit = Moments.of(rows)
    text = Message(template="measured")
    return Baseline(BaselineOrigin.earlier, text, unit, frozenset(spec.columns), len(rows))


def absolute(value):
    return Tolerance(value=value, kind="absolute")


def planned(plan, baseline, assumed):
    """The outlook; a treated arm's power is in `arms`, its chance of SHIP in `money`."""
    spec = known_covariates(estimation_spec(plan), assumed)
    return outlook(prospect(plan, spec, baseline, assumed), "2026-01-01T00:00:00+00:00")


def p_values(spec, groups, name):
    """What the analysis says of the arms."""
    found = []
    for arm in spec.treatments:
        pair = spec.sharpened(spec.pair(groups, (arm,)))
        form = LinearContrast.difference(len(pair.treated.mean), {spec.place(name, pair): 1.0})
        found.append(welch(pair, form, spec.confidence).p)
    return found


def simulated(spec, draw, name, seed, times=TIMES):
    """Share of experiments in which each arm's test, Bonferroni's over arms, finds an effect."""
    rng = np.random.default_rng(seed)
    hits = np.zeros(len(spec.treatments))
    for _ in range(times):
        groups = {arm: Moments.of(rows) for arm, rows in draw(rng).items()}
        hits += np.array(p_values(spec, groups, name)) * len(hits) < 1 - spec.confidence
    return hits / times


def arms(**shares):
    """A control first, then treated arms, with their shares in per cent."""
    return {
        name: {"share": f"{share}%", "control": "true"}
        if name == "none"
        else {"share": f"{share}%"}
        for name, share in shares.items()
    }


def two(treated, control):
    return arms(none=control, mail=treated)


def column(values):
    return np.asarray(values, dtype=float)[:, None]


@pytest.mark.parametrize(
    ("n", "share", "effect"),
    [(400, 50, 0.7), (600, 80, 0.72), (24, 50, 3.0)],
    ids=["equal", "80/20", "small"],
)
def test_amounts(n, share, effect):
    plan = make_plan(arms=two(share, 100 - share))
    spec = estimation_spec(plan)
    treated, control = round(n * share / 100), round(n * (100 - share) / 100)
    given = Given(10.0, 2.5)
    assumed = Assumptions(effect=absolute(effect), given=given, customers=n)
    told = planned(plan, in_figures(plan, spec, given), assumed).arms[1].power
    got = simulated(
        spec,
        lambda rng: {
            "none": column(rng.normal(10, 2.5, control)),
            "mail": column(rng.normal(10 + effect, 2.5, treated)),
        },
        "spend",
        seed=1,
    )
    assert 0.6 < told < 0.9
    assert got[0] == pytest.approx(told, abs=POINTS)


@pytest.mark.parametrize(("n", "share", "lift"), [(20_000, 50, 0.27), (100_000, 90, 0.21)])
def test_shares(n, share, lift):
    """A rate of 2 %, whose variance grows with it."""
    plan = make_plan(arms=two(share, 100 - share), metrics={"primary": "bought"})
    spec = estimation_spec(plan)
    treated, control = n * share // 100, n * (100 - share) // 100
    given = Given(0.02)
    effect = Tolerance(value=lift, kind="relative")
    assumed = Assumptions(effect=effect, given=given, customers=n)
    told = planned(plan, in_figures(plan, spec, given), assumed).arms[1].power
    rng = np.random.default_rng(2)
    buyers = {
        "none": rng.binomial(control, 0.02, TIMES),
        "mail": rng.binomial(treated, 0.02 * (1 + lift), TIMES),
    }
    sizes, found = {"none": control, "mail": treated}, 0
    for i in range(TIMES):
        groups = {arm: of_share(sizes[arm], buyers[arm][i]) for arm in buyers}
        found += p_values(spec, groups, "bought")[0] < 0.05
    assert 0.6 < told < 0.95
    assert found / TIMES == pytest.approx(told, abs=POINTS)


def of_share(n, ones):
    """Moments of n customers of whom so many are 1."""
    p = ones / n
    return Moments(n, np.array([p]), np.array([[n * p * (1 - p)]]), np.array([np.nan]))


def test_spend_of_which_most_customers_have_none():
    """A tenth buys; treatment wins 20 % more buyers, who buy like the others."""
    plan = make_plan(arms=two(60, 40))
    spec = estimation_spec(plan)

    def spend(rng, n, share):
        buyers = rng.binomial(n, share)
        bought = Moments.of(column(rng.lognormal(3.0, 0.7, buyers)))
        return bought + replace(Moments.zero(1), n=n - buyers)

    text = Message(template="measured")
    unit = spend(np.random.default_rng(9), 10_000_000, 0.1)
    baseline = Baseline(BaselineOrigin.earlier, text, unit, frozenset(spec.columns))
    effect = Tolerance(value=0.2, kind="relative")
    told = planned(plan, baseline, Assumptions(effect=effect, customers=12_000)).arms[1].power
    rng, found = np.random.default_rng(3), 0
    for _ in range(TIMES):
        groups = {"none": spend(rng, 4_800, 0.1), "mail": spend(rng, 7_200, 0.12)}
        found += p_values(spec, groups, "spend")[0] < 0.05
    assert 0.6 < told < 0.95
    assert found / TIMES == pytest.approx(told, abs=POINTS)


@pytest.mark.parametrize("stated", [False, True], ids=["measured", "given"])
def test_covariates(stated):
    """Half of the variance is explained by what was known before, measured or stated."""
    plan = make_plan(arms=two(60, 40), analysis={"covariates": ["spend_before"]})
    plan = plan.model_copy(
        update={"covariates": {"spend_before": Metric(column="spend_before", unit="money")}}
    )
    spec = estimation_spec(plan)

    def draw(rng, n, effect):
        before = rng.normal(10, 2, n)
        return np.column_stack([before + rng.normal(effect, 2, n), before])

    effect = Tolerance(value=0.6, kind="absolute")
    if stated:
        given = Given(10.0, 8**0.5)
        assumed = Assumptions(effect=effect, given=given, explained=0.5, customers=400)
        baseline = in_figures(plan, spec, given)
    else:
        assumed = Assumptions(effect=effect, customers=400)
        baseline = measured(spec, draw(np.random.default_rng(9), 200_000, 0.0))
    found = planned(plan, baseline, assumed)
    assert found.baseline.explained == pytest.approx(0.5, abs=0.005)
    got = simulated(
        spec,
        lambda rng: {"none": draw(rng, 160, 0.0), "mail": draw(rng, 240, 0.6)},
        "spend",
        seed=4,
        times=3_000,
    )
    assert 0.6 < found.arms[1].power < 0.9
    assert got[0] == pytest.approx(found.arms[1].power, abs=POINTS)


@pytest.mark.parametrize("stated", [False, True], ids=["measured", "given"])
def test_households(stated):
    """Households of three, alike with an ICC of 0.3."""
    plan = make_plan(
        arms=two(50, 50),
        customers={"file": "c.csv", "id": "id", "household": "home"},
        assignment={"observed": "arm", "unit": "home"},
    )
    spec = estimation_spec(plan)
    assert spec.columns == ("spend", SIZE)

    def homes(rng, n, effect):
        shared, own = rng.normal(0, 0.3**0.5, n), rng.normal(0, (0.7 / 3) ** 0.5, n)
        return np.column_stack([3 * (10 + effect + 2 * (shared + own)), np.full(n, 3.0)])

    if stated:
        given = Given(10.0, 2.0, household_size=3.0, icc=0.3)
        assumed = Assumptions(effect=absolute(0.6), given=given, customers=600)
        baseline = in_figures(plan, spec, given)
    else:
        assumed = Assumptions(effect=absolute(0.6), customers=600)
        baseline = measured(spec, homes(np.random.default_rng(9), 200_000, 0.0))
    found = planned(plan, baseline, assumed)
    got = simulated(
        spec,
        lambda rng: {"none": homes(rng, 100, 0.0), "mail": homes(rng, 100, 0.6)},
        "spend",
        seed=5,
    )
    assert found.baseline.unit_size == pytest.approx(3.0)
    assert 0.6 < found.arms[1].power < 0.9
    assert got[0] == pytest.approx(found.arms[1].power, abs=POINTS)


def test_ratios_of_totals():
    """The average order: total spend over the number of orders, which varies too."""
    plan = make_plan(arms=two(50, 50), metrics={"primary": "average"})
    parts = {"spend": Metric(column="spend"), "orders": Metric(column="orders")}
    ratio = Metric(ratio=("spend", "orders"), unit="money")
    plan = plan.model_copy(update={"metrics": {"average": ratio, **parts}})
    spec = estimation_spec(plan)

    def draw(rng, n, price):
        orders = rng.poisson(1.2, n)
        return np.column_stack([orders * price + rng.normal(0, 6, n) * orders**0.5, orders])

    effect = Tolerance(value=0.04, kind="relative")
    assumed = Assumptions(effect=effect, customers=900)
    baseline = measured(spec, draw(np.random.default_rng(9), 200_000, 25.0))
    told = planned(plan, baseline, assumed).arms[1].power
    got = simulated(
        spec,
        lambda rng: {"none": draw(rng, 450, 25.0), "mail": draw(rng, 450, 26.0)},
        "average",
        seed=6,
    )
    assert 0.6 < told < 0.9
    assert got[0] == pytest.approx(told, abs=POINTS)


def test_two_arms():
    """Each arm's verdict is as strict as planned, whatever the other arm does."""
    plan = make_plan(arms=arms(none=20, mail=50, sms=30))
    spec = estimation_spec(plan)
    given = Given(10.0, 2.5)
    assumed = Assumptions(effect=absolute(0.75), given=given, customers=800)
    told = [arm.power for arm in planned(plan, in_figures(plan, spec, given), assumed).arms[1:]]

    def draw(rng, effects):
        sizes = {"none": 160, "mail": 400, "sms": 240}
        return {
            name: column(rng.normal(10 + effect, 2.5, n))
            for (name, n), effect in zip(sizes.items(), effects, strict=True)
        }

    alone = simulated(spec, lambda rng: draw(rng, (0.0, 0.75, 0.0)), "spend", 7, 3_000)
    assert alone[0] == pytest.approx(told[0], abs=POINTS)
    both = simulated(spec, lambda rng: draw(rng, (0.0, 0.75, 0.75)), "spend", 8, 3_000)
    assert both == pytest.approx(told, abs=POINTS)


def test_the_decision_on_profit():
    """Contact, redemption and fixed costs, a hurdle, and redemptions independent of spend."""
    costs = {"cost_per_contact": 0.1, "cost_per_redemption": 2.0}
    shares = two(60, 40)
    plan = make_plan(
        arms={"none": shares["none"], "mail": {**shares["mail"], **costs}},
        money={
            "revenue": "spend",
            "margin": "40%",
            "hurdle": "20%",
            "redemptions": "redeemed",
            "fixed_cost": {"mail": 300},
        },
        metrics={"primary": "profit"},
        decision={"metric": "profit"},
    )
    spec = estimation_spec(plan)

    def draw(rng, n, mean, rate):
        return np.column_stack([rng.normal(mean, 6.0, n), rng.random(n) < rate])

    baseline = measured(spec, draw(np.random.default_rng(9), 200_000, 20.0, 0.0))
    assumed = Assumptions(effect=absolute(3.8), customers=1_000, redemption_rate=0.15)
    found = planned(plan, baseline, assumed)
    rng, ships, widths = np.random.default_rng(10), 0, []
    for _ in range(TIMES):
        rows = {"none": draw(rng, 400, 20.0, 0.0), "mail": draw(rng, 600, 23.8, 0.15)}
        groups = {arm: Moments.of(each) for arm, each in rows.items()}
        pair = spec.pair(spec.projected({OVERALL: groups})[OVERALL], ("mail",))
        question = MoneyContrast(pair, spec.confidence, spec.hurdle, first=len(spec.columns))
        above = question.above_hurdle()
        ships += above.p < 0.05 and above.estimate > 0
        widths.append((question.roi().high - question.roi().low) / 2)
    (money,) = found.money
    assert 0.6 < money.ships < 0.95
    assert ships / TIMES == pytest.approx(money.ships, abs=POINTS)
    assert np.median(widths) == pytest.approx(money.roi_half, rel=0.03)


def test_declared_looks():
    """Looks at half and at the end, O'Brien and Fleming's spending: any of the two may find it."""
    plan = make_plan(
        arms=two(50, 50),
        outcome_window="28 days",
        analysis={"looks": ["14 days", "28 days"]},
    )
    spec = estimation_spec(plan)
    given = Given(10.0, 2.5)
    assumed = Assumptions(effect=absolute(0.7), given=given, customers=400)
    found = planned(plan, in_figures(plan, spec, given), assumed)
    assert 1.0 < found.assumed.inflation < 1.05
    critical = boundaries((0.5, 1.0), 0.05, "obrien_fleming")
    rng, hits = np.random.default_rng(11), 0
    for _ in range(TIMES):
        none, mail = rng.normal(10, 2.5, 200), rng.normal(10.7, 2.5, 200)
        for n, z in ((100, critical[0]), (200, critical[1])):
            groups = {"none": Moments.of(column(none[:n])), "mail": Moments.of(column(mail[:n]))}
            if p_values(spec, groups, "spend")[0] < 2 * ndtr(-z):
                hits += 1
                break
    assert hits / TIMES == pytest.approx(found.arms[1].power, abs=POINTS)


def test_what_is_needed_has_the_power_that_was_wanted():
    plan = make_plan(arms=arms(none=10, mail=60, sms=30))
    given = Given(10.0, 2.5)
    assumed = Assumptions(effect=absolute(0.5), given=given, power=0.9)
    baseline = in_figures(plan, estimation_spec(plan), given)
    found = planned(plan, baseline, assumed)
    assert found.customers is None
    again = planned(plan, baseline, replace(assumed, customers=found.needed))
    assert min(arm.power for arm in again.arms[1:]) == pytest.approx(0.9, abs=0.001)
    assert max(arm.detectable for arm in again.arms[1:]) == pytest.approx(0.5, rel=0.001)
    assert [arm.needed for arm in found.arms[1:]] == [
        round(arm.needed_campaign * arm.share) for arm in found.arms[1:]
    ]
