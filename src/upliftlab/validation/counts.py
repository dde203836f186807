"""The tally: how often intervals held the truth, and how often a test spoke."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from upliftlab.stats.effects import Effect
from upliftlab.validation.replication import Replication
from upliftlab.validation.scenario import Truth

METHODS = ("product", "welch")
MEASURES = ("difference", "profit", "roi")
BOUNDED, BELOW, ABOVE, TESTED, REJECTED = range(5)
"""Intervals with an end at all; those wholly below, wholly above the truth; p-values; p < α."""
Counts = np.ndarray
"""Shape (methods, measures, 5)."""


@dataclass(frozen=True, slots=True, eq=False)
class ReplicationCounts:
    """What many trials of one scenario came to; tallies add.

    Attributes:
        replications: Trials.
        calibrated: Those in which units were divided anew.
        counts: Intervals and tests by method and measure.
    """

    replications: int
    calibrated: int
    counts: Counts

    def __add__(self, other: ReplicationCounts) -> ReplicationCounts:
        return ReplicationCounts(
            self.replications + other.replications,
            self.calibrated + other.calibrated,
            self.counts + other.counts,
        )


def tally(trials: Iterable[Replication], alpha: float) -> ReplicationCounts:
    """Count trials.

    Args:
        trials: Of one scenario.
        alpha: The level of a test.
    """
    counts = np.zeros((len(METHODS), len(MEASURES), 5), dtype=np.int64)
    replications = calibrated = 0
    for trial in trials:
        replications += 1
        calibrated += trial.calibrated
        for method, effects in enumerate((trial.product, trial.welch)):
            for measure, (effect, true) in enumerate(
                zip(effects, _truths(trial.truth), strict=False)
            ):
                counts[method, measure] += _seen(effect, true, alpha)
    return ReplicationCounts(replications, calibrated, counts)


def _truths(truth: Truth) -> tuple[float | None, ...]:
    return truth.difference, truth.profit, truth.roi


def _seen(effect: Effect, true: float | None, alpha: float) -> tuple[bool, ...]:
    tested = effect.p is not None
    rejected = effect.p is not None and effect.p < alpha
    low, high = effect.low, effect.high
    if true is None or (low is None and high is None):
        return False, False, False, tested, rejected
    below, above = high is not None and high < true, low is not None and low > true
    return True, below, above, tested, rejected
