"""Values as people write them elsewhere (28d, 30 percent, 3 000 NOK), and as they are here.

Nothing of this is read as it stands: it makes the line that a refusal offers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from upliftlab.config.models.decimals import rewritten

_SIGNS = {"€": "EUR", "£": "GBP"}
_WORDS = {"euro": "EUR", "euros": "EUR"}
_LENGTHS = {"h": "hours", "d": "days", "w": "weeks", "m": "days"}
_DAYS_OF_MONTH = 30
_AMOUNT = r"[+-]?[0-9][0-9.,_]*"
_PARTED = re.compile(r"(?<![0-9])[0-9]{1,3}(?:[ '’\u00a0\u202f][0-9]{3})+(?![0-9])")
_PER_CENT = re.compile(rf"({_AMOUNT}) ?(?:percent|per cent|pct\.?|\uff05|% ?%)", re.IGNORECASE)
_POINTS = re.compile(
    rf"({_AMOUNT}) ?(?:pp|ppt|pts?|percentage points?|%-points?)\.?", re.IGNORECASE
)
_PERCENTILE = re.compile(r"[pP]([0-9]{1,2}(?:\.[0-9]+)?)|([0-9.]+)(?:st|nd|rd|th) percentile")
_LENGTH = re.compile(
    r"([0-9]{1,5})[ -]?(h|d|w|m)(?:rs?|ours?|ays?|ks?|eeks?|onths?)?\.?", re.IGNORECASE
)
_ISO = re.compile(r"PT?([0-9]{1,5})([HDWM])")
_SIGNED = re.compile(rf"(?:([€£]) ?({_AMOUNT})|({_AMOUNT}) ?([€£]))")
_NAMED = re.compile(rf"(?:([A-Za-z]{{3,5}}) ?({_AMOUNT})|({_AMOUNT}) ?([A-Za-z]{{3,5}}))")
_CENTS = re.compile(r"([0-9]{1,3}) ?(?:cents?|ct)", re.IGNORECASE)
_THOUSANDS = re.compile(r"([0-9]{1,6}) ?[kK]")
_POINT = re.compile(r"\.([0-9]+)( ?%)?")
_DATE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4})")


def _named_money(found: re.Match[str]) -> str:
    word, amount = (found[1] or found[4]), (found[2] or found[3])
    return f"{amount} {_WORDS.get(word.lower(), word.upper())}"


def _length(found: re.Match[str]) -> str:
    sign = found[2].lower()
    return f"{int(found[1]) * (_DAYS_OF_MONTH if sign == 'm' else 1)} {_LENGTHS[sign]}"


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_PER_CENT, lambda found: f"{found[1]}%"),
    (_POINTS, lambda found: f"{found[1]} points"),
    (_PERCENTILE, lambda found: f"{found[1] or found[2]}%"),
    (_LENGTH, _length),
    (_ISO, _length),
    (_SIGNED, lambda found: f"{found[2] or found[3]} {_SIGNS[found[1] or found[4]]}"),
    (_NAMED, _named_money),
    (_CENTS, lambda found: f"{int(found[1]) / 100:.2f}"),
    (_THOUSANDS, lambda found: f"{found[1]}000"),
    (_POINT, lambda found: f"0.{found[1]}{found[2] or ''}"),
    (re.compile("free|none|nothing", re.IGNORECASE), lambda _: "0"),
)


class MisreadError(ValueError):
    """A value that is refused, with what to write instead where that is known."""

    def __init__(
        self, reason: str, right: str | None = None, *, sure: bool = True, asked: bool = False
    ) -> None:
        remedy = f"did you mean {right}?" if asked else f"write {right}"
        super().__init__(f"{reason}; {remedy}" if right else reason)
        self.instead = right if right and sure and " or " not in right else None


class SeveralNamesError(ValueError):
    """Names in one text, with commas between them."""


def usual_form(text: str, right: re.Pattern[str]) -> str | None:
    """How a value is written here that is written otherwise elsewhere; None where that is unknown.

    Args:
        text: The value, which is not right.
        right: What is right in its place.

    >>> usual_form("3 000 nok", re.compile("[0-9]+ [A-Z]{3}"))
    '3000 NOK'
    >>> usual_form("0,45", re.compile(r"[0-9.]+")), usual_form("soon", re.compile("[0-9]+"))
    ('0.45', None)
    """
    plain = _PARTED.sub(lambda found: re.sub(r"\D", "", found[0]), text)
    for form in _read(plain):
        for candidate in (rewritten(form), form):
            first = candidate.partition(" or ")[0] if candidate else None
            if candidate and first and right.fullmatch(first):
                return candidate
    return None


def _read(text: str) -> Iterator[str]:
    yield text
    for pattern, form in _FORMS:
        if found := pattern.fullmatch(text):
            yield form(found)


def is_month(text: str) -> bool:
    """Whether a length is told in months, which are no days: what to write is a choice.

    >>> is_month("1 month"), is_month("28d")
    (True, False)
    """
    found = _LENGTH.fullmatch(text) or _ISO.fullmatch(text)
    return found is not None and found[2].lower() == "m"


def usual_date(text: str) -> str | None:
    """A date as it is written here, of one that can be read in one way alone.

    >>> usual_date("2.3.2026"), usual_date("2026/3/2"), usual_date("02/03/2026")
    ('2026-03-02', '2026-03-02', None)
    """
    found = _DATE.match(text)
    if found is None:
        return None
    year, month, day = found.group(1, 2, 3) if found[1] else found.group(6, 5, 4)
    return f"{year}-{int(month):02}-{int(day):02}"
