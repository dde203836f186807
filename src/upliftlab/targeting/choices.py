"""Choices: what each policy gives each customer, by models that were not shown them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, VALUE, Crossfit
from upliftlab.targeting.use import sets_of
from upliftlab.uplift.cost_folds import CostFolds
from upliftlab.uplift.sample import CONTROL
from upliftlab.uplift.tree import Tree, grow


@dataclass(frozen=True, slots=True, eq=False)
class PolicyConstraints:
    """What a policy has to keep to.

    Attributes:
        budget: What may be spent on all customers; None without a limit.
        at_least: What the last unit of money must bring; 1 is no step that loses money.
        fixed: Fixed cost of each arm for the whole campaign, the control's first, shape (arms,).
        open: Whether each arm's gate is open, the control's first. An arm whose gate is shut is
            taken to do everybody its average good: there is no evidence of anything else.
        least: What each treatment costs at least beyond the control, shape (arms − 1,): no cost is
            foreseen below it, however few are expected to redeem. None where that is not known.
    """

    budget: float | None
    at_least: float
    fixed: Array
    open: tuple[bool, ...]
    least: Array | None = None


def foreseen(crossfit: Crossfit, gate: tuple[bool, ...]) -> Array:
    """What each arm is taken to add for each customer, shape (n, arms − 1, outcomes).

    Args:
        crossfit: Predictions by models that were not shown the customer.
        gate: Whether each arm's gate is open, the control's first; behind a shut one stands the
            average of the other folds' scores.
    """
    found = crossfit.predicted[crossfit.judged].copy()
    fold, effects = crossfit.sample.fold, crossfit.scores[:, 1:] - crossfit.scores[:, [CONTROL]]
    for column in np.flatnonzero(~np.array(gate[1:])):
        for number in range(crossfit.sample.folds):
            found[fold == number, column] = effects[fold != number, column].mean(axis=0)
    return found


def cost_folds(crossfit: Crossfit, terms: PolicyConstraints) -> CostFolds:
    """The cost curve of each fold; without money everything is free."""
    costs, values = _expected(crossfit, terms)
    return CostFolds.fit(costs, values, crossfit.sample.fold)


def by_cost(crossfit: Crossfit, terms: PolicyConstraints, budget: float | None) -> np.ndarray:
    """The arm of each customer along the cost curves, shape (n,).

    The budget pays fixed costs first. Every set of arms that have one is tried, as in the list
    that `target` writes, and the one that is expected to earn most is used.

    Args:
        crossfit: Predictions by models that were not shown the customer.
        terms: Fixed costs, and what the last unit of money must bring.
        budget: What may be spent in all; None without a limit.
    """
    costs, values = _expected(crossfit, terms)
    least = terms.at_least if crossfit.money else 0.0
    rows, best = np.arange(len(costs)), np.full(len(costs), CONTROL)
    net = _net(costs, values)
    most = 0.0
    for used in sets_of(terms.fixed[CONTROL + 1 :].tolist()):
        paid = float(terms.fixed[CONTROL + 1 :][list(used)].sum())
        if budget is not None and paid > budget:
            continue
        folds = CostFolds.fit(costs, np.where(used, values, 0.0), crossfit.sample.fold)
        arms = folds.choose(None if budget is None else budget - paid, least)
        earned = float(net[rows, arms].sum()) - paid
        if earned > most:
            best, most = arms, earned
    return best


def foretold(crossfit: Crossfit, terms: PolicyConstraints, arms: np.ndarray) -> float:
    """What models foretell of a choice beyond contacting nobody, per customer of all.

    Fixed costs aside: it is what the customers who are chosen are expected to bring.

    Args:
        crossfit: Predictions by models that were not shown the customer.
        terms: Which gates are open, and what a contact costs at least.
        arms: The arm of each customer, shape (n,).
    """
    return float(_net(*_expected(crossfit, terms))[np.arange(len(arms)), arms].mean())


def _net(costs: Array, values: Array) -> Array:
    """What each arm is expected to earn, the control's 0 first; shape (n, arms)."""
    return np.column_stack([np.zeros(len(costs)), values - costs])


def _expected(crossfit: Crossfit, terms: PolicyConstraints) -> tuple[Array, Array]:
    """Cost and value that each arm is expected to add, both of shape (n, arms − 1)."""
    found = foreseen(crossfit, terms.open)
    if not crossfit.money:
        return np.zeros(found.shape[:2]), found[..., VALUE]
    least = -np.inf if terms.least is None else terms.least
    return np.maximum(found[..., COST], least), found[..., VALUE]


def by_tree(crossfit: Crossfit, categorical: Sequence[int], among: np.ndarray) -> np.ndarray:
    """The arm of each customer by a tree that was grown on some of the other folds, shape (n,)."""
    chosen = np.full(len(crossfit.sample), CONTROL)
    for number in range(crossfit.sample.folds):
        here = crossfit.sample.fold == number
        chosen[here] = tree_of(crossfit, categorical, ~here & among).choose(
            crossfit.sample.features[here]
        )
    return chosen


def tree_of(
    crossfit: Crossfit, categorical: Sequence[int], rows: np.ndarray, smallest: int = 1
) -> Tree:
    """The readable tree of some of the customers, each of its groups at least 1 % of them."""
    smallest = max(smallest, int(rows.sum()) // 100)
    return grow(
        crossfit.sample.features[rows], crossfit.rewards[rows], categorical, smallest=smallest
    )


def best_constant(crossfit: Crossfit, fixed: Array, budget: float | None = None) -> int:
    """The arm that does most good if everybody gets it; the control where none does any.

    Args:
        crossfit: Scores of all arms.
        fixed: Fixed cost of each arm for the whole campaign, the control's first, shape (arms,).
        budget: What may be spent in all, fixed cost included; arms that cost more are left out.
    """
    size = len(crossfit.sample)
    gains = crossfit.rewards.mean(axis=0) - crossfit.rewards[:, CONTROL].mean() - fixed / size
    if budget is not None and crossfit.money:
        costs = crossfit.scores[:, :, COST].mean(axis=0)
        gains[(costs - costs[CONTROL]) * size + fixed > budget] = -np.inf
        gains[CONTROL] = 0.0
    return int(gains.argmax())
