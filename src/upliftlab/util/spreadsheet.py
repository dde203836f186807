"""Text in CSV that no spreadsheet runs, whichever separator it reads by."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_BLANK = '\\s"\u200b\u2060\ufeff\x00'
"""What spreadsheets pass over before a formula: blanks, quotes, marks without a width."""
_LEADING = re.compile(f"(?:[\t\r\n]|[\\s\u200b\u2060\ufeff\x00]*[{_SIGNS}])")
_INNER = re.compile(f"([;,\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029][{_BLANK}]*)(?=[{_SIGNS}])")
"""A sign behind what another separator, or a line break, would begin a cell with."""
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_CALL = re.compile(r"[|!(=]")
"""What a formula that does more than reckon cannot do without."""


def neutralised(text: str) -> str:
    """A text that no spreadsheet runs as a formula; the same text where it could not be one.

    An apostrophe goes before `=`, `+`, `-`, `@`, a tab or a line break at the beginning, and
    before a sign that follows `;`, a comma, a tab or a line break further on: a spreadsheet that
    reads another separator than the file's begins a cell there. Whole numbers stay.

    >>> neutralised("=1+1"), neutralised("-5"), neutralised("@cmd"), neutralised("a=b")
    ("'=1+1", '-5', "'@cmd", 'a=b')
    >>> neutralised("a;=1+1"), neutralised(";=1+1"), neutralised("a; b")
    ("a;'=1+1", ";'=1+1", 'a; b')
    """
    if _WHOLE_NUMBER.fullmatch(text):
        return text
    safe = _INNER.sub(r"\1'", text)
    return f"'{safe}" if _LEADING.match(safe) else safe


def row(cells: Sequence[object]) -> list[object]:
    """A row of CSV, its texts neutralised; other values stay what they are.

    To a spreadsheet that reads by `;` the whole row is one cell: behind a first number with a
    sign, the rest could be part of a formula, and then the number gets the apostrophe.

    >>> row(["-5", "email", 1.5]), row(["-5", "1|calc", None])
    (['-5', 'email', 1.5], ["'-5", '1|calc', ''])
    """
    safe = [_cell(cell) for cell in cells]
    first = safe[0] if safe else ""
    if isinstance(first, str) and first[:1] in ("+", "-"):
        rest = (cell for cell in safe[1:] if isinstance(cell, str) and cell[:1] != "'")
        if any(_CALL.search(text) for text in rest):
            safe[0] = f"'{first}"
    return safe


def _cell(value: object) -> object:
    if isinstance(value, str):
        return neutralised(value)
    return "" if value is None else value
