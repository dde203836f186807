"""Rows: the units themselves, asked of the engine only where moments do not decide.

A difference that is hardly skewed has Student's interval, one that is slightly skewed Hall's, and
both are made of moments. Rows are read of what is more skewed, and of what is made of several
columns, whose skewness moments do not tell: of those columns and segments alone. Units that are
alike in all of them are one row with their number, so that ten million customers of whom most
bought nothing are few rows. Where arms are compared within strata, a row is of one stratum.
"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice, level_name
from upliftlab.analysis.disclosure import Shown
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.measures import (
    measures_of,
    sharpened,
    skew_of,
    slightly_skewed,
    varying,
)
from upliftlab.engines.base import Engine
from upliftlab.stats.calibration import Measure, Units, UnitStrata
from upliftlab.stats.moments import Array, Moments
from upliftlab.stats.strata import Thin, places

MOST_ROWS = 1_000_000
"""With more kinds of units than this, none are read, and a warning stays."""


class Codes(NamedTuple):
    """Texts, each once, and which of them a row has.

    Attributes:
        names: The texts.
        code: Of each row, shape (rows,).
    """

    names: tuple[str, ...]
    code: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class UnitRows:
    """Units that are alike, by arm and level.

    Attributes:
        columns: What was read of `EstimationSpec.columns`, each of shape (rows,), by its place.
        arm: The arm of each row.
        levels: The level of each row, by segment.
        counts: How many units it stands for.
        stratum: The stratum of each row, in their order, −1 of none; None where there are no
            strata.
    """

    columns: Mapping[int, Array]
    arm: Codes
    levels: Mapping[str, Codes]
    counts: np.ndarray
    stratum: Codes | None = None
    _cells: dict[str | None, Any] = field(default_factory=dict[str | None, Any])

    def units(
        self,
        spec: EstimationSpec,
        place: Slice,
        arms: tuple[str, ...],
        thin: Thin | None = None,
    ) -> Units:
        """The units of some arms and of the control in a slice of the aggregates.

        Args:
            spec: What is compared.
            place: The slice.
            arms: The arms.
            thin: Where they are compared within strata, what becomes of thin ones.
        """
        dimension = place.dimension if place.dimension in self.levels else None
        if dimension not in self._cells:
            levels = self.levels[dimension] if dimension is not None else None
            self._cells[dimension] = _Cells.of(self.arm, levels)
        cells = self._cells[dimension]
        named = (*arms, spec.control)
        level = place.level if dimension is not None else None
        rows = [cells.rows(arm, level) for arm in named]
        strata = None
        if thin is not None and self.stratum is not None:
            everybody = [cells.rows(arm, level) for arm in self.arm.names]
            rows, strata = _within(self.stratum, self.counts, everybody, rows, thin)
        inside = np.concatenate(rows)
        values = np.zeros((len(inside), len(spec.columns)))
        for column, numbers in self.columns.items():
            values[:, column] = numbers[inside]
        treated = np.array([arm != spec.control for arm in named])
        group = np.repeat(np.arange(len(named)), [len(part) for part in rows])
        return Units(values, group, self.counts[inside], treated, spec.size, strata)


def _within(
    stratum: Codes,
    counts: np.ndarray,
    everybody: Sequence[np.ndarray],
    rows: Sequence[np.ndarray],
    thin: Thin,
) -> tuple[list[np.ndarray], UnitStrata]:
    """The rows of some groups that are compared, and their strata as `stats.strata` has them.

    Args:
        stratum: Of all rows.
        counts: Of all rows.
        everybody: The rows of each arm of the experiment in a place.
        rows: Those of the compared groups.
        thin: What becomes of strata in which an arm has too few units.
    """
    known = [part[stratum.code[part] >= 0] for part in everybody if len(part)]
    units = np.stack(
        [np.bincount(stratum.code[p], counts[p], len(stratum.names)) for p in known], axis=1
    )
    place = places(units, thin)
    sizes = np.bincount(place[place >= 0], units.sum(axis=1)[place >= 0])
    of = np.append(place, -1)[stratum.code]
    kept = [part[of[part] >= 0] for part in rows]
    return kept, UnitStrata(of[np.concatenate(kept)], sizes / sizes.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Where in a table of rows each arm and level lies.

    Attributes:
        order: The rows in the order of their cells, shape (rows,).
        ends: Where in it each cell begins, and the last one ends, shape (cells + 1,).
        place: The number of a cell, by arm and level.
    """

    order: np.ndarray
    ends: np.ndarray
    place: Mapping[tuple[str, str | None], int]

    @classmethod
    def of(cls, arm: Codes, level: Codes | None) -> _Cells:
        """Rows in the order of their arms and levels."""
        levels = (None,) if level is None else level.names
        cell = arm.code * len(levels) + (0 if level is None else level.code)
        order = np.argsort(cell, kind="stable")
        ends = np.searchsorted(cell[order], np.arange(len(arm.names) * len(levels) + 1))
        named = [(one, other) for one in arm.names for other in levels]
        return cls(order, ends, {name: number for number, name in enumerate(named)})

    def rows(self, arm: str, level: str | None) -> np.ndarray:
        """The rows of an arm at a level."""
        number = self.place.get((arm, level))
        if number is None:
            return self.order[:0]
        return self.order[self.ends[number] : self.ends[number + 1]]


@dataclass(frozen=True, slots=True)
class UnitSource:
    """Where units are.

    Attributes:
        units: The unit table as a relation.
        engine: Where it lies.
        count: How many units some of its rows are, in SQL.
    """

    units: str
    engine: Engine
    count: str = "COUNT(*)"


