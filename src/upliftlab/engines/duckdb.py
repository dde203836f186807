"""The embedded engine: files of every kind, most of them read where they lie."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self

import duckdb
import pyarrow as pa

from upliftlab.config.models import EngineSettings as Settings
from upliftlab.config.models import Source
from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.base import ColumnType
from upliftlab.engines.closed import base_table, connect, interruptible
from upliftlab.engines.files import same_columns
from upliftlab.engines.frames import FrameTable, TableOverrides, location_of
from upliftlab.engines.held import HeldTable
from upliftlab.engines.holding import HELD, hold
from upliftlab.engines.json_rows import json_arguments, json_fault, json_types
from upliftlab.engines.kinds import FileKind, kind_of, require_sheets
from upliftlab.engines.parquet import parquet_files
from upliftlab.engines.place import disk_full
from upliftlab.engines.settings import require_sane
from upliftlab.engines.text_tables import TextTables
from upliftlab.engines.watch import Watch
from upliftlab.engines.wording import without_values
from upliftlab.errors import DataError, Diagnostic, EngineError
from upliftlab.util.sql import literal, quote

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_REFUSED = (duckdb.InvalidInputException, duckdb.NotImplementedException)
"""What a reader of texts raises."""
_COMPUTING = (duckdb.OutOfRangeException, duckdb.ConversionException, duckdb.TypeMismatchException)
_FULL = ("No space left", "File too large", "max_temp_directory_size", "Disk quota exceeded")
_TIMES: dict[str, ColumnType] = {"DATE": "date", "TIMESTAMP WITH TIME ZONE": "instant"}


class DuckDB:
    """DuckDB in this process; `locate` turns a source's file into a path that may be read."""

    dialect = "duckdb"

    def __init__(
        self,
        locate: Callable[[str], Path],
        settings: Settings | None = None,
        folder: Path | None = None,
        folders: Sequence[Path] | None = None,
        overrides: TableOverrides | None = None,
    ) -> None:
        """Open an empty database in memory.

        Args:
            locate: Path of a file named by a source; raises where it may not be read.
            settings: Threads and memory; the engine's defaults where absent.
            folder: Where a result too large for memory is spilled; a private temporary folder
                where absent.
            folders: Folders beside those of the data that are read and written, such as the
                ledger; where absent, only `locate` decides what is opened.
            overrides: Frames and files that are read instead of those that sources name.

        Raises:
            EngineError: UL501 the settings are refused, UL504 and UL505 they are absurd.
        """
        if settings:
            require_sane(settings)
        self._overrides = overrides or TableOverrides()
        if folders is not None:
            folders = [*folders, *self._overrides.folders]
        self._watch = Watch(self._overrides.locate(locate))
        self._held: dict[object, HeldTable] = {}
        self._json: dict[object, str] = {}
        self._unusable: dict[str, Diagnostic] = {}
        spill = folder or Path(tempfile.mkdtemp(prefix="upliftlab-"))
        # Also where nobody closes the engine.
        copies = spill / "texts"
        own = [copies] if folder else [spill]
        self._texts = TextTables(copies)
        self._clean = weakref.finalize(self, _remove, own)
        chosen: dict[str, str | bool | int | float | list[str]] = {
            "preserve_insertion_order": False,
            # It lets a CSV reader fail on a text that TRY_CAST would turn into NULL.
            "disabled_optimizers": "type_pushdown",
            "temp_directory": str(spill),
        }
        if settings and settings.threads:
            chosen["threads"] = settings.threads
        if settings and settings.memory_limit:
            chosen["memory_limit"] = settings.memory_limit
        try:
            self._connection = connect(chosen, _allowed(locate, folders, copies))
        except duckdb.Error as error:
            message = f"DuckDB refuses its settings: {without_values(_first(error))}"
            raise EngineError(Diagnostic("UL501", message)) from error

    @property
    def description(self) -> str:
        """Name and version, for the record."""
        return f"DuckDB {duckdb.__version__}"

    def attach(self, name: str, source: Source) -> None:
        """Make a file's table readable under `name`.

        Raises:
            DataError: UL201 there is no such file, UL202 it cannot be read,
                UL203 its kind is not known, UL204 there is no such table in it, UL226 to UL232 it
                is damaged, not to be read or no longer the same, UL233 it is no table of data,
                UL234 it was not closed, UL261 to UL266 it is no text of rows.
            EngineError: UL507, there is no room for the copy of a text.
        """
        self._texts.forget(name)
        if (frame := self._overrides.frame(source)) is not None:
            self._register(name, source, frame)
            return
        source = self._overrides.source(source)
        paths = self._files(source)
        self._show(name, self._relation(paths, source, name), paths[0].name)

    def load(self, name: str, files: Sequence[Path]) -> None:
        """Make Parquet files readable as one table under `name`.

        Raises:
            DataError: UL202 they cannot be read, UL203 a path's signs would name other files too.
        """
        paths = [file for folder in files for file in parquet_files(folder)]
        for path in paths:
            _refuse_pattern(path)
        self._texts.forget(name)
        self._show(name, f"read_parquet({_listed(paths)})", name)

    def fingerprint(self, source: Source) -> tuple[str, str]:
        """The files a source was read from, and a sha256 of the bytes that were read.

        Of a frame its kind, and a sha256 of its content.

        Raises:
            DataError: UL201, UL203 and UL226 to UL232, as `attach`.
        """
        if (frame := self._overrides.frame(source)) is not None:
            digest = self._watch.content(location_of(source), frame.fingerprint)
            return frame.described, digest.result()
        source = self._overrides.source(source)
        self._files(source)
        return self._watch.fingerprint(str(source.file), source.format)

    def reading(self) -> AbstractContextManager[None]:
        """Hold every file to what it was when it was first looked at within the block.

        Raises:
            DataError: UL226 to UL232, a file is damaged or changed.
        """
        return self._watch.reading()

    def confirm(self) -> None:
        """Refuse what was read so far unless it is whole and was the same all the while.

        Raises:
            DataError: UL226 to UL232, as `attach`.
        """
        self._watch.confirm()

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

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query and hand on its result, at most so many rows at a time.

        Raises:
            DataError: UL202, a row cannot be read.
            EngineError: UL502, the engine refuses the query.
        """
        with self._refusals():
            begun = False
            try:
                for batch in self._connection.sql(sql).to_arrow_reader(rows):
                    begun = True
                    yield batch
            except _REFUSED as error:
                if begun or not self._mended(error):
                    raise
                yield from self._connection.sql(sql).to_arrow_reader(rows)

    def define(self, name: str, sql: str) -> None:
        """Make a query readable under `name`, as a temporary view."""
        with self._refusals():
            self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS {sql}")

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's result as a temporary table, which spills to disk beyond the memory."""
        self._run(f"CREATE OR REPLACE TEMP TABLE {quote(name)} AS {sql}")

    def write(self, sql: str, destination: Path) -> int:
        """Write a query's result as one Parquet file and return its number of rows."""
        # Level 1: hashes are no smaller at a higher one, and a quarter of the time is saved.
        options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"
        target = f"COPY ({sql}) TO {literal(str(destination))} ({options})"
        return int(self._run(target)["Count"][0].as_py())

    def close(self) -> None:
        """Let go of the data."""
        self._watch.close()
        self._connection.close()
        self._clean()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self, sql: str) -> pa.Table:
        with self._refusals():
            try:
                return self._connection.sql(sql).to_arrow_table()
            except _REFUSED as error:
                if not self._mended(error):
                    raise
                return self._connection.sql(sql).to_arrow_table()

    def _mended(self, error: duckdb.Error) -> bool:
        """Whether a text that was refused can be read in another way, and now is."""
        if "CSV" not in str(error):
            return False
        views = list(self._texts.mended(self._is_readable))
        for name, relation in views:
            self._show(name, relation, name)
        return bool(views)

    def _is_readable(self, relation: str) -> bool:
        counted = f"SELECT COUNT(COLUMNS(*)) FROM {relation}"  # noqa: S608 - made by TextTables
        try:
            with interruptible():
                self._connection.execute(counted)
        except _REFUSED:
            return False
        return True

    def _show(self, name: str, relation: str, what: str) -> None:
        made = f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS FROM {relation}"
        try:
            with interruptible():
                self._connection.execute(made)
        except duckdb.Error as error:
            raise _unreadable(what, error) from error

    @contextmanager
    def _refusals(self) -> Generator[None]:
        """Turn what the engine refuses into one fault, which repeats no value of the data."""
        try:
            with interruptible():
                yield
        except (duckdb.InvalidInputException, duckdb.IOException) as error:
            if fault := self._unusable.get(str(error).partition(": ")[2]):
                raise DataError(fault) from error
            raise _full(error) or _unreadable("the data", error) from error
        except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
            large = isinstance(error, duckdb.OutOfRangeException)
            what = "too large for a condition" if large else "not what a condition takes it for"
            message = f"a value is {what}: {without_values(_first(error), numbers=True)}"
            remedy = "check the condition and the column"
            raise DataError(Diagnostic("UL214", message, remedy)) from error
        except duckdb.OutOfMemoryException as error:
            raise _full(error) or _cramped(error) from error
        except duckdb.Error as error:
            reason = without_values(_first(error), "'", numbers=isinstance(error, _COMPUTING))
            raise EngineError(Diagnostic("UL502", f"DuckDB refuses a query: {reason}")) from error

    def _register(self, name: str, source: Source, frame: FrameTable) -> None:
        """Read a frame in its own memory; it is hashed beside the queries."""
        self._watch.content(location_of(source), frame.fingerprint)
        held = f"frame_of_{name}"
        listed = ", ".join(map(quote, frame.table.column_names))
        query = f"SELECT {listed} FROM {quote(held)}"  # noqa: S608 - names through quote()
        made = f"CREATE OR REPLACE TEMP VIEW {quote(name)} AS {query}"
        try:
            with interruptible():
                self._connection.register(held, frame.counted_first)
                self._connection.execute(made)
        except duckdb.Error as error:
            raise _unreadable(f"the {frame.described}", error) from error

    def files(self, source: Source) -> list[Path]:
        """The files of a source, which are watched from now on.

        Raises:
            DataError: UL201, UL203 and UL229 to UL232, as `attach`.
        """
        return self._files(source)

    def _files(self, source: Source) -> list[Path]:
        if source.file is None:
            message = "the embedded engine reads files; the source names none"
            remedy = "name a 'file', or in Python give a frame in its place"
            raise DataError(Diagnostic("UL203", message, remedy))
        paths = self._watch.files(source.file, source.format)
        for path in paths:
            _refuse_pattern(path)
        return paths

    def _relation(self, paths: Sequence[Path], source: Source, name: str) -> str:
        """The FROM clause of files. CSV is read as text: types are the experiment's to give."""
        kind = kind_of(paths)
        require_sheets(kind, paths, source)
        if kind.name in HELD:
            return self._in_memory(kind, paths, source, name)
        if kind.name == "csv":
            return self._texts.relation(name, paths, source.format or FileFormat())
        if kind.name == "json":
            return self._rows(paths)
        if kind.name == "parquet":
            same_columns(paths)
            return f"read_parquet({_listed(paths)}, union_by_name = true)"
        return self._table(paths, source, name)

    def _in_memory(self, kind: FileKind, paths: Sequence[Path], source: Source, name: str) -> str:
        """Files that are taken into memory, once for as long as they stay the same.

        A column that must not be used fails where a query asks for it, and only there.
        """
        skip = source.format.skip if source.format else 0
        key = (self._watch.stamps(paths), source.sheet, source.table, skip)
        if key not in self._held:
            self._held[key] = hold(kind, paths, source)
        held, alias = self._held[key], f"held_of_{name}"
        self._connection.register(alias, FrameTable(kind.name, held.table).counted_first)
        listed = ", ".join(
            self._failing(column, held.unusable[column])
            if column in held.unusable
            else quote(column)
            for column in held.table.column_names
        )
        return f"(SELECT {listed} FROM {quote(alias)})"  # noqa: S608 - names through quote()

    def _failing(self, column: str, fault: Diagnostic) -> str:
        """A column that keeps its type, and whose values cannot be had."""
        said, name = str(fault), quote(column)
        self._unusable[said] = fault
        return f"CASE WHEN TRUE THEN ERROR({literal(said)}) ELSE {name} END AS {name}"

    def _rows(self, paths: Sequence[Path]) -> str:
        """JSON, whose types are those of all rows; they are looked for once."""
        key = self._watch.stamps(paths)
        if key not in self._json:
            types = json_types(self._connection, paths)
            columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
            self._json[key] = f"read_json({json_arguments(paths)}, columns = {{{columns}}})"
        return self._json[key]

    def _table(self, paths: Sequence[Path], source: Source, name: str) -> str:
        """A table of data in a database file: nothing that the file would have us compute."""
        path = paths[0]
        if source.table is None:
            raise DataError(
                Diagnostic("UL204", f"{path.name} holds several tables", "name one by 'table'")
            )
        if len(paths) > 1:
            raise DataError(
                Diagnostic("UL203", f"'{source.file}' names several databases", "name one")
            )
        if path.with_name(f"{path.name}.wal").exists():
            message = f"{path.name} was not closed: what was last written lies beside it"
            raise DataError(
                Diagnostic("UL234", message, "open it once more in DuckDB and close it")
            )
        database = f"file_of_{name}"
        options = "(READ_ONLY, TYPE duckdb)"
        try:
            with interruptible():
                self._connection.execute(f"DETACH DATABASE IF EXISTS {quote(database)}")
                self._connection.execute(
                    f"ATTACH {literal(str(path))} AS {quote(database)} {options}"
                )
        except duckdb.Error as error:
            raise _unreadable(path.name, error) from error
        found = base_table(self._connection, database, source.table, path.name)
        return ".".join(quote(part) for part in (database, *found))


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _allowed(
    locate: Callable[[str], Path], folders: Sequence[Path] | None, copies: Path
) -> list[Path]:
    """The folders whose files may be opened: the data's and those named; all where none are."""
    return [Path("/")] if folders is None else [locate("."), *folders, copies]


