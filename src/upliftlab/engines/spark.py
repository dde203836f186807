"""Apache Spark: the same queries, transpiled, in a session this process shares.

A session takes seconds to start, so there is one per process, and an engine leaves it running.
An already active session (a notebook's, a cluster job's) is used as it is.
"""

from __future__ import annotations

import hashlib
import importlib
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.config.models import EngineSettings as Settings
from upliftlab.config.models import Source
from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.base import ColumnType
from upliftlab.engines.closed import connect
from upliftlab.engines.dialect import transpile
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.files import same_columns
from upliftlab.engines.json_rows import JsonType, is_list, json_types
from upliftlab.engines.kinds import kind_of, of_spark, require_sheets
from upliftlab.engines.parquet import join_files
from upliftlab.engines.place import Stamp, stamp_of
from upliftlab.engines.settings import require_master, require_sane
from upliftlab.engines.watch import Watch
from upliftlab.engines.wording import without_values
from upliftlab.errors import DataError, Diagnostic, EngineError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_Text = tuple[str | None, FileFormat | None, tuple[Stamp, ...]]
"""What tells a text of rows that was read from another: its files, and how they are written."""
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
_JSON: dict[JsonType, str] = {
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "VARCHAR": "STRING",
    "JSON": "VARIANT",
}
_TIMES: dict[str, ColumnType] = {"date": "date", "timestamp": "instant", "timestamp_ntz": "time"}