def rows_of(
    spec: EstimationSpec,
    told: Shown,
    source: UnitSource,
    most: float,
    strata: Sequence[str] = (),
) -> UnitRows | None:
    """The units of a spec; None where moments decide everywhere, or there are too many.

    Args:
        spec: What is compared.
        told: Projected moments of the columns, and what levels are shown as.
        source: Where units are.
        most: The largest skewness that moments allow for.
        strata: The strata within which arms are compared, in their order.
    """
    columns, segments = _needed(spec, told.aggregates, most)
    if not columns:
        return None
    levels = [f"s{spec.segments.index(name)}" for name in segments]
    numbers = [f"x{column}" for column in columns]
    texts = ["arm", *(("stratum",) if strata else ()), *levels]
    keys = ", ".join((*texts, *numbers))
    inner = f"SELECT {keys}, {source.count} AS n FROM {source.units}"
    inner += f" GROUP BY {keys} LIMIT {MOST_ROWS + 1}"
    told_as = [f"CAST({name} AS VARCHAR) AS {name}" for name in texts]
    sql = f"SELECT {', '.join([*told_as, *numbers, 'n'])} FROM ({inner}) AS kinds"
    result = source.engine.query(sql)
    if result.num_rows > MOST_ROWS:
        return None
    return UnitRows(
        {c: _rounded(_numbers(result[x])) for c, x in zip(columns, numbers, strict=True)},
        _codes(result, "arm"),
        {
            name: _codes(result, level, told.names.get(name))
            for name, level in zip(segments, levels, strict=True)
        },
        _numbers(result["n"]),
        _ordered(_codes(result, "stratum"), strata) if strata else None,
    )


def unit_kinds(source: UnitSource, columns: int) -> tuple[Array, Array] | None:
    """All units of a table over its first columns, those that are alike together, in order.

    Args:
        source: Where units are.
        columns: How many columns they have.

    Returns:
        The values of each kind, shape (kinds, columns), and its units, shape (kinds,); None where
        there are more kinds than `MOST_ROWS`.
    """
    names = [f"x{column}" for column in range(columns)]
    keys = ", ".join(names)
    inner = f"SELECT {keys}, {source.count} AS n FROM {source.units} GROUP BY {keys}"
    result = source.engine.query(f"SELECT * FROM ({inner}) AS kinds LIMIT {MOST_ROWS + 1}")
    if result.num_rows > MOST_ROWS:
        return None
    values = np.stack([_rounded(_numbers(result[name])) for name in names], axis=1)
    order = np.lexsort(values.T[::-1])
    return values[order], _numbers(result["n"])[order]


def _ordered(found: Codes, names: Sequence[str]) -> Codes:
    """Codes by their place among some names, −1 where they are none of these."""
    number = {name: at for at, name in enumerate(names)}
    place = np.array([number.get(name, -1) for name in found.names], dtype=np.int32)
    return Codes(tuple(names), place[found.code])


def _numbers(column: Any) -> Array:  # noqa: ANN401 - pyarrow's stubs do not know a chunk's values
    """A column's numbers, without `to_numpy`: it imports pandas, which takes longer than this."""
    whole = column.cast(pa.float64())
    if whole.null_count or not len(whole):
        return np.asarray(whole.to_numpy(), dtype=np.float64)
    places = ((chunk.buffers()[1], len(chunk), 8 * chunk.offset) for chunk in whole.chunks)
    parts = [np.frombuffer(held, np.float64, n, start) for held, n, start in places if n]
    return np.concatenate(parts)


def _rounded(values: Array) -> Array:
    """Twelve digits: engines add up amounts in their own order, and kinds must be the same."""
    size = np.floor(np.log10(np.abs(values), out=np.zeros_like(values), where=values != 0))
    scale = 10.0 ** (11 - size)
    return np.asarray(np.rint(values * scale) / scale)


def _codes(result: pa.Table, column: str, shown: Mapping[str, str] | None = None) -> Codes:
    """Levels as they are shown; those that are shown as one have one code."""
    encoded: Any = result[column].combine_chunks()
    encoded = encoded.dictionary_encode("encode")
    texts = [level_name(value) for value in encoded.dictionary.to_pylist()]
    texts = [shown[text] for text in texts] if shown else texts
    names = tuple(dict.fromkeys(texts))
    place = np.array([names.index(text) for text in texts], dtype=np.int32)
    return Codes(names, place[encoded.indices.to_numpy(zero_copy_only=False)])


def _needed(
    spec: EstimationSpec, aggregates: Aggregates, most: float
) -> tuple[list[int], list[str]]:
    """The columns of which rows are needed, and the segments by whose levels."""
    columns, segments = set[int](), dict[str, None]()
    compared = [(arm,) for arm in spec.treatments]
    for place, groups in aggregates.items():
        together = [] if place.dimension else list(spec.channels.values())
        for arms in (*compared, *together):
            measures = _undecided(spec, groups, arms, most)
            columns.update(*(measure.columns for measure in measures))
            if measures and place.dimension is not None:
                segments[place.dimension] = None
    for each in spec.between:
        measures = _undecided(each, aggregates[OVERALL], each.treatments, most)
        columns.update(*(measure.columns for measure in measures))
    if columns and spec.size is not None:
        columns.add(spec.size)
    return sorted(columns), list(segments)


def _undecided(
    spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...], most: float
) -> list[Measure]:
    """The measures that are skewed, and not so slightly that moments decide."""
    skew = skew_of(spec, groups, arms)
    if skew is None:
        return []
    sharp = sharpened(spec, groups, spec.pair(groups, arms))
    measures = dict(measures_of(spec, arms, skew, sharp))
    decided = slightly_skewed(measures, skew, varying(spec, groups, arms), most)
    return [measure for key, measure in measures.items() if key not in decided]
