"""The Moments query: one scan gives every cell's counts, means, covariances and third moments.

Sums of products are taken around a centre: zero, or near the column's mean where that lies far
from zero. They are moved to each cell's own mean afterwards. Where a cell's mean lies so far from
the centre that digits would be lost, the query is repeated with the engine's own centred
aggregates, which cost half as much again; a third moment is then not known in that cell.
"""
# ruff: noqa: S608 - names are of the house's own, every number passes through repr()

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.queries.grouped import WEIGHT, RowMoments, grouped_sql
from upliftlab.queries.numbers import LARGEST, SMALLEST, usable_sql
from upliftlab.stats.moments import Array, Moments
from upliftlab.util.sql import literal

MOST_CELLS = 20_000
"""With more combinations of all segments in a sample than this, each segment is grouped alone."""
SAMPLE = 100_000
"""Rows of the sample that fixes centres and how to group."""
FAR = 300.0
"""Standard deviations between centre and mean beyond which squares keep under 10 digits."""
_STILL = 1e-13
"""Standard deviations that are a smaller part of the mean than this are rounding."""
_NO_ARM, _OTHER_ARM = -1, -2
_EXACT = 2.0**26
"""Whole numbers up to here have squares that a double holds exactly."""


@dataclass(frozen=True, slots=True)
class MomentsQuery:
    """What is asked of one scan.

    Attributes:
        units: The unit table as a relation: `arm`, levels `s0` …, numbers `x0` ….
        metrics: Names of the numbers, in order.
        segments: Names of the segments, in order.
        centres: A value near each metric's mean where that lies far from zero.
        flags: Metrics that are asked, in each cell, whether they hold nothing but 0 and 1.
        binary: Those of them that are taken to hold nothing else: the cubes of 0 and 1 are the
            numbers themselves, and are not summed.
        robust: Use the engine's centred aggregates.
        rows: What rows tell that are of several units; None where each is of one.
        arms: Names of the arms: units are grouped by their numbers, which is cheaper to hash than
            names. Without them, by whatever name there is.
        finest: Group by all segments at once (cells add up to every margin), else one by one.
    """

    units: str
    metrics: tuple[str, ...]
    segments: tuple[str, ...]
    centres: Mapping[str, float] = field(default_factory=dict[str, float])
    flags: frozenset[str] = frozenset()
    binary: frozenset[str] = frozenset()
    finest: bool = True
    robust: bool = False
    rows: RowMoments | None = None
    arms: tuple[str, ...] = ()

    @property
    def count(self) -> str:
        """How many units some rows are, in SQL."""
        return "COUNT(*)" if self.rows is None else f"SUM({WEIGHT})"

    @property
    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """The sets of segments that are grouped by."""
        names = self.segments
        return (names,) if self.finest else ((), *((name,) for name in names))


@dataclass(frozen=True, slots=True)
class SliceMoments:
    """One arm within one combination of levels.

    Attributes:
        arm: The arm as the data name it, None where they name none.
        levels: The level of each segment grouped by.
        moments: Of the metrics that have a value.
        missing: Units without a usable value, by metric.
        flags: The metrics that hold nothing but 0 and 1.
    """

    arm: str | None
    levels: Mapping[str, str | None]
    moments: Moments
    missing: Mapping[str, int]
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Count:
    """Units of one arm at one level of each of two segments."""

    segments: tuple[str, str]
    levels: tuple[str | None, str | None]
    arm: str | None
    n: int


def pairs_sql(query: MomentsQuery) -> str:
    """SQL that counts units by arm and every two segments."""
    names = [f"s{i}" for i in range(len(query.segments))]
    sets = ", ".join(f"(arm, {one}, {other})" for one, other in combinations(names, 2))
    flags = [f"GROUPING({name}) AS g_{name}" for name in names]
    inner = f"SELECT {', '.join(['arm', *names, *flags])}, {query.count} AS n FROM {query.units}"
    texts = [f"CAST({name} AS VARCHAR) AS {name}" for name in ("arm", *names)]
    kept = ", ".join([*texts, *(f"g_{name}" for name in names), "n"])
    return f"SELECT {kept} FROM ({inner} GROUP BY GROUPING SETS ({sets})) AS grouped"


def read_pairs(query: MomentsQuery, result: pa.Table) -> Iterator[Count]:
    """The counts that `pairs_sql` asks for."""
    names = query.segments
    for row in result.to_pylist():
        one, other = (i for i in range(len(names)) if not row[f"g_s{i}"])
        levels = row[f"s{one}"], row[f"s{other}"]
        yield Count((names[one], names[other]), levels, row["arm"], int(row["n"]))


