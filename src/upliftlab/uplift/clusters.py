"""Standard errors by cluster: what each unit adds to an estimate's error, squared and added up."""

from __future__ import annotations

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import Level, level_of
from upliftlab.stats.moments import Array
from upliftlab.uplift.bootstrap import codes
from upliftlab.uplift.ranking import ROUNDING


def totals(rows: Array, cluster: np.ndarray) -> Array:
    """Sums of each column over each cluster's rows, shape (clusters, columns)."""
    number, units = codes(np.asarray(cluster))
    columns = [np.bincount(number, column, units) for column in rows.T]
    return np.stack(columns, axis=1, dtype=np.float64)


def estimates(
    values: Array, rows: Array, cluster: np.ndarray, confidence: float, lost: int = 1
) -> list[Effect]:
    """Estimates with the standard errors that their rows' influence has, by cluster.

    Liang & Zeger (1986): the squared sums of clusters, times C/(C−1)·(n−1)/(n−lost) with C clusters
    of n rows; intervals are Student's t with C − 1 degrees of freedom.

    Args:
        values: The estimates, shape (columns,).
        rows: What each row adds to the error, of mean 0; shape (n, columns). Errors are their sums.
        cluster: A number per randomised unit, shape (n,).
        confidence: Level of the intervals, such as 0.95.
        lost: How many numbers were estimated.
    """
    summed, n = totals(rows, cluster), len(rows)
    units = len(summed)
    if units < 2 or n <= lost:  # noqa: PLR2004 - a variance needs two
        return [Effect(float(value), note=Note.few_units) for value in values]
    factor = units / (units - 1) * (n - 1) / (n - lost)
    errors = np.sqrt((summed**2).sum(axis=0) * factor)
    errors[errors <= ROUNDING * np.sqrt((rows**2).sum(axis=0))] = 0.0
    level = level_of(confidence)
    return [
        interval(value, se, units - 1.0, level)
        for value, se in zip(values.tolist(), errors.tolist(), strict=True)
    ]


def interval(estimate: float, se: float, df: float, level: Level) -> Effect:
    """An estimate with its interval and p-value; neither where the standard error is 0."""
    if se <= ROUNDING * abs(estimate):
        return Effect(estimate, 0.0, note=Note.same_for_all)
    low, high = level.bounds(df)
    ends = estimate - high * se, estimate - low * se
    return Effect(estimate, se, df, *ends, p=level.p(estimate / se, df))
