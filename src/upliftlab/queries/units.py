"""The unit table: one row per unit with its arm, its levels and its numbers.

A unit is what was randomised: a customer, or a household with its customers' numbers added up.
Each table of events is grouped by customer in one statement; all of them are joined once.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from upliftlab.config.models import Aggregated, Metric, Segment
from upliftlab.config.models.experiment import Plan
from upliftlab.queries.events import EventTable, Starts, events_sql
from upliftlab.queries.grouped import WEIGHT, RowMoments
from upliftlab.queries.levels import (
    MISSING,
    MIXED,
    bands_sql,
    level_tallies,
    lifecycle_sql,
    rfm_sql,
)
from upliftlab.queries.numbers import missing_sql
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.queries.tallies import EventAggregate, tallies_of, value_sql
from upliftlab.util.sql import literal

SIZE = "(customers)"
"""The column that counts a household's customers."""
_KEPT = ("arm", "wave", "stratum", WEIGHT, "house")
_TIMED = ("id", "start")
"""What is kept besides where units are customers with events, for these to be looked at again."""


@dataclass(frozen=True, slots=True)
class UnitColumns:
    """What the unit table holds.

    Attributes:
        metrics: Definitions of everything that is counted, and what it is made of.
        columns: Those that become columns, in order.
        segments: How units are divided.
        sums: What the columns of a customers' table of totals are totals of; None where a row is
            of one customer.
    """

    metrics: Mapping[str, Metric]
    columns: tuple[str, ...]
    segments: Mapping[str, Segment]
    sums: Aggregated | None = None

    @property
    def needed(self) -> dict[str, str]:
        """Aliases of the columns of the customers' table that it reads."""
        used = (metric.field for metric in self._used())
        told = [name for each in used for name in self._told(each)]
        names = [*told, *(name for s in self.segments.values() for name in s.columns)]
        return {name: f"c{number}" for number, name in enumerate(dict.fromkeys(names))}

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns of the customers' table that are read as numbers."""
        columns = [metric.column for metric in self._used()]
        names = [name for column in columns for name in self._told(column)]
        return tuple(dict.fromkeys((*names, *self.banded)))

    @property
    def banded(self) -> tuple[str, ...]:
        """Those of them that levels are made of."""
        banded = (s for s in self.segments.values() if s.bands is not None or s.rfm is not None)
        return tuple(dict.fromkeys(name for segment in banded for name in segment.columns))

    @property
    def tallies(self) -> dict[str, tuple[EventAggregate, ...]]:
        """By table of events, what is counted there."""
        named = [tally for metric in self._used() for tally in tallies_of(metric)]
        named += [tally for s in self.segments.values() for tally in level_tallies(s)]
        sources = dict.fromkeys(tally.source for tally in named)
        return {
            source: tuple(dict.fromkeys(tally for tally in named if tally.source == source))
            for source in sources
        }

    def _told(self, name: str | None) -> Iterator[str]:
        """The columns of the customers' table that tell a number of each customer."""
        if name is not None and self.sums is None:
            yield name
        elif name is not None and self.sums is not None:
            yield from (column for way, column in self.sums.columns() if name in way[1:])

    def _used(self) -> Iterator[Metric]:
        """The metrics of the columns, and what they are made of."""
        todo, seen = list(self.columns), set[str]()
        while todo:
            name = todo.pop(0)
            if name not in seen:
                seen.add(name)
                yield self.metrics[name]
                todo += self.metrics[name].parts


def unit_columns(plan: Plan) -> UnitColumns:
    """What the unit table of a plan holds."""
    return UnitColumns(
        metrics={**plan.metrics, **plan.covariates},
        columns=plan.counted_columns,
        segments=plan.segments,
        sums=plan.customers.aggregated,
    )