def sample_sql(query: MomentsQuery) -> str:
    """SQL for each metric's mean, spread and distance from a flag, and the number of cells.

    All from the first rows.
    """
    numbers = range(len(query.metrics))
    means = [f"AVG(x{i}) AS m{i}, STDDEV_SAMP(x{i}) AS d{i}, {_other(i)}" for i in numbers]
    levels = ", ".join(f"s{i}" for i in range(len(query.segments)))
    cells = f"(SELECT COUNT(*) FROM (SELECT DISTINCT {levels} FROM drawn) AS d)" if levels else "1"
    finite = " AND ".join(usable_sql(f"x{i}") for i in numbers)
    asked = ", ".join([*means, f"{cells} AS cells"])
    drawn = f"SELECT * FROM {query.units} LIMIT {SAMPLE}"
    return f"WITH drawn AS ({drawn}) SELECT {asked} FROM drawn WHERE {finite}"


def tuned(query: MomentsQuery, sample: pa.Table) -> MomentsQuery:
    """The query with the centres, flags and grouping that a sample suggests."""
    row = sample.to_pylist()[0]
    centres = {name: _centre(row[f"m{i}"], row[f"d{i}"]) for i, name in enumerate(query.metrics)}
    flags = [i for i in range(len(query.metrics)) if not row[f"o{i}"]]
    # Zeros alone, as in a file that begins with those who bought nothing, promise nothing.
    some = {query.metrics[i] for i in flags if row[f"m{i}"]}
    return replace(
        query,
        centres=centres,
        flags=query.flags | {query.metrics[i] for i in flags},
        binary=frozenset(name for name in some if not centres[name]),
        finest=row["cells"] <= MOST_CELLS,
    )


def _other(metric: int) -> str:
    """What is 0 where a metric holds nothing but 0 and 1: sums alone can agree by coincidence."""
    off = f"(x{metric} * x{metric} - x{metric})"  # engines have the product already
    return f"SUM({off} * {off}) AS o{metric}"


def _centre(mean: float | None, spread: float | None) -> float:
    """Zero unless the mean lies far from it: then cells that are all zero stay exactly so."""
    far = mean is not None and abs(mean) > (spread or 0.0) * FAR / 10
    return float(mean) if far and mean is not None else 0.0


def moments_sql(query: MomentsQuery) -> str:
    """SQL for one row per arm and combination of levels."""
    levels = [f"s{i}" for i in range(len(query.segments))]
    if query.rows is not None:
        index = dict(zip(query.segments, levels, strict=True))
        sets = [[index[name] for name in grouping] for grouping in query.groupings]
        return grouped_sql(query.units, len(query.metrics), levels, sets, query.rows)
    grouped = [f"GROUPING({level}) AS g_{level}" for level in levels]
    sums = _aggregates(query)
    others = [_other(i) for i, name in enumerate(query.metrics) if name in query.flags]
    shown = [*grouped, *(f"{sql} AS {name}" for name, sql in sums.items()), *others]
    inner = f"SELECT {', '.join(['arm', *levels, *shown])} FROM {_numbered(query)}"
    inner += _grouping(query)
    # Levels become text after grouping: hashing a number is cheaper than hashing its digits.
    texts = [f"CAST({name} AS VARCHAR) AS {name}" for name in ("arm", *levels)]
    names = [f"o{i}" for i, name in enumerate(query.metrics) if name in query.flags]
    kept = [*texts, *(f"g_{level}" for level in levels), *sums, *names]
    return f"SELECT {', '.join(kept)} FROM ({inner}) AS grouped"


def _numbered(query: MomentsQuery) -> str:
    """The unit table with arms as their numbers, where their names are known."""
    if not query.arms:
        return query.units
    cases = " ".join(f"WHEN arm = {literal(arm)} THEN {at}" for at, arm in enumerate(query.arms))
    columns = [f"s{i}" for i in range(len(query.segments))]
    columns += [f"x{i}" for i in range(len(query.metrics))]
    arm = f"CASE WHEN arm IS NULL THEN {_NO_ARM} {cases} ELSE {_OTHER_ARM} END AS arm"
    return f"(SELECT {', '.join([arm, *columns])} FROM {query.units}) AS numbered"


def _arms(query: MomentsQuery, result: pa.Table) -> list[str | None] | None:
    """By row, the arm as the data name it; None where one is not among the known."""
    found: list[Any] = result["arm"].to_pylist()
    if not query.arms or query.rows is not None:
        return found
    numbers = [int(number) for number in found]
    if _OTHER_ARM in numbers:
        return None
    return [None if number == _NO_ARM else query.arms[number] for number in numbers]


