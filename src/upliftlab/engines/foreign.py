"""An engine of another package: whatever it raises becomes a refusal that names the package."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, Self, cast

import pyarrow as pa

from upliftlab.config.models import EngineSettings, Source
from upliftlab.engines.base import ColumnType, Engine, EngineKind, Locate
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.util.extensions import blaming

_OPTIONAL: Final = frozenset({"define"})
"""What an engine may do without."""
_ASKED: Final = tuple(
    name
    for name in (*vars(Engine), "dialect")
    if not name.startswith("_") and name not in _OPTIONAL
)
"""What an engine must have, by its protocol."""


def opened(
    kind: EngineKind,
    package: str,
    settings: EngineSettings,
    place: tuple[Locate, Sequence[Path]],
) -> Engine:
    """Open another package's engine.

    Args:
        kind: What the package offers.
        package: Its name.
        settings: The plan's, of the class that the kind names.
        place: How files are found, and the folders beside them.

    Raises:
        ConfigError: UL473 what it opens is no engine, UL474 it fails.
        UpliftLabError: what the engine itself refuses.
    """
    name = settings.name
    with blaming(package, f"the engine '{name}'"):
        made = cast("object", kind.open(settings, *place))
        lacking = [each for each in _ASKED if not hasattr(made, each)]
    if lacking:
        message = f"the engine '{name}' of {package} has no '{lacking[0]}'"
        remedy = "mend or uninstall that package; 'upliftlab engine check' says what it needs"
        raise ConfigError(Diagnostic("UL473", message, remedy))
    return ForeignEngine(cast("Engine", made), name, package)


class ForeignEngine:
    """Hands every question on to an engine of another package."""

    def __init__(self, engine: Engine, name: str, package: str) -> None:
        """Stand before an open engine."""
        self._engine = engine
        self._name = name
        self._package = package
        self.dialect = engine.dialect

    @property
    def description(self) -> str:
        """Name and version, for the record."""
        with self._blamed():
            return self._engine.description

    def attach(self, name: str, source: Source) -> None:
        """Make a table readable under `name`."""
        with self._blamed():
            self._engine.attach(name, source)

    def load(self, name: str, files: Sequence[Path]) -> None:
        """Make Parquet files of this machine readable as one table under `name`."""
        with self._blamed():
            self._engine.load(name, files)

    def fingerprint(self, source: Source) -> tuple[str, str]:
        """The place a source was read from, and the sha256 of the content that was read."""
        with self._blamed():
            return self._engine.fingerprint(source)

    @contextmanager
    def reading(self) -> Generator[None]:
        """A block in which every table is whole, and the same all the while.

        What is raised within the block is not the engine's, so only its two ends are watched.
        """
        with self._blamed():
            block = self._engine.reading()
            block.__enter__()
        try:
            yield
        except BaseException as error:
            with self._blamed():
                block.__exit__(type(error), error, error.__traceback__)
            raise
        with self._blamed():
            block.__exit__(None, None, None)

    def confirm(self) -> None:
        """Raise now what the end of the block would."""
        with self._blamed():
            self._engine.confirm()

    def columns(self, name: str) -> dict[str, ColumnType]:
        """The columns of an attached table, in order."""
        with self._blamed():
            return self._engine.columns(name)

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""
        with self._blamed():
            return self._engine.query(sql)

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query and hand on its result, at most so many rows at a time."""
        with self._blamed():
            yield from self._engine.batches(sql, rows)

    def define(self, name: str, sql: str) -> None:
        """Make a query readable under `name`; where the engine knows no views, it is kept."""
        with self._blamed():
            getattr(self._engine, "define", self._engine.keep)(name, sql)

    def keep(self, name: str, sql: str) -> None:
        """Keep a query's result as a table under `name`."""
        with self._blamed():
            self._engine.keep(name, sql)

    def write(self, sql: str, destination: Path) -> int:
        """Write a query's result as one Parquet file and return its number of rows."""
        with self._blamed():
            return self._engine.write(sql, destination)

    def close(self) -> None:
        """Let go of the data."""
        with self._blamed():
            self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _blamed(self) -> AbstractContextManager[None]:
        return blaming(self._package, f"the engine '{self._name}'")
