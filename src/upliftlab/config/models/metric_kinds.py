"""The kinds of metrics: what may define one in `configs/metrics.yaml`, and what follows from it.

A kind says its key and what is written behind it, its SQL over a customer's events, what a
customer without events counts as, and how it is estimated. Those of `OWN` are upliftlab's; an
installed package adds one as an entry point of the group `upliftlab.metric_kinds`, named as its
key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

Takes = Literal["field", "column", "flag", "count", "metrics"]
"""What is written behind the key: a column of the customers' table, a column of the events,
`true`, a whole number, or two other metrics."""
ValueSql = Callable[[Sequence[str], Any], str]
"""From the SQL of the numbers that it is made of, and from what is written behind the key, to the
SQL of a customer's value."""


@dataclass(frozen=True, slots=True)
class AggregateFunction:
    """One number over a customer's events that count.

    Attributes:
        sql: A single aggregate in DuckDB's dialect, without its condition: `{value}` is the
            column that is looked at, `{time}` is when an event happened, in UTC if it says so.
        numeric: Whether the column must hold numbers: it is read as doubles then, and events
            without one are refused.
        only: The one event that is looked at, by time and then by value; all where absent.
        empty: What no events count as: 0, or NULL.
    """

    sql: str
    numeric: bool = True
    only: Literal["first", "last"] | None = None
    empty: Literal["zero", "null"] = "zero"


COUNT: Final = AggregateFunction("COUNT(*)")
SUM: Final = AggregateFunction("SUM({value})")
DISTINCT: Final = AggregateFunction("COUNT(DISTINCT {value})", numeric=False)
FIRST: Final = AggregateFunction("MAX({value})", only="first")
LAST: Final = AggregateFunction("MAX({value})", only="last")
FIRST_TIME: Final = AggregateFunction("MIN({time})", empty="null")
LAST_TIME: Final = AggregateFunction("MAX({time})", empty="null")


def _same(numbers: Sequence[str], _written: object) -> str:
    return numbers[0]


@dataclass(frozen=True, slots=True)
class MetricKind:
    """What may define a metric.

    Attributes:
        key: The key in the YAML.
        meaning: What it measures, in a sentence for the schema and the reference.
        takes: What is written behind the key.
        aggregates: What it needs of a customer's events; nothing where it looks at none.
        value: A customer's value; the first aggregate unless told otherwise. Of two metrics, the
            numbers are theirs; of a column of the customers' table, they are its number and whether
            it has no value.
        share: Whether it is 0 or 1 by definition, and shown as a share.
        missing: What a customer counts as whose value is NULL, having no events: 0, or left out.
        estimate: The mean over units, or total over total. Customers can only be left out of a
            total over the number of those who are not, so that such a metric is a ratio.
    """

    key: str
    meaning: str
    takes: Takes
    aggregates: tuple[AggregateFunction, ...] = ()
    value: ValueSql = _same
    share: bool = False
    missing: Literal["zero", "left out"] = "zero"
    estimate: Literal["mean", "ratio"] = "mean"

    @property
    def of_events(self) -> bool:
        """Whether it is computed from a table of events."""
        return self.takes in ("column", "flag", "count")

    @property
    def is_ratio(self) -> bool:
        """Whether it is estimated as a total over another."""
        return self.estimate == "ratio" or self.missing == "left out"


def _mean(numbers: Sequence[str], _column: object) -> str:
    total, count = numbers
    return f"CASE WHEN {count} > 0 THEN {total} / {count} ELSE 0 END"


def _or_zero(numbers: Sequence[str], _column: object) -> str:
    """A column's number, 0 where it has no value; NULL where its value is no number."""
    number, absent = numbers
    return f"CASE WHEN {absent} THEN 0 ELSE {number} END"


def _present(numbers: Sequence[str], _column: object) -> str:
    number, absent = numbers
    return f"CASE WHEN {absent} THEN 0 WHEN {number} IS NOT NULL THEN 1 END"


def _at_least(numbers: Sequence[str], least: object) -> str:
    """Also of `any`, behind which stands true: 1."""
    many = 1 if least is True else int(str(least))
    return f"CASE WHEN {numbers[0]} >= {many} THEN 1 ELSE 0 END"


def _none(numbers: Sequence[str], _flag: object) -> str:
    return f"CASE WHEN {numbers[0]} > 0 THEN 0 ELSE 1 END"


def _less(numbers: Sequence[str], _metrics: object) -> str:
    return f"({numbers[0]} - {numbers[1]})"


_ALL: Final = (
    MetricKind("column", "A column of the customers' table.", "field"),
    MetricKind(
        "present",
        "1 where this column of the customers' table has a value, 0 where it is empty.",
        "field",
        value=_present,
        share=True,
    ),
    MetricKind("count", "Number of the customer's events.", "flag", (COUNT,)),
    MetricKind(
        "any",
        "1 where the customer has at least one event.",
        "flag",
        (COUNT,),
        _at_least,
        share=True,
    ),
    MetricKind("none", "1 where the customer has no event.", "flag", (COUNT,), _none, share=True),
    MetricKind(
        "at_least",
        "1 where the customer has at least this many events.",
        "count",
        (COUNT,),
        _at_least,
        share=True,
    ),
    MetricKind("sum", "Total of this column over the customer's events.", "column", (SUM,)),
    MetricKind(
        "mean",
        "Average of this column over the customer's events, 0 without any.",
        "column",
        (SUM, COUNT),
        _mean,
    ),
    MetricKind(
        "distinct",
        "Number of different values of this column among the customer's events.",
        "column",
        (DISTINCT,),
    ),
    MetricKind(
        "first",
        "This column in the customer's first event (the smallest, if several are first), 0"
        " without.",
        "column",
        (FIRST,),
    ),
    MetricKind(
        "last",
        "This column in the customer's last event (the largest, if several are last), 0 without.",
        "column",
        (LAST,),
    ),
    MetricKind(
        "ratio",
        "Two metrics: total of the first over total of the second.",
        "metrics",
        estimate="ratio",
    ),
    MetricKind("minus", "Two metrics: the first less the second.", "metrics", value=_less),
)
OWN: Final[Mapping[str, MetricKind]] = {kind.key: kind for kind in _ALL}
"""upliftlab's kinds by key, in the order in which messages and references name them."""
IF_MISSING: Final[Mapping[str, MetricKind]] = {
    "fail": OWN["column"],
    "zero": replace(OWN["column"], value=_or_zero),
    "drop": replace(OWN["column"], missing="left out"),
}
"""A column of the customers' table, by what a customer without a value in it counts as."""
