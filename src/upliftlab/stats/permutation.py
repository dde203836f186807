"""How a studentised difference varies by chance: the same units divided anew, many times over.

With a small control and few, very different purchases, Student's t is a bad description: a control
that happens to hold no large purchase has a small mean and a small standard error at once. So the
statistic stays Welch's and its critical values are taken from random divisions of the pooled units
(Janssen 1997; Chung & Romano 2013), whose studentised differences vary nearly as those of the two
groups do, alike or not.

Most units are alike (they bought nothing), and what counts is how many of each kind the smaller
group gets: a multivariate hypergeometric number. Units of rare kinds are drawn one by one, from
blocks of a shuffled list, of which each is a random set, or by marking them where that is quicker.
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
_WORTH = 8
"""With fewer units of a kind in a set, it is quicker to draw them."""
_PART = 0.2
"""Where sets hold more than this part of the rare units, these are marked, not shuffled."""
_MARKS = 200_000
"""Units that are marked at once, so that memory stays small."""
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
    common = _common(kinds.counts, min(sizes) / total)
    rare = np.repeat(centred[~common], kinds.counts[~common], axis=0)
    if draws is None:
        draws = DRAWS if len(rare) <= MANY else DRAWS // 5
    smaller = min(sizes)
    colours = np.append(kinds.counts[common], len(rare))
    drawn = rng.multivariate_hypergeometric(colours, smaller, draws, method="marginals")
    ones = _sums(rare, drawn[:, -1], rng)
    squares = np.stack([centred[common], centred[common] ** 2])
    first, second = ones + drawn[:, :-1] @ squares
    whole = kinds.counts @ centred**2
    t = _studentised((first, second), (-first, whole - second), (smaller, total - smaller))
    return np.sort(t if smaller == sizes[0] else -t, axis=0)


def _common(counts: np.ndarray, part: float) -> np.ndarray:
    """Which kinds are counted: the largest, while it is quicker than drawing their units.

    Args:
        counts: Units of each kind.
        part: What part of all units a set holds.
    """
    order = np.argsort(-counts, kind="stable")
    left = counts.sum() - np.cumsum(counts[order])
    large = (counts[order] * _LARGE > left) & (counts[order] * part > _WORTH)
    chosen = (counts[order] > 1) & (large | (left > _MOST))
    found = np.zeros(len(counts), dtype=bool)
    found[order[: int(np.argmin(np.append(chosen, False)))]] = True
    return found


def _sums(rare: Array, wanted: np.ndarray, rng: np.random.Generator) -> Array:
    """Sums and sums of squares of random sets of rare units, shape (2, draws, forms).

    Args:
        rare: Their values, shape (units, forms).
        wanted: The size of each set.
        rng: The source of chance.
    """
    large = wanted.mean() > _PART * len(rare)
    return (_marks if large and len(rare) <= MANY else _blocks)(rare, wanted, rng)


def _marks(rare: Array, wanted: np.ndarray, rng: np.random.Generator) -> Array:
    """The same where sets are a large part of all: units are marked instead of shuffled.

    Each is marked with the same probability; any set of the size that comes out is then as likely
    as any other, and stays so as random units are added or removed until the size is right.
    """
    table = np.concatenate([rare, rare**2], axis=1)
    result = np.empty((len(wanted), table.shape[1]))
    limit = np.uint16(round(wanted.mean() / len(rare) * np.iinfo(np.uint16).max))
    rows = _MARKS // len(rare) + 1
    for start in range(0, len(wanted), rows):
        sizes = wanted[start : start + rows]
        marks = rng.integers(0, 2**16, (len(sizes), len(rare)), dtype=np.uint16) < limit
        _correct(marks, sizes, rng)
        result[start : start + rows] = marks.astype(np.float64) @ table
    return result.reshape(len(wanted), 2, -1).swapaxes(0, 1)


def _correct(marks: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> None:
    """Mark or clear units at random, in place, until each row has as many marks as its size."""
    flat, units = marks.reshape(-1), marks.shape[1]
    surplus = marks.sum(axis=1) - sizes
    last = np.empty(len(flat), dtype=np.int64)
    while surplus.any():
        # As many places of a row as are wrong, so that no row goes too far; each but once.
        rows = np.repeat(np.arange(len(sizes)), np.abs(surplus))
        places = rows * units + rng.integers(units, size=len(rows))
        last[places] = np.arange(len(rows))
        hits = (last[places] == np.arange(len(rows))) & (flat[places] == (surplus[rows] > 0))
        flat[places[hits]] ^= True
        surplus -= np.sign(surplus) * np.bincount(rows[hits], minlength=len(sizes))


def _blocks(rare: Array, wanted: np.ndarray, rng: np.random.Generator) -> Array:
    """The same where sets are a small part of all, cut one after the other from a shuffled list."""
    lines = np.concatenate([rare, rare**2], axis=1).T.copy()
    result = np.empty((len(lines), len(wanted)))
    # A place behind the last unit, so that every end is a place.
    shuffled = np.zeros((len(lines), len(rare) + 1))
    ends = np.cumsum(wanted)
    done = 0
    while done < len(wanted):
        used = ends[done - 1] if done else 0
        last = max(int(np.searchsorted(ends, used + len(rare), side="right")), done + 1)
        shuffled[:, :-1] = lines.take(rng.permutation(len(rare)), axis=1)
        edges = np.append(0, ends[done:last] - used)
        result[:, done:last] = np.add.reduceat(shuffled, edges, axis=1)[:, :-1]
        done = last
    result[:, wanted == 0] = 0.0
    return result.reshape(2, -1, len(wanted)).swapaxes(1, 2)


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
