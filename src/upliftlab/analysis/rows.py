"""Rows: units by kind, asked of the engine only where a difference is too skewed for Student's t.

Units that are alike in all that is compared are one row with their number, so that ten million
customers of whom most bought nothing are few rows.
"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice, level_name
from upliftlab.analysis.disclosure import Shown
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.engines.base import Engine
from upliftlab.stats.calibration import Units
from upliftlab.stats.effects import TwoSample, pooled_skewness, skewness
from upliftlab.stats.moments import Array, Moments, pool

SKEWED = 0.05
"""Beyond this skewness of a difference, an interval or test by normal theory misses one tail."""
MOST_ROWS = 1_000_000
"""With more kinds of units than this, none are read, and a warning stays."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitRows:
    """Units by kind, arm and level.

    Attributes:
        values: What kinds of units there are, over `EstimationSpec.columns`; shape (kinds, p).
        kind: The kind of each row, shape (rows,).
        arm: The arm of each row as text.
        levels: The level of each row, by segment.
        counts: How many units it stands for.
    """

    values: Array
    kind: np.ndarray
    arm: np.ndarray
    levels: Mapping[str, np.ndarray]
    counts: np.ndarray

    def units(self, spec: EstimationSpec, place: Slice, arms: tuple[str, ...]) -> Units:
        """The units of some arms and of the control in a slice of the aggregates."""
        inside = np.ones(len(self.counts), dtype=bool)
        if place.dimension in self.levels:
            inside = self.levels[place.dimension or ""] == place.level
        named = (*arms, spec.control)
        counts = [
            np.bincount(
                self.kind[rows := inside & (self.arm == arm)],
                weights=self.counts[rows],
                minlength=len(self.values),
            )
            for arm in named
        ]
        treated = np.array([arm != spec.control for arm in named])
        return Units(self.values, np.stack(counts).astype(np.int64), treated, spec.size)


def gammas(
    spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...]
) -> Mapping[str, float | None]:
    """The skewness of the arms' difference from the control, by column; empty without a variance.

    It is the larger of the groups' own and that of all their units: see `pooled_skewness`. A column
    is counted per unit here: a ratio's two parts each, a household's total.
    """
    present = [groups[arm] for arm in arms if arm in groups]
    if not present or spec.control not in groups:
        return {}
    pair = TwoSample(pool(present), groups[spec.control])
    if pair.unusable is not None:
        return {}
    return {name: _gamma(pair, i) for i, name in enumerate(spec.columns)}


def _gamma(pair: TwoSample, column: int) -> float | None:
    own, pooled = skewness(pair, column), pooled_skewness(pair, column)
    return None if own is None or pooled is None else max(own, pooled, key=abs)


def skewed(
    spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...]
) -> frozenset[str]:
    """The columns of which the arms' difference from the control is too skewed for Student's t."""
    found = gammas(spec, groups, arms)
    return frozenset(name for name, gamma in found.items() if gamma and abs(gamma) > SKEWED)


def rows_of(
    spec: EstimationSpec, told: Shown, units: str, engine: Engine, count: str = "COUNT(*)"
) -> UnitRows | None:
    """The units of a spec by kind; None where no difference is skewed, or there are too many.

    Args:
        spec: What is compared.
        told: Moments of the columns (not projected), and what levels are shown as.
        units: The unit table as a relation.
        engine: Where it lies.
        count: How many units some of its rows are, in SQL.
    """
    aggregates = told.aggregates
    needed = [*dict.fromkeys(needed_columns(spec, aggregates))]
    if not needed:
        return None
    segments = list(dict.fromkeys(p.dimension for p in aggregates if p.dimension is not None))
    levels = [f"s{spec.segments.index(name)}" for name in segments]
    numbers = [f"x{spec.columns.index(name)}" for name in needed]
    inner = f"SELECT {', '.join(['arm', *levels, *numbers])}, {count} AS n FROM {units}"
    inner += f" GROUP BY {', '.join(['arm', *levels, *numbers])} LIMIT {MOST_ROWS + 1}"
    texts = [f"CAST({name} AS VARCHAR) AS {name}" for name in ("arm", *levels)]
    result = engine.query(f"SELECT {', '.join([*texts, *numbers, 'n'])} FROM ({inner}) AS kinds")
    if result.num_rows > MOST_ROWS:
        return None
    values = np.zeros((result.num_rows, len(spec.columns)))
    for name, number in zip(needed, numbers, strict=True):
        values[:, spec.columns.index(name)] = _rounded(_numbers(result[number]))
    kinds, kind = np.unique(values, axis=0, return_inverse=True)
    return UnitRows(
        kinds,
        kind.ravel(),
        _texts(result, "arm"),
        {
            name: _texts(result, level, told.names.get(name))
            for name, level in zip(segments, levels, strict=True)
        },
        _numbers(result["n"]),
    )


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


def _texts(result: pa.Table, column: str, shown: Mapping[str, str] | None = None) -> np.ndarray:
    """Levels as they are shown."""
    texts = [level_name(value) for value in result[column].to_pylist()]
    return np.array([shown[text] for text in texts] if shown else texts, dtype=object)


def needed_columns(spec: EstimationSpec, aggregates: Aggregates) -> Iterator[str]:
    """The columns that anything too skewed is made of."""
    found = set[str]()
    compared = [(arm,) for arm in spec.treatments]
    for place, groups in aggregates.items():
        together = [] if place.dimension else list(spec.channels.values())
        for arms in (*compared, *together):
            found |= skewed(spec, groups, arms)
    for each in spec.between:
        found |= skewed(each, aggregates[OVERALL], each.treatments)
    if not found:
        return
    yield from (name for name in spec.columns if name in found)
    for above, below in spec.ratios.values():
        if {spec.columns[above], spec.columns[below]} & found:
            yield from (spec.columns[above], spec.columns[below])
    if spec.roles is not None and {spec.columns[c] for c in spec.roles.amounts} & found:
        yield from (spec.columns[column] for column in spec.roles.columns)
    yield from (spec.columns[column] for column in spec.covariates)
    if spec.size is not None:
        yield spec.columns[spec.size]
