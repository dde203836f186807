"""Levels of a dimension with arms side by side: profit drawn on one scale, ROI beside it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

from upliftlab.report.axis import Axis
from upliftlab.report.figure import Figure, Formatter
from upliftlab.report.index import Found, Index, Quantity, RowKey
from upliftlab.report.interval import Interval, Scale, draw
from upliftlab.report.levels import in_order
from upliftlab.report.quantity import form, scale, title
from upliftlab.report.roi_map import anchor
from upliftlab.report.tone import Tone, tone
from upliftlab.results.estimands import EstimandKind

_WIDTH: Final = {1: 300, 2: 220, 3: 170}
_NARROW: Final = 130
"""Width of a drawing, by how many arms stand side by side."""


@dataclass(frozen=True, slots=True)
class ForestCell:
    """An arm in a level.

    Attributes:
        interval: What decides (profit), drawn.
        beside: ROI, where there is money.
        tone: Gain or loss, and how sure.
        word: The same in words.
    """

    interval: Interval | None
    beside: Figure | None
    tone: Tone
    word: str


@dataclass(frozen=True, slots=True)
class ForestLevel:
    """A level: its name, its id, a cell for each arm."""

    head: str
    anchor: str
    cells: tuple[ForestCell, ...]


@dataclass(frozen=True, slots=True)
class LevelForest:
    """The levels of a dimension.

    Attributes:
        column: What is drawn.
        money: Whether that is money, with ROI beside it.
        arms: What they are called.
        axis: The scale that all cells share.
        levels: The rows, in their natural order.
    """

    column: str
    money: bool
    arms: tuple[str, ...]
    axis: Axis | None
    levels: tuple[ForestLevel, ...]


def level_forest(
    dimension: str, lead: EstimandKind, index: Index, formatter: Formatter
) -> LevelForest | None:
    """The levels of a dimension; None where nothing was found of what leads.

    Args:
        dimension: What levels are of.
        lead: What is drawn: profit, or the primary metric's difference.
        index: The analysis.
        formatter: The page's language.
    """
    money = lead.estimand.of == "money"
    metric = None if money or index.primary is None else index.primary.name
    drawn = Quantity(lead, metric)
    levels, arms = in_order(p.level for p in index.places(dimension)), index.treated
    places = [RowKey(arm, dimension, level) for level, arm in product(levels, arms)]
    found = [index.get(drawn, place) for place in places]
    if not any(found):
        return None
    usual = scale(drawn, index)
    wide = Scale(usual.form, usual.references, _WIDTH.get(len(arms), _NARROW))
    made = draw([one and one.value for one in found], wide, formatter)
    returns = [index.get(Quantity(EstimandKind.roi), place) if money else None for place in places]
    cells = [
        _cell(one, interval, back, (index, formatter))
        for one, interval, back in zip(found, made.intervals, returns, strict=True)
    ]
    rows = tuple(
        ForestLevel(
            index.level_title(dimension, level, formatter),
            anchor(dimension, level or ""),
            tuple(cells[i * len(arms) : (i + 1) * len(arms)]),
        )
        for i, level in enumerate(levels)
    )
    column = title(drawn, index, formatter, found)
    return LevelForest(column, money, tuple(map(index.called, arms)), made.axis, rows)


def _cell(
    found: Found | None,
    interval: Interval | None,
    back: Found | None,
    told: tuple[Index, Formatter],
) -> ForestCell:
    index, formatter = told
    shades, beside = tone(found, index), None
    roi = None if back is None else back.finding.estimate
    if back is not None and roi is not None:
        shape = form(Quantity(EstimandKind.roi), index)
        digits = formatter.digits(shape, back.value.limits)
        beside = formatter.figure(roi, f"{back.key}/estimate", shape, digits)
    return ForestCell(interval, beside, shades, formatter.text(shades.word) if shades.word else "")
