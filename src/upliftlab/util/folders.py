"""Writing a folder of files so that a reader never sees half of one."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from upliftlab.errors import Diagnostic, OutputError, Place
from upliftlab.util.durable import aside_of, entered, is_aside_of, names_in, remove
from upliftlab.util.files import unwritten, writable, write_new


def write_folder(
    folder: Path, files: Mapping[str, bytes], known: frozenset[str], root: Path | None = None
) -> None:
    """Write a folder aside and rename it into place; one of that name stays until then, and goes.

    Writers wait for one another, and take away what one that died has left aside.

    Args:
        folder: Where it goes.
        files: The content of each file, by its name.
        known: Names that a folder which is replaced may hold.
        root: The folder that the user named, below which no link is followed; that above the
            folder where it is absent.

    Raises:
        OutputError: UL680, there is a folder that holds something else; UL601, UL463 to UL465, as
            `atomic_write`.
    """
    top = folder.parent if root is None else root
    try:
        with writable(folder.parent, root) as above:
            fcntl.flock(above, fcntl.LOCK_EX)
            for left in os.listdir(above):  # noqa: PTH208 - by descriptor
                if is_aside_of(left, folder.name):
                    remove(folder.with_name(left), top)
            _refuse_others(folder, known, top)
            aside = folder.with_name(aside_of(folder.name))
            try:
                _fill(above, aside, files, top)
                _exchange(above, folder, aside.name, top)
            except BaseException:
                remove(aside, top)
                raise
    except OSError as error:
        raise unwritten(error, folder) from error


def _refuse_others(folder: Path, known: frozenset[str], root: Path) -> None:
    """Keep to folders that were written here."""
    other = next((name for name in names_in(folder, root) if name not in known), None)
    if other is not None:
        message = f"this folder holds '{other}', which was not written here, so it is not replaced"
        remedy = "move it away, or name another folder by --out"
        raise OutputError(Diagnostic("UL680", message, remedy, Place(str(folder))))


def _fill(above: int, aside: Path, files: Mapping[str, bytes], root: Path) -> None:
    os.mkdir(aside.name, dir_fd=above)
    with entered(aside, root) as inside:
        for name, content in files.items():
            os.close(write_new(inside, name, content))
        os.fsync(inside)


def _exchange(above: int, folder: Path, aside: str, root: Path) -> None:
    """Put the new folder in the place of the old; the old is put back where that fails."""
    old = folder.with_name(aside_of(folder.name))
    with suppress(FileNotFoundError):
        os.rename(folder.name, old.name, src_dir_fd=above, dst_dir_fd=above)
    try:
        os.rename(aside, folder.name, src_dir_fd=above, dst_dir_fd=above)
    except OSError:
        with suppress(FileNotFoundError):
            os.rename(old.name, folder.name, src_dir_fd=above, dst_dir_fd=above)
        raise
    os.fsync(above)
    remove(old, root)
