"""Tables of SQLite files, read by Python's own SQLite, whose columns may hold values of any type.

DuckDB's reader of SQLite is an extension that is fetched from the network; this is always there.
"""
# pyarrow describes itself with types that are unknown in part; they are kept to this module.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# ruff: noqa: S608 - names pass through quote()

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote as url_quote

import pyarrow as pa

from upliftlab.engines.held import HeldTable, require_names, unreadable
from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.sql import quote

_ROWS: Final = 50_000
"""Rows that are Python's at a time."""
_HIDDEN: Final = (2, 3)
"""How SQLite marks the columns that it computes."""
_JOURNALS: Final = ("-wal", "-journal")


def read_sqlite(path: Path, table: str | None) -> HeldTable:
    """A table of an SQLite file: data only, nothing that the file would have us compute.

    A column of whole numbers, numbers or texts is one; of several kinds of values, texts.

    Args:
        path: The file.
        table: The table's name.

    Raises:
        DataError: UL202 it is damaged, UL204 there is no such table, UL233 it is a view or has
            computed columns, UL234 the file was not closed.
    """
    if any((beside := path.with_name(path.name + end)).exists() and beside.stat().st_size
           for end in _JOURNALS):  # fmt: skip
        message = f"{path.name} was not closed: what was last written lies beside it"
        raise DataError(Diagnostic("UL234", message, "open it once more in SQLite and close it"))
    try:
        with closing(_opened(path)) as connection:
            _require_whole(connection, path)
            name, columns = _columns(connection, path, table)
            require_names(columns, path.name)
            return HeldTable(_read(connection, name, columns))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise unreadable(path, "it is damaged, or no SQLite file") from error


def _opened(path: Path) -> sqlite3.Connection:
    """The file, of which nothing is written and nothing runs."""
    connection = sqlite3.connect(f"file:{url_quote(str(path))}?mode=ro&immutable=1", uri=True)
    for setting in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _require_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is damaged: SQLite takes what is missing at its end for zeros."""
    (pages,), (size,) = (
        connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
    )
    checked = connection.execute("PRAGMA quick_check(1)").fetchone()
    if path.stat().st_size < pages * size or checked != ("ok",):
        raise unreadable(path, "it is damaged")


def _columns(
    connection: sqlite3.Connection, path: Path, table: str | None
) -> tuple[str, list[str]]:
    """The table as the file calls it, and its columns."""
    listed = "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')"
    found = {
        str(name): str(kind)
        for name, kind in connection.execute(f"{listed} AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    }
    if table is None:
        known = ", ".join([name for name, kind in found.items() if kind == "table"][:8])
        message = f"{path.name} holds several tables"
        raise DataError(Diagnostic("UL204", message, f"name one by 'table': {known}"))
    name = next((each for each in found if each.casefold() == table.casefold()), None)
    if name is None:
        raise DataError(Diagnostic("UL204", f"{path.name} has no table '{table}'", "check 'table'"))
    if found[name] == "view":
        raise _computes(f"'{name}' of {path.name} is a view", name)
    described = connection.execute(f"PRAGMA table_xinfo({quote(name)})").fetchall()
    if computed := [row[1] for row in described if row[6] in _HIDDEN]:
        raise _computes(f"the column '{computed[0]}' of '{name}' in {path.name} is computed", name)
    return name, [str(row[1]) for row in described]


def _computes(what: str, name: str) -> DataError:
    message = f"{what}: what a file computes is not run"
    remedy = f"keep its rows: CREATE TABLE {name}_rows AS SELECT * FROM {name}"
    return DataError(Diagnostic("UL233", message, remedy))


def _read(connection: sqlite3.Connection, table: str, columns: list[str]) -> pa.Table:
    """The rows, each column with the type of its values."""
    asked = ", ".join(f"GROUP_CONCAT(DISTINCT TYPEOF({quote(name)}))" for name in columns)
    row = connection.execute(f"SELECT {asked} FROM {quote(table)}").fetchone()
    kinds = [_kind({*str(types or "").split(",")} - {"null", ""}) for types in row]
    schema = pa.schema([pa.field(n, k[0]) for n, k in zip(columns, kinds, strict=True)])
    makers = [make for _, make in kinds]
    listed = ", ".join(map(quote, columns))
    cursor = connection.execute(f"SELECT {listed} FROM {quote(table)}")
    return pa.Table.from_batches(_batches(cursor, makers, schema), schema=schema)


def _batches(
    cursor: sqlite3.Cursor, makers: list[Callable[[Any], Any] | None], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(_ROWS):
        arrays = [
            pa.array([v if v is None or make is None else make(v) for v in values], kind)
            for values, make, kind in zip(
                zip(*rows, strict=True), makers, schema.types, strict=True
            )
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _kind(types: set[str]) -> tuple[pa.DataType, Callable[[Any], Any] | None]:
    """The type of a column by what SQLite calls its values, and what makes each value one of it."""
    if "blob" in types:
        return pa.binary(), lambda value: value if isinstance(value, bytes) else str(value).encode()
    if types == {"integer"}:
        return pa.int64(), None
    if types and types <= {"integer", "real"}:
        return pa.float64(), float
    return pa.string(), _text


def _text(value: object) -> str:
    """A value of a column of several kinds as text; whole numbers without a point.

    >>> _text(17.0), _text(17), _text("0017"), _text(1.5)
    ('17', '17', '0017', '1.5')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
