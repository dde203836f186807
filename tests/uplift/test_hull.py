"""The hull of a customer's arms: the paper's corners, ties, free arms, and every price of money."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.uplift.hull import Steps, hull

NUMBER = st.integers(-4, 6).map(float) | st.floats(-3, 5).map(lambda value: round(value, 2))
TABLE = st.integers(1, 5).flatmap(
    lambda arms: st.lists(
        st.lists(st.tuples(NUMBER, NUMBER), min_size=arms, max_size=arms), min_size=1, max_size=6
    )
)


def split(table):
    both = np.array(table, dtype=float)
    return both[:, :, 0], both[:, :, 1]


def arms(cost, reward):
    return hull(np.array([cost], dtype=float), np.array([reward], dtype=float)).arm.tolist()


@pytest.mark.parametrize(
    ("cost", "reward", "corners"),
    [
        ((5, 0.5, 3, 1, 4), (3, 2, 4, 2, 3.9), [2, 3]),
        ((5, 0.5, 3, 1, 4), (3, 2, 3.8, 2, 3.9), [2, 3, 5]),
        ((5, 0.5, 3, 1, 4), (-3, -2, -4, -2, -3.9), []),
        ((1, 2, 3), (0, 0, 0), []),
        ((1, 1), (2, 3), [2]),
        ((2, 2), (3, 3), [1]),
        ((1, 2, 3), (1, 2, 3), [3]),
        ((1, 2, 3), (2, 3, 4), [1, 3]),
        ((0, 1), (2, 3), [1, 2]),
        ((0, 0), (2, 3), [2]),
        ((0, 0, -1), (3, 3, 3), [3]),
        ((-2, 0, 1), (1, 5, 5.5), [1, 2, 3]),
        ((-2, 0), (5, 4), [1]),
        ((-2, -1), (-1, 0), []),
    ],
)
def test_corners(cost, reward, corners):
    assert arms(cost, reward) == corners


def test_what_is_free_has_an_infinite_slope():
    steps = hull(np.array([[-2.0, 0.0, 1.0]]), np.array([[1.0, 5.0, 5.5]]))
    assert steps.slope.tolist() == [np.inf, 2.0, 0.5]
    assert (steps.origin.tolist(), steps.cost.tolist()) == ([0, 1, 2], [-2, 2, 1])
    assert steps.reward.tolist() == [1, 4, 0.5]


def test_first_steps_come_first_and_each_by_row():
    steps = hull(np.array([[1, 2], [1, 2], [1, 2.0]]), np.array([[2, 3], [-1, -1], [2, 3.0]]))
    assert (steps.customer.tolist(), steps.arm.tolist()) == ([0, 2, 0, 2], [1, 1, 2, 2])


@given(TABLE)
def test_slopes_never_rise_and_steps_lead_on(table):
    steps = hull(*split(table))
    for row in range(len(table)):
        mine = steps.take(np.flatnonzero(steps.customer == row))
        assert (np.diff(mine.slope) <= 0).all()
        assert mine.origin.tolist() == [0, *mine.arm.tolist()][: len(mine)]
        assert (mine.reward > 0).all()
        assert (mine.cost[1:] > 0).all()


@given(TABLE, st.floats(0.01, 8))
def test_at_any_price_of_money_the_last_steep_step_is_best(table, price):
    costs, rewards = split(table)
    steps = hull(costs, rewards)
    reached = np.zeros(len(table))
    steep = steps.slope >= price
    np.add.at(reached, steps.customer[steep], (steps.reward - price * steps.cost)[steep])
    worth = np.where(rewards > 0, rewards - price * costs, 0.0)
    assert reached == pytest.approx(np.maximum(worth.max(axis=1), 0.0), abs=1e-9)


@given(TABLE)
def test_many_customers_are_as_each_alone(table):
    costs, rewards = split(table)
    alone = [hull(costs[[row]], rewards[[row]]).arm.tolist() for row in range(len(table))]
    steps = hull(np.tile(costs, (5_000, 1)), np.tile(rewards, (5_000, 1)))
    mine = steps.take(np.flatnonzero(steps.customer >= 4_999 * len(table)))
    for row, corners in enumerate(alone):
        assert mine.arm[mine.customer == 4_999 * len(table) + row].tolist() == corners


def test_nobody_and_no_arms():
    assert isinstance(hull(np.zeros((0, 3)), np.zeros((0, 3))), Steps)
    assert len(hull(np.zeros((4, 0)), np.zeros((4, 0)))) == 0


def test_small_whole_numbers_do_not_wrap_around():
    costs, rewards = np.array([[3, 1]], dtype=np.uint8), np.array([[4, 2]], dtype=np.uint8)
    assert hull(costs, rewards).slope.tolist() == [2.0, 1.0]
    assert hull(np.array([[True]]), np.array([[True]])).slope.tolist() == [1.0]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"2 of 4 costs are not finite"):
        hull(np.array([[np.nan, 1], [np.inf, 1]]), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"1 of 2 rewards are not finite"):
        hull(np.zeros((1, 2)), np.array([[np.nan, 1]]))
    with pytest.raises(ValueError, match="must be"):
        hull(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="must be"):
        hull(np.zeros(2), np.zeros(2))
