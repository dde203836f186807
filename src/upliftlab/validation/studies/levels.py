"""Levels of a segment: intervals of a few dozen to a thousand units, of whom one in twenty buys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.money import ArmTerms
from upliftlab.results.costs import CostStep
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import analysed, told
from upliftlab.validation.sample import SimulatedUnits, sample
from upliftlab.validation.scenario import (
    CONTROL,
    CUSTOMERS_ALONE,
    HOUSEHOLDS,
    TREATED,
    Crowd,
    Scenario,
)

SIZES: Final = (30, 60, 100, 200, 500, 1_000)
"""Units of both groups of a level together."""
SPLITS: Final = {"50/50": 0.5, "90/10": 0.9}
SEGMENT: Final = "segment"
LEVELS: Final = ("a", "b", "c", "d")
BUYERS: Final = Outcome("lognormal", 0.05, 60.0, 1.0)
LIFT: Final = 0.5
MARGIN: Final = 0.4
COST: Final = 0.3
"""A quarter of the margin that customers bring anyway."""


@dataclass(frozen=True, slots=True)
class EqualLevels:
    """Levels of one size, with the same truth in each.

    Attributes:
        level: What is true in a level.
    """

    level: Scenario

    @property
    def units(self) -> tuple[int, int]:
        """Of all levels."""
        treated, control = self.level.units
        return treated * len(LEVELS), control * len(LEVELS)

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return self.level.confidence


def trial(rng: np.random.Generator, world: EqualLevels) -> Replication:
    """Draw an experiment of several levels and analyse it: each level's difference and profit."""
    spec = replace(world.level.spec, segments=(SEGMENT,))
    levels = {
        arm: {name: sample(rng, world.level, treated=arm == TREATED) for name in LEVELS}
        for arm in (TREATED, CONTROL)
    }
    arms = {arm: SimulatedUnits.side_by_side(SEGMENT, parts) for arm, parts in levels.items()}
    found: list[Measurement] = []
    dealt = False
    for contrast in analysed(rng, spec, arms):
        if contrast.place == OVERALL:
            continue
        here = [levels[arm][contrast.place.level or ""] for arm in (TREATED, CONTROL)]
        truth = world.level.truth((here[0].customers(spec), here[1].customers(spec)))
        found += [each for each in told(contrast, truth) if each.measure != "roi"]
        dealt |= contrast.calibrated
    return Replication(tuple(found), dealt)


def cells() -> Iterator[NamedScenario]:
    """Every size of both splits; and households, of one size."""
    for split, size in product(SPLITS, SIZES):
        yield _cell(split, size, "customers", CUSTOMERS_ALONE)
    yield _cell("90/10", 500, "households", HOUSEHOLDS)


def _cell(split: str, size: int, unit: str, crowd: Crowd) -> NamedScenario:
    treated = round(size * SPLITS[split])
    terms = (ArmTerms(MARGIN, {CostStep.contact_cost: COST}), ArmTerms(MARGIN))
    level = Scenario(BUYERS, crowd, (treated, size - treated), LIFT, terms)
    name = {"study": "levels", "split": split, "unit": unit, "size": str(size)}
    return NamedScenario(name, EqualLevels(level), trial)
