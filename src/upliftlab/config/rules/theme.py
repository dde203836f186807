"""Rules about what pages wear: it is read, and is not taken for what a number says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from upliftlab.config.rules.registry import shared_rule
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic
from upliftlab.util.colours import contrast, distance, nearest
from upliftlab.util.resources import shipped

FILE: Final = "configs/theme.yaml"
GROUNDS: Final = ("paper", "wash")
"""What texts and marks stand on."""
MEANT: Final = {
    "gain": "of gains",
    "loss": "of losses",
    "alarm": "of what fails",
    "caution": "of warnings",
}
"""The colours of pages that say something."""
NEEDED: Final = {"accent": 4.5, "brand": 3.0}
"""The contrast of a text, and of what is drawn (WCAG 2.2)."""
APART: Final = 0.1
"""How far a colour lies from one that says something; about 0.02 is just seen."""
_ROOT: Final = re.compile(r":root \{(.*?)\}", re.DOTALL)
_VARIABLE: Final = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{3,6})")


@cache
def palettes() -> Mapping[str, Mapping[str, str]]:
    """The colours of pages by scheme and name, as their style sheet has them."""
    sheet = (shipped("templates") / "report.css").read_text(encoding="utf-8")
    found = [dict(_VARIABLE.findall(block)) for block in _ROOT.findall(sheet)]
    return dict(zip(("light", "dark"), found, strict=True))


@shared_rule(
    "UL170",
    "Colour that is hard to see",
    "A theme's accent has a contrast of 4.5 to the grounds of pages, its brand of 3, on white and "
    "on black.",
    wrong='accent: {light: "#7db8f5", dark: "#7db8f5"}',
    right='accent: {light: "#0a58a8", dark: "#7db8f5"}',
    file=FILE,
)
def seen(shared: Shared) -> Iterator[Diagnostic]:
    """UL170: what is written in a colour can be read."""
    for part, scheme, colour in _colours(shared):
        palette = palettes()[scheme]
        least, ground = min((contrast(colour, palette[each]), each) for each in GROUNDS)
        if least < NEEDED[part]:
            message = (
                f"{colour} has a contrast of {least:.2f} to the {scheme} ground {palette[ground]}, "
                f"and '{part}' needs {NEEDED[part]:g}"
            )
            remedy = _nearest(colour, _passing(part, scheme))
            yield Diagnostic("UL170", message, remedy, shared.at("theme", part, scheme))


@shared_rule(
    "UL171",
    "Colour that says something else",
    "A theme's colours are unlike those in which pages show gains, losses, failures and warnings.",
    wrong='accent: {light: "#0b6b57", dark: "#7db8f5"}',
    right='accent: {light: "#0a58a8", dark: "#7db8f5"}',
    file=FILE,
)
def unmistakable(shared: Shared) -> Iterator[Diagnostic]:
    """UL171: no colour of a house is taken for a gain or a loss."""
    for part, scheme, colour in _colours(shared):
        palette = palettes()[scheme]
        near, name = min((distance(colour, palette[each]), each) for each in MEANT)
        if near < APART:
            message = f"{colour} is taken for {palette[name]}, the {scheme} colour {MEANT[name]}"
            remedy = _nearest(colour, _passing(part, scheme))
            yield Diagnostic("UL171", message, remedy, shared.at("theme", part, scheme))


def _colours(shared: Shared) -> Iterator[tuple[str, str, str]]:
    """Every colour of the theme, with its key and scheme."""
    for part in NEEDED if shared.theme else ():
        if pair := getattr(shared.theme, part):
            yield part, "light", pair.light
            yield part, "dark", pair.dark


def _passing(part: str, scheme: str) -> Callable[[str], bool]:
    palette = palettes()[scheme]

    def passes(colour: str) -> bool:
        return all(contrast(colour, palette[each]) >= NEEDED[part] for each in GROUNDS) and all(
            distance(colour, palette[each]) >= APART for each in MEANT
        )

    return passes


def _nearest(colour: str, passes: Callable[[str], bool]) -> str:
    return f'the nearest that passes is "{nearest(colour, passes)}"'
