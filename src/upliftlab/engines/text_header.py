"""What the first lines of a text of rows say: its separator and the names of its columns."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.kinds import is_zip
from upliftlab.engines.place import LONGEST_LINE
from upliftlab.engines.text_file import UTF8, blocks_of, encoding_of, lines_in, lines_of
from upliftlab.engines.text_rows import Row, RowReader, end_of, rows_of
from upliftlab.errors import DataError, Diagnostic
from upliftlab.util.personal import are_values

_LONGEST = 1 << 16
"""Letters of the row that names the columns at most."""
_SIGNS = ",;\t|"
_WORDS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
_EXCEL = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""Excel's own first line, which names the separator."""
_SAMPLE = 20
Lines = Iterable[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class TextTable:
    """How one text of rows is read.

    Attributes:
        path: The file.
        encoding: How its letters are bytes.
        delimiter: The sign between two cells.
        names: Its columns; the first is empty where the file does not name it.
        header: The line on which they are named, counted from 1.
        plain: Whether a reader can be told to begin there: nothing before makes it lose count.
    """

    path: Path
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header: int
    plain: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have a name."""
        return tuple(name for name in self.names if name)

    def rows(self) -> Iterator[Row]:
        """The rows below the names, each with as many cells as there are names.

        Raises:
            DataError: UL262 a row has more or fewer cells, UL263 a quote sign is out of place; of
                the file as `lines_of`.
        """
        wanted = len(self.names)
        for row in itertools.islice(self._all(), 1, None):
            if len(row.cells) < wanted or any(row.cells[wanted:]):
                raise self._ragged(row)
            yield row

    def copied(self) -> Iterator[str]:
        r"""The rows as text, each ending in `\n`, some together; their cells are not counted.

        Raises:
            DataError: UL263 a quote sign is out of place; of the file as `lines_of`.
        """
        reader, below = RowReader(self.delimiter, self.path), False
        for first, block in blocks_of(self.path, self.encoding):
            if below and not reader.open and (plain := _as_it_is(block)):
                yield plain
                continue
            lines = enumerate(lines_in(block), first)
            for row in reader.rows(each for each in lines if each[0] >= self.header):
                if below:
                    yield row.ended
                below = True
        reader.end()

    def _all(self) -> Iterator[Row]:
        below = itertools.islice(lines_of(self.path, self.encoding), self.header - 1, None)
        return rows_of(below, self.delimiter, self.path)

    def _ragged(self, row: Row) -> DataError:
        found, wanted = len(row.cells), len(self.names)
        message = (
            f"line {row.line:,} of {self.path.name} has {_cells(found)}, and line"
            f" {self.header:,} names {_columns(wanted)}"
        )
        remedy = "mend the line; a cell that holds the separator is put in quote signs"
        if found < wanted:
            remedy = "mend the line, or delete it if it is a remark or a total below the table"
        counts = self._counts()
        skip = counts.index(found) if found == max(counts) else 0
        if found > wanted and skip >= self.header:
            remedy += f"; if line {skip + 1} names the columns, write format: {{skip: {skip}}}"
        return DataError(Diagnostic("UL262", message, remedy))

    def _counts(self) -> list[int]:
        """How many cells each of the first lines has, those before the names included."""
        lines = itertools.islice(lines_of(self.path, self.encoding), self.header + _SAMPLE)
        return [line.count(self.delimiter) + 1 for _, line in lines]


def _as_it_is(block: str) -> str | None:
    """Lines of which each is a row whatever its cells are; None where some may not be."""
    plain = block.replace("\r\n", "\n")
    odd = '"' in plain or "\r" in plain or "\n\n" in plain or plain.startswith("\n")
    return None if odd else plain


def text_table(path: Path, form: FileFormat) -> TextTable:
    """How a text of rows is read, by its first lines and what is declared of it.

    Raises:
        DataError: UL202 its columns are not named, or two alike, UL228 the row of names is too
            long, UL261 its bytes are no text, UL263 a quote sign is out of place, UL264 the
            separator cannot be told, UL265 it is no archive of one table.
    """
    encoding = encoding_of(path, form)
    all_lines = lines_of(path, encoding)
    lines = _bounded(all_lines, path)
    ends = set[str]()
    ends.update(end_of(line) for _, line in itertools.islice(lines, form.skip))
    first = _filled(lines, ends, path, form.skip)
    excel = _EXCEL.fullmatch(first[1])
    if excel:
        ends.add(end_of(first[1]))
        first = _filled(lines, ends, path, form.skip)
    head = _whole(first, lines)
    below = list(itertools.islice(all_lines, _SAMPLE))
    delimiter = form.delimiter or (excel[1] if excel else _delimiter(head, below, path))
    row = next(rows_of(head, delimiter, path))
    ends.update(end_of(line) for _, line in (*head, *below) if end_of(line))
    plain = encoding == UTF8 and not is_zip(path) and row.text == first[1] and len(ends) == 1
    return TextTable(path, encoding, delimiter, _names(row, path), first[0], plain)


def text_tables(paths: Sequence[Path], form: FileFormat) -> list[TextTable]:
    """How the files of a source are read, which have the same columns.

    Raises:
        DataError: UL202 one differs from the first; otherwise as `text_table`.
    """
    tables = [text_table(path, form) for path in paths]
    for table in tables[1:]:
        if sorted(table.columns) != sorted(tables[0].columns):
            message = f"{table.path.name} and {tables[0].path.name} differ in their columns' names"
            remedy = "give all files of a source the same columns"
            raise DataError(Diagnostic("UL202", message, remedy))
    return tables


def _bounded(lines: Iterator[tuple[int, str]], path: Path) -> Iterator[tuple[int, str]]:
    """Lines, refused as soon as they are too long together to be those before the first row."""
    size = 0
    for number, line in lines:
        size += len(line)
        if len(line) > _LONGEST or size > LONGEST_LINE:
            message = f"the first line of {path.name} has more than {_LONGEST:,} bytes"
            remedy = "it names the columns, and ends in a line break"
            raise DataError(Diagnostic("UL228", message, remedy))
        yield number, line


def _filled(lines: Lines, ends: set[str], path: Path, skip: int) -> tuple[int, str]:
    """The first line that is not blank; the ends of blank ones are added to `ends`."""
    for number, line in lines:
        if line.strip(" \t\r\n\ufeff"):
            return number, line
        ends.add(end_of(line))
    if skip:
        message = f"{path.name} holds nothing below the {skip:,} lines that are skipped"
        raise DataError(Diagnostic("UL202", message, "mend 'skip' under 'format'"))
    raise DataError(
        Diagnostic("UL202", f"{path.name} is empty", "its first line names the columns")
    )


def _whole(first: tuple[int, str], lines: Lines) -> list[tuple[int, str]]:
    """The lines of the row of names: as many as its quote signs need to be closed."""
    head, quotes, size = [first], first[1].count('"'), len(first[1])
    while quotes % 2 and size <= _LONGEST:
        following = next(iter(lines), None)
        if following is None:
            break
        head.append(following)
        quotes += following[1].count('"')
        size += len(following[1])
    return head


def _delimiter(head: Lines, below: Sequence[tuple[int, str]], path: Path) -> str:
    """The commonest candidate in the row of names, outside quote signs."""
    found = _signs(head)
    most = max(found.values())
    best = [sign for sign in _SIGNS if found[sign] == most]
    if most and len(best) > 1:
        signs = " and ".join(_WORDS[sign] for sign in best)
        message = f"the first line of {path.name} has as many of {signs}: one parts its columns"
        choices = " or ".join(f"format: {{delimiter: {_WORDS[sign]}}}" for sign in best)
        raise DataError(Diagnostic("UL264", message, f"write {choices}"))
    if not most and any((under := _signs(below)).values()):
        sign = max(_SIGNS, key=lambda each: under[each])
        number, _ = max(below, key=lambda line: _signs([line])[sign])
        said = _WORDS[sign]
        message = f"the first line of {path.name} names one column, and line {number} holds {said}"
        remedy = (
            f"if line {number} names the columns, write format: {{skip: {number - 1}}};"
            f" if there is one column, write format: {{delimiter: {said}}} and quote it"
        )
        raise DataError(Diagnostic("UL264", message, remedy))
    return best[0]


def _signs(lines: Lines) -> dict[str, int]:
    """How often each candidate stands in some lines, outside quote signs."""
    outside = re.sub(r'"[^"]*"?', "", "".join(line for _, line in lines))
    return {sign: outside.count(sign) for sign in _SIGNS}


def _names(row: Row, path: Path) -> tuple[str, ...]:
    """The names of the columns, trimmed, without unnamed ones behind the last; the first may be."""
    names = [name.strip().strip("\ufeff").strip() for name in row.cells]
    while names and not names[-1]:
        names.pop()
    counts = Counter(name.lower() for name in names if name)
    if twice := [name for name in names if counts[name.lower()] > 1]:
        if are_values(names):
            message = f"{path.name} begins with values, not with the names of its columns"
            raise DataError(Diagnostic("UL202", message, "add a first line that names them"))
        alike = sorted({name for name in twice if name.lower() == twice[0].lower()})
        same = " and ".join(f"'{name}'" for name in alike)
        case = "; capital and small letters do not tell columns apart" if alike[1:] else ""
        message = f"{path.name} has two columns {same}"
        raise DataError(Diagnostic("UL202", message, f"rename one{case}"))
    if not names:
        message = f"line {row.line:,} of {path.name} names no column"
        raise DataError(Diagnostic("UL202", message, "its first line names the columns"))
    if "" in names[1:]:
        at = names.index("", 1) + 1
        message = f"column {at} of {path.name} has no name"
        remedy = f"name it in line {row.line:,}, or delete the column; if a line below names all"
        remedy += f" columns, write format: {{skip: {row.line:,}}}"
        raise DataError(Diagnostic("UL266", message, remedy))
    return tuple(names)


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' if count != 1 else ''}"


def _columns(count: int) -> str:
    return f"{count:,} column{'s' if count != 1 else ''}"
