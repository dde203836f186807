"""Reading a message's template: which values it takes and how each is to be shown."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from upliftlab.results import N_
from upliftlab.results.analysis import Message, Scalar
from upliftlab.text.precision import interval_scale

Kind = Literal["money", "percent", "points", "number", "count", "p", "date"]
"""How a value is shown; points are percentage points, for differences of shares."""
_AT_LEAST, _AT_MOST = N_("at least"), N_("at most")
_INTERVAL: Final = re.compile(r"\{low:(\w+)\}[^{}]*\{high:\1\}")
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Field:
    """A placeholder with the value put in."""

    name: str
    kind: Kind | None
    value: Scalar


def pieces(template: str, message: Message) -> list[tuple[str, Field | None]]:
    """A template cut into its own words, each with the placeholder that follows them.

    Raises:
        ValueError: for a placeholder that is not the plain name of a value, or of no known kind.
    """
    found: list[tuple[str, Field | None]] = []
    for literal, name, kind, conversion in string.Formatter().parse(template):
        if name is None:
            found.append((literal, None))
            continue
        if conversion is not None or not name.isidentifier():
            raise ValueError(f"{{{name}}} in {template!r} is not the plain name of a value")
        if name not in message.values:
            raise ValueError(f"{template!r} has no value for {{{name}}}")
        found.append((literal, Field(name, _kind(kind, template), message.values[name])))
    return found


def bounded(template: str, message: Message, say: Callable[[str], str]) -> str:
    """A template as it reads where an interval has one end alone: at least so much, or at most.

    Args:
        template: In the language that is said.
        message: The values put in.
        say: Says the words in that language.
    """
    absent = {name for name in ("low", "high") if message.values.get(name, 0) is None}
    if len(absent) != 1:
        return template
    words = say(_AT_MOST if absent == {"low"} else _AT_LEAST)
    end = "high" if absent == {"low"} else "low"
    return _INTERVAL.sub(lambda found: f"{words} {{{end}:{found[1]}}}", template)


def _kind(name: str | None, template: str) -> Kind | None:
    if not name:
        return None
    for kind in KINDS:
        if kind == name:
            return kind
    raise ValueError(f"kind {name!r} in {template!r} is not one of {', '.join(KINDS)}")


def scale(field: Field, fields: list[Field]) -> tuple[float, ...]:
    """The values to share decimals with: an estimate and its interval's ends, else itself."""
    if not isinstance(field.value, int | float):
        return ()
    ends = [other.kind for other in fields if other.name in ("low", "high")]
    if field.kind not in ends:
        return (float(field.value),)
    alike = [other for other in fields if other.kind == field.kind]
    estimates = [other for other in alike if other.name not in ("low", "high")][:1]
    limits = [other for other in alike if other.name in ("low", "high")]
    values = [other.value for other in (*estimates, *limits)]
    return interval_scale(*(v if isinstance(v, int | float) else None for v in values))
