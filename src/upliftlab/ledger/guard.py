"""One writer at a time: a lock that the operating system drops when its process ends."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from upliftlab.ledger.faults import LedgerError, refuse

_PAUSE = 0.05
_TRIES = 10


class Holder(BaseModel):
    """Who writes at the moment."""

    model_config = ConfigDict(frozen=True)
    pid: int
    host: str
    purpose: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.purpose})"


@contextmanager
def only_writer(path: Path, purpose: str, patience: float = 0) -> Generator[None]:
    """Hold the lock file at `path` for the time of a block.

    Args:
        path: The lock file; made where it does not exist, and never removed.
        purpose: What the block does, for the process that finds the lock taken.
        patience: Seconds to wait for another process before giving up.

    Raises:
        LedgerError: UL450, another process holds it.
    """
    descriptor = _open(path)
    try:
        _take(descriptor, patience)
        me = Holder(pid=os.getpid(), host=socket.gethostname(), purpose=purpose)
        _say(descriptor, json.dumps(me.model_dump()).encode())
        try:
            yield
        finally:
            _say(descriptor, b"")
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """The lock file; a file that has another name as well is not ours to write to."""
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise
        code = "UL463" if error.errno == errno.ELOOP else "UL465"
        message = "the ledger's lock is a link" if code == "UL463" else "this is no lock file"
        raise refuse(code, message, "remove it", path) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        kind = "it has another name elsewhere" if found.st_nlink > 1 else "it is no plain file"
        raise refuse("UL465", f"this is no lock file: {kind}", "remove it", path)
    return descriptor


def _take(descriptor: int, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < deadline:
                time.sleep(_PAUSE)
                continue
            raise _taken(descriptor) from error
        return


def _taken(descriptor: int) -> LedgerError:
    holder = None
    for _ in range(_TRIES):  # it may have taken the lock and not signed yet
        if holder := _holder(os.pread(descriptor, 4096, 0)):
            break
        time.sleep(_PAUSE)
    return refuse(
        "UL450",
        f"the ledger is being written by {holder or 'another process'}",
        "wait until it has finished; nothing was changed by this run",
    )


def _holder(content: bytes) -> Holder | None:
    """Who wrote the lock file, unless that process is gone: its successor has yet to sign."""
    try:
        holder = Holder.model_validate_json(content)
    except ValidationError:
        return None
    if holder.host == socket.gethostname() and not _alive(holder.pid):
        return None
    return holder


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _say(descriptor: int, content: bytes) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, content, 0)
