"""An estimate with its interval, in figures and drawn; or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis, Limits, Reference, Strip, axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, typeset
from upliftlab.results.analysis import Note
from upliftlab.text.precision import exact_percent_digits

ROW: Final = 150
"""Width of an interval drawn in a table."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the JSON with its interval, before it is told; `key` leads to the three ends."""

    estimate: float | None
    low: float | None
    high: float | None
    note: Note | None
    key: str
    name: str = "estimate"
    """The last step of the estimate's own key."""
    shrunken: float | None = None

    @property
    def limits(self) -> Limits:
        """Estimate, low, high."""
        return (self.estimate, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Interval:
    """What a cell shows; an interval without ends is told by its note."""

    estimate: Figure | None
    low: Figure | None
    high: Figure | None
    note: str
    strip: Strip | None
    shrunken: Figure | None = None
    """What the estimate is best taken for, given the others of its kind."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The intervals of a column and the scale they share."""

    axis: Axis | None
    intervals: tuple[Interval | None, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """How a column is shown: its form, the lines it is read against and its width."""

    form: FigureFormat
    references: tuple[Reference, ...]
    width: int = ROW


def draw(values: Sequence[Value | None], scale: Scale, formatter: Formatter) -> Drawn:
    """A column of values on one scale."""
    known = [value.limits for value in values if value is not None]
    shared = axis(known, scale.references, label(scale.form, formatter), scale.width)
    told = tuple(
        None if value is None else _interval(value, scale.form, shared, formatter)
        for value in values
    )
    return Drawn(shared, told)


def _interval(
    value: Value, form: FigureFormat, shared: Axis | None, formatter: Formatter
) -> Interval:
    digits = formatter.digits(form, value.limits)

    def end(number: float | None, name: str) -> Figure | None:
        if number is None:
            return None
        return formatter.figure(number, f"{value.key}/{name}", form, digits)

    return Interval(
        estimate=end(value.estimate, value.name),
        low=end(value.low, "low"),
        high=end(value.high, "high"),
        note="" if value.note is None else formatter.text(value.note.value),
        strip=None if shared is None else shared.strip(value.limits, value.shrunken),
        shrunken=end(value.shrunken, "shrunken"),
    )


def label(form: FigureFormat, formatter: Formatter) -> Callable[[float], str]:
    """How values on a scale of a form are labelled."""
    language = formatter.language

    def told(number: float) -> str:
        if form.kind == "money":
            text = language.money(number, formatter.currency, compact=True)
        elif form.kind == "percent":
            text = language.percent(number, digits=exact_percent_digits(number))
        else:
            shift = 100 if form.kind == "points" else 1
            text = language.number(number * shift, compact=True)
        return typeset(text)

    return told
