"""Secrets that key pseudonyms and sign heads: out of the environment, and hard to guess."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from upliftlab.ledger.faults import refuse

_SHORTEST = 16
_FEWEST = 8
"""Different bytes: a random secret of 16 digits and letters has more."""
_WORDS = re.compile(
    "pass(?:word|wort|phrase|code)?|p[a4][s5$]{2}w[o0]rd|secret|geheim|change_?me|letmein|welcome|"
    "qwert[yz]?|azerty|admin|default|example|test|upliftlab|pseudonyms?|token",
    re.IGNORECASE,
)
_REMEDY = "set a random one, such as `openssl rand -hex 32` prints"


def secret_of(environment: Mapping[str, str], name: str) -> bytes:
    """A secret from an environment variable; no message ever shows it.

    Raises:
        LedgerError: UL480, it is not set, or so weak that it could be guessed.
    """
    text = environment.get(name, "")
    if fault := _fault(text):
        raise refuse("UL480", f"the environment variable {name} {fault}", _REMEDY)
    return text.encode()


def _fault(text: str) -> str | None:
    """Why a text is no secret; None where it may be one."""
    size = len(text.encode())
    if not size:
        return "is not set"
    if size < _SHORTEST:
        return f"is shorter than {_SHORTEST} bytes"
    if len(set(text.casefold())) < _FEWEST:
        return f"has fewer than {_FEWEST} different characters"
    if text.casefold() in (text.casefold() * 2)[1:-1]:
        return "repeats itself"
    if _counted(text.casefold()) * 2 > len(text):
        return "is a sequence, such as 12345"
    left = re.sub(r"[\d\W_]+$|^[\d\W_]+", "", _WORDS.sub("", text))
    if _WORDS.search(text) and len(left.encode()) < _SHORTEST:
        return "is made of words that are guessed first"
    return None


def _counted(text: str) -> int:
    """How many signs are the one before, or the next or previous to it."""
    return sum(abs(ord(one) - ord(other)) <= 1 for one, other in pairwise(text))
