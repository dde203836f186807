"""How customers are divided: `configs/segments.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.title import TitleText
from upliftlab.config.models.values import Duration, Expression, Name, Number, ProperRate


class Rfm(Declaration):
    """Quintiles of recency, frequency and monetary value, from columns or from purchases."""

    recency: Name | None = None
    """The column that says how many days ago the last purchase was."""
    frequency: Name | None = None
    """The column that counts purchases."""
    monetary: Name | None = None
    """The column that adds purchases up."""
    source: Name | None = Field(default=None, alias="from")
    """Instead of the three columns: the table of purchases."""
    amount: Name | None = None
    """The column of the purchases that is added up."""
    over: Duration | None = None
    """How far back purchases are counted and added up; all of them by default."""
    where: Expression | None = None
    """Only purchases that meet this condition are counted; all are added up."""
    show: Literal["cell", "recency", "frequency", "monetary"] = "cell"
    """cell: the three quintiles together, such as 5-4-5 (5 is best); or one of them."""

    @model_validator(mode="after")
    def _one_way(self) -> Rfm:
        columns = [self.recency, self.frequency, self.monetary]
        if self.source is None and (None in columns or self.amount or self.over):
            raise ValueError("RFM needs recency, frequency and monetary, or from and amount")
        if self.source is not None and (self.amount is None or any(columns)):
            raise ValueError("RFM over purchases needs from and amount, and no columns")
        return self


class Lifecycle(Declaration):
    """Customers by the state of their purchases as of the day before assignment."""

    source: Name = Field(alias="from")
    """The table of purchases."""
    active: Duration
    """A customer who bought within this time is active, or new if for the first time."""
    lapsed: Duration
    """A customer who did not buy for this time has lapsed."""
    where: Expression | None = None
    """Only events that meet this condition are purchases, such as amount > 0."""
    decline: ProperRate = 0.5
    """Declining: within `active`, fewer purchases than this share of those in the same time
    before."""


class Segment(Declaration):
    """A way to divide customers by what is known before assignment."""

    column: Name | None = None
    """A column of the customers' table."""
    bands: tuple[Number, ...] | None = None
    """Ascending cut points that turn a number column into bands."""
    rfm: Rfm | None = None
    """Quintiles of recency, frequency and monetary value."""
    lifecycle: Lifecycle | None = None
    """new / active / declining / lapsed from transaction history."""
    title: TitleText | None = None
    """The name shown in reports."""

    @property
    def source(self) -> str | None:
        """The table of events it is computed from, None where columns suffice."""
        if self.lifecycle is not None:
            return self.lifecycle.source
        return self.rfm.source if self.rfm is not None else None

    @property
    def where(self) -> str | None:
        """The condition on the events it is computed from."""
        chosen = self.lifecycle or self.rfm
        return None if chosen is None else chosen.where

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the customers' table that it reads."""
        if self.rfm is not None:
            named = (self.rfm.recency, self.rfm.frequency, self.rfm.monetary)
            return tuple(name for name in named if name is not None)
        return () if self.column is None else (self.column,)

    @model_validator(mode="after")
    def _one_definition(self) -> Segment:
        chosen = [key for key in ("column", "rfm", "lifecycle") if getattr(self, key) is not None]
        if len(chosen) != 1:
            raise ValueError("a segment is defined by exactly one of column, rfm, lifecycle")
        if self.bands is not None:
            if self.column is None:
                raise ValueError("'bands' need 'column'")
            if not self.bands or list(self.bands) != sorted(set(self.bands)):
                raise ValueError("'bands' are ascending numbers")
        return self
