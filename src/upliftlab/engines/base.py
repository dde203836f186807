"""What an engine can do with tables that it holds under a name: attach, ask, keep, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import pyarrow as pa

from upliftlab.config.models import EngineSettings, Source

ColumnType = Literal["number", "text", "boolean", "date", "time", "instant", "other"]
"""The families of SQL types that the house tells apart: a time of day names no time zone, an
instant does."""


class Engine(Protocol):
    """Runs SQL where the data lie.

    SQL is written in DuckDB's dialect; an engine of another dialect transpiles it. Tables are
    known by the name they were attached under. Instants become times of day in UTC.
    """

    dialect: str
    """Its SQL dialect, as sqlglot names it."""

    @property
    def description(self) -> str:
        """Name and version, for the record."""
        ...

    def attach(self, name: str, source: Source) -> None:
        """Make a table readable under `name`; raises DataError where it cannot be read."""
        ...

    def load(self, name: str, files: Sequence[Path]) -> None:
        """Make Parquet files of this machine readable as one table under `name`.

        They are the house's own, such as the contacts of earlier assignments: small enough to be
        copied to a server. A folder stands for the Parquet files in it.
        """
        ...

    def fingerprint(self, source: Source) -> tuple[str, str]:
        """The place a source was read from, and the sha256 of the content that was read."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """A block in which every table is whole, and the same from the first look to the last.

        Where one is not, the block ends in a DataError. A block within another is a part of it.
        """
        ...

    def confirm(self) -> None:
        """Within a `reading`, before something is put on the record: raise now what its end would.

        Nothing more is read after it. Raises DataError.
        """
        ...

    def columns(self, name: str) -> dict[str, ColumnType]:
        """The columns of an attached table, in order."""
        ...

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""
        ...

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query and hand on its result, at most so many rows at a time.

        The result is never held whole. Until the last batch was taken or the iterator is closed,
        the engine answers nothing else.
        """
        ...

    def define(self, name: str, sql: str) -> None:
        """Make a query readable under `name`, as a table is; it is run where it is asked.

        An engine of another package may do without: what it would define is kept.
        """
        ...

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's result as a table under `name`, for as long as the engine is open."""
        ...

    def write(self, sql: str, destination: Path) -> int:
        """Write a query's result as one Parquet file and return its number of rows."""
        ...

    def close(self) -> None:
        """Let go of the data."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...


Locate = Callable[[str], Path]
"""The path of a file that a source names; raises ConfigError where it may not be read."""


@dataclass(frozen=True, slots=True)
class EngineKind:
    """An engine that can be named in `engine:`, upliftlab's own or an installed package's.

    A package offers one as an entry point of the group `upliftlab.engines`; the entry point's
    name is the engine's.

    Attributes:
        open: Opens it: from its settings, a function that finds the files which sources name, and
            the folders beside those files that it may read and write, such as the ledger.
        settings: The keys that may stand under `engine:`, a subclass of `EngineSettings`.
    """

    open: Callable[[Any, Locate, Sequence[Path]], Engine]
    settings: type[EngineSettings] = EngineSettings
