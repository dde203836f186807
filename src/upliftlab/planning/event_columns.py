"""Columns of the customers' table that events tell again, and so can tell of an earlier day.

Nothing is guessed: a column is taken for the days since the last purchase where it is just that,
for practically every customer, on the day that the table is of.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Literal

from upliftlab.analysis.event_tables import attach_events, refuse_unreadable, without_repeats
from upliftlab.analysis.population import CUSTOMERS
from upliftlab.assignment.contact_policy_sql import day_literal
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.metric_kinds import COUNT, LAST_TIME, SUM
from upliftlab.engines.base import Engine
from upliftlab.planning.stamps import Stamps, same_stamps
from upliftlab.queries.clock import converted, later
from upliftlab.queries.events import EventTable, events_sql
from upliftlab.queries.tallies import EventAggregate, Window
from upliftlab.queries.units import unit_columns

ALIKE: Final = 0.99
"""Of so many customers a column must be what events tell, to be taken for it."""
_FEWEST: Final = 3
"""Columns of fewer different values say too little of how they came about."""
_CLOSE: Final = 0.005
"""Totals are alike where they differ by less: amounts are rounded."""
_DAY: Final = timedelta(days=1)
_OVER: Final = (None, *(timedelta(days=days) for days in (365, 180, 90, 30, 28)))
"""How long before the day of the table events are commonly counted."""

_EPOCH: Final = date(1970, 1, 1)
_OLDEST: Final = 30 * 366 * _DAY
"""Times further back are read on the clock of that time."""

Way = Literal["days", "day", "number", "total"]


@dataclass(frozen=True, slots=True)
class EventColumn:
    """A column of the customers' table, and how events tell it.

    Attributes:
        name: The column.
        way: The days since the last event, its day, the number of events, or their total.
        tally: Of which events, counted up to the day that the table is of.
        rest: SQL of what customers have of whom there are no such events.
        alike: The share of customers of whom the column is what events tell.
    """

    name: str
    way: Way
    tally: EventAggregate
    rest: str = "NULL"
    alike: float = 1.0

    def earlier(self, lag: timedelta) -> EventColumn:
        """The same as of a day before."""
        window = self.tally.window
        low = None if window.low is None else window.low - lag
        high = None if window.high is None else window.high - lag
        moved = replace(window, low=low, high=high)
        return replace(self, tally=replace(self.tally, window=moved))


@dataclass(frozen=True, slots=True)
class EventsBeside:
    """A table of events beside the customers `c`, each of whom has a day.

    Attributes:
        events: The table, with each event once.
        stamps: The customers' days.
    """

    events: EventTable
    stamps: Stamps

    def joined(self, tallies: Sequence[EventAggregate], alias: str) -> str:
        """What events tell, as a join to the customers."""
        told = events_sql(self.events, self.stamps.starts, tallies)
        own = self.stamps.starts.customer(self.stamps.id, self.events)
        return f" LEFT JOIN ({told}) AS {alias} ON {alias}.id = {own}"

    def value(self, column: EventColumn, told: str, lag: timedelta = timedelta(0)) -> str:
        """What events tell of a column, as SQL; NULL without any such event.

        Args:
            column: How they tell it.
            told: SQL of its tally.
            lag: How long before the day of the table.
        """
        if column.way in ("number", "total"):
            return f"NULLIF(CAST({told} AS DOUBLE), 0)"
        span = self.stamps.starts.wide.widened(-_OLDEST, _DAY)
        day = f"CAST({converted(told, self.events.clock, self.stamps.zone, span)} AS DATE)"
        if column.way == "day":
            return day
        return f"CAST(DATE_DIFF('day', {day}, CAST({later('s.as_of', -lag)} AS DATE)) AS DOUBLE)"


def table_day(plan: Plan, names: Sequence[str], engine: Engine) -> date | None:
    """The day that most rows of the customers' table are of, if a column holds days since events.

    The last event and the days since then tell it. None where fewer than half of those who have
    both agree.

    Args:
        plan: What is measured, and so which tables of events are looked at.
        names: Columns that may hold them.
        engine: Where the tables lie.
    """
    kinds = engine.columns(CUSTOMERS)
    numbers = [name for name in names if kinds[name] == "number"]
    stamps, most, found = same_stamps(plan, _EPOCH, engine), 0, None
    for source, used in unit_columns(plan).tallies.items() if numbers else ():
        beside = _attached(plan, source, used, stamps, engine)
        for where in dict.fromkeys((None, *(tally.where for tally in used))):
            last = EventAggregate(source, LAST_TIME, Window(None, None), None, where)
            day = beside.value(EventColumn("", "day", last), "e.t0")
            joined = f"{stamps.relation}{beside.joined([last], 'e')}"
            for name in numbers:
                count = f"DATE_DIFF('day', {day_literal(_EPOCH)}, {day})"
                sums = f"{count} + {stamps.value(name, engine)}"
                query = (
                    f"SELECT d, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS whole FROM"
                    f" (SELECT {sums} AS d FROM {joined}) AS days WHERE d IS NOT NULL"
                    " GROUP BY d ORDER BY n DESC, d LIMIT 1"
                )
                for row in engine.query(query).to_pylist():
                    if row["n"] > max(most, int(row["whole"]) / 2) and row["d"] == int(row["d"]):
                        most, found = row["n"], _EPOCH + timedelta(days=int(row["d"]))
    return found


def event_columns(
    plan: Plan, names: Sequence[str], stamps: Stamps, engine: Engine
) -> tuple[tuple[EventColumn, EventsBeside], ...]:
    """Those of some columns of the attached customers' table that events tell, each with these.

    Args:
        plan: What is measured, and so which tables of events are looked at.
        names: Columns.
        stamps: The day that each customer's attributes are of.
        engine: Where the tables lie.

    Raises:
        DataError: UL2xx, a table is not what the plan says it is.
    """
    kinds = engine.columns(CUSTOMERS)
    asked = [name for name in names if kinds[name] in ("number", "date", "time")]
    best: dict[str, tuple[EventColumn, EventsBeside]] = {}
    for source, used in unit_columns(plan).tallies.items() if asked else ():
        beside = _attached(plan, source, used, stamps, engine)
        columns = [one for name in asked for one in _candidates(name, kinds[name], source, used)]
        for found in _held(columns, beside, engine):
            if found.name not in best or found.alike > best[found.name][0].alike:
                best[found.name] = (found, beside)
    return tuple(best[name] for name in asked if name in best)


def _attached(
    plan: Plan, name: str, used: Sequence[EventAggregate], stamps: Stamps, engine: Engine
) -> EventsBeside:
    """A table of events, examined for what metrics look at."""
    given = refuse_unreadable(attach_events(plan, name, used, engine), used, engine)
    whole = [replace(tally, window=Window(None, None)) for tally in used]
    events, _ = without_repeats(given, stamps.starts, whole, engine)
    return EventsBeside(events, stamps)


def _candidates(
    name: str, kind: str, source: str, used: Sequence[EventAggregate]
) -> Iterator[EventColumn]:
    """What a column might be; of equally good ones the first is meant."""
    conditions = dict.fromkeys((None, *(tally.where for tally in used)))
    summed = dict.fromkeys(t.column for t in used if t.column is not None and t.how.numeric)
    for where in conditions:
        for end in (_DAY, timedelta(0)):  # up to the end of the day, or to its beginning
            last = EventAggregate(source, LAST_TIME, Window(None, end, "as_of"), None, where)
            yield EventColumn(name, "days" if kind == "number" else "day", last)
            for over in _OVER if kind == "number" else ():
                window = Window(None if over is None else end - over, end, "as_of")
                yield EventColumn(
                    name, "number", EventAggregate(source, COUNT, window, None, where)
                )
                for column in summed:
                    total = EventAggregate(source, SUM, window, column, where)
                    yield EventColumn(name, "total", total)


def _held(
    columns: Sequence[EventColumn], beside: EventsBeside, engine: Engine
) -> Iterator[EventColumn]:
    """The candidates that are what the customers' table holds, with the share of whom."""
    tallies = tuple(dict.fromkeys(column.tally for column in columns))
    facts = ["COUNT(*) AS n"]
    for at, column in enumerate(columns):
        told = beside.value(column, f"e.t{tallies.index(column.tally)}")
        facts += _facts(f"{at}", told, beside.stamps.value(column.name, engine), column.way)
    relation = f"{beside.stamps.relation}{beside.joined(tallies, 'e')}"
    row = engine.query(f"SELECT {', '.join(facts)} FROM {relation}").to_pylist()[0]
    for at, column in enumerate(columns):
        rest, more = _rest(row, f"{at}")
        alike = (int(row[f"a{at}"] or 0) + more) / max(int(row["n"]), 1)
        if alike >= ALIKE and int(row[f"k{at}"]) >= _FEWEST:
            yield replace(column, rest=rest, alike=alike)


