"""Changes to the disk that survive a power cut: synced first, renamed last.

A rename is the only step that changes what a reader sees, and the file system makes it whole or
not at all. Everything before it happens beside the place it is meant for.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


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


def make_folder(folder: Path) -> None:
    """Make a private folder and its parents where they do not exist, and sync their names."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync(folder.parent)


def publish(aside: Path, target: Path) -> None:
    """Rename a synced file or folder to the place it is meant for, and sync the new name.

    A file replaces one of the same name; a folder refuses to replace one that is not empty.
    """
    aside.replace(target)
    sync(target.parent)


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds, and never what a symbolic link points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
