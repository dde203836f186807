"""What a budget buys: against the fractional knapsack solved as a linear program, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from upliftlab.uplift.cost_curve import CostCurve

NUMBER = st.integers(-4, 6).map(float) | st.floats(-3, 5).map(lambda value: round(value, 2))
TABLE = st.integers(1, 4).flatmap(
    lambda arms: st.lists(
        st.lists(st.tuples(NUMBER, NUMBER), min_size=arms, max_size=arms), min_size=1, max_size=5
    )
)


def split(table):
    both = np.array(table, dtype=float)
    return both[:, :, 0], both[:, :, 1]


def fitted(table):
    return CostCurve.fit(*split(table))


def optimum(costs, rewards, budget):
    """The fractional multiple-choice knapsack over arms that bring something, and the control."""
    n, arms = costs.shape
    one_arm_each = np.kron(np.eye(n), np.ones(arms))
    bounds = [(0, 1 if value > 0 else 0) for value in rewards.ravel()]
    found = linprog(
        -rewards.ravel(),
        A_ub=np.vstack([one_arm_each, costs.ravel()]),
        b_ub=np.append(np.ones(n), budget),
        bounds=bounds,
    )
    assert found.status == 0
    return -found.fun


def with_control(values):
    return np.hstack([np.zeros((len(values), 1)), values])


@settings(deadline=None)
@given(TABLE, st.floats(0, 15))
def test_it_is_the_fractional_knapsack(table, budget):
    costs, rewards = split(table)
    shares = CostCurve.fit(costs, rewards).shares(budget=budget)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert (shares >= -1e-12).all()
    assert (shares * with_control(costs)).sum() <= budget + 1e-9
    gain = (shares * with_control(rewards)).sum()
    assert gain == pytest.approx(optimum(costs, rewards, budget), abs=1e-6)


@given(TABLE, st.floats(0, 15), st.floats(0, 5))
def test_choices_stay_within_the_budget_and_agree_with_the_path(table, budget, at_least):
    costs, rewards = split(table)
    curve = fitted(table)
    chosen, count = curve.choose(budget, at_least), curve.taken(budget, at_least)
    assert chosen.dtype == np.int64
    assert (curve.steps.slope[:count] >= at_least).all()
    every = np.arange(len(table))
    spent = with_control(costs)[every, chosen].sum()
    assert spent <= budget + 1e-9
    if count:
        assert spent == pytest.approx(curve.spend[count - 1], abs=1e-9)
        gained = with_control(rewards)[every, chosen].sum()
        assert gained == pytest.approx(curve.gain[count - 1], abs=1e-9)
    else:
        assert not chosen.any()


@given(TABLE, st.floats(0, 5))
def test_a_hurdle_alone_chooses_what_is_worth_most_at_that_price(table, hurdle):
    costs, rewards = split(table)
    chosen = fitted(table).choose(at_least=hurdle)
    worth = with_control(np.where(rewards > 0, rewards - hurdle * costs, -1.0))
    reached = worth[np.arange(len(table)), chosen]
    assert reached == pytest.approx(worth.max(axis=1), abs=1e-9)


@given(TABLE, st.floats(0, 15))
def test_the_slope_at_a_budget_chooses_the_same_without_the_budget(table, budget):
    curve = fitted(table)
    slope = curve.slope_at(budget)
    count = curve.taken(budget)
    if np.unique(curve.steps.slope).size == len(curve.steps):
        assert (curve.choose(at_least=slope) == curve.choose(budget)).all()
    assert (curve.steps.slope[count:] <= slope).all()


@given(TABLE, st.randoms(use_true_random=False))
def test_more_money_never_buys_less_and_rows_may_stand_in_any_order(table, chance):
    curve = fitted(table)
    budgets = np.linspace(0, 15, 7)
    assert (np.diff([curve.taken(budget) for budget in budgets]) >= 0).all()
    order = list(range(len(table)))
    chance.shuffle(order)
    turned = fitted([table[row] for row in order])
    assert turned.spend[-1:] == pytest.approx(curve.spend[-1:], abs=1e-9)
    if np.unique(curve.steps.slope).size == len(curve.steps):
        for budget in budgets:
            assert (turned.choose(budget) == curve.choose(budget)[order]).all()


def test_the_papers_customer():
    curve = CostCurve.fit(np.array([[5, 0.5, 3, 1, 4]]), np.array([[3, 2, 3.8, 2, 3.9]]))
    assert [curve.choose(budget).item() for budget in (0, 0.4, 0.5, 2.9, 3, 3.9, 4, 99)] == [
        *(0, 0, 2, 2, 3, 3, 5, 5)
    ]
    assert curve.choose(at_least=1).item() == 2, "1.8 for 2.5 loses money"
    assert curve.choose(at_least=0.5).item() == 3
    assert curve.shares(budget=1.75)[0].tolist() == [0, 0, 0.5, 0.5, 0, 0]
    assert curve.slope_at(1.75) == 4
    assert curve.slope_at(0.1) == np.inf
    assert curve.slope_at(3) == pytest.approx(0.72)


def test_a_step_that_does_not_fit_ends_the_path():
    curve = CostCurve.fit(np.array([[1.0], [5.0], [1.0]]), np.array([[9.0], [20.0], [1.0]]))
    assert curve.choose(budget=3).tolist() == [1, 0, 0]
    assert curve.shares(budget=3)[:, 1].tolist() == [1, 0.4, 0]
    assert curve.shares(budget=3, at_least=5)[:, 1].tolist() == [1, 0, 0]


def test_what_saves_money_is_done_on_any_budget():
    curve = CostCurve.fit(np.array([[-2.0], [1.5], [1.0]]), np.array([[1.0], [3.0], [1.0]]))
    assert curve.choose(budget=0).tolist() == [1, 1, 0]
    assert curve.choose(at_least=np.inf).tolist() == [1, 0, 0]


@pytest.mark.parametrize("budget", [-1, np.nan])
def test_a_budget_that_cannot_be_is_refused(budget):
    with pytest.raises(ValueError, match="a budget must be 0 or more"):
        CostCurve.fit(np.ones((1, 1)), np.ones((1, 1))).choose(budget)
