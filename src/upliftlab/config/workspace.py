"""The workspace: where `configs/` and the data of an experiment lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from upliftlab.errors import ConfigError, Fault, Place


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that holds `configs/`, and the one that holds the data."""

    root: Path
    data: Path

    @property
    def configs(self) -> Path:
        """The folder of shared declarations; it need not exist."""
        return self.root / "configs"

    def locate(self, file: str, place: Place | None = None) -> Path:
        """A data file inside the data root.

        Args:
            file: The file as the YAML names it, relative to the data root.
            place: Where the YAML names it, for the message.

        Raises:
            ConfigError: the file would lie outside the data root.
        """
        root = self.data.resolve()
        if reason := _escape(root, file):
            remedy = "name a file relative to the data folder, or choose another with --data"
            raise ConfigError(Fault("UL019", f"'{file[:120]}' {reason}", remedy, place))
        return root / file


def _escape(root: Path, file: str) -> str | None:
    """Why `file` is not below `root`; None where it is."""
    path = Path(file)
    windows = len(file) > 1 and file[1] == ":"
    if path.is_absolute() or windows or file.startswith(("\\", "~")):
        return "is an absolute path"
    if "\0" in file or "://" in file:
        return "is not a file's name"
    if ".." in file.replace("\\", "/").split("/"):
        return "leaves the data folder"
    if not (root / path).resolve().is_relative_to(root):
        return "leaves the data folder through a link"
    return None


def find_workspace(path: Path, data: Path | None = None) -> Workspace:
    """The workspace of an experiment file: the nearest folder upward that holds `configs/`.

    Args:
        path: The experiment's file.
        data: The data root, if the user names one.
    """
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links
    root = next((up for up in (folder, *folder.parents) if (up / "configs").is_dir()), folder)
    usual = root / "data"
    return Workspace(root, data or (usual if usual.is_dir() else root))


def shown(path: Path, given: Path) -> str:
    """How messages name `path`: relative to here, unless the user gave an absolute path.

    >>> shown(Path("/a/b"), Path("/a"))
    '/a/b'
    """
    if given.is_absolute():
        return path.as_posix()
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive on Windows
        return path.as_posix()
