"""The time course: effects of everything up to the end of each day after the customers' starts.

A day is one of the unit's own time, so that all units count on every day that is shown: up to the
last day that all of them have been followed. What is paid for a contact without a date, and for an
arm, is paid at the start, which is day 0.

Each day has its own interval, as the findings have. Who looks along a curve looks at all its days,
and so there is a band besides, which holds at all of them together: the confidence sequence that
an early look has too, favouring the last day (`stats.sequential.Anytime`). What is said of the day
from which a campaign has paid is read off the band.
"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates, level_name
from upliftlab.analysis.aggregation import FRAME, Aggregation
from upliftlab.analysis.by_day import DailyMoments, Parts, Timed, daily_moments, timed
from upliftlab.analysis.contrasts import Contrast, InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.look import LookSchedule
from upliftlab.analysis.measures import ADJUSTED, MONEY, PLAIN, cubic_skewness
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.engines.base import Engine
from upliftlab.results.analysis import Finding, Message, Note
from upliftlab.results.costs import CostStep
from upliftlab.results.estimands import EstimandKind
from upliftlab.results.time_course import Arrivals, TimeCourse, TimeCurve, TimePoint
from upliftlab.stats.cubic import slight
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import InterimLook, Level
from upliftlab.stats.sequential import Anytime, tuned_rho
from upliftlab.text.language import N_

MOST_ARRIVALS: Final = 400
"""With more days of arrivals than this, several are told as one."""
MOST_CELLS: Final = 100_000
"""Arms, strata and days of which sums are told apart at most."""
_AGREE: Final = 1e-6
"""A part of the standard error by which the last day and the findings may differ."""
_BARELY: Final = 1e-9
_DAY: Final = timedelta(days=1)
_GROUPED: Final = N_(
    "There is no time course: each row is of several customers, and nothing tells when one of "
    "them did anything."
)
_HOUSEHOLDS: Final = N_(
    "There is no time course: households are compared, whose customers' numbers are not added up "
    "by day."
)
_STRATA: Final = N_(
    "There is no time course: arms are compared within strata, of which there are too many to be "
    "told apart by day."
)
_WITHIN: Final = N_(
    "There is no time course: arms are compared within the strata in which they were assigned, "
    "which are not told apart by day."
)
_TABLES: Final = N_(
    "There is no time course: values of a table have standard errors, which are not carried by day."
)
_NO_EVENTS: Final = N_(
    "There is no time course: nothing is counted from events, so nothing tells when it happened."
)
_NO_DAY: Final = N_(
    "There is no time course yet: less than a day has passed since the last customers' start."
)
_DIFFERS: Final = N_(
    "There is no time course: counted by day, {metric} does not add up to the result of the whole "
    "window. Were events changed while they were read?"
)


@dataclass(frozen=True, slots=True)
class CourseInputs:
    """What a time course is made of.

    Attributes:
        spec: What is compared.
        intake: What was counted.
        parts: The units, as arms are compared.
        reading: How the data are read.
        findings: What was found in all.
        engine: Where the data lie.
    """

    spec: EstimationSpec
    intake: Aggregation
    parts: Parts
    reading: InferenceSettings
    findings: Sequence[Finding]
    engine: Engine

    @property
    def plan(self) -> Plan:
        """What was declared; windows end with the present look."""
        return self.intake.data.plan

    @property
    def schedule(self) -> LookSchedule:
        """Which look at the data this is."""
        return self.intake.schedule


def time_course(given: CourseInputs) -> TimeCourse:
    """Effects by day, and arrivals; or why there are none."""
    arrived = arrivals(given)
    if (why := _unfit(given)) is not None:
        return TimeCourse(arrivals=arrived, absent=(Message(template=why),))
    course = timed(given.plan, given.spec)
    if course.spec is None:
        return TimeCourse(arrivals=arrived, absent=course.absent)
    shown = _shown(course, given.schedule)
    if shown < 1:
        return TimeCourse(arrivals=arrived, absent=(Message(template=_NO_DAY),))
    if len(given.parts.whole) * len(given.parts.arms) * course.last > MOST_CELLS:
        return TimeCourse(arrivals=arrived, absent=(Message(template=_STRATA),))
    intake = given.intake
    source = intake.table, intake.data.units, intake.caps, given.engine
    counted = daily_moments(course, given.spec, given.parts, source)
    told = told_points(counted.changed, given.plan.smallest_cell, shown)
    curves = tuple(_curves(given, course, counted, told))
    if odd := next((c.metric for c in curves if not _agrees(c, given)), None):
        differs = Message(template=_DIFFERS, values={"metric": odd})
        return TimeCourse(arrivals=arrived, absent=(differs,))
    return TimeCourse(
        days=course.day(shown),
        window=course.window,
        step=course.step,
        final=not given.schedule.early,
        curves=tuple(_ended(curve, given) for curve in curves),
        arrivals=arrived,
        absent=course.absent,
    )


def _unfit(given: CourseInputs) -> str | None:
    """Why there can be no curve, whatever is measured."""
    if given.plan.customers.group_size is not None or given.plan.customers.aggregated is not None:
        return _GROUPED
    if given.plan.experiment.assignment.within_given:
        return _WITHIN
    if given.spec.raised:
        return _TABLES
    if not given.intake.table.events:
        return _NO_EVENTS
    return None if given.spec.size is None else _HOUSEHOLDS


def _shown(course: Timed, schedule: LookSchedule) -> int:
    """The number of the last point up to which every unit has been followed."""
    if schedule.followed is None:
        return course.last
    return min(course.last, max(0, schedule.followed // _DAY) // course.step)


def told_points(changed: Mapping[str, Sequence[int]], smallest: int, last: int) -> tuple[int, ...]:
    """The points that may be told: between two of them, no few units of an arm change.

    The first is the start and the last is told in any case, as the findings tell it.

    Args:
        changed: By arm, units that change up to each point, the start first.
        smallest: So many units of an arm may be told of.
        last: The number of the last point.

    >>> told_points({"a": [0, 9, 1, 4, 0, 1]}, 5, 5)
    (0, 1, 5)
    """
    told = [0]

    def few(first: int, until: int) -> bool:
        counts = (sum(each[first + 1 : until + 1]) for each in changed.values())
        return any(0 < count < smallest for count in counts)

    for point in range(1, last + 1):
        if not few(told[-1], point):
            told.append(point)
    while len(told) > 1 and told[-1] < last and few(told[-1], last):
        told.pop()
    return tuple(dict.fromkeys((*told, last)))


def _curves(
    given: CourseInputs, course: Timed, counted: DailyMoments, told: Sequence[int]
) -> Iterator[TimeCurve]:
    """Profit and the primary metric of every arm."""
    spec = course.spec
    assert spec is not None  # noqa: S101 - the caller asked
    reading = replace(given.reading, rows=None, look=None)
    looks = DayLooks.of(given.schedule, 1 - spec.confidence)
    found = [
        (course.day(point), contrasts_of(spec, _day(spec, counted, point), reading))
        for point in told
    ]
    for at, arm in enumerate(spec.treatments):
        for metric in (*((PROFIT,) if spec.roles is not None else ()), *spec.metrics):
            points = tuple(point_of(contrasts[at], metric, day, looks) for day, contrasts in found)
            yield curve_of(found[-1][1][at], metric, arm, points)


def _day(spec: EstimationSpec, counted: DailyMoments, point: int) -> Aggregates:
    """The arms as a whole up to a point, with money's columns."""
    return spec.projected({OVERALL: counted.groups[point]})


