"""Numbers with a comma, or with dots that may part thousands, and how they are written here."""

from __future__ import annotations

import re

_UNIT = r"(\s*(?:%|[A-Z]{3}|points?))?"
_COMMA = re.compile(rf"([+-]?[0-9]{{1,15}}),([0-9]{{1,15}}){_UNIT}")
_DOUBTFUL = re.compile(rf"([1-9][0-9]{{0,2}})[.,]([0-9]{{3}}){_UNIT}")
_GROUPED = re.compile(
    r"([1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,5}|(?:,[0-9]{3}){2,5}"
    rf"|(?:\.[0-9]{{3}}){{1,5}}(?=,)|(?:,[0-9]{{3}}){{1,5}}(?=\.)))(?:[.,]([0-9]{{1,15}}))?{_UNIT}"
)


def two_ways(text: str) -> str | None:
    """How to write what is thousands to one reader and a fraction to another; None where clear.

    >>> two_ways("1.500 EUR"), two_ways("0.125 EUR")
    ('1500 EUR or 1.50 EUR', None)
    """
    found = _DOUBTFUL.fullmatch(text)
    if found is None:
        return None
    whole, part, unit = found[1], found[2], found[3] or ""
    fraction = part[:-1] if part.endswith("0") else f"{part}0"
    return f"{whole}{part}{unit} or {whole}.{fraction}{unit}"


def rewritten(text: str) -> str | None:
    """How to write a number with a decimal comma or parted thousands; None where it is neither.

    >>> rewritten("1,50 EUR"), rewritten("1.500,00 EUR"), rewritten("33,3%"), rewritten("a, b")
    ('1.50 EUR', '1500.00 EUR', '33.3%', None)
    """
    if "," in text and (both := two_ways(text)):
        return both
    if found := _GROUPED.fullmatch(text):
        digits = re.sub(r"[.,]", "", found[1])
        return f"{digits}{'.' if found[2] else ''}{found[2] or ''}{found[3] or ''}"
    if found := _COMMA.fullmatch(text):
        return f"{found[1]}.{found[2]}{found[3] or ''}"
    return None
