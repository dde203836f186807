"""The unit table: one customer's metrics and segments, as SQL over the customers' table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from upliftlab.declarations import Metric, Segment
from upliftlab.engines.base import ColumnType
from upliftlab.errors import DataError, Fault
from upliftlab.sql import literal, quote

MISSING = "(missing)"
"""The level of customers of whom a segment's column says nothing."""


@dataclass(frozen=True, slots=True)
class UnitTable:
    """Where units come from.

    Attributes:
        table: The attached table's name.
        columns: Its columns and their types.
        arm: The column that holds the arm.
        eligible: A condition in SQL, or None.
        joined: A query that joins the table with a recorded assignment, to be read instead of it.
    """

    table: str
    columns: Mapping[str, ColumnType]
    arm: str
    eligible: str | None = None
    joined: str | None = None

    @property
    def source(self) -> str:
        """The FROM clause, with its WHERE."""
        table = f"({self.joined}) AS joined" if self.joined else quote(self.table)
        return table + (f" WHERE ({self.eligible})" if self.eligible else "")

    def metric(self, metric: Metric) -> str:
        """A metric as SQL: a double, NULL where the data hold no number.

        Raises:
            DataError: UL205 the column is not there, UL206 it cannot hold numbers,
                UL301 the metric needs a table of events.
        """
        if metric.column is None:
            raise DataError(
                Fault(
                    "UL301",
                    "metrics over event tables are not analysed yet",
                    "name a column of the customers' table",
                )
            )
        kind = self._type(metric.column, "metric")
        if kind not in ("number", "boolean", "text"):
            raise DataError(
                Fault("UL206", f"column '{metric.column}' holds no numbers", "name another column")
            )
        column = quote(metric.column)
        # A boolean or text is cast by value; text that is no number becomes NULL and is reported.
        return f"{'TRY_CAST' if kind == 'text' else 'CAST'}({column} AS DOUBLE)"

    def segment(self, segment: Segment) -> str:
        """A segment's level as SQL, NULL where it is not known.

        Raises:
            DataError: UL205 the column is not there, UL301 the segment needs a table of events.
        """
        if segment.column is None:
            raise DataError(
                Fault("UL301", "RFM and lifecycle segments are not analysed yet", "name a column")
            )
        kind = self._type(segment.column, "segment")
        if segment.bands is None:
            return quote(segment.column)
        if kind not in ("number", "text"):
            raise DataError(
                Fault(
                    "UL206", f"column '{segment.column}' holds no numbers to band", "name another"
                )
            )
        column = quote(segment.column)
        number = f"TRY_CAST({column} AS DOUBLE)" if kind == "text" else column
        cases = " ".join(
            f"WHEN {number} < {bound!r} THEN {literal(label)}"
            for bound, label in zip(segment.bands, band_labels(segment.bands), strict=False)
        )
        last = literal(band_labels(segment.bands)[-1])
        return f"CASE WHEN {number} IS NULL THEN NULL {cases} ELSE {last} END"

    def _type(self, column: str, role: str) -> ColumnType:
        if column not in self.columns:
            raise missing_column(column, role, self.columns)
        return self.columns[column]


def band_labels(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """How bands are named, lowest first.

    >>> band_labels((18.0, 30.0))
    ('below 18', '18 to below 30', '30 and above')
    """
    texts = [f"{bound:g}" for bound in bounds]
    middle = [f"{low} to below {high}" for low, high in pairwise(texts)]
    return (f"below {texts[0]}", *middle, f"{texts[-1]} and above")


def missing_column(column: str, role: str, columns: Mapping[str, ColumnType]) -> DataError:
    """The fault of a column that is not there, with the nearest name that is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    near = get_close_matches(column, list(columns), 1, 0.6)
    known = ", ".join(list(columns)[:12]) + (" …" if len(columns) > 12 else "")  # noqa: PLR2004
    remedy = f"did you mean '{near[0]}'?" if near else f"its columns are {known}"
    return DataError(Fault("UL205", f"the data have no column '{column}' ({role})", remedy))
