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

FEWEST, MOST_DRAWS = 2_000, 10_000
"""How often units are divided anew: as often as `_WORK` allows, within these limits."""
_WORK = 2_000_000
"""Rare units shuffled in all, where fewer divisions than the most are made."""
_LARGE = 100
"""A kind is counted, not drawn one by one, if it holds more than one in a hundred of the rest."""
_FEW = 2
"""With more sets in a list, they are added up all at once."""
_MOST = 500_000
"""While the rest is more than this, every kind of several units is counted."""


_AT_ONCE = 1_000_000
"""Numbers shuffled at a time, so that memory stays small."""


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
        draws: How often to divide; by default 2,000 to 10,000 times, by the work it takes.

    Raises:
        ValueError: The sizes are not those of the units.
    """
    if kinds.counts.sum() != sum(sizes):
        raise ValueError("sizes must add up to the units")
    total = kinds.counts.sum()
    centred = kinds.values - kinds.counts @ kinds.values / total
    common = _common(kinds.counts)
    rare = np.repeat(centred[~common], kinds.counts[~common], axis=0)
    smaller = min(sizes)
    if draws is None:
        share = max(smaller / total, 1 / max(1, len(rare)))
        affordable = _WORK / max(1.0, share * len(rare))
        draws = int(min(MOST_DRAWS, max(FEWEST, affordable)))
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
    units, forms = rare.shape
    each = max(1, units // max(1, int(wanted.max())))
    lists = -(-len(wanted) // each)
    sizes = np.zeros(lists * each, dtype=np.int64)
    sizes[: len(wanted)] = wanted
    ends = np.cumsum(sizes.reshape(lists, each), axis=1)
    powers = np.concatenate([rare, rare**2], axis=1)
    result = np.empty((lists, each, 2 * forms))
    batch = max(1, _AT_ONCE // max(1, units))
    for start in range(0, lists, batch):
        until = ends[start : start + batch]
        ranks = np.tile(np.arange(units, dtype=np.int64), (len(until), 1))
        ranks = rng.permuted(ranks, axis=1)
        summed = _masked if each <= _FEW else _owned
        result[start : start + batch] = summed(ranks, until, powers)
    flat = result.reshape(-1, 2 * forms)[: len(wanted)]
    return np.stack([flat[:, :forms], flat[:, forms:]])


def _masked(ranks: np.ndarray, until: np.ndarray, values: Array) -> Array:
    """Sums of values over each list's sets, shape (lists, sets, columns), one set after the other.

    Args:
        ranks: Where in its list each unit stands, shape (lists, units).
        until: The rank at which each set ends and the next begins, shape (lists, sets).
        values: Shape (units, columns).
    """
    result = np.empty((*until.shape, values.shape[1]))
    for number in range(until.shape[1]):
        inside = ranks < until[:, number, None]
        if number:
            inside &= ranks >= until[:, number - 1, None]
        result[:, number] = inside.astype(np.float64) @ values
    return result


def _owned(ranks: np.ndarray, until: np.ndarray, values: Array) -> Array:
    """The same for many sets, all at once; units are added up in their own order here as well."""
    lengths = np.diff(until, axis=1, prepend=0, append=ranks.shape[1])
    sets = np.repeat(np.arange(lengths.size), lengths.ravel()).reshape(ranks.shape)
    owners = np.take_along_axis(sets, ranks, axis=1).ravel()
    columns = [
        np.bincount(owners, np.tile(column, len(ranks)), lengths.size).reshape(lengths.shape)
        for column in values.T
    ]
    return np.stack(columns, axis=-1, dtype=np.float64)[:, :-1]


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
