"""PostgreSQL: the same queries, transpiled, run on the server that holds the tables.

The server's tables are only read. What the house brings along (earlier contacts) goes into
temporary tables that end with the connection.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.config.environment import connection_parameters
from upliftlab.config.models import EngineSettings as Settings
from upliftlab.config.models import Source
from upliftlab.engines.base import ColumnType
from upliftlab.engines.dialect import transpile
from upliftlab.engines.parquet import BATCH, batch_of, parquet_files, rows_of, types_of
from upliftlab.engines.postgres_types import copy_type, family, field
from upliftlab.engines.wording import one_line, without_values
from upliftlab.errors import DataError, Diagnostic, EngineError
from upliftlab.util.masking import masked
from upliftlab.util.sql import quote

if TYPE_CHECKING:
    import psycopg

_SESSION = (
    "SET TIME ZONE 'UTC'",
    "SET standard_conforming_strings = on",
    "SET client_encoding = 'UTF8'",
    "SET extra_float_digits = 1",
    "SET bytea_output = 'hex'",
    "SET IntervalStyle = 'iso_8601'",
    "SET DateStyle = 'ISO'",
    # Models are fitted between two queries of one transaction.
    "SET idle_in_transaction_session_timeout = 0",
)


class Postgres:
    """A PostgreSQL server, spoken to over one connection.

    Within a `reading`, all questions see the server's tables as they were at the first one: what
    others write meanwhile is in no number.
    """

    dialect = "postgres"

    def __init__(self, settings: Settings) -> None:
        """Connect.

        Args:
            settings: `connection` is a libpq connection string or address, whose password may be
                `${env:NAME}`.

        Raises:
            ConfigError: UL016, UL025 the settings are refused, UL017, UL026 an environment
                variable is not set or not allowed.
            EngineError: UL512 the driver is not installed, UL513 there is no connection.
        """
        self._connection = _connect(settings.connection)
        for command in _SESSION:
            self._connection.execute(command.encode())

    @property
    def description(self) -> str:
        """Name and version, for the record."""
        version = self._connection.info.server_version
        return f"PostgreSQL {version // 10000}.{version % 10000}"

    def attach(self, name: str, source: Source) -> None:
        """Make a table of the server readable under `name`.

        Raises:
            DataError: UL204 there is no such table, UL205 the source is a file.
        """
        schema, table = self._place(source)
        with self._step():
            self._view(name, f"SELECT * FROM {quote(schema)}.{quote(table)}")

    def load(self, name: str, files: Sequence[Path]) -> None:
        """Copy Parquet files into a temporary table, a batch at a time."""
        paths = [path for file in files for path in parquet_files(file)]
        columns = ", ".join(
            f"{quote(column)} {copy_type(kind)}" for column, kind in types_of(paths[0]).items()
        )
        with self._step(), self._connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{quote(name)}".encode())
            cursor.execute(f"CREATE TEMP TABLE {quote(name)} ({columns})".encode())
            with cursor.copy(f"COPY {quote(name)} FROM STDIN".encode()) as copy:
                for path in paths:
                    for row in rows_of(path):
                        copy.write_row(row)
            cursor.execute(f"ANALYZE {quote(name)}".encode())

    def fingerprint(self, source: Source) -> tuple[str, str]:
        """The table, and a sha256 of its rows: hashed one by one and added up, having no order."""
        schema, table = self._place(source)
        place = f"{schema}.{table}"
        with self._step():
            total = self._connection.execute(
                "SELECT COALESCE(SUM(('x' || SUBSTR(MD5(t::text), 1, 15))::bit(60)::bigint), 0)"
                f" || ' ' || COUNT(*) FROM {quote(schema)}.{quote(table)} AS t".encode()
            ).fetchone()
        text = f"{list(self._described(schema, table))} {total[0] if total else ''}"
        return place, hashlib.sha256(text.encode()).hexdigest()

    @contextmanager
    def reading(self) -> Generator[None]:
        """See the server's tables as they are at the first question until the end of the block."""
        with _refusals(), self._connection.transaction():
            yield

    def confirm(self) -> None:
        """Within a `reading`, all is read as it was at one moment: nothing can have changed."""

    def columns(self, name: str) -> dict[str, ColumnType]:
        """The columns of an attached table, in order."""
        with self._step(), self._connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {quote(name)} LIMIT 0".encode())
            return {column.name: family(column.type_code) for column in cursor.description or ()}

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result.

        Raises:
            EngineError: UL502 the engine refuses the query, UL514 it returns an unknown type.
        """
        with self._step(), self._connection.cursor() as cursor:
            cursor.execute(transpile(sql, self.dialect).encode())
            schema = pa.schema([field(column) for column in cursor.description or ()])
            return pa.Table.from_batches([batch_of(cursor.fetchall(), schema)], schema)

    def define(self, name: str, sql: str) -> None:
        """Make a query readable under `name`, as a temporary view."""
        with self._step():
            self._view(name, transpile(sql, self.dialect))

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's result in a temporary table."""
        with self._step():
            made = f"CREATE TEMP TABLE {quote(name)} AS {transpile(sql, self.dialect)}"
            self._connection.execute(f"DROP TABLE IF EXISTS pg_temp.{quote(name)}".encode())
            self._connection.execute(made.encode())
            self._connection.execute(f"ANALYZE {quote(name)}".encode())

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query and hand on its result through a cursor on the server.

        Raises:
            EngineError: UL502 the engine refuses the query, UL514 it returns an unknown type.
        """
        with self._reading(sql) as (cursor, schema):
            while found := cursor.fetchmany(rows):
                yield batch_of(found, schema)

    def write(self, sql: str, destination: Path) -> int:
        """Write a query's result as one Parquet file and return its number of rows.

        The rows arrive through a cursor on the server, a batch at a time.
        """
        with self._reading(sql) as (cursor, schema):
            rows = 0
            with pq.ParquetWriter(
                destination, schema, compression="zstd", write_page_checksum=True
            ) as writer:
                while found := cursor.fetchmany(BATCH):
                    writer.write_batch(batch_of(found, schema))
                    rows += len(found)
            return rows

    def close(self) -> None:
        """Close the connection; its temporary tables go with it."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _reading(
        self, sql: str
    ) -> Generator[tuple[psycopg.ServerCursor[tuple[Any, ...]], pa.Schema]]:
        """A cursor on the server over a query's result, and the result's schema."""
        with (
            self._step(),
            self._connection.cursor(name="upliftlab") as cursor,
        ):
            cursor.execute(transpile(sql, self.dialect).encode())
            yield cursor, pa.schema([field(column) for column in cursor.description or ()])

    @contextmanager
    def _step(self) -> Generator[None]:
        """Some commands of the one transaction; where they fail, it goes on without them."""
        with _refusals(), self._connection.transaction():
            yield

    def _view(self, name: str, sql: str) -> None:
        """Make a temporary view; one of that name goes, with those that are built on it."""
        self._connection.execute(f"DROP VIEW IF EXISTS pg_temp.{quote(name)} CASCADE".encode())
        self._connection.execute(f"CREATE TEMP VIEW {quote(name)} AS {sql}".encode())

    def _place(self, source: Source) -> tuple[str, str]:
        """The schema and name of a source's table, found along the search path if need be."""
        if source.table is None:
            message = f"PostgreSQL reads its own tables, not the file {source.file}"
            raise DataError(
                Diagnostic("UL205", message, "load the file there and name it by 'table'")
            )
        *schema, table = source.table.split(".")
        with self._step():
            found = self._connection.execute(
                b"SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                b" WHERE c.relname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f')"
                b" AND n.nspname = ANY(COALESCE(%s::name[], current_schemas(false)))"
                b" ORDER BY array_position(current_schemas(false), n.nspname) LIMIT 1",
                (table, schema or None),
            ).fetchone()
        if found is None:
            raise DataError(
                Diagnostic("UL204", f"the server has no table '{source.table}'", "check 'table'")
            )
        return str(found[0]), table

    def _described(self, schema: str, table: str) -> Iterator[str]:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {quote(schema)}.{quote(table)} LIMIT 0".encode())
            yield from (column.name for column in cursor.description or ())


