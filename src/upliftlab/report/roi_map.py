"""The map: what every arm earned in every segment, on one screen.

Rows are all customers and the levels of each segment, columns the arms. A cell's colour tells gain
or loss by what its profit is best taken for (shrunken), its strength by how sure that is; it is
outlined where it survives the correction for many looks, and blank, with its reason, where it is
withheld. Without money it shows the primary metric's difference and relative change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from upliftlab.report.figure import Figure, Formatter
from upliftlab.report.index import CONTACT, Index, Quantity, RowKey
from upliftlab.report.levels import in_order
from upliftlab.report.quantity import form
from upliftlab.report.tone import Tone, tone
from upliftlab.results.estimands import EstimandKind
from upliftlab.text.language import N_

_CAPTIONS = {
    True: N_("ROI and incremental profit"),
    False: N_("Difference per customer"),
}


@dataclass(frozen=True, slots=True)
class MapCell:
    """An arm in a level: two numbers, or the reason why there are none.

    Attributes:
        place: Where it is, as `dimension|level|arm`; empty parts overall.
        lead: The larger number: ROI, or the relative change.
        amount: The smaller: profit, or the difference.
        tone: Gain or loss, and how sure.
        word: The tone in words, for those who see no colour.
        note: Why numbers are absent.
    """

    place: str
    lead: Figure | None
    amount: Figure | None
    tone: Tone
    word: str
    note: str


@dataclass(frozen=True, slots=True)
class MapRow:
    """A level: its name, the id of its row in the section below, a cell for each arm."""

    head: str
    anchor: str
    cells: tuple[MapCell, ...]


@dataclass(frozen=True, slots=True)
class MapGroup:
    """A dimension: its title, the anchor of its section, its levels."""

    title: str
    anchor: str
    rows: tuple[MapRow, ...]


@dataclass(frozen=True, slots=True)
class MapColumn:
    """An arm by its title, and how it contacts."""

    title: str
    channel: str


@dataclass(frozen=True, slots=True)
class RoiMap:
    """The whole map.

    Attributes:
        caption: What its cells show.
        money: Whether they show ROI and profit.
        columns: The arms.
        groups: All customers (without a title), then each dimension.
        wide: Whether it needs the width of the page.
    """

    caption: str
    money: bool
    columns: tuple[MapColumn, ...]
    groups: tuple[MapGroup, ...]

    @property
    def wide(self) -> bool:
        """Whether it needs the width of the page."""
        return len(self.columns) > 4  # noqa: PLR2004 - as many as stand beside the verdict


def roi_map(index: Index, formatter: Formatter) -> RoiMap | None:
    """The map of an analysis; None where it has no effect to show."""
    money = index.analysis.terms is not None
    quantities = _shown(index, money=money)
    overall = _rows(None, (None,), quantities, (index, formatter))
    if not any(cell.lead or cell.amount or cell.note for row in overall for cell in row.cells):
        return None
    groups = [MapGroup("", "", overall)]
    for name in index.dimensions:
        if name == CONTACT:
            continue  # its rows are arms taken together, whose columns these are
        levels = in_order(place.level for place in index.places(name))
        rows = _rows(name, tuple(levels), quantities, (index, formatter))
        groups.append(MapGroup(index.dimension_title(name, formatter), anchor(name), rows))
    caption = _CAPTIONS[money]
    return RoiMap(formatter.text(caption), money, tuple(_columns(index)), tuple(groups))


def anchor(dimension: str, level: str | None = None) -> str:
    """The id of a dimension's part of the page, or of a level's row in it.

    >>> anchor("value band"), anchor("region", "Nord/Süd")
    ('by-value_20band', 'by-region--Nord_2fS_fcd')
    """
    parts = (dimension,) if level is None else (dimension, level)
    return "by-" + "--".join(map(_plain, parts))


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}" for c in name)


def _shown(index: Index, *, money: bool) -> tuple[Quantity, Quantity]:
    """The larger and the smaller number of a cell."""
    if money:
        return Quantity(EstimandKind.roi), Quantity(EstimandKind.incremental_profit)
    primary = index.primary.name if index.primary else None
    return Quantity(EstimandKind.relative_lift, primary), Quantity(EstimandKind.difference, primary)


def _columns(index: Index) -> Iterator[MapColumn]:
    channels = {arm.arm: arm.channel_title or arm.channel or "" for arm in index.analysis.arms}
    for arm in index.treated:
        called = index.called(arm)
        yield MapColumn(called, "" if channels[arm] == called else channels[arm])


def _rows(
    dimension: str | None,
    levels: tuple[str | None, ...],
    quantities: tuple[Quantity, Quantity],
    told: tuple[Index, Formatter],
) -> tuple[MapRow, ...]:
    index, formatter = told
    rows: list[MapRow] = []
    for level in levels:
        places = [RowKey(arm, dimension, level) for arm in index.treated]
        cells = tuple(_cell(place, quantities, index, formatter) for place in places)
        if dimension is None:
            rows.append(MapRow(formatter.text(N_("All customers")), "", cells))
        else:
            head = index.level_title(dimension, level, formatter)
            rows.append(MapRow(head, anchor(dimension, level or ""), cells))
    return tuple(rows)


def _cell(
    place: RowKey, quantities: tuple[Quantity, Quantity], index: Index, formatter: Formatter
) -> MapCell:
    lead, amount = (index.get(quantity, place) for quantity in quantities)
    shades = tone(amount, index)
    word, reason = formatter.text(shades.word) if shades.word else "", ""
    for found in (amount, lead):
        if found is not None and found.finding.estimate is None and found.note is not None:
            reason = formatter.text(found.note.value)
    figures: list[Figure | None] = []
    for quantity, found in zip(quantities, (lead, amount), strict=True):
        value = None if found is None else found.finding.estimate
        if found is None or value is None:
            figures.append(None)
            continue
        shape = form(quantity, index)
        digits = formatter.digits(shape, found.value.limits)
        figures.append(formatter.figure(value, f"{found.key}/estimate", shape, digits))
    at = "|".join((place.dimension or "", place.level or "", place.arm or ""))
    return MapCell(at, figures[0], figures[1], shades, word, reason)
