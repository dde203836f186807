"""The workspace: where `configs/` and the data of an experiment lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from upliftlab.errors import ConfigError, Diagnostic, Place


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that holds `configs/`, and the one that holds the data.

    Attributes:
        root: The folder that holds `configs/`.
        data: The data root.
        usual: Whether nobody named the data root, so that it must lie inside the workspace.
    """

    root: Path
    data: Path
    usual: bool = False

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
            ConfigError: UL019 the file would lie outside the data root, UL027 the data root is a
                link that leaves the workspace.
        """
        if fault := lexical_fault(file, place):
            raise ConfigError(fault)
        root = _real(self.data)
        if self.usual and not root.is_relative_to(_real(self.root)):
            message = f"the data folder {self.data} is a link that leaves the workspace"
            remedy = "name the folder it leads to by --data"
            raise ConfigError(Diagnostic("UL027", message, remedy, place))
        if not _real(root / file).is_relative_to(root):
            raise ConfigError(_refusal(file, "leaves the data folder through a link", place))
        return self.data / file


def _real(path: Path) -> Path:
    """Where a path leads; a link that leads back to itself stays as it is."""
    return Path(os.path.realpath(path))


def lexical_fault(file: str | None, place: Place | None) -> Diagnostic | None:
    """Why a file's name alone shows that it is not inside the data root; None where it does not."""
    if file is None:
        return None
    windows = file[1:2] == ":"
    if Path(file).is_absolute() or windows or file.startswith(("\\", "/", "~")):
        return _refusal(file, "is an absolute path", place)
    if "\0" in file or "://" in file:
        return _refusal(file, "is not a file's name", place)
    if ".." in file.replace("\\", "/").split("/"):
        return _refusal(file, "leaves the data folder", place)
    return None


def _refusal(file: str, reason: str, place: Place | None) -> Diagnostic:
    remedy = "name a file relative to the data folder, or choose another with --data"
    return Diagnostic("UL019", f"'{file[:120]}' {reason}", remedy, place)


def find_workspace(path: Path, data: Path | None = None) -> Workspace:
    """The workspace of an experiment file: the nearest folder upward that holds `configs/`.

    Args:
        path: The experiment's file.
        data: The data root, if the user names one.
    """
    folder = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links
    root = next((up for up in (folder, *folder.parents) if (up / "configs").is_dir()), folder)
    return workspace_at(root, data)


def workspace_at(root: Path, data: Path | None = None) -> Workspace:
    """The workspace in a folder, whose data root is named or its own."""
    usual = root / "data"
    return Workspace(root, data or (usual if usual.is_dir() else root), usual=data is None)


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
