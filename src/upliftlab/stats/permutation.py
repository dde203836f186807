"""How a studentised difference varies by chance: the same units divided anew, many times over.

With a small control and few, very different purchases, Student's t is a bad description: a control
that happens to hold no large purchase has a small mean and a small standard error at once. So the
statistic stays Welch's and its critical values are taken from random divisions of the pooled units
(Janssen 1997; Chung & Romano 2013), whose studentised differences vary nearly as those of the two
groups do, alike or not.

Most units are alike (they bought nothing), and what counts is how many of each kind the smaller
group gets: a multivariate hypergeometric number. Units of rare kinds are drawn one by one, from
blocks of a shuffled list, of which each is a random set. Where they are very many, that is so of
the largest alone: the sums of the others, of which none matters, vary as normal numbers do.

Where the groups are compared within strata, units are divided within them, each stratum by itself
into groups of its own sizes, as they were assigned. The statistic is that of `strata`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from upliftlab.stats.moments import Array

FEWEST, MOST_DRAWS = 5_000, 1_000_000
"""How often units are divided anew: as often as asked, within these limits."""
_TAIL = 25
"""Divisions that must lie beyond an end before it can be told how exact it is."""
_WORK = 100_000_000
"""Rare units drawn in all; beyond `_SOME` divisions no more are made."""
_SOME = 10_000
_END, _P = 0.01, 0.03
"""Standard error of an end as a part of the interval's width; of p near α as a part of it."""
_ROUNDING = 1e-9
"""Divisions that differ by less than this part of them are alike."""
_SMALL = 0.001
"""Skewness that the sum of units may have which are not drawn one by one."""
_MANY = 500
"""Only with more rare units than this are some not drawn one by one."""
_LARGE = 100
"""A kind is counted, not drawn one by one, if it holds more than one in a hundred of the rest."""
_FEW = 2
"""With more sets in a list, they are added up all at once."""
_MOST = 500_000
"""While the rest is more than this, every kind of several units is counted."""
_AT_ONCE = 1_000_000
"""Numbers shuffled at a time, so that memory stays small."""
_STRATUM = 20
"""Dividing one more stratum takes as long as drawing about so many units."""


@dataclass(frozen=True, slots=True, eq=False)
class Kinds:
    """Units of both groups by kind: those of a kind have the same values.

    Attributes:
        values: What is compared, shape (kinds, forms), in its own unit.
        counts: Units of each kind, shape (kinds,).
    """

    values: Array
    counts: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class KindsOfStratum:
    """The units of one stratum.

    Attributes:
        kinds: Its units of both groups.
        sizes: Its units of the first group (the treated) and of the second.
        weight: Of its difference in the whole.
    """

    kinds: Kinds
    sizes: tuple[int, int]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Precision:
    """How exact draws have to be: so that none would decide otherwise if drawn again.

    Attributes:
        alpha: The two-sided level of the interval.
        found: Studentised differences; where p of one is near α, it has to be told from it.
    """

    alpha: float = 0.05
    found: tuple[float, ...] = ()

    @property
    def first(self) -> int:
        """Divisions before anything can be said."""
        return int(min(MOST_DRAWS, max(FEWEST, 2 * _TAIL / max(self.alpha, 1e-9))))

    def reached(self, draws: Array) -> bool:
        """Whether both ends, and p where it is near α, are exact enough.

        Args:
            draws: Ascending, shape (draws,).
        """
        size, tail = len(draws), self.alpha / 2
        if tail <= 0:
            return True
        at, around = size * tail, sqrt(size * tail * (1 - tail))
        near, far = (draws[int(min(size - 1, max(0, at + s * around)))] for s in (-1, 1))
        low = float(far - near) / 2
        near, far = (draws[int(max(0, min(size - 1, size - 1 - at + s * around)))] for s in (-1, 1))
        high = float(far - near) / 2
        width = float(draws[int(size - 1 - at)] - draws[int(at)])
        return max(low, high) <= _END * width and all(self._told(draws, t) for t in self.found)

    def _told(self, draws: Array, t: float) -> bool:
        """Whether p is exact enough, or far from α."""
        # A division like the one that was made lies as far out as it, whatever rounding says.
        below, size = int(np.searchsorted(draws, t - _ROUNDING * t)), len(draws)
        beyond = size - below if t > 0 else below
        p = 2 * (1 + beyond) / (size + 1)
        if not self.alpha / 2 <= p <= 2 * self.alpha:
            return True
        return bool(beyond * _P**2 >= 1 - p / 2)


