"""Arms assigned within strata elsewhere: moments by stratum, and how they compare."""

# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice, level_name
from upliftlab.analysis.disclosure import Shown, shown_as
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.moments import MomentsQuery, SliceMoments
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.stats.given_strata import within_strata
from upliftlab.stats.moments import Moments, pool
from upliftlab.util.sql import quote

ByStratum = Mapping[Slice, Mapping[str, Mapping[str, Moments]]]
"""Moments by place, stratum and arm."""
Cells = Mapping[tuple[str, ...], Sequence[SliceMoments]]
MOST_LEFT_OUT = 0.05
"""The largest part of a level's units that may lie in strata that compare nothing there."""
_STRATUM = "stratum"


def refuse_strata(plan: Plan, frame: AnalysisPopulation, engine: Engine) -> None:
    """Refuse customers without a stratum, and households in several.

    Raises:
        DataError: UL646 and UL647, with their number.
    """
    if not plan.experiment.assignment.within_given:
        return
    strata = plan.experiment.assignment.strata
    none = " OR ".join(f"c.{quote(name)} IS NULL" for name in strata)
    lacking = _number(engine, f"SELECT COUNT(*) AS n FROM {frame.relation}", none)
    if lacking:
        message = f"{lacking:,} customers have no stratum: {' or '.join(strata)} is missing"
        remedy = f"give each one, or leave them out on purpose: 'exclude: {strata[0]} is null'"
        raise DataError(Diagnostic("UL646", message, remedy))
    if "house" not in frame.own:
        return
    inner = (
        f"SELECT {frame.own['house']} AS house, {frame.own['stratum']} AS stratum"
        f" FROM {frame.relation}"
    )
    apart = f"SELECT house FROM ({inner}) AS h GROUP BY house HAVING COUNT(DISTINCT stratum) > 1"
    several = int(engine.query(f"SELECT COUNT(*) AS n FROM ({apart}) AS a")["n"][0].as_py())
    if several:
        message = f"{several:,} values of '{plan.households}' lie in several strata"
        remedy = "a unit was assigned within one: name columns that all of its customers share"
        raise DataError(Diagnostic("UL647", message, remedy))


def _number(engine: Engine, select: str, condition: str) -> int:
    joint = " AND " if " WHERE " in select else " WHERE "
    return int(engine.query(f"{select}{joint}({condition})")["n"][0].as_py())


def by_stratum(query: MomentsQuery, plan: Plan, run: Callable[[MomentsQuery], Cells]) -> ByStratum:
    """Moments by stratum and arm, overall and in every level; empty without given strata.

    Args:
        query: The one that asks for all cells.
        plan: What was asked.
        run: Asks for the cells of a query's segments, all at once.
    """
    if not plan.experiment.assignment.within_given:
        return {}
    found: dict[Slice, dict[str, dict[str, Moments]]] = defaultdict(lambda: defaultdict(dict))
    numbers = ", ".join(f"x{i}" for i in range(len(query.metrics)))
    for at, segment in ((None, None), *enumerate(query.segments)):
        level = "" if at is None else f"s{at} AS s1, "
        within = f"(SELECT arm, stratum AS s0, {level}{numbers} FROM {query.units}) AS within"
        names = (_STRATUM,) if segment is None else (_STRATUM, segment)
        for cell in run(MomentsQuery(within, query.metrics, names))[names]:
            place = Slice() if segment is None else Slice(segment, level_name(cell.levels[segment]))
            found[place][level_name(cell.levels[_STRATUM])][level_name(cell.arm)] = cell.moments
    return found


def within_given(plan: Plan, parts: ByStratum, told: Shown) -> Aggregates:
    """Aggregates with arms compared within strata in every place; empty without given strata.

    In a level where more than a few units lie in strata that compare nothing there, there is no
    control, and so no effect.

    Raises:
        DataError: UL645, no stratum compares the arms.
    """
    if not parts:
        return {}
    merged: dict[Slice, dict[str, dict[str, list[Moments]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for place, strata in parts.items():
        for stratum, groups in strata.items():
            for arm, group in groups.items():
                merged[shown_as(place, told.names)][stratum][arm].append(group)
    found: dict[Slice, Mapping[str, Moments]] = {}
    for place, groups in told.aggregates.items():
        strata = merged[place]
        inside = [
            {arm: pool(each) for arm, each in strata[name].items()} for name in sorted(strata)
        ]
        within = within_strata(inside, tuple(groups))
        if place == OVERALL and within is None:
            raise _nothing(plan, len(inside))
        if place != OVERALL and within is not None and _left_out(within, groups) > MOST_LEFT_OUT:
            within = None
        treated = {arm: group for arm, group in groups.items() if arm != plan.control}
        found[place] = within or treated
    return found


def _left_out(within: Mapping[str, Moments], groups: Mapping[str, Moments]) -> float:
    """Which part of a place's units lies in strata that compare nothing."""
    compared, there = (sum(group.n for group in each.values()) for each in (within, groups))
    return 1 - compared / there


def _nothing(plan: Plan, strata: int) -> DataError:
    columns = ", ".join(plan.experiment.assignment.strata)
    message = f"no stratum of '{columns}' compares the arms: each of {strata:,} lacks one of them"
    message += ", or they are too few to tell how differences vary"
    remedy = "name the columns within which arms were assigned, or leave out arms by 'ignore_arms'"
    return DataError(Diagnostic("UL645", message, remedy))
