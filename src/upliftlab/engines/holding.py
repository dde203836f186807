"""Files that are taken into memory whole: workbooks, Arrow files, SQLite databases."""
# pyarrow describes itself with types that are unknown in part; they are kept to this module.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# ruff: noqa: PLC0415 - whoever reads no workbook does not import what reads them

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from upliftlab.config.models import Source
from upliftlab.engines.held import HeldTable
from upliftlab.engines.kinds import FileKind, KindName
from upliftlab.errors import DataError, Diagnostic


def hold(kind: FileKind, paths: Sequence[Path], source: Source) -> HeldTable:
    """The files of a source as one table in memory.

    Args:
        kind: What they are: one of `HELD`.
        paths: The files.
        source: What names the sheet or the table in them.

    Raises:
        DataError: UL202 a file cannot be read or differs from the first in its columns; what else
            its reader raises.
    """
    held = [HELD[kind.name](path, source) for path in paths]
    first = held[0].table
    for path, each in zip(paths[1:], held[1:], strict=True):
        if odd := sorted(set(first.column_names) ^ set(each.table.column_names)):
            message = f"{path.name} and {paths[0].name} differ in the column '{odd[0]}'"
            remedy = "give all files of a source the same columns"
            raise DataError(Diagnostic("UL202", message, remedy))
    unusable = {column: fault for each in held for column, fault in each.unusable.items()}
    return HeldTable(_typed(_joined([each.table for each in held], paths)), unusable)


def _joined(tables: Sequence[pa.Table], paths: Sequence[Path]) -> pa.Table:
    """Tables of the same columns one behind the other; whole numbers beside others are numbers."""
    if len(tables) == 1:
        return tables[0]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        names = tables[0].column_names
        odd = next(n for n in names if len({str(each.schema.field(n).type) for each in tables}) > 1)
        message = f"the column '{odd}' is not of one type in {paths[0].name} and the files beside"
        remedy = "write it alike in all of them"
        raise DataError(Diagnostic("UL202", message, remedy)) from error


def _typed(table: pa.Table) -> pa.Table:
    """Columns in which no file has a value are texts, as they are in CSV."""
    types = [pa.string() if pa.types.is_null(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def _workbook(path: Path, source: Source) -> HeldTable:
    from upliftlab.engines.workbook import read_sheet

    return read_sheet(path, source)


def _arrow(path: Path, _source: Source) -> HeldTable:
    from upliftlab.engines.arrow_file import read_arrow

    return read_arrow(path)


def _sqlite(path: Path, source: Source) -> HeldTable:
    from upliftlab.engines.sqlite_file import read_sqlite

    return read_sqlite(path, source.table)


HELD: Final[Mapping[KindName, Callable[[Path, Source], HeldTable]]] = {
    "sheets": _workbook,
    "arrow": _arrow,
    "sqlite": _sqlite,
}
"""How a file of each kind is taken into memory."""
