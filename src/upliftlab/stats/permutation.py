"""How a studentised difference varies by chance: the same units divided anew, many times over.

With a small control and few, very different purchases, Student's t is a bad description: a control
that happens to hold no large purchase has a small mean and a small standard error at once. So the
statistic stays Welch's and its critical values are taken from random divisions of the pooled units
(Janssen 1997; Chung & Romano 2013), whose studentised differences vary nearly as those of the two
groups do, alike or not.

Most units are alike (they bought nothing), and what counts is how many of each kind the smaller
group gets: a multivariate hypergeometric number. Units of rare kinds are drawn one by one, from
blocks of a shuffled list, of which each is a random set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array

DRAWS = 10_000
"""Divisions of up to `MANY` rare units; of more, a fifth of it."""
MANY = 20_000
_LARGE = 100
"""A kind is counted, not drawn one by one, if it holds more than one in a hundred of the rest."""
_MOST = 500_000
"""While the rest is more than this, every kind of several units is counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Units of both groups by kind: those of a kind have the same values.

    Attributes:
        values: What is compared, shape (kinds, forms), in its own unit.
        counts: Units of each kind, shape (kinds,).
    """

    values: Array
    counts: np.ndarray


def divided(
    kinds: Kinds, sizes: tuple[int, int], rng: np.random.Generator, draws: int | None = None
) -> Array:
    """Studentised differences between random divisions, ascending, shape (draws, forms).

    Args:
        kinds: All units of both groups.
        sizes: Units of the first group (the treated) and of the second.
        rng: The source of chance.
        draws: How often to divide; by default as often as `DRAWS` says.

    Raises:
        ValueError: The sizes are not those of the units.
    """
    if kinds.counts.sum() != sum(sizes):
        raise ValueError("sizes must add up to the units")
    total = kinds.counts.sum()
    centred = kinds.values - kinds.counts @ kinds.values / total
    common = _common(kinds.counts)
    rare = np.repeat(centred[~common], kinds.counts[~common], axis=0)
    if draws is None:
        draws = DRAWS if len(rare) <= MANY else DRAWS // 5
    smaller = min(sizes)
    colours = np.append(kinds.counts[common], len(rare))
    drawn = rng.multivariate_hypergeometric(colours, smaller, draws, method="marginals")
    ones = _blocks(rare, drawn[:, -1], rng)
    squares = np.stack([centred[common], centred[common] ** 2])
    first, second = ones + drawn[:, :-1] @ squares
    whole = kinds.counts @ centred**2
    t = _studentised((first, second), (-first, whole - second), (smaller, total - smaller))
    return np.sort(t if smaller == sizes[0] else -t, axis=0)


def _common(counts: np.ndarray) -> np.ndarray:
    """Which kinds are counted: the largest, while it is quicker than drawing their units."""
    order = np.argsort(-counts, kind="stable")
    left = counts.sum() - np.cumsum(counts[order])
    large = (counts[order] * _LARGE > left) | (left > _MOST)
    chosen = (counts[order] > 1) & large
    found = np.zeros(len(counts), dtype=bool)
    found[order[: int(np.argmin(np.append(chosen, False)))]] = True
    return found


def _blocks(rare: Array, wanted: np.ndarray, rng: np.random.Generator) -> Array:
    """Sums and sums of squares of random sets of rare units, shape (2, draws, forms).

    Args:
        rare: Their values, shape (units, forms).
        wanted: The size of each set.
        rng: The source of chance.
    """
    result = np.empty((2, len(wanted), rare.shape[1]))
    ends = np.cumsum(wanted)
    done = 0
    while done < len(wanted):
        used = ends[done - 1] if done else 0
        last = max(int(np.searchsorted(ends, used + len(rare), side="right")), done + 1)
        shuffled = rare[rng.permutation(len(rare))]
        sums = np.zeros((2, len(rare) + 1, rare.shape[1]))
        np.cumsum(shuffled, axis=0, out=sums[0, 1:])
        np.cumsum(shuffled**2, axis=0, out=sums[1, 1:])
        until = ends[done:last] - used
        result[:, done:last] = sums[:, until] - sums[:, until - wanted[done:last]]
        done = last
    return result


def _studentised(
    one: tuple[Array, Array], other: tuple[Array, Array], sizes: tuple[int, int]
) -> Array:
    """Welch's statistic from sums and sums of squares; 0 where nothing varies."""
    means, variance = list[Array](), np.zeros_like(one[0])
    for (first, second), n in zip((one, other), sizes, strict=True):
        means.append(first / n)
        variance += np.maximum(second - first**2 / n, 0.0) / (n - 1) / n
    difference = means[0] - means[1]
    return np.divide(difference, np.sqrt(variance), out=np.zeros_like(variance), where=variance > 0)
