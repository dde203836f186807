"""The order of a segment's levels: as numbers and words of rank go, not as they were found."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_RANKS: Final = (
    ("none", "never", "no"),
    ("lowest", "very low", "xs", "minimal"),
    ("low", "small", "s", "light", "bronze", "basic", "weak"),
    ("middle", "medium", "mid", "m", "moderate", "average", "silver", "standard"),
    ("high", "large", "l", "heavy", "gold", "premium", "strong"),
    ("highest", "very high", "xl", "top", "platinum", "vip"),
    ("new",),
    ("active", "returning"),
    ("declining", "at risk"),
    ("lapsed", "inactive", "churned", "lost"),
    ("no purchase",),
)
"""Words of rank, each with its place; an order is used where every level has one."""
_PLACES: Final = {word: place for place, words in enumerate(_RANKS) for word in words}
_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")


def in_order(levels: Iterable[str | None]) -> list[str | None]:
    """Levels by rank or number where all have one, else as found.

    What is not known comes last, and so does what is no level of its own, such as `(missing)`.

    >>> in_order(["high", "low", None, "middle"])
    ['low', 'middle', 'high', None]
    >>> in_order(["100 to 200", "20 to 100", "up to 20", "200 and more"])
    ['up to 20', '20 to 100', '100 to 200', '200 and more']
    >>> in_order(["north", "south", "east"])
    ['north', 'south', 'east']
    """
    found = list(dict.fromkeys(levels))
    known = [level for level in found if level is not None and not level.startswith("(")]
    rest = sorted((x for x in found if x not in known), key=lambda level: level is None)
    keys = [_rank(level) for level in known]
    if None in keys:
        keys = [_number(level) for level in known]
    if None not in keys:
        known = [level for _, _, level in sorted(zip(keys, range(len(known)), known, strict=True))]
    return [*known, *rest]


def _rank(level: str) -> float | None:
    return _PLACES.get(level.strip().lower())


def _number(level: str) -> float | None:
    """The first number of a level; of one that is below it, a little less."""
    match = _NUMBER.search(level)
    if match is None:
        return None
    value = float(match.group().replace(",", ""))
    below = level[: match.start()].strip().lower()
    return (
        value - 0.5 if below in ("up to", "below", "under", "<", "<=", "≤", "less than") else value
    )
