"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from urllib.parse import quote

from upliftlab.errors import Fault, OutputError, Place

LONGEST_NAME = 200
"""File systems allow 255 bytes; the rest is for what is added to a name."""


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