@dataclass(frozen=True, slots=True)
class UnitTable:
    """The unit table in SQL.

    Attributes:
        frame: Who is analysed.
        asked: What it holds.
        events: The tables of events, by name.
        starts: When customers' time begins; None without events.
    """

    frame: AnalysisPopulation
    asked: UnitColumns
    events: Mapping[str, EventTable] = field(default_factory=dict[str, EventTable])
    starts: Starts | None = None

    @property
    def source(self) -> str:
        """The frame, each table of events joined to it."""
        joins = "".join(
            f" LEFT JOIN ({events_sql(self.events[name], self._starts, tallies)}) AS e{number}"
            f" ON e{number}.id = {self._key(self.events[name])}"
            for number, (name, tallies) in enumerate(self.asked.tallies.items())
        )
        return self.frame.source(self.asked.needed) + joins

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the numbers, in order."""
        return (*self.asked.columns, *((SIZE,) if "house" in self.frame.own else ()))

    @property
    def rows(self) -> RowMoments | None:
        """What rows tell that are of several units; None where each is of one."""
        return RowMoments() if WEIGHT in self.frame.own else None

    def metric(self, name: str) -> str:
        """A metric as SQL: a double, NULL where the data hold no number.

        Raises:
            DataError: UL205 a column is not there, UL206 it cannot hold numbers.
        """
        metric = self.asked.metrics[name]
        value = self._value(metric)
        for other, sign in ((metric.only, "<>"), (metric.unless, "=")):
            if other is not None:
                known = self.metric(other)
                value = (
                    f"CASE WHEN {known} {sign} 0 THEN {value} WHEN {known} IS NOT NULL THEN 0 END"
                )
        return value

    def segment(self, segment: Segment) -> str:
        """A segment's level as SQL, NULL where it is not known.

        Raises:
            DataError: UL205 a column is not there, UL206 it cannot hold numbers.
        """
        if segment.lifecycle is not None:
            return lifecycle_sql(segment.lifecycle, self._tally)
        if segment.rfm is not None:
            return rfm_sql(segment.rfm, self._tally, lambda name: self._number(name, "RFM"))
        column = segment.column or ""
        self.frame.type_of(column, "segment")
        if segment.bands is None:
            return f"f.{self.asked.needed[column]}"
        return bands_sql(self._number(column, "bands"), segment.bands)

    def sql(self) -> str:
        """The unit table: `arm`, levels as `s0` …, numbers as `x0` …, and what checks look at."""
        timed = _TIMED if self.events and "house" not in self.frame.own else ()
        own = [f"f.{name} AS {name}" for name in (*_KEPT, *timed) if name in self.frame.own]
        levels = [f"{self.segment(s)} AS s{i}" for i, s in enumerate(self.asked.segments.values())]
        numbers = [f"{self.metric(m)} AS x{i}" for i, m in enumerate(self.asked.columns)]
        if "house" not in self.frame.own:
            return f"SELECT {', '.join([*own, *levels, *numbers])} FROM {self.source}"
        inner = f"SELECT {', '.join([*own, *levels, *numbers])} FROM {self.source}"
        return self._households(inner)

    def _households(self, customers: str) -> str:
        """Customers' numbers added up per household; a level is what they have in common."""
        own = [f"MIN({name}) AS {name}" for name in _KEPT[:-1] if name in self.frame.own]
        levels = [f"{_common(f's{i}')} AS s{i}" for i in range(len(self.asked.segments))]
        size = len(self.asked.columns)
        sums = [f"{_total(f'x{i}')} AS x{i}" for i in range(size)]
        columns = ", ".join([*own, *levels, *sums, f"CAST(COUNT(*) AS DOUBLE) AS x{size}"])
        return f"SELECT {columns} FROM ({customers}) AS members GROUP BY house"

    def _value(self, metric: Metric) -> str:
        if metric.pair:
            return metric.kind.value([self.metric(part) for part in metric.pair], metric.pair)
        if metric.field is not None:
            return self._field(metric, metric.field)
        return f"CAST({value_sql(metric, tallies_of(metric), self._tally)} AS DOUBLE)"

    def _field(self, metric: Metric, column: str) -> str:
        """A column of the customers' table as a metric is read from it; a double."""
        kind = self.frame.type_of(column, "metric")
        value = f"f.{self.asked.needed[column]}"
        counts_values = metric.present is not None  # of whatever type they are
        number = value if counts_values else self._number(column, "metric")
        told = metric.kind.value([number, missing_sql(value, kind)], column)
        return told if told == number else f"CAST({told} AS DOUBLE)"

    def _number(self, column: str, role: str) -> str:
        alias = self.asked.needed.get(column, "")
        return self.frame.number(column, alias, role)

    def _tally(self, tally: EventAggregate) -> str:
        """Where a tally's value stands; a customer without events has none of anything."""
        tallies = self.asked.tallies
        number = list(tallies).index(tally.source)
        column = f"e{number}.t{tallies[tally.source].index(tally)}"
        return column if tally.how.empty == "null" else f"COALESCE({column}, 0)"

    def _key(self, events: EventTable) -> str:
        return self._starts.customer("f.id", events)

    @property
    def _starts(self) -> Starts:
        assert self.starts is not None  # noqa: S101 - there are no events without
        return self.starts


def _common(level: str) -> str:
    known = f"COALESCE(CAST({level} AS VARCHAR), {literal(MISSING)})"
    return f"CASE WHEN MIN({known}) = MAX({known}) THEN MIN({known}) ELSE {literal(MIXED)} END"


def _total(number: str) -> str:
    """A sum, NULL where a customer has no number."""
    return f"CASE WHEN COUNT({number}) = COUNT(*) THEN SUM({number}) END"
