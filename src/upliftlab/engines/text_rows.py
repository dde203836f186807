"""Rows of a text: its lines split into cells, as RFC 4180 has it and DuckDB reads it.

A cell begins and ends with a quote sign, with spaces around at most, or it is taken as it stands.
A line of nothing is no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from upliftlab.engines.place import LONGEST_LINE
from upliftlab.errors import DataError, Diagnostic

_INNER = re.compile(r'(?:[^"]+|"")*')
_OPENING = re.compile(r' *"')
_END = re.compile(r"\r?\n|\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins, its cells, and the lines it was made of."""

    line: int
    cells: list[str]
    text: str


def end_of(line: str) -> str:
    r"""What ends a line: `\n`, `\r\n`, `\r`, or nothing at the end of the file."""
    found = _END.search(line, len(line) - 2 if line.endswith("\r\n") else max(len(line) - 1, 0))
    return found[0] if found else ""


def rows_of(lines: Iterable[tuple[int, str]], delimiter: str, path: Path) -> Iterator[Row]:
    """The rows of numbered lines.

    Raises:
        DataError: UL263, a quote sign is not closed, or a text follows the one that closes.
    """
    row = _Cells(delimiter, path)
    for number, line in lines:
        end = end_of(line)
        body = line.removesuffix(end)
        if row.part is None and '"' not in body:
            if body:
                yield Row(number, body.split(delimiter), line)
            continue
        if row.take(number, body, end):
            yield Row(row.line, row.cells, row.text)
            row = _Cells(delimiter, path)
    if row.part is not None:
        raise row.unclosed()


@dataclass(slots=True)
class _Cells:
    """The cells of a row that has quoted ones, line by line."""

    delimiter: str
    path: Path
    line: int = 0
    opened: int = 0
    text: str = ""
    cells: list[str] = field(default_factory=list[str])
    part: list[str] | None = None
    size: int = 0

    def take(self, number: int, body: str, end: str) -> bool:
        """Go on with the next line; whether the row is complete."""
        self.line = self.line or number
        self.text += body + end
        self.size += len(body) + 1
        if self.size > LONGEST_LINE:
            raise self.unclosed()
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