@dataclass(frozen=True, slots=True)
class DayLooks:
    """At which levels the intervals of days are made.

    Attributes:
        own: Which look at the data each day's own interval is of; None where they are looked at
            once.
        each: Whether days have intervals of their own: not where one may look at any time.
        days: The planned time in days.
        rho: What the band favours: its last day.
    """

    own: InterimLook | None
    each: bool
    days: float
    rho: float

    @classmethod
    def of(cls, schedule: LookSchedule, alpha: float) -> DayLooks:
        """The looks of an analysis, for errors of at most `alpha`."""
        own = None if schedule.early else schedule.look(alpha)
        planned = max(schedule.times[-1] / _DAY, _BARELY) if schedule.times else 1.0
        return cls(own, not schedule.early, planned, tuned_rho(1.0, alpha))

    def band(self, day: int) -> Anytime:
        """The band's look at a day: information is taken as the share of the planned time."""
        return Anytime(max(min(1.0, day / self.days), _BARELY), self.rho)


def point_of(contrast: Contrast, metric: str, day: int, looks: DayLooks) -> TimePoint:
    """An effect up to a day.

    Where an interval would need units divided anew, which is not done for every day, it is left
    out: mostly on the first days, when few have bought.

    Args:
        contrast: The arm against the control, of everything up to that day.
        metric: The metric, or profit.
        day: The day after the start.
        looks: At which levels its intervals are made.
    """
    own = effect_at(contrast, metric, looks.own)
    band = effect_at(contrast, metric, looks.band(day))
    return TimePoint(
        day=day,
        estimate=own.estimate,
        se=own.se,
        low=own.low if looks.each else None,
        high=own.high if looks.each else None,
        band_low=band.low,
        band_high=band.high,
        note=own.note if looks.each else band.note,
    )


