"""Where an experiment stands: by its plan, what is on the record, and the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from upliftlab.config.models.experiment import Plan
from upliftlab.ledger.ledger import Ledger
from upliftlab.ledger.record_store import Generation

State = Literal["planned", "locked", "assigned", "running", "due"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an experiment stands.

    Attributes:
        state: How far it has come; `due` where all outcomes are known by the calendar, or where
            only the data tell.
        starts: The first customer's day; None where nothing but the data tells.
        closes: The first day on which every outcome window has closed.
        changed: Whether the file differs from the plan on the record.
    """

    state: State
    starts: date | None = None
    closes: date | None = None
    changed: bool = False


def standing(plan: Plan, ledger: Ledger, now: datetime) -> Standing:
    """Where an experiment stands at a moment.

    Args:
        plan: The resolved experiment, as its file says it now.
        ledger: Where its records would lie.
        now: The moment, with its time zone.

    Raises:
        LedgerError: UL459, UL460, UL466: the records cannot be trusted or read.
    """
    name, elsewhere = plan.experiment.experiment, plan.experiment.assignment.observed is not None
    entry = None if elsewhere else ledger.plan_in_force(name)
    generations = () if entry is None else ledger.generations(name)
    starts = _starts(plan, generations)
    closes = max(starts) + _whole_days(plan.longest_window) if starts else None
    today = now.astimezone(ZoneInfo(plan.program.time_zone)).date()
    return Standing(
        _by_the_day(starts, closes, today)
        if elsewhere or generations
        else ("planned" if entry is None else "locked"),
        min(starts, default=None),
        closes,
        changed=entry is not None and entry.plan_sha256 != plan.sha256,
    )


def _starts(plan: Plan, generations: Sequence[Generation]) -> list[date]:
    """The days on which customers start: those on the record, else those that are planned."""
    recorded = [
        part.start
        for generation in generations
        for part in generation.manifest.parts
        if part.arm is not None and part.start is not None
    ]
    return recorded or [wave.start for wave in plan.experiment.waves]


def _whole_days(window: timedelta | None) -> timedelta:
    """A window as the days after whose end it has closed: a part of a day counts as one."""
    return -(-(window or timedelta(0)) // _DAY) * _DAY


def _by_the_day(starts: Sequence[date], closes: date | None, today: date) -> State:
    if closes is None or today >= closes:
        return "due"
    return "running" if today >= min(starts) else "assigned"
