"""The cost curve: what a budget buys if each bit of it goes where it brings most, over many arms.

All customers' steps along their hulls are taken in order of reward per cost. With the last step
taken in part, this is the best that can be done: the fractional multiple-choice knapsack (Sinha &
Zoltners 1979; for treatments under a budget Sverdrup, Wu, Athey & Wager 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.hull import Steps, hull
from upliftlab.uplift.sample import CONTROL


@dataclass(frozen=True, slots=True, eq=False)
class CostCurve:
    """The path of all steps, the most rewarding first.

    Attributes:
        customers: How many customers there are, also those without a step.
        arms: How many arms there are, the control included.
        steps: Steps by descending slope; those of equal slope as `hull` lists them.
        spend: Predicted cost of all steps until each one, shape (steps,).
        gain: Predicted reward of the same, shape (steps,).
    """

    customers: int
    arms: int
    steps: Steps
    spend: Array
    gain: Array

    @classmethod
    def fit(cls, costs: Array, rewards: Array) -> Self:
        """The path for customers whose costs and rewards are predicted.

        Args:
            costs: Cost of each treatment beyond the control's, shape (n, arms − 1).
            rewards: Reward beyond the control's, in the same unit of money if `at_least` is to
                mean a return, shape (n, arms − 1).

        Raises:
            ValueError: Shapes differ, or a number is not finite.

        >>> curve = CostCurve.fit(np.array([[5, 0.5, 3, 1, 4]]), np.array([[3, 2, 4, 2, 3.9]]))
        >>> curve.spend.tolist(), curve.gain.tolist()
        ([0.5, 3.0], [2.0, 4.0])
        >>> curve.choose(budget=2.9), curve.choose(at_least=0.5)
        (array([2]), array([3]))
        """
        steps = hull(costs, rewards)
        steps = steps.take(_descending(steps.slope))
        size, treatments = costs.shape
        return cls(size, treatments + 1, steps, np.cumsum(steps.cost), np.cumsum(steps.reward))

    def taken(self, budget: float | None = None, at_least: float = 0.0) -> int:
        """How many steps are taken: the number of the first that is not.

        Args:
            budget: Predicted cost of all customers at most; None without limit. What is saved by
                steps that cost less than nothing can be spent.
            at_least: Slope that a step must have: 1 for none that loses money, 1 + h for none that
                returns less than h on what it costs.

        Raises:
            ValueError: The budget is negative or no number.
        """
        steep = int(np.searchsorted(-self.steps.slope, -at_least, side="right"))
        if budget is None:
            return steep
        if not budget >= 0:
            raise ValueError(f"a budget must be 0 or more, not {budget}")
        # The path's beginning costs nothing and may save; from there on spending rises.
        free = int(np.searchsorted(-self.steps.slope, -np.inf, side="right"))
        affordable = free + int(np.searchsorted(self.spend[free:], budget, side="right"))
        return min(steep, affordable)

    def choose(self, budget: float | None = None, at_least: float = 0.0) -> np.ndarray:
        """The arm of each customer, 0 the control; shape (n,), int64.

        The step that no longer fits whole is not taken, nor any after it.

        Args:
            budget: As in `taken`.
            at_least: As in `taken`.

        Raises:
            ValueError: The budget is negative or no number.
        """
        count = self.taken(budget, at_least)
        chosen = np.full(self.customers, CONTROL, dtype=np.int64)
        chosen[self.steps.customer[:count]] = self.steps.arm[:count]  # a customer's last step stays
        return chosen

    def shares(self, budget: float | None = None, at_least: float = 0.0) -> Array:
        """The probability of each arm, shape (n, arms): one customer's next step is left to chance.

        As `choose`, but the step that no longer fits whole is taken with the probability that
        spends the budget to the last in expectation. For evaluation; a list needs `choose`.

        Args:
            budget: As in `taken`.
            at_least: As in `taken`.

        Raises:
            ValueError: The budget is negative or no number.
        """
        count = self.taken(budget, at_least)
        result = np.zeros((self.customers, self.arms))
        result[np.arange(self.customers), self.choose(budget, at_least)] = 1.0
        steps = self.steps
        if budget is not None and count < len(steps) and steps.slope[count] >= at_least:
            left = budget - (self.spend[count - 1] if count else 0.0)
            share = min(1.0, left / steps.cost[count])
            result[steps.customer[count], steps.origin[count]] -= share
            result[steps.customer[count], steps.arm[count]] += share
        return result

    def slope_at(self, budget: float) -> float:
        """The slope of the last step that a budget pays for; infinite if it pays for none.

        Money beyond the budget brings no more than this, and `choose(at_least=slope_at(budget))` is
        `choose(budget)` but for steps of equal slope: so customers not seen here are chosen.

        Args:
            budget: As in `taken`.

        Raises:
            ValueError: The budget is negative or no number.
        """
        count = self.taken(budget)
        return float(self.steps.slope[count - 1]) if count else np.inf


def _descending(slopes: Array) -> np.ndarray:
    """The order of slopes, greatest first, equal ones as they come."""
    order = np.argsort(-slopes)  # a stable sort takes half as long again
    ordered = np.take(slopes, order)
    again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    if len(again):
        inside = np.zeros(len(order), dtype=bool)
        inside[again] = inside[again - 1] = True
        tied = np.flatnonzero(inside)
        order[tied] = order[tied][np.lexsort((order[tied], -ordered[tied]))]
    return order
