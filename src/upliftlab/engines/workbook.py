"""Sheets of workbooks (Excel, OpenDocument), with the types that their cells have.

A sheet knows numbers, texts, times and booleans, and says per cell which it is. A column of several
becomes text, in which 17 is written 17 and not 17.0. A percentage or an amount is the number behind
its format.
"""
# pyarrow describes itself with types that are unknown in part; they are kept to this module.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any, Final

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from upliftlab.config.models import Source
from upliftlab.engines.formulas import uncomputed
from upliftlab.engines.held import HeldTable, require_names, unreadable
from upliftlab.errors import DataError, Diagnostic

_EXACT: Final = 2**53
"""Up to here a double tells whole numbers apart."""
_EPOCH: Final = datetime(1900, 1, 1)  # noqa: DTZ001 - sheets know no zones
"""A time before the first day is none but a time of day."""
_SHOWN: Final = 8
_LETTERS: Final = 26


def read_sheet(path: Path, source: Source) -> HeldTable:
    """The table of a sheet: its first line that is not empty names the columns.

    Lines without any value are left out, and columns without a name.

    Args:
        path: The workbook.
        source: Its `sheet` is the sheet's name, and `format.skip` lines stand before the names.

    Raises:
        DataError: UL202 it cannot be read, is empty or names a column twice, UL267 a sheet has to
            be named or is not there, UL269 it is under a password.
    """
    logging.getLogger("fastexcel").setLevel(logging.ERROR)  # it tells of each empty column
    try:
        sheet = _Sheet(path, _named(fastexcel.read_excel(path), path, source.sheet), _skip(source))
        return sheet.held()
    except fastexcel.FastExcelError as error:
        raise _refusal(path, error) from error


def sheets_of(path: Path) -> list[str]:
    """The names of a workbook's sheets.

    Raises:
        DataError: UL202 it cannot be read, UL269 it is under a password.
    """
    try:
        return fastexcel.read_excel(path).sheet_names
    except fastexcel.FastExcelError as error:
        raise _refusal(path, error) from error


def _skip(source: Source) -> int:
    return source.format.skip if source.format else 0


def _named(
    book: fastexcel.ExcelReader, path: Path, name: str | None
) -> tuple[fastexcel.ExcelReader, str]:
    """The workbook and the name of the sheet that is meant."""
    names = book.sheet_names
    if name in names:
        return book, name
    known = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    if name is not None:
        message = f"{path.name} has no sheet '{name}'"
        raise DataError(Diagnostic("UL267", message, f"there are {known}"))
    if len(names) > 1:
        message = f"{path.name} has {len(names)} sheets: {known}"
        raise DataError(Diagnostic("UL267", message, f"name one: 'sheet: {names[0]}'"))
    return book, names[0]


def _refusal(path: Path, error: Exception) -> DataError:
    if "password" in str(error).lower():
        message = f"{path.name} is under a password"
        return DataError(Diagnostic("UL269", message, "save it without one"))
    return unreadable(path, "it is damaged, or no workbook")


