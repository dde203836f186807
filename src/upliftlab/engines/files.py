"""The files that a source names: one, those that match a pattern, or a folder's Parquet files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from upliftlab.engines.kinds import DATABASES, TEXTS, is_text
from upliftlab.engines.parquet import types_of
from upliftlab.engines.place import is_file, refusal
from upliftlab.errors import DataError, Diagnostic

SIDECAR = ".sha256"
FEW = 64
"""Texts of one source at most that are each read by several threads."""


def files_of(name: str, locate: Callable[[str], Path]) -> list[Path]:
    """The files of a source, sorted by name.

    Args:
        name: As the source names them: a file, a folder, or a pattern with `*` and `?`.
        locate: Path of a file named by a source; raises where it may not be read.

    Raises:
        DataError: UL201 there is no such file, UL229 it is a pipe or a device, UL230 it or its
            folder may not be read, UL231 a link leads to itself.
    """
    paths = _matching(name, locate) if any(sign in name for sign in "*?") else _named(name, locate)
    if not paths:
        root = locate(".")
        here = sorted(path.name for path in root.iterdir())[:6] if root.is_dir() else []
        known = f"it holds {', '.join(here)}" if here else "it holds no files"
        message = f"no file in {root} is called {name}"
        raise DataError(Diagnostic("UL201", message, f"{known}; --data names another folder"))
    return paths


def _matching(pattern: str, locate: Callable[[str], Path]) -> list[Path]:
    """The files that match a pattern; what stands beside one to vouch for it is none of them."""
    root = locate(".")
    parts = PurePosixPath(pattern).parts
    for depth in range(len(parts)):
        for folder in _found("/".join(parts[:depth]) or ".", root):
            _require_listing(locate(folder))
    paths = [locate(each) for each in sorted(_found(pattern, root)) if not each.endswith(SIDECAR)]
    return [path for path in paths if not path.is_dir() and is_file(path)]


def _found(pattern: str, root: Path) -> list[str]:
    return glob.glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207 - a root apart from the pattern


def _named(name: str, locate: Callable[[str], Path]) -> list[Path]:
    """A file, or the Parquet files in a folder, however deep."""
    path = locate(name)
    try:
        folder = path.is_dir()
    except OSError as error:
        raise refusal(path, error) from error
    if not folder:
        return [path] if is_file(path) else []
    if path.name.lower().endswith((*TEXTS, *DATABASES)):
        raise DataError(Diagnostic("UL229", f"{path.name} is a folder, and no file", "name a file"))
    inside: list[str] = []
    for at, _, names in os.walk(path, onerror=_refuse_listing):
        below = PurePosixPath(name) / Path(at).relative_to(path).as_posix()
        inside += [str(below / each) for each in names if each.endswith(".parquet")]
    return [file for file in map(locate, sorted(inside)) if is_file(file)]


def _require_listing(folder: Path) -> None:
    """Refuse a folder whose files cannot be seen: those found elsewhere would not be all."""
    if not folder.is_dir():
        return
    try:
        with os.scandir(folder):
            return
    except OSError as error:
        raise refusal(folder, error) from error


def _refuse_listing(error: OSError) -> None:
    raise refusal(Path(str(error.filename)), error) from error


def kind_of(paths: Sequence[Path]) -> str:
    """What the files are: csv, parquet or database.

    Raises:
        DataError: UL203, they are of no known kind, or of several.
    """
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        raise DataError(
            Diagnostic(
                "UL203", "the files of a source are of several kinds", "name those of one kind"
            )
        )
    return kinds.pop()


def _kind(path: Path) -> str:
    name = path.name.lower()
    if is_text(name):
        return "csv"
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(DATABASES):
        return "database"
    remedy = "use .csv, .tsv (also as .gz), .zip with one of them, .parquet or .duckdb"
    if name.endswith((".txt", ".txt.gz")):
        remedy = f"if its rows are lines, name it {path.name.split('.')[0]}.csv"
    raise DataError(Diagnostic("UL203", f"{path.name} is of no known kind", remedy))


def same_columns(paths: Sequence[Path]) -> None:
    """Refuse Parquet files of one source that hold different columns.

    Raises:
        DataError: UL202, naming a file that differs from the first.
    """
    if len(paths) == 1:
        return
    first = set(types_of(paths[0]))
    for path in paths[1:]:
        if odd := sorted(first ^ set(types_of(path))):
            message = f"{path.name} and {paths[0].name} differ in the column '{odd[0]}'"
            raise DataError(
                Diagnostic("UL202", message, "give all files of a source the same columns")
            )
