"""Sums by arm and day after the start: what moments of every day so far are made of.

A unit's number up to the end of a day is S_d. What is wanted by day is the sum over units of S_d,
of its products with other numbers and of its cubes, and these change only with units that have an
event on that day: by S_d − S_{d−1}, by S_d·T_d − S_{d−1}·T_{d−1}, and so on. So events are grouped
by customer and day, added up from day to day within each customer, and what every day adds is
summed by arm: one statement, in which nobody stands who had no event, and whose result has one row
per arm and day. Numbers that do not change with time, as a column of the customers' table, come in
as what they are multiplied with.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from upliftlab.queries.events import ByDay, events_sql
from upliftlab.queries.numbers import capped_sql
from upliftlab.queries.tallies import EventAggregate
from upliftlab.queries.units import UnitTable
from upliftlab.stats.by_day import DailySums
from upliftlab.stats.moments import Array

_OWN = "a"
"""What columns of customers' tables are called while days are counted: those tables have `c0` …"""


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
        table: The unit table; its customers are kept, with their starts.
        columns: The numbers that are asked for, in order.
        centres: What is taken off those that stay the same, by their name: a value near their mean.
            All others are made of events alone, and change with time.
        step: How many days are counted together.
        last: The number of the last of these times.
        cut: Of columns that hold another's values up to a limit, that other and the limit.
        within: Whether sums are told apart by the customers' `stratum`.
    """

    table: UnitTable
    columns: tuple[str, ...]
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
        return tuple(i for i, name in enumerate(self.columns) if name not in self.centres)

    @property
    def groups(self) -> tuple[str, ...]:
        """What sums are told apart by, beside the day."""
        return ("arm", "stratum") if self.within else ("arm",)

    @property
    def tallies(self) -> dict[str, tuple[EventAggregate, ...]]:
        """By table of events, what is counted there."""
        own = tuple(self.cut[name][0] if name in self.cut else name for name in self.columns)
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
        if name in self.cut:
            own, limit = self.cut[name]
            return capped_sql(table.metric(own), limit)
        value = table.metric(name)
        return f"({value} - ({self.centres[name]!r}))" if name in self.centres else value

    @property
    def kept(self) -> dict[str, str]:
        """Columns of the kept customers that are carried along, each with its alias."""
        asked = replace(self.table.asked, columns=tuple(self.centres), segments={})
        aliases = [self.table.asked.needed[column] for column in asked.needed]
        return {**{name: name for name in self.groups}, **{a: f"{_OWN}_{a}" for a in aliases}}


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
    inner = f"SELECT {keys}, {', '.join(each)} FROM ({_so_far(query)}) AS f"
    changes = dict(_changes(query))
    sums = ", ".join(["COUNT(*) AS n", *(f"SUM({sql}) AS {name}" for name, sql in changes.items())])
    grouped = f"SELECT {keys}, {sums} FROM ({inner}) AS moved GROUP BY {keys}"
    texts = [f"CAST({name} AS VARCHAR) AS {name}" for name in query.groups]
    return f"SELECT {', '.join([*texts, 'd', 'n', *changes])} FROM ({grouped}) AS summed"


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
    """Tallies up to the end of each day on which a customer has events (u), and before it (v)."""
    own = [f"{name} AS {alias}" for alias, name in query.kept.items()]
    window = "OVER (PARTITION BY id ORDER BY d ROWS UNBOUNDED PRECEDING)"
    sums = list[str]()
    for k in range(len(query.order)):
        sums += [f"SUM(t{k}) {window} AS u{k}", f"SUM(t{k}) {window} - t{k} AS v{k}"]
    return f"SELECT {', '.join(['d', *own, *sums])} FROM ({_days(query)}) AS days"


def _days(query: DailyQuery) -> str:
    """Tallies by customer and day; of several tables of events, each beside the others' zeros."""
    table, order = query.table, query.order
    starts = table.starts
    assert starts is not None  # noqa: S101 - there are no events without
    by = ByDay(query.step, query.last, query.kept)
    keys = ["id", "d", *query.kept.values()]
    parts = list[str]()
    for name, tallies in query.tallies.items():
        counted = events_sql(table.events[name], starts, tallies, by)
        here = [
            f"COALESCE(t{tallies.index(tally)}, 0) AS t{k}" if tally in tallies else f"0 AS t{k}"
            for k, tally in enumerate(order)
        ]
        parts.append(f"SELECT {', '.join([*keys, *here])} FROM ({counted}) AS counted")
    if len(parts) == 1:
        return parts[0]
    sums = [f"SUM(t{k}) AS t{k}" for k in range(len(order))]
    together = " UNION ALL ".join(parts)
    listed = ", ".join(keys)
    return f"SELECT {listed}, {', '.join(sums)} FROM ({together}) AS parts GROUP BY {listed}"


def read_daily(query: DailyQuery, result: pa.Table) -> dict[tuple[str, ...], DailySums]:
    """The sums by arm, or by arm and stratum; nothing stands for no name."""
    names = [result[name].to_pylist() for name in query.groups]
    keys = [tuple(name or "" for name in key) for key in zip(*names, strict=True)]
    columns = {name: _floats(result, name) for name in ("d", "n", *dict(_changes(query)))}
    days, found = columns["d"].astype(np.int64), dict[tuple[str, ...], DailySums]()
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
