"""A power curve: how likely an effect is found, by its size; drawn, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis, axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.interval import label
from upliftlab.report.plot import WIDTH, Plot, PlotMark, Upright, ladder, line
from upliftlab.report.quantity import metric_form
from upliftlab.results.plan import PowerPoint, PowerReport
from upliftlab.text.language import N_

_BEYOND: Final = 1.25
"""A line may lie so many times as far out as the largest effect to be drawn."""
_EVERY: Final = 3
"""Of the points drawn, one in so many stands in the table."""
_CHANCE: Final = FigureFormat("percent")
_CHANGE: Final = FigureFormat("percent", signed=True)
_LEVELS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class PowerRow:
    """A point of the curve in figures."""

    effect: Figure
    lift: Figure | None
    power: Figure
    ships: Figure | None


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """An effect that money depends on: where the arm breaks even, or reaches the hurdle."""

    kind: str
    title: str
    figure: Figure
    value: float
    drawn: bool
    """Whether it lies within what is drawn, or not far beyond."""


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """A power curve where it is drawn, and its table."""

    arm: str
    title: str
    description: Sentence
    decided: Sentence | None
    plot: Plot
    ships: bool
    """Whether the chance of SHIP is drawn as well."""
    expected: Figure | None
    lines: tuple[MoneyLine, ...]
    rows: tuple[PowerRow, ...]


def power_curve(number: int, outlook: PowerReport, formatter: Formatter) -> PowerCurve | None:
    """The curve of one arm; None where there is nothing to draw."""
    curve = outlook.curves[number]
    relative = all(point.lift is not None for point in curve.points)
    places = [_place(point, relative=relative) for point in curve.points]
    form = _CHANGE if relative else metric_form(outlook.metric)
    money = tuple(_money(curve.arm, outlook, max(places), formatter)) if relative else ()
    reached = [*places, *(one.value for one in money if one.drawn)]
    scale = axis([(x, x, x) for x in reached], (), label(form, formatter), WIDTH)
    if scale is None:
        return None
    title = formatter.text(N_("Power by the size of the effect"))
    description = formatter.sentence(curve.described, f"/curves/{number}/described")
    decided = curve.decided
    if decided is not None:
        decided = formatter.sentence(decided, f"/curves/{number}/decided")
    side = ladder(_LEVELS, lambda chance: formatter.language.percent(chance, digits=0))
    expected = outlook.assumed.lift if relative else outlook.assumed.effect
    plot = Plot(
        name=f"curve{number}",
        title=f"{title}: {formatter.called(curve.arm)}",
        description=description,
        axis=scale,
        axis_title=formatter.text(
            N_("change as a share of the mean") if relative else N_("change per customer")
        ),
        upright=side,
        marks=(
            PlotMark("wanted", f"M0 {side.y(outlook.assumed.power)}H{WIDTH}"),
            PlotMark("expected", f"M{scale.x(expected or 0.0)} {side.top}V{side.bottom}"),
            *(
                PlotMark(one.kind, f"M{scale.x(one.value)} {side.top}V{side.bottom}")
                for one in money
                if one.drawn
            ),
            *_chances(scale, side, places, curve.points),
        ),
    )
    return PowerCurve(
        arm=formatter.called(curve.arm),
        title=title,
        description=description,
        decided=decided,
        plot=plot,
        ships=any(mark.kind == "ships" for mark in plot.marks),
        expected=None
        if expected is None
        else formatter.figure(expected, "/assumed/lift" if relative else "/assumed/effect", form),
        lines=money,
        rows=tuple(_rows(number, curve.points, metric_form(outlook.metric), formatter)),
    )


def _money(
    arm: str, outlook: PowerReport, most: float, formatter: Formatter
) -> Iterator[MoneyLine]:
    """Where an arm breaks even and reaches the hurdle, as far as that is known."""
    for i, money in enumerate(outlook.money):
        if money.arm != arm:
            continue
        named = [("even", N_("break-even"), "break_even", money.break_even)]
        if outlook.hurdle:
            hurdle = ("hurdle", N_("the hurdle"), "break_even_hurdle", money.break_even_hurdle)
            named.append(hurdle)
        for kind, title, name, value in named:
            if value is not None:
                figure = formatter.figure(value, f"/money/{i}/{name}", _CHANGE)
                drawn = 0 <= value <= _BEYOND * most
                yield MoneyLine(kind, formatter.text(title), figure, value, drawn)


def _place(point: PowerPoint, *, relative: bool) -> float:
    return point.lift if relative and point.lift is not None else point.effect


def _chances(
    scale: Axis, side: Upright, places: Sequence[float], points: Sequence[PowerPoint]
) -> Iterator[PlotMark]:
    """SHIP where it is known all along, then power."""
    decided = [point.ships for point in points if point.ships is not None]
    if len(decided) == len(points):
        yield PlotMark("ships", line(scale, side, zip(places, decided, strict=True)))
    yield PlotMark("found", line(scale, side, zip(places, (p.power for p in points), strict=True)))


def _rows(
    number: int, points: Sequence[PowerPoint], form: FigureFormat, formatter: Formatter
) -> Iterator[PowerRow]:
    for i in range(0, len(points), _EVERY):
        key, point = f"/curves/{number}/points/{i}", points[i]
        lift, ships = point.lift, point.ships
        yield PowerRow(
            effect=formatter.figure(point.effect, f"{key}/effect", form),
            lift=None if lift is None else formatter.figure(lift, f"{key}/lift", _CHANGE),
            power=formatter.figure(point.power, f"{key}/power", _CHANCE, 1),
            ships=None if ships is None else formatter.figure(ships, f"{key}/ships", _CHANCE, 1),
        )
