"""What changed since a revision, and which files are touched by it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from upliftlab.config.document import Document
from upliftlab.config.shape import FILES
from upliftlab.config.workspace import Workspace
from upliftlab.util.git import changed_since


@dataclass(frozen=True, slots=True)
class Changes:
    """Files that are not as they were, links in their folders followed."""

    files: frozenset[Path]

    @classmethod
    def since(cls, revision: str, paths: Sequence[Path]) -> Changes:
        """What changed in the repositories of the given files and folders.

        Raises:
            ConfigError: UL049 and UL050, what changed is not known.
        """
        folders = {path if path.is_dir() else path.parent for path in paths}
        return cls(frozenset[Path]().union(*(changed_since(revision, each) for each in folders)))

    def hold(self, path: Path) -> bool:
        """Whether a file changed, or the one that it links to."""
        return not self.files.isdisjoint((_real(path.parent) / path.name, _real(path)))

    def hold_shared(self, workspace: Workspace) -> bool:
        """Whether any file of `configs/` changed, be it gone: what all experiments there read."""
        names = (f"{stem}{suffix}" for stem in FILES for suffix in (".yaml", ".yml"))
        return any(self.hold(workspace.configs / name) for name in names)

    def touch(self, path: Path, document: Document) -> bool:
        """Whether an experiment's file changed, or the one that it extends."""
        base = document.get("extends")
        return self.hold(path) or (isinstance(base, str) and self.hold(path.parent / base))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
