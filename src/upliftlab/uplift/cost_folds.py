"""Cost curves of cross-fitted predictions: one per fold, each with its part of the budget.

Predictions of a fold come from a model that has not seen it, and each fold has a model of its own,
whose slopes are not those of another's. So every fold is a list of customers by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.cost_curve import CostCurve
from upliftlab.uplift.sample import CONTROL


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Who is moved from which arm to which as the budget grows; steps of all folds.

    Attributes:
        budgets: Budgets per customer, ascending, shape (points,).
        row: Who moves, shape (steps,).
        origin: The arm moved from, shape (steps,).
        arm: The arm moved to, shape (steps,).
        point: The number of the first budget that pays for the step; the number of budgets where
            none does; shape (steps,).
    """

    budgets: Array
    row: np.ndarray
    origin: np.ndarray
    arm: np.ndarray
    point: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class CostFolds:
    """A cost curve per fold.

    Attributes:
        rows: The rows of each fold.
        curves: The curve of each fold.
    """

    rows: tuple[np.ndarray, ...]
    curves: tuple[CostCurve, ...]

    @classmethod
    def fit(cls, costs: Array, rewards: Array, fold: np.ndarray) -> Self:
        """The curves of predictions out of fold.

        Args:
            costs: Predicted cost of each treatment beyond the control's, shape (n, arms − 1).
            rewards: Predicted reward beyond the control's, shape (n, arms − 1).
            fold: Which fold each row is in, shape (n,).

        Raises:
            ValueError: Shapes differ, or a number is not finite.
        """
        rows = tuple(np.flatnonzero(fold == each) for each in np.unique(fold))
        curves = tuple(CostCurve.fit(costs[mine], rewards[mine]) for mine in rows)
        return cls(rows, curves)

    @property
    def customers(self) -> int:
        """Customers of all folds."""
        return sum(curve.customers for curve in self.curves)

    def choose(self, budget: float | None = None, at_least: float = 0.0) -> np.ndarray:
        """The arm of each customer, shape (n,), int64; see `CostCurve.choose`.

        Args:
            budget: Predicted cost of all customers at most, divided among folds by their size.
            at_least: Slope that a step must have.

        Raises:
            ValueError: The budget is negative or no number.
        """
        chosen = np.full(self.customers, CONTROL, dtype=np.int64)
        for rows, curve in zip(self.rows, self.curves, strict=True):
            part = None if budget is None else budget * len(rows) / self.customers
            chosen[rows] = curve.choose(part, at_least)
        return chosen

    def most(self) -> float:
        """The least budget per customer that pays for every step of every fold; 0 if all are free.

        >>> CostFolds.fit(np.ones((4, 1)), np.ones((4, 1)), np.array([0, 0, 1, 1])).most()
        1.0
        """
        spent = [0.0]
        for curve in self.curves:
            spent += [float(curve.spend[-1]) / curve.customers] if len(curve.steps) else []
        return max(spent)

    def moves(self, budgets: Array) -> Moves:
        """The steps by the budget that first pays for them.

        Args:
            budgets: Budgets per customer, ascending, shape (points,).
        """
        parts = list[tuple[np.ndarray, ...]]()
        for rows, curve in zip(self.rows, self.curves, strict=True):
            counts = [curve.taken(budget * curve.customers) for budget in budgets.tolist()]
            point = np.searchsorted(counts, np.arange(len(curve.steps)), side="right")
            steps = curve.steps
            parts.append((rows[steps.customer], steps.origin, steps.arm, point))
        return Moves(budgets, *(np.concatenate(each) for each in zip(*parts, strict=True)))
