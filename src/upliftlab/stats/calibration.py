"""What of units is divided anew: one number each, though money, quotients and covariates come in.

A permutation needs a number per unit whose mean is compared. For a plain metric it is the metric.
For the ratio of totals Σa/Σb it is (a − r·b)/b̄ with the pooled ratio r (the delta method's), and
with covariates what the arms' common slope leaves of it, as in the statistic whose error is asked.
What a unit costs because it was treated is no chance: costs are divided as deviations from their
own group's mean, which is nothing at all where everybody costs the same, and an approximation where
redemptions do.

Where groups are compared within strata, units are divided within them: ratios and means are then
those of the weighted strata, slopes are each stratum's own, and what is the same for all units of a
group in a stratum is no chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.stats.effects import TwoSample
from upliftlab.stats.moments import Array, Moments
from upliftlab.stats.permutation import Kinds, KindsOfStratum, Precision, divided_within
from upliftlab.stats.skewness import skewness

FEWEST_ODD = 1.0
"""Units unlike the most usual one, such as purchases, that a group must be expected to have for
units to be dealt: see docs/statistics.md."""
FEWEST_IN_ALL = 15
"""Such units that both groups must have together. With fewer, an interval is given just where more
of them happened than were to be expected, and then leaves the truth out too often."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitStrata:
    """The strata within which units are compared.

    Attributes:
        place: The stratum of each row, as they stand in `Moments.strata`, shape (rows,).
        weights: Of each stratum in the whole, shape (strata,); they sum to 1.
    """

    place: np.ndarray
    weights: Array

    def each(self, counts: np.ndarray) -> Array:
        """What a unit of each row stands for in the whole, shape (rows,).

        Args:
            counts: How many units a row is.
        """
        units = np.bincount(self.place, counts, len(self.weights))
        own = np.divide(self.weights, units, out=np.zeros_like(self.weights), where=units > 0)
        return own[self.place]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Units of some groups, a row for those of a group that are alike in p columns.

    Attributes:
        values: Their columns, shape (rows, p).
        group: The group of each row, shape (rows,).
        counts: How many units it stands for, shape (rows,).
        treated: Which groups are treated, shape (groups,); the others are the control.
        size: The column of a unit's customers, None where units are customers.
        strata: The strata within which they are compared; None without.
    """

    values: Array
    group: np.ndarray
    counts: np.ndarray
    treated: np.ndarray
    size: int | None = None
    strata: UnitStrata | None = None

    @property
    def weights(self) -> Array:
        """What a row counts for in means of all units, shape (rows,): its units, or their part."""
        return self.counts if self.strata is None else self.counts * self.strata.each(self.counts)

    def among(self, inside: np.ndarray) -> Units:
        """Some of the rows."""
        return replace(
            self,
            values=self.values[inside],
            group=self.group[inside],
            counts=self.counts[inside],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A number per unit, by its group.

    Attributes:
        plain: Weights of the columns, shape (groups, p).
        own: Weights whose result is taken as a deviation from its group's mean, the same shape.
        below: The column it is divided by, None for a plain mean.
        covariates: Columns known before whose part is taken out.
        slopes: Their slopes, shape (covariates,), or of each stratum, (strata, covariates).
    """

    plain: Array
    own: Array | None = None
    below: int | None = None
    covariates: tuple[int, ...] = ()
    slopes: Array | None = None

    @property
    def columns(self) -> set[int]:
        """Every column that it is made of."""
        weights = self.plain if self.own is None else np.concatenate([self.plain, self.own])
        found = {int(column) for column in np.flatnonzero((weights != 0).any(axis=0))}
        found |= set(self.covariates)
        return found if self.below is None else found | {self.below}

    def column(self, varying: np.ndarray) -> tuple[int, float] | None:
        """The one column that it is, but for its unit and for what does not vary, and its sign.

        None where it is made of several, or nothing of it varies.

        Args:
            varying: Whether a column varies within a group, shape (groups, p).
        """
        if self.below is not None or self.covariates:
            return None
        if self.own is not None and (varying & (self.own != 0)).any():
            return None
        columns = np.flatnonzero((varying & (self.plain != 0)).any(axis=0))
        if len(columns) != 1:
            return None
        weights = self.plain[:, columns[0]]
        return (
            (int(columns[0]), float(np.sign(weights[0]))) if (weights == weights[0]).all() else None
        )


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A number per unit of a treated group and its control.

    Attributes:
        values: Shape (rows,).
        treated: Whether a row is of the treated, shape (rows,).
        counts: How many units it stands for, shape (rows,).
        strata: The strata within which the groups are compared; None without.
    """

    values: Array
    treated: np.ndarray
    counts: np.ndarray
    strata: UnitStrata | None = None

    @classmethod
    def of(cls, units: Units, measure: Measure) -> Measured:
        """A measure of units.

        Those who have nothing to divide by tell nothing of a quotient and are left out; within
        strata they stay, as how many they are in a stratum moves the ratio of all.
        """
        kept = units
        if measure.below is not None and units.strata is None:
            kept = units.among(_counted(units, measure))
        return cls(_values(kept, measure), kept.treated[kept.group], kept.counts, kept.strata)

    def pair(self) -> TwoSample:
        """The moments of both groups, within strata where there are some."""
        if self.strata is None:
            return TwoSample(self._moments(self.treated), self._moments(~self.treated))
        pairs = [(weight, part.pair()) for weight, part in self.apart()]
        return TwoSample(
            Moments.weighted([(weight, pair.treated) for weight, pair in pairs]),
            Moments.weighted([(weight, pair.control) for weight, pair in pairs]),
        )

    def apart(self) -> Iterator[tuple[float, Measured]]:
        """Each stratum's weight and units; all units where there are no strata."""
        if self.strata is None:
            yield 1.0, self
            return
        order = np.argsort(self.strata.place, kind="stable")
        ends = np.searchsorted(self.strata.place[order], np.arange(len(self.strata.weights) + 1))
        for number, weight in enumerate(self.strata.weights.tolist()):
            inside = order[ends[number] : ends[number + 1]]
            if len(inside):
                yield weight, self._among(inside)

    def _among(self, inside: np.ndarray) -> Measured:
        """Some of the rows, without strata."""
        return Measured(self.values[inside], self.treated[inside], self.counts[inside])

    def draws(self, precision: Precision) -> Array:
        """Studentised differences between random divisions, ascending, shape (draws,).

        Chance is seeded by the shape of the values and the sizes of the groups and by nothing
        else: whatever the experiment is called, in whatever order its rows come and in whatever
        unit they are, the digits stay. None are made where there are fewer than `FEWEST_IN_ALL`
        units that are not of the most usual kind, or a group would be dealt fewer than
        `FEWEST_ODD`: what it holds is an accident then, and mostly nothing, whatever is true.

        Args:
            precision: How exact they have to be.
        """
        found = [(part.seeded(), weight) for weight, part in self.apart()]
        odd = _odd([(kinds.counts, sizes) for (_, kinds, sizes), _ in found])
        if sum(odd) < FEWEST_IN_ALL or min(odd) < FEWEST_ODD:
            return np.empty(0)
        # Whatever strata are called, and in whatever order they come.
        found.sort(key=lambda each: (each[0][0], each[1]))
        seeds = b"".join(seed for (seed, *_), _ in found)
        seed = seeds if len(found) == 1 else hashlib.sha256(seeds).digest()
        strata = [KindsOfStratum(kinds, sizes, w) for (_, kinds, sizes), w in found]
        rng = np.random.default_rng(list(seed))
        return divided_within(strata, rng, precision)[:, 0]

    def seeded(self) -> tuple[bytes, Kinds, tuple[int, int]]:
        """The units by kind, how many are treated and not, and what seeds their chance."""
        kinds, which = np.unique(self.values, return_inverse=True)
        counts = np.bincount(which, weights=self.counts, minlength=len(kinds)).astype(np.int64)
        n = int(self.counts[self.treated].sum())
        sizes = n, int(counts.sum()) - n
        return _seed(kinds, counts, sizes), Kinds(kinds[:, None], counts), sizes

    def _moments(self, inside: np.ndarray) -> Moments:
        values, counts = self.values[inside], self.counts[inside]
        n = int(counts.sum())
        mean = float(counts @ values) / n if n else 0.0
        centred = values - mean
        squares = centred * centred
        second, third = float(counts @ squares), float(counts @ (squares * centred))
        return Moments(n, np.array([mean]), np.array([[second]]), np.array([third]))


