"""Whether levels differ: how often the test says so where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from upliftlab.analysis.heterogeneity import compare
from upliftlab.results.analysis import EstimandKind
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Replication, of_test
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import SimulatedUnits, sample
from upliftlab.validation.scenario import CONTROL, CUSTOMERS_ALONE, OUTCOME, TREATED, Scenario

SEGMENT: Final = "segment"
LEVELS: Final = {
    "12×1900/100": (12, (1_900, 100)),
    "30×950/50": (30, (950, 50)),
    "12×450/50": (12, (450, 50)),
}
"""Levels, and units of the treated and of the control in each."""
OUTCOMES: Final = {
    "normal": Outcome("normal", 1.0, 50.0, 20.0),
    "skewed": Outcome("lognormal", 0.05, 60.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class AlikeLevels:
    """Levels without any effect.

    Attributes:
        number: How many there are.
        level: What is true in each.
    """

    number: int
    level: Scenario

    @property
    def units(self) -> tuple[int, int]:
        """Of all levels."""
        treated, control = self.level.units
        return treated * self.number, control * self.number

    @property
    def confidence(self) -> float:
        """One less the level of the test."""
        return self.level.confidence


def trial(rng: np.random.Generator, world: AlikeLevels) -> Replication:
    """Draw an experiment and ask whether its levels differ; levels are compared without draws."""
    spec = replace(world.level.spec, segments=(SEGMENT,))
    arms = {
        arm: SimulatedUnits.side_by_side(
            SEGMENT,
            {
                f"{at:02}": sample(rng, world.level, treated=arm == TREATED)
                for at in range(world.number)
            },
        )
        for arm in (TREATED, CONTROL)
    }
    beside = compare(spec, OUTCOME, analysed(rng, spec, arms, deals=False))
    (test,) = (t for t in beside.tests if t.kind is EstimandKind.difference)
    return Replication((of_test("levels differ", test.p, 1 - world.confidence, test.note),))


def cells() -> Iterator[NamedScenario]:
    """Every number and size of levels, of both outcomes."""
    for outcome, levels in product(OUTCOMES, LEVELS):
        number, units = LEVELS[levels]
        level = Scenario(OUTCOMES[outcome], CUSTOMERS_ALONE, units, 0.0)
        name = {"study": "heterogeneity", "outcome": outcome, "levels": levels}
        yield NamedScenario(name, AlikeLevels(number, level), trial)
