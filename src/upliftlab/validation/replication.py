"""The trial: a scenario drawn once and analysed, as the product does and by Welch alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.analysis.aggregates import OVERALL
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
    spec = scenario.spec
    drawn = {
        TREATED: sample(rng, scenario, treated=True),
        CONTROL: sample(rng, scenario, treated=False),
    }
    aggregates = {OVERALL: {arm: units.moments for arm, units in drawn.items()}}
    shares = frozenset(name for i, name in enumerate(spec.columns) if _is_share(drawn, i))
    rows = _rows(drawn) if skewed(spec, aggregates[OVERALL], spec.treatments) else None
    reading = InferenceSettings(str(rng.integers(2**63)), rows, shares=shares)
    (contrast,) = contrasts_of(spec, spec.projected(aggregates), reading)
    plain = replace(contrast, reading=InferenceSettings(), draws={})
    customers = [_customers(units, spec) for units in drawn.values()]
    return Replication(
        scenario.truth((customers[0], customers[1])),
        tuple(_effects(contrast)),
        tuple(_effects(plain)),
        bool(contrast.draws),
    )


def _is_share(drawn: dict[str, SimulatedUnits], column: int) -> bool:
    """Whether a column holds nothing but 0 and 1, and some 1."""
    values = np.concatenate([units.values[:, column] for units in drawn.values()])
    return bool(np.isin(values, (0, 1)).all() and values.any())


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


def _customers(units: SimulatedUnits, spec: EstimationSpec) -> float:
    """Customers in all."""
    size = 1.0 if spec.size is None else units.values[:, spec.size]
    return float((units.counts * size).sum())


def _effects(contrast: Contrast) -> Iterator[Effect]:
    yield contrast.difference(OUTCOME)
    if contrast.spec.roles is not None:
        question = contrast.question()
        yield question.incremental_profit()
        yield question.roi()
