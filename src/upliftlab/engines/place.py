"""A place of the file system: whether a file lies there, and whether it is the same one still."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from upliftlab.errors import DataError, Diagnostic, EngineError

LONGEST_LINE = 2_000_000
"""Bytes in a line of a CSV file at most."""
_TICK = 20_000_000
"""Nanoseconds that two writings may lie apart and still carry the same time."""
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells a file from another in its place, and from itself once it was written to."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file; one that was written to just now is waited for.

    Raises:
        DataError: UL201 there is none, UL229 it is a pipe, a device or a folder, UL230 it may not
            be read, UL231 a link leads to itself.
    """
    found = found_at(path)
    if found is None:
        raise DataError(Diagnostic("UL201", f"{path.name} is no longer there", "run it again"))
    if 0 <= time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _TICK:
        time.sleep(_TICK / 1e9)
        return _stamp(found_at(path) or found)
    return _stamp(found)


def _stamp(found: os.stat_result) -> Stamp:
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return Stamp(found.st_dev, found.st_ino, found.st_size, *times)


def is_file(path: Path) -> bool:
    """Whether a file lies there.

    Raises:
        DataError: UL229 it is a pipe, a socket, a device or a folder with a file's name, UL230 it
            may not be looked at, UL231 a link leads to itself.
    """
    return found_at(path) is not None


def found_at(path: Path) -> os.stat_result | None:
    """What the file system says of a file; None where there is none. Raises what `is_file` does."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise refusal(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        message = f"{path.name} is {kind}, and no file"
        raise DataError(Diagnostic("UL229", message, "name a file"))
    return found


@contextmanager
def opened(path: Path) -> Generator[IO[bytes]]:
    """A file for reading; nothing is waited for where it has become a pipe meanwhile.

    Raises:
        DataError: UL202 it cannot be read, UL229 to UL231 as `is_file`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise DataError(Diagnostic("UL229", f"{path.name} is no file", "name a file"))
            yield file
    except OSError as error:
        raise refusal(path, error) from error


def refusal(path: Path, error: OSError) -> DataError:
    """What the system's refusal to read a file or a folder means."""
    if error.errno in (errno.EACCES, errno.EPERM):
        message = f"{path} may not be read: no permission"
        return DataError(Diagnostic("UL230", message, "let this user read the file and its folder"))
    if error.errno == errno.ELOOP:
        message = f"{path} is a link that leads back to itself"
        return DataError(Diagnostic("UL231", message, "remove the link"))
    reason = error.strerror or type(error).__name__
    return DataError(Diagnostic("UL202", f"{path.name} cannot be read: {reason}", "mend the file"))


def disk_full() -> EngineError:
    """What it means that there is no room for what has to be written."""
    message = "the disk is full: there is no room for what does not fit memory, or for the result"
    remedy = f"make room in {tempfile.gettempdir()} and where the result goes, and run it again"
    return EngineError(Diagnostic("UL507", message, remedy))
