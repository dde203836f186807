"""A text of rows as letters: unpacked and decoded, its line ends as they are."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.kinds import is_gzip, is_zip
from upliftlab.engines.place import LONGEST_LINE, opened
from upliftlab.errors import DataError, Diagnostic

UTF8 = "utf-8-sig"
"""UTF-8, with or without its mark."""
_PIECE = 1 << 18
_FIRST = 1 << 12
"""Letters of the first block: of most files, only the names of the columns are wanted."""
_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_DAMAGED = (
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    EOFError,
)
_SHOWN = 40
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def encoding_of(path: Path, form: FileFormat) -> str:
    """How a file's letters are bytes: as declared, as its first bytes say, or UTF-8.

    Raises:
        DataError: UL261 no encoding is called so; UL226, UL265 the file cannot be unpacked.
    """
    if form.encoding is not None:
        return _known(path, form.encoding)
    with unpacked(path) as file:
        return marked(file.read(4))


def marked(begin: bytes) -> str:
    r"""The encoding that a file's first bytes say: UTF-8 where they say none.

    >>> marked(b"\xff\xfea\0"), marked(b"id,a")
    ('utf-16', 'utf-8-sig')
    """
    return next((name for mark, name in _MARKS.items() if begin.startswith(mark)), UTF8)


def _known(path: Path, declared: str) -> str:
    try:
        found = codecs.lookup(declared).name
        io.TextIOWrapper(io.BytesIO(), encoding=found)
    except (LookupError, ValueError) as error:
        message = f"no encoding is called '{declared[:_SHOWN]}' ('format' of {path.name})"
        remedy = "write windows-1252, utf-16, mac-roman or another name that Python knows"
        raise DataError(Diagnostic("UL261", message, remedy)) from error
    return UTF8 if found == "utf-8" else found


def blocks_of(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    r"""A file's letters, some lines together, with the number of the first.

    Raises:
        DataError: UL226 the file is damaged, UL228 a line is too long, UL261 its bytes are no text
            in this encoding, UL265 it is no archive of one table.
    """
    number, before, size = 1, "", _FIRST
    try:
        with unpacked(path) as file:
            text = io.TextIOWrapper(file, encoding, newline="")
            while block := text.read(size):
                rest = text.readline(LONGEST_LINE + 1)
                if len(rest) > LONGEST_LINE:
                    raise too_long(path)
                block += rest
                if "\0" in block:
                    raise no_text(path, number + _ends(block[: block.index("\0")], before))
                yield number, block
                number += _ends(block, before)
                before, size = block[-1], _PIECE
    except UnicodeError as error:
        raise wrong_bytes(path, encoding) from error


def lines_of(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    r"""A file's lines with their numbers and ends, be these `\n`, `\r\n` or `\r`.

    Raises:
        DataError: as `blocks_of`.
    """
    for first, block in blocks_of(path, encoding):
        lines = lines_in(block)
        if len(block) > LONGEST_LINE and max(map(len, lines)) > LONGEST_LINE:
            raise too_long(path)
        yield from enumerate(lines, first)


def lines_in(block: str) -> list[str]:
    r"""The lines of a text with their ends.

    >>> lines_in("a\nb\r\n\rc")
    ['a\n', 'b\r\n', '\r', 'c']
    """
    return _LINE.findall(block)


def too_long(path: Path) -> DataError:
    """What it means that a line does not end."""
    message = f"{path.name} has a line of more than {LONGEST_LINE:,} bytes"
    return DataError(Diagnostic("UL228", message, "end every row with a line break"))


def no_text(path: Path, line: int) -> DataError:
    """What it means that a text holds a byte of value zero."""
    message = f"line {line:,} of {path.name} holds a zero byte, which no text does"
    remedy = "save it as CSV in UTF-8, or name its encoding, such as format: {encoding: utf-16-le}"
    return DataError(Diagnostic("UL261", message, remedy))


def wrong_bytes(path: Path, encoding: str) -> DataError:
    """What it means that bytes are no letters: the first such line, and the setting to write."""
    line = _first_wrong(path, encoding)
    if encoding == UTF8:
        message = f"line {line:,} of {path.name} is no text in UTF-8"
        guess = likely_encoding(path)
        remedy = f"write how it was saved, such as format: {{encoding: {guess}}}, or save it anew"
    else:
        message = f"line {line:,} of {path.name} is no text in {encoding}"
        remedy = "mend 'encoding' under 'format'"
    return DataError(Diagnostic("UL261", message, remedy))


def likely_encoding(path: Path) -> str:
    """How a text was probably saved that is none in UTF-8 and does not say."""
    with unpacked(path) as file:
        return "utf-16-le" if b"\0" in file.read(_PIECE) else "windows-1252"


def _first_wrong(path: Path, encoding: str) -> int:
    """The first line whose bytes are no letters; the file is read once more for it."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, last = 1, ""
    with unpacked(path) as file:
        while True:
            piece = file.read(_PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                held = error.object[: error.start].decode(encoding, "replace")
                return line + _ends(held, last)
            except UnicodeError:
                return line
            line += _ends(text, last)
            last = text[-1:] or last
            if not piece:
                return line


def _ends(text: str, before: str) -> int:
    r"""How many lines end in a text, `\r\n` counting once, also across two pieces."""
    split = before == "\r" and text.startswith("\n")
    return text.count("\n") + text.count("\r") - text.count("\r\n") - split


@contextmanager
def unpacked(path: Path) -> Generator[IO[bytes] | gzip.GzipFile]:
    """A file's bytes, decompressed.

    Raises:
        DataError: UL226 it is damaged, UL265 it is no archive of one table; of a file as `opened`.
    """
    with opened(path) as file:
        try:
            if is_gzip(path):
                yield gzip.GzipFile(fileobj=file)
            elif is_zip(path):
                with zipfile.ZipFile(file) as archive, archive.open(_only(archive, path)) as plain:
                    yield plain
            else:
                yield file
        except _DAMAGED as error:
            kind = "no zip archive" if is_zip(path) else "not compressed by gzip"
            message = f"{path.name} is damaged, or {kind}"
            raise DataError(
                Diagnostic("UL226", message, "fetch or write the file again")
            ) from error
        except NotImplementedError as error:
            raise _unusable(path, "is compressed in a way that is not read") from error


def _only(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """The one table of an archive, whose name is never taken for a path.

    What macOS keeps beside every file it packs is no table.
    """
    members = [each for each in archive.infolist() if not each.is_dir()]
    tables = [
        each
        for each in members
        if each.filename.lower().endswith((".csv", ".tsv"))
        and not each.filename.startswith("__MACOSX/")
    ]
    if len(tables) != 1:
        found = f"holds {len(tables)} files that end in .csv or .tsv, of {len(members)}"
        raise _unusable(path, found)
    if tables[0].flag_bits & 1:
        raise _unusable(path, "is encrypted")
    return tables[0]


def _unusable(path: Path, why: str) -> DataError:
    remedy = "a .zip holds one CSV file, without a password; unpack this one and name what is in it"
    return DataError(Diagnostic("UL265", f"{path.name} {why}", remedy))
