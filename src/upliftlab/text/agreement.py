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
    "contacts": "contact",
    "conversions": "conversion",
    "customers": "customer",
    "days": "day",
    "divisions": "division",
    "events": "event",
    "features": "feature",
    "folds": "fold",
    "households": "household",
    "levels": "level",
    "matched sets": "matched set",
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
    "give": "gives",
    "have": "has",
    "take": "takes",
    "were": "was",
}
_NOUN: Final = re.compile(rf"( (?:assigned )?)({'|'.join(_SINGULAR)})\b")
_VERB: Final = re.compile(rf"(?P<stop>[.,;:()–]|\b(?:that|who)\b)|\b(?P<verb>{'|'.join(_VERBS)})\b")
_OF: Final = " of "


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
            said = f"{noun[1]}{_SINGULAR[noun[2]]}{text[noun.end() :]}"
            singular = True
        elif one and text == _OF:
            singular = True
        if singular and (found := _VERB.search(said)):
            if verb := found["verb"]:
                said = f"{said[: found.start()]}{_VERBS[verb]}{said[found.end() :]}"
            singular = False
        one = False
        yield said
