"""Tallies: the few numbers per customer that everything over events is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from upliftlab.config.models import Metric
from upliftlab.config.models.metric_kinds import AggregateFunction


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
    how: AggregateFunction
    window: Window
    column: str | None = None
    where: str | None = None


Value = Callable[[EventAggregate], str]
"""The SQL in which a tally's value stands, 0 for a customer without events."""


def tallies_of(metric: Metric) -> tuple[EventAggregate, ...]:
    """The tallies that a metric over events needs; none for other metrics."""
    if metric.source is None or metric.during is None:
        return ()
    window, kind = Window(*metric.during), metric.kind
    return tuple(
        EventAggregate(
            metric.source,
            each,
            window,
            metric.value_column if "{value}" in each.sql else None,
            metric.where,
        )
        for each in kind.aggregates
    )


def value_sql(metric: Metric, tallies: Sequence[EventAggregate], value: Value) -> str:
    """A metric over events in SQL, from the values of its tallies.

    >>> week = ["0 days", "7 days"]
    >>> bought = Metric.model_validate({"from": "orders", "any": True, "during": week})
    >>> value_sql(bought, tallies_of(bought), lambda tally: tally.how.sql)
    'CASE WHEN COUNT(*) >= 1 THEN 1 ELSE 0 END'
    """
    return metric.kind.value([value(tally) for tally in tallies], metric.written)
