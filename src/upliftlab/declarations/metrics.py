"""What is measured: `configs/metrics.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from upliftlab.declarations.model import Model
from upliftlab.values import Count, Duration, Expression, Flag, Name


class Metric(Model):
    """A number per customer, from a column of the customers' table or from events."""

    column: Name | None = None
    """A column of the customers' table."""
    source: Name | None = Field(default=None, alias="from")
    """The table of events it is computed from."""
    sum: Name | None = None
    """Total of this column over the customer's events."""
    mean: Name | None = None
    """Average of this column over the customer's events."""
    count: Flag = False
    """Number of the customer's events."""
    any: Flag = False
    """1 where the customer has at least one event."""
    at_least: Count | None = None
    """1 where the customer has at least this many events."""
    ratio: tuple[Name, Name] | None = None
    """Two metrics: total of the first over total of the second."""
    where: Expression | None = None
    """Only events that meet this condition."""
    during: tuple[Duration, Duration] | None = None
    """Only events between these times since the customer's start."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good."""
    unit: Literal["number", "money", "share"] | None = None
    """How it is shown; money for the revenue column, number otherwise."""
    title: str | None = None
    """The name shown in reports."""

    @model_validator(mode="after")
    def _one_definition(self) -> Metric:
        chosen = [
            key
            for key in ("column", "sum", "mean", "count", "any", "at_least", "ratio")
            if getattr(self, key) not in (None, False)
        ]
        if len(chosen) != 1:
            raise ValueError(
                "a metric is defined by exactly one of "
                "column, sum, mean, count, any, at_least, ratio"
                + (f"; found {', '.join(chosen)}" if chosen else "")
            )
        if chosen[0] in ("column", "ratio") and (self.source or self.where or self.during):
            raise ValueError(f"'{chosen[0]}' excludes from, where and during")
        if chosen[0] not in ("column", "ratio") and not self.source:
            raise ValueError(f"'{chosen[0]}' needs 'from': a table of events")
        return self
