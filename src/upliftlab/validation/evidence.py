"""The evidence: what a proof measured, as plain frozen values.

The JSON they serialise to is documented in docs/validation.md and versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Final, Literal

from pydantic import Field

from upliftlab.results.analysis import Result
from upliftlab.validation.counts import (
    ABOVE,
    BELOW,
    BOUNDED,
    MEASURES,
    METHODS,
    REJECTED,
    TESTED,
    ReplicationCounts,
)
from upliftlab.validation.grid import NamedScenario

SCHEMA: Literal[1] = 1
WITHIN: Final = 0.015
"""Coverage may differ from the confidence by so much: 93.5–96.5 % of 95 %."""
TAIL: Final = 0.01
"""A tail may exceed half of what confidence leaves by so much: 3.5 % of 95 %."""
DOUBT: Final = 2.0
"""Monte Carlo standard errors by which a figure must be outside before a promise is broken."""


class MeasuredCoverage(Result):
    """One kind of number by one method, in one cell; shares of replications."""

    measure: Literal["difference", "profit", "roi"]
    method: Literal["product", "welch"]
    coverage: float | None
    """Intervals that hold the truth; None where none had two ends."""
    below: float | None
    """Intervals wholly below the truth."""
    above: float | None
    """Intervals wholly above the truth."""
    unbounded: float
    """Intervals without two ends; they are left out of the three shares above."""
    rejected: float | None
    """Tests with p < 1 − confidence."""
    null: bool
    """Whether what is tested is true: `rejected` is then the type-I error, else power."""
    error: float | None
    """Monte Carlo standard error of `coverage`, were it as promised."""
    holds: bool | None
    """Whether coverage and tails are as promised; None where nothing was measured."""


class ScenarioResult(Result):
    """What one cell came to."""

    name: dict[str, str]
    treated: int
    control: int
    confidence: float
    replications: int
    calibrated: float
    """Replications in which units were divided anew."""
    measured: tuple[MeasuredCoverage, ...]

    @property
    def holds(self) -> bool:
        """Whether the product keeps what is promised here."""
        return all(each.holds is not False for each in self.measured if each.method == "product")


class SimulationResult(Result):
    """Everything that a proof measured."""

    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    version: str
    experiment: str | None
    """The experiment whose shape was proved; None for the grid."""
    seed: int
    replications: int
    cells: tuple[ScenarioResult, ...]
    holds: bool
    notes: tuple[str, ...] = ()


def evidence_of(cell: NamedScenario, tally: ReplicationCounts) -> ScenarioResult:
    """What a cell's trials came to."""
    scenario = cell.scenario
    return ScenarioResult(
        name=cell.name,
        treated=scenario.units[0],
        control=scenario.units[1],
        confidence=scenario.confidence,
        replications=tally.replications,
        calibrated=tally.calibrated / tally.replications,
        measured=tuple(_measured(cell, tally)),
    )


def _measured(cell: NamedScenario, tally: ReplicationCounts) -> Iterator[MeasuredCoverage]:
    scenario = cell.scenario
    size = scenario.crowd.size
    truth = scenario.truth((scenario.units[0] * size, scenario.units[1] * size))
    null = {
        "difference": truth.difference == 0,
        "profit": truth.profit == 0,
        "roi": truth.roi == scenario.hurdle,
    }
    for method, kind in enumerate(METHODS):
        for measure, name in enumerate(MEASURES if scenario.terms else MEASURES[:1]):
            counts = [int(count) for count in tally.counts[method, measure]]
            shares = _shares(counts, scenario.confidence)
            yield MeasuredCoverage.model_validate(
                {
                    "measure": name,
                    "method": kind,
                    "unbounded": 1 - counts[BOUNDED] / tally.replications,
                    "rejected": counts[REJECTED] / counts[TESTED] if counts[TESTED] else None,
                    "null": null[name],
                    **shares,
                }
            )


def _shares(counts: list[int], confidence: float) -> dict[str, float | bool | None]:
    """Coverage, tails, their Monte Carlo error, and whether they are as promised."""
    n = counts[BOUNDED]
    if not n:
        return dict.fromkeys(("coverage", "below", "above", "error", "holds"))
    below, above = counts[BELOW] / n, counts[ABOVE] / n
    coverage = 1 - below - above
    tail = (1 - confidence) / 2
    error, tail_error = (sqrt(share * (1 - share) / n) for share in (confidence, tail))
    within = abs(coverage - confidence) <= WITHIN + DOUBT * error
    tails = max(below, above) <= tail + TAIL + DOUBT * tail_error
    return {
        "coverage": coverage,
        "below": below,
        "above": above,
        "error": error,
        "holds": within and tails,
    }
