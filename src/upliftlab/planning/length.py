"""Length: how long an experiment takes, from the first contact to the last outcome."""

from __future__ import annotations

import math
from datetime import timedelta

from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.plan import Length
from upliftlab.text.language import N_

_DAY = timedelta(days=1)


def length(
    plan: Plan, per_week: int | None, customers: int | None, needed: int | None
) -> Length | None:
    """How long it takes, None where it is not known how many customers it takes.

    Args:
        plan: Its waves and outcome windows.
        per_week: Customers who arrive in a week; None where all are there.
        customers: Customers in all arms together, where it is known how many there are.
        needed: Customers for the wanted power: those who must arrive, where they do.
    """
    wanted = customers if per_week is None else needed
    if wanted is None:
        return None
    weeks = None if per_week is None else math.ceil(wanted / per_week)
    days = [wave.start for wave in plan.experiment.waves]
    spread = (max(days) - min(days)).days if days else 0
    window = None if plan.longest_window is None else plan.longest_window / _DAY
    whole = None if window is None else math.ceil(max(7 * (weeks or 0), spread) + window)
    return Length(
        described=_described(wanted, weeks, whole),
        customers=wanted,
        weeks=weeks,
        spread_days=spread,
        window_days=window,
        total_days=whole,
    )


def _described(customers: int, weeks: int | None, days: int | None) -> Message:
    arrive: dict[str, Scalar] = {"customers": customers, "weeks": weeks}
    if days is None and weeks is None:
        text = N_("How long it takes is not known: nothing says how long outcomes count.")
        return Message(template=text)
    if days is None:
        text = N_(
            "{customers:count} customers arrive in {weeks:count} weeks; nothing says how long "
            "outcomes count after that."
        )
        return Message(template=text, values=arrive)
    if weeks is None:
        text = N_("Outcomes are complete {days:count} days after the first customer is contacted.")
        return Message(template=text, values={"days": days})
    text = N_(
        "{customers:count} customers arrive in {weeks:count} weeks; outcomes are complete "
        "{days:count} days after the first is contacted."
    )
    return Message(template=text, values={**arrive, "days": days})
