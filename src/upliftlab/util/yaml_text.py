"""Names as they may stand anywhere in YAML: in the line that a message tells, and in files."""

from __future__ import annotations

import json
import re
from typing import Final

from upliftlab.util.visible import visible

_PLAIN: Final = re.compile(r"[^\W\d][\w-]*")
_MEANT_OTHERWISE: Final = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
"""Words that some readers of YAML take for no text."""


def yaml_text(name: str) -> str:
    r"""A text as YAML holds it: as it is, or in double quotes with what cannot be seen escaped.

    >>> print(yaml_text("Gruppe"), yaml_text("last arm"), yaml_text("no"), yaml_text("a\u202eb"))
    Gruppe "last arm" "no" "a\u202eb"
    """
    if _PLAIN.fullmatch(name) and name.casefold() not in _MEANT_OTHERWISE:
        return name
    return visible(json.dumps(name, ensure_ascii=False))
