"""What of units is divided anew: one number each, though money, quotients and covariates come in.

A permutation needs a number per unit whose mean is compared. For a plain metric it is the metric.
For the ratio of totals Σa/Σb it is (a − r·b)/b̄ with the pooled ratio r (the delta method's), and
with covariates what the arms' common slope leaves of it, as in the statistic whose error is asked.
What a unit costs because it was treated is no chance: costs are divided as deviations from their
own group's mean, which is nothing at all where everybody costs the same, and an approximation where
redemptions do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.stats.permutation import Kinds, divided


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Units of some groups by kind, those of one kind being alike in p columns.

    Attributes:
        values: Their columns, shape (kinds, p).
        counts: How many there are in each group, shape (groups, kinds).
        treated: Which groups are treated, shape (groups,); the others are the control.
        size: The column of a unit's customers, None where units are customers.
    """

    values: Array
    counts: np.ndarray
    treated: np.ndarray
    size: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A number per unit, by its group.

    Attributes:
        plain: Weights of the columns, shape (groups, p).
        own: Weights whose result is taken as a deviation from its group's mean, the same shape.
        below: The column it is divided by, None for a plain mean.
        covariates: Columns known before whose part is taken out.
        slopes: Their slopes, shape (covariates,).
    """

    plain: Array
    own: Array | None = None
    below: int | None = None
    covariates: tuple[int, ...] = ()
    slopes: Array | None = None


def calibrated(
    units: Units, measures: Sequence[Measure], rng: np.random.Generator
) -> tuple[Array, ...]:
    """Studentised differences of each measure between random divisions, ascending.

    Measures of the same units are divided together: the same divisions serve all of them. Those who
    have nothing to divide by tell nothing of a quotient and are not dealt; of the others each group
    keeps as many as it has.

    Args:
        units: The treated and the control.
        measures: What is compared.
        rng: The source of chance.
    """
    groups, kinds = np.nonzero(units.counts)
    rows = groups, kinds, units.counts[groups, kinds]
    counted = [_counted(units, measure, rows) for measure in measures]
    found: list[Array] = [np.zeros(0)] * len(measures)
    for those in {inside.tobytes(): inside for inside in counted}.values():
        alike = [i for i, inside in enumerate(counted) if (inside == those).all()]
        kept = rows[0][those], rows[1][those], rows[2][those]
        draws = _divided(units, [measures[i] for i in alike], kept, rng)
        for i, column in zip(alike, draws.T, strict=True):
            found[i] = column
    return tuple(found)


def _counted(units: Units, measure: Measure, rows: Rows) -> np.ndarray:
    """Which rows tell something of a measure; all of them where a group would have too few."""
    groups, kinds, counts = rows
    below = _below(units.values[kinds], measure.below)
    above = np.einsum("rp,rp->r", units.values[kinds], measure.plain[groups])
    inside = (below != 0) | (above != 0)
    treated = units.treated[groups]
    few = any(counts[inside & group].sum() < 2 for group in (treated, ~treated))  # noqa: PLR2004
    return np.ones_like(inside) if few or measure.below is None else inside


def _divided(
    units: Units, measures: Sequence[Measure], rows: Rows, rng: np.random.Generator
) -> Array:
    """Draws of measures that some rows are dealt for, shape (draws, measures)."""
    groups, _, counts = rows
    values = np.stack([_values(units, m, rows) for m in measures], axis=1)
    merged, which = np.unique(values, axis=0, return_inverse=True)
    together = np.bincount(which.ravel(), weights=counts, minlength=len(merged)).astype(np.int64)
    n = int(counts[units.treated[groups]].sum())
    return divided(Kinds(merged, together), (n, int(counts.sum()) - n), rng)


Rows = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Group, kind and count of every kind in every group that holds it, each of shape (rows,)."""


def _values(units: Units, measure: Measure, rows: Rows) -> Array:
    """What is compared, one number a row."""
    groups, kinds, counts = rows
    columns = units.values[kinds]
    above = np.einsum("rp,rp->r", columns, measure.plain[groups])
    if measure.own is not None:
        own = np.einsum("rp,rp->r", columns, measure.own[groups])
        customers = _below(columns, units.size)
        for group in range(len(units.counts)):
            inside = groups == group
            if inside.any():
                weights = counts[inside]
                mean = weights @ own[inside] / (weights @ customers[inside])
                above[inside] += own[inside] - mean * customers[inside]
    value = _linearised(above, _below(columns, measure.below), counts)
    if measure.slopes is None:
        return value
    inside = _below(columns, units.size)
    known = [_linearised(columns[:, c], inside, counts) for c in measure.covariates]
    return np.asarray(value - np.stack(known, axis=1) @ measure.slopes)


def _below(columns: Array, column: int | None) -> Array:
    return np.ones(len(columns)) if column is None else columns[:, column]


def _linearised(above: Array, below: Array, counts: np.ndarray) -> Array:
    """(a − r·b)/b̄, with r the pooled ratio and b̄ the pooled mean."""
    total = counts @ below
    if total == 0:
        return np.zeros_like(above)
    return np.asarray((above - counts @ above / total * below) * counts.sum() / total)
