"""Fixed costs come first, and an arm that does not earn its own is left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.errors import ConfigError
from upliftlab.targeting.budget import Budget, Prospects, use


def prospects(value, cost):
    value, cost = np.asarray(value, np.float32), np.asarray(cost, np.float32)
    return Prospects(
        value, cost, np.arange(len(value), dtype=np.uint64), np.zeros(len(value), bool)
    )


def test_an_arm_that_earns_less_than_its_fixed_cost_is_not_used():
    batch = prospects([[3.0, 3.5]] * 10, [[1.0, 1.0]] * 10)
    found = use([batch], Budget(100, 1.0, (0.0, 4.0)))  # the second earns 5 more, and costs 4
    assert (found.arms, found.spending.choice[0].tolist()) == ((True, True), [2] * 10)
    found = use([batch], Budget(100, 1.0, (0.0, 6.0)))
    assert (found.arms, found.spending.choice[0].tolist()) == ((True, False), [1] * 10)


def test_arms_that_replace_one_another_do_not_both_pay_their_fixed_cost():
    value = [[3.0, 2.9]] * 5 + [[2.9, 3.0]] * 5
    batch = prospects(value, [[1.0, 1.0]] * 10)
    found = use([batch], Budget(100, 1.0, (5.0, 5.0)))
    assert sum(found.arms) == 1
    assert found.spending.profit - 5 > 10 * 2 - 10


def test_the_budget_pays_fixed_costs_first():
    batch = prospects([[3.0]] * 10, [[1.0]] * 10)
    found = use([batch], Budget(8.5, 1.0, (4.0,)))
    assert np.count_nonzero(found.spending.choice[0]) == 4
    nothing = use([batch], Budget(3.9, 1.0, (4.0,)))
    assert (nothing.arms, nothing.spending.cost) == ((False,), 0.0)


@given(st.integers(0, 2**32 - 1), st.floats(0, 40))
def test_what_is_paid_in_all_never_exceeds_the_budget(seed, budget):
    rng = np.random.default_rng(seed)
    batch = prospects(rng.normal(2, 2, (30, 3)), rng.uniform(0.1, 2, (30, 3)))
    fixed = tuple(rng.choice([0.0, 2.0, 7.0], 3).tolist())
    found = use([batch], Budget(budget, 1.0, fixed))
    paid = sum(cost for cost, used in zip(fixed, found.arms, strict=True) if used)
    assert paid + found.spending.cost <= budget
    assert found.spending.profit >= paid


def test_too_many_fixed_costs_are_refused():
    batch = prospects(np.ones((1, 9)), np.ones((1, 9)))
    with pytest.raises(ConfigError, match="UL636"):
        use([batch], Budget(10, 1.0, (1.0,) * 9))
