"""The Moments query: one scan gives every cell's counts, means, covariances and third moments.

Variances and covariances are the engine's own centred aggregates. Third moments are sums of
cubes around a centre near the column's mean, moved to the cell's mean afterwards; where a cell's
mean lies too far from that centre to leave digits, the third moment is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from upliftlab.queries.units import UnitTable
from upliftlab.sql import quote
from upliftlab.stats.moments import Moments

MOST_CELLS = 20_000
"""Where a sample holds more combinations of all segments than this, each segment is grouped alone."""
SAMPLE = 100_000
"""Rows of the sample that fixes centres and how to group."""
_DIGITS = 1e3
"""A cube keeps six digits while the centre is at most this many standard deviations away."""


@dataclass(frozen=True, slots=True)
class MomentsQuery:
    """What is asked of one scan.

    Attributes:
        units: Where units come from.
        metrics: SQL of each metric by its name.
        segments: SQL of each segment's level by its name.
        centres: A value near each metric's mean.
        finest: Group by all segments at once (cells add up to every margin), else one by one.
    """

    units: UnitTable
    metrics: Mapping[str, str]
    segments: Mapping[str, str]
    centres: Mapping[str, float] = field(default_factory=dict[str, float])
    finest: bool = True

    @property
    def groupings(self) -> tuple[tuple[str, ...], ...]:
        """The sets of segments that are grouped by."""
        names = tuple(self.segments)
        return (names,) if self.finest else ((), *((name,) for name in names))


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm within one combination of levels.

    Attributes:
        arm: The arm as the data name it, None where they name none.
        levels: The level of each segment grouped by.
        moments: Of the metrics that have a value.
        missing: Units without a usable value, by metric.
    """

    arm: str | None
    levels: Mapping[str, str | None]
    moments: Moments
    missing: Mapping[str, int]


def sample_sql(query: MomentsQuery) -> str:
    """SQL for each metric's mean and the number of combinations of levels, from the first rows."""
    means = [f"avg(x{i}) AS c{i}" for i in range(len(query.metrics))]
    levels = ", ".join(f"s{i}" for i in range(len(query.segments)))
    cells = f"count(DISTINCT ({levels},))" if levels else "1"
    rows = f"SELECT * FROM ({_rows(query)}) LIMIT {SAMPLE}"  # noqa: S608 - all names are quoted
    return f"SELECT {', '.join([*means, f'{cells} AS cells'])} FROM ({rows})"  # noqa: S608


def tuned(query: MomentsQuery, sample: pa.Table) -> MomentsQuery:
    """The query with the centres and grouping that a sample suggests."""
    row = sample.to_pylist()[0]
    centres = {name: float(row[f"c{i}"] or 0.0) for i, name in enumerate(query.metrics)}
    return MomentsQuery(
        query.units, query.metrics, query.segments, centres, finest=row["cells"] <= MOST_CELLS
    )


def moments_sql(query: MomentsQuery) -> str:
    """SQL for one row per arm and combination of levels."""
    numbers = range(len(query.metrics))
    levels = [f"s{i}" for i in range(len(query.segments))]
    centres = [query.centres.get(name, 0.0) for name in query.metrics]
    aggregates = ["count(*) AS n"]
    for i in numbers:
        shifted = f"(x{i} - ({centres[i]!r}))"
        aggregates += [
            f"count(x{i}) AS n{i}",
            f"avg(x{i}) AS m{i}",
            f"var_samp(x{i}) AS v{i}_{i}",
            f"sum({shifted} * {shifted} * {shifted}) AS t{i}",
        ]
        aggregates += [f"covar_samp(x{i}, x{j}) AS v{i}_{j}" for j in range(i)]
    grouped = [f"grouping({level}) AS g_{level}" for level in levels]
    # Levels become text after grouping: hashing a number is cheaper than hashing its digits.
    texts = [f"CAST({level} AS VARCHAR) AS {level}" for level in levels]
    inner = f"SELECT arm, {', '.join([*levels, *grouped, *aggregates])} FROM ({_rows(query)}) GROUP BY {_grouping(query)}"  # noqa: S608, E501
    return f"SELECT * REPLACE ({', '.join(['CAST(arm AS VARCHAR) AS arm', *texts])}) FROM ({inner})"  # noqa: S608


