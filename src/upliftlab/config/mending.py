"""What to write in the place of a fault: one text, as YAML wants it there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import yaml

from upliftlab.errors import Diagnostic, Place, Repair

_BREAK = re.compile("\r\n|[\r\n]")


def mending(fault: Diagnostic, value: str | None) -> Diagnostic:
    """The fault with its repair: a value, or a key, for the one at its place.

    Args:
        fault: It may lie anywhere.
        value: What is to stand there; None where there is no one such thing.
    """
    place = fault.place
    if value is None or place is None or place.there is None:
        return replace(fault, repair=None)
    return replace(fault, repair=Repair(place, written(value, place.there)))


def bracketed(fault: Diagnostic, entries: list[str]) -> Diagnostic:
    """The fault with its repair: a list of plain entries for the text at its place."""
    place = fault.place
    safe = entries and all(map(_is_plain, entries))
    if not safe or place is None or place.there is None:
        return fault
    return replace(fault, repair=Repair(place, f"[{', '.join(entries)}]"))


def written(value: str, there: str) -> str:
    """A value as it is written where another text stands: in its quotes, if it has any.

    >>> written("sms", "smss"), written("sms", "'smss'"), written("a: b", "a")
    ('sms', "'sms'", "'a: b'")
    """
    if there[:1] == '"':
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if there[:1] != "'" and _is_plain(value):
        return value
    return in_quotes(value)


def in_quotes(text: str) -> str:
    """A text in single quotes.

    >>> in_quotes("the customer's")
    "'the customer''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _is_plain(value: str) -> bool:
    """Whether YAML reads a text without quotes as it is, in brackets too."""
    try:
        events: list[Any] = list(yaml.parse(f"[{value}]", Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return False
    inner = events[3:-3]
    return len(inner) == 1 and getattr(inner[0], "value", None) == value


def mended(text: str, repairs: Iterable[Repair]) -> str:
    """A file's text with repairs made, of which those that overlap are left for another round.

    A repair whose place holds another text than it was told for is left out.
    """
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]
    parts: list[str] = []
    at = 0
    for start, end, instead in sorted(_spans(text, starts, repairs)):
        if start < at or (not text[start:end] and start == at and parts):
            continue
        parts += [text[at:start], instead]
        at = end
    return "".join([*parts, text[at:]])


def _spans(
    text: str, starts: list[int], repairs: Iterable[Repair]
) -> Iterator[tuple[int, int, str]]:
    for repair in dict.fromkeys(repairs):
        place, there = repair.place, repair.place.there
        if place.line is None or place.column is None or there is None or place.line > len(starts):
            continue
        start = starts[place.line - 1] + place.column - 1
        if text.startswith(there, start) and there != repair.instead:
            yield start, start + len(there), repair.instead


def end_of(place: Place) -> tuple[int, int]:
    """Line and column behind what stands at a place.

    >>> end_of(Place("a.yaml", 2, 3, "sms"))
    (2, 6)
    """
    first, *more = _BREAK.split(place.there or "")
    line, column = place.line or 1, place.column or 1
    return (line + len(more), len(more[-1]) + 1) if more else (line, column + len(first))
