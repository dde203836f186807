"""Quotients: ratios of totals as columns of their own, so that one formula serves them all.

The ratio of two totals, Σa/Σb, is the mean of u = r + (a − r·b)/b̄ with r = ā/b̄, and by the delta
method its variance is that of u over n (Deng, Knoblich & Lu 2018). Order values are such ratios,
and with households randomised every number per customer is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from upliftlab.stats.moments import Moments, Projection

FEWEST_DENOMINATORS = 10
"""Units with something to divide by, in effect, that a group must have: see docs/statistics.md."""
Quotient = tuple[int, int | None]
"""The column above the line and the one below; None for a plain mean."""


def quotients(group: Moments, wanted: Sequence[Quotient]) -> Moments:
    """The moments of a group's quotients, in the order they are asked for.

    A quotient over a total of 0 has no value: its mean is 0 with no variance, and `undefined`
    tells which these are.

    >>> group = Moments.of([[10.0, 1.0], [0.0, 0.0], [50.0, 2.0]])
    >>> quotients(group, [(0, 1), (0, None)]).mean
    array([20., 20.])
    """
    columns = len(group.mean)
    matrix, offset = np.zeros((len(wanted), columns)), np.zeros(len(wanted))
    for row, (above, below) in enumerate(wanted):
        if below is None:
            matrix[row, above] = 1.0
        elif group.mean[below] != 0:
            ratio = group.mean[above] / group.mean[below]
            matrix[row, above] += 1.0 / group.mean[below]
            matrix[row, below] -= ratio / group.mean[below]
            offset[row] = ratio
    return group.project(Projection(matrix, offset))


def of_present(group: Moments, total: int, present: int) -> Moments:
    """The moments of a column over those of a group alone who have a value in it.

    Exactly theirs, out of the moments of all: with v the value (0 without) and b whether there is
    one, Σ(v − v̄)² over those who have one is the form of m2 by (1, −v̄).

    Args:
        group: Moments of everybody.
        total: The column of values, 0 where there is none.
        present: The column that is 1 where there is a value, else 0.

    >>> of_present(Moments.of([[10.0, 1.0], [0.0, 0.0], [50.0, 1.0]]), 0, 1).m2
    array([[800.]])
    """
    n = round(group.n * float(group.mean[present]))
    if n == 0:
        return Moments.zero(1)
    mean = float(group.mean[total] / group.mean[present])
    line = np.zeros(len(group.mean))
    line[total], line[present] = 1.0, -mean
    square = max(0.0, float(line @ group.m2 @ line))
    return Moments(n, np.array([mean]), np.array([[square]]), np.array([np.nan]))


def denominators(group: Moments, below: int) -> float:
    """How many units there are with something to divide by, in effect.

    It is (Σb)²/Σb² (Kish 1965): their number where all have as much, and fewer where a few hold
    most of it. NaN where no total tells Σb². In strata each b has the weight of its unit, w_s/n_s.

    >>> denominators(Moments.of([[1.0], [0.0], [1.0], [0.0]]), 0)
    2.0
    """
    total = squares = 0.0
    for weight, part in group.strata or ((1.0, group),):
        own = part.n * float(part.mean[below])
        each = weight * group.n / part.n if group.strata else 1.0
        total += each * own
        squares += each**2 * (float(part.m2[below, below]) + own * float(part.mean[below]))
    return total**2 / squares if squares else 0.0


def of_denominators(made: Moments, counted: Mapping[int, float]) -> Moments:
    """Quotients with the variance that so few denominators have.

    The linearised u is the quotient itself for whoever has nothing to divide by, so its variance
    is one of k units and not of n: it loses k/(k − 1), not n/(n − 1). With one order for everybody
    who ordered it is then exactly that of their average.

    Args:
        made: Moments of quotients.
        counted: Units with something to divide by (`denominators`), by the quotient's column.

    >>> rows = [[10.0, 1.0], [0.0, 0.0], [50.0, 1.0]]
    >>> of_denominators(quotients(Moments.of(rows), [(0, 1)]), {0: 2.0}).covariance / 3
    array([[400.]])
    """
    scale = np.ones(len(made.mean))
    for column, k in counted.items():
        if k > 1 and made.n > 1:
            scale[column] = (k / (k - 1) * (made.n - 1) / made.n) ** 0.5
    return replace(made, m2=made.m2 * np.outer(scale, scale))


def undefined(group: Moments, wanted: Sequence[Quotient]) -> frozenset[int]:
    """The places of the quotients over a total of 0."""
    return frozenset(
        place
        for place, (_, below) in enumerate(wanted)
        if below is not None and group.mean[below] == 0
    )
