"""Secrets that were met, and text without them.

Whoever expands a secret tells it here; whatever is printed passes through `masked`. A secret can
come back in any message: of a driver, of a server, of an interpreter's trace.
"""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote, quote_plus

from upliftlab.util.visible import visible

MASK: Final = "…"
_SHORTEST: Final = 4
"""Shorter secrets are in every other word: hiding them would tell them and spoil the text."""
_known: set[str] = set()


def keep_secret(secret: str) -> None:
    """Hide a text from now on, in every form in which it may come back."""
    _known.update(form for form in _forms(secret) if len(form) >= _SHORTEST)


def forget_secrets() -> None:
    """Hide nothing any more."""
    _known.clear()


def masked(text: str) -> str:
    r"""`text` without any secret that was met in this process.

    >>> keep_secret("hun'ter 2")
    >>> masked("no hun'ter 2, no hun%27ter+2, no 'hun\\'ter 2'")
    "no …, no …, no '…'"
    >>> forget_secrets()
    """
    for form in sorted(_known, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


def _forms(secret: str) -> set[str]:
    """A secret as it is, in an address, quoted as settings, text, JSON or Python, and printed."""
    backslashed = secret.replace("\\", "\\\\").replace("'", "\\'")
    forms = {secret, backslashed, secret.replace("'", "''"), repr(secret)[1:-1]}
    forms |= {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms |= {quote(secret, safe="").lower(), quote_plus(secret).lower()}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return forms | {visible(form) for form in forms} | {secret.strip()}
