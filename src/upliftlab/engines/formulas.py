"""Formulas of an .xlsx file whose result was never written: programs leave it to Excel to compute.

What reads workbooks takes such a cell for an empty one.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final
from xml.etree.ElementTree import ParseError, fromstring

_PIECE: Final = 1 << 20
_LONGEST: Final = 1 << 17
"""Bytes of a cell at most; a formula has 8,192 characters."""
_BARE: Final = re.compile(
    rb'<c r="([A-Z]+)([0-9]+)"(?: s="[0-9]+")?(?: t="n")?>'
    rb"<f(?:/>|[ >][^<]*(?:</f>|(?<=/>)))(?:<v ?/>|<v></v>)?</c>"
)
"""A cell with a formula and no number; that of a text may well be empty."""


def uncomputed(path: Path, sheet: str) -> dict[str, list[int]]:
    """The lines of cells whose formulas have no result, by the letters of their column.

    None where the file is no .xlsx: others always hold results.
    """
    found: dict[str, list[int]] = {}
    try:
        with zipfile.ZipFile(path) as book, book.open(_part(book, sheet)) as content:
            for column, row in _cells(content):
                found.setdefault(column, []).append(row)
    except (zipfile.BadZipFile, KeyError, ParseError):
        return {}
    return found


def _part(book: zipfile.ZipFile, sheet: str) -> str:
    """The name of the part that holds a sheet."""
    listed = fromstring(book.read("xl/workbook.xml"))  # noqa: S314 - expat bounds what entities grow to
    ids = {
        each.get("name"): next((v for k, v in each.attrib.items() if k.endswith("}id")), "")
        for each in listed.iter()
        if each.tag.endswith("}sheet")
    }
    parts = fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - the same
    targets = {each.get("Id"): each.get("Target", "") for each in parts}
    return str(PurePosixPath("xl") / targets[ids[sheet]]).removeprefix("/")


def _cells(content: IO[bytes]) -> Iterator[tuple[str, int]]:
    rest = b""
    while piece := content.read(_PIECE):
        rest += piece
        cut = max(rest.rfind(b"</c>") + len(b"</c>"), len(rest) - _LONGEST, 0)
        for column, row in _BARE.findall(rest[:cut]) if b"<f" in rest else ():
            yield column.decode(), int(row)
        rest = rest[cut:]
