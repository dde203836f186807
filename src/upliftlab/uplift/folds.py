"""Folds: which part of a cross-fitting each unit is in, decided by a hash of its number."""

from __future__ import annotations

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = 2**64


def fold_of(cluster: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold of each row, shape (n,), int64; all rows of a unit share one.

    It depends on the unit's number and the seed alone, not on who else there is or in which order
    they come. Units fall into folds of nearly equal size, as independent draws would. Another
    seed makes another division. The hash is the finaliser of SplitMix64 (Steele, Lea & Flood
    2014) over the number and, before it, the seed.

    Args:
        cluster: A whole number per row that names its unit, shape (n,).
        folds: How many parts, at least 2.
        seed: Which division.

    Raises:
        ValueError: Fewer than two folds, or numbers that are not whole.

    >>> fold_of(np.array([7, 8, 7, 9, 10]), folds=5, seed=1)
    array([2, 0, 2, 0, 3])
    """
    if folds < 2:  # noqa: PLR2004 - one to learn from and one to judge
        raise ValueError("it takes two folds")
    if cluster.dtype.kind not in "iu":
        raise ValueError("units are named by whole numbers")
    start = mixed(np.array([seed % _WORD], dtype=np.uint64))
    words = mixed(cluster.astype(np.int64).view(np.uint64) ^ start)
    return ((words >> np.uint64(32)) * np.uint64(folds) >> np.uint64(32)).astype(np.int64)


def mixed(words: np.ndarray) -> np.ndarray:
    """Words of 64 bits, each bit of which depends on every bit; overflow is meant."""
    z = words + np.uint64(_GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
