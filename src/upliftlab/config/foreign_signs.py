"""Conditions as other languages write them, and how they are written here."""

from __future__ import annotations

import re
from typing import NamedTuple

_PIECE = re.compile(r"'[^']*'|\"[^\"]*\"|[^'\"]+|['\"]")
_QUOTES = "\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019\u201a"
_TYPOGRAPHIC = re.compile(f"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]")
_SIGNS = (
    ("&&", re.compile(r"\s*&&\s*"), " and "),
    ("||", re.compile(r"\s*\|\|\s*"), " or "),
    ("=>", re.compile(r"=>"), ">="),
    ("=<", re.compile(r"=<"), "<="),
    ("≥", re.compile("≥"), ">="),
    ("≤", re.compile("≤"), "<="),
    ("≠", re.compile("≠"), "<>"),
)


class Foreign(NamedTuple):
    """A sign that is not known here, and what to write."""

    sign: str
    remedy: str
    instead: str | None = None


def foreign(text: str) -> Foreign | None:
    """The first sign of another language, with the whole text as it is written here.

    >>> foreign("age > 18 && opt_in")
    Foreign(sign="'&&'", remedy='write age > 18 and opt_in', instead='age > 18 and opt_in')
    >>> foreign("name = 'A && B'") is None
    True
    """
    if "{{" in text:
        remedy = "write the value itself, as there is no template here"
        return Foreign("a placeholder '{{ }}'", remedy)
    found: list[str] = []
    pieces = [_here(piece, found) for piece in _PIECE.findall(text)]
    right = "".join(pieces)
    return Foreign(found[0], f"write {right}", right) if found else None


def _here(piece: str, found: list[str]) -> str:
    """A piece between quotes as it is, any other as it is written here."""
    if piece[0] in "'\"":
        return piece
    if _TYPOGRAPHIC.search(piece):
        found.append("a typographic quote")
        piece = _TYPOGRAPHIC.sub(r"'\1'", piece)
    for sign, pattern, right in _SIGNS:
        if pattern.search(piece):
            found.append(f"'{sign}'")
            piece = pattern.sub(right, piece)
    return piece
