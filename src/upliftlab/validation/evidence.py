"""From counts of replications to what a simulation study measured."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Final

from upliftlab.results.validation import MeasuredCoverage, ScenarioResult
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

WITHIN: Final = 0.015
"""Coverage may differ from the confidence by so much: 93.5–96.5 % of 95 %."""
TAIL: Final = 0.01
"""A tail may exceed half of what confidence leaves by so much: 3.5 % of 95 %."""
DOUBT: Final = 2.0
"""Monte Carlo standard errors by which a figure must be outside before a promise is broken."""


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
