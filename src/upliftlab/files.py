"""Writing files so that a reader never sees half of one, and reading only what is a file."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from pathlib import Path
from urllib.parse import quote

from upliftlab.errors import Fault, OutputError, Place

LONGEST_NAME = 200
"""File systems allow 255 bytes; the rest is for what is added to a name."""


_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a pipe"),
    (stat.S_ISSOCK, "it is a socket"),
)


def read_regular(path: Path, most: int) -> bytes:
    """The first `most` bytes of a regular file, and one more where there are more.

    A pipe would wait for its writer, a device never end: neither is opened, nor waited for where
    it takes the file's place meanwhile.

    Raises:
        OSError: it cannot be read, or is no regular file; `strerror` says why.
    """
    _require_regular(path.stat())
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        _require_regular(os.fstat(descriptor))
        return file.read(most + 1)


def reason_of(error: OSError | ValueError) -> str:
    """Why a file cannot be read, without its name."""
    said = getattr(error, "strerror", None) or "its name is not a file's"
    return f"{said[:1].lower()}{said[1:]}"


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((kind for is_so, kind in _KINDS if is_so(found.st_mode)), "it is a device")
        raise OSError(errno.EINVAL, f"{kind}, not a file")


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file aside and rename it into place; the old content stays until then.

    Raises:
        OutputError: UL601, where the folder cannot be made or the file not written.
    """
    aside = path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(aside, content)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            Fault(
                "UL601",
                f"cannot be written: {reason}",
                "choose a folder you may write to, with space left",
                Place(str(path)),
            )
        ) from error


def safe_name(name: str) -> str:
    """A name as one part of a path on any system: everything unusual is percent-encoded.

    >>> safe_name("spring 2026"), safe_name("../etc"), safe_name("..")
    ('spring 2026', '%2E.%2Fetc', '%2E.')
    """
    encoded = quote(name, safe=" ")
    if encoded.startswith("."):
        encoded = "%2E" + encoded[1:]
    if len(encoded) <= LONGEST_NAME:
        return encoded
    return f"{encoded[: LONGEST_NAME - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
