"""Effects over time: how profit and the primary metric grew, drawn, and as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from typing import Final

from upliftlab.report.axis import Axis, axis
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, Stretch, escape
from upliftlab.report.index import Index, Quantity
from upliftlab.report.interval import label
from upliftlab.report.plot import WIDTH, Plot, PlotMark, Upright, area, line, upright
from upliftlab.report.quantity import form
from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.estimands import EstimandKind
from upliftlab.results.time_course import Arrivals, TimeCourse, TimeCurve, TimePoint
from upliftlab.text.language import N_

_DAILY: Final = 31
"""A table of more days than this has a row a week."""
_WEEK: Final = 7
_COUNT: Final = FigureFormat("count")
_PROFIT: Final = EstimandKind.incremental_profit
_DAYS: Final = N_(
    "Day {days:count} is the last one shown of {window:count}: every customer has been followed so "
    "long."
)
_OPEN: Final = N_(
    "Up to day {days:count} every customer has been followed, of {window:count} days that count; "
    "of what came later nothing is shown yet."
)
_BOTH: Final = N_(
    "The inner band is each day's own interval, as all intervals of this report are. The outer "
    "band holds at all days together, however one looks along the curve: whether a campaign has "
    "paid by a day is read off the outer one."
)
_BAND: Final = N_(
    "The data are read early, so the band holds at all days together, however often one looks: "
    "whether a campaign has paid by a day is read off it."
)
_CERTAIN: Final = N_(
    "It paid back: the estimate stays above zero from day {positive_from:count} on, and beyond "
    "chance from day {certain_from:count} on."
)
_LIKELY: Final = N_(
    "The estimate stays above zero from day {positive_from:count} on, but the band that holds at "
    "all days together does not: it may be chance."
)
_MEANING: Final = N_("The effect of everything up to the end of each day.")
_NEVER: Final = N_("Not within these days: the estimate does not stay above zero.")


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day in figures; a band without an end is told by its reason."""

    day: Figure
    estimate: Figure | None
    own: tuple[Figure, Figure] | None
    band: tuple[Figure, Figure] | None
    note: str


@dataclass(frozen=True, slots=True)
class DayCurve:
    """A curve where it is drawn, and its table."""

    title: str
    arm: str
    answer: Sentence
    """Of profit, from which day it has paid back; empty of a metric."""
    plot: Plot
    kinds: tuple[str, ...]
    """What is drawn, for the legend: classes of the style sheet."""
    rows: tuple[DayRow, ...]


@dataclass(frozen=True, slots=True)
class ArrivalRow:
    """The units that began on a day, by arm."""

    day: str
    counts: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class ArrivalsView:
    """When customers' time began, drawn, and as a table."""

    plot: Plot
    arms: tuple[str, ...]
    rows: tuple[ArrivalRow, ...]


@dataclass(frozen=True, slots=True)
class OverTime:
    """The section: what a day is, what the bands are, the curves and the arrivals."""

    basis: tuple[Sentence, ...]
    curves: tuple[DayCurve, ...]
    arrivals: ArrivalsView | None
    each: bool
    """Whether days have intervals of their own."""
    notes: tuple[Sentence, ...]
    """Why something has no curve."""


def over_time(index: Index, formatter: Formatter) -> OverTime | None:
    """The section; None where there is no curve."""
    course = index.analysis.time_course
    if course is None or not course.curves:
        return None
    each = any(p.low is not None or p.high is not None for c in course.curves for p in c.points)
    days = Message(
        template=_DAYS if course.final else _OPEN,
        values={"days": course.days, "window": course.window},
    )
    curves = (_curve(i, curve, course, index, formatter) for i, curve in enumerate(course.curves))
    return OverTime(
        basis=(
            formatter.words(days, "/time_course"),
            (Stretch(formatter.text(_BOTH if each else _BAND)),),
        ),
        curves=tuple(curve for curve in curves if curve is not None),
        arrivals=_arrivals(index, formatter),
        each=each,
        notes=tuple(
            formatter.sentence(why, f"/time_course/absent/{i}")
            for i, why in enumerate(course.absent)
        ),
    )


def _curve(
    number: int, curve: TimeCurve, course: TimeCourse, index: Index, formatter: Formatter
) -> DayCurve | None:
    """A curve; None where there is no height to draw."""
    shown, points = form(Quantity(curve.kind, curve.metric), index), curve.points
    flat = axis([(p.day, p.day, p.day) for p in points], (), _whole(formatter), WIDTH)
    ends = [end for p in points for end in _ends(p) if end is not None]
    title, estimand = formatter.text(curve.kind.estimand.label), index.metric(curve.metric)
    if curve.kind is not _PROFIT and estimand is not None:
        title = f"{estimand.title}{formatter.text(N_(': '))}{title}"
    side = upright(ends, label(shown, formatter), title)
    if flat is None or side is None:
        return None
    key, answer = f"/time_course/curves/{number}", ()
    if curve.kind is _PROFIT:
        answer = formatter.words(_paid(curve), key)
    marks = tuple(_marks(curve, flat, side))
    return DayCurve(
        title=title,
        arm=_named(curve.arm, formatter),
        answer=answer,
        plot=Plot(
            name=f"course{number}",
            title=f"{title}: {_named(curve.arm, formatter)}",
            description=answer or (Stretch(formatter.text(_MEANING)),),
            axis=flat,
            axis_title=formatter.text(N_("days after a customer's start")),
            upright=side,
            marks=marks,
        ),
        kinds=tuple(dict.fromkeys(mark.kind for mark in marks)),
        rows=tuple(_rows(curve, course, (key, shown), formatter)),
    )


