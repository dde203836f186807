"""An engine's message as one line that holds no customer's value."""

from __future__ import annotations

import re

from upliftlab.util.personal import shape

_LONGEST = 300
_NUMBER = re.compile(r"(?<![A-Za-z0-9_])-?\d[\d.]*")


def one_line(text: str) -> str:
    r"""The first line of a message, without control characters and not endlessly long.

    >>> one_line("  no\tsuch\x1b[31m table\nLINE 1: SELECT")
    'no such [31m table'
    """
    first = text.strip().split("\n", 1)[0]
    plain = "".join(sign if sign.isprintable() else " " for sign in first)
    words = " ".join(plain.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def without_values(text: str, quotes: str = "'\"", *, numbers: bool = False) -> str:
    r"""A message in one line, each value it quotes replaced by its shape.

    A value may hold the sign that quotes it, so all from the first to the last such sign is taken
    for one value.

    >>> without_values("Could not convert string 'O'Brien' to DOUBLE")
    "Could not convert string 'A'Aaaaa' to DOUBLE"
    >>> without_values("value 4711 is out of range of INT8", numbers=True)
    'value # is out of range of INT8'
    """
    line = one_line(text)
    for sign in quotes:
        begun = re.search(rf"(?<!\w){sign}", line)
        if begun is None:
            continue
        before, rest = line[: begun.start()], line[begun.end() :]
        value, closed, after = rest.rpartition(sign)
        line = f"{before}{sign}{shape(value if closed else rest)}{sign}{after if closed else ''}"
    return _NUMBER.sub("#", line) if numbers else line
