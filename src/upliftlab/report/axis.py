"""The shared scale of a column of intervals, and one interval drawn on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final, Literal

Anchor = Literal["start", "middle", "end"]
Limits = tuple[float | None, float | None, float | None]
"""Estimate, low, high; an end that is None is unbounded or unknown."""

_MARGIN: Final = 8.0
_REACH: Final = 4.0
"""How many median half-widths beyond the estimates the scale may reach."""
_SLACK: Final = 1.5
"""A scale may grow by this factor to show every interval whole."""
_ROOM: Final = 0.2
"""Share of the scale added where an interval has no end, so that its arrow is seen."""
_LETTER: Final = 7.0
"""Width of a tick label's letter."""
_GAP: Final = 6.0
_PER_TICK: Final = 110
"""A wide scale has a tick about every so often."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A line that intervals are read against."""

    value: float
    kind: Literal["zero", "hurdle"] = "zero"


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A reference line where it is drawn."""

    x: float
    kind: Literal["zero", "hurdle"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on the scale."""

    x: float
    text: str
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Strip:
    """One interval where it is drawn."""

    width: int
    x: float
    low: float
    high: float
    beyond_low: bool
    beyond_high: bool
    clear: bool
    """The whole interval lies on one side of the line."""
    lines: tuple[DrawnLine, ...]
    shrunken: float | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """The scale of a column."""

    low: float
    high: float
    width: int
    references: tuple[Reference, ...]
    ticks: tuple[Tick, ...]

    @property
    def lines(self) -> tuple[DrawnLine, ...]:
        """The reference lines where they are drawn."""
        return tuple(DrawnLine(self.x(line.value), line.kind) for line in self.references)

    def x(self, value: float) -> float:
        """Where a value is drawn; beyond the scale, at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_MARGIN + share * (self.width - 2 * _MARGIN), 1)

    def strip(self, limits: Limits, shrunken: float | None = None) -> Strip | None:
        """An interval drawn on this scale; None where it has no estimate, or no end at all.

        Where one end alone is known it reaches beyond the scale on the other side.
        """
        estimate, *ends = limits
        if estimate is None or ends == [None, None]:
            return None
        far = (-math.inf, math.inf)
        low, high = (out if end is None else end for end, out in zip(ends, far, strict=True))
        return Strip(
            width=self.width,
            x=self.x(estimate),
            low=self.x(low),
            high=self.x(high),
            beyond_low=low < self.low,
            beyond_high=high > self.high,
            clear=not any(low <= line.value <= high for line in self.references),
            lines=self.lines,
            shrunken=None if shrunken is None else self.x(shrunken),
        )


def axis(
    limits: Sequence[Limits],
    references: tuple[Reference, ...],
    label: Callable[[float], str],
    width: int,
) -> Axis | None:
    """A scale that shows every estimate and most intervals whole; None where nothing is known."""
    estimates = [estimate for estimate, _, _ in limits if estimate is not None]
    if not estimates:
        return None
    low, high = _reach(limits, estimates)
    low = min([low, *(line.value for line in references)])
    high = max([high, *(line.value for line in references)])
    if low == high:
        low, high = low - 1, high + 1
    bare = Axis(low, high, width, references, ())
    return Axis(low, high, width, references, _ticks(bare, label))


def _reach(limits: Sequence[Limits], estimates: list[float]) -> tuple[float, float]:
    halves = [
        abs(end - estimate)
        for estimate, *ends in limits
        for end in ends
        if end is not None and estimate is not None
    ]
    reach = _REACH * median(halves) if halves else 0.0
    lows = [low for _, low, _ in limits if low is not None] + estimates
    highs = [high for _, _, high in limits if high is not None] + estimates
    bottom = max(min(lows), min(estimates) - reach)
    top = min(max(highs), max(estimates) + reach)
    if max(highs) - min(lows) <= _SLACK * (top - bottom):
        bottom, top = min(lows), max(highs)
    room = _ROOM * (top - bottom)
    open_below = any(low is None and high is not None for _, low, high in limits)
    open_above = any(high is None and low is not None for _, low, high in limits)
    return bottom - room * open_below, top + room * open_above


def _ticks(scale: Axis, label: Callable[[float], str]) -> tuple[Tick, ...]:
    """Round values from the lowest to the highest that have room for their label."""
    for parts in (*range(scale.width // _PER_TICK, 3, -1), 3, 2, 1):
        step = nice((scale.high - scale.low) / parts)
        first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
        ticks = tuple(
            _tick(scale, i * step, label(i * step)) for i in range(first, min(last, first + 9) + 1)
        )
        if _fit(ticks):
            return ticks
    return (_tick(scale, 0.0, label(0.0)),) if scale.low <= 0 <= scale.high else ()


def _tick(scale: Axis, value: float, text: str) -> Tick:
    x, half = scale.x(value), len(text) * _LETTER / 2
    anchor: Anchor = "start" if x < half else "end" if x > scale.width - half else "middle"
    return Tick(x, text, anchor)


def _fit(ticks: tuple[Tick, ...]) -> bool:
    if not ticks:
        return False
    return all(_span(left)[1] + _GAP <= _span(right)[0] for left, right in pairwise(ticks))


def _span(tick: Tick) -> tuple[float, float]:
    size = len(tick.text) * _LETTER
    start = tick.x - {"start": 0.0, "middle": size / 2, "end": size}[tick.anchor]
    return start, start + size


def nice(step: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * 0.999)
