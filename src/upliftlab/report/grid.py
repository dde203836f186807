"""A table whose columns differ in what they hold: intervals, figures, marks, shares or words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from upliftlab.report.axis import Axis, Reference
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, Stretch
from upliftlab.report.interval import Interval, Scale, Value, draw
from upliftlab.results.uplift import Estimate

ZERO = (Reference(0.0),)


@dataclass(frozen=True, slots=True)
class GridMark:
    """A state in a word; `kind` is its look, a class of the style sheet."""

    kind: Literal["yes", "no", "open"]
    text: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class ArmShare:
    """An arm and the share of customers who get it."""

    name: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure and how much it varies."""

    figure: Figure
    half: Figure | None


Cell = Interval | Figure | GridMark | Spread | tuple[ArmShare, ...] | str | None


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A heading and what stands below it, one cell a row."""

    title: str
    hint: str
    kind: Literal["drawn", "interval", "number", "mark", "spread", "shares", "text"]
    cells: tuple[Cell, ...]
    axis: Axis | None = None


@dataclass(frozen=True, slots=True)
class RowHead:
    """What a row is about."""

    words: Sentence
    hint: str = ""
    marked: str = ""
    """Why the row stands out; empty where it does not."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    caption: str
    first: str
    """The heading of the rows' names."""
    heads: tuple[RowHead, ...]
    columns: tuple[GridColumn, ...]


def grid(caption: str, first: str, heads: Sequence[RowHead], columns: Sequence[GridColumn]) -> Grid:
    """A table without the columns that hold nothing."""
    kept = tuple(c for c in columns if any(cell is not None for cell in c.cells))
    return Grid(caption, first, tuple(heads), kept)


def named(name: str, hint: str = "") -> RowHead:
    """A row about something that data or plan name."""
    return RowHead((Stretch(name, is_name=True),), hint)


@dataclass(frozen=True, slots=True)
class Titles:
    """A column's heading and what is said below it, before they are translated."""

    title: str
    hint: str = ""


def intervals(
    titles: Titles, values: Sequence[Value | None], form: FigureFormat, formatter: Formatter
) -> GridColumn:
    """A column of intervals drawn on one scale against zero."""
    drawn = draw(values, Scale(form, ZERO), formatter)
    title, hint = formatter.text(titles.title), formatter.text(titles.hint)
    return GridColumn(title, hint, "drawn", drawn.intervals, drawn.axis)


def figures(titles: Titles, cells: Sequence[Figure | None], formatter: Formatter) -> GridColumn:
    """A column of plain numbers."""
    return GridColumn(
        formatter.text(titles.title), formatter.text(titles.hint), "number", tuple(cells)
    )


def marks(titles: Titles, cells: Sequence[GridMark | None], formatter: Formatter) -> GridColumn:
    """A column of states."""
    return GridColumn(
        formatter.text(titles.title), formatter.text(titles.hint), "mark", tuple(cells)
    )


def texts(titles: Titles, cells: Sequence[str], formatter: Formatter) -> GridColumn:
    """A column of words."""
    return GridColumn(
        formatter.text(titles.title), formatter.text(titles.hint), "text", tuple(cells)
    )


def optional(
    value: float | None, key: str, form: FigureFormat, formatter: Formatter
) -> Figure | None:
    """A number where there is one."""
    return None if value is None else formatter.figure(value, key, form)


def valued(found: Estimate | None, key: str) -> Value | None:
    """An estimate that lies at `key` in the JSON."""
    if found is None:
        return None
    return Value(found.estimate, found.low, found.high, found.note, key)
