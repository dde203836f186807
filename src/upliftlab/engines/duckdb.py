"""The embedded engine: CSV, CSV.gz, Parquet and tables of .duckdb files, read where they lie."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa

from upliftlab.declarations import Engine as Settings
from upliftlab.declarations import Source
from upliftlab.engines.base import ColumnType
from upliftlab.engines.parquet import parquet_files
from upliftlab.errors import DataError, EngineError, Fault
from upliftlab.sql import literal, quote

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_TIMES = ("DATE", "TIME", "INTERVAL")


class DuckDB:
    """DuckDB in this process; `locate` turns a source's file into a path that may be read."""

    dialect = "duckdb"

    def __init__(
        self,
        locate: Callable[[str], Path],
        settings: Settings | None = None,
        folder: Path | None = None,
    ) -> None:
        """Open an empty database in memory.

        Args:
            locate: Path of a file named by a source; raises where it may not be read.
            settings: Threads and memory; the engine's defaults where absent.
            folder: Where a result too large for memory is spilled.

        Raises:
            EngineError: UL501, the settings are refused.
        """
        self._locate = locate
        chosen: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
            # It lets a CSV reader fail on a text that TRY_CAST would turn into NULL.
            "disabled_optimizers": "type_pushdown",
        }
        if settings and settings.threads:
            chosen["threads"] = settings.threads
        if settings and settings.memory_limit:
            chosen["memory_limit"] = settings.memory_limit
        if folder:
            chosen["temp_directory"] = str(folder)
        try:
            self._connection = duckdb.connect(":memory:", config=chosen)
        except duckdb.Error as error:
            raise EngineError(
                Fault("UL501", f"DuckDB refuses its settings: {_first(error)}")
            ) from error

    @property
    def description(self) -> str:
        """Name and version, for the record."""
        return f"DuckDB {duckdb.__version__}"

    def attach(self, name: str, source: Source) -> None:
        """Make a file's table readable under `name`.

        Raises:
            DataError: UL201 there is no such file, UL202 it cannot be read,
                UL203 its kind is not known, UL204 there is no such table in it.
        """
        path = self._path(source)
        relation = self._relation(path, source, name)
        try:
            self._connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS FROM {relation}"
            )
        except duckdb.CatalogException as error:
            raise DataError(
                Fault("UL204", f"{path.name} has no table '{source.table}'", "check 'table'")
            ) from error
        except duckdb.Error as error:
            raise _unreadable(path.name, error) from error

    def load(self, name: str, files: Sequence[Path]) -> None:
        """Make Parquet files readable as one table under `name`.

        Raises:
            DataError: UL202 they cannot be read, UL203 a path's signs would name other files too.
        """
        paths = [file for folder in files for file in parquet_files(folder)]
        for path in paths:
            _refuse_pattern(path)
        listed = ", ".join(literal(str(path)) for path in paths)
        try:
            self._connection.execute(
                f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS FROM read_parquet([{listed}])"
            )
        except duckdb.Error as error:
            raise _unreadable(name, error) from error

    def fingerprint(self, source: Source) -> tuple[str, str]:
        """The file a source was read from, and the sha256 of its bytes."""
        path = self._path(source)
        with path.open("rb") as file:
            return path.name, hashlib.file_digest(file, "sha256").hexdigest()

    def columns(self, name: str) -> dict[str, ColumnType]:
        """The columns of an attached table, in order."""
        described = self._run(f"DESCRIBE {quote(name)}").to_pydict()
        return {
            column: _family(kind)
            for column, kind in zip(described["column_name"], described["column_type"], strict=True)
        }

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result.

        Raises:
            DataError: UL202, a row cannot be read.
            EngineError: UL502, the engine refuses the query.
        """
        return self._run(sql)

    def write(self, sql: str, destination: Path) -> int:
        """Write a query's result as one Parquet file and return its number of rows."""
        # Level 1: hashes are no smaller at a higher one, and a quarter of the time is saved.
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
        target = f"COPY ({sql}) TO {literal(str(destination))} ({options})"
        return int(self._run(target)["Count"][0].as_py())

    def close(self) -> None:
        """Let go of the data."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self, sql: str) -> pa.Table:
        try:
            return self._connection.sql(sql).to_arrow_table()
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            raise _unreadable("the data", error) from error
        except duckdb.ConversionException as error:
            message = f"a value is not what a condition takes it for: {_first(error)}"
            raise DataError(Fault("UL214", message, "check 'eligible' and the column")) from error
        except duckdb.Error as error:
            raise EngineError(Fault("UL502", f"DuckDB refuses a query: {_first(error)}")) from error
        except RuntimeError as error:
            # What Ctrl-C during a query becomes.
            if "interrupted" in str(error).lower():
                raise KeyboardInterrupt from error
            raise

    def _path(self, source: Source) -> Path:
        if source.file is None:
            raise DataError(
                Fault("UL203", "the embedded engine reads files; the source names none")
            )
        path = self._locate(source.file)
        if not path.is_file():
            raise DataError(
                Fault(
                    "UL201",
                    f"there is no file {source.file} in {path.parent}",
                    "name its folder by --data",
                )
            )
        return path

    def _relation(self, path: Path, source: Source, name: str) -> str:
        """The FROM clause of a file. CSV is read as text: types are the experiment's to give."""
        _refuse_pattern(path)
        where, kinds = literal(str(path)), path.name.lower()
        if kinds.endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz")):
            return _csv(path)
        if kinds.endswith(".parquet"):
            return f"read_parquet({where})"
        if kinds.endswith((".duckdb", ".db")):
            return self._table(path, source, name)
        raise DataError(
            Fault(
                "UL203",
                f"{path.name} is of no known kind",
                "use .csv, .csv.gz, .parquet or .duckdb",
            )
        )

    def _table(self, path: Path, source: Source, name: str) -> str:
        if source.table is None:
            raise DataError(
                Fault("UL204", f"{path.name} holds several tables", "name one by 'table'")
            )
        database = f"file_of_{name}"
        try:
            self._connection.execute(f"DETACH DATABASE IF EXISTS {quote(database)}")
            self._connection.execute(
                f"ATTACH {literal(str(path))} AS {quote(database)} (READ_ONLY)"
            )
        except duckdb.Error as error:
            raise _unreadable(path.name, error) from error
        return ".".join(quote(part) for part in (database, *source.table.split(".")))


