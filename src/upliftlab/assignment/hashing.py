"""From a customer's id to a place in [0, 1): the same on every engine and in a service.

A place is written as the first fifteen hex digits of md5(salt:id) and compared as text with cut
points that are computed once as exact fractions. Nothing is ever turned into a number, so nothing
is rounded, and the digits sort alike wherever text is compared byte by byte. md5 spreads ids
evenly and exists everywhere; it guards nothing here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from hashlib import md5
from math import ceil

from upliftlab.errors import ConfigError, DataError, Diagnostic

DIGITS = 15
"""Hex digits of a place: 60 bits, so that two of a billion customers share one with odds of 1:2."""
BUCKET_DIGITS = 3
"""Hex digits that make a bucket: 4,096 buckets of equal size."""
BUCKETS = 16**BUCKET_DIGITS
BEYOND = "g"
"""The cut point of a whole share: sorts after every place, as 'f' is the largest hex digit."""

VECTORS: tuple[tuple[str, int | str, str], ...] = (
    ("upliftlab", 1, "4ee6705dbece202"),
    ("upliftlab", "1", "4ee6705dbece202"),
    ("upliftlab", "0001", "f7d2ed18df20445"),
    ("upliftlab", 0, "778ff0579e9d1e6"),
    ("upliftlab", -1, "d02aa1a4fc8b040"),
    ("upliftlab", 2**31, "5b4c833a2e5951e"),
    ("upliftlab", 2**53 + 1, "390dccaec6858c0"),
    ("upliftlab", 2**63 - 1, "6d48c50c76cc132"),
    ("upliftlab", -(2**63), "b4564801eb2578c"),
    ("upliftlab", "C-00017", "ce771e0bc7b3281"),
    ("upliftlab", "3f0c2b1e-5a4d-4c77-9a53-0e8c1d2b7f66", "931ea47558797d1"),
    ("upliftlab", "", "8fa98c8df5294ed"),
    ("upliftlab", " 7 ", "24071dbfb576bcd"),
    ("upliftlab", 'it\'s \\ "quoted"', "74c277517c2068a"),
    ("upliftlab", "M\u00fcller", "c205ea9568d3317"),
    ("upliftlab", "Mu\u0308ller", "8f3c1a16028a8af"),
    ("upliftlab", "\u5ba2\u6237-8", "c42183d20bc68a6"),
    ("upliftlab", "\U0001f6d2", "2442f80db803ca3"),
    ("spring-2026:wave", 42, "9f5e040faad2024"),
    ("\u00e9t\u00e9 '26", 42, "cdf9d7d93e35a70"),
)
"""Published answers: salt, id, place. Every engine is asked for them before it assigns anybody."""


def digest(salt: str, unit: int | str) -> str:
    """The place of a unit: the first fifteen hex digits of md5(salt:id), the id as UTF-8 text.

    Ids are taken as they are: `"007"` is not `7`, and two spellings of `ü` differ.

    Args:
        salt: Separates one randomisation from every other.
        unit: A whole number or a text.

    Raises:
        DataError: UL413, the id is neither, such as a float (1.0 and 1 would differ) or None.

    >>> digest("upliftlab", 1) == digest("upliftlab", "1")
    True
    """
    if isinstance(unit, str):
        text = salt + ":" + unit
    elif type(unit) is int:  # and no bool, which is one
        text = f"{salt}:{unit}"
    else:
        raise DataError(
            Diagnostic(
                "UL413", f"an id cannot be a {type(unit).__name__}", "use whole numbers or texts"
            )
        )
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            Diagnostic("UL413", "an id is not valid Unicode", "mend the text")
        ) from error
    return md5(raw, usedforsecurity=False).hexdigest()[:DIGITS]


def cuts(shares: Sequence[Fraction]) -> tuple[str, ...]:
    """Where each share ends, as a place: a unit below the first cut is in the first share, etc.

    Raises:
        ConfigError: UL407, a share is negative or they exceed 100 % together.

    >>> cuts([Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)])
    ('400000000000000', '800000000000000', 'g')
    """
    if any(share < 0 for share in shares) or sum(shares) > 1:
        raise ConfigError(
            Diagnostic("UL407", "shares are negative or exceed 100% together", "mend 'share'")
        )
    total, found = Fraction(0), list[str]()
    for share in shares:
        total += share
        found.append(BEYOND if total == 1 else format(ceil(total * 16**DIGITS), f"0{DIGITS}x"))
    return tuple(found)


def choose(h: str, ends: Sequence[str]) -> int | None:
    """Which of the shares ending at `ends` a place falls in; None beyond the last.

    >>> [choose(h, ("400000000000000", "800000000000000")) for h in ("3f", "4" + "0" * 14, "9")]
    [0, 1, None]
    """
    index = bisect_right(ends, h)
    return index if index < len(ends) else None


def bucket(h: str) -> int:
    """The bucket of a place: its first three hex digits as a number from 0 to 4,095.

    >>> bucket("fff000000000000")
    4095
    """
    return int(h[:BUCKET_DIGITS], 16)
