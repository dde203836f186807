"""The trial: a scenario drawn once and analysed, as the product does and by Welch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, zero_or_one
from upliftlab.analysis.contrasts import Contrast, InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.rows import UnitRows, skewed
from upliftlab.stats.effects import Effect
from upliftlab.validation.sample import SimulatedUnits, sample
from upliftlab.validation.scenario import CONTROL, OUTCOME, TREATED, Scenario, Truth


@dataclass(frozen=True, slots=True)
class Replication:
    """What was found beside what is true.

    Attributes:
        truth: What should have been found.
        product: Difference, profit and ROI as an analysis gives them; without money the first.
        welch: The same with Student's critical values throughout.
        calibrated: Whether units were divided anew.
    """

    truth: Truth
    product: tuple[Effect, ...]
    welch: tuple[Effect, ...]
    calibrated: bool


def trial(rng: np.random.Generator, scenario: Scenario) -> Replication:
    """Draw an experiment and analyse it.

    Args:
        rng: The source of chance; the divisions of the units have one of their own.
        scenario: What is true.
    """
    study = scenario.study
    drawn = {
        TREATED: sample(rng, scenario, treated=True),
        CONTROL: sample(rng, scenario, treated=False),
    }
    cube = {OVERALL: {arm: units.moments for arm, units in drawn.items()}}
    flags = zip(study.columns, zero_or_one(cube[OVERALL].values()), strict=True)
    shares = frozenset(name for name, flag in flags if flag)
    rows = _rows(drawn) if skewed(study, cube[OVERALL], study.treatments) else None
    reading = InferenceSettings(str(rng.integers(2**63)), rows, shares)
    (subject,) = contrasts_of(study, study.projected(cube), reading)
    plain = replace(subject, reading=InferenceSettings(), draws={})
    customers = [_customers(units, study) for units in drawn.values()]
    return Replication(
        scenario.truth((customers[0], customers[1])),
        tuple(_effects(subject)),
        tuple(_effects(plain)),
        bool(subject.draws),
    )


def _rows(drawn: dict[str, SimulatedUnits]) -> UnitRows:
    values = np.concatenate([units.values for units in drawn.values()])
    lengths = [len(units.counts) for units in drawn.values()]
    return UnitRows(
        values,
        np.arange(len(values)),
        np.repeat(np.array(list(drawn)), lengths),
        {},
        np.concatenate([units.counts for units in drawn.values()]),
    )


def _customers(units: SimulatedUnits, study: EstimationSpec) -> float:
    """Customers in all."""
    size = 1.0 if study.size is None else units.values[:, study.size]
    return float((units.counts * size).sum())


def _effects(subject: Contrast) -> Iterator[Effect]:
    yield subject.difference(OUTCOME)
    if subject.study.roles is not None:
        question = subject.question()
        yield question.incremental_profit()
        yield question.roi()
