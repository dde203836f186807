"""Sums by arm and day after the start: what moments of every day so far are made of.

A unit's number up to the end of a day is S. What is wanted by day is the sum over units of S, of
its products with other numbers and of its cubes, and these change only with units that have an
event on that day: with each event from S to S', by S' − S, by S'T' − ST, and so on. So events are
added up one after the other within each customer, and what they change is summed by arm and day:
one statement, in which nobody stands who had no event, and whose result has one row per arm and
day. Numbers that do not change with time, as a column of the customers' table, come in as what the
others are multiplied with.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.queries.events import EventDays, event_days_sql
from upliftlab.queries.numbers import capped_sql
from upliftlab.queries.tallies import EventAggregate
from upliftlab.queries.units import UnitTable
from upliftlab.stats.by_day import DailySums
from upliftlab.stats.moments import Array
from upliftlab.util.sql import literal


@dataclass(frozen=True, slots=True)
class _SoFar(UnitTable):
    """The metrics of a unit table, made of what is counted up to a day.

    Attributes:
        letter: What tallies are called; without one there have been no events.
        order: The tallies by their number.
    """

    letter: str = ""
    order: tuple[EventAggregate, ...] = ()

    def _tally(self, tally: EventAggregate) -> str:
        return f"f.{self.letter}{self.order.index(tally)}" if self.letter else "0"


@dataclass(frozen=True, slots=True)
class DailyQuery:
    """What is asked by day.

    Attributes:
        table: What the unit table is made of.
        units: The unit table itself as it is kept.
        arms: The arms whose sums are asked for.
        columns: The numbers that are asked for, in order.
        same: Those that stay the same from the start on, with their columns of the unit table. All
            others are made of events alone, and change with time.
        centres: What is taken off these: a value near the mean.
        step: How many days are counted together.
        last: The number of the last of these times.
        cut: Of columns that hold another's values up to a limit, that other and the limit.
        within: Whether sums are told apart by the customers' `stratum`.
    """

    table: UnitTable
    units: str
    arms: tuple[str, ...]
    columns: tuple[str, ...]
    same: Mapping[str, str]
    centres: Mapping[str, float]
    step: int
    last: int
    cut: Mapping[str, tuple[str, float | None]] = field(
        default_factory=dict[str, tuple[str, float | None]]
    )
    within: bool = False

    @property
    def moving(self) -> tuple[int, ...]:
        """The numbers that change with time."""
        return tuple(i for i, name in enumerate(self.columns) if name not in self.same)

    @property
    def window(self) -> str:
        """A customer's events in their order."""
        return "PARTITION BY id ORDER BY d"

    @property
    def groups(self) -> tuple[str, ...]:
        """What sums are told apart by, beside the day."""
        return ("arm", "stratum") if self.within else ("arm",)

    @property
    def tallies(self) -> dict[str, tuple[EventAggregate, ...]]:
        """By table of events, what is counted there."""
        moving = (self.columns[i] for i in self.moving)
        own = tuple(self.cut[name][0] if name in self.cut else name for name in moving)
        return replace(self.table.asked, columns=own, segments={}).tallies

    @property
    def order(self) -> tuple[EventAggregate, ...]:
        """All of them, as they are numbered."""
        return tuple(tally for tallies in self.tallies.values() for tally in tallies)

    def values(self, letter: str) -> tuple[str, ...]:
        """The numbers in SQL, of tallies called by a letter; less their centres."""
        held = self.table
        so_far = _SoFar(held.frame, held.asked, held.events, held.starts, letter, self.order)
        return tuple(self._value(name, so_far) for name in self.columns)

    def _value(self, name: str, table: UnitTable) -> str:
        if name in self.same:
            return f"(f.{self.same[name]} - ({self.centres[name]!r}))"
        if name in self.cut:
            own, limit = self.cut[name]
            return capped_sql(table.metric(own), limit)
        return table.metric(name)

    @property
    def kept(self) -> dict[str, str]:
        """What of units is carried along: SQL by alias. Arms go as their numbers."""
        cases = " ".join(f"WHEN {literal(arm)} THEN {at}" for at, arm in enumerate(self.arms))
        stratum = {"stratum": "stratum"} if self.within else {}
        own = {column: column for column in self.same.values()}
        return {"arm": f"CASE arm {cases} END", **stratum, **own}


def start_values_sql(query: DailyQuery) -> str:
    """SQL for the numbers of a unit without events, as `x0` …, those that change with time."""
    values = query.values("")
    return f"SELECT {', '.join(f'{values[i]} AS x{i}' for i in query.moving)}"