def _aggregates(query: MomentsQuery) -> dict[str, str]:
    """n, and per metric its count, first moment, second moments with those before it, and cubes."""
    shifted = [f"(x{i} - ({c!r}))" if c else f"x{i}" for i, c in enumerate(_centres(query))]
    result = {"n": "COUNT(*)"}
    for i, (name, y) in enumerate(zip(query.metrics, shifted, strict=True)):
        result[f"n{i}"] = f"COUNT(x{i})"
        if name not in query.binary:
            result[f"t{i}"] = f"SUM({y} * {y} * {y})"
        if query.robust:
            result |= {f"a{i}": f"AVG(x{i})", f"b{i}_{i}": f"VAR_SAMP(x{i})"}
            result |= {f"b{i}_{j}": f"COVAR_SAMP(x{i}, x{j})" for j in range(i)}
        else:
            result[f"a{i}"] = f"SUM({y})"
            result |= {f"b{i}_{j}": f"SUM({y} * {shifted[j]})" for j in range(i + 1)}
    return result


def _centres(query: MomentsQuery) -> list[float]:
    return [query.centres.get(name, 0.0) for name in query.metrics]


def read_cells(
    query: MomentsQuery, result: pa.Table
) -> dict[tuple[str, ...], list[SliceMoments]] | MomentsQuery:
    """The result's rows as cells, by the set of segments they were grouped by.

    The query to ask instead where some metric is not `binary` after all, where an arm has another
    name than the known, and where too few digits are left, so that it must be `robust`.
    """
    names = query.segments
    levels = {name: result[f"s{i}"].to_pylist() for i, name in enumerate(names)}
    rolled = {name: result[f"g_s{i}"].to_pylist() for i, name in enumerate(names)}
    missing, flags = _missing(query, result), _flags(query, result)
    if any(query.binary - found for found in flags):
        return replace(query, binary=frozenset())
    arms = _arms(query, result)
    if arms is None:
        return replace(query, arms=())
    moments = None
    if not any(missing):
        moments = _read(query)(query, result)
        if moments is None:
            return replace(query, robust=True, binary=frozenset())
    cells: dict[tuple[str, ...], list[SliceMoments]] = {
        grouping: [] for grouping in query.groupings
    }
    for row, arm in enumerate(arms):
        grouping = tuple(name for name in names if not rolled[name][row])
        level = {name: levels[name][row] for name in grouping}
        empty = Moments.zero(len(query.metrics))
        found = moments[row] if moments else replace(empty, n=int(result["n"][row].as_py()))
        cells[grouping].append(SliceMoments(arm, level, found, missing[row], flags[row]))
    return cells


def _flags(query: MomentsQuery, result: pa.Table) -> list[frozenset[str]]:
    """By row, the metrics that hold nothing but 0 and 1."""
    counts = {
        name: result[f"o{i}"].to_pylist()
        for i, name in enumerate(query.metrics)
        if name in query.flags or query.rows is not None
    }
    return [
        frozenset(name for name, others in counts.items() if not others[row])
        for row in range(result.num_rows)
    ]


def _read(query: MomentsQuery) -> Callable[[MomentsQuery, pa.Table], Sequence[Moments] | None]:
    if query.rows is not None:
        return _pooled
    return _robust if query.robust else _shifted


def _grouping(query: MomentsQuery) -> str:
    index = {name: f"s{i}" for i, name in enumerate(query.segments)}
    sets = [
        "(" + ", ".join(["arm", *(index[name] for name in grouping)]) + ")"
        for grouping in query.groupings
    ]
    return f" GROUP BY GROUPING SETS ({', '.join(sets)})"


def _floats(result: pa.Table, name: str) -> Array:
    """A column of numbers; NULL (of no rows, or a variance of one) is 0."""
    return np.array([0.0 if v is None else v for v in result[name].to_pylist()], dtype=np.float64)


def _cubes(query: MomentsQuery, result: pa.Table) -> Array:
    """Sums of cubes, which for 0 and 1 are the sums themselves; shape (rows, p)."""
    names = [f"{'a' if m in query.binary else 't'}{i}" for i, m in enumerate(query.metrics)]
    return np.stack([_floats(result, name) for name in names], axis=1)


def _square(query: MomentsQuery, result: pa.Table) -> Array:
    """Second moments as one symmetric matrix per row, shape (rows, p, p)."""
    size = len(query.metrics)
    square = np.empty((result.num_rows, size, size))
    for i in range(size):
        for j in range(i + 1):
            square[:, i, j] = square[:, j, i] = _floats(result, f"b{i}_{j}")
    return square