def _full(error: duckdb.Error) -> EngineError | None:
    """What a full disk means; None where that is not what it is."""
    return disk_full() if any(words in str(error) for words in _FULL) else None


def _cramped(error: duckdb.Error) -> EngineError:
    message = f"DuckDB lacks memory: {without_values(_first(error), '')}"
    return EngineError(Diagnostic("UL508", message, "raise 'memory_limit' or lower 'threads'"))


def _refuse_pattern(path: Path) -> None:
    if any(sign in str(path) for sign in "*?[]{}"):
        raise DataError(
            Diagnostic("UL203", f"the path {path} holds one of * ? [ ] {{ }}", "rename it")
        )


def _listed(paths: Sequence[Path]) -> str:
    return f"[{', '.join(literal(str(path)) for path in paths)}]"


def _first(error: duckdb.Error) -> str:
    """An engine's message in one line: without its class and its advice."""
    return str(error).split("\n", 1)[0].split(": ", 1)[-1]


def _unreadable(what: str, error: duckdb.Error) -> DataError:
    if fault := json_fault(error):
        return fault
    if "CSV" in str(error):
        message = f"a row of {what} cannot be read"
        return DataError(Diagnostic("UL202", message, "save the CSV file anew, in UTF-8"))
    quotes = "'" if isinstance(error, duckdb.IOException) else "'\""
    reason = without_values(_first(error), quotes)
    return DataError(Diagnostic("UL202", f"{what} cannot be read: {reason}", "mend the file"))


def _family(kind: str) -> ColumnType:
    """The family of an SQL type.

    >>> _family("DECIMAL(18,3)"), _family("TIMESTAMP_NS"), _family("TIMESTAMP WITH TIME ZONE")
    ('number', 'time', 'instant')
    """
    name = kind.upper().split("(")[0]
    if name.removeprefix("U") in _NUMBERS:
        return "number"
    if name in ("VARCHAR", "ENUM", "UUID"):
        return "text"
    if name == "BOOLEAN":
        return "boolean"
    return _TIMES.get(name, "time" if name.startswith("TIMESTAMP") else "other")
