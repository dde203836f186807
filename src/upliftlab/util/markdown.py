"""Text of unknown origin in Markdown: shown, and nothing else."""

from __future__ import annotations

import re
from typing import Final

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+.!|~&-])")
_MENTION: Final = re.compile(r"@(?=\w)")


def escaped(text: str) -> str:
    r"""A text of somebody's as Markdown that shows it, and calls nobody by a name after @.

    >>> print(escaped("a_b <b> | [x](y) &lt; @all"))
    a\_b \<b\> \| \[x\]\(y\) \&lt; @<!-- -->all
    """
    return _MENTION.sub("@<!-- -->", _SPECIAL.sub(r"\\\1", " ".join(text.split())))
