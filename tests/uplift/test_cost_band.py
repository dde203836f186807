"""Cost curves of folds and what they are worth on scores: equal to policies valued one by one."""

import numpy as np
import pytest

from upliftlab.uplift.cost_band import evaluated
from upliftlab.uplift.cost_curve import CostCurve
from upliftlab.uplift.cost_folds import CostFolds
from upliftlab.uplift.policy import policy_value


def world(rng, n=600):
    costs, rewards = rng.uniform(0.2, 3, (n, 2)), rng.normal(0.5, 1.5, (n, 2))
    scores = [np.hstack([np.zeros((n, 1)), each]) for each in (rewards, costs)]
    value, cost = (each + rng.normal(0, 1, each.shape) for each in scores)
    return costs, rewards, (value, cost)


def test_each_fold_has_its_part_of_the_budget():
    rng = np.random.default_rng(1)
    costs, rewards, _ = world(rng)
    rewards[:200] *= 3
    fold = np.repeat([0, 1], [200, 400])
    folds = CostFolds.fit(costs, rewards, fold)
    chosen = folds.choose(budget=90.0)
    for each, part in ((0, 30.0), (1, 60.0)):
        mine = fold == each
        alone = CostCurve.fit(costs[mine], rewards[mine])
        assert (chosen[mine] == alone.choose(budget=part)).all()
    assert (folds.choose(at_least=1.0) == CostCurve.fit(costs, rewards).choose(at_least=1.0)).all()
    assert (folds.choose(budget=600 * folds.most()) == folds.choose()).all()


def test_points_are_the_values_of_their_policies():
    rng = np.random.default_rng(2)
    costs, rewards, (value, cost) = world(rng)
    folds = CostFolds.fit(costs, rewards, rng.integers(0, 3, 600))
    budgets = np.linspace(0, folds.most(), 9)
    cluster = np.arange(600) // 2
    found = evaluated(folds.moves(budgets), (value, cost), cluster, rng, 0.95)
    for point, budget in enumerate(budgets):
        chosen = folds.choose(budget * 600)
        for line, scores in (
            (found.gain, value),
            (found.spend, cost),
            (found.profit, value - cost),
        ):
            one = policy_value(scores, chosen, cluster, 0.95)
            assert line.estimate[point] == pytest.approx(one.estimate, abs=1e-9)
            half = (line.high - line.low)[point] / 2
            assert half == pytest.approx(1.96 * one.se, rel=0.12)
    assert found.gain.estimate[0] == found.gain.high[0] == 0


def test_nobody_worth_treating_is_a_flat_line():
    rng = np.random.default_rng(4)
    folds = CostFolds.fit(np.ones((50, 2)), -np.ones((50, 2)), np.arange(50) % 2)
    assert folds.most() == 0
    scores = rng.normal(size=(50, 3))
    found = evaluated(folds.moves(np.zeros(2)), (scores, scores), np.arange(50), rng, 0.95)
    assert not found.gain.estimate.any()
    assert not found.profit.high.any()


def test_one_unit_has_no_band():
    rng = np.random.default_rng(6)
    costs, rewards, scores = world(rng, 20)
    moves = CostFolds.fit(costs, rewards, np.zeros(20)).moves(np.ones(1))
    found = evaluated(moves, scores, np.zeros(20, dtype=np.int64), rng, 0.95)
    assert (found.gain.low, found.profit.high) == (None, None)
    assert found.gain.estimate[0] != 0


def test_scores_that_cannot_be_are_refused():
    rng = np.random.default_rng(5)
    costs, rewards, (value, cost) = world(rng, 20)
    cost[3, 1] = np.nan
    moves = CostFolds.fit(costs, rewards, np.zeros(20)).moves(np.ones(1))
    with pytest.raises(ValueError, match="1 of 60 scores of cost are not finite"):
        evaluated(moves, (value, cost), np.arange(20), rng, 0.95)
