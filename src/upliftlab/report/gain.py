"""Gain curves: what contacting the first in order brings, and what a budget buys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis, axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Stretch
from upliftlab.report.interval import label
from upliftlab.report.plot import WIDTH, Plot, PlotMark, Upright, area, line, upright
from upliftlab.report.quantity import unit_form
from upliftlab.results.uplift import CurvePoint, UpliftCurve, UpliftResult
from upliftlab.text.language import N_

_ROWS: Final = 10
"""About as many of the points stand in the table."""
_MONEY: Final = FigureFormat("money")
_TITLES: Final = {
    "qini": N_("Gain by share contacted"),
    "profit": N_("Profit by share contacted"),
    "cost": N_("Gain by what is spent"),
}
_MEANINGS: Final = {
    "qini": N_(
        "What is added per customer of all if only the first in order are contacted, from nobody "
        "on the left to everybody on the right. The further the line lies above that of chance, "
        "the more the order is worth."
    ),
    "profit": N_(
        "The same in profit, marketing cost taken off. Where the line falls, the customers who "
        "are added cost more than they bring."
    ),
    "cost": N_(
        "What is gained before marketing cost, by what is spent on average per customer of all, "
        "if the model chooses the arm for each. The steeper the line, the more the next amount "
        "spent brings; where it lies above the best single arm, choosing pays."
    ),
}
_CHANCE: Final = N_("customers drawn at random")
_SINGLE: Final = N_("the best single arm")


@dataclass(frozen=True, slots=True)
class GainRow:
    """A point in figures."""

    x: Figure
    y: Figure
    low: Figure | None
    high: Figure | None


@dataclass(frozen=True, slots=True)
class Gain:
    """A curve where it is drawn, and its tables."""

    kind: str
    arm: str | None
    title: str
    meaning: str
    plot: Plot
    banded: bool
    budget: bool
    """Whether the budget is drawn."""
    reference: str
    """What the curve is compared with; empty where there is nothing."""
    across: str
    """The heading of x."""
    upward: str
    """The heading of y."""
    rows: tuple[GainRow, ...]
    reference_rows: tuple[GainRow, ...]
    highest: GainRow | None
    """Where profit is highest."""


def gains(arm: str | None, responses: UpliftResult, formatter: Formatter) -> tuple[Gain, ...]:
    """The curves of one arm; those over all arms where it is None."""
    made = (
        _gain(i, curve, responses, formatter)
        for i, curve in enumerate(responses.curves)
        if curve.arm == arm
    )
    return tuple(each for each in made if each is not None)


def _gain(
    number: int, curve: UpliftCurve, responses: UpliftResult, formatter: Formatter
) -> Gain | None:
    across = _MONEY if curve.kind == "cost" else FigureFormat("percent")
    upward = (
        unit_form(responses.unit) if curve.kind == "qini" else FigureFormat("money", signed=True)
    )
    budget = _budget(curve, responses)
    scales = _scales(curve, (across, upward), budget, formatter)
    if scales is None:
        return None
    title = formatter.text(_TITLES[curve.kind])
    meaning = formatter.text(_MEANINGS[curve.kind])
    flat, side = scales
    key, forms = f"/curves/{number}", (across, upward)
    return Gain(
        kind=curve.kind,
        arm=None if curve.arm is None else formatter.called(curve.arm),
        title=title,
        meaning=meaning,
        plot=Plot(
            name=f"gain{number}",
            title=title if curve.arm is None else f"{title}: {formatter.called(curve.arm)}",
            description=(Stretch(meaning),),
            axis=flat,
            axis_title=_across(curve, formatter),
            upright=side,
            marks=tuple(_marks(curve, flat, side, budget)),
        ),
        banded=len(_banded(curve.points)) > 1,
        budget=budget is not None,
        reference=_reference(curve, formatter),
        across=_across(curve, formatter),
        upward=side.title,
        rows=tuple(_rows(curve.points, f"{key}/points", forms, formatter)),
        reference_rows=tuple(_rows(curve.reference, f"{key}/reference", forms, formatter)),
        highest=_highest(curve, f"{key}/points", forms, formatter),
    )


def _scales(
    curve: UpliftCurve,
    forms: tuple[FigureFormat, FigureFormat],
    budget: float | None,
    formatter: Formatter,
) -> tuple[Axis, Upright] | None:
    """Both axes; None where there is nothing to draw."""
    across, upward = forms
    every = (*curve.points, *curve.reference)
    xs = [point.x for point in every] + ([] if budget is None else [budget])
    flat = axis([(x, x, x) for x in xs], (), label(across, formatter), WIDTH)
    ends = [end for point in every for end in (point.low, point.y, point.high) if end is not None]
    side = upright(ends, label(upward, formatter), _upward(curve, upward, formatter))
    if flat is None or side is None:
        return None
    return flat, side


def _across(curve: UpliftCurve, formatter: Formatter) -> str:
    if curve.kind == "cost":
        return formatter.text(N_("marketing cost per customer of all"))
    return formatter.text(N_("share of customers contacted"))


def _upward(curve: UpliftCurve, form: FigureFormat, formatter: Formatter) -> str:
    if curve.kind == "profit":
        return formatter.text(N_("profit per customer of all"))
    if form.kind == "points":
        return formatter.text(N_("gain per customer of all, percentage points"))
    if curve.kind == "cost":
        return formatter.text(N_("gain before marketing cost, per customer of all"))
    return formatter.text(N_("gain per customer of all"))


def _reference(curve: UpliftCurve, formatter: Formatter) -> str:
    if not curve.reference:
        return ""
    return formatter.text(_SINGLE if curve.kind == "cost" else _CHANCE)


def _budget(curve: UpliftCurve, responses: UpliftResult) -> float | None:
    """The budget per customer, where it lies within what is drawn or not far beyond."""
    if curve.kind != "cost" or responses.budget is None or not responses.customers:
        return None
    each = responses.budget / responses.customers
    spent = max((point.x for point in curve.points), default=0.0)
    return each if each <= spent else None


def _marks(
    curve: UpliftCurve, flat: Axis, side: Upright, budget: float | None
) -> Iterator[PlotMark]:
    banded = _banded(curve.points)
    if len(banded) > 1:
        yield PlotMark("band", area(flat, side, banded))
    if side.low < 0:
        yield PlotMark("nothing", f"M0 {side.y(0.0)}H{flat.width}")
    if budget is not None:
        yield PlotMark("expected", f"M{flat.x(budget)} {side.top}V{side.bottom}")
    if curve.reference:
        yield PlotMark("ships", line(flat, side, [(p.x, p.y) for p in curve.reference]))
    yield PlotMark("found", line(flat, side, [(p.x, p.y) for p in curve.points]))


def _banded(points: Sequence[CurvePoint]) -> list[tuple[float, float, float]]:
    return [(p.x, p.low, p.high) for p in points if p.low is not None and p.high is not None]


def _rows(
    points: Sequence[CurvePoint],
    key: str,
    forms: tuple[FigureFormat, FigureFormat],
    formatter: Formatter,
) -> Iterator[GainRow]:
    if not points:
        return
    last = len(points) - 1
    for i in sorted({*range(0, last, max(1, last // _ROWS)), last}):
        yield _row(points, i, f"{key}/{i}", forms, formatter)


def _row(
    points: Sequence[CurvePoint],
    i: int,
    key: str,
    forms: tuple[FigureFormat, FigureFormat],
    formatter: Formatter,
) -> GainRow:
    """A point with decimals that all points share."""
    across, upward = forms
    point = points[i]
    wide = formatter.digits(across, [max(abs(p.x) for p in points)]) if across == _MONEY else 1
    high = formatter.digits(upward, [max(abs(p.y) for p in points)])

    def end(value: float | None, name: str) -> Figure | None:
        return None if value is None else formatter.figure(value, f"{key}/{name}", upward, high)

    return GainRow(
        x=formatter.figure(point.x, f"{key}/x", across, wide),
        y=formatter.figure(point.y, f"{key}/y", upward, high),
        low=end(point.low, "low"),
        high=end(point.high, "high"),
    )


def _highest(
    curve: UpliftCurve, key: str, forms: tuple[FigureFormat, FigureFormat], formatter: Formatter
) -> GainRow | None:
    if curve.kind != "profit" or not curve.points:
        return None
    i = max(range(len(curve.points)), key=lambda at: curve.points[at].y)
    return _row(curve.points, i, f"{key}/{i}", forms, formatter)
