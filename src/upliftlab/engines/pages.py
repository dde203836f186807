"""The checksums of a Parquet file's pages, which DuckDB and Spark do not look at."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.engines.place import opened

_HEADER = 1 << 16
_PIECE = 1 << 20
_STOP, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 0, 3, 7, 8, 9, 10, 12
_BOOLEANS = (1, 2)
_INTEGERS = (4, 5, 6)
_SIZE, _CRC = 3, 4
"""The numbers of a page header's fields."""


class DamagedPageError(ValueError):
    """A page does not hold what its checksum says, or the file does not say where its pages are."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a page's content begins behind its header, how long it is, and its CRC-32 if any."""

    begins: int
    size: int
    crc: int | None


def check_pages(path: Path, stop: Callable[[], bool]) -> None:
    """Hold every page that has a checksum against it.

    Raises:
        DataError: the file cannot be opened.
        DamagedPageError: a page is not what its checksum says, or there is no page.
    """
    with opened(path) as file:
        for begins, ends in _chunks(file):
            at = begins
            while at < ends and not stop():
                file.seek(at)
                page = _page(file.read(min(_HEADER, ends - at)))
                at += page.begins + page.size
                if page.size < 0 or at > ends:
                    raise DamagedPageError
                if page.crc is not None:
                    file.seek(at - page.size)
                    if _crc(file, page.size) != page.crc:
                        raise DamagedPageError


def _chunks(file: IO[bytes]) -> list[tuple[int, int]]:
    """Where the pages of each column in each group of rows begin and end."""
    try:
        about = pq.ParquetFile(file).metadata
        found: list[tuple[int, int]] = []
        for group in range(about.num_row_groups):
            rows = about.row_group(group)
            if not rows.num_rows:
                continue  # without rows there are no pages of data, and no offset of any
            for column in range(rows.num_columns):
                chunk = rows.column(column)
                # A table without rows has no page of data, which is said to begin at 0.
                offsets = (chunk.data_page_offset, chunk.dictionary_page_offset)
                begins = min((each for each in offsets if each), default=0)
                found.append((begins, begins + chunk.total_compressed_size))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedPageError from error
    if any(begins < 0 for begins, _ in found):
        raise DamagedPageError
    return found


def _crc(file: IO[bytes], size: int) -> int:
    total = 0
    while size:
        piece = file.read(min(_PIECE, size))
        if not piece:
            raise DamagedPageError
        total = zlib.crc32(piece, total)
        size -= len(piece)
    return total


def _page(content: bytes) -> _Page:
    """A page by its header, a struct of Thrift's compact protocol."""
    reader = _Compact(content)
    try:
        fields = reader.struct()
    except IndexError as error:
        raise DamagedPageError from error
    if _SIZE not in fields:
        raise DamagedPageError
    crc = fields.get(_CRC)
    return _Page(reader.at, fields[_SIZE], None if crc is None else crc & 0xFFFFFFFF)


class _Compact:
    """Reads Thrift's compact protocol as far as a page header needs it: its whole numbers."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, int]:
        """The whole numbers of a struct by their field; what else is in it is stepped over."""
        if depth > 8:  # noqa: PLR2004 - a page header has three levels
            raise DamagedPageError
        found: dict[int, int] = {}
        field = 0
        while (head := self._byte()) != _STOP:
            field = field + (head >> 4) if head >> 4 else self._number()
            kind = head & 15
            if kind in _INTEGERS:
                found[field] = self._number()
            elif kind not in _BOOLEANS:
                self._skip(kind, depth)
        return found

    def _skip(self, kind: int, depth: int) -> None:
        if kind in (*_BOOLEANS, _BYTE):
            self.at += 1
        elif kind in _INTEGERS:
            self._number()
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            size = self._varint()  # moves on itself
            self.at += size
        elif kind in (_LIST, _SET):
            head = self._byte()
            for _ in range(self._varint() if head >> 4 == 15 else head >> 4):  # noqa: PLR2004 - a long one
                self._skip(head & 15, depth + 1)
        elif kind == _STRUCT:
            self.struct(depth + 1)
        else:
            raise DamagedPageError  # a page header has no map

    def _byte(self) -> int:
        value = self._content[self.at]
        self.at += 1
        return value

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:  # noqa: PLR2004 - the last of a number
                return value
            if shift > 63:  # noqa: PLR2004 - longer than any number
                raise DamagedPageError

    def _number(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