def _shifted(query: MomentsQuery, result: pa.Table) -> Sequence[Moments] | None:
    """Moments from sums around the centres; None where digits were lost."""
    n = _floats(result, "n")
    sums = np.stack([_floats(result, f"a{i}") for i in range(len(query.metrics))], axis=1)
    cubes = _cubes(query, result)
    square = _square(query, result)
    shift = sums / n[:, None]
    m2 = square - n[:, None, None] * shift[:, :, None] * shift[:, None, :]
    m2[n == 1] = 0.0
    m2 = _without_traces(m2, n)
    diagonal = np.diagonal(m2, axis1=1, axis2=2)
    # Sums of whole numbers are exact, so a zero that comes of them is one.
    whole = (diagonal == 0) & (sums == np.rint(sums)) & (np.abs(sums) < _EXACT)
    sound = n[:, None] * shift**2 <= FAR**2 * diagonal
    if not (sound | whole | (n == 1)[:, None]).all():
        return None
    m3 = cubes - 3 * shift * np.diagonal(square, axis1=1, axis2=2) + 2 * n[:, None] * shift**3
    m3[diagonal == 0] = 0.0
    mean = shift + np.array(_centres(query))
    return [Moments(int(n[k]), mean[k], m2[k], m3[k]) for k in range(len(n))]


def _robust(query: MomentsQuery, result: pa.Table) -> Sequence[Moments]:
    """Moments from the engine's centred aggregates; a third moment far off centre is not known."""
    n = _floats(result, "n")
    cubes = _cubes(query, result)
    mean = np.stack([_floats(result, f"a{i}") for i in range(len(query.metrics))], axis=1)
    m2 = _without_traces(_square(query, result) * (n - 1)[:, None, None], n)
    shift = mean - np.array(_centres(query))
    diagonal = np.diagonal(m2, axis1=1, axis2=2)
    m3 = cubes - 3 * shift * diagonal - n[:, None] * shift**3
    m3[n[:, None] * shift**2 > FAR**2 * diagonal] = np.nan
    m3[diagonal == 0] = 0.0
    return [Moments(int(n[k]), mean[k], m2[k], m3[k]) for k in range(len(n))]


def _without_traces(m2: Array, n: Array) -> Array:
    """Second moments without variation that is too small to reckon with."""
    diagonal = np.diagonal(m2, axis1=1, axis2=2)
    trace = (diagonal > 0) & (diagonal <= SMALLEST**2 * n[:, None])
    return np.where(trace[:, :, None] | trace[:, None, :], 0.0, m2)


def _pooled(query: MomentsQuery, result: pa.Table) -> Sequence[Moments]:
    """Moments of rows of several units, from sums around each cell's own smallest row mean.

    What no row tells is NaN; with a number that does not vary, nothing varies.
    """
    rows, size = query.rows, range(len(query.metrics))
    assert rows is not None  # noqa: S101 - the caller asked
    n = _floats(result, "n")
    sums, centres, cubes = (
        np.stack([_floats(result, f"{letter}{i}") for i in size], axis=1) for letter in "act"
    )
    square, shift = _square(query, result), sums / n[:, None]
    m2 = square - n[:, None, None] * shift[:, :, None] * shift[:, None, :]
    mean, diagonal = centres + shift, np.diagonal(m2, axis1=1, axis2=2)
    still = (diagonal <= _STILL**2 * n[:, None] * mean**2) | (n == 1)[:, None]
    m3 = cubes - 3 * shift * np.diagonal(square, axis1=1, axis2=2) + 2 * n[:, None] * shift**3
    m3[:, [not rows.knows_cubes(i) for i in size]] = np.nan
    for i in size:
        for j in range(i):
            if not rows.knows(i, j):
                m2[:, i, j] = m2[:, j, i] = np.nan
    m2[still[:, :, None] | still[:, None, :]] = 0.0
    m3[still] = 0.0
    return [Moments(round(n[k]), mean[k], m2[k], m3[k]) for k in range(len(n))]


def _missing(query: MomentsQuery, result: pa.Table) -> list[dict[str, int]]:
    """By row, how many units lack each metric; a sum beyond reckoning lacks at least one.

    The limit is that of a single value, so that one too large is found among however many.
    """
    n = _floats(result, "n")
    rows: list[dict[str, int]] = [{} for _ in n]
    largest = 3 * float(LARGEST)  # from a centre, which itself is no larger than the values
    for i, name in enumerate(query.metrics):
        sums, squares = _floats(result, f"a{i}"), _floats(result, f"b{i}_{i}")
        usable = (np.abs(sums) <= largest) & (squares <= largest**2)
        lacking = np.maximum(n - _floats(result, f"n{i}"), ~usable)
        for row in np.flatnonzero(lacking):
            rows[row][name] = int(lacking[row])
    return rows
