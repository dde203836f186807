"""The arm that a verdict names: of several that are alike it is the luckiest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

import numpy as np
from scipy.special import ndtri

from upliftlab.analysis.contrasts import Contrast
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.analysis.findings import find
from upliftlab.analysis.heterogeneity import compare
from upliftlab.analysis.verdict import VerdictInputs, decide
from upliftlab.config.models.experiment import ExperimentFile, Plan
from upliftlab.config.models.metrics import Metric
from upliftlab.config.models.sources import Source
from upliftlab.results.analysis import ArmVerdict, MetricInfo, Verdict, VerdictCode
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication, of_event
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import sample
from upliftlab.validation.scenario import CONTROL, CUSTOMERS_ALONE, OUTCOME, Scenario

ARMS: Final = ("a", "b", "c", "d")
UNITS: Final = 1_000
"""Of each arm, and of the control."""
OUTCOMES: Final = {
    "normal": Outcome("normal", 1.0, 50.0, 20.0),
    "binary": Outcome("binary", 0.2, 1.0),
}
POWERS: Final = {"none": None, "20%": 0.2, "70%": 0.7}
"""How often one arm by itself would be found to differ; None without an effect."""


@dataclass(frozen=True, slots=True)
class AlikeArms:
    """Several arms with the same effect, against one control.

    Attributes:
        arm: What is true of each.
    """

    arm: Scenario

    @property
    def units(self) -> tuple[int, int]:
        """Of all arms, and of the control."""
        treated, control = self.arm.units
        return treated * len(ARMS), control

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return self.arm.confidence


def trial(rng: np.random.Generator, world: AlikeArms) -> Replication:
    """Draw an experiment and let it be judged.

    All arms' intervals in a verdict hold at once, and so that of the arm it names, in as many
    experiments as their confidence says, or in more. By itself, an arm's interval has its own.
    """
    plan = _plan()
    arms = {name: sample(rng, world.arm, treated=True) for name in ARMS}
    arms[CONTROL] = sample(rng, world.arm, treated=False)
    contrasts = analysed(rng, estimation_spec(plan), {n: u.first(1) for n, u in arms.items()})
    verdict = _verdict(plan, contrasts)
    true = world.arm.truth(world.arm.units).difference
    best = next(each for each in verdict.arms if each.arm == verdict.arm)
    alpha = 1 - world.confidence
    missed = [_missed(each, true) for each in verdict.arms]
    measured = [
        of_event("any arm missed", it=any(missed), at_most=alpha),
        of_event("named arm missed", it=_missed(best, true), at_most=alpha),
        of_event("named arm above", it=best.low is not None and best.low > true, at_most=alpha / 2),
    ]
    if true == 0:
        shipped = verdict.code is VerdictCode.ship
        measured.append(of_event("SHIP", it=shipped, at_most=alpha))
    alone = (each.difference(OUTCOME) for each in contrasts)
    measured += [Measurement("each arm alone", effect, true, true == 0) for effect in alone]
    return Replication(tuple(measured), any(contrast.calibrated for contrast in contrasts))


def _missed(arm: ArmVerdict, true: float) -> bool:
    """Whether what the verdict says of an arm leaves its truth out."""
    below = arm.high is not None and arm.high < true
    return below or (arm.low is not None and arm.low > true)


def _verdict(plan: Plan, contrasts: tuple[Contrast, ...]) -> Verdict:
    """What an analysis would say of these."""
    spec = estimation_spec(plan)
    info = MetricInfo(name=OUTCOME, title=OUTCOME, unit="number", better="higher", role="primary")
    tests = compare(spec, OUTCOME, contrasts).tests
    findings = find(plan, spec, contrasts)
    return decide(VerdictInputs(plan, spec, contrasts, (), findings, (info,), tests=tests))


@cache
def _plan() -> Plan:
    """A plan of these arms that is decided by the outcome itself."""
    asked = ExperimentFile.model_validate(
        {
            "schema": 1,
            "experiment": "best-arm",
            "customers": {"file": "customers.csv"},
            "assignment": {"observed": "arm"},
            "arms": {CONTROL: {"control": "true"}, **{name: {} for name in ARMS}},
            "metrics": {"primary": OUTCOME},
        }
    )
    assert isinstance(asked.customers, Source)  # noqa: S101 - a file was given
    return Plan(
        experiment=asked,
        customers=asked.customers,
        currency=None,
        arms=asked.arms,
        channels={},
        metrics={OUTCOME: Metric(column=OUTCOME, better="higher")},
        segments={},
        sources={},
    )


def cells() -> Iterator[NamedScenario]:
    """Every power of every outcome."""
    for outcome, power in product(OUTCOMES, POWERS):
        drawn = OUTCOMES[outcome]
        effect = _effect_of(POWERS[power], drawn)
        arm = Scenario(drawn, CUSTOMERS_ALONE, (UNITS, UNITS), effect / drawn.mean)
        name = {"study": "best_arm", "outcome": outcome, "arms": str(len(ARMS)), "power": power}
        yield NamedScenario(name, AlikeArms(arm), trial)


def _effect_of(power: float | None, outcome: Outcome) -> float:
    """The difference that is found so often: (z₀.₉₇₅ + z_power) standard errors of it."""
    if power is None:
        return 0.0
    variance = outcome.spread**2 or outcome.buys * (1 - outcome.buys)
    return float((ndtri(0.975) + ndtri(power)) * (2 * variance / UNITS) ** 0.5)