def _connect(setting: str | None) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect without ever repeating what the setting expands to: it may hold a password."""
    try:
        import psycopg  # noqa: PLC0415 - an extra
        from psycopg.types.string import TextLoader  # noqa: PLC0415 - the same
    except ImportError as error:
        raise EngineError(
            Diagnostic(
                "UL512",
                "the PostgreSQL driver is not installed",
                "pip install 'upliftlab[postgres]'",
            )
        ) from error
    given = {"application_name": "upliftlab", **connection_parameters(setting or "")}
    open_: Any = psycopg.connect  # its types know no settings by name
    try:
        # The driver quotes each value: none can be read as another setting.
        connection: psycopg.Connection[tuple[Any, ...]] = open_(
            "", autocommit=True, prepare_threshold=None, **given
        )  # not prepared: tables of one name change their columns
    except psycopg.Error as error:
        reason = _without_secrets(str(error).split("\n")[0], given.get("password"))
    else:
        connection.adapters.register_loader("uuid", TextLoader)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return connection
    # Raised outside the handler: a chained error would print what was just left out.
    remedy = "check 'connection' under 'engine' and that the server runs"
    raise EngineError(Diagnostic("UL513", f"PostgreSQL cannot be reached: {reason}", remedy))


def _without_secrets(message: str, secret: str | None) -> str:
    """The driver's message, unless it repeats the password in a form that cannot be hidden."""
    said = masked(message)
    return "it refuses the connection" if secret and secret in said else said


@contextmanager
def _refusals() -> Generator[None]:
    """Turn what the server refuses into one fault."""
    from psycopg import DataError as PsycopgDataError  # noqa: PLC0415 - an extra
    from psycopg import Error  # noqa: PLC0415 - the same

    try:
        yield
    except Error as error:
        text = error.diag.message_primary or str(error)
        # A value is quoted like a name; which of them it is the error's class tells.
        told = without_values(text) if isinstance(error, PsycopgDataError) else one_line(text)
        raise EngineError(Diagnostic("UL502", f"PostgreSQL refuses a query: {told}")) from error
