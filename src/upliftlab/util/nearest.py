"""What was probably meant: the nearest of the words there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def closest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word that `word` is probably meant to be, None where none is close.

    >>> closest("cost_per_contct", ["cost_per_contact", "commission"])
    'cost_per_contact'
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    folded = {name.casefold(): name for name in sorted(set(known))}
    match = get_close_matches(word.casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[match[0]] if match else None


_APART = 0.12
"""How much less alike the second nearest must be, where the nearest is taken unasked."""


def surely(word: str, known: Collection[str], cutoff: float = 0.7) -> str | None:
    """The closest word where no other can be meant; None also where only a figure differs.

    >>> surely("smss", ["sms", "email"]), surely("revenu", ["revenue", "revenues"])
    ('sms', None)
    >>> surely("voucher_5", ["voucher_6"]) is None
    True
    """
    near = closest(word, known, cutoff)
    others = [name for name in known if name != near]
    if near is None or _digits(near) != _digits(word):
        return None
    return (
        None if any(_alike(word, each) > _alike(word, near) - _APART for each in others) else near
    )


def _alike(word: str, name: str) -> float:
    from difflib import SequenceMatcher  # noqa: PLC0415 - as above

    return SequenceMatcher(None, name.casefold(), word.casefold()).ratio()


def _digits(word: str) -> str:
    return "".join(filter(str.isdigit, word))
