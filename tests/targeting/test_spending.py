"""A budget reaches those it should: beside every other way to spend it, and in any order."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.targeting.budget import Prospects, first_return, spend


def prospects(value, cost, held=None, place=None):
    value, cost = np.asarray(value, np.float32), np.asarray(cost, np.float32)
    n = len(value)
    place = np.arange(n) * 7_919 if place is None else place
    held = np.zeros(n, bool) if held is None else np.asarray(held)
    return Prospects(value, cost, np.asarray(place, np.uint64), held)


def drawn(n, arms, seed, *, equal=False):
    rng = np.random.default_rng(seed)
    value = rng.normal(2, 3, (n, arms))
    cost = rng.uniform(0.1, 3, (n, arms))
    if equal:
        value, cost = np.round(value), np.ceil(cost)
    place = rng.integers(0, 2**60, n)
    return prospects(value, cost, rng.random(n) < 0.1, place)


def cut(batch, at):
    parts = [slice(a, b) for a, b in zip([0, *at], [*at, len(batch)], strict=True)]
    return [Prospects(batch.value[p], batch.cost[p], batch.place[p], batch.held[p]) for p in parts]


def bought(batch, spending):
    chosen = np.concatenate(spending.choice)
    row = np.flatnonzero(chosen)
    arm = chosen[row].astype(int) - 1
    free = ~batch.held[row]
    value = batch.value[row, arm].astype(float)
    cost = batch.cost[row, arm].astype(float)
    return float(value[free].sum()), float(cost[free].sum())


@given(seed=st.integers(0, 2**32 - 1), budget=st.floats(0, 60), equal=st.booleans())
def test_the_budget_is_never_exceeded_and_nearly_used(seed, budget, equal):
    batch = drawn(60, 3, seed, equal=equal)
    found = spend([batch], budget, 1.0, [True] * 3)
    value, cost = bought(batch, found)
    assert cost <= budget
    assert found.cost == pytest.approx(cost)
    assert found.profit == pytest.approx(value - cost)
    if found.exhausted:
        assert cost > budget - 3.1  # the dearest step there can be
    else:
        assert cost == pytest.approx(spend([batch], 1e9, 1.0, [True] * 3).cost)


@given(seed=st.integers(0, 2**32 - 1), budget=st.floats(0, 8))
def test_nothing_gains_more_but_for_the_last_step(seed, budget):
    batch = drawn(6, 2, seed)
    batch = prospects(batch.value, batch.cost, None, batch.place)
    found = spend([batch], budget, 1.0, [True, True])
    best = 0.0
    for choice in product(range(3), repeat=6):
        pairs = [(i, arm - 1) for i, arm in enumerate(choice) if arm]
        cost = sum(float(batch.cost[pair]) for pair in pairs)
        if cost <= budget:
            best = max(best, sum(float(batch.value[p]) - float(batch.cost[p]) for p in pairs))
    missed = float((batch.value - batch.cost).max()) if found.exhausted else 0.0
    assert found.profit >= best - missed - 1e-5


@given(seed=st.integers(0, 2**32 - 1), budget=st.floats(0, 60), equal=st.booleans())
def test_the_order_of_customers_and_the_batches_do_not_matter(seed, budget, equal):
    batch = drawn(50, 3, seed, equal=equal)
    usual = np.concatenate(spend([batch], budget, 1.0, [True] * 3).choice)
    order = np.random.default_rng(seed).permutation(50)
    other = Prospects(*(getattr(batch, x)[order] for x in ("value", "cost", "place", "held")))
    parts = spend(cut(other, [7, 7, 30]), budget, 1.0, [True] * 3)
    assert [len(part) for part in parts.choice] == [7, 0, 23, 20]
    assert np.array_equal(np.concatenate(parts.choice), usual[order])


def test_equal_customers_are_taken_by_chance_and_held_out_alike():
    n = 20_000
    rng = np.random.default_rng(5)
    place = rng.integers(0, 2**60, n).astype(np.uint64)
    held = place < np.uint64(2**60 // 10)
    batch = prospects(np.full((n, 1), 3.0), np.ones((n, 1)), held, place)
    found = spend([batch], 5_000, 1.0, [True])
    taken = found.choice[0] > 0
    assert taken[~held].sum() == 5_000
    assert abs(taken[held].mean() - taken[~held].mean()) < 4 * np.sqrt(0.25 / 2_000)
    assert (found.slope, found.exhausted) == (3.0, True)


def test_a_step_that_returns_too_little_is_not_taken():
    batch = prospects([[0.9, 3.0], [1.4, 1.0]], [[1.0, 2.0], [1.0, 3.0]])
    assert spend([batch], 100, 1.0, [True, True]).choice[0].tolist() == [2, 1]
    assert spend([batch], 100, 1.45, [True, True]).choice[0].tolist() == [2, 0]
    assert spend([batch], 100, 1.0, [True, False]).choice[0].tolist() == [0, 1]
    nobody = spend([batch], 100, 2.0, [True, True])
    assert (nobody.choice[0].tolist(), nobody.slope, nobody.cost) == ([0, 0], None, 0.0)


def test_what_costs_nothing_is_taken_without_a_budget():
    batch = prospects([[1.0], [2.0], [-1.0]], [[0.0], [1.0], [0.0]])
    found = spend([batch], 0, 1.0, [True])
    assert found.choice[0].tolist() == [1, 0, 0]
    assert first_return(batch, [True]).tolist() == [np.inf, 2.0, 0.0]


def test_nobody_and_no_arms():
    none = prospects(np.zeros((0, 2)), np.zeros((0, 2)))
    assert spend([none], 10, 1.0, [True, True]).slope is None
    assert spend([], 10, 1.0, [True, True]).choice == ()
    assert spend([drawn(5, 2, 1)], 10, 1.0, [False, False]).choice[0].tolist() == [0] * 5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="1 expected values are not finite"):
        prospects([[bad], [1.0]], [[1.0], [1.0]])
    with pytest.raises(ValueError, match="1 expected costs are not finite"):
        prospects([[1.0], [1.0]], [[1.0], [bad]])
    with pytest.raises(ValueError, match="below 0"):
        prospects([[1.0]], [[-1.0]])