def effect_at(contrast: Contrast, metric: str, look: InterimLook | None) -> Effect:
    """An effect with its interval at a look's level, as far as moments tell how it is skewed.

    Args:
        contrast: The arm against the control, of everything up to a day.
        metric: The metric, or profit.
        look: At which level the interval is made; None where the data are looked at once.
    """
    gamma = _skewness(contrast, metric, slight(Level(contrast.spec.confidence, look).nominal))
    known = dict.fromkeys(((PLAIN, metric), (ADJUSTED, metric), (MONEY, PROFIT)), gamma or 0.0)
    reading = replace(contrast.reading, look=look)
    seen = replace(contrast, reading=reading, draws={}, skewness=known)
    money = metric == PROFIT
    effect = seen.question().incremental_profit() if money else seen.headline(metric)
    if gamma is None and effect.se:
        return replace(effect, low=None, high=None, p=None, test=None, note=Note.few_purchases)
    return effect


def _skewness(contrast: Contrast, metric: str, most: float) -> float | None:
    """The skewness of an effect that Hall's cubic allows for; None where it is too large for it."""
    if contrast.pair.unusable is not None or (metric != PROFIT and contrast.few(metric)):
        return 0.0
    return cubic_skewness(contrast.pair, *_form(contrast, metric), most)


def _form(
    contrast: Contrast, metric: str
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[float, float]]:
    """What both groups weigh their columns with, and the sum of squares of what comes of it."""
    spec, pair = contrast.spec, contrast.pair
    columns = len(spec.columns)
    forms = np.zeros((2, len(pair.treated.mean)))
    if metric == PROFIT:
        arms = (contrast.arm or "", spec.control)
        forms[:, :columns] = spec.per_unit(CostStep.profit, arms)
        compared, place = contrast.sharp, columns + CostStep.profit.column
    else:
        compared = contrast.compared(metric)
        place = spec.place(metric, compared)
        above, below = spec.ratios.get(metric) or (spec.columns.index(metric), None)
        for form, group in zip(forms, (pair.treated, pair.control), strict=True):
            divisor = 1.0 if below is None else float(group.mean[below]) or 1.0
            form[above] = 1 / divisor
            if below is not None:
                form[below] = -float(group.mean[above]) / divisor**2
    treated, control = (
        float(group.m2[place, place]) for group in (compared.treated, compared.control)
    )
    return (forms[0], forms[1]), (treated, control)