def read_cells(query: MomentsQuery, result: pa.Table) -> dict[tuple[str, ...], list[Cell]]:
    """The result's rows as cells, by the set of segments they were grouped by."""
    columns = {name: result[name].to_pylist() for name in ("arm", "n")}
    names = tuple(query.segments)
    levels = {name: result[f"s{i}"].to_pylist() for i, name in enumerate(names)}
    rolled = {name: result[f"g_s{i}"].to_pylist() for i, name in enumerate(names)}
    moments = _moments(query, result)
    missing = _missing(query, result)
    cells: dict[tuple[str, ...], list[Cell]] = {grouping: [] for grouping in query.groupings}
    for row, arm in enumerate(columns["arm"]):
        grouping = tuple(name for name in names if not rolled[name][row])
        level = {name: levels[name][row] for name in grouping}
        cells[grouping].append(Cell(arm, level, moments[row], missing[row]))
    return cells


def diagnosis_sql(query: MomentsQuery, metric: str, column: str) -> str:
    """SQL for why a metric's column lacks values: counts by fault and one unreadable example."""
    value = quote(column)
    text = f"CAST({value} AS VARCHAR)"
    bad = f"{value} IS NOT NULL AND TRY_CAST({text} AS DOUBLE) IS NULL"
    return (
        f"SELECT count(*) FILTER ({value} IS NULL) AS empty, count(*) FILTER ({bad}) AS text, "  # noqa: S608
        f"min({text}) FILTER ({bad}) AS example, count(*) AS n FROM "
        f"(SELECT * FROM {query.units.source}) WHERE ({query.metrics[metric]}) IS NULL"
    )


def _rows(query: MomentsQuery) -> str:
    parts = [f"{quote(query.units.arm)} AS arm"]
    parts += [f"{sql} AS s{i}" for i, sql in enumerate(query.segments.values())]
    parts += [f"{sql} AS x{i}" for i, sql in enumerate(query.metrics.values())]
    return f"SELECT {', '.join(parts)} FROM {query.units.source}"  # noqa: S608


def _grouping(query: MomentsQuery) -> str:
    index = {name: f"s{i}" for i, name in enumerate(query.segments)}
    sets = [
        "(" + ", ".join(["arm", *(index[name] for name in grouping)]) + ")"
        for grouping in query.groupings
    ]
    return f"GROUPING SETS ({', '.join(sets)})"


def _floats(result: pa.Table, name: str) -> np.ndarray:
    values = result[name].to_numpy()
    return np.nan_to_num(values.astype(np.float64), nan=0.0)


def _moments(query: MomentsQuery, result: pa.Table) -> Sequence[Moments]:
    size = len(query.metrics)
    n = result["n"].to_numpy()
    mean = np.stack([_floats(result, f"m{i}") for i in range(size)], axis=1)
    m2 = np.empty((len(n), size, size))
    for i in range(size):
        for j in range(i + 1):
            m2[:, i, j] = m2[:, j, i] = _floats(result, f"v{i}_{j}") * (n - 1)
    cubes = np.stack([_floats(result, f"t{i}") for i in range(size)], axis=1)
    shift = mean - np.array([query.centres.get(name, 0.0) for name in query.metrics])
    diagonal = np.diagonal(m2, axis1=1, axis2=2)
    m3 = cubes - 3 * shift * diagonal - n[:, None] * shift**3
    spread = np.sqrt(diagonal / n[:, None])
    m3[(np.abs(shift) > _DIGITS * spread) & (spread > 0)] = np.nan
    return [Moments(int(n[k]), mean[k], m2[k], m3[k]) for k in range(len(n))]


def _missing(query: MomentsQuery, result: pa.Table) -> list[dict[str, int]]:
    n = result["n"].to_numpy()
    lacking = {name: n - result[f"n{i}"].to_numpy() for i, name in enumerate(query.metrics)}
    return [
        {name: int(counts[row]) for name, counts in lacking.items() if counts[row]}
        for row in range(len(n))
    ]
