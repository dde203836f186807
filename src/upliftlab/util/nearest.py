"""What was probably meant: the nearest of the words there are."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word that `word` is probably meant to be, None where none is close.

    >>> closest("cost_per_contct", ["cost_per_contact", "commission"])
    'cost_per_contact'
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    folded = {name.casefold(): name for name in sorted(set(known))}
    match = get_close_matches(word.casefold(), list(folded), n=1, cutoff=cutoff)
    return folded[match[0]] if match else None
