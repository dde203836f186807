"""Changes to the disk that survive a power cut, and stay inside a folder that is ours.

A rename is the only step that changes what a reader sees, and the file system makes it whole or
not at all. Everything before it happens beside the place it is meant for.

The folder that a user names (the root) may be a link; what lies below it may not. Every function
that takes a root walks down from it by descriptor, follows no link, leaves no device, and refuses
what is neither a plain file nor a folder.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from upliftlab.errors import Diagnostic, OutputError, Place

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM_SAID = re.compile(r"no space left|disk quota|disk is full|disk full", re.IGNORECASE)
_OTHER = "remove it, or name the folder meant on the command line"


def create_private(path: Path) -> int:
    """Open a new file for writing that only its owner may read, from its first byte."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)


def write_file(path: Path, content: bytes) -> None:
    """Create a private file, and sync it; its folder is the caller's to sync."""
    with os.fdopen(create_private(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Sync one file's content, or one folder's list of names."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Sync every file and folder below a folder, and the folder itself."""
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


@contextmanager
def entered(folder: Path, root: Path, *, make: bool = False) -> Generator[int]:
    """A descriptor of a folder below a root, or of the root.

    Args:
        folder: The folder to enter.
        root: What the user named: the only part of the way that may be a link.
        make: Whether folders are made, private, where they do not exist.

    Raises:
        OutputError: UL463 a link is on the way, UL464 another device, UL465 no folder.
        OSError: The system refuses, with the whole path.
    """
    with _naming(root):
        descriptor = os.open(root, _FOLDER)
    try:
        here = _mount(descriptor)
        at = root
        for part in _down(folder, root):
            at = at / part
            below = _step(descriptor, at, make=make)
            os.close(descriptor)
            descriptor = below
            if _mount(descriptor) != here:
                raise _foreign("UL464", "this folder lies on another device than its parent", at)
        yield descriptor
    finally:
        os.close(descriptor)


def make_folder(folder: Path, root: Path | None = None) -> None:
    """Make a private folder and its parents where they do not exist, and sync their names.

    Without a root the folder is the user's own, and may be reached through links.
    """
    if root is not None:
        with entered(folder, root, make=True):
            return
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)


def publish(aside: Path, target: Path, root: Path) -> None:
    """Rename a synced file or folder to the place it is meant for, and sync the new name.

    A file replaces one of the same name, or a link of that name, never what the link points to; a
    folder refuses to replace one that is not empty.
    """
    with entered(aside.parent, root) as source, entered(target.parent, root) as place:
        with _naming(target):
            os.replace(aside.name, target.name, src_dir_fd=source, dst_dir_fd=place)
        os.fsync(place)


def remove(path: Path, root: Path) -> None:
    """Remove a file or a folder with all it holds, if it is there.

    What a link points to stays, and so does whatever lies on another device.

    Raises:
        OutputError: UL464, a folder below is another device.
    """
    with entered(path.parent, root) as folder:
        _remove(folder, path, _mount(folder))


def names_in(folder: Path, root: Path) -> list[str]:
    """The names of what a folder holds, sorted; none where there is no folder."""
    try:
        with entered(folder, root) as descriptor:
            return sorted(os.listdir(descriptor))  # noqa: PTH208 - by descriptor
    except FileNotFoundError:
        return []


@contextmanager
def opened(path: Path, root: Path) -> Generator[int]:
    """A descriptor for reading a plain file below a root.

    Raises:
        OutputError: As `entered`; UL463 it is a link, UL465 no plain file: a pipe, a device.
    """
    with entered(path.parent, root) as folder:
        descriptor = _plain(folder, path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_file(path: Path, root: Path) -> bytes:
    """The content of a plain file below a root."""
    with opened(path, root) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read()


def digest_of(path: Path, root: Path) -> str:
    """The sha256 of a plain file below a root, in hex."""
    with opened(path, root) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def aside_of(name: str) -> str:
    """A hidden name for a file while it is written; `sweep` knows it by its own name."""
    return f".{name[:80]}.{secrets.token_hex(8)}.aside"


def is_aside_of(left: str, name: str) -> bool:
    """Whether a name is one that `aside_of` gives.

    >>> is_aside_of(aside_of("site"), "site"), is_aside_of(".site", "site")
    (True, False)
    """
    found = _ASIDE.fullmatch(left)
    return found is not None and found[1] == name[:80]


def sweep(folder: int, names: Iterable[str]) -> None:
    """Remove what writers of these names left aside in a folder who are no longer alive.

    A living writer holds a lock on its file.
    """
    known = {name[:80] for name in names}
    for left in os.listdir(folder):
        found = _ASIDE.fullmatch(left)
        if not found or found[1] not in known:
            continue
        try:
            descriptor = os.open(left, _FILE, dir_fd=folder)
        except OSError:  # a link, or gone meanwhile: not a file that a writer made
            continue
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(left, dir_fd=folder)
        except (BlockingIOError, FileNotFoundError):  # its writer lives, or has just finished
            continue
        finally:
            os.close(descriptor)


def reason(error: Exception) -> str:
    """Why the disk refuses, in words: a full one is called full, whoever noticed it."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    full = isinstance(error, OSError) and error.errno in _NO_ROOM
    return f"the disk is full ({said})" if full or is_full(said) else said


def is_full(text: str) -> bool:
    """Whether a library's message says that the disk is full."""
    return _NO_ROOM_SAID.search(text) is not None


_ASIDE = re.compile(r"\.(.+)\.[0-9a-f]{16}\.aside", re.DOTALL)


def _down(folder: Path, root: Path) -> tuple[str, ...]:
    """The way down from a root."""
    parts = folder.relative_to(root).parts
    if ".." in parts:
        message = f"{folder} does not lie below {root}"
        raise ValueError(message)
    return parts


def _step(descriptor: int, at: Path, *, make: bool) -> int:
    """Go down into a folder, which is no link."""
    with _naming(at):
        try:
            return os.open(at.name, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
        except FileNotFoundError:
            if not make:
                raise
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR):
                raise _not_plain(descriptor, at, "folder") from error
            raise
        with suppress(FileExistsError):  # another process may have been faster
            os.mkdir(at.name, 0o700, dir_fd=descriptor)
        os.fsync(descriptor)
    return _step(descriptor, at, make=False)


def _plain(folder: int, path: Path) -> int:
    """Open a plain file of a folder for reading, without waiting for anybody."""
    with _naming(path):
        try:
            descriptor = os.open(path.name, _FILE, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):
                raise _not_plain(folder, path, "plain file") from error
            raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _foreign("UL465", "this is no plain file", path)
    return descriptor


def _not_plain(folder: int, path: Path, wanted: str) -> OutputError:
    found = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        return _foreign("UL463", "this is a link, and no link is followed here", path)
    return _foreign("UL465", f"this is no {wanted}", path)


def _foreign(code: str, message: str, where: Path) -> OutputError:
    return OutputError(Diagnostic(code, message, _OTHER, Place(str(where))))


def _mount(descriptor: int) -> tuple[int, str]:
    """What a folder lies on: its device and, where the system tells, its mount."""
    device = os.fstat(descriptor).st_dev
    try:
        with Path(f"/proc/self/fdinfo/{descriptor}").open(encoding="ascii") as told:
            mount = next((line for line in told if line.startswith("mnt_id")), "")
    except FileNotFoundError:  # no Linux
        mount = ""
    return device, mount


def _remove(folder: int, path: Path, here: tuple[int, str]) -> None:
    with _naming(path):
        try:
            if not stat.S_ISDIR(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(path.name, dir_fd=folder)
                return
        except FileNotFoundError:
            return
    inside = _step(folder, path, make=False)
    try:
        if _mount(inside) != here:
            raise _foreign("UL464", "this folder lies on another device than its parent", path)
        for name in os.listdir(inside):  # noqa: PTH208 - by descriptor
            _remove(inside, path / name, here)
    finally:
        os.close(inside)
    with _naming(path):
        os.rmdir(path.name, dir_fd=folder)


@contextmanager
def _naming(path: Path) -> Generator[None]:
    """Let an error of the system name the whole path, not its last part."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
