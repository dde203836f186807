"""Aggregates: Moments of every arm, overall and at every level of every segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from upliftlab.queries.moments import SliceMoments
from upliftlab.queries.units import MISSING
from upliftlab.stats.moments import Moments, pool


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """A level of a segment; both None overall."""

    dimension: str | None = None
    level: str | None = None


OVERALL = Slice()
Aggregates = Mapping[Slice, Mapping[str, Moments]]
"""Moments by place and arm; an arm without units in a place is absent there."""


def roll_up(
    cells: Mapping[tuple[str, ...], Sequence[SliceMoments]], segments: Sequence[str]
) -> Aggregates:
    """Add cells up to the total and to every level of every segment.

    Args:
        cells: Cells by the set of segments they were grouped by; every wanted margin is a subset
            of one of these sets.
        segments: The segments to report by.
    """
    aggregates: dict[Slice, dict[str, Moments]] = {OVERALL: _margin(_within(cells, ()), None)[None]}
    for segment in segments:
        by_level = _margin(_within(cells, (segment,)), segment)
        for level in sorted(by_level, key=_order):
            aggregates[Slice(segment, level)] = by_level[level]
    return aggregates


def _within(
    cells: Mapping[tuple[str, ...], Sequence[SliceMoments]], wanted: tuple[str, ...]
) -> Sequence[SliceMoments]:
    """The cells of the smallest set of segments that contains the wanted ones."""
    fitting = [grouping for grouping in cells if set(wanted) <= set(grouping)]
    return cells[min(fitting, key=len)]


def _margin(
    cells: Iterable[SliceMoments], segment: str | None
) -> dict[str | None, dict[str, Moments]]:
    parts: dict[str | None, dict[str, list[Moments]]] = defaultdict(lambda: defaultdict(list))
    for cell in cells:
        level = None if segment is None else level_name(cell.levels[segment])
        parts[level][cell.arm or MISSING].append(cell.moments)
    return {level: {arm: pool(arms[arm]) for arm in sorted(arms)} for level, arms in parts.items()}


def flags_of(cells: Iterable[SliceMoments]) -> Mapping[str, frozenset[str]]:
    """By arm, the columns that hold nothing but 0 and 1.

    Args:
        cells: All cells of one set of segments.
    """
    found: dict[str, frozenset[str]] = {}
    for cell in cells:
        arm = cell.arm or MISSING
        found[arm] = cell.flags & found.get(arm, cell.flags)
    return found


def level_name(level: str | None) -> str:
    """How a level is shown; customers without one are a level of their own."""
    return MISSING if level is None else level


def _order(level: str | None) -> tuple[bool, float, str]:
    """Numbers by value, texts by spelling, the missing last."""
    text = level or ""
    try:
        return text == MISSING, float(text), text
    except ValueError:
        return text == MISSING, float("inf"), text
