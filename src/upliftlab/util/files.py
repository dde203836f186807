"""Writing files so that a reader never sees half of one, and reading only what is a file."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from upliftlab.errors import Diagnostic, OutputError, Place
from upliftlab.util.durable import aside_of, entered, reason, sweep

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


def atomic_write(path: Path, content: bytes, root: Path | None = None) -> None:
    """Write a file aside and rename it into place; the old content stays until then.

    Args:
        path: Where it goes. A link of that name is replaced, and what it points to is not.
        content: Its bytes.
        root: The folder that the user named, below which no link is followed; the file's own
            folder where it is absent.

    Raises:
        OutputError: UL601, where the folder cannot be made or the file not written; UL463 to
            UL465, where a folder below the root is not one of ours.
    """
    write_together({path: content}, root)


def write_together(files: Mapping[Path, bytes], root: Path | None = None) -> None:
    """Write files of one folder that belong together: all are new, or all are as before.

    Each is written aside in full before the first is renamed; if one cannot be renamed, those
    that were are put back.

    Raises:
        OutputError: As `atomic_write`.
    """
    (parent,) = {path.parent for path in files}
    first = next(iter(files))
    try:
        with writable(parent, root) as folder:
            sweep(folder, [path.name for path in files])
            _write_all(folder, {path.name: content for path, content in files.items()})
    except OSError as error:
        raise unwritten(error, first) from error


def unwritten(error: OSError, path: Path) -> OutputError:
    """The refusal for a file that cannot be written."""
    return OutputError(
        Diagnostic(
            "UL601",
            f"cannot be written: {reason(error)}",
            "choose a folder you may write to, with space left",
            Place(str(path)),
        )
    )


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


@contextmanager
def writable(parent: Path, root: Path | None) -> Generator[int]:
    """A descriptor of a folder, made with its parents where it does not exist."""
    top = parent if root is None else root
    top.mkdir(parents=True, exist_ok=True)
    if root is not None and parent != root:
        _mkdirs(parent, root)
    with entered(parent, top) as folder:
        yield folder


def _mkdirs(parent: Path, root: Path) -> None:
    """Make folders below a root, as readable as the user's mask lets them be."""
    at = root
    for part in parent.relative_to(root).parts:
        with entered(at, root) as above, suppress(FileExistsError):
            os.mkdir(part, dir_fd=above)
        at = at / part


def _write_all(folder: int, files: Mapping[str, bytes]) -> None:
    asides = {name: aside_of(name) for name in files}
    locked: list[int] = []
    try:
        for name, content in files.items():
            _exists(folder, name)
            locked.append(write_new(folder, asides[name], content))
        _rename_all(folder, asides)
    finally:
        for aside in asides.values():
            with suppress(FileNotFoundError):
                os.unlink(aside, dir_fd=folder)
        for descriptor in locked:
            os.close(descriptor)


def write_new(folder: int, name: str, content: bytes) -> int:
    """Write and sync a new file; its lock, while it is open, says that its writer lives."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o666, dir_fd=folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _rename_all(folder: int, asides: Mapping[str, str]) -> None:
    """Rename every file into place, or none: what was there is kept until the last is."""
    there = {name for name in asides if _exists(folder, name)}
    kept: dict[str, str] = {}
    done: list[str] = []
    try:
        if len(asides) > 1:
            kept = {name: old for name in there if (old := _keep(folder, name))}
        for name, aside in asides.items():
            os.replace(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
            done.append(name)
        os.fsync(folder)
    except OSError:
        for name in done:
            if name in kept:
                os.replace(kept[name], name, src_dir_fd=folder, dst_dir_fd=folder)
            elif name not in there:
                os.unlink(name, dir_fd=folder)
        raise
    finally:
        for old in kept.values():
            with suppress(FileNotFoundError):
                os.unlink(old, dir_fd=folder)


def _keep(folder: int, name: str) -> str | None:
    """A second name for what is there; None on a file system that knows none."""
    old = aside_of(name)
    try:
        os.link(name, old, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return old


def _exists(folder: int, name: str) -> bool:
    """Whether there is something to replace.

    Raises:
        IsADirectoryError: A folder has the name that a file shall get.
    """
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return True