def daily_sql(query: DailyQuery) -> str:
    """SQL for one row per arm and day: how many units change, and what that adds to the sums."""
    after, before = query.values("u"), query.values("v")
    each = [f"{sql} AS y{i}" for i, sql in enumerate(after)]
    each += [f"{before[i]} AS z{i}" for i in query.moving]
    keys = ", ".join([*query.groups, "d"])
    inner = f"SELECT {keys}, n, {', '.join(each)} FROM ({_so_far(query)}) AS f"
    changes = dict(_changes(query))
    sums = ["SUM(n) AS n", *(f"SUM({sql}) AS {name}" for name, sql in changes.items())]
    return f"SELECT {keys}, {', '.join(sums)} FROM ({inner}) AS moved GROUP BY {keys}"


def _changes(query: DailyQuery) -> Iterator[tuple[str, str]]:
    """What a unit's day adds to sums, cubes and products."""
    for i in query.moving:
        yield f"a{i}", f"y{i} - z{i}"
        yield f"t{i}", f"y{i} * y{i} * y{i} - z{i} * z{i} * z{i}"
        for j in _paired(query, i):
            moves = j in query.moving
            yield f"b{i}_{j}", f"y{i} * y{j} - z{i} * z{j}" if moves else f"(y{i} - z{i}) * y{j}"


def _paired(query: DailyQuery, i: int) -> Iterator[int]:
    """The numbers whose products with one that changes are asked under its name."""
    for j in range(len(query.columns)):
        if j <= i or j not in query.moving:
            yield j


def _so_far(query: DailyQuery) -> str:
    """Tallies up to each event (u) and before it (v), and whether it is the day's first (n)."""
    again = f"CASE WHEN LAG(d) OVER ({query.window}) = d THEN 0 ELSE 1 END AS n"
    sums = list[str]()
    for k in range(len(query.order)):
        so_far = f"SUM(t{k}) OVER ({query.window} ROWS UNBOUNDED PRECEDING)"
        sums += [f"{so_far} AS u{k}", f"{so_far} - t{k} AS v{k}"]
    return f"SELECT {', '.join([*query.kept, 'd', again, *sums])} FROM ({_events(query)}) AS events"


def _events(query: DailyQuery) -> str:
    """What each event adds to each tally; events of one table add nothing to those of another."""
    table, order = query.table, query.order
    assert table.starts is not None  # noqa: S101 - there are no events without
    starts = replace(table.starts, table=query.units)
    days = EventDays(query.step, query.last, query.kept)
    keys = ["id", "d", *query.kept]
    parts = list[str]()
    for name, tallies in query.tallies.items():
        counted = event_days_sql(table.events[name], starts, tallies, days)
        here = [
            f"t{tallies.index(tally)} AS t{k}" if tally in tallies else f"0 AS t{k}"
            for k, tally in enumerate(order)
        ]
        parts.append(f"SELECT {', '.join([*keys, *here])} FROM ({counted}) AS counted")
    return " UNION ALL ".join(parts)


def read_daily(query: DailyQuery, result: pa.Table) -> dict[tuple[str, str], DailySums]:
    """The sums by arm and stratum; without strata its name is empty."""
    arms: list[Any] = result["arm"].to_pylist()
    strata: list[Any] = result["stratum"].to_pylist() if query.within else [""] * len(arms)
    keys = [(query.arms[int(arm)], str(name)) for arm, name in zip(arms, strata, strict=True)]
    columns = {name: _floats(result, name) for name in ("d", "n", *dict(_changes(query)))}
    days, found = columns["d"].astype(np.int64), dict[tuple[str, str], DailySums]()
    for key in dict.fromkeys(keys):
        rows = np.flatnonzero([each == key for each in keys])
        sums, at = DailySums.zero(query.last + 1, len(query.columns)), days[rows]
        sums.changed[at] = columns["n"][rows]
        for i in query.moving:
            sums.first[at, i] = columns[f"a{i}"][rows]
            sums.third[at, i] = columns[f"t{i}"][rows]
            for j in _paired(query, i):
                sums.second[at, i, j] = sums.second[at, j, i] = columns[f"b{i}_{j}"][rows]
        found[key] = sums
    return found


def _floats(result: pa.Table, name: str) -> Array:
    return np.array([float(value or 0.0) for value in result[name].to_pylist()])


def start_values(query: DailyQuery, result: pa.Table) -> Array:
    """The numbers of a unit without events, shape (columns,); 0 of those that stay the same."""
    row = result.to_pylist()[0]
    return np.array([float(row.get(f"x{i}") or 0.0) for i in range(len(query.columns))])
