"""Two kinds of metrics: one of all customers, one only of those who have a value."""

from __future__ import annotations

from upliftlab.config.models.metric_kinds import (
    FIRST_TIME,
    LAST_TIME,
    AggregateFunction,
    MetricKind,
)

median = MetricKind(
    key="median",
    meaning="Median of this column over the customer's events, 0 without any.",
    takes="column",
    aggregates=(AggregateFunction("MEDIAN({value})"),),
)


def _days(numbers, _written):
    first, last = numbers
    return f"CAST(DATE_DIFF('day', {first}, {last}) AS DOUBLE)"


days_active = MetricKind(
    key="days_active",
    meaning="Days from the first to the last event, of customers who have one.",
    takes="flag",
    aggregates=(FIRST_TIME, LAST_TIME),
    value=_days,
    missing="left out",
)