def _refuse_pattern(path: Path) -> None:
    if any(sign in str(path) for sign in "*?[]{}"):
        raise DataError(Fault("UL203", f"the path {path} holds one of * ? [ ] {{ }}", "rename it"))


def _csv(path: Path) -> str:
    """The FROM clause of a CSV file, every column as text.

    Nothing is left to the engine's guess: its sniffer skips leading rows that do not fit the rest.
    """
    delimiter, names = csv_header(path)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = {
        "columns": f"{{{columns}}}",
        "delim": literal(delimiter),
        "quote": "'\"'",
        "escape": "'\"'",
        "comment": "''",
        "compression": "'gzip'" if path.suffix == ".gz" else "'none'",
    }
    given = ", ".join(f"{key} = {value}" for key, value in options.items())
    return f"read_csv({literal(str(path))}, auto_detect = false, header = true, {given})"


def csv_header(path: Path) -> tuple[str, list[str]]:
    """The separator of a CSV file (the commonest candidate in its first line) and its columns."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            line = file.readline(1 << 16).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(
            Fault("UL202", f"{path.name} cannot be read: {error}", "mend the file")
        ) from error
    if not line.strip():
        raise DataError(Fault("UL202", f"{path.name} is empty", "its first line names the columns"))
    outside = re.sub(r'"[^"]*"', "", line)
    delimiter = max(",;\t|", key=outside.count)
    names = next(csv.reader([line], delimiter=delimiter))
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(Fault("UL202", f"{path.name} has two columns '{twice[0]}'", "rename one"))
    return delimiter, names


def _first(error: duckdb.Error) -> str:
    """An engine's message in one line: without its class, its advice and the row's own content."""
    head, *rest = str(error).split("\n")
    head = head.split(": ", 1)[-1]
    if not head.startswith("CSV Error"):
        return head
    reason = next((line for line in rest if line and not line.startswith("Original Line")), "")
    return f"line {head.rsplit(' ', 1)[-1]}: {reason}"


def _unreadable(what: str, error: duckdb.Error) -> DataError:
    reason = _first(error)
    remedy = "save it as UTF-8" if "utf-8" in reason else "mend the file"
    return DataError(Fault("UL202", f"{what} cannot be read: {reason}", remedy))


def _family(kind: str) -> ColumnType:
    """The family of an SQL type.

    >>> _family("DECIMAL(18,3)"), _family("UBIGINT"), _family("TIMESTAMP WITH TIME ZONE")
    ('number', 'number', 'time')
    """
    name = kind.upper().split("(")[0]
    if name.removeprefix("U") in _NUMBERS:
        return "number"
    if name in ("VARCHAR", "ENUM", "UUID"):
        return "text"
    if name == "BOOLEAN":
        return "boolean"
    return "time" if name.startswith(_TIMES) else "other"
