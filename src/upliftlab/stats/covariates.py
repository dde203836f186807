"""Covariates: what was known before takes its share of chance out of the comparison.

Lin (2013): within each arm every outcome is regressed on the covariates, and both arms are read
at the covariates' pooled mean. With slopes β_a, an adjusted mean is that of u = z − β_a'(x − X̄):
one more linear map of the arm's own moments, whatever z is, money too. X̄ is itself estimated,
from N units with covariance S: a linear form w varies by (Σ β_a w_a)' S (Σ β_a w_a) / N more
(Negi & Wooldridge 2021). One covariate with one common slope is CUPED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from upliftlab.stats.effects import Pooled, TwoSample
from upliftlab.stats.moments import Array, Moments, Projection, pool

UNITS_EACH = 10
"""Units that a group must have for its mean and for each slope."""


def adjusted(pair: TwoSample, covariates: Sequence[int]) -> TwoSample:
    """The pair with every column adjusted for the covariates among its columns.

    The pair is returned as it is where a group is too small for the slopes, or where no
    covariate varies within both groups.

    Args:
        pair: Moments of a treated group and its control.
        covariates: Columns that were known before assignment.
    """
    groups = (pair.treated, pair.control)
    kept = _independent(groups, covariates)
    if not kept or min(group.n for group in groups) < UNITS_EACH * (len(kept) + 1):
        return pair
    total = pool(groups)
    slopes = [_slopes(group, kept) for group in groups]
    mean, spread = total.mean[kept], total.covariance[np.ix_(kept, kept)] / total.n
    return replace(
        pair,
        treated=_at(groups[0], kept, (slopes[0], mean)),
        control=_at(groups[1], kept, (slopes[1], mean)),
        pooled=Pooled(slopes[0], slopes[1], spread),
    )


def _independent(groups: Sequence[Moments], covariates: Sequence[int]) -> list[int]:
    """Covariates that vary in every group and are not made of those before them."""
    kept: list[int] = []
    for column in covariates:
        tried = [*kept, column]
        if all(_full_rank(group, tried) for group in groups):
            kept = tried
    return kept


def _full_rank(group: Moments, columns: list[int]) -> bool:
    inside = group.m2[np.ix_(columns, columns)]
    spread = np.sqrt(np.diag(inside))
    if not (spread > 0).all():
        return False
    correlation = inside / np.outer(spread, spread)
    return bool(np.linalg.eigvalsh(correlation)[0] > 1e-8)  # noqa: PLR2004 - beyond double precision


def _slopes(group: Moments, kept: list[int]) -> Array:
    """Regression slopes of every column on the covariates, shape (covariates, columns)."""
    solved = np.linalg.solve(group.m2[np.ix_(kept, kept)], group.m2[kept])
    return np.asarray(solved, dtype=np.float64)


def _at(group: Moments, kept: list[int], line: tuple[Array, Array]) -> Moments:
    """A group's moments as if all of it were at the covariates' pooled mean.

    Cross-products are scaled so that the variance has n − 1 − covariates below the line.
    """
    slopes, mean = line
    matrix = np.eye(len(group.mean))
    matrix[:, kept] -= slopes.T
    moved = group.project(Projection(matrix, slopes.T @ mean))
    scale = (group.n - 1) / (group.n - 1 - len(kept))
    return Moments(moved.n, moved.mean, moved.m2 * scale, np.full_like(moved.m3, np.nan))
