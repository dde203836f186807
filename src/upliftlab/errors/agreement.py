"""English words that agree with the number before them: `1 day counts`, `2 days count`.

Texts are written in the plural, once; a number that reads `1` makes what follows it singular.
Chinese has one form for both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

_SINGULAR: Final = {
    "arms": "arm",
    "columns": "column",
    "contacts": "contact",
    "conversions": "conversion",
    "customers": "customer",
    "days": "day",
    "divisions": "division",
    "entries": "entry",
    "events": "event",
    "features": "feature",
    "files": "file",
    "folds": "fold",
    "households": "household",
    "levels": "level",
    "lines": "line",
    "matched sets": "matched set",
    "orders": "order",
    "redemptions": "redemption",
    "rows": "row",
    "strata": "stratum",
    "units": "unit",
    "values": "value",
    "waves": "wave",
    "weeks": "week",
}
_VERBS: Final = {
    "are": "is",
    "arrive": "arrives",
    "count": "counts",
    "decide": "decides",
    "get": "gets",
    "give": "gives",
    "have": "has",
    "leave": "leaves",
    "lie": "lies",
    "repeat": "repeats",
    "take": "takes",
    "were": "was",
}
_NOUN: Final = re.compile(rf"( (?:assigned )?)({'|'.join(_SINGULAR)})\b")
_THEIRS: Final = re.compile(rf" (?:that|who) ({'|'.join(_VERBS)})\b")
"""The verb of what is said of the noun at once."""
_VERB: Final = re.compile(
    rf"(?P<aside>\([^()]*\))|(?P<stop>[.,;:()–]|\b(?:that|who)\b)|\b(?P<verb>{'|'.join(_VERBS)})\b"
)
_OF: Final = " of "
_COUNTED: Final = re.compile(r"(?<![^\s(])([0-9]+(?:,[0-9]{3})*)(?= )")
"""A number in a sentence that is written already; one in quotes is a name of the user's."""


def agreed(text: str) -> str:
    """A sentence that is written already, with its words as many as its numbers say.

    >>> agreed("1 customers (of both arms) have no arm in 2 rows")
    '1 customer (of both arms) has no arm in 2 rows'
    >>> agreed("arm '1 rows' has 1 rows")
    "arm '1 rows' has 1 row"
    """
    parts = _COUNTED.split(text)
    return "".join(agreeing((part, at % 2 == 1) for at, part in enumerate(parts)))


def agreeing(pieces: Iterable[tuple[str, bool]]) -> Iterator[str]:
    """The pieces of a text, with its words as many as its numbers say.

    Args:
        pieces: In their order, each with whether it is a value that was put in.

    >>> rows = [("1", True), (" rows of ", False), ("a", True), (" 1 have one.", False)]
    >>> "".join(agreeing(rows))
    '1 row of a 1 has one.'
    >>> "".join(agreeing([("1", True), (" of ", False), ("9", True), (" units are out", False)]))
    '1 of 9 units is out'
    """
    one = singular = False
    for text, is_value in pieces:
        if is_value:
            one = text == "1"
            yield text
            continue
        said = text
        if one and (noun := _NOUN.match(text)):
            before, after = f"{noun[1]}{_SINGULAR[noun[2]]}", text[noun.end() :]
            singular = True
            if theirs := _THEIRS.match(after):
                after = f"{after[: theirs.start(1)]}{_VERBS[theirs[1]]}{after[theirs.end() :]}"
                singular = False
            said = f"{before}{after}"
        elif one and text == _OF:
            singular = True
        found = next((each for each in _VERB.finditer(said) if not each["aside"]), None)
        if singular and found:
            if verb := found["verb"]:
                said = f"{said[: found.start()]}{_VERBS[verb]}{said[found.end() :]}"
            singular = False
        one = False
        yield said
