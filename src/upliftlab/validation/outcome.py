"""The outcome: what a customer does without the campaign, as a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np

from upliftlab.stats.moments import Array, Moments

Shape = Literal["binary", "normal", "lognormal"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Nothing, or with the probability `buys` an amount.

    Attributes:
        shape: How amounts are distributed; binary ones are 1.
        buys: Probability that a customer has an amount at all.
        amount: Its mean, in the outcome's unit.
        spread: The standard deviation of normal amounts, or that of a lognormal one's logarithm.
    """

    shape: Shape
    buys: float
    amount: float
    spread: float = 0.0

    @property
    def mean(self) -> float:
        """Per customer."""
        return self.buys * self.amount

    def totals(self, rng: np.random.Generator, bought: np.ndarray, alike: float) -> Array:
        """What units spend in all, shape (units,).

        Args:
            rng: The source of chance.
            bought: How many customers of each unit buy, at least one; shape (units,).
            alike: Correlation of normal amounts within a unit.
        """
        if self.shape == "binary":
            return bought * self.amount
        if self.shape == "normal":
            spread = self.spread * np.sqrt(bought * (1 + (bought - 1) * alike))
            return np.asarray(rng.normal(bought * self.amount, spread))
        centre = log(self.amount) - self.spread**2 / 2
        amounts = rng.lognormal(centre, self.spread, int(bought.sum()))
        return np.add.reduceat(amounts, np.cumsum(bought) - bought) if len(bought) else amounts


def outcome_of(unit: Moments, column: int, *, share: bool) -> Outcome:
    """The outcome whose first three moments are those of a column, as far as there is one.

    A share is binary. Of an amount a that buyers spend, p of all, lognormal with w = exp σ², the
    raw moments are pa, pa²w, pa³w³; so w = m₁m₃/m₂², a = m₂/(m₁w), p = m₁/a. Where these are no
    probability and no spread (nobody is without an amount, or the third moment is not known), it is
    a normal one of the same mean and variance.

    Args:
        unit: Moments of untreated customers.
        column: Which of their columns.
        share: Whether it holds nothing but 0 and 1.
    """
    first, variance = float(unit.mean[column]), float(unit.covariance[column, column])
    if share:
        return Outcome("binary", first, 1.0)
    second = variance + first**2
    third = float(unit.m3[column]) / unit.n + 3 * first * variance + first**3
    if first > 0 and third > 0:
        growth = first * third / second**2
        amount = second / (first * growth)
        if growth > 1 and first <= amount:
            return Outcome("lognormal", first / amount, amount, log(growth) ** 0.5)
    return Outcome("normal", 1.0, first, variance**0.5)
