"""Policies beside each other: fixed costs, budgets, today's rule."""

from dataclasses import replace

import numpy as np
import pytest

from upliftlab.targeting.policies import (
    PolicyConstraints,
    Rules,
    TodayPolicy,
    best_constant,
    by_cost,
    policies,
)
from upliftlab.validation.responding import crossfitted, experiment, world

ARMS = ("nobody", "mail", "text")
N = 2_000
FREE = PolicyConstraints(0.15 * N, 1.0, np.zeros(3), (False, True, True))


@pytest.fixture(scope="module")
def crossfit():
    return crossfitted(*experiment(world(N, 3), 3))


def told(crossfit, terms, today=None):
    rules = Rules(ARMS, terms, 0.95, (3,), today)
    return {(policy.name, policy.arm): policy for policy in policies([crossfit], rules)}


def test_an_arm_that_does_not_repay_its_fixed_cost_is_left_out(crossfit):
    assert set(by_cost(crossfit, FREE, None)) == {0, 1, 2}
    dear = replace(FREE, fixed=np.array([0.0, 0.0, 1e6]))
    assert set(by_cost(crossfit, dear, None)) == {0, 1}
    found = told(crossfit, dear)["return", None]
    assert found.shares["text"] == 0
    assert found.cost.estimate < 1.0


def test_the_budget_pays_fixed_costs_first(crossfit):
    mail = replace(FREE, fixed=np.array([0.0, 100.0, 1e6]))
    arms = by_cost(crossfit, mail, 300.0)
    predicted = crossfit.predicted[crossfit.judged][:, 0, 1]
    assert 0 < np.maximum(predicted, 0)[arms == 1].sum() <= 200.0
    assert not by_cost(crossfit, mail, 99.0).any()


def test_nobody_is_contacted_where_no_arm_is_expected_to_earn_anything(crossfit):
    dear = replace(FREE, fixed=np.array([0.0, 1e6, 1e6]))
    assert not by_cost(crossfit, dear, None).any()
    assert best_constant(crossfit, dear.fixed) == 0


def test_only_arms_that_the_budget_pays_for_are_compared_with(crossfit):
    assert best_constant(crossfit, FREE.fixed) == 2
    assert best_constant(crossfit, FREE.fixed, 0.01 * N) == 0


def test_a_model_is_compared_with_todays_rule_customer_by_customer(crossfit):
    arms = by_cost(crossfit, FREE, None)
    same = told(crossfit, FREE, TodayPolicy(1, "all", arms == 1))
    rule, model = same["today", None], same["return", None]
    difference = model.value.estimate - rule.value.estimate
    assert model.beside_today.estimate == pytest.approx(difference)
    assert told(crossfit, FREE)["return", None].beside_today is None
    assert rule.beside_today is None


def test_what_came_true_is_what_was_gained_by_what_was_foretold(crossfit):
    costly = replace(FREE, fixed=np.array([0.0, 40.0, 0.0]))
    for terms in (FREE, costly):
        arms = by_cost(crossfit, terms, terms.budget)
        value, cost = crossfit.predicted[crossfit.judged].transpose(2, 0, 1)
        chosen = np.flatnonzero(arms)
        picked = chosen, arms[chosen] - 1
        expected = (value - cost)[picked].sum()
        scores = crossfit.rewards
        gained = (scores[chosen, arms[chosen]] - scores[chosen, 0]).sum()
        policy = told(crossfit, terms)["budget", None]
        assert policy.realised.estimate == pytest.approx(gained / expected)
        half = (policy.value.high - policy.value.low) / 2 * N / expected
        assert policy.realised.high - policy.realised.estimate == pytest.approx(half)


def test_nothing_comes_true_where_nobody_is_chosen(crossfit):
    dear = replace(FREE, fixed=np.array([0.0, 1e6, 1e6]))
    found = told(crossfit, dear)
    assert found["budget", None].realised is found["return", None].realised is None
    assert found["tree", None].realised is None


def test_shut_gates_leave_the_policies_that_need_no_model(crossfit):
    shut = replace(FREE, open=(False, False, False))
    assert [name for name, _ in told(crossfit, shut)] == ["treat_none", "treat_all", "treat_all"]
