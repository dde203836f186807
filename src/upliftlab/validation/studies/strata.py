"""Strata: arms compared within those of a blocked assignment, or within times of other shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import Strata, analysed
from upliftlab.validation.sample import SimulatedUnits, sample
from upliftlab.validation.scenario import CONTROL, CUSTOMERS_ALONE, OUTCOME, TREATED, Scenario

OUTCOMES: Final = {
    "sigma 1": Outcome("lognormal", 0.05, 60.0, 1.0),
    "sigma 1.5": Outcome("lognormal", 0.02, 60.0, 1.5),
}
"""By the spread of amounts' logarithms."""
EFFECTS: Final = {"none": 0.0, "+50 %": 0.5}


@dataclass(frozen=True, slots=True)
class Stratum:
    """What strata differ in.

    Attributes:
        units: Treated and control.
        amount: The mean amount as a multiple of the outcome's.
    """

    units: tuple[int, int]
    amount: float


DESIGNS: Final = {
    "blocked 90/10": (
        Strata.blocked,
        {
            "a": Stratum((18_000, 2_000), 0.25),
            "b": Stratum((13_500, 1_500), 1.0),
            "c": Stratum((9_000, 1_000), 2.0),
            "d": Stratum((4_500, 500), 4.0),
        },
    ),
    "90/10 then 50/50": (
        Strata.times,
        {"1": Stratum((9_000, 1_000), 1.0), "2": Stratum((2_500, 2_500), 2.0)},
    ),
    "50/50 then 95/5": (
        Strata.times,
        {"1": Stratum((5_000, 5_000), 1.0), "2": Stratum((9_500, 500), 2.0)},
    ),
}


@dataclass(frozen=True, slots=True)
class StratifiedUnits:
    """Units of strata that differ in amounts.

    Attributes:
        strata: What they are.
        parts: What is true in each, by its name.
    """

    strata: Strata
    parts: Mapping[str, Scenario]

    @property
    def units(self) -> tuple[int, int]:
        """Of all strata."""
        treated, control = zip(*(part.units for part in self.parts.values()), strict=True)
        return sum(treated), sum(control)

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return self.spec.confidence

    @property
    def spec(self) -> EstimationSpec:
        """What is compared."""
        return next(iter(self.parts.values())).spec

    @property
    def truth(self) -> float:
        """The mean of the strata's effects, by their units."""
        effects = [part.outcome.mean * part.lift for part in self.parts.values()]
        return float(np.average(effects, weights=[sum(part.units) for part in self.parts.values()]))


def trial(rng: np.random.Generator, world: StratifiedUnits) -> Replication:
    """Draw an experiment and analyse it: the difference."""
    arms = {
        arm: SimulatedUnits.side_by_side(
            world.strata.value,
            {name: sample(rng, part, treated=arm == TREATED) for name, part in world.parts.items()},
        )
        for arm in (TREATED, CONTROL)
    }
    (contrast,) = analysed(rng, world.spec, arms)
    found = contrast.difference(OUTCOME)
    measured = Measurement("difference", found, world.truth, world.truth == 0)
    return Replication((measured,), bool(contrast.draws))


def cells() -> Iterator[NamedScenario]:
    """Every design with both outcomes; the blocked one also with an effect."""
    for design, outcome, effect in product(DESIGNS, OUTCOMES, EFFECTS):
        if effect == "none" or DESIGNS[design][0] is Strata.blocked:
            yield _cell(design, outcome, effect)


def _cell(design: str, outcome: str, effect: str) -> NamedScenario:
    drawn, (strata, found) = OUTCOMES[outcome], DESIGNS[design]
    parts = {
        name: Scenario(
            replace(drawn, amount=drawn.amount * stratum.amount),
            CUSTOMERS_ALONE,
            stratum.units,
            EFFECTS[effect],
        )
        for name, stratum in found.items()
    }
    title = {"study": "strata", "within": design, "outcome": outcome, "effect": effect}
    return NamedScenario(title, StratifiedUnits(strata, parts), trial)
