"""From counts of replications to what a simulation study measured."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Final

from upliftlab.results.validation import MeasuredCoverage, ScenarioResult, WithheldShare
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.counts import NO_REASON, MeasureCounts, ReplicationCounts

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
        measured=tuple(_measured(tally, scenario.confidence)),
    )


def _measured(tally: ReplicationCounts, confidence: float) -> Iterator[MeasuredCoverage]:
    for (method, measure), counts in tally.counts.items():
        shares = _shares(counts, tally.replications, confidence)
        yield MeasuredCoverage(
            measure=measure,
            method=method,
            unbounded=1 - counts.bounded / counts.asked,
            rejected=counts.rejected / counts.tested if counts.tested else None,
            null=counts.null == counts.asked,
            one_sided=(counts.bounded - counts.both) / counts.asked,
            withheld=tuple(
                WithheldShare(reason=why, share=n / counts.asked)
                for why, n in sorted(counts.withheld.items())
            ),
            at_most=counts.at_most,
            coverage=shares["coverage"],
            below=shares["below"],
            above=shares["above"],
            error=shares["error" if counts.at_most is None else "tested_error"],
            holds=_holds(counts, shares, confidence),
        )


def _shares(counts: MeasureCounts, replications: int, confidence: float) -> dict[str, float | None]:
    """Coverage, tails, and their Monte Carlo errors.

    Several intervals of one experiment tell no more than one for certain, so that errors are those
    of as many intervals as there are experiments at most.
    """
    tail = (1 - confidence) / 2
    below = counts.below / counts.upper if counts.upper else None
    above = counts.above / counts.lower if counts.lower else None
    coverage = None if below is None or above is None else 1 - below - above
    least = min(counts.upper, counts.lower, replications)
    return {
        "coverage": coverage,
        "below": below,
        "above": above,
        "error": None if coverage is None else _error(confidence, least),
        "below_error": _error(tail, min(counts.upper, replications)),
        "above_error": _error(tail, min(counts.lower, replications)),
        "tested_error": _error(counts.at_most or 0.0, min(counts.tested, replications)),
    }


def _error(share: float, n: int) -> float | None:
    """Standard error of a share of n."""
    return sqrt(share * (1 - share) / n) if n else None


def _holds(
    counts: MeasureCounts, shares: dict[str, float | None], confidence: float
) -> bool | None:
    """Whether all that was measured is as promised; None where nothing was.

    An end that is not given cannot err, so that intervals with one end may hold the truth more
    often: by the half of what confidence leaves, in their share of all that were given.
    """
    if counts.withheld[NO_REASON]:
        return False
    half, coverage = (1 - confidence) / 2, shares["coverage"]
    tail = half + TAIL
    kept = [
        _at_most(share, tail, shares[f"{name}_error"])
        for name in ("below", "above")
        if (share := shares[name]) is not None
    ]
    if coverage is not None:
        more = half * (counts.bounded - counts.both) / counts.bounded
        kept.append(_at_most(confidence - coverage, WITHIN, shares["error"]))
        kept.append(_at_most(coverage - confidence, WITHIN + more, shares["error"]))
    if counts.at_most is not None and counts.tested:
        share = counts.rejected / counts.tested
        kept.append(_at_most(share, counts.at_most, shares["tested_error"]))
    return all(kept) if kept else None


def _at_most(share: float, promised: float, error: float | None) -> bool:
    return share <= promised + DOUBT * (error or 0.0)
