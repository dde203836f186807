"""How customers are divided: `configs/segments.yaml`."""

from __future__ import annotations

from pydantic import Field, model_validator

from upliftlab.declarations.model import Model
from upliftlab.values import Duration, Name, Number


class Bands(Model):
    """Recency, frequency and monetary columns for quintiles."""

    recency: Name
    """The column that says how long ago the last purchase was."""
    frequency: Name
    """The column that counts purchases."""
    monetary: Name
    """The column that adds purchases up."""


class Lifecycle(Model):
    """Customers by the state of their purchases: new, active, declining or lapsed."""

    source: Name = Field(alias="from")
    """The table of purchases."""
    active: Duration
    """A customer who bought within this time is active."""
    lapsed: Duration
    """A customer who did not buy for this time has lapsed."""


class Segment(Model):
    """A way to divide customers by what is known before assignment."""

    column: Name | None = None
    """A column of the customers' table."""
    bands: tuple[Number, ...] | None = None
    """Ascending cut points that turn a number column into bands."""
    rfm: Bands | None = None
    """Quintiles of recency, frequency and monetary value."""
    lifecycle: Lifecycle | None = None
    """new / active / declining / lapsed from transaction history."""
    title: str | None = None
    """The name shown in reports."""

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
