"""How times are written, as a pattern such as `DD.MM.YYYY HH:mm`, parsed once.

A pattern is letters that stand for parts of a time, signs between them that stand for themselves,
and brackets around what may be missing at its end: `DD.MM.YYYY HH:mm[:ss]`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

Unit = Literal["year", "month", "day", "hour", "minute", "second", "half"]


@dataclass(frozen=True, slots=True)
class PatternLetters:
    """Letters of a pattern.

    Attributes:
        unit: The part of a time that they stand for.
        shape: How it is written, as a regular expression.
        directive: What `strptime` calls it.
    """

    unit: Unit
    shape: str
    directive: str


_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
LETTERS: Final = {
    "YYYY": PatternLetters("year", "[12][0-9]{3}", "%Y"),
    "YY": PatternLetters("year", "([0-5][0-9]|6[0-8])", "%y"),
    "MM": PatternLetters("month", "(0[1-9]|1[0-2])", "%m"),
    "M": PatternLetters("month", "(0?[1-9]|1[0-2])", "%m"),
    "MMM": PatternLetters("month", f"({'|'.join(_MONTHS)}|{'|'.join(_MONTHS).upper()})", "%b"),
    "DD": PatternLetters("day", "(0[1-9]|[12][0-9]|3[01])", "%d"),
    "D": PatternLetters("day", "(0?[1-9]|[12][0-9]|3[01])", "%d"),
    "HH": PatternLetters("hour", "([01][0-9]|2[0-3])", "%H"),
    "H": PatternLetters("hour", "([01]?[0-9]|2[0-3])", "%H"),
    "hh": PatternLetters("hour", "(0[1-9]|1[0-2])", "%I"),
    "h": PatternLetters("hour", "(0?[1-9]|1[0-2])", "%I"),
    "mm": PatternLetters("minute", "[0-5][0-9]", "%M"),
    "ss": PatternLetters("second", "[0-5][0-9]", "%S"),
    "A": PatternLetters("half", "[AaPp][Mm]", "%p"),
}
"""What may stand in a pattern. Of two digits the year is one from 2000 to 2068: others may be of
either century."""
_KNOWN: Final = (
    "days are DD or D, months MM or M (MMM is Mar), years YYYY or YY, hours HH or H (hh or h "
    "beside A for AM and PM), minutes mm, seconds ss"
)
_SIGNS: Final = frozenset(" .,-/:_T年月日时分秒")
"""What may stand between letters, for itself."""
_TOKEN: Final = re.compile(r"([A-Za-z])\1*|.")
_DATE: Final = frozenset[Unit](("year", "month", "day"))


@dataclass(frozen=True, slots=True)
class TimeVariant:
    """A pattern without brackets.

    Attributes:
        shape: A regular expression that whole texts match.
        directives: The pattern as `strptime` takes it.
    """

    shape: str
    directives: str


@dataclass(frozen=True, slots=True)
class TimePattern:
    """A pattern as it is read: what is in brackets is there in one variant, and not in another."""

    variants: tuple[TimeVariant, ...]


@lru_cache(maxsize=64)
def parse_pattern(text: str, what: Literal["date", "datetime"]) -> TimePattern:
    """A pattern of days, or of times.

    Args:
        text: As it is written.
        what: Whether it tells the hour.

    Raises:
        ValueError: It is none, with what to write.

    >>> parse_pattern("DD.MM.YYYY HH:mm[:ss]", "datetime").variants[1].directives
    '%d.%m.%Y %H:%M'
    """
    whole, optional, rest = re.sub(r"\[(.*)\]$", "\0\\1", text).partition("\0")
    if "[" in whole + rest or "]" in whole + rest:
        raise ValueError(f"'{text}' has brackets elsewhere than at its end; write HH:mm[:ss]")
    written = [whole + rest, whole] if optional else [whole]
    return TimePattern(tuple(_variant(each, what) for each in written))


def _variant(text: str, what: str) -> TimeVariant:
    tokens = [found[0] for found in _TOKEN.finditer(text)]
    _require_known(text, tokens)
    _require_whole(text, [LETTERS[token].unit for token in tokens if token in LETTERS], what)
    if ("A" in tokens) != bool({"hh", "h"} & set(tokens)):
        raise ValueError(f"'{text}' needs both A and hh, or HH alone; such as hh:mm A, or HH:mm")
    shape = "".join(LETTERS[t].shape if t in LETTERS else re.escape(t) for t in tokens)
    directives = "".join(LETTERS[t].directive if t in LETTERS else t for t in tokens)
    return TimeVariant(f"^{shape}$".replace("\\ ", " "), directives)


def _require_known(text: str, tokens: list[str]) -> None:
    for token in tokens:
        if token not in LETTERS and not set(token) <= _SIGNS:
            right = text.replace("y", "Y").replace("d", "D")
            lowered = {t for t in tokens if t.strip("yd") == ""}
            hint = f"write {right}" if token in lowered else _KNOWN
            raise ValueError(f"'{text}' holds '{token}', which stands for nothing; {hint}")


def _require_whole(text: str, units: list[Unit], what: str) -> None:
    if double := next((unit for unit in units if units.count(unit) > 1), None):
        raise ValueError(f"'{text}' tells the {double} twice; {_KNOWN}")
    if lacking := sorted(_DATE - set(units)):
        hint = "months are MM, minutes mm" if "minute" in units else _KNOWN
        raise ValueError(f"'{text}' tells no {lacking[0]}; {hint}")
    timed = "hour" in units
    if what == "date" and len(units) > len(_DATE):
        raise ValueError(f"'{text}' is more than a day; write it as 'datetime'")
    if what == "datetime" and not timed:
        raise ValueError(f"'{text}' tells no hour; write it as 'date', or add HH:mm")
    if timed and "minute" not in units:
        raise ValueError(f"'{text}' tells hours without minutes; write HH:mm")
