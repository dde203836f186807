"""What an engine's settings may be: no more threads and memory than a machine could have."""

from __future__ import annotations

import re

from upliftlab.config.models import EngineSettings as Settings
from upliftlab.errors import Diagnostic, EngineError

_MOST_THREADS = 1024
_MEMORY = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([kmgt])(?:i?b)?", re.IGNORECASE)
_BYTES = {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000, "t": 1_000_000_000_000}
_LEAST, _MOST = 16_000_000, 100_000_000_000_000
_MASTER = re.compile(
    r"local|local\[(\*|\d{1,4})(,\s*\d{1,3})?\]|yarn|(spark|k8s|mesos)://[A-Za-z0-9._:,/\[\]-]+"
)


def require_sane(settings: Settings) -> None:
    """Refuse settings that no machine could follow, before an engine is started with them.

    Raises:
        EngineError: UL504 there are too many threads, UL505 the memory is no size.
    """
    if settings.threads is not None and settings.threads > _MOST_THREADS:
        message = f"'threads: {settings.threads}' is more than {_MOST_THREADS:,}"
        raise EngineError(Diagnostic("UL504", message, "name as many as the machine has, or none"))
    if settings.memory_limit is not None and not _is_memory(settings.memory_limit):
        message = f"'memory_limit: {settings.memory_limit[:40]}' is no size of 16 MB to 100 TB"
        raise EngineError(Diagnostic("UL505", message, "write it as 2 GB or 800 MB"))


def require_master(connection: str) -> None:
    """Refuse an address of a Spark master that is none.

    Raises:
        EngineError: UL506.
    """
    threads = re.match(r"local\[(\d+)", connection)
    if not _MASTER.fullmatch(connection) or (threads and int(threads[1]) > _MOST_THREADS):
        message = f"'connection: {connection[:80]}' is no address of a Spark master"
        raise EngineError(Diagnostic("UL506", message, "write it as local[4] or spark://host:7077"))


def _is_memory(text: str) -> bool:
    """Whether a text is a size that memory can have.

    >>> _is_memory("2 GB"), _is_memory("1g"), _is_memory("99999 TB"), _is_memory("-1")
    (True, True, False, False)
    """
    found = _MEMORY.fullmatch(text)
    if found is None:
        return False
    return _LEAST <= float(found[1]) * _BYTES[found[2].lower()] <= _MOST