def slightly(measured: Measured, most: float) -> float | None:
    """The skewness of a measure's difference where that is slight, else None: see `cubic`.

    Args:
        measured: What is compared.
        most: Up to which it counts as slight.
    """
    skew = skewness(measured.pair())
    if skew is None or not skew.slight(most)[0]:
        return None
    return float(skew.pooled[0])


def _odd(strata: Sequence[tuple[np.ndarray, tuple[int, int]]]) -> tuple[float, ...]:
    """Units unlike the most usual one of their stratum that each group is to expect.

    Args:
        strata: Units of each kind, and of both groups.
    """
    expected = [
        [float(counts.sum() - counts.max()) * n / sum(sizes) for n in sizes]
        for counts, sizes in strata
    ]
    return tuple(map(sum, zip(*expected, strict=True)))


def _seed(kinds: Array, counts: np.ndarray, sizes: tuple[int, int]) -> bytes:
    """A digest of how many units there are and of how they are spread, to six digits."""
    scale = float(counts @ kinds**2) ** 0.5 or 1.0
    shape = [f"{float(counts @ np.abs(kinds / scale) ** power):.6e}" for power in (3, 4)]
    return hashlib.sha256(f"{sizes} {shape}".encode()).digest()


def _counted(units: Units, measure: Measure) -> np.ndarray:
    """Which rows tell something of a quotient; all of them where a group would have too few."""
    below, above = _below(units.values, measure.below), _weighted(units, measure.plain)
    inside = (below != 0) | (above != 0)
    treated = units.treated[units.group]
    few = any(units.counts[inside & group].sum() < 2 for group in (treated, ~treated))  # noqa: PLR2004
    return np.ones_like(inside) if few else inside


