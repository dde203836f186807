"""What of an analysis has a time, and the moments of it up to the end of every day.

Only what is counted or added up over events with times grows from day to day. A column of the
customers' table stays the same: contacts that stand there are paid for at the start, and covariates
are known by then. Outcomes that stand there have no course.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import numpy as np

from upliftlab.analysis.caps import Caps
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.config.models import Metric
from upliftlab.config.models.experiment import PROFIT, Plan, capped_name
from upliftlab.config.models.metric_kinds import COUNT, SUM
from upliftlab.engines.base import Engine
from upliftlab.queries.daily import (
    DailyQuery,
    daily_sql,
    read_daily,
    start_values,
    start_values_sql,
)
from upliftlab.queries.units import UnitTable
from upliftlab.results.analysis import Message
from upliftlab.stats.by_day import DailySums, moments_by_day
from upliftlab.stats.moments import Moments, pool
from upliftlab.text.language import N_

MOST_POINTS: Final = 120
"""A curve of more days than this has a point every few weeks or every week."""
_DAY: Final = timedelta(days=1)
_UNTIMED: Final = N_(
    "{metric} has no time course: a column of the customers' table does not tell when anything "
    "happened."
)
_OTHER: Final = N_(
    "{metric} has no time course: it is not a count or a sum of events, which alone add up from "
    "day to day."
)
Nature = Literal["events", "column", "other"]
"""What a number is made of: counts and sums of events, the customers' columns, or anything else."""


@dataclass(frozen=True, slots=True)
class Timed:
    """What has a course.

    Attributes:
        spec: What is compared by day; None where nothing has a course.
        same: Its columns that stay the same from the start on.
        window: How many days after the start events count.
        absent: Why not everything that is compared is among it.
    """

    spec: EstimationSpec | None
    same: tuple[int, ...] = ()
    window: int = 0
    absent: tuple[Message, ...] = ()

    @property
    def step(self) -> int:
        """Days from one point to the next: of long windows weeks."""
        if self.window <= MOST_POINTS:
            return 1
        return 7 * math.ceil(self.window / (7 * MOST_POINTS))

    @property
    def last(self) -> int:
        """The number of the last point, the start being 0."""
        return math.ceil(self.window / self.step)

    def day(self, number: int) -> int:
        """How many days have passed at a point."""
        return min(number * self.step, self.window)


def timed(plan: Plan, spec: EstimationSpec) -> Timed:
    """What of a spec has a course: the primary metric, and profit.

    Args:
        plan: What was declared; windows end with the present look.
        spec: What is compared.
    """
    natures = _natures(plan)
    among: dict[int, Nature] = {
        column: natures.get(name, "column") for column, name in enumerate(spec.columns)
    }
    among |= dict.fromkeys(spec.covariates, "column")  # known at the start, and then the same
    kept, absent = list[int](), list[Message]()
    metrics, money = tuple[str, ...](), False
    for metric, own in _asked(plan, spec):
        free = {spec.roles.contacts} if spec.roles and metric == PROFIT else set[int | None]()
        if "column" in {among[column] for column in own if column not in free}:
            absent.append(_about(_UNTIMED, metric))
        elif "other" in {among[column] for column in own}:
            absent.append(_about(_OTHER, metric))
        else:
            kept += own
            money |= metric == PROFIT
            metrics += (metric,) if metric != PROFIT else ()
    if not kept:
        return Timed(None, absent=tuple(absent))
    window = _window(plan, [spec.columns[column] for column in kept])
    columns = sorted({*kept, *spec.covariates})
    same = tuple(at for at, column in enumerate(columns) if among[column] == "column")
    narrowed = spec.narrowed(columns, metrics, money=money)
    return Timed(narrowed, same, window, tuple(absent))


