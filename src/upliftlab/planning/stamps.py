"""Stamps: the day that each customer's attributes are of, as far as anything tells it."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from upliftlab.analysis.population import CUSTOMERS
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.clock import Span, converted, time_literal
from upliftlab.queries.events import Starts
from upliftlab.queries.ids import id_column
from upliftlab.queries.numbers import number_sql
from upliftlab.queries.times import TIMES, refuse_unreadable_times, time_column
from upliftlab.util.sql import quote

STAMPED: Final = "stamped"
"""What the customers' days are kept as: `id`, and the day's beginning as `start` and `as_of`."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """The customers' days, kept as `STAMPED`.

    Attributes:
        plan: Whose customers they are.
        starts: The days, as events are counted up to them.
    """

    plan: Plan
    starts: Starts

    @property
    def zone(self) -> str:
        """The program's time zone."""
        return self.plan.program.time_zone

    @property
    def id(self) -> str:
        """A customer's id in `relation`."""
        return f"c.{quote(self.plan.customers.id or '')}"

    @property
    def relation(self) -> str:
        """The customers `c` with their days `s`."""
        return f"{quote(CUSTOMERS)} AS c LEFT JOIN {STAMPED} AS s ON s.id = {self.id}"

    def value(self, name: str, engine: Engine) -> str:
        """A column of the customers in `relation`: a number as a double, a time as its day."""
        kind = engine.columns(CUSTOMERS)[name]
        if kind == "number":
            return number_sql(f"c.{quote(name)}", kind, self.plan.customers.format)
        return f"CAST(c.{quote(name)} AS DATE)"


def declared_stamps(plan: Plan, engine: Engine) -> Stamps | None:
    """The days that a column says; None where none does.

    Raises:
        DataError: UL218 and UL257, the column of `as_of` holds no times.
    """
    name, columns = plan.customers.as_of, engine.columns(CUSTOMERS)
    if name is None or name not in columns or columns[name] not in TIMES:
        return None
    relation, zone = f"{quote(CUSTOMERS)} AS c", plan.program.time_zone
    known = replace(time_column(name, columns, plan.customers, engine, relation), table="c.")
    refuse_unreadable_times(known, "customers (as_of)", engine, relation)
    span = _span(f"SELECT {known.sql} AS t FROM {relation}", engine)
    if span is None:
        return None
    wide = span.widened(timedelta(0), timedelta(0))
    moment = converted(known.sql, known.clock(zone), zone, wide) if known.instants else known.sql
    return _kept(plan, f"CAST(CAST({moment} AS DATE) AS TIMESTAMP)", span, engine)


def same_stamps(plan: Plan, day: date, engine: Engine) -> Stamps:
    """The same day for everybody."""
    moment = datetime.combine(day, time())
    return _kept(plan, time_literal(moment), Span(moment, moment), engine)


def _kept(plan: Plan, day: str, span: Span, engine: Engine) -> Stamps:
    key = plan.customers.id or ""
    listed = f"c.{quote(key)} AS id, {day} AS start, {day} AS as_of"
    engine.keep(STAMPED, f"SELECT {listed} FROM {quote(CUSTOMERS)} AS c")
    ids = id_column(engine, CUSTOMERS, key, "id")
    return Stamps(plan, Starts(STAMPED, plan.program.time_zone, span, ids, span.first))


def _span(times: str, engine: Engine) -> Span | None:
    query = f"SELECT MIN(t) AS first, MAX(t) AS last FROM ({times}) AS times"
    row = engine.query(query).to_pylist()[0]
    first: datetime | None = row["first"]
    return None if first is None else Span(first, row["last"])
