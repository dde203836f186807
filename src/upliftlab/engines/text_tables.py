"""Texts of rows as tables of DuckDB: read where they lie, or out of a copy.

DuckDB reads a text where it lies if it is UTF-8 and its lines end alike; of any other a copy is
made. It also refuses some that are right: where a quoted line break lies between what two of its
threads read, or where a line ends otherwise further down. Such a text is then looked at row by
row: its fault is named, or it is copied and read by one thread.
"""

from __future__ import annotations

import errno
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.files import FEW
from upliftlab.engines.kinds import is_gzip
from upliftlab.engines.place import LONGEST_LINE, Stamp, disk_full, refusal, stamp_of
from upliftlab.engines.text_file import unpacked
from upliftlab.engines.text_header import TextTable, text_tables
from upliftlab.util.sql import literal, quote

_PIECE = 1 << 22
"""Letters that are written at a time."""
_ROOM = 1 << 28
"""Bytes that a copy leaves free on the disk, whatever an archive expands to."""
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_BLANK = (b"\n\n", b"\r\r", b"\n\r\n")


@dataclass(frozen=True, slots=True)
class _Copy:
    """A text in UTF-8 whose rows end alike, without what stands before its first row."""

    path: Path
    parallel: bool


class TextTables:
    """The texts that an engine reads, and the copies made of them."""

    def __init__(self, folder: Path) -> None:
        """No text yet; `folder` is where copies are put, made when the first is."""
        self._folder = folder
        self._tables: dict[str, tuple[list[TextTable], FileFormat]] = {}
        self._copies: dict[tuple[TextTable, Stamp], _Copy] = {}
        self._made = 0

    def relation(self, name: str, paths: Sequence[Path], form: FileFormat) -> str:
        """What a view of some texts selects; every column is text.

        Nothing is left to the reader's guess: DuckDB's skips leading rows that do not fit the rest.

        Args:
            name: What the view is called.
            paths: The files.
            form: How they are declared to be written.

        Raises:
            DataError: UL202, UL226, UL228, UL261 to UL266, a text is no table.
            EngineError: UL507 there is no room for a copy.
        """
        tables = text_tables(paths, form)
        self._tables[name] = tables, form
        for table in tables:
            if not table.plain or _has_blank_rows(table):
                self._copy(table)
        return self._selected(tables, form)

    def forget(self, name: str) -> None:
        """Something else is called so from now on."""
        self._tables.pop(name, None)

    def mended(self, readable: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        """What the views select of which a text was refused and can be read in another way.

        Args:
            readable: Whether every cell of what is selected can be read.

        Yields:
            A view's name, and what it now selects.

        Raises:
            DataError: UL262, UL263 and others, the fault of a text that is none.
        """
        copied = set[TextTable]()  # several views may read one text
        for name, (tables, form) in self._tables.items():
            for table in tables:
                if table not in copied and self._refused(table, form, readable):
                    self._copy(table, exact=True)
                    copied.add(table)
            if copied.intersection(tables):
                yield name, self._selected(tables, form)

    def _refused(self, table: TextTable, form: FileFormat, readable: Callable[[str], bool]) -> bool:
        copy = self._copy_of(table)
        if copy and not copy.parallel:
            return False
        return not readable(self._selected([table], form))

    def _selected(self, tables: Sequence[TextTable], form: FileFormat) -> str:
        columns = ", ".join(map(quote, tables[0].columns))
        read = defaultdict[str, list[Path]](list)
        for table in tables:
            path, how = self._read(table, form)
            read[how].append(path)
        size = 1 if len(tables) <= FEW else len(tables)
        parts = [
            f"SELECT {columns} FROM read_csv({_listed(paths[at : at + size])}, {how})"  # noqa: S608 - through quote() and literal()
            for how, paths in read.items()
            for at in range(0, len(paths), size)
        ]
        return f"({' UNION ALL '.join(parts)})"

    def _read(self, table: TextTable, form: FileFormat) -> tuple[Path, str]:
        """The file that is read, and how."""
        copy = self._copy_of(table)
        named = _all_named(table.names)
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in named)
        missing = ", ".join(literal(word) for word in ("", *form.missing))
        options = {
            "auto_detect": "false",
            "header": "false" if copy else "true",
            "skip": "0" if copy else str(table.header - 1),
            "columns": f"{{{columns}}}",
            "delim": literal(table.delimiter),
            "quote": "'\"'",
            "escape": "'\"'",
            "comment": "''",
            "nullstr": f"[{missing}]",
            "compression": "'gzip'" if not copy and is_gzip(table.path) else "'none'",
            "max_line_size": str(LONGEST_LINE),
            "parallel": "true" if copy is None or copy.parallel else "false",
        }
        if copy:  # DuckDB would take the first line break for it, be it quoted
            options["new_line"] = r"'\n'"
        given = ", ".join(f"{key} = {value}" for key, value in options.items())
        return copy.path if copy else table.path, given

    def _copy_of(self, table: TextTable) -> _Copy | None:
        """The copy of a text as it now is; none is looked for where none was made."""
        if not any(known == table for known, _ in self._copies):
            return None
        return self._copies.get((table, stamp_of(table.path)))

    def _copy(self, table: TextTable, *, exact: bool = False) -> None:
        """Make a copy, unless there is one; `exact` where every row is looked at."""
        known = self._copy_of(table)
        if known and not exact:
            return
        rows = (row.ended for row in table.rows()) if exact else table.copied()
        self._copies[table, stamp_of(table.path)] = _Copy(self._written(rows), not exact)

    def _written(self, rows: Iterator[str]) -> Path:
        """A file of rows."""
        self._made += 1
        path = self._folder / f"{self._made}.csv"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="") as file:
                for piece in _pieces(rows):
                    if shutil.disk_usage(self._folder).free < _ROOM:
                        raise disk_full()
                    file.write(piece)
        except OSError as error:
            raise (disk_full() if error.errno in _FULL else refusal(path, error)) from error
        return path


def _pieces(rows: Iterator[str]) -> Iterator[str]:
    """Rows, a few megabytes together."""
    held, size = list[str](), 0
    for row in rows:
        held.append(row)
        size += len(row)
        if size > _PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _all_named(names: Sequence[str]) -> list[str]:
    """The names of columns, with one for the first where it has none."""
    free = "unnamed"
    while free in {name.lower() for name in names}:
        free += "_"
    return [name or free for name in names]


def _has_blank_rows(table: TextTable) -> bool:
    """Whether DuckDB would take a blank line for a row, as it does in a text of one column."""
    if len(table.names) > 1:
        return False
    tail = b""
    with unpacked(table.path) as file:
        while piece := file.read(_PIECE):
            if any(blank in tail + piece for blank in _BLANK):
                return True
            tail = piece[-2:]
    return False


def _listed(paths: Sequence[Path]) -> str:
    return f"[{', '.join(literal(str(path)) for path in paths)}]"