def _asked(plan: Plan, spec: EstimationSpec) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What is asked by day, and the columns that it is made of.

    Where profit is what the experiment is judged by, revenue stands in the primary metric's place.
    """
    asked, money = plan.experiment.metrics.primary, plan.experiment.money
    primary = money.revenue if money and asked == PROFIT else plan.judged(asked)
    if primary in spec.metrics:
        yield primary, spec.ratios.get(primary) or (spec.columns.index(primary),)
    if spec.roles is not None:
        yield PROFIT, spec.roles.columns


def _about(text: str, metric: str) -> Message:
    return Message(template=text, values={"metric": metric})


def _natures(plan: Plan) -> dict[str, Nature]:
    """What every metric is made of."""
    found: dict[str, Nature] = {
        name: _nature(metric, plan.metrics) for name, metric in plan.metrics.items()
    }
    for name in plan.experiment.analysis.winsorize:
        if name in found:
            found[capped_name(name)] = found[name]
    return found


def _nature(metric: Metric, declared: Mapping[str, Metric]) -> Nature:
    parts: set[Nature] = {_nature(declared[name], declared) for name in metric.parts}
    if not metric.pair:
        additive = all(each in (COUNT, SUM) for each in metric.kind.aggregates)
        of_events: Nature = "events" if additive else "other"
        parts.add(of_events if metric.kind.of_events else "column")
    return parts.pop() if len(parts) == 1 else "other"


def _leaves(name: str, declared: Mapping[str, Metric]) -> Iterator[Metric]:
    """A metric, and all that it is made of."""
    metric = declared[name]
    yield metric
    for part in metric.parts:
        yield from _leaves(part, declared)


def _window(plan: Plan, names: Sequence[str]) -> int:
    """Whole days after the start up to which any of these counts, the last one begun counted."""
    owns = {capped_name(name): name for name in plan.experiment.analysis.winsorize}
    leaves = (leaf for name in names for leaf in _leaves(owns.get(name, name), plan.metrics))
    ends = [leaf.during[1] for leaf in leaves if leaf.during is not None]
    return max(0, math.ceil(max(ends) / _DAY))


Groups = Mapping[str, Moments]
"""Moments by arm."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The units, in the strata within which arms are compared.

    Attributes:
        whole: Moments by arm of every stratum when all days are over; one without a name where
            arms are compared as they are.
        compared: Makes what is compared of them.
    """

    whole: Mapping[str, Groups]
    compared: Callable[[Sequence[Groups]], Groups | None]

    @property
    def within(self) -> bool:
        """Whether there are strata."""
        return set(self.whole) != {""}

    @property
    def arms(self) -> tuple[str, ...]:
        """Every arm that has units."""
        return tuple(dict.fromkeys(arm for groups in self.whole.values() for arm in groups))


@dataclass(frozen=True, slots=True)
class DailyMoments:
    """Moments up to the end of every point of a course.

    Attributes:
        groups: Moments by arm for each point, the start first.
        changed: By arm, units that had an event since the point before, the same.
    """

    groups: Sequence[Groups]
    changed: Mapping[str, Sequence[int]]


def daily_moments(
    course: Timed,
    spec: EstimationSpec,
    parts: Parts,
    source: tuple[UnitTable, str, Caps, Engine],
) -> DailyMoments:
    """Count by day what has a course.

    Args:
        course: What has one.
        spec: What is compared in all.
        parts: All units, over the columns of that.
        source: What the unit table is made of and the table itself, what metrics are capped at,
            and where the data lie.
    """
    narrow, (table, units, caps, engine) = course.spec, source
    assert narrow is not None  # noqa: S101 - the caller asked
    places = [spec.columns.index(name) for name in narrow.columns]
    ends = {
        (arm, name): _chosen(group, places)
        for name, groups in parts.whole.items()
        for arm, group in groups.items()
    }
    centres, same = np.zeros(len(places)), list(course.same)
    centres[same] = pool(ends.values()).mean[same]
    query = DailyQuery(
        table,
        units,
        parts.arms,
        narrow.columns,
        {narrow.columns[at]: f"x{places[at]}" for at in same},
        {narrow.columns[at]: float(centres[at]) for at in same},
        course.step,
        course.last,
        {capped_name(name): (name, limit) for name, limit in caps.items()},
        within=parts.within,
    )
    start = start_values(query, engine.query(start_values_sql(query)))
    sums = read_daily(query, engine.query(daily_sql(query)))
    nothing = DailySums.zero(course.last + 1, len(places))
    paths = dict[tuple[str, str], list[Moments]]()
    changed = {arm: np.zeros(course.last + 1, dtype=np.int64) for arm in parts.arms}
    for (arm, name), end in ends.items():
        added = sums.get((arm, name), nothing)
        paths[arm, name] = list(moments_by_day(end, added, start, course.same, centres))
        changed[arm] += added.changed
    groups = list[Groups]()
    for point in range(course.last + 1):
        strata = [
            {arm: paths[arm, name][point] for arm in by_arm} for name, by_arm in parts.whole.items()
        ]
        found = parts.compared(strata)
        assert found is not None  # noqa: S101 - as on the last day, when units are the same
        groups.append(found)
    return DailyMoments(groups, {arm: each.tolist() for arm, each in changed.items()})


def _chosen(group: Moments, places: Sequence[int]) -> Moments:
    """A group's moments of some columns."""
    return Moments(group.n, group.mean[places], group.m2[np.ix_(places, places)], group.m3[places])
