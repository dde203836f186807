"""Rows of a text: its lines split into cells, as RFC 4180 has it and DuckDB reads it.

A cell begins and ends with a quote sign, with spaces around at most, or it is taken as it stands.
A line of nothing is no row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from upliftlab.engines.place import LONGEST_LINE
from upliftlab.errors import DataError, Diagnostic

_INNER = re.compile(r'(?:[^"]+|"")*')
_OPENING = re.compile(r' *"')
_ENDS = ("\r\n", "\n", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins, its cells, and the lines it was made of."""

    line: int
    cells: list[str]
    text: str

    @property
    def ended(self) -> str:
        r"""Its text, ending in `\n`; line breaks within quote signs stay as they are."""
        return f"{self.text.removesuffix(end_of(self.text))}\n"


def end_of(line: str) -> str:
    r"""What ends a line: `\n`, `\r\n`, `\r`, or nothing at the end of the file.

    >>> end_of("a\r\n"), end_of("a\n\r"), end_of("a")
    ('\r\n', '\r', '')
    """
    return next((end for end in _ENDS if line.endswith(end)), "")


class RowReader:
    """Rows out of lines, which come some at a time."""

    def __init__(self, delimiter: str, path: Path) -> None:
        """No row yet; `path` is what faults name."""
        self._delimiter, self._path = delimiter, path
        self._row = _Cells(delimiter, path)

    @property
    def open(self) -> bool:
        """Whether the next line goes on with a quoted cell."""
        return self._row.part is not None

    def rows(self, lines: Iterable[tuple[int, str]]) -> Iterator[Row]:
        """The rows that end within some numbered lines.

        Raises:
            DataError: UL263, a text follows a quote sign that closes, or a cell is endless.
        """
        for number, line in lines:
            if self.open and '"' not in line:
                self._row.goes_on(line)
                continue
            end = end_of(line)
            body = line.removesuffix(end)
            cells = None if self.open else _at_once(body, self._delimiter)
            if cells is not None:
                if body:
                    yield Row(number, cells, line)
            elif self._row.take(number, body, end):
                done, self._row = self._row, _Cells(self._delimiter, self._path)
                yield Row(done.line, done.cells, "".join(done.texts))

    def end(self) -> None:
        """No line follows.

        Raises:
            DataError: UL263, a quote sign is not closed.
        """
        if self.open:
            raise self._row.unclosed()


def rows_of(lines: Iterable[tuple[int, str]], delimiter: str, path: Path) -> Iterator[Row]:
    """The rows of numbered lines.

    Raises:
        DataError: UL263, a quote sign is not closed, or a text follows the one that closes.
    """
    reader = RowReader(delimiter, path)
    yield from reader.rows(lines)
    reader.end()


def _at_once(body: str, delimiter: str) -> list[str] | None:
    """The cells of a line that is a row by itself and holds nothing odd; None of any other."""
    if '"' not in body:
        return body.split(delimiter)
    if '" ' in body or ' "' in body:
        return None
    try:
        return next(csv.reader((body,), delimiter=delimiter, strict=True))
    except csv.Error:
        return None


@dataclass(slots=True)
class _Cells:
    """The cells of a row that has quoted ones, line by line."""

    delimiter: str
    path: Path
    line: int = 0
    opened: int = 0
    texts: list[str] = field(default_factory=list[str])
    cells: list[str] = field(default_factory=list[str])
    part: list[str] | None = None
    size: int = 0

    def take(self, number: int, body: str, end: str) -> bool:
        """Go on with the next line; whether the row is complete."""
        self.line = self.line or number
        self._keep(body + end)
        at = 0
        while True:
            if self.part is None and (opening := _OPENING.match(body, at)):
                self.part, self.opened, at = [], number, opening.end()
            if self.part is None:
                stop = body.find(self.delimiter, at)
                self.cells.append(body[at:] if stop < 0 else body[at:stop])
                if stop < 0:
                    return True
                at = stop + 1
                continue
            closed = self._quoted(body, at)
            if closed is None:
                self.part.append(end)
                return False
            if closed < 0:
                return True
            at = closed

    def goes_on(self, line: str) -> None:
        """Take a whole line into the cell that is open."""
        self._keep(line)
        if self.part is not None:
            self.part.append(line)

    def _keep(self, line: str) -> None:
        self.texts.append(line)
        self.size += len(line)
        if self.size > LONGEST_LINE:
            raise self.unclosed()

    def _quoted(self, body: str, at: int) -> int | None:
        """Where the next cell begins: -1 where none does, None where the quote is still open."""
        part = self.part or []
        inner = _INNER.match(body, at)
        stop = inner.end() if inner else at
        part.append(body[at:stop])
        if stop == len(body):
            self.part = part
            return None
        self.cells.append("".join(part).replace('""', '"'))
        self.part = None
        rest = body[stop + 1 :].lstrip(" ")
        if not rest:
            return -1
        if not rest.startswith(self.delimiter):
            raise self._followed()
        return len(body) - len(rest) + 1

    def unclosed(self) -> DataError:
        """What it means that a quote is open at the end."""
        message = (
            f'line {self.opened or self.line:,} of {self.path.name}: the quote sign " that begins'
            f" cell {len(self.cells) + 1} is not closed"
        )
        return DataError(Diagnostic("UL263", message, _DOUBLED))

    def _followed(self) -> DataError:
        message = (
            f'line {self.opened:,} of {self.path.name}: in cell {len(self.cells)} a quote sign "'
            " closes the text, and more text follows"
        )
        return DataError(Diagnostic("UL263", message, _DOUBLED))


_DOUBLED = 'write a quote sign inside a quoted text twice: ""'
