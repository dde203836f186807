"""What pages wear: the colours, logo and typeface of a house."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from upliftlab.config.models.model import Declaration, Names
from upliftlab.config.models.values import Name, text_of
from upliftlab.util.colours import COLOUR, normal

_FAMILY: Final = re.compile(r"[^\W_][\w .+-]{0,62}")
"""What stands in a style sheet in quotes, and never ends them."""


def _colour(value: object) -> str:
    text = text_of(value)
    if text is None or not COLOUR.fullmatch(text):
        raise ValueError(f"'{str(value)[:40]}' is no colour; write one such as \"#0a58a8\"")
    return normal(text)


def _families(names: tuple[str, ...]) -> tuple[str, ...]:
    if wrong := next((each for each in names if not _FAMILY.fullmatch(each)), None):
        raise ValueError(f"'{wrong[:40]}' is no name of a typeface; write one such as Georgia")
    return names


Colour = Annotated[
    str,
    BeforeValidator(_colour),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^\s*{COLOUR.pattern}\s*$",
            "description": 'A colour in quotes: "#0a58a8"',
        }
    ),
]
Typeface = Annotated[Names, AfterValidator(_families)]


class ColourPair(Declaration):
    """One colour on white pages and one on black ones, as the reader's system asks for."""

    light: Colour
    """As it stands on white, and on paper."""
    dark: Colour
    """As it stands on black."""


class Logo(Declaration):
    """The house's logo: SVG or PNG, at most 64 KiB."""

    light: Name
    """The file that stands on white and on paper: its place in the workspace."""
    dark: Name | None = None
    """The file that stands on black; by default the same."""
