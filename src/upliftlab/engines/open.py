"""The engine an experiment asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from upliftlab.config.models import EngineSettings as Settings
from upliftlab.engines.base import Engine
from upliftlab.errors import ConfigError, Diagnostic

if TYPE_CHECKING:
    from upliftlab.engines.frames import TableOverrides


def open_engine(
    settings: Settings,
    locate: Callable[[str], Path],
    folders: Sequence[Path] = (),
    overrides: TableOverrides | None = None,
) -> Engine:
    """Open the engine that the settings name; close it after use, or use it in a `with`.

    An engine is imported only when it is asked for: two of the three are extras.

    Args:
        settings: The plan's engine.
        locate: Path of a file named by a source; raises where it may not be read.
        folders: What the embedded engine may read and write beside the data root, such as the
            ledger. It opens no other file of the machine.
        overrides: Frames and files that are read instead of those that sources name.

    Raises:
        ConfigError: UL619, tables are given and the settings name a server.
        EngineError: UL501 and UL51x, the engine is not installed, refuses its settings or cannot
            be reached.
    """
    if overrides is not None and settings.name != "duckdb":
        message = f"tables are given, but the experiment's are read by {settings.name}"
        remedy = "leave 'engine' out to have them read in this process"
        raise ConfigError(Diagnostic("UL619", message, remedy))
    if settings.name == "spark":
        from upliftlab.engines.spark import Spark  # noqa: PLC0415 - an extra

        return Spark(locate, settings)
    if settings.name == "postgres":
        from upliftlab.engines.postgres import Postgres  # noqa: PLC0415 - an extra

        return Postgres(settings)
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415 - not needed on a server

    return DuckDB(locate, settings, folders=folders, overrides=overrides)
