"""DuckDB with its doors closed: no network, no extensions, no files but those of some folders."""
# ruff: noqa: S608 - only words of the house are joined, values are parameters

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.sql import literal

Option = str | bool | int | float | list[str]


def connect(options: Mapping[str, Option], folders: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A database in memory that opens files below `folders` and nothing else.

    Neither a query nor what lies in an attached file can open the doors again: the settings are
    locked, and links are followed before a path is compared.

    Args:
        options: What DuckDB is opened with.
        folders: They need not exist yet.

    Raises:
        duckdb.Error: The options are refused.
    """
    closed: dict[str, Option] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
        "python_enable_replacements": False,
    }
    connection = duckdb.connect(":memory:", config={**options, **closed})
    allowed = ", ".join(literal(str(folder.resolve())) for folder in folders)
    # Where there is none, as in a notebook without widgets, even switching it off is refused.
    bar = connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()
    for setting in (
        "TimeZone = 'UTC'",
        *(("enable_progress_bar = false",) if bar != (False,) else ()),
        f"allowed_directories = [{allowed}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


@contextmanager
def interruptible() -> Generator[None]:
    """Let Ctrl-C be Ctrl-C: inside a statement DuckDB makes an error of its own out of it."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


def base_table(
    connection: duckdb.DuckDBPyConnection, database: str, table: str, file: str
) -> tuple[str, str]:
    """The schema and name of a table of an attached file that holds data and computes nothing.

    A view or a computed column is a program that the file's author wrote, which would run here with
    the reader's rights.

    Args:
        connection: Where the file is attached.
        database: The name it is attached under.
        table: The table's name, with its schema before a dot if need be.
        file: What messages call the file.

    Raises:
        DataError: UL204 there is no such table, UL233 it is a view or has computed columns.
    """
    schema, _, name = table.rpartition(".")
    where = "database_name = ? AND lower(schema_name) = lower(?) AND lower({}) = lower(?)"
    asked = (database, schema or "main", name)
    found = connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables()"
        f" WHERE NOT internal AND {where.format('table_name')}",
        asked,
    ).fetchone()
    if found is None:
        views = f"SELECT 1 FROM duckdb_views() WHERE {where.format('view_name')}"
        if connection.execute(views, asked).fetchone():
            raise _computes(file, f"'{table}' is a view", name)
        raise DataError(Diagnostic("UL204", f"{file} has no table '{table}'", "check 'table'"))
    computed = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE is_generated <> 'NEVER'"
        " AND table_catalog = ? AND table_schema = ? AND table_name = ?",
        (database, *found),
    ).fetchone()
    if computed:
        raise _computes(file, f"the column '{computed[0]}' of '{table}' is computed", name)
    return found[0], found[1]


def _computes(file: str, what: str, name: str) -> DataError:
    message = f"{what} in {file}: what a file computes is not run"
    remedy = f"keep its rows: CREATE TABLE {name}_rows AS FROM {name}"
    return DataError(Diagnostic("UL233", message, remedy))
