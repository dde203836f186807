"""What lists promised beside what their holdouts told, over all campaigns of the program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upliftlab.results.analysis import Analysis
from upliftlab.results.portfolio import PromiseInfo
from upliftlab.results.promises import KeptArm
from upliftlab.results.uplift import Estimate
from upliftlab.stats.sums import Ends, sharing_control, summed


def promises(analyses: Sequence[Analysis]) -> tuple[PromiseInfo, ...]:
    """Every promise that what came can be held against, in the order of the campaigns."""
    return tuple(
        PromiseInfo(
            experiment=analysis.experiment,
            arm=arm.arm,
            made_from=kept.experiment,
            day=kept.day,
            policy=kept.policy,
            forced=kept.forced,
            customers=arm.customers,
            promised=Estimate(estimate=arm.promised, low=arm.promised_low, high=arm.promised_high),
            realised=Estimate(estimate=arm.realised, low=arm.realised_low, high=arm.realised_high),
        )
        for analysis in analyses
        if (kept := analysis.promise) is not None
        for arm in _compared(analysis)
    )


def calibration(analyses: Sequence[Analysis]) -> Estimate | None:
    """What came of each unit of profit that lists promised; None where they promised none.

    A promise is what was said, so that only what came is uncertain: the interval is that of the sum
    of what came, by what was promised in all.
    """
    lists = [arms for each in analyses if (arms := tuple(_compared(each)))]
    promised = sum(arm.promised for arms in lists for arm in arms)
    if promised <= 0:
        return None
    estimate, *ends = summed([_came(arms) for arms in lists])
    low, high = (None if end is None else end / promised for end in ends)
    return Estimate(estimate=estimate / promised, low=low, high=high)


def _compared(analysis: Analysis) -> Iterator[KeptArm]:
    if analysis.promise is not None:
        yield from (arm for arm in analysis.promise.arms if arm.realised is not None)


def _came(arms: Sequence[KeptArm]) -> Ends:
    """What all arms of one campaign brought, which share its control."""
    found = [Ends(arm.realised or 0.0, arm.realised_low, arm.realised_high) for arm in arms]
    return summed(found, sharing_control([arm.customers for arm in arms], arms[0].held_out))
