"""The engine an experiment asks for: one of ours, or one that an installed package adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from upliftlab.config.models import EngineSettings as Settings
from upliftlab.config.models.sources import OWN_ENGINES
from upliftlab.engines.base import Engine, EngineKind, Locate
from upliftlab.errors import ConfigError, Diagnostic, EngineError
from upliftlab.util.extensions import ENGINES, installed, offered
from upliftlab.util.nearest import closest

if TYPE_CHECKING:
    from upliftlab.engines.frames import TableOverrides


def open_engine(
    settings: Settings,
    locate: Locate,
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
            be reached; UL516, there is no engine of that name.
        ConfigError: UL028, UL029, UL473 and UL474, another package's engine cannot be used.
    """
    if overrides is not None:
        if settings.name != "duckdb":
            message = f"tables are given, but the experiment's are read by {settings.name}"
            remedy = "leave 'engine' out to have them read in this process"
            raise ConfigError(Diagnostic("UL619", message, remedy))
        return _duckdb(settings, locate, folders, overrides)
    if settings.name in OWN:
        return OWN[settings.name].open(settings, locate, folders)
    if settings.name not in engine_names():
        raise unknown_engine(settings.name)
    from upliftlab.engines.foreign import opened  # noqa: PLC0415 - only where there is one

    kind, package = offered(ENGINES, settings.name, EngineKind, OWN)
    return opened(kind, package, settings, (locate, folders))


def engine_names() -> tuple[str, ...]:
    """Every engine that may be named: ours, then those of installed packages.

    Raises:
        ConfigError: UL028, a package offers a name that is taken.
    """
    return (*OWN, *installed(ENGINES, OWN))


def unknown_engine(name: str) -> EngineError:
    """The refusal of a name that no engine has, with the nearest one and those there are."""
    known = engine_names()
    near = closest(name, known, 0.6)
    meant = f"did you mean '{near}'? " if near else ""
    message = f"there is no engine '{name[:60]}'"
    return EngineError(Diagnostic("UL516", message, f"{meant}installed are {', '.join(known)}"))


def _duckdb(
    settings: Settings,
    locate: Locate,
    folders: Sequence[Path],
    overrides: TableOverrides | None = None,
) -> Engine:
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415 - not needed on a server

    return DuckDB(locate, settings, folders=folders, overrides=overrides)


def _spark(settings: Settings, locate: Locate, _folders: Sequence[Path]) -> Engine:
    from upliftlab.engines.spark import Spark  # noqa: PLC0415 - an extra

    return Spark(locate, settings)


def _postgres(settings: Settings, _locate: Locate, _folders: Sequence[Path]) -> Engine:
    from upliftlab.engines.postgres import Postgres  # noqa: PLC0415 - an extra

    return Postgres(settings)


OWN: Final[Mapping[str, EngineKind]] = dict(
    zip(OWN_ENGINES, map(EngineKind, (_duckdb, _spark, _postgres)), strict=True)
)
"""upliftlab's engines by name."""
