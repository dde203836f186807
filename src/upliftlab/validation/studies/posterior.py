"""The posterior: truths drawn from a prior, and one truth where nothing was believed before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from upliftlab.money import PROFIT, ArmTerms
from upliftlab.results.base import Note
from upliftlab.results.costs import CostStep
from upliftlab.stats.effects import Effect
from upliftlab.stats.posterior import Normal, posterior
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import sample
from upliftlab.validation.scenario import CONTROL, CUSTOMERS_ALONE, TREATED, Scenario

OUTCOMES: Final = {
    "normal": Outcome("normal", 1.0, 50.0, 20.0),
    "lognormal": Outcome("lognormal", 0.05, 60.0, 1.0),
}
SPLITS: Final = {"50/50": (2_000, 2_000), "90/10": (3_600, 400)}
PRIORS: Final = (None, 0.2, 0.05)
"""The standard deviation of the relative effect that is believed before; None: nothing is."""
MARGIN: Final = 0.4


@dataclass(frozen=True, slots=True)
class BelievedScenario:
    """An experiment whose true effect is drawn from the prior; fixed at 0 where there is none.

    Attributes:
        scenario: What is true, but for the effect.
        spread: Standard deviation of the relative effect.
    """

    scenario: Scenario
    spread: float | None

    @property
    def units(self) -> tuple[int, int]:
        """Treated and control."""
        return self.scenario.units

    @property
    def confidence(self) -> float:
        """How large the middle part is."""
        return self.scenario.confidence


def trial(rng: np.random.Generator, world: BelievedScenario) -> Replication:
    """Draw a truth and an experiment, and see whether the middle part holds the true profit."""
    lift = 0.0 if world.spread is None else max(-1.0, float(rng.normal(0.0, world.spread)))
    scenario = replace(world.scenario, lift=lift)
    drawn = {arm: sample(rng, scenario, treated=arm == TREATED) for arm in (TREATED, CONTROL)}
    (contrast,) = analysed(rng, scenario.spec, drawn)
    truth = scenario.truth((scenario.units[0], scenario.units[1]))
    question = contrast.question()
    prior = None
    if world.spread is not None:
        gain, cost = MARGIN * scenario.outcome.mean, _cost(scenario.outcome)
        prior = Normal(-cost, gain * world.spread).scaled(scenario.units[0])
    found = posterior(question.incremental_profit(), question.level(PROFIT), prior)
    effect = (
        Effect(None, note=found)
        if isinstance(found, Note)
        else Effect(found.mean, found.sd, low=found.low, high=found.high)
    )
    return Replication((Measurement("profit", effect, truth.profit),), contrast.calibrated)


def cells() -> Iterator[NamedScenario]:
    """Every outcome, split and prior."""
    for outcome, drawn in OUTCOMES.items():
        for split, units in SPLITS.items():
            for spread in PRIORS:
                terms = (ArmTerms(MARGIN, {CostStep.contact_cost: _cost(drawn)}), ArmTerms(MARGIN))
                world = BelievedScenario(
                    Scenario(drawn, CUSTOMERS_ALONE, units, 0.0, terms), spread
                )
                prior = "none" if spread is None else f"{spread:.0%}"
                name = {"study": "posterior", "outcome": outcome, "split": split, "prior": prior}
                yield NamedScenario(name, world, trial)


def _cost(outcome: Outcome) -> float:
    """A twentieth of the margin that customers bring anyway."""
    return 0.05 * MARGIN * outcome.mean
