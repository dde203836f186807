"""Moments of every day so far, from what each day adds to a group's sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from upliftlab.stats.moments import Array, Moments

_TRACE = 1e-12
"""Variation that is a smaller part of the sum of squares than this is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class DailySums:
    """What each day adds to the sums over a group's units of p columns.

    Attributes:
        changed: Units that change, shape (days,).
        first: Added to Σz, shape (days, p).
        second: Added to Σzz', shape (days, p, p).
        third: Added to Σz³, shape (days, p).
    """

    changed: np.ndarray
    first: Array
    second: Array
    third: Array

    @classmethod
    def zero(cls, days: int, columns: int) -> Self:
        """The sums of a group in which nothing happens."""
        return cls(
            np.zeros(days, dtype=np.int64),
            np.zeros((days, columns)),
            np.zeros((days, columns, columns)),
            np.zeros((days, columns)),
        )

    @classmethod
    def of(cls, path: Array) -> Self:
        """The sums of units whose numbers so far are known, shape (units, days, p).

        Before the first day every number is 0.
        """
        before = np.concatenate([np.zeros_like(path[:, :1]), path[:, :-1]], axis=1)
        square, cube = (
            np.einsum("udp,udq->dpq", path, path) - np.einsum("udp,udq->dpq", before, before),
            (path**3 - before**3).sum(axis=0),
        )
        changed = (path != before).any(axis=2).sum(axis=0)
        return cls(changed, (path - before).sum(axis=0), square, cube)


def moments_by_day(
    whole: Moments, sums: DailySums, start: Array, same: Sequence[int], centres: Array
) -> Iterator[Moments]:
    """A group's moments up to the end of each day.

    Args:
        whole: Its moments when all days are over: of the columns that stay the same, always theirs.
        sums: What each day adds; products with columns that stay the same are with their deviations
            from their centres.
        start: What a column of a unit is before any event, shape (p,); 0 of those that stay the
            same.
        same: The columns that stay the same.
        centres: What is taken off them, shape (p,); 0 of all others.
    """
    n, fixed = whole.n, list(same)
    base = np.array(start, dtype=np.float64)
    base[fixed] = (whole.mean - centres)[fixed]
    first = n * base + sums.first.cumsum(axis=0)
    second = n * np.outer(base, base) + sums.second.cumsum(axis=0)
    third = n * base**3 + sums.third.cumsum(axis=0)
    kept = np.ix_(fixed, fixed)
    for one, square, cube in zip(first, second, third, strict=True):
        mean = one / n if n else one
        m2 = square - n * np.outer(mean, mean)
        trace = np.diagonal(m2) <= _TRACE * np.diagonal(square)
        trace[fixed] = False
        m2[trace, :] = m2[:, trace] = 0.0
        m2[kept] = whole.m2[kept]
        m3 = cube - 3 * mean * np.diagonal(square) + 2 * n * mean**3
        m3[trace] = 0.0
        m3[fixed] = whole.m3[fixed]
        yield Moments(n, mean + centres, m2, m3)
