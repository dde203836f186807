"""Names of experiments and channels as names of files: safe on every file system."""

from __future__ import annotations

import hashlib

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
_LONGEST = 120


def file_name(name: str) -> str:
    """A name as one safe part of a path; different names never share one.

    Letters, digits, `-`, `_` and inner dots stay; anything else is percent-encoded as UTF-8.
    A name too long for a file system keeps its beginning and ends in its sha256.

    >>> file_name("spring_winback"), file_name("../etc"), file_name("Früh")
    ('spring_winback', '%2E.%2Fetc', 'Fr%C3%BCh')
    """
    text = "".join(_encoded(sign, first=index == 0) for index, sign in enumerate(name))
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{text[: _LONGEST - 33]}~{digest[:32]}"


def _encoded(sign: str, *, first: bool) -> str:
    if sign in _PLAIN and not (first and sign == "."):
        return sign
    return "".join(f"%{byte:02X}" for byte in sign.encode())
