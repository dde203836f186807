"""A DuckDB of the ledger's own: whatever engine made an assignment, its record is local Parquet."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from upliftlab.config.models import EngineSettings
from upliftlab.engines.closed import connect, interruptible
from upliftlab.ledger.faults import refuse
from upliftlab.util.durable import create_private, is_full
from upliftlab.util.sql import literal

_MEMORY = "1GB"


def parquet(files: Iterable[Path]) -> str:
    """Parquet files as a relation, their folders' names not read as columns."""
    listed = ", ".join(literal(str(file)) for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false)"


class Scratch:
    """Runs SQL over the ledger's Parquet files."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The result of a query.

        Raises:
            LedgerError: UL471, DuckDB refuses it: a full disk, a damaged file.
        """
        with _translated():
            return self._connection.execute(sql).fetchall()

    def copy(self, sql: str, file: Path) -> int:
        """Write a query's result as a new, private Parquet file, and count its rows."""
        os.close(create_private(file))
        options = "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"
        return self.number(f"COPY ({sql}) TO {literal(str(file))} ({options})")

    def number(self, sql: str) -> int:
        """The one number a query returns."""
        return int(self.rows(sql)[0][0])

    def batches(self, sql: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The result of a query, so many rows at a time, and never all of them in memory."""
        with _translated():
            result = self._connection.execute(sql)
        while True:
            with _translated():
                batch = result.fetchmany(size)
            if not batch:
                return
            yield batch


@contextmanager
def scratch(
    folder: Path | None, settings: EngineSettings | None = None, within: Sequence[Path] = ()
) -> Generator[Scratch]:
    """Open a database in memory for the time of a block, which opens no network and no extension.

    Args:
        folder: Where a result too large for memory is spilled; nowhere without it.
        settings: Threads and memory; all threads and 1 GB where absent.
        within: The folders whose files it reads and writes; any where none is named.
    """
    memory = settings.memory_limit if settings else None
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(folder) if folder else "",
        "memory_limit": memory or _MEMORY,
    }
    if settings and settings.threads:
        config["threads"] = settings.threads
    with _translated():
        connection = connect(config, within or [Path("/")])
    try:
        yield Scratch(connection)
    finally:
        connection.close()


@contextmanager
def _translated() -> Generator[None]:
    try:
        with interruptible():
            yield
    except duckdb.Error as error:
        first = str(error).split("\n", 1)[0]
        why = f"the disk is full ({first})" if is_full(str(error)) else first
        raise refuse(
            "UL471",
            f"DuckDB refuses: {why}",
            "make room on the disk and in memory, and run it again",
        ) from error
