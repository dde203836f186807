"""How columns are spread over the arms: units by stratum, level and arm.

Every column comes as levels: a text's are its most frequent values, a number's the tenths of its
ranks, where equal numbers stay together. So a skewed number is judged by counts as a text is. What
is missing is a level of its own, numbered 0.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from upliftlab.config.models import FeatureKind
from upliftlab.engines.base import Engine
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.stats.moments import Array

MOST_LEVELS: Final = 40
"""Values of a text beyond the most frequent ones are one level."""
MOST_STRATA: Final = 1000
"""Of more strata, such as pairs, those in which arms have the same shares are taken as one."""
_TENTHS: Final = 10

Counted = tuple[Array, Array | None]
"""Units by stratum, level and arm, and by stratum and two levels: see `stats.spread.spread`."""


def spread_of(
    frame: AnalysisPopulation,
    column: tuple[str, FeatureKind],
    arms: Sequence[str],
    engine: Engine,
) -> Counted:
    """How a column is spread over the arms; a household counts in each level for its part there.

    Args:
        frame: Who is analysed.
        column: Its SQL, and what it is taken for.
        arms: The arms in order.
        engine: Where the data lie.
    """
    rows = _levels(frame, column)
    if "house" not in frame.own:
        counted = f"SELECT arm, stratum, level, COUNT(*) AS n FROM ({rows}) AS u GROUP BY 1, 2, 3"
        return table_of(engine.query(counted).to_pylist(), arms), None
    parts = (
        "SELECT house, MIN(arm) AS arm, MIN(stratum) AS stratum, level, CAST(COUNT(*) AS DOUBLE)"
        f" / SUM(COUNT(*)) OVER (PARTITION BY house) AS w FROM ({rows}) AS u GROUP BY house, level"
    )
    counted = f"SELECT arm, stratum, level, SUM(w) AS n FROM ({parts}) AS h GROUP BY 1, 2, 3"
    paired = (
        f"WITH h AS ({parts}) SELECT one.stratum AS stratum, one.level AS level,"
        " two.level AS other, SUM(one.w * two.w) AS n FROM h AS one JOIN h AS two"
        " ON one.house = two.house GROUP BY 1, 2, 3"
    )
    found = engine.query(counted).to_pylist()
    return table_of(found, arms), _products(found, engine.query(paired).to_pylist(), arms)


def table_of(rows: Iterable[Mapping[str, Any]], arms: Sequence[str]) -> Array:
    """Rows of `arm`, `stratum`, `level` and `n` as counts; shape (strata, levels, arms)."""
    kept = [row for row in rows if row["arm"] in arms]
    strata, levels = _strata(kept, arms), _numbers(kept, "level")
    found = np.zeros((_count(strata), len(levels), len(arms)))
    for row in kept:
        place = strata[row["stratum"]], levels[row["level"]], arms.index(row["arm"])
        found[place] += float(row["n"])
    return found


def _products(
    counted: Iterable[Mapping[str, Any]], rows: Iterable[Mapping[str, Any]], arms: Sequence[str]
) -> Array:
    kept = [row for row in counted if row["arm"] in arms]
    strata, levels = _strata(kept, arms), _numbers(kept, "level")
    found = np.zeros((_count(strata), len(levels), len(levels)))
    for row in rows:
        if row["stratum"] in strata and row["level"] in levels and row["other"] in levels:
            place = strata[row["stratum"]], levels[row["level"]], levels[row["other"]]
            found[place] += float(row["n"])
    return found


def _strata(rows: Sequence[Mapping[str, Any]], arms: Sequence[str]) -> dict[Any, int]:
    """Where each stratum stands; of too many, those of the same shares of arms together."""
    each = _numbers(rows, "stratum")
    if len(each) <= MOST_STRATA:
        return each
    units = np.zeros((len(each), len(arms)))
    for row in rows:
        units[each[row["stratum"]], arms.index(row["arm"])] += float(row["n"])
    parts: Array = units / units.sum(axis=1, keepdims=True)
    shares = [tuple(row) for row in parts.round(9).tolist()]
    places = {found: number for number, found in enumerate(dict.fromkeys(shares))}
    return {stratum: places[share] for stratum, share in zip(each, shares, strict=True)}


def _count(strata: Mapping[Any, int]) -> int:
    return max(strata.values(), default=-1) + 1


def _numbers(rows: Iterable[Mapping[str, Any]], key: str) -> dict[Any, int]:
    names = sorted({row[key] for row in rows}, key=str)
    return {name: number for number, name in enumerate(names)}


def _levels(frame: AnalysisPopulation, column: tuple[str, FeatureKind]) -> str:
    """Rows of `arm`, `stratum`, `house` and `level`, one per customer."""
    value, kind = column
    own = [f"CAST({frame.own['arm']} AS VARCHAR) AS arm"]
    own.append(f"{frame.own.get('stratum', 'CAST(NULL AS VARCHAR)')} AS stratum")
    own += [f"{frame.own['house']} AS house"] if "house" in frame.own else []
    house = ", house" if "house" in frame.own else ""
    rows = f"SELECT {', '.join(own)}, {value} AS v FROM {frame.relation}"
    known = "PARTITION BY CASE WHEN v IS NULL THEN 1 ELSE 0 END"
    if kind == "numeric":
        rank = f"RANK() OVER ({known} ORDER BY v) - 1"
        level = f"1 + FLOOR({_TENTHS}.0 * ({rank}) / COUNT(*) OVER ({known}))"
        numbered = f"SELECT arm, stratum{house}, v, {level} AS k FROM ({rows}) AS r"
        last = _TENTHS
    else:
        sized = f"SELECT arm, stratum{house}, v, COUNT(*) OVER (PARTITION BY v) AS size"
        rank = f"DENSE_RANK() OVER ({known} ORDER BY size DESC, v)"
        numbered = f"SELECT arm, stratum{house}, v, {rank} AS k FROM ({sized} FROM ({rows}) AS r)"
        numbered += " AS s"
        last = MOST_LEVELS
    level = f"CASE WHEN v IS NULL THEN 0 WHEN k <= {last} THEN k ELSE {last + 1} END"
    return f"SELECT arm, stratum{house}, CAST({level} AS INTEGER) AS level FROM ({numbered}) AS n"
