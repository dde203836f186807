"""The files that a source names: one, those that match a pattern, or a folder's Parquet files."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from upliftlab.engines.parquet import parquet_files, sha256_of, types_of
from upliftlab.errors import DataError, Fault

CSV = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
DATABASES = (".duckdb", ".db")


def files_of(name: str, locate: Callable[[str], Path]) -> list[Path]:
    """The files of a source, sorted by name.

    Args:
        name: As the source names them: a file, a folder, or a pattern with `*` and `?`.
        locate: Path of a file named by a source; raises where it may not be read.

    Raises:
        DataError: UL201, there is no such file.
    """
    if any(sign in name for sign in "*?"):
        found = sorted(glob.glob(name, root_dir=locate("."), recursive=True))  # noqa: PTH207 - a root apart from the pattern
        paths = [path for path in map(locate, found) if path.is_file()]
    else:
        path = locate(name)
        inside = parquet_files(path) if path.is_dir() else [path]
        named = (PurePosixPath(name) / file.relative_to(path).as_posix() for file in inside)
        paths = [file for file in (locate(str(each)) for each in named) if file.is_file()]
    if not paths:
        root = locate(".")
        here = sorted(path.name for path in root.iterdir())[:6] if root.is_dir() else []
        known = f"it holds {', '.join(here)}" if here else "it holds no files"
        message = f"no file in {root} is called {name}"
        raise DataError(Fault("UL201", message, f"{known}; --data names another folder"))
    return paths


def kind_of(paths: Sequence[Path]) -> str:
    """What the files are: csv, parquet or database.

    Raises:
        DataError: UL203, they are of no known kind, or of several.
    """
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1:
        raise DataError(
            Fault("UL203", "the files of a source are of several kinds", "name those of one kind")
        )
    return kinds.pop()


def _kind(path: Path) -> str:
    name = path.name.lower()
    if name.endswith(CSV):
        return "csv"
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(DATABASES):
        return "database"
    raise DataError(
        Fault("UL203", f"{path.name} is of no known kind", "use .csv, .csv.gz, .parquet or .duckdb")
    )


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
            raise DataError(Fault("UL202", message, "give all files of a source the same columns"))


def fingerprint_of(name: str, paths: Sequence[Path]) -> tuple[str, str]:
    """What the record calls the files, and a sha256 of their bytes, or of their names and bytes."""
    if len(paths) == 1:
        return paths[0].name, sha256_of(paths[0])
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.name} {sha256_of(path)}\n".encode())
    return name, total.hexdigest()
