"""The bootstrap of curves by cluster: all draws at once, as one matrix product.

To draw 1,000 times among a million customers is slow, and most of it says nothing: how much a sum
varies shows as well in the sums of a few hundred random groups of whole clusters (the bag of
groups, or grouped jackknife's units, drawn as in Efron 1979). A curve is a cumulative sum over bins
of a ranking; so each group keeps one sum per bin, and a draw is a weighted sum of groups.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from upliftlab.stats.moments import Array

GROUPS = 500
"""Random groups of clusters. The spread among them is known to within 1/√(2·500) = 3 %."""
DRAWS = 1_000
"""How often groups are drawn."""
_SPARSE = 8
"""Clusters are looked up in a table while their numbers run to at most so many times the rows."""


def codes(cluster: np.ndarray) -> tuple[np.ndarray, int]:
    """Clusters numbered from 0 without gaps, shape (n,), and how many there are.

    >>> codes(np.array([7, 3, 7, 9]))
    (array([1, 0, 1, 2]), 3)
    """
    size = len(cluster)
    if size == 0:
        return np.zeros(0, dtype=np.int64), 0
    lowest, highest = int(cluster.min()), int(cluster.max())
    if highest - lowest >= _SPARSE * size:
        unique, numbers = np.unique(cluster, return_inverse=True)
        return numbers.astype(np.int64), len(unique)
    shifted = cluster.astype(np.int64) - lowest
    seen = np.zeros(highest - lowest + 1, dtype=bool)
    seen[shifted] = True
    ranks = np.cumsum(seen)
    return ranks[shifted] - 1, int(ranks[-1])


def groups_of(cluster: np.ndarray, rng: np.random.Generator, groups: int = GROUPS) -> np.ndarray:
    """The random group of each row, the same for all rows of a cluster, shape (n,).

    Groups hold equally many clusters, give or take one; with no more clusters than groups each is
    a group of its own.

    Args:
        cluster: A number per randomised unit, shape (n,).
        rng: The source of chance.
        groups: How many groups at most.
    """
    numbers, count = codes(cluster)
    dealt = rng.permutation(count) % min(groups, max(1, count))
    return dealt[numbers]


def grouped_sums(values: Array, bins: np.ndarray, group: np.ndarray, number: int) -> Array:
    """Sums per group and bin, shape (groups, number).

    A customer may have several rows (steps of a curve), all of the same group.

    Args:
        values: What is added up, shape (rows,); 1 throughout counts.
        bins: The bin of each row, from 0 to `number` − 1, shape (rows,).
        group: The group of each row (`groups_of`), shape (rows,).
        number: How many bins there are.
    """
    groups = int(group.max()) + 1 if len(group) else 0
    cells = group.astype(np.int64) * number + bins
    return np.bincount(cells, values, groups * number).astype(np.float64).reshape(groups, number)


def draws(sums: Array, rng: np.random.Generator, number: int = DRAWS) -> Array:
    """Totals of as many groups as there are, drawn with replacement, shape (number, ...).

    Stack what belongs together (gain and cost, sums and counts) so that it is drawn together.

    Args:
        sums: Sums of each group, shape (groups, ...).
        rng: The source of chance.
        number: How often to draw.

    >>> sums = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    >>> drawn = draws(sums, np.random.default_rng(1), 5)
    >>> drawn.shape, bool((drawn[:, 1] == 10 * drawn[:, 0]).all())
    ((5, 2), True)
    """
    groups = len(sums)
    drawn = rng.integers(0, groups, (number, groups)) + groups * np.arange(number)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=number * groups).astype(np.float64)
    weights = weights.reshape(number, groups)
    return (weights @ sums.reshape(groups, -1)).reshape(number, *sums.shape[1:])


def band(estimate: Array, drawn: Array, confidence: float) -> tuple[Array, Array]:
    """The pointwise interval of a curve: its draws' standard deviation times the normal quantile.

    It holds at each point, not for all at once.

    Args:
        estimate: The curve, shape (points,).
        drawn: The curve of each draw, shape (number, points).
        confidence: Level of the interval, such as 0.95.
    """
    half = float(ndtri((1 + confidence) / 2)) * drawn.std(axis=0, ddof=1)
    return estimate - half, estimate + half
