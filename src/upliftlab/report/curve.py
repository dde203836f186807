"""A power curve: how likely an effect is found, by its size; drawn, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from upliftlab.language import N_
from upliftlab.planning.outlook import Outlook, Point
from upliftlab.report.axis import Axis, axis
from upliftlab.report.figure import Figure, Form, Sentence, Teller
from upliftlab.report.interval import label
from upliftlab.report.quantity import metric_form

WIDTH: Final = 560
_TOP, _HEIGHT = 12.0, 200.0
_EVERY: Final = 3
"""Of the points drawn, one in so many stands in the table."""
_CHANCE: Final = Form("percent")
_CHANGE: Final = Form("percent", signed=True)
_LEVELS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Level:
    """A labelled power."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class PowerRow:
    """A point of the curve in figures."""

    effect: Figure
    lift: Figure | None
    power: Figure
    ships: Figure | None


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """A power curve where it is drawn, and its table."""

    number: int
    arm: str
    title: str
    description: Sentence
    width: int
    bottom: float
    axis_title: str
    axis: Axis
    levels: tuple[Level, ...]
    wanted: float
    """The height of the power that is wanted."""
    expected: float
    """Where the expected effect stands."""
    power: str
    """A path in SVG."""
    ships: str | None
    rows: tuple[PowerRow, ...]


def power_curve(number: int, outlook: Outlook, teller: Teller) -> PowerCurve | None:
    """The curve of one arm; None where there is nothing to draw."""
    curve = outlook.curves[number]
    relative = all(point.lift is not None for point in curve.points)
    places = [_place(point, relative=relative) for point in curve.points]
    form = _CHANGE if relative else metric_form(outlook.metric)
    scale = axis([(x, x, x) for x in places], (), label(form, teller), WIDTH)
    if scale is None:
        return None
    assumed = outlook.assumed
    expected = assumed.lift if relative else assumed.effect
    decided = [point.ships for point in curve.points if point.ships is not None]
    both = len(decided) == len(curve.points)
    return PowerCurve(
        number=number,
        arm=curve.arm,
        title=teller.text(N_("Power by the size of the effect")),
        description=teller.sentence(curve.described, f"/curves/{number}/described"),
        width=WIDTH,
        bottom=_TOP + _HEIGHT,
        axis_title=teller.text(
            N_("change as a share of the mean") if relative else N_("change per customer")
        ),
        axis=scale,
        levels=tuple(Level(_y(p), teller.language.percent(p, digits=0)) for p in _LEVELS),
        wanted=_y(assumed.power),
        expected=scale.x(expected or 0.0),
        power=_path(scale, places, [point.power for point in curve.points]),
        ships=_path(scale, places, decided) if both else None,
        rows=tuple(_rows(number, curve.points, metric_form(outlook.metric), teller)),
    )


def _place(point: Point, *, relative: bool) -> float:
    return point.lift if relative and point.lift is not None else point.effect


def _y(power: float) -> float:
    return round(_TOP + (1 - power) * _HEIGHT, 1)


def _path(scale: Axis, xs: Sequence[float], ys: Sequence[float]) -> str:
    steps = (f"{scale.x(x)} {_y(y)}" for x, y in zip(xs, ys, strict=True))
    return "M" + "L".join(steps)


def _rows(number: int, points: Sequence[Point], form: Form, teller: Teller) -> Iterator[PowerRow]:
    for i in range(0, len(points), _EVERY):
        key, point = f"/curves/{number}/points/{i}", points[i]
        lift, ships = point.lift, point.ships
        yield PowerRow(
            effect=teller.figure(point.effect, f"{key}/effect", form),
            lift=None if lift is None else teller.figure(lift, f"{key}/lift", _CHANGE),
            power=teller.figure(point.power, f"{key}/power", _CHANCE, 0),
            ships=None if ships is None else teller.figure(ships, f"{key}/ships", _CHANCE, 0),
        )