def curve_of(last: Contrast, metric: str, arm: str, points: tuple[TimePoint, ...]) -> TimeCurve:
    """The points of an arm, and of profit the days from which it is above 0.

    Args:
        last: What is compared at the last of them.
        metric: The metric, or profit.
        arm: The treated arm.
        points: The points in order.
    """
    if metric != PROFIT:
        adjusted = last.adjusted_difference(metric).estimate is not None
        kind = EstimandKind.adjusted_difference if adjusted else EstimandKind.difference
        return TimeCurve(kind=kind, metric=metric, arm=arm, points=points)
    spec = last.spec
    assert spec.roles is not None  # noqa: S101 - profit is asked where there is money
    return TimeCurve(
        kind=EstimandKind.incremental_profit,
        metric=spec.columns[spec.roles.revenue],
        arm=arm,
        points=points,
        positive_from=_from([(p.day, p.estimate is not None and p.estimate >= 0) for p in points]),
        certain_from=_from([(p.day, p.band_low is not None and p.band_low > 0) for p in points]),
    )


def _from(days: Sequence[tuple[int, bool]]) -> int | None:
    """The first day from which something holds up to the last."""
    first = None
    for day, holds in reversed(days):
        if not holds:
            break
        first = day
    return first


def _headline(curve: TimeCurve, given: CourseInputs) -> Finding | None:
    """The finding that a curve leads to."""
    alike = (curve.kind, curve.metric, curve.arm, None)
    for found in given.findings:
        if found.headline and (found.kind, found.metric, found.arm, found.dimension) == alike:
            return found
    return None


def _agrees(curve: TimeCurve, given: CourseInputs) -> bool:
    """Whether the last day is what was found in all, where both are of the same time."""
    found, last = _headline(curve, given), curve.points[-1]
    if given.schedule.early:
        return True
    if found is None or found.estimate is None or last.estimate is None:
        return found is not None and found.estimate is last.estimate
    slack = _AGREE * max(found.se or 0.0, abs(found.estimate))
    return abs(found.estimate - last.estimate) <= slack


def _ended(curve: TimeCurve, given: CourseInputs) -> TimeCurve:
    """The curve with the finding's own interval on the last day, which may rest on more."""
    found = _headline(curve, given)
    if given.schedule.early or found is None:
        return curve
    ends = {"low": found.low, "high": found.high, "note": found.note}
    last = curve.points[-1].model_copy(update=ends)
    return curve.model_copy(update={"points": (*curve.points[:-1], last)})


def arrivals(given: CourseInputs) -> tuple[Arrivals, ...]:
    """Units by the day on which their time began, where that is not one day for all.

    Days are taken together until no few units of an arm stand alone, and where they are too many.
    """
    starts = given.intake.table.starts
    households = given.spec.size is not None
    if starts is None or households or starts.span.first.date() == starts.span.last.date():
        return ()
    rows = given.engine.query(
        "SELECT CAST(arm AS VARCHAR) AS arm, day, COUNT(*) AS n FROM"
        f" (SELECT arm, CAST(start AS DATE) AS day FROM {FRAME}) AS begun GROUP BY arm, day"
    ).to_pylist()
    counts: dict[date, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["day"], {})[level_name(row["arm"])] = int(row["n"])
    first, last = min(counts), max(counts)
    arms, step = tuple(given.plan.arms), 1
    while step <= (last - first).days:
        binned = _binned(counts, first, step, arms)
        small = any(0 < n < given.plan.smallest_cell for each in binned for n in each.arms.values())
        if len(binned) <= MOST_ARRIVALS and not small:
            return tuple(binned)
        step = 7 if step == 1 else 2 * step
    return ()


def _binned(
    counts: Mapping[date, Mapping[str, int]], first: date, step: int, arms: Sequence[str]
) -> list[Arrivals]:
    found: dict[int, dict[str, int]] = {}
    for day, by_arm in counts.items():
        told = found.setdefault((day - first).days // step, dict.fromkeys(arms, 0))
        for arm in arms:
            told[arm] += by_arm.get(arm, 0)
    return [
        Arrivals(day=(first + timedelta(days=at * step)).isoformat(), arms=found[at])
        for at in sorted(found)
    ]
