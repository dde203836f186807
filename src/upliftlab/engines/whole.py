"""Whether a file is whole: read once from its first byte to its last, hashed and checked."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from upliftlab.engines.kinds import is_of
from upliftlab.engines.pages import DamagedPageError, check_pages
from upliftlab.engines.place import LONGEST_LINE, is_file, opened
from upliftlab.errors import DataError, Diagnostic

_PIECE = 1 << 20
_GZIP = 31
"""zlib's word for: a gzip header before, length and CRC behind, all checked."""
_SIDECAR = 4096
_DIGEST = re.compile(rb"\\?([0-9a-fA-F]{64})\b")
Stop = Callable[[], bool]
"""Whether nobody waits for the answer any more."""


def is_gzip(path: Path) -> bool:
    """Whether a file's name says that it is compressed."""
    return path.name.lower().endswith(".gz")


def is_csv(path: Path) -> bool:
    """Whether a file's name says that it is a text of rows."""
    return is_of(path.name, ["csv"])


def sidecar_of(path: Path) -> Path:
    """Where the sha256 of a file stands if somebody wrote it down: `orders.csv.gz.sha256`."""
    return path.with_name(f"{path.name}.sha256")


def digest_of(path: Path, stop: Stop = lambda: False) -> str:
    """The sha256 of a file, which is read once and found to be whole.

    A compressed file must decompress to the length and the CRC that it ends with, a Parquet file's
    pages must have the checksums that they carry, if they carry any, and a file with a sha256
    beside it must have that sha256. Memory does not grow with what the file expands to.

    Raises:
        DataError: UL202 it cannot be read, UL226 it is damaged, UL227 it is not what the sha256
            beside it says, UL228 a line is too long.
    """
    total = hashlib.sha256()
    packed = _Gzip(path) if is_gzip(path) else None
    check = packed or (_Lines(path) if is_csv(path) else None)
    for piece in _pieces(path):
        total.update(piece)
        if check:
            check.take(piece)
        if stop():
            return ""
    if packed:
        packed.end()
    if path.name.lower().endswith(".parquet"):
        _check_pages(path, stop)
    _compare(path, total.hexdigest())
    return total.hexdigest()


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


class _Lines:
    """A text, of which DuckDB would leave out a last line that is too long, and say nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0

    def take(self, piece: bytes) -> None:
        """Go on with the next bytes: refuse a line as soon as it is too long for any reader."""
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        self._line = self._line + len(piece) if last < 0 else len(piece) - last - 1
        if self._line > LONGEST_LINE:
            message = f"{self._path.name} has a line of more than {LONGEST_LINE:,} bytes"
            raise DataError(Diagnostic("UL228", message, "end every row with a line break"))


class _Gzip:
    """A gzip stream, of one member or more, that is decompressed and let go of."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._member = zlib.decompressobj(_GZIP)
        self._lines = _Lines(path) if is_csv(path) else None

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

    def _through(self, rest: bytes) -> bytes:
        """Decompress what belongs to this member, at most a piece at a time; what is behind it."""
        try:
            while True:
                plain = self._member.decompress(rest, _PIECE)
                if self._lines:
                    self._lines.take(plain)
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
