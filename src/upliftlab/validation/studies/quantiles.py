"""Quantiles: medians and upper tails of even, skewed, rounded and mostly absent amounts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from scipy.special import ndtri

from upliftlab.stats.moments import Array
from upliftlab.stats.quantiles import GroupQuantile, quantile_difference, quantile_of, ranks_of
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication

SHARES: Final = {"median": 0.5, "p90": 0.9, "p99": 0.99}
UNITS: Final = {
    "100/100": (100, 100),
    "200/200": (200, 200),
    "900/100": (900, 100),
    "2000/2000": (2_000, 2_000),
    "9000/1000": (9_000, 1_000),
}
LIFT: Final = 0.2
"""By so much every amount of the treated is larger."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What customers spend.

    Attributes:
        centre: The mean amount, of lognormal ones the mean of the logarithm.
        spread: The standard deviation of the same.
        logarithm: Whether amounts are lognormal, or normal.
        without: The share of customers who spend nothing.
        step: Amounts are rounded to multiples of this; 0 where they are not.
    """

    centre: float
    spread: float
    logarithm: bool = True
    without: float = 0.0
    step: float = 0.0

    def quantiles(self, shares: Array, lift: float) -> Array:
        """The amounts below which these shares of customers lie."""
        inside = np.clip((shares - self.without) / (1 - self.without), 1e-300, None)
        normal = self.centre + self.spread * ndtri(inside)
        amounts = (1 + lift) * (np.exp(normal) if self.logarithm else normal)
        if self.step:
            amounts = self.step * np.round(amounts / self.step)
        return np.where(shares <= self.without, 0.0, amounts)


OUTCOMES: Final = {
    "normal": Amounts(50.0, 20.0, logarithm=False),
    "lognormal": Amounts(4.0, 1.0),
    "two fifths buy nothing": Amounts(4.0, 1.0, without=0.4),
    "most buy nothing": Amounts(4.0, 1.0, without=0.95),
    "cents": Amounts(3.0, 1.0, step=0.01),
    "tens": Amounts(4.0, 1.0, step=10.0),
}


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A quantile of both groups.

    Attributes:
        amounts: What is spent without the campaign.
        share: Of customers below the quantile.
        units: Treated and control.
        confidence: Level of the intervals.
    """

    amounts: Amounts
    share: float
    units: tuple[int, int]
    confidence: float = 0.95

    @property
    def truth(self) -> float:
        """The treated quantile less the control's."""
        at = np.array([self.share])
        return float((self.amounts.quantiles(at, LIFT) - self.amounts.quantiles(at, 0.0))[0])

    def group(self, rng: np.random.Generator, n: int, lift: float) -> GroupQuantile | None:
        """Draw a group and look at its ordered amounts."""
        if (ranks := ranks_of(self.share, n, self.confidence)) is None:
            return None
        amounts = np.sort(self.amounts.quantiles(rng.random(n), lift))
        values = amounts[np.array(ranks.whole) - 1]
        first, behind = (np.searchsorted(amounts, values, side) for side in ("left", "right"))
        found = zip(values.tolist(), (behind - first).tolist(), strict=True)
        return quantile_of(ranks, dict(zip(ranks.whole, found, strict=True)))


def trial(rng: np.random.Generator, world: Quantiles) -> Replication:
    """Draw an experiment and compare its quantiles."""
    treated, control = (
        world.group(rng, n, lift) for n, lift in zip(world.units, (LIFT, 0.0), strict=True)
    )
    found = quantile_difference(treated, control, world.confidence)
    return Replication((Measurement("quantile", found, world.truth),))


def cells() -> Iterator[NamedScenario]:
    """Every outcome, quantile and number of units."""
    for outcome, share, units in product(OUTCOMES, SHARES, UNITS):
        name = {"study": "quantiles", "outcome": outcome, "quantile": share, "units": units}
        world = Quantiles(OUTCOMES[outcome], SHARES[share], UNITS[units])
        yield NamedScenario(name, world, trial)
