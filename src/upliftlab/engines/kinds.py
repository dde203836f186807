"""The kinds of file that hold tables: how each is known, and what is to be known of it.

An entry here is a kind. How an engine reads it stands with the engine: the embedded one reads all,
Spark those of `SPARK`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from upliftlab.config.models import Source
from upliftlab.engines.place import opened
from upliftlab.errors import DataError, Diagnostic

_ARCHIVE: Final = ".zip"
"""How an archive's name ends; one text of rows lies in it."""
KindName = Literal["csv", "parquet", "sheets", "json", "arrow", "duckdb", "sqlite"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file.

    Attributes:
        name: What engines know it by.
        suffixes: How the names of its files end, the usual one first.
        packed: Whether a file may be compressed, as `orders.csv.gz`.
        loose: Whether a column of texts may mean anything, as in CSV, because nobody said what it
            is.
        inside: The key of a source that names one table of the several in a file; None where a
            file is one table.
        begins: The first bytes of a file, where its suffix is shared with another kind.
    """

    name: KindName
    suffixes: tuple[str, ...]
    packed: bool = False
    loose: bool = False
    inside: Literal["sheet", "table"] | None = None
    begins: bytes | None = None

    @property
    def endings(self) -> tuple[str, ...]:
        """How the names of its files end, compressed ones included."""
        plain = [suffix for suffix in self.suffixes if suffix != _ARCHIVE]
        return (*self.suffixes, *(f"{suffix}.gz" for suffix in plain if self.packed))


KINDS: Final = (
    FileKind("csv", (".csv", ".tsv", _ARCHIVE), packed=True, loose=True),
    FileKind("parquet", (".parquet",)),
    FileKind("sheets", (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), loose=True, inside="sheet"),
    FileKind("json", (".jsonl", ".ndjson", ".json"), packed=True),
    FileKind("arrow", (".feather", ".arrow", ".ipc")),
    FileKind(
        "sqlite",
        (".sqlite", ".sqlite3", ".db"),
        loose=True,
        inside="table",
        begins=b"SQLite format 3\0",
    ),
    FileKind("duckdb", (".duckdb", ".db"), inside="table"),
)
"""Of kinds that share a suffix, those that are known by their first bytes come first."""
SPARK: Final = ("csv", "parquet", "json")
"""What Spark reads by itself."""


def kind_of(paths: Sequence[Path]) -> FileKind:
    """What the files of a source are.

    Raises:
        DataError: UL203, they are of no known kind, or of several.
    """
    kinds = {_kind(path).name: _kind(path) for path in paths}
    if len(kinds) > 1:
        message = "the files of a source are of several kinds"
        raise DataError(Diagnostic("UL203", message, "name those of one kind"))
    return next(iter(kinds.values()))


def _kind(path: Path) -> FileKind:
    ending = [*_ending(path.name)]
    for kind in ending:
        if len(ending) == 1 or kind.begins is None or _begins(path, kind.begins):
            return kind
    message, remedy = f"{path.name} is of no known kind", f"use {said(KINDS)}"
    if path.name.lower().endswith((".txt", ".txt.gz")):
        remedy = f"if its rows are lines, name it {path.name.split('.')[0]}.csv"
    raise DataError(Diagnostic("UL203", message, remedy))


def _ending(name: str) -> Iterator[FileKind]:
    return (kind for kind in KINDS if name.lower().endswith(kind.endings))


def _begins(path: Path, mark: bytes) -> bool:
    with opened(path) as file:
        return file.read(len(mark)) == mark


def require_sheets(kind: FileKind, paths: Sequence[Path], source: Source) -> None:
    """Refuse a source that names a sheet of files that have none.

    Raises:
        DataError: UL267.
    """
    if source.sheet is not None and kind.inside != "sheet":
        message = f"{paths[0].name} is no workbook and has no sheets"
        raise DataError(Diagnostic("UL267", message, "leave 'sheet' out"))


def said(kinds: Iterable[FileKind]) -> str:
    """The usual suffixes of kinds, for a message.

    >>> said(KINDS[:3])
    '.csv, .parquet or .xlsx'
    """
    *most, last = (kind.suffixes[0] for kind in kinds)
    return f"{', '.join(most)} or {last}" if most else last


def of_spark() -> str:
    """The usual suffixes of the kinds that Spark reads, for a message."""
    return said(kind for kind in KINDS if kind.name in SPARK)


def is_of(name: str, kinds: Collection[KindName]) -> bool:
    """Whether a file's name, or a pattern's, says that it is of one of these kinds.

    >>> is_of("Orders/*.CSV.gz", ["csv"]), is_of("orders.xlsx", ["csv"])
    (True, False)
    """
    return any(kind.name in kinds for kind in _ending(name))


def is_loose(name: str) -> bool:
    """Whether a file's name says that nothing but its use tells what its texts mean.

    >>> is_loose("a.csv.gz"), is_loose("a.xlsx"), is_loose("a.parquet"), is_loose("a.db")
    (True, True, False, False)
    """
    return {kind.loose for kind in _ending(name)} == {True}


def is_text(name: str) -> bool:
    """Whether a file's name says that it is a text of rows, of which every column is text.

    >>> is_text("a.CSV.gz"), is_text("a.zip"), is_text("a.parquet")
    (True, True, False)
    """
    return is_of(name, ["csv"])


def is_gzip(path: Path) -> bool:
    """Whether a file's name says that it is compressed by gzip."""
    return path.name.lower().endswith(".gz")


def is_zip(path: Path) -> bool:
    """Whether a file's name says that it is an archive."""
    return path.name.lower().endswith(_ARCHIVE)
