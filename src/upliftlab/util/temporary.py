"""Private folders for a time, which vanish with their process, and at the latest with the next one.

A folder's lock says that its process lives. Ctrl-C and the request to end (SIGTERM) clear it up at
once; what a process left that was killed, the next one removes.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import signal
import stat
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from upliftlab.util.durable import remove

_NAME = re.compile(r"upliftlab-[0-9a-f]{16}\.tmp")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def temporary() -> Generator[Path]:
    """A new folder that only its user may enter, for the time of a block."""
    root = Path(tempfile.gettempdir())
    _sweep(root)
    folder = root / f"upliftlab-{secrets.token_hex(8)}.tmp"
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, _FOLDER)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with _ending():
            yield folder
    finally:
        remove(folder, root)
        os.close(descriptor)


def _sweep(root: Path) -> None:
    """Remove what this user's processes left who are no longer alive."""
    for folder in root.iterdir():
        if _NAME.fullmatch(folder.name):
            with suppress(OSError):  # another user's, or gone meanwhile
                _remove_dead(folder, root)


def _remove_dead(folder: Path, root: Path) -> None:
    descriptor = os.open(folder, _FOLDER)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder, root)
    finally:
        os.close(descriptor)


@contextmanager
def _ending() -> Generator[None]:
    """Let a request to end unwind the block, where nobody else has a say in it."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
