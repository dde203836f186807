"""Money against a table worked by hand and against rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from upliftlab.money import ArmTerms, MoneyContrast, Roles, projection
from upliftlab.results.analysis import Note
from upliftlab.results.costs import CostStep, Per
from upliftlab.stats.effects import TwoSample
from upliftlab.stats.moments import Moments

# revenue, contacts, redemptions, conversion
TREATED = np.array([[100.0, 2, 1, 1], [0.0, 1, 0, 0], [50.0, 2, 1, 1], [0.0, 2, 0, 0]])
CONTROL = np.array([[50.0, 0, 0, 1], [0.0, 0, 0, 0]])
ROLES = Roles(revenue=0, contacts=1, redemptions=2, conversions=3)
RATES = {
    CostStep.contact_cost: 0.5,
    CostStep.incentive: 3.0,
    CostStep.commission: 0.02,
    CostStep.service: 0.25,
    CostStep.fixed_cost: 1.0,
}
TERMS = ArmTerms(0.4, RATES)
FREE = ArmTerms(0.4)


def question(treated=TREATED, control=CONTROL, terms=TERMS, hurdle=0.0) -> MoneyContrast:
    columns = treated.shape[1]
    pair = TwoSample(
        Moments.of(treated).project(projection(columns, ROLES, terms)),
        Moments.of(control).project(projection(columns, ROLES, FREE)),
    )
    return MoneyContrast(pair, 0.95, hurdle, ROLES)


def profit_rows(rows, terms):
    cost = (
        terms[CostStep.contact_cost] * rows[:, 1]
        + terms[CostStep.incentive] * rows[:, 2]
        + terms[CostStep.commission] * rows[:, 0]
        + terms[CostStep.service]
        + terms[CostStep.fixed_cost]
    )
    return terms.margin * rows[:, 0] - cost, cost


def test_hand_worked():
    """Four treated: margin 60, contacts 3.50, vouchers 6, commission 3, service 1, fixed 4."""
    asked = question()
    # Per treated customer: margin 15, cost 17.5 / 4 = 4.375; per control customer: margin 10.
    assert asked.incremental_profit().estimate == pytest.approx(4 * (15 - 4.375 - 10))
    assert asked.roi().estimate == pytest.approx((15 - 10 - 4.375) / 4.375)
    assert asked.ratio(CostStep.revenue, CostStep.cost).estimate == pytest.approx(
        (37.5 - 25) / 4.375
    )
    assert asked.above_hurdle(0.5).estimate == pytest.approx(4 * (5 - 1.5 * 4.375))
    assert asked.ratio(CostStep.cost, Per.conversion).note is Note.no_conversions


def test_profit_from_moments_is_profit_from_rows():
    rng = np.random.default_rng(11)

    def draw(n, rate):
        bought = rng.random(n) < rate
        return np.column_stack(
            [
                bought * rng.lognormal(3, 1, n),
                rng.poisson(2, n),
                bought * (rng.random(n) < 0.5),
                bought,
            ]
        )

    treated, control = draw(800, 0.3), draw(300, 0.2)
    effect = question(treated, control).incremental_profit()
    theirs = stats.ttest_ind(
        profit_rows(treated, TERMS)[0], profit_rows(control, FREE)[0], equal_var=False
    )
    interval = theirs.confidence_interval(0.95)
    assert effect.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert (effect.low, effect.high) == pytest.approx(
        (800 * interval.low, 800 * interval.high), rel=1e-9
    )


def test_the_parts_sum_to_profit():
    mapped = projection(4, ROLES, TERMS)
    rows = mapped.matrix[4:]
    parts = [step.column for step in RATES]
    margin, cost, profit = (
        step.column for step in (CostStep.margin, CostStep.cost, CostStep.profit)
    )
    np.testing.assert_allclose(rows[cost], rows[parts].sum(axis=0))
    np.testing.assert_allclose(rows[profit], rows[margin] - rows[cost])


@given(st.integers(0, 999), st.floats(-0.5, 3))
def test_roi_exceeds_the_hurdle_exactly_where_the_linear_form_is_positive(seed, hurdle):
    rng = np.random.default_rng(seed)
    treated = np.column_stack(
        [rng.gamma(1, 30, 60), np.ones(60), rng.random(60) < 0.3, np.ones(60)]
    )
    control = np.column_stack([rng.gamma(1, 25, 60), np.zeros(60), np.zeros(60), np.ones(60)])
    asked = question(treated, control, hurdle=hurdle)
    roi, line = asked.roi(), asked.above_hurdle()
    assert (roi.estimate > hurdle) == (line.estimate > 0)
    assert roi.p == pytest.approx(line.p, rel=1e-9)
    if roi.low is not None:
        assert (roi.low > hurdle) == (line.low > 0)


def test_one_contact_for_everybody_where_contacts_are_not_counted():
    mapped = projection(2, Roles(revenue=0), ArmTerms(0.4, {CostStep.contact_cost: 0.1}))
    assert mapped.offset[2 + CostStep.contact_cost.column] == 0.1
    assert not mapped.matrix[2 + CostStep.contact_cost.column].any()


def test_an_arm_that_costs_nothing_has_no_roi():
    effect = question(terms=ArmTerms(0.4)).roi()
    assert (effect.estimate, effect.note) == (None, Note.zero_cost)
