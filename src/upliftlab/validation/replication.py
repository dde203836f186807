"""The trial: units drawn once and analysed, as the product does and by Welch alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import Enum

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Slice
from upliftlab.analysis.contrasts import Contrast, InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.rows import Codes, UnitRows
from upliftlab.stats.level import InterimLook
from upliftlab.stats.moments import Moments
from upliftlab.stats.strata import stratified
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Method, Replication
from upliftlab.validation.sample import SimulatedUnits, sample
from upliftlab.validation.scenario import CONTROL, OUTCOME, TREATED, Scenario, Truth

DrawnArms = Mapping[str, SimulatedUnits]


class Strata(Enum):
    """Within what arms are compared as a whole: where units have levels of its name."""

    blocked = "stratum"
    times = "time"


def analysed(
    rng: np.random.Generator,
    spec: EstimationSpec,
    arms: DrawnArms,
    look: InterimLook | None = None,
    *,
    deals: bool = True,
) -> tuple[Contrast, ...]:
    """Every treated arm against the control, in every place, as an analysis compares them.

    Args:
        rng: The source of chance.
        spec: What is compared.
        arms: The units of each arm, over the spec's columns.
        look: Which of several looks this is.
        deals: Whether units are divided anew where a difference is skewed; tests of levels do
            without.
    """
    strata = next((each for each in Strata if each.value in next(iter(arms.values())).levels), None)
    aggregates = _aggregates(spec, arms)
    rows = _rows(arms, strata) if deals else None
    shares = frozenset(name for i, name in enumerate(spec.columns) if _is_share(arms, i))
    rng.integers(2**63)  # as when divisions took their seed here: experiments are those published
    reading = InferenceSettings(rows, shares=shares, look=look)
    if strata is not None:
        aggregates = {**aggregates, OVERALL: _stratified(arms, strata)}
        times = strata is Strata.times
        reading = replace(reading, regimes=times, stratified=not times)
    return contrasts_of(spec, spec.projected(aggregates), reading)


def named(name: dict[str, str], scenario: Scenario) -> NamedScenario:
    """A cell of one treated arm and a control."""
    return NamedScenario(name, scenario, trial)


def trial(rng: np.random.Generator, scenario: Scenario) -> Replication:
    """Draw an experiment and analyse it.

    Args:
        rng: The source of chance; the divisions of the units have their own.
        scenario: What is true.
    """
    spec = scenario.spec
    drawn = {
        TREATED: sample(rng, scenario, treated=True),
        CONTROL: sample(rng, scenario, treated=False),
    }
    (contrast,) = analysed(rng, spec, drawn)
    plain = replace(contrast, reading=InferenceSettings(), draws={}, skewness={})
    truth = scenario.truth((drawn[TREATED].customers(spec), drawn[CONTROL].customers(spec)))
    found = (*told(contrast, truth), *told(plain, truth, "welch"))
    return Replication(found, contrast.calibrated)


def told(contrast: Contrast, truth: Truth, method: Method = "product") -> Iterator[Measurement]:
    """Difference, and with money profit and ROI, beside what is true.

    Args:
        contrast: The treated arm against the control.
        truth: What should be found.
        method: How the contrast was made.
    """
    true, spec = truth.difference, contrast.spec
    yield Measurement("difference", contrast.difference(OUTCOME), true, true == 0, method)
    if spec.roles is None:
        return
    question = contrast.question()
    profit, roi = question.incremental_profit(), question.roi()
    yield Measurement("profit", profit, truth.profit, truth.profit == 0, method)
    yield Measurement("roi", roi, truth.roi, truth.roi == spec.hurdle, method)


def _aggregates(spec: EstimationSpec, arms: DrawnArms) -> Mapping[Slice, Mapping[str, Moments]]:
    """Moments overall and in every level of the spec's segments."""
    found = {OVERALL: {arm: units.moments for arm, units in arms.items()}}
    for segment in spec.segments:
        for level in np.unique(_levels(arms, segment)):
            inside = {arm: units.within(segment, level) for arm, units in arms.items()}
            found[Slice(segment, str(level))] = {
                arm: units.moments for arm, units in inside.items() if len(units.counts)
            }
    return found


def _stratified(arms: DrawnArms, strata: Strata) -> Mapping[str, Moments]:
    """Moments of arms within strata."""
    parts = [
        {arm: units.within(strata.value, name).moments for arm, units in arms.items()}
        for name in _codes(_levels(arms, strata.value)).names
    ]
    found = stratified(parts, tuple(arms))
    assert found is not None  # noqa: S101 - arms are drawn large enough
    return found


def _is_share(arms: DrawnArms, column: int) -> bool:
    """Whether a column holds nothing but 0 and 1, and some 1."""
    values = np.concatenate([units.values[:, column] for units in arms.values()])
    return bool(np.isin(values, (0, 1)).all() and values.any())


def _levels(arms: DrawnArms, segment: str) -> np.ndarray:
    return np.concatenate([units.levels[segment] for units in arms.values()])


def _rows(arms: DrawnArms, strata: Strata | None) -> UnitRows:
    drawn = list(arms.values())
    values = np.concatenate([units.values for units in drawn])
    lengths = [len(units.counts) for units in drawn]
    return UnitRows(
        dict(enumerate(values.T)),
        Codes(tuple(arms), np.repeat(np.arange(len(arms)), lengths)),
        {segment: _codes(_levels(arms, segment)) for segment in drawn[0].levels},
        np.concatenate([units.counts for units in drawn]),
        None if strata is None else _codes(_levels(arms, strata.value)),
    )


def _codes(levels: np.ndarray) -> Codes:
    names, code = np.unique(levels, return_inverse=True)
    return Codes(tuple(map(str, names)), code.ravel())
