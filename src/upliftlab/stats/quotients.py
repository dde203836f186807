"""Quotients: ratios of totals as columns of their own, so that one formula serves them all.

The ratio of two totals, Σa/Σb, is the mean of u = r + (a − r·b)/b̄ with r = ā/b̄, and by the delta
method its variance is that of u over n (Deng, Knoblich & Lu 2018). Order values are such ratios,
and with households randomised every number per customer is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from upliftlab.stats.moments import Moments, Projection

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


def undefined(group: Moments, wanted: Sequence[Quotient]) -> frozenset[int]:
    """The places of the quotients over a total of 0."""
    return frozenset(
        place
        for place, (_, below) in enumerate(wanted)
        if below is not None and group.mean[below] == 0
    )