def _values(units: Units, measure: Measure) -> Array:
    """What is compared, one number a row."""
    columns, weights = units.values, units.weights
    above = _weighted(units, measure.plain)
    if measure.own is not None:
        above += _deviations(units, _weighted(units, measure.own))
    value = _linearised(above, _below(columns, measure.below), weights)
    if measure.slopes is None:
        return value
    inside = _below(columns, units.size)
    known = [_linearised(columns[:, c], inside, weights) for c in measure.covariates]
    if units.strata is None:
        return np.asarray(value - np.stack(known, axis=1) @ measure.slopes)
    slopes = measure.slopes[units.strata.place]
    return np.asarray(value - (np.stack(known, axis=1) * slopes).sum(axis=1))


def _deviations(units: Units, own: Array) -> Array:
    """Deviations from a group's mean per customer, and within strata from a stratum's."""
    customers, weights = _below(units.values, units.size), units.weights
    found = np.zeros(len(own))
    for group in range(len(units.treated)):
        inside = units.group == group
        if inside.any():
            part = weights[inside]
            mean = part @ own[inside] / (part @ customers[inside])
            found[inside] = own[inside] - mean * customers[inside]
    if units.strata is None:
        return found
    cell = units.strata.place * len(units.treated) + units.group
    n = np.bincount(cell, units.counts)
    means = np.divide(np.bincount(cell, units.counts * found), n, out=np.zeros_like(n), where=n > 0)
    return found - means[cell]


def _weighted(units: Units, weights: Array) -> Array:
    """The columns by their group's weights, one number a row."""
    used = np.flatnonzero((weights != 0).any(axis=0))
    result = np.zeros(len(units.values))
    for column in used:
        result += units.values[:, column] * weights[units.group, column]
    return result


def _below(columns: Array, column: int | None) -> Array:
    return np.ones(len(columns)) if column is None else columns[:, column]


def _linearised(above: Array, below: Array, weights: np.ndarray) -> Array:
    """(a − r·b)/b̄, with r the pooled ratio and b̄ the pooled mean."""
    total = weights @ below
    if total == 0:
        return np.zeros_like(above)
    return np.asarray((above - weights @ above / total * below) * weights.sum() / total)
