"""The tally: how often intervals held the truth, and how often a test spoke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from upliftlab.validation.measurement import Measurement, Method, Replication

NO_REASON = "without a reason"
"""For an interval that is not given and does not say why: that breaks a promise."""
NOTHING_TRUE = "nothing is true of it"
"""For a number that has no true value, such as a return on what costs nothing."""
Named = tuple[Method, str]


@dataclass(frozen=True, slots=True)
class MeasureCounts:
    """Intervals and tests of one measure; they add.

    Attributes:
        asked: Numbers in all.
        lower: Intervals with a lower end.
        upper: Intervals with an upper end.
        both: Intervals with both.
        below: Intervals wholly below the truth.
        above: Intervals wholly above it.
        tested: p-values.
        rejected: Those below α.
        null: Trials in which what is tested was true.
        at_most: The share of rejections that is promised; None where none is.
        withheld: Numbers without any interval, by reason.
    """

    asked: int = 0
    lower: int = 0
    upper: int = 0
    both: int = 0
    below: int = 0
    above: int = 0
    tested: int = 0
    rejected: int = 0
    null: int = 0
    at_most: float | None = None
    withheld: Counter[str] = field(default_factory=Counter[str])

    @property
    def bounded(self) -> int:
        """Intervals with an end at all."""
        return self.lower + self.upper - self.both

    def __add__(self, other: MeasureCounts) -> MeasureCounts:
        return MeasureCounts(
            self.asked + other.asked,
            self.lower + other.lower,
            self.upper + other.upper,
            self.both + other.both,
            self.below + other.below,
            self.above + other.above,
            self.tested + other.tested,
            self.rejected + other.rejected,
            self.null + other.null,
            other.at_most,
            self.withheld + other.withheld,
        )


@dataclass(frozen=True, slots=True)
class ReplicationCounts:
    """What many trials of one scenario came to; tallies add.

    Attributes:
        replications: Trials.
        calibrated: Those in which units were divided anew.
        counts: Intervals and tests by method and measure.
    """

    replications: int
    calibrated: int
    counts: dict[Named, MeasureCounts]

    def __add__(self, other: ReplicationCounts) -> ReplicationCounts:
        names = dict.fromkeys((*self.counts, *other.counts))
        none = MeasureCounts()
        return ReplicationCounts(
            self.replications + other.replications,
            self.calibrated + other.calibrated,
            {n: self.counts.get(n, none) + other.counts.get(n, none) for n in names},
        )


def tally(trials: Iterable[Replication], alpha: float) -> ReplicationCounts:
    """Count trials.

    Args:
        trials: Of one scenario.
        alpha: The level of a test.
    """
    counts: dict[Named, MeasureCounts] = {}
    replications = calibrated = 0
    for trial in trials:
        replications += 1
        calibrated += trial.calibrated
        for each in trial.measured:
            name = each.method, each.measure
            counts[name] = counts.get(name, MeasureCounts()) + _seen(each, alpha)
    return ReplicationCounts(replications, calibrated, counts)


def _seen(each: Measurement, alpha: float) -> MeasureCounts:
    effect, true = each.effect, each.truth
    test = effect.p is not None
    low, high = (None, None) if true is None else (effect.low, effect.high)
    given = test if each.at_most is not None else low is not None or high is not None
    return MeasureCounts(
        asked=1,
        lower=low is not None,
        upper=high is not None,
        both=low is not None and high is not None,
        below=true is not None and high is not None and high < true,
        above=true is not None and low is not None and low > true,
        tested=test,
        rejected=effect.p is not None and effect.p < alpha,
        null=each.null,
        at_most=each.at_most,
        withheld=Counter() if given else Counter({_reason(each): 1}),
    )


def _reason(each: Measurement) -> str:
    """Why a number is not given."""
    if each.effect.note is not None:
        return str(each.effect.note)
    return NOTHING_TRUE if each.truth is None and each.at_most is None else NO_REASON
