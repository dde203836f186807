"""An engine that reads files with pyarrow and asks DuckDB only for SQL over what was read.

Its dialect is its own, so that every query reaches it translated.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from sqlglot.dialects.duckdb import DuckDB as DuckDBDialect

from upliftlab.config.models import EngineSettings, Source
from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.base import ColumnType, EngineKind, Locate
from upliftlab.engines.dialect import transpile
from upliftlab.engines.files import same_columns
from upliftlab.engines.kinds import kind_of
from upliftlab.engines.parquet import parquet_files
from upliftlab.engines.text_header import text_tables
from upliftlab.engines.watch import Watch
from upliftlab.errors import DataError, Diagnostic, EngineError
from upliftlab.util.sql import quote


class ShopLake(DuckDBDialect):
    """DuckDB's words under another name, which sqlglot knows from now on."""


class LakeSettings(EngineSettings):
    """The keys under `engine: {name: lake}`."""

    compression: Literal["zstd", "snappy"] = "zstd"
    """How written files are compressed."""


class Lake:
    """Arrow tables in memory, asked with SQL."""

    dialect = "shoplake"

    def __init__(self, settings: LakeSettings, locate: Locate) -> None:
        self._compression = settings.compression
        self._watch = Watch(locate)
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET TimeZone = 'UTC'")

    @property
    def description(self) -> str:
        return f"Shop Lake on pyarrow {pa.__version__}"

    def attach(self, name: str, source: Source) -> None:
        self._hold(name, self._read(source))

    def load(self, name: str, files: Sequence[Path]) -> None:
        self._hold(name, _parquet([path for file in files for path in parquet_files(file)]))

    def fingerprint(self, source: Source) -> tuple[str, str]:
        self._watch.files(_file(source))
        return self._watch.fingerprint(_file(source))

    @contextmanager
    def reading(self) -> Generator[None]:
        with self._watch.reading():
            yield

    def confirm(self) -> None:
        self._watch.confirm()

    def columns(self, name: str) -> dict[str, ColumnType]:
        schema = self._ask(f"SELECT * FROM {quote(name)} LIMIT 0").schema
        return {field.name: _family(field.type) for field in schema}

    def query(self, sql: str) -> pa.Table:
        return self._ask(transpile(sql, self.dialect))

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        yield from self.query(sql).to_batches(max_chunksize=rows)

    def keep(self, name: str, sql: str) -> None:
        self._hold(name, self.query(sql))

    def write(self, sql: str, destination: Path) -> int:
        found = self.query(sql)
        pq.write_table(found, destination, compression=self._compression)
        return found.num_rows

    def close(self) -> None:
        self._watch.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _hold(self, name: str, table: pa.Table) -> None:
        self._connection.register(name, table)

    def _ask(self, sql: str) -> pa.Table:
        try:
            return self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            message = f"Shop Lake refuses a query ({type(error).__name__})"
            raise EngineError(Diagnostic("UL502", message)) from error

    def _read(self, source: Source) -> pa.Table:
        paths = self._watch.files(_file(source))
        if kind_of(paths).name == "csv":
            return _csv(paths)
        same_columns(paths)
        return _parquet(paths)


def _file(source: Source) -> str:
    if source.file is None:
        raise DataError(Diagnostic("UL203", "Shop Lake reads files; the source names none"))
    return source.file


def _parquet(paths: Sequence[Path]) -> pa.Table:
    try:
        tables = [pq.ParquetFile(path).read() for path in paths]
    except (pa.ArrowInvalid, OSError) as error:
        message = f"{paths[0].name} cannot be read ({type(error).__name__})"
        raise DataError(Diagnostic("UL202", message, "write it again")) from error
    return pa.concat_tables(tables, promote_options="permissive")


def _csv(paths: Sequence[Path]) -> pa.Table:
    first, *_ = text_tables(paths, FileFormat())
    delimiter, names = first.delimiter, first.columns
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    tables = [csv.read_csv(path, parse_options=parse, convert_options=convert) for path in paths]
    return pa.concat_tables(tables)


def _family(kind: pa.DataType) -> ColumnType:
    if pa.types.is_timestamp(kind):
        return "time" if kind.tz is None else "instant"
    families: tuple[tuple[object, ColumnType], ...] = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_date, "date"),
        (pa.types.is_string, "text"),
        (pa.types.is_integer, "number"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
    )
    return next((family for test, family in families if test(kind)), "other")


def open_lake(settings: LakeSettings, locate: Locate, _folders: Sequence[Path]) -> Lake:
    return Lake(settings, locate)


lake = EngineKind(open_lake, LakeSettings)
