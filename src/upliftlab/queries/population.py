"""The frame: who is analysed, each with arm and start, and the columns that are needed of them."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from upliftlab.config.models import FileFormat
from upliftlab.engines.base import ColumnType
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.numbers import number_sql, plain_sql
from upliftlab.util.nearest import closest
from upliftlab.util.personal import are_values
from upliftlab.util.sql import quote

NO_TIME = "CAST(NULL AS TIMESTAMP)"
NO_TEXT = "CAST(NULL AS VARCHAR)"


@dataclass(frozen=True, slots=True)
class AnalysisPopulation:
    """Customers of the analysis as a query, or a table that was kept.

    Attributes:
        relation: The FROM clause with its WHERE; the customers' table is `c` in it.
        columns: The columns of the customers' table and their types.
        own: SQL of what is known of each customer beside them: `id`, `arm`, `start`, `as_of`
            (times on the program's clock), `wave`, `stratum` and `house`, where they are known.
        kept: The table that holds the result, where there is one.
        form: How the customers' file writes texts, where that is declared.
        whole: The same relation before anybody is left out on purpose; empty where nobody is.
        plain: Columns of texts that are known to be nothing but plain numbers.
        assumed: Whether that is assumed of some, until a number is found to be missing.
    """

    relation: str
    columns: Mapping[str, ColumnType]
    own: Mapping[str, str]
    kept: str | None = None
    form: FileFormat | None = None
    whole: str = ""
    plain: frozenset[str] = frozenset()
    assumed: bool = False

    def sql(self, needed: Mapping[str, str]) -> str:
        """The query; `needed` are aliases of columns of the customers' table by their names."""
        own = [f"{sql} AS {name}" for name, sql in self.own.items()]
        named = [f"c.{quote(column)} AS {alias}" for column, alias in needed.items()]
        return f"SELECT {', '.join([*own, *named])} FROM {self.relation}"

    def source(self, needed: Mapping[str, str]) -> str:
        """The frame as a relation `f`."""
        return f"{self.kept} AS f" if self.kept else f"({self.sql(needed)}) AS f"

    def number(self, column: str, alias: str, role: str) -> str:
        """A column as a number, NULL where it holds none.

        Raises:
            DataError: UL205 the column is not there, UL206 it cannot hold numbers.
        """
        kind = self.type_of(column, role)
        if kind not in ("number", "boolean", "text"):
            raise DataError(
                Diagnostic("UL206", f"column '{column}' holds no numbers ({role})", "name another")
            )
        if kind == "text" and column in self.plain:
            return plain_sql(f"f.{alias}", self.form)
        return number_sql(f"f.{alias}", kind, self.form)

    def type_of(self, column: str, role: str) -> ColumnType:
        """A column's type.

        Raises:
            DataError: UL205, the column is not there.
        """
        if column not in self.columns:
            raise missing_column(column, role, self.columns)
        return self.columns[column]


_TITLE = 2
"""So few columns may be a title above the table."""


def missing_column(
    column: str, role: str, columns: Mapping[str, ColumnType], also: tuple[str, ...] = ()
) -> DataError:
    """The fault of a column that is not there, with the nearest name that is, or is in `also`."""
    near = closest(column, [*columns, *also], 0.6)
    known = ", ".join(list(columns)[:12]) + (" …" if len(columns) > 12 else "")  # noqa: PLR2004
    remedy = f"did you mean '{near}'?" if near else f"its columns are {known}"
    if not near and len(columns) <= _TITLE:
        remedy += "; if a line further down names them, write format: {skip: 1}, or how many stand"
    if not near and are_values(columns):
        remedy = "the first line of the file names its columns, and seems to hold values"
    return DataError(Diagnostic("UL205", f"the data have no column '{column}' ({role})", remedy))
