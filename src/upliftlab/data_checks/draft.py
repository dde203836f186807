"""The assignment that `assign` would make now, so that its tables are read as an analysis will."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from upliftlab.analysis.record import Assigned, Record
from upliftlab.assignment.assign import prepare, start_day
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine


def drafted(plan: Plan, engine: Engine, now: datetime) -> Record:
    """Everybody in the arm that they would get, in the form of a record; nothing is written.

    Contacts of other experiments, which only a ledger knows, are not looked at.

    Args:
        plan: The resolved experiment, whose arms are to be assigned.
        engine: Where its tables lie.
        now: The moment of the assignment, with its time zone.

    Raises:
        ConfigError, DataError, EngineError: as `upliftlab.assignment.assign.prepare`.
    """
    start, periods = start_day(plan, now), plan.experiment.shares
    query = prepare(
        plan, engine, start=max(start, periods[0].start) if start and periods else start
    )
    day = now.astimezone(ZoneInfo(plan.program.time_zone)).date()
    return Record(query.columns[0], (Assigned(day, query=query.sql),), locked=day, settled=day)
