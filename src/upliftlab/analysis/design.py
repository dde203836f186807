"""The design as it came to be, in a handful of numbers: when, for how long, and of how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from upliftlab.analysis.checks.contamination import contacts_meant
from upliftlab.analysis.look import LookSchedule
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import DesignFacts, FlowStep


def design(
    plan: Plan,
    schedule: LookSchedule,
    steps: Sequence[Sequence[FlowStep]],
    reached: Mapping[str, int] | None,
) -> DesignFacts:
    """When customers started, how long outcomes counted, and how many are analysed.

    Args:
        plan: The waves, the windows and the arms.
        schedule: The first and the last start.
        steps: The customers' table and who takes no part, where that is known; and the flow from
            those who were assigned to those who are analysed.
        reached: Units with a contact, by arm; None where nothing tells them.
    """
    enrolled, flow = steps
    first, last = (*enrolled, *flow)[0], flow[-1]
    window, customers = plan.longest_window, plan.households is None
    return DesignFacts(
        waves=len(plan.experiment.waves),
        first_start=_day(schedule.begins),
        last_start=_day(schedule.last),
        window_days=None if window is None else window / timedelta(days=1),
        population=first.total,
        left_out=first.total - last.total,
        analysed=last.total,
        unreached={
            arm: last.arms[arm] - reached.get(arm, 0)
            for arm in plan.treatments
            if contacts_meant(plan, arm) and arm in last.arms
        }
        if customers and reached is not None
        else {},
    )


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else moment.date().isoformat()
