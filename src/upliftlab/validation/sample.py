"""The sample: the units of one arm by kind, drawn from a scenario.

Only buyers are drawn one by one: units of one size that buy nothing are one kind with its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.special import bdtr

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.stats.moments import Array, Moments
from upliftlab.validation.scenario import Scenario


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedUnits:
    """Units of an arm by kind.

    Attributes:
        values: Outcome, redemptions and customers of a unit (the last of households only), shape
            (kinds, p).
        counts: How many units of each kind there are, shape (kinds,).
        levels: The level of each kind, by segment; mostly none.
    """

    values: Array
    counts: Array
    levels: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])

    @classmethod
    def each(cls, values: Array, levels: Mapping[str, np.ndarray] | None = None) -> SimulatedUnits:
        """Units one by one, shape (units, p)."""
        return cls(np.asarray(values, dtype=np.float64), np.ones(len(values)), levels or {})

    @classmethod
    def side_by_side(cls, segment: str, parts: Mapping[str, SimulatedUnits]) -> SimulatedUnits:
        """Levels of a segment as one arm.

        Args:
            segment: Its name.
            parts: The units of each level.
        """
        lengths = [len(part.counts) for part in parts.values()]
        return cls(
            np.concatenate([part.values for part in parts.values()]),
            np.concatenate([part.counts for part in parts.values()]),
            {segment: np.repeat(np.array(list(parts), dtype=object), lengths)},
        )

    def within(self, segment: str, level: str) -> SimulatedUnits:
        """Those of one level."""
        inside = self.levels[segment] == level
        return SimulatedUnits(self.values[inside], self.counts[inside])

    def first(self, columns: int) -> SimulatedUnits:
        """The same units with so many of their columns."""
        return SimulatedUnits(self.values[:, :columns], self.counts, self.levels)

    def customers(self, spec: EstimationSpec) -> float:
        """Customers in all."""
        size = 1.0 if spec.size is None else self.values[:, spec.size]
        return float((self.counts * size).sum())

    @property
    def moments(self) -> Moments:
        """Their moments over all columns."""
        n = self.counts.sum()
        mean = self.counts @ self.values / n
        centred = self.values - mean
        weighted = centred * self.counts[:, None]
        third = np.einsum("kp,kp,kp->p", weighted, centred, centred)
        return Moments(int(n), mean, weighted.T @ centred, third)


def sample(rng: np.random.Generator, scenario: Scenario, *, treated: bool) -> SimulatedUnits:
    """Draw one arm.

    Customers of a unit buy alike because only some units, `interested` of them, buy at all: with
    the correlation c between two customers who buy with probability p each, these are
    1/(1 + c(1 − p)/p) of the units.
    """
    outcome, crowd = scenario.outcome, scenario.crowd
    factor = 1 + scenario.lift if treated else 1.0
    interested = 1 / (1 + crowd.alike * (1 - outcome.buys) / outcome.buys)
    each = outcome.buys / interested * (factor if outcome.buys < 1 else 1.0)
    sizes = np.array(list(crowd.sizes))
    n = scenario.units[0 if treated else 1]
    there = rng.multinomial(n, list(crowd.sizes.values()))
    active = rng.binomial(there, interested * (1 - (1 - each) ** sizes))
    bought = np.concatenate(
        [_buyers(rng, int(size), each, int(k)) for size, k in zip(sizes, active, strict=True)]
    )
    totals = outcome.totals(rng, bought, crowd.alike) * (factor if outcome.buys == 1 else 1.0)
    redeems = scenario.redeems if treated else 0.0
    redeemed = rng.binomial(bought, redeems) if redeems else np.zeros(len(bought))
    quiet = np.zeros_like(sizes)
    columns = [(totals, quiet), (redeemed, quiet), (np.repeat(sizes, active), sizes)]
    values = np.stack(
        [np.concatenate(parts) for parts in columns[: 3 if crowd.households else 2]],
        axis=1,
        dtype=np.float64,
    )
    counts = np.concatenate([np.ones(len(bought)), there - active], dtype=np.float64)
    return SimulatedUnits(values[counts > 0], counts[counts > 0])


def _buyers(rng: np.random.Generator, size: int, each: float, units: int) -> np.ndarray:
    """How many of a unit's customers buy, in units of one size where at least one does."""
    if size == 1:
        return np.ones(units, dtype=np.int64)
    upto = bdtr(np.arange(size + 1), size, each)
    return rng.choice(np.arange(1, size + 1), units, p=np.diff(upto) / (1 - upto[0]))
