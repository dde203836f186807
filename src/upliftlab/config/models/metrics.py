"""What is measured: `configs/metrics.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.values import Count, Expression, Flag, Name, Offset

COUNTS = ("count", "any", "none", "at_least")
"""Definitions that look at no column of the events."""
OF_COLUMN = ("sum", "mean", "distinct", "first", "last")
"""Definitions over one column of the events."""
OF_METRICS = ("ratio", "minus")
"""Definitions over two other metrics."""


class Metric(Declaration):
    """A number per customer, from a column of the customers' table or from events."""

    column: Name | None = None
    """A column of the customers' table."""
    source: Name | None = Field(default=None, alias="from")
    """The table of events it is computed from."""
    sum: Name | None = None
    """Total of this column over the customer's events."""
    mean: Name | None = None
    """Average of this column over the customer's events, 0 without any."""
    count: Flag = False
    """Number of the customer's events."""
    any: Flag = False
    """1 where the customer has at least one event."""
    none: Flag = False
    """1 where the customer has no event."""
    at_least: Count | None = None
    """1 where the customer has at least this many events."""
    distinct: Name | None = None
    """Number of different values of this column among the customer's events."""
    first: Name | None = None
    """This column in the customer's first event (the smallest, if several are first), 0 without."""
    last: Name | None = None
    """This column in the customer's last event (the largest, if several are last), 0 without."""
    ratio: tuple[Name, Name] | None = None
    """Two metrics: total of the first over total of the second."""
    minus: tuple[Name, Name] | None = None
    """Two metrics: the first less the second."""
    where: Expression | None = None
    """Only events that meet this condition."""
    during: tuple[Offset, Offset] | None = None
    """Only events from the first to before the second time since the customer's start (before it
    where negative); the outcome window by default."""
    only: Name | None = None
    """Counted only for customers of whom this other metric is not 0, else 0."""
    unless: Name | None = None
    """Counted only for customers of whom this other metric is 0, else 0."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good."""
    unit: Literal["number", "money", "share"] | None = None
    """How it is shown; money for the revenue column, number otherwise."""
    title: str | None = None
    """The name shown in reports."""

    @property
    def defined_by(self) -> str:
        """The key that defines it."""
        return self._chosen()[0]

    @property
    def value_column(self) -> str | None:
        """The column of the events that it is computed over, None where none is needed."""
        key = self.defined_by
        return getattr(self, key) if key in OF_COLUMN else None

    @property
    def parts(self) -> tuple[Name, ...]:
        """The other metrics it is made of."""
        conditions = tuple(name for name in (self.only, self.unless) if name is not None)
        return (*(self.ratio or ()), *(self.minus or ()), *conditions)

    def _chosen(self) -> list[str]:
        keys = ("column", *COUNTS, *OF_COLUMN, *OF_METRICS)
        return [key for key in keys if getattr(self, key) not in (None, False)]

    @model_validator(mode="after")
    def _one_definition(self) -> Metric:
        chosen = self._chosen()
        if len(chosen) != 1:
            raise ValueError(
                "a metric is defined by exactly one of column, "
                f"{', '.join((*COUNTS, *OF_COLUMN, *OF_METRICS))}"
                + (f"; found {', '.join(chosen)}" if chosen else "")
            )
        key = chosen[0]
        of_events = key in COUNTS or key in OF_COLUMN
        if not of_events and (self.source or self.where or self.during):
            raise ValueError(f"'{key}' excludes from, where and during")
        if of_events and not self.source:
            raise ValueError(f"'{key}' needs 'from': a table of events")
        if key == "ratio" and (self.only or self.unless):
            raise ValueError("'ratio' excludes only and unless; write them in its two metrics")
        return self
