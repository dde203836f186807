"""Adjusted intervals: a covariate that tells much or little, in arms alike in size or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import exp
from typing import Final

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.stats.moments import Array
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import SimulatedUnits
from upliftlab.validation.scenario import CONTROL, CUSTOMERS, HOUSEHOLDS, OUTCOME, TREATED

SPLITS: Final = {"50/50": (2_000, 2_000), "90/10": (3_600, 400), "95/5": (3_800, 200)}
SHARES: Final = {"skewed": 0.1, "binary": 0.2}
"""How many buy."""
STRENGTHS: Final = {
    ("skewed", "strong"): 0.84,
    ("skewed", "weak"): 0.36,
    ("binary", "strong"): 0.7,
    ("binary", "weak"): 0.2,
}
"""Such that outcome and covariate correlate by about .7 and .2."""
RISE: Final = 0.2
"""With interaction, by how much those who bought before spend more."""
_CENTRE: Final = 3.0
"""Of amounts' logarithms, whose standard deviation is 1."""
_ACTIVE: Final = 0.5
"""The share of households in which anybody buys, now or before."""


@dataclass(frozen=True, slots=True)
class RepeatBuyers:
    """Units of whom some bought before, and some do after.

    Attributes:
        shape: What counts of those who buy: a lognormal amount (`skewed`), or that they did.
        strength: Share of those who buy as they did before, and correlation of the logarithms of
            amounts.
        interacts: Whether treatment moves the covariate's slope: only those who bought before buy
            a fifth more, or more often. Otherwise there is no effect.
        units: Treated and control.
        households: Whether a unit is a household, whose customers' values are added up.
        confidence: Level of the intervals.
    """

    shape: str
    strength: float
    interacts: bool
    units: tuple[int, int]
    households: bool = False
    confidence: float = 0.95

    @property
    def spec(self) -> EstimationSpec:
        """What is compared, as an analysis would have it from a plan."""
        return EstimationSpec(
            metrics=(OUTCOME,),
            columns=(OUTCOME, "before", CUSTOMERS)[: 3 if self.households else 2],
            ratios={},
            control=CONTROL,
            treatments=(TREATED,),
            channels={},
            roles=None,
            terms={},
            hurdle=0.0,
            confidence=self.confidence,
            size=2 if self.households else None,
            covariates=(1,),
        )

    @property
    def truth(self) -> float:
        """The effect per customer: of those who bought before, what they are moved by."""
        if not self.interacts:
            return 0.0
        share = SHARES[self.shape]
        again = self.strength + (1 - self.strength) * share
        if self.shape == "binary":
            return share * (1 - again) * RISE
        return share * again * exp(_CENTRE + 0.5) * RISE

    def arm(self, rng: np.random.Generator, *, treated: bool) -> SimulatedUnits:
        """An arm's units."""
        n = self.units[0 if treated else 1]
        if not self.households:
            active = np.ones(n, dtype=bool)
            return SimulatedUnits.each(self._customers(rng, active, treated=treated))
        sizes = rng.choice(list(HOUSEHOLDS.sizes), n, p=list(HOUSEHOLDS.sizes.values()))
        active = np.repeat(rng.random(n) < _ACTIVE, sizes)
        values = self._customers(rng, active, treated=treated)
        totals = np.add.reduceat(values, np.cumsum(sizes) - sizes)
        return SimulatedUnits.each(np.column_stack([totals, sizes]))

    def _customers(self, rng: np.random.Generator, active: np.ndarray, *, treated: bool) -> Array:
        """Outcome and covariate of customers, of whom only the active buy; shape (n, 2)."""
        n, share = len(active), SHARES[self.shape] / (_ACTIVE if self.households else 1.0)
        bought = active & (rng.random(n) < share)
        again = rng.random(n) < self.strength
        buys = np.where(again, bought, active & (rng.random(n) < share))
        moved = bought & treated & self.interacts
        if self.shape == "binary":
            bought_more = buys | (moved & (rng.random(n) < RISE))
            return np.column_stack([bought_more, bought]).astype(np.float64)
        size = rng.normal(size=(2, n))
        size[1] = self.strength * size[0] + (1 - self.strength**2) ** 0.5 * size[1]
        before, after = np.exp(_CENTRE + size)
        return np.column_stack([buys * after * np.where(moved, 1 + RISE, 1.0), bought * before])


def trial(rng: np.random.Generator, world: RepeatBuyers) -> Replication:
    """Draw an experiment and analyse it: adjusted, by the number to go by, and as it is."""
    arms = {TREATED: world.arm(rng, treated=True), CONTROL: world.arm(rng, treated=False)}
    (contrast,) = analysed(rng, world.spec, arms)
    effects = {
        "adjusted": contrast.adjusted_difference(OUTCOME),
        "headline": contrast.headline(OUTCOME),
        "difference": contrast.difference(OUTCOME),
    }
    true = world.truth
    measured = (Measurement(name, each, true, true == 0) for name, each in effects.items())
    return Replication(tuple(measured), contrast.calibrated)


def cells() -> Iterator[NamedScenario]:
    """Every split, outcome and strength; an interaction at 90/10, and households."""
    asked = [
        (split, "customers", shape, strength, False)
        for split, shape, strength in product(SPLITS, SHARES, ("strong", "weak"))
    ]
    asked += [("90/10", "customers", *key, True) for key in STRENGTHS]
    asked.append(("90/10", "households", "skewed", "strong", False))
    for split, unit, shape, strength, interacts in asked:
        name = {
            "study": "adjusted",
            "split": split,
            "outcome": shape,
            "unit": unit,
            "covariate": strength,
            "interaction": "interaction" if interacts else "none",
        }
        world = RepeatBuyers(
            shape,
            STRENGTHS[shape, strength],
            interacts,
            SPLITS[split],
            unit == "households",
        )
        yield NamedScenario(name, world, trial)
