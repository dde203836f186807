"""Colours as numbers: how well one is read on another, how far apart two look, which one is near.

Contrast is that of WCAG 2.2 (relative luminance). Distances are taken in OKLab, where the same
step looks about the same everywhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

COLOUR: Final = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_Lab = tuple[float, float, float]
_TO_CONES: Final = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB: Final = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_FROM_LAB: Final = (
    (1.0, 0.3963377774, 0.2158037573),
    (1.0, -0.1055613458, -0.0638541728),
    (1.0, -0.0894841775, -1.2914855480),
)
_FROM_CONES: Final = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
_STEP: Final = 0.02
"""In OKLab about as far as two neighbours on a screen are told apart."""


def normal(text: str) -> str:
    """A colour as `#rrggbb`.

    >>> normal("0A58A8"), normal("#abc")
    ('#0a58a8', '#aabbcc')
    """
    digits = text.removeprefix("#").lower()
    return f"#{digits if len(digits) == 6 else ''.join(2 * one for one in digits)}"  # noqa: PLR2004 - two for each of red, green, blue


def contrast(colour: str, ground: str) -> float:
    """How well a colour is read on a ground, from 1 to 21.

    >>> round(contrast("#000000", "#ffffff"), 1), round(contrast("#767676", "#ffffff"), 2)
    (21.0, 4.54)
    """
    high, low = sorted((_luminance(colour), _luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def distance(one: str, other: str) -> float:
    """How far apart two colours look: about 0.02 is just seen, black to white is 1.

    >>> round(distance("#000000", "#ffffff"), 3)
    1.0
    """
    return math.dist(_lab(one), _lab(other))


def nearest(colour: str, passes: Callable[[str], bool]) -> str | None:
    """The colour nearest to one that passes, to a step that is hardly seen; None where none does.

    >>> nearest("#888888", lambda each: contrast(each, "#ffffff") >= 4.5)
    '#767676'
    """
    if passes(colour):
        return colour
    start = _lab(colour)
    for there in sorted(_around(start), key=lambda each: math.dist(start, each)):
        found = _hex(there)
        if found is not None and passes(found):
            return _closer(start, there, found, passes)
    return None


def _around(start: _Lab) -> Iterator[_Lab]:
    """Every colour of a screen's, by steps from one."""
    reach = [step * _STEP for step in range(-50, 51)]
    for light in (each for each in reach if 0 <= start[0] + each <= 1):
        for a, b in product(reach[28:73], repeat=2):
            if abs(start[1] + a) <= _STRONGEST and abs(start[2] + b) <= _STRONGEST:
                yield start[0] + light, start[1] + a, start[2] + b


_STRONGEST: Final = 0.33
"""No screen shows more of OKLab's a or b."""


def _closer(start: _Lab, there: _Lab, found: str, passes: Callable[[str], bool]) -> str:
    """On the way back from what passes, what still does."""
    near, far = 0.0, 1.0
    for _ in range(8):
        half = (near + far) / 2
        tried = _hex(_between(start, there, half))
        if tried is not None and passes(tried):
            far, found = half, tried
        else:
            near = half
    return found


def _between(start: _Lab, there: _Lab, part: float) -> _Lab:
    one, two, three = (a + part * (b - a) for a, b in zip(start, there, strict=True))
    return one, two, three


def _channels(colour: str) -> tuple[float, ...]:
    """Red, green and blue as light, from 0 to 1."""
    digits = normal(colour)[1:]
    values = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return tuple(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)  # noqa: PLR2004 - of sRGB


def _luminance(colour: str) -> float:
    red, green, blue = _channels(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _times(matrix: tuple[_Lab, ...], values: tuple[float, ...]) -> _Lab:
    one, two, three = (sum(a * b for a, b in zip(row, values, strict=True)) for row in matrix)
    return one, two, three


def _lab(colour: str) -> _Lab:
    cones = _times(_TO_CONES, _channels(colour))
    return _times(_TO_LAB, tuple(math.cbrt(each) for each in cones))


def _hex(lab: _Lab) -> str | None:
    """A colour as a screen shows it; None where no screen does."""
    light = _times(_FROM_CONES, tuple(each**3 for each in _times(_FROM_LAB, lab)))
    if not all(-0.001 <= each <= 1.001 for each in light):  # noqa: PLR2004 - rounding
        return None
    shown = (min(max(each, 0.0), 1.0) for each in light)
    coded = (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in shown)  # noqa: PLR2004 - of sRGB
    return "#" + "".join(f"{round(255 * each):02x}" for each in coded)