@dataclass(frozen=True)
class _Sheet:
    """A sheet of a workbook."""

    path: Path
    place: tuple[fastexcel.ExcelReader, str]
    skip: int

    def held(self) -> HeldTable:
        """Its table."""
        book, name = self.place
        line = self._first_lines()[0] if self.skip else 0  # the reader itself passes blank ones
        sheet = book.load_sheet(name, header_row=line, schema_sample_rows=None)
        columns = [
            each for each in sheet.available_columns() if each.column_name_from != "generated"
        ]
        if not columns:
            message = f"the sheet '{name}' of {self.path.name} is empty"
            remedy = "its first line names the columns"
            raise DataError(Diagnostic("UL202", message, remedy))
        self._require_names([column.name for column in columns])
        batch, errors = sheet.to_arrow_with_errors()
        table = pa.table({each.name: _typed(batch.column(each.index)) for each in columns})
        wrong = [each.offset_position for each in errors.errors] if errors else []
        return HeldTable(_filled(table), {**self._bare(columns), **self._wrong(columns, wrong)})

    def _require_names(self, names: Sequence[str]) -> None:
        """Refuse a name that stands twice: the reader would have added a number to it."""
        numbered = [name for name in names if name.rpartition("_")[0] in names]
        written = self._first_lines()[1] if numbered else names
        require_names([name for name in written if name], self.path.name)

    def _first_lines(self) -> tuple[int, list[str]]:
        """How many lines stand before the one that names the columns, and what stands in it."""
        book, name = self.place
        lines: Any = book.load_sheet(
            name, header_row=None, skip_rows=self.skip, dtypes="string"
        ).to_arrow()
        filled = _has_value(pa.Table.from_batches([lines]))
        at = max(0, int(pc.index(filled, True).as_py()))
        return self.skip + at, [str(column[at].as_py() or "") for column in lines.columns]

    def _wrong(
        self, columns: Sequence[Any], wrong: Sequence[tuple[int, int]]
    ) -> Mapping[str, Diagnostic]:
        """What is said of each column in which the sheet has errors such as #N/A."""
        above = self._first_lines()[0] + 2 if wrong else 0
        lines = {column.name: [row + above for row, at in wrong if at == column.index]
                 for column in columns}  # fmt: skip
        return self._said(columns, lines, "an error, such as #N/A", "mend the formula")

    def _bare(self, columns: Sequence[Any]) -> Mapping[str, Diagnostic]:
        """What is said of each column with formulas that nothing has computed."""
        found = uncomputed(self.path, self.place[1])
        lines = {each.name: found.get(_letters(each.absolute_index), []) for each in columns}
        remedy = "open the file in a spreadsheet and save it"
        return self._said(columns, lines, "a formula that was never computed", remedy)

    def _said(
        self, columns: Sequence[Any], lines: Mapping[str, Sequence[int]], what: str, remedy: str
    ) -> Mapping[str, Diagnostic]:
        found: dict[str, Diagnostic] = {}
        for column in columns:
            if rows := lines[column.name]:
                cell = f"{_letters(column.absolute_index)}{min(rows)}"
                more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
                message = f"the cell {cell}{more} of the sheet '{self.place[1]}' of"
                message += f" {self.path.name} (column '{column.name}') holds {what}"
                found[column.name] = Diagnostic("UL268", message, f"{remedy}, or empty the cell")
        return found


def _letters(index: int) -> str:
    """A column as sheets call it.

    >>> _letters(0), _letters(25), _letters(26), _letters(701), _letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name = ""
    while index >= 0:
        index, rest = divmod(index, _LETTERS)
        name, index = chr(ord("A") + rest) + name, index - 1
    return name


def _typed(column: Any) -> Any:  # noqa: ANN401 - an Arrow array
    """A column with the narrowest type that holds it: sheets keep every number as a double."""
    if column.null_count == len(column):
        return pa.nulls(len(column))
    if pa.types.is_floating(column.type):
        whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
        largest = pc.max(pc.abs(column)).as_py()
        return column.cast(pa.int64()) if whole and largest <= _EXACT else column
    if not pa.types.is_timestamp(column.type):
        return column
    if pc.max(column).as_py() < _EPOCH:
        return column.cast(pa.time32("ms"))
    days = column.cast(pa.date32(), safe=False)
    same = pc.all(pc.equal(days.cast(column.type), column)).as_py()
    return days if same else column.cast(pa.timestamp("us"))


def _has_value(table: pa.Table) -> Any:  # noqa: ANN401 - an Arrow array
    return reduce(pc.or_, (pc.is_valid(column) for column in table.columns))


def _filled(table: pa.Table) -> pa.Table:
    """The rows that have a value: cells that are but formatted are no data."""
    return table.filter(_has_value(table))