class Spark:
    """Spark SQL; `locate` turns a source's file into a path that may be read."""

    dialect = "spark"

    def __init__(self, locate: Callable[[str], Path], settings: Settings | None = None) -> None:
        """Join the active session or start a local one.

        Args:
            locate: Path of a file named by a source; raises where it may not be read.
            settings: `connection` is the master's address, `local[2]` or `spark://…`; threads and
                memory of a local session; the engine's defaults where absent.

        Raises:
            EngineError: UL504 to UL506 the settings are absurd, UL510 Spark is not installed, UL511
                it does not start.
        """
        asked = settings or Settings()
        require_sane(asked)
        if asked.connection is not None:
            require_master(asked.connection)
        self._locate = locate
        self._watch = Watch(locate)
        self._depth = 0
        self._confirmed = False
        self._tables: dict[str, tuple[Source, str]] = {}
        self._session = _session(asked)
        self._views: set[str] = set()
        self._kept: dict[str, tempfile.TemporaryDirectory[str]] = {}
        self._texts: dict[_Text, tempfile.TemporaryDirectory[str]] = {}

    @property
    def description(self) -> str:
        """Name and version, for the record."""
        return f"Apache Spark {self._session.version}"

    def attach(self, name: str, source: Source) -> None:
        """Make a file or a table of the catalogue readable under `name`.

        Raises:
            DataError: UL201 there is no such file, UL202 it cannot be read,
                UL203 its kind is not known, UL204 there is no such table, UL226 to UL232 it is
                damaged, not to be read or no longer the same.
        """
        with _refusals(
            lambda text: Diagnostic("UL204", f"Spark cannot read '{name}': {text}"), DataError
        ):
            self._register(name, self._frame(source))

    def load(self, name: str, files: Sequence[Path]) -> None:
        """Make Parquet files readable as one table under `name`."""
        with _refusals(
            lambda text: Diagnostic("UL202", f"{name} cannot be read: {text}"), DataError
        ):
            self._register(name, self._session.read.parquet(*(str(file) for file in files)))

    def fingerprint(self, source: Source) -> tuple[str, str]:
        """Where a source was read from, and a sha256: of a file's bytes, or of a table's rows.

        A table's rows are hashed one by one and added up, as they have no order.

        Raises:
            DataError: UL204 there is no such table; of a file as `attach`.
        """
        if source.file is not None:
            return self._watch.fingerprint(source.file, source.format)
        return str(source.table), self._first_digest(source)

    @contextmanager
    def reading(self) -> Generator[None]:
        """Hold every file and table to what it was when it was first looked at within the block.

        Raises:
            DataError: UL226 to UL232, one is damaged or changed.
        """
        if not self._depth:
            self._tables.clear()
        self._depth += 1
        try:
            with self._watch.reading():
                yield
                if not self._confirmed:
                    self.confirm()
        finally:
            self._depth -= 1

    def confirm(self) -> None:
        """Refuse what was read so far unless it is whole and was the same all the while.

        Raises:
            DataError: UL226 to UL232, as `attach`.
        """
        self._watch.confirm()
        for place, (source, digest) in self._tables.items():
            if self._digest(source) != digest:
                raise _changed(place)
        self._confirmed = True

    def columns(self, name: str) -> dict[str, ColumnType]:
        """The columns of an attached table, in order."""
        return {
            column: _family(kind) for column, kind in self._session.table(_backquoted(name)).dtypes
        }

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result.

        Raises:
            EngineError: UL502, the engine refuses the query.
        """
        with _refusals(
            lambda text: Diagnostic("UL502", f"Spark refuses a query: {text}"), EngineError
        ):
            return self._session.sql(transpile(sql, self.dialect)).toArrow()

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query and hand on its result, out of Parquet files in a temporary folder.

        Raises:
            EngineError: UL502, the engine refuses the query.
        """
        with tempfile.TemporaryDirectory(prefix="upliftlab-") as folder:
            with _refusals(
                lambda text: Diagnostic("UL502", f"Spark refuses a query: {text}"), EngineError
            ):
                frame = self._session.sql(transpile(sql, self.dialect))
                frame.write.mode("overwrite").parquet(folder)
            for part in sorted(Path(folder).glob("*.parquet")):
                with pq.ParquetFile(part) as file:
                    yield from file.iter_batches(rows)  # pyright: ignore[reportUnknownMemberType]

    def define(self, name: str, sql: str) -> None:
        """Make a query readable under `name`, as a temporary view."""
        with _refusals(
            lambda text: Diagnostic("UL502", f"Spark refuses a query: {text}"), EngineError
        ):
            self._register(name, self._session.sql(transpile(sql, self.dialect)))

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's result as Parquet files in a temporary folder.

        A cached table would be computed again where memory lacks, and could then differ.
        """
        folder = tempfile.TemporaryDirectory(prefix="upliftlab-")
        with _refusals(
            lambda text: Diagnostic("UL502", f"Spark refuses a query: {text}"), EngineError
        ):
            frame = self._session.sql(transpile(sql, self.dialect))
            frame.write.mode("overwrite").parquet(folder.name)
            self._register(name, self._session.read.schema(frame.schema).parquet(folder.name))
        if earlier := self._kept.pop(name, None):
            earlier.cleanup()
        self._kept[name] = folder

    def write(self, sql: str, destination: Path) -> int:
        """Write a query's result as one Parquet file and return its number of rows.

        Spark writes a folder of parts beside it, which are then copied into one file batch by
        batch: nothing is ever held whole.
        """
        with (
            tempfile.TemporaryDirectory(dir=destination.parent, prefix=".parts-") as folder,
            _refusals(
                lambda text: Diagnostic("UL502", f"Spark refuses a query: {text}"), EngineError
            ),
        ):
            frame = self._session.sql(transpile(sql, self.dialect))
            frame.write.mode("overwrite").option("compression", "zstd").parquet(folder)
            return join_files(sorted(Path(folder).glob("*.parquet")), destination)

    def close(self) -> None:
        """Forget the tables; the session stays for the next engine of this process."""
        self._watch.close()
        for name in self._views:
            self._session.catalog.dropTempView(name)
        self._views.clear()
        for folder in self._kept.values():
            folder.cleanup()
        self._kept.clear()
        for folder in self._texts.values():
            folder.cleanup()
        self._texts.clear()
        self._tables.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _register(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(_backquoted(name))
        self._views.add(name)

    def _frame(self, source: Source) -> DataFrame:
        self._confirmed = False
        if source.file is None:
            if self._depth:
                self._first_digest(source)
            return self._table(source)
        paths = self._watch.files(source.file, source.format)
        kind = kind_of(paths)
        require_sheets(kind, paths, source)
        if kind.name == "csv":
            return self._text(source, paths)
        if kind.name == "json":
            return self._json(paths)
        if kind.name == "parquet":
            same_columns(paths)
            return self._session.read.parquet(*map(str, paths))
        message = f"Spark does not read {paths[0].name}"
        remedy = f"use {of_spark()}, or leave 'engine' out"
        raise DataError(Diagnostic("UL203", message, remedy))

    def _table(self, source: Source) -> DataFrame:
        """A table of the catalogue; never a path that Spark would take for one."""
        name = _table_name(source)
        if not self._session.catalog.tableExists(name):
            message = f"Spark's catalogue has no table '{source.table}'"
            raise DataError(Diagnostic("UL204", message, "check 'table'"))
        return self._session.table(name)

    def _first_digest(self, source: Source) -> str:
        place = str(source.table)
        if not self._depth:
            return self._digest(source)
        if place not in self._tables:
            self._tables[place] = (source, self._digest(source))
        return self._tables[place][1]

    def _digest(self, source: Source) -> str:
        """A sha256 of a table's columns and of the sum of its rows' hashes."""
        frame = self._table(source)
        sums = frame.selectExpr(
            "CAST(COALESCE(SUM(CAST(XXHASH64(*) AS DECIMAL(38, 0))), 0) AS STRING) AS total",
            "COUNT(*) AS size",
        ).first()
        text = f"{frame.columns} {sums['total']} {sums['size']}" if sums else ""
        return hashlib.sha256(text.encode()).hexdigest()

    def _json(self, paths: Sequence[Path]) -> DataFrame:
        """JSON files with the types that the embedded engine finds in all rows."""
        with closing(connect({}, [path.parent for path in paths])) as connection:
            types = json_types(connection, paths)
        schema = ", ".join(f"{_backquoted(name)} {_JSON[kind]}" for name, kind in types.items())
        options = {"mode": "FAILFAST", "multiLine": str(is_list(paths[0])).lower()}
        return self._session.read.schema(schema).options(**options).json([*map(str, paths)])

    def _text(self, source: Source, paths: Sequence[Path]) -> DataFrame:
        """Texts of rows, as the embedded engine reads them: as Parquet files it has written.

        Spark's own reader passes over rows and bytes that it does not understand, if only some
        columns are asked for, and reads a text with quoted line breaks by one thread as well.
        """
        key = source.file, source.format, tuple(map(stamp_of, paths))
        if key not in self._texts:
            folder = tempfile.TemporaryDirectory(prefix="upliftlab-")
            self._texts[key] = folder
            with DuckDB(self._locate) as reader:
                reader.attach("read", source)
                reader.write("SELECT * FROM read", Path(folder.name) / "rows.parquet")
        return self._session.read.parquet(self._texts[key].name)


def _session(settings: Settings) -> SparkSession:
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and slow to import

        with warnings.catch_warnings():
            # Imported by Spark in passing, with a warning about pandas, which is not used here.
            warnings.filterwarnings("ignore", "PySpark does not yet fully support", FutureWarning)
            importlib.import_module("pyspark.testing.utils")
    except ImportError as error:
        raise EngineError(
            Diagnostic("UL510", "Spark is not installed", "pip install 'upliftlab[spark]'")
        ) from error
    if active := SparkSession.getActiveSession():
        return active
    master = settings.connection or f"local[{settings.threads or '*'}]"
    builder: Any = SparkSession.builder  # a property for classes, which type checkers cannot see
    builder = builder.master(master).appName("upliftlab")
    for key, value in _OPTIONS.items():
        builder = builder.config(key, value)
    if settings.memory_limit:
        builder = builder.config("spark.driver.memory", settings.memory_limit.replace(" ", ""))
    with _refusals(lambda text: Diagnostic("UL511", f"Spark does not start: {text}"), EngineError):
        return builder.getOrCreate()


_OPTIONS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.shuffle.partitions": "16",
    "spark.sql.runSQLOnFiles": "false",
}


@contextmanager
def _refusals(
    fault: Callable[[str], Diagnostic], kind: type[DataError | EngineError]
) -> Generator[None]:
    """Turn what Spark and its Java side raise into one fault with their first line."""
    # Both come with the extra; py4j has no types.
    from py4j.protocol import Py4JError  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (PySparkException, Py4JError) as error:
        java: Any = getattr(error, "java_exception", None)
        message = str(java.getMessage() if java else error)
        raise kind(fault(without_values(message, "'"))) from error


def _changed(place: str) -> DataError:
    message = f"{place} changed while it was read"
    return DataError(Diagnostic("UL232", message, "run it again when nobody writes to it"))


def _table_name(source: Source) -> str:
    return ".".join(_backquoted(part) for part in str(source.table).split("."))


def _backquoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _family(kind: str) -> ColumnType:
    """The family of a Spark type.

    >>> _family("decimal(18,3)"), _family("timestamp_ntz"), _family("array<int>")
    ('number', 'time', 'other')
    """
    name = kind.split("(", 1)[0]
    if name in _NUMBERS:
        return "number"
    if name in ("string", "varchar", "char"):
        return "text"
    if name == "boolean":
        return "boolean"
    return _TIMES.get(name, "other")
