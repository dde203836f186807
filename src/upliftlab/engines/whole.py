"""Whether a file is whole: read once from its first byte to its last, hashed and checked."""

from __future__ import annotations

import codecs
import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.kinds import is_gzip, is_text, is_zip
from upliftlab.engines.pages import DamagedPageError, check_pages
from upliftlab.engines.place import LONGEST_LINE, is_file, opened
from upliftlab.engines.text_file import UTF8, lines_of, marked, too_long, wrong_bytes
from upliftlab.engines.text_header import text_table
from upliftlab.errors import DataError, Diagnostic

_PIECE = 1 << 20
_GZIP = 31
"""zlib's word for: a gzip header before, length and CRC behind, all checked."""
_SIDECAR = 4096
_DIGEST = re.compile(rb"\\?([0-9a-fA-F]{64})\b")
Stop = Callable[[], bool]
"""Whether nobody waits for the answer any more."""


def sidecar_of(path: Path) -> Path:
    """Where the sha256 of a file stands if somebody wrote it down: `orders.csv.gz.sha256`."""
    return path.with_name(f"{path.name}.sha256")


@dataclass(frozen=True, slots=True)
class TextRule:
    """What a text of rows is held to.

    Attributes:
        form: How it is declared to be written.
        rows: Whether every row is looked at, because its reader passes over what a quote sign that
            is never closed takes in.
    """

    form: FileFormat = field(default_factory=FileFormat)
    rows: bool = False


def digest_of(path: Path, stop: Stop = lambda: False, rule: TextRule | None = None) -> str:
    """The sha256 of a file, which is read once and found to be whole.

    A compressed file must decompress to the length and the CRC that it ends with, a Parquet file's
    pages must have the checksums that they carry, if they carry any, a text must be one in its
    encoding, and a file with a sha256 beside it must have that sha256. Memory does not grow with
    what the file expands to.

    Raises:
        DataError: UL202 it cannot be read, UL226 it is damaged, UL227 it is not what the sha256
            beside it says, UL228 a line is too long, UL261 its bytes are no text, UL262 and UL263
            a row of it is none.
    """
    rule = rule or TextRule()
    total = hashlib.sha256()
    letters = _Letters(path, rule) if is_text(path.name) and not is_zip(path) else None
    packed = _Gzip(path, letters) if is_gzip(path) else None
    check = packed or letters
    for piece in _pieces(path):
        total.update(piece)
        if check:
            check.take(piece)
        if stop():
            return ""
    if check:
        check.end()
    if rule.rows and letters and letters.quoted:
        _check_rows(path, rule.form, stop)
    if path.name.lower().endswith(".parquet"):
        _check_pages(path, stop)
    _compare(path, total.hexdigest())
    return total.hexdigest()


def _check_rows(path: Path, form: FileFormat, stop: Stop) -> None:
    for _ in text_table(path, form).rows():
        if stop():
            return


def _check_pages(path: Path, stop: Stop) -> None:
    try:
        check_pages(path, stop)
    except DamagedPageError as error:
        message = f"{path.name} is damaged, or no Parquet file"
        raise DataError(Diagnostic("UL226", message, "fetch or write the file again")) from error


def _pieces(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        while piece := file.read(_PIECE):
            yield piece


def _compare(path: Path, digest: str) -> None:
    sidecar = sidecar_of(path)
    if not is_file(sidecar):
        return
    with opened(sidecar) as file:
        found = _DIGEST.match(file.read(_SIDECAR))
    if found is None:
        message = f"{sidecar.name} holds no sha256"
        remedy = f"write it anew: sha256sum {path.name} > {sidecar.name}"
        raise DataError(Diagnostic("UL227", message, remedy))
    if found[1].decode().lower() != digest:
        message = f"{path.name} is not the file whose sha256 stands in {sidecar.name}"
        raise DataError(
            Diagnostic("UL227", message, "fetch the file again, or write its sha256 anew")
        )


class _Letters:
    """A text: its lines are not too long, and its bytes are letters where nothing else checks it.

    DuckDB would leave out a last line that is too long, and look only at the columns it is asked
    for. A text in another encoding than UTF-8 is checked where it is copied.
    """

    def __init__(self, path: Path, rule: TextRule) -> None:
        self.quoted = False
        self._path = path
        self._line = 0
        self._rows = rule.rows
        self._declared = rule.form.encoding is not None
        self._decoder: codecs.IncrementalDecoder | None = None

    def take(self, piece: bytes) -> None:
        """Go on with the next bytes."""
        last = piece.rfind(b"\n")
        last = max(last, piece.rfind(b"\r", last + 1))
        self._line = self._line + len(piece) if last < 0 else len(piece) - last - 1
        if self._line > LONGEST_LINE:
            raise too_long(self._path)
        self.quoted = self.quoted or (self._rows and b'"' in piece)
        if self._decoder is None and not self._declared and piece:
            self._declared = marked(piece) != UTF8
            self._decoder = codecs.getincrementaldecoder(UTF8)()
        if not self._declared:
            self._decode(piece)

    def end(self) -> None:
        """The text ends here."""
        if not self._declared:
            self._decode(b"", final=True)

    def _decode(self, piece: bytes, *, final: bool = False) -> None:
        if self._decoder is None:
            return
        begun, _ = self._decoder.getstate()
        try:
            if final or begun or not piece.isascii():  # else it is text, whatever came before
                self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            raise wrong_bytes(self._path, UTF8) from error
        if b"\0" in piece:
            for _ in lines_of(self._path, UTF8):
                """It raises at the line of the zero byte."""


class _Gzip:
    """A gzip stream, of one member or more, that is decompressed and let go of."""

    def __init__(self, path: Path, letters: _Letters | None) -> None:
        self._path = path
        self._member = zlib.decompressobj(_GZIP)
        self._letters = letters

    def take(self, piece: bytes) -> None:
        """Go on with the next bytes of the file."""
        rest = piece
        while rest:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            rest = self._through(rest)

    def end(self) -> None:
        """The file ends here."""
        if not self._member.eof:
            raise self._damaged("it ends in the middle")
        if self._letters:
            self._letters.end()

    def _through(self, rest: bytes) -> bytes:
        """Decompress what belongs to this member, at most a piece at a time; what is behind it."""
        try:
            while True:
                plain = self._member.decompress(rest, _PIECE)
                if self._letters:
                    self._letters.take(plain)
                rest = self._member.unconsumed_tail
                if self._member.eof:
                    return self._member.unused_data
                if not rest and len(plain) < _PIECE:
                    return b""
        except zlib.error as error:
            raise self._damaged("its content and its checksum differ") from error

    def _damaged(self, why: str) -> DataError:
        message = f"{self._path.name} is damaged: {why}"
        return DataError(Diagnostic("UL226", message, "fetch or write the file again"))