def _facts(at: str, told: str, held: str, way: Way) -> Iterator[str]:
    """How often a column is what events tell, and what stands there without any."""
    same = f"ABS({told} - {held}) < {_CLOSE}" if way in ("days", "number", "total") else ""
    same = same or f"{told} = {held}"
    yield f"COUNT(CASE WHEN {same} THEN 1 END) AS a{at}"
    yield f"COUNT(DISTINCT CASE WHEN {same} THEN {held} END) AS k{at}"
    yield f"COUNT(CASE WHEN {told} IS NULL AND {held} IS NULL THEN 1 END) AS z{at}"
    yield f"COUNT(CASE WHEN {told} IS NULL THEN {held} END) AS r{at}"
    if way == "day":
        yield f"NULL AS l{at}"
        yield f"NULL AS h{at}"
    else:
        yield f"MIN(CASE WHEN {told} IS NULL THEN {held} END) AS l{at}"
        yield f"MAX(CASE WHEN {told} IS NULL THEN {held} END) AS h{at}"


def _rest(row: Mapping[str, Any], at: str) -> tuple[str, int]:
    """What customers without such events have, and how many of them do."""
    empty, filled, low = int(row[f"z{at}"]), int(row[f"r{at}"]), row[f"l{at}"]
    if low is not None and low == row[f"h{at}"] and filled > empty:
        return repr(float(low)), filled
    return "NULL", empty
