"""The files that a source names: one, those that match a pattern, or a folder's Parquet files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from upliftlab.engines.kinds import KINDS, is_of
from upliftlab.engines.parquet import family_of, types_of
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
    if is_of(path.name, [kind.name for kind in KINDS if kind.name != "parquet"]):
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


def same_columns(paths: Sequence[Path]) -> None:
    """Refuse Parquet files of one source that hold different columns, or different kinds of values.

    An engine would read them as one kind: a time without zone as one of UTC, a number as a text.

    Raises:
        DataError: UL202 a file has other columns than the first, UL258 another kind of values.
    """
    if len(paths) == 1:
        return
    first = types_of(paths[0])
    for path in paths[1:]:
        found = types_of(path)
        if odd := sorted(first.keys() ^ found.keys()):
            message = f"{path.name} and {paths[0].name} differ in the column '{odd[0]}'"
            raise DataError(
                Diagnostic("UL202", message, "give all files of a source the same columns")
            )
        for column, kind in found.items():
            one, other = family_of(first[column]), family_of(kind)
            if one is None:
                first[column] = kind
            elif other is not None and one != other:
                message = f"'{column}' holds {other} in {path.name} and {one} in {paths[0].name}"
                remedy = "write it alike in all files of a source"
                if "times" in one and "times" in other:
                    remedy += ", with a time zone or without one"
                raise DataError(Diagnostic("UL258", message, remedy))