def divided(
    kinds: Kinds,
    sizes: tuple[int, int],
    rng: np.random.Generator,
    draws: int | Precision = Precision(),
) -> Array:
    """Studentised differences between random divisions, ascending, shape (draws, forms).

    Args:
        kinds: All units of both groups.
        sizes: Units of the first group (the treated) and of the second.
        rng: The source of chance.
        draws: How often to divide, or until how exact the draws are: 5,000 times and twice as
            often each time, a million times at most, fewer where there is much to divide.

    Raises:
        ValueError: The sizes are not those of the units.
    """
    return divided_within([KindsOfStratum(kinds, sizes)], rng, draws)


def divided_within(
    strata: Sequence[KindsOfStratum],
    rng: np.random.Generator,
    draws: int | Precision = Precision(),
) -> Array:
    """The same between random divisions within strata: Σ w_s Δ_s over its standard error.

    Args:
        strata: Their units, sizes and weights; two units at least of each group in each.
        rng: The source of chance, for one stratum after the other.
        draws: As in `divided`.

    Raises:
        ValueError: The sizes of a stratum are not those of its units.
    """
    for stratum in strata:
        if stratum.kinds.counts.sum() != sum(stratum.sizes):
            raise ValueError("sizes must add up to the units")
    division = _Divisions.of(strata)
    if isinstance(draws, int):
        return np.sort(division.drawn(draws, rng), axis=0)
    most = int(min(MOST_DRAWS, max(_SOME, _WORK / max(1.0, division.work))))
    found = np.sort(division.drawn(min(most, draws.first), rng), axis=0)
    while len(found) < most and not all(draws.reached(column) for column in found.T):
        further = division.drawn(min(most - len(found), len(found)), rng)
        found = np.sort(np.concatenate([found, further]), axis=0)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Divisions:
    """Strata about to be divided, each by itself: of several those alone in which units differ.

    Attributes:
        parts: Their units.
        weights: Of their differences.
    """

    parts: Sequence[_Division]
    weights: Sequence[float]

    @classmethod
    def of(cls, strata: Sequence[KindsOfStratum]) -> _Divisions:
        found = [(_Division.of(each.kinds, each.sizes), each.weight) for each in strata]
        differing = [each for each in found if each[0].whole.any()] or found[:1]
        return cls([part for part, _ in differing], [weight for _, weight in differing])

    @property
    def work(self) -> float:
        """Units drawn one by one for one division of all."""
        return sum(part.work for part in self.parts) + _STRATUM * (len(self.parts) - 1)

    def drawn(self, draws: int, rng: np.random.Generator) -> Array:
        """Studentised differences between so many divisions, shape (draws, forms); 0 without."""
        shape = draws, len(self.parts[0].whole)
        difference, variance = np.zeros(shape), np.zeros(shape)
        for part, weight in zip(self.parts, self.weights, strict=True):
            own, spread = part.drawn(draws, rng)
            difference += weight * own
            variance += weight**2 * spread
        root = np.sqrt(variance)
        return np.divide(difference, root, out=np.zeros(shape), where=variance > 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Division:
    """Units about to be divided, all centred, and both groups' sizes.

    Attributes:
        common: Kinds that are counted, shape (kinds, forms), and
        counts: their units.
        large: Rare units that are drawn one by one, shape (units, forms).
        others: Rare units of which none matters, shape (units, forms).
        whole: Sum of squares of all units, shape (forms,).
        sizes: Units of the smaller group and of the larger.
        sign: −1 where the smaller group is the control.
    """

    common: Array
    counts: np.ndarray
    large: Array
    others: Array
    whole: Array
    sizes: tuple[int, int]
    sign: float

    @classmethod
    def of(cls, kinds: Kinds, sizes: tuple[int, int]) -> _Division:
        """Units by how they are divided."""
        total = int(kinds.counts.sum())
        centred = kinds.values - kinds.counts @ kinds.values / total
        whole = kinds.counts @ centred**2
        common = _common(kinds.counts)
        rare = np.repeat(centred[~common], kinds.counts[~common], axis=0)
        smaller = min(sizes)
        large = _matters(rare, whole, smaller / total)
        return cls(
            centred[common],
            kinds.counts[common],
            rare[large],
            rare[~large],
            np.asarray(whole),
            (smaller, total - smaller),
            1.0 if smaller == sizes[0] else -1.0,
        )

    @property
    def work(self) -> float:
        """Units drawn one by one for one division."""
        return len(self.large) * self.sizes[0] / sum(self.sizes)

    def drawn(self, draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Differences between so many divisions and their variances, shape (draws, forms)."""
        colours = np.concatenate([self.counts, [len(self.others), len(self.large)]])
        drawn = rng.multivariate_hypergeometric(colours, self.sizes[0], draws, method="marginals")
        sums = _blocks(self.large, drawn[:, -1], rng)
        sums += drawn[:, :-2] @ np.stack([self.common, self.common**2])
        if len(self.others):
            sums += _normal(self.others, drawn[:, -2], rng)
        first, second = sums
        groups = (first, second), (-first, self.whole - second)
        difference, variance = _difference(*groups, self.sizes)
        return self.sign * difference, variance


def _matters(rare: Array, whole: Array, share: float) -> np.ndarray:
    """Which rare units are drawn one by one: so many that the rest's sum is hardly skewed."""
    if len(rare) <= _MANY:
        return np.ones(len(rare), dtype=bool)
    scale = np.sqrt(np.where(whole > 0, whole, 1.0))
    cubes = (np.abs(rare / scale) ** 3).max(axis=1)
    order = np.argsort(cubes, kind="stable")
    skew = np.cumsum(cubes[order]) / sqrt(share * (1 - share))
    found = np.zeros(len(rare), dtype=bool)
    found[order[skew > _SMALL]] = True
    return found


def _normal(others: Array, wanted: np.ndarray, rng: np.random.Generator) -> Array:
    """Sums and sums of squares of random sets of many units, shape (2, draws, forms).

    Their means and covariances are those of drawing without replacement; their shape is normal.

    Args:
        others: The units' values, shape (units, forms).
        wanted: The size of each set.
        rng: The source of chance.
    """
    units, forms = others.shape
    powers = np.concatenate([others, others**2], axis=1)
    mean = powers.mean(axis=0)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(powers, rowvar=False)))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    spread = np.sqrt(wanted * (1 - wanted / units))[:, None]
    normal = rng.standard_normal((len(wanted), 2 * forms)) @ root.T
    sums = wanted[:, None] * mean + spread * normal
    return np.stack([sums[:, :forms], sums[:, forms:]])


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


def _difference(
    one: tuple[Array, Array], other: tuple[Array, Array], sizes: tuple[int, int]
) -> tuple[Array, Array]:
    """Welch's difference and its variance from sums and sums of squares."""
    means, variance = list[Array](), np.zeros_like(one[0])
    for (first, second), n in zip((one, other), sizes, strict=True):
        means.append(first / n)
        variance += np.maximum(second - first**2 / n, 0.0) / (n - 1) / n
    return means[0] - means[1], variance
