"""What was understood of files of data, before anything is declared of them.

No value of a customer is in it: of texts their form, and levels that many rows have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from upliftlab.results.base import Published, Result, Scalar, Summary, matching

SCHEMA: Literal[1] = 1
ColumnMeaning = Literal[
    "whole number", "number", "flag", "day", "time", "instant", "text", "nested", "empty"
]
Role = Literal["id", "key", "time", "amount", "flag", "arm"]


class FormatChoice(Result):
    """One way in which a column can be read."""

    write: str
    """The line to write under the source."""
    meaning: str
    """What it takes the column for."""


class InspectedColumn(Result):
    """What one column holds."""

    name: str
    meaning: ColumnMeaning
    text: bool
    """Whether the file holds texts there, which mean this."""
    missing: int
    """Rows without a value; words for none count, though they are still to be declared."""
    distinct: int | None = None
    """How many values there are, nearly."""
    unique: bool = False
    """Whether every row has a value of its own."""
    least: str | None = None
    """The smallest number or the first time; None of texts, and where values tell rows apart."""
    greatest: str | None = None
    shape: str | None = None
    """The commonest form of its texts, letters as a and digits as 9."""
    levels: dict[str, int] = Field(default_factory=dict[str, int])
    """Its values and how many rows have each, where they are few and each is common."""
    currency: str | None = None
    """The currency that stands beside its amounts."""
    roles: tuple[Role, ...] = ()
    """What it probably is."""
    choices: tuple[FormatChoice, ...] = ()
    """In which ways it can be read, where there are several or one has to be written down."""
    fault: str | None = None
    """Why it cannot be asked for."""


class InspectedFile(Result):
    """What one file holds."""

    file: str
    kind: str | None = None
    """csv, parquet, sheets, json, arrow, duckdb or sqlite."""
    sheet: str | None = None
    encoding: str | None = None
    """How letters are bytes, of a text."""
    delimiter: str | None = None
    """What parts its columns, of a text."""
    rows: int | None = None
    columns: tuple[InspectedColumn, ...] = ()
    suggestion: str | None = None
    """An entry of configs/sources.yaml."""
    fault: str | None = None
    """Why it cannot be read, with the way on."""

    @property
    def ambiguous(self) -> tuple[InspectedColumn, ...]:
        """Columns that can be read in several ways."""
        return tuple(column for column in self.columns if len(column.choices) > 1)


class Inspection(Published):
    """What was understood of one file or several."""

    tables: ClassVar[tuple[str, ...]] = ("columns", "files")

    schema_version: Literal[1] = SCHEMA
    files: tuple[InspectedFile, ...]

    @property
    def columns(self) -> tuple[InspectedColumn, ...]:
        """The columns of all files, in order."""
        return tuple(column for file in self.files for column in file.columns)

    def find(self, **asked: Scalar) -> tuple[InspectedColumn, ...]:
        """The columns whose fields are what is asked for, such as `meaning="time"`.

        Raises:
            DataError: UL621, a column has no such field.
        """
        return matching(self.columns, asked)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, as `--format json` prints it."""
        return self.model_dump(mode="json")

    def summary(self) -> Summary:
        """What was understood in a few lines."""
        read = [file for file in self.files if file.fault is None]
        rows = tuple(
            (column.name, column.meaning, f"{column.missing:,}", ", ".join(column.roles))
            for file in read
            for column in file.columns
        )
        headline = f"{len(read)} of {len(self.files)} files can be read"
        context = ", ".join(file.file for file in self.files)
        return Summary(headline, context, ("column", "holds", "missing", "probably"), rows)

    def _entries(self, table: str) -> Sequence[tuple[Mapping[str, str | None], Result]]:
        if table == "files":
            return [({}, file) for file in self.files]
        return [({"file": file.file}, each) for file in self.files for each in file.columns]
