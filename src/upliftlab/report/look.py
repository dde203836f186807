"""What pages wear: the colours, logo and typeface of a house, laid over those of the product.

`render.framed` asks for the look, so that every page has it. Whoever knows the workspace puts it
on, with `wearing`; a page without one has the same bytes as ever.
"""

from __future__ import annotations

import base64
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from upliftlab.report.own_templates import OwnTemplate, names_of

_GENERIC: Final = frozenset(("serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui"))
"""What a style sheet writes without quotes: kinds of typefaces."""
_DARK: Final = "@media screen and (prefers-color-scheme: dark)"


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that lies in the page."""

    scheme: str
    """`light`, `dark`, or empty where it is shown on both."""
    address: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a page wears.

    Attributes:
        house: The house's name.
        logos: Its logo's type and content by scheme, of which `dark` may be absent.
        light: Colours on white by name, such as `accent`.
        dark: The same on black.
        typeface: Names of typefaces, of which the first that is there is taken.
        templates: Templates of the workspace, in the place of the product's.
    """

    house: str = ""
    logos: Mapping[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    light: Mapping[str, str] = field(default_factory=dict[str, str])
    dark: Mapping[str, str] = field(default_factory=dict[str, str])
    typeface: tuple[str, ...] = ()
    templates: tuple[OwnTemplate, ...] = ()

    @property
    def template_names(self) -> str:
        """The workspace's own templates, as the page names them."""
        return ", ".join(names_of(self.templates))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The logo as it stands in a page."""
        return tuple(
            Picture(
                scheme if len(self.logos) > 1 else "",
                f"data:{kind};base64,{base64.b64encode(content).decode()}",
            )
            for scheme, (kind, content) in self.logos.items()
        )

    @property
    def style(self) -> str:
        """What stands after the page's own style sheets."""
        return "".join(f"{rule}\n" for rule in self._rules())

    def _rules(self) -> Iterator[str]:
        if light := _variables(self.light):
            yield f":root {{ {light} }}"
        if dark := _variables(self.dark):
            yield f"{_DARK} {{ :root {{ {dark} }} }}"
        if "brand" in self.light:
            yield "header { border-bottom-color: var(--brand); }"
        if self.typeface:
            names = ", ".join(each if each in _GENERIC else f'"{each}"' for each in self.typeface)
            yield f"body {{ font-family: {names}, system-ui, sans-serif; }}"
        if self.house:
            yield ".house { margin: 0 0 .6rem; font-weight: 650; }"
            yield ".house img { display: block; height: 2.5rem; max-width: 16rem; }"
        if len(self.logos) > 1:
            yield ".house .dark { display: none; }"
            yield f"{_DARK} {{ .house .light {{ display: none; }} }}"
            yield f"{_DARK} {{ .house .dark {{ display: block; }} }}"


PLAIN: Final = Look()
_worn: ContextVar[Look] = ContextVar("look", default=PLAIN)


@contextmanager
def wearing(look: Look) -> Generator[None]:
    """Let the pages that are made meanwhile wear a look."""
    token = _worn.set(look)
    try:
        yield
    finally:
        _worn.reset(token)


def worn() -> Look:
    """What the page that is being made wears."""
    return _worn.get()


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())
