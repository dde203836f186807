"""Lines over two axes: what power curves and gain curves are drawn with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis, nice
from upliftlab.report.figure import Sentence

WIDTH: Final = 560
_TOP: Final = 12.0
_TITLE: Final = 20.0
"""Room that the title of the upright axis takes."""
_HEIGHT: Final = 200.0
_PARTS: Final = 4
_LETTER: Final = 8.0
_LEAST_LEFT: Final = 44
_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class PlotLevel:
    """A labelled value of the upright axis."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class PlotMark:
    """A line or an area: a path in SVG, and what it is (a class of the style sheet)."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Upright:
    """The upright axis: values from the bottom to the top."""

    low: float
    high: float
    levels: tuple[PlotLevel, ...]
    title: str = ""

    @property
    def bottom(self) -> float:
        """Where the lowest value is drawn."""
        return self.top + _HEIGHT

    @property
    def top(self) -> float:
        """Where the highest value is drawn."""
        return _TOP + (_TITLE if self.title else 0.0)

    @property
    def left(self) -> int:
        """Room for the labels."""
        return max(_LEAST_LEFT, *(round(len(each.text) * _LETTER) + 10 for each in self.levels))

    def y(self, value: float) -> float:
        """Where a value is drawn."""
        share = (self.high - value) / (self.high - self.low)
        return round(self.top + share * _HEIGHT, 1)


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with all it takes to be read without being seen; `name` is unique on the page."""

    name: str
    title: str
    description: Sentence
    axis: Axis
    axis_title: str
    upright: Upright
    marks: tuple[PlotMark, ...]


def upright(
    values: Iterable[float], label: Callable[[float], str], title: str = ""
) -> Upright | None:
    """An axis that holds 0 and every value, with round levels; None where there is no height."""
    known = [0.0, *values]
    low, high = min(known), max(known)
    if low == high:
        return None
    step = nice((high - low) / _PARTS)
    first, last = math.ceil(low / step - _SLACK), math.floor(high / step + _SLACK)
    return _labelled(low, high, [i * step for i in range(first, last + 1)], label, title)


def ladder(steps: Sequence[float], label: Callable[[float], str], title: str = "") -> Upright:
    """An axis from the first to the last of some values, with a level at each."""
    return _labelled(steps[0], steps[-1], steps, label, title)


def _labelled(
    low: float, high: float, steps: Sequence[float], label: Callable[[float], str], title: str
) -> Upright:
    bare = Upright(low, high, (), title)
    levels = tuple(PlotLevel(bare.y(value), label(value)) for value in steps)
    return Upright(low, high, levels, title)


def line(axis: Axis, side: Upright, points: Iterable[tuple[float, float]]) -> str:
    """A line through points."""
    return "M" + "L".join(f"{axis.x(x)} {side.y(y)}" for x, y in points)


def area(axis: Axis, side: Upright, points: Sequence[tuple[float, float, float]]) -> str:
    """What lies between the lower and the upper ends at each x."""
    upper = [(x, high) for x, _, high in points]
    lower = [(x, low) for x, low, _ in reversed(points)]
    return line(axis, side, [*upper, *lower]) + "Z"