def _named(arm: str, formatter: Formatter) -> str:
    """What an arm is called for people."""
    return formatter.names.get(arm, arm)


def _whole(formatter: Formatter) -> Callable[[float], str]:
    return lambda day: formatter.language.count(round(day)) if day == round(day) else ""


def _ends(point: TimePoint) -> tuple[float | None, ...]:
    return (point.band_low, point.low, point.estimate, point.high, point.band_high)


def _paid(curve: TimeCurve) -> Message:
    days = (("positive_from", curve.positive_from), ("certain_from", curve.certain_from))
    known: dict[str, Scalar] = {name: day for name, day in days if day is not None}
    if curve.positive_from is None:
        return Message(template=_NEVER)
    return Message(template=_LIKELY if curve.certain_from is None else _CERTAIN, values=known)


def _marks(curve: TimeCurve, flat: Axis, side: Upright) -> Iterator[PlotMark]:
    """The wide band, the narrow one, zero, the day from which it has paid, and the line."""
    bands = {
        "together": [(p.day, p.band_low, p.band_high) for p in curve.points],
        "band": [(p.day, p.low, p.high) for p in curve.points],
    }
    for kind, limits in bands.items():
        for stretch in _stretches(limits):
            yield PlotMark(kind, area(flat, side, stretch))
    if side.low < 0:
        yield PlotMark("nothing", f"M0 {side.y(0.0)}H{flat.width}")
    if curve.certain_from:
        yield PlotMark("expected", f"M{flat.x(curve.certain_from)} {side.top}V{side.bottom}")
    known = [(float(p.day), p.estimate) for p in curve.points if p.estimate is not None]
    yield PlotMark("found", line(flat, side, known))


def _stretches(
    limits: Sequence[tuple[int, float | None, float | None]],
) -> Iterator[list[tuple[float, float, float]]]:
    """Days next to each other on which both ends are known."""
    for _, days in groupby(limits, lambda each: each[1] is None or each[2] is None):
        stretch = [
            (float(day), low, high)
            for day, low, high in days
            if low is not None and high is not None
        ]
        if len(stretch) > 1:
            yield stretch


def _rows(
    curve: TimeCurve, course: TimeCourse, shown: tuple[str, FigureFormat], formatter: Formatter
) -> Iterator[DayRow]:
    """Every day, or where these are many one a week, the days of return, and the last."""
    key, look = shown
    marked = {curve.positive_from, curve.certain_from, course.days}
    for i, point in enumerate(curve.points):
        if course.days > _DAILY and point.day % _WEEK and point.day not in marked:
            continue
        yield _row(point, f"{key}/points/{i}", look, formatter)


def _row(point: TimePoint, key: str, look: FigureFormat, formatter: Formatter) -> DayRow:
    digits = formatter.digits(look, (point.estimate, point.low, point.high))

    def told(name: str) -> Figure | None:
        value: float | None = getattr(point, name)
        return None if value is None else formatter.figure(value, f"{key}/{name}", look, digits)

    def both(low: str, high: str) -> tuple[Figure, Figure] | None:
        ends = told(low), told(high)
        return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])

    return DayRow(
        day=formatter.figure(point.day, f"{key}/day", _COUNT),
        estimate=told("estimate"),
        own=both("low", "high"),
        band=both("band_low", "band_high"),
        note="" if point.note is None else formatter.text(point.note.value),
    )


def _arrivals(index: Index, formatter: Formatter) -> ArrivalsView | None:
    """When customers' time began; None where it was one day for all."""
    course = index.analysis.time_course
    if course is None or len(course.arrivals) < 2:  # noqa: PLR2004 - one bar tells nothing
        return None
    entries = course.arrivals
    first = date.fromisoformat(entries[0].day)
    places = [(date.fromisoformat(each.day) - first).days for each in entries]
    totals = [sum(each.arms.values()) for each in entries]
    wide = min(after - before for before, after in pairwise(places))
    reach = [*places, places[-1] + wide]
    flat = axis([(x, x, x) for x in reach], (), _whole(formatter), WIDTH)
    title = formatter.text(N_("Customers by the day of their start"))
    side = upright(totals, label(_COUNT, formatter), title)
    if flat is None or side is None:
        return None
    bars = (
        PlotMark(
            "bars",
            f"M{flat.x(x)} {side.y(0.0)}V{side.y(total)}H{flat.x(x + wide * 0.9)}V{side.y(0.0)}Z",
        )
        for x, total in zip(places, totals, strict=True)
    )
    since = formatter.text(N_("days since {day}")).format(
        day=formatter.language.date(entries[0].day)
    )
    return ArrivalsView(
        plot=Plot("arrivals", title, (Stretch(title),), flat, since, side, tuple(bars)),
        arms=tuple(_named(arm, formatter) for arm in entries[0].arms),
        rows=tuple(_arrived(i, each, formatter) for i, each in enumerate(entries)),
    )


def _arrived(number: int, entry: Arrivals, formatter: Formatter) -> ArrivalRow:
    key = f"/time_course/arrivals/{number}/arms"
    return ArrivalRow(
        formatter.language.date(entry.day),
        tuple(formatter.figure(n, f"{key}/{escape(arm)}", _COUNT) for arm, n in entry.arms.items()),
    )
