"""The customers as they were earlier: who would have been eligible a window ago.

A campaign of 28 days for those who have not bought for 90 is for people who bought nothing in the
last 28 days, by choice. What such people do is seen on those who had not bought for 90 days 28 days
ago. Columns that events tell again are told as of then; all others are as the table holds them.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from upliftlab.analysis.population import CUSTOMERS
from upliftlab.config.expressions import parse
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.planning.event_columns import EventColumn, EventsBeside, event_columns, table_day
from upliftlab.planning.stamps import Stamps, declared_stamps, same_stamps
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.results.analysis import Message, Scalar
from upliftlab.text.language import N_
from upliftlab.util.sql import quote

EARLIER: Final = "customers_earlier"
"""What the customers as they were are kept as."""
_WAYS: Final = {
    "days": N_(
        "'{column}' is the days since the last of {events} (for {alike:percent} of customers), and "
        "was told anew as of {days:count} days earlier."
    ),
    "day": N_(
        "'{column}' is the day of the last of {events} (for {alike:percent} of customers), and was "
        "told anew as of {days:count} days earlier."
    ),
    "number": N_(
        "'{column}' is the number of {events} (for {alike:percent} of customers), and was told "
        "anew as of {days:count} days earlier."
    ),
    "total": N_(
        "'{column}' is the total of {of} over {events} (for {alike:percent} of customers), and was "
        "told anew as of {days:count} days earlier."
    ),
}


@dataclass(frozen=True, slots=True)
class EarlierCustomers:
    """The customers as of an earlier day, kept as `EARLIER`.

    Attributes:
        eligible: Whether one of them, as `c`, would have taken part then, as SQL.
        lag: How long before the day that their table is of.
        told: The columns that were told anew.
        kept: The columns of `eligible` that are as the table holds them today.
    """

    eligible: str
    lag: timedelta
    told: tuple[EventColumn, ...]
    kept: tuple[str, ...]

    def notes(self) -> Iterator[Message]:
        """What was told anew, and what was not."""
        for column in self.told:
            yield _told(column, self.lag)
        if self.kept:
            text = N_(
                "Taken as of today: {names}. Nothing tells what these columns were {days:count} "
                "days earlier: customers in whom they changed since are on the wrong side."
            )
            yield Message(
                template=text, values={"names": ", ".join(self.kept), "days": self.lag.days}
            )


def earlier_customers(plan: Plan, engine: Engine, lag: timedelta) -> EarlierCustomers | None:
    """Roll the columns of `eligible` back; None where events tell none of them.

    Args:
        plan: What is measured; the customers' table is attached.
        engine: Where the tables lie.
        lag: How far back.

    Raises:
        DataError: UL2xx, a table is not what the plan says it is.
    """
    text, columns = plan.experiment.eligible, engine.columns(CUSTOMERS)
    if text is None or plan.customers.id not in columns:
        return None
    names = sorted(parse(text).columns & set(columns))
    stamps = _stamps(plan, names, engine)
    found = () if stamps is None else event_columns(plan, names, stamps, engine)
    if stamps is None or not found:
        return None
    engine.keep(EARLIER, _rolled(stamps, found, lag, engine))
    table = customers_table(EARLIER, plan.customers, engine)
    told = tuple(column for column, _ in found)
    known = {column.name for column in told}
    return EarlierCustomers(
        eligible=f"({sound_condition('eligible', text, table, engine, 'c')})",
        lag=lag,
        told=told,
        kept=tuple(name for name in names if name not in known),
    )


def _stamps(plan: Plan, names: list[str], engine: Engine) -> Stamps | None:
    """The day of the customers' table, as declared or as its columns tell it."""
    declared = declared_stamps(plan, engine)
    if declared is not None:
        return declared
    day = table_day(plan, names, engine)
    return None if day is None else same_stamps(plan, day, engine)


def _rolled(
    stamps: Stamps,
    found: tuple[tuple[EventColumn, EventsBeside], ...],
    lag: timedelta,
    engine: Engine,
) -> str:
    """The customers' table with some columns as they were."""
    relation, new = stamps.relation, dict[str, str]()
    for at, (column, beside) in enumerate(found):
        before = column.earlier(lag)
        told = beside.value(before, f"e{at}.t0", lag)
        relation += beside.joined([before.tally], f"e{at}")
        new[column.name] = f"COALESCE({told}, {column.rest})"
    listed = (
        f"{new.get(name, f'c.{quote(name)}')} AS {quote(name)}"
        for name in engine.columns(CUSTOMERS)
    )
    return f"SELECT {', '.join(listed)} FROM {relation}"


def _told(column: EventColumn, lag: timedelta) -> Message:
    """How a column was told anew."""
    tally = column.tally
    conditions = [tally.where] if tally.where is not None else []
    if tally.window.low is not None and tally.window.high is not None:
        conditions.append(f"{(tally.window.high - tally.window.low).days} d")
    events = f"{tally.source} ({', '.join(conditions)})" if conditions else tally.source
    values: dict[str, Scalar] = {"column": column.name, "events": events}
    values |= {"alike": column.alike, "days": lag.days}
    if column.way == "total":
        values["of"] = tally.column
    return Message(template=_WAYS[column.way], values=values)
