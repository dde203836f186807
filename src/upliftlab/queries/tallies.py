"""Tallies: the few numbers per customer that everything over events is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from upliftlab.config.models import Metric

How = Literal["count", "sum", "distinct", "first", "last", "first_time", "last_time"]


@dataclass(frozen=True, slots=True)
class Window:
    """Events from `low` to before `high` after the anchor; None where there is no such end.

    The anchor is a customer's start, or the beginning of the day of assignment (`as_of`).
    """

    low: timedelta | None
    high: timedelta | None
    anchor: Literal["start", "as_of"] = "start"


@dataclass(frozen=True, slots=True)
class EventAggregate:
    """One number per customer over the events of a source.

    Attributes:
        source: The table of events.
        how: What is done with the events.
        window: When they count.
        column: The column that is added up or looked at; None for counts and times.
        where: A condition of the language that they meet; None where there is none.
    """

    source: str
    how: How
    window: Window
    column: str | None = None
    where: str | None = None


Value = Callable[[EventAggregate], str]
"""The SQL in which a tally's value stands, 0 for a customer without events."""


def tallies_of(metric: Metric) -> tuple[EventAggregate, ...]:
    """The tallies that a metric over events needs; none for other metrics."""
    if metric.source is None or metric.during is None:
        return ()
    window = Window(*metric.during)
    key, column = metric.defined_by, metric.value_column
    count = EventAggregate(metric.source, "count", window, None, metric.where)
    if column is None:
        return (count,)
    if key == "mean":
        return (EventAggregate(metric.source, "sum", window, column, metric.where), count)
    how: dict[str, How] = {"sum": "sum", "distinct": "distinct", "first": "first", "last": "last"}
    return (EventAggregate(metric.source, how[key], window, column, metric.where),)


def value_sql(metric: Metric, tallies: Sequence[EventAggregate], value: Value) -> str:
    """A metric over events in SQL, from the values of its tallies.

    >>> week = ["0 days", "7 days"]
    >>> bought = Metric.model_validate({"from": "orders", "any": True, "during": week})
    >>> value_sql(bought, tallies_of(bought), lambda tally: tally.how)
    'CASE WHEN count >= 1 THEN 1 ELSE 0 END'
    """
    numbers = [value(tally) for tally in tallies]
    key = metric.defined_by
    if key == "mean":
        total, count = numbers
        return f"CASE WHEN {count} > 0 THEN {total} / {count} ELSE 0 END"
    if key == "none":
        return f"CASE WHEN {numbers[0]} > 0 THEN 0 ELSE 1 END"
    if key in ("any", "at_least"):
        return f"CASE WHEN {numbers[0]} >= {metric.at_least or 1} THEN 1 ELSE 0 END"
    return numbers[0]
