"""Moments: all that an estimator needs to know of a group of units, and it adds.

Merging follows the many-way form of Chan, Golub & LeVeque (1983), for third moments Pébay (2008):
every group is moved to the common mean, so nothing is subtracted that is much larger than the
result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from upliftlab.stats.blocks import Blocks, joined

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """n, means and centred sums of products of p columns over a group of units.

    Attributes:
        n: Number of units.
        mean: Means, shape (p,), in each column's unit; zeros where n = 0.
        m2: Σ(z−z̄)(z−z̄)', shape (p, p); NaN where a product of two columns is not known.
        m3: Σ(z−z̄)³ per column, shape (p,); NaN where it is not known.
        spent: Degrees of freedom that m2 lost: to its mean, and to slopes where it was adjusted.
        strata: The strata whose weighted mean this is, each with its weight; mostly none.
        blocks: What there is besides of strata with single units of an arm; mostly nothing.
    """

    n: int
    mean: Array
    m2: Array
    m3: Array
    spent: float = 1.0
    strata: tuple[tuple[float, Moments], ...] = ()
    blocks: Blocks | None = None

    @classmethod
    def zero(cls, columns: int) -> Self:
        """The moments of no units: adding them changes nothing."""
        return cls(0, np.zeros(columns), np.zeros((columns, columns)), np.zeros(columns))

    @classmethod
    def of(cls, rows: npt.ArrayLike) -> Self:
        """The moments of rows, shape (n, p), by two passes.

        >>> Moments.of([[1.0], [2.0], [6.0]]).m2
        array([[14.]])
        """
        table = np.asarray(rows, dtype=np.float64)
        if not len(table):
            return cls.zero(table.shape[1])
        mean = table.mean(axis=0)
        centred = table - mean
        return cls(len(table), mean, centred.T @ centred, (centred**3).sum(axis=0))

    @classmethod
    def weighted(
        cls, strata: Sequence[tuple[float, Moments]], blocks: Blocks | None = None
    ) -> Self:
        """The moments of a weighted mean of strata: m2/(n − 1)/n is its sampling covariance.

        n and third moments are those of all units.

        Args:
            strata: Each stratum's weight and moments; the weights sum to 1 with the blocks' share.
            blocks: The same of strata with single units of an arm.
        """
        parts = [
            (weight * part.mean, weight**2 * part.covariance / part.n) for weight, part in strata
        ]
        whole = [part for _, part in strata]
        if blocks is not None:
            parts.append((blocks.share * blocks.mean, blocks.covariance))
            whole.append(_units(blocks))
        every = pool(whole)
        sampling = np.asarray(sum(spread for _, spread in parts))
        mean, square = sum(mean for mean, _ in parts), sampling * every.n * (every.n - 1)
        return cls(every.n, np.asarray(mean), square, every.m3, strata=tuple(strata), blocks=blocks)

    def __add__(self, other: Moments) -> Moments:
        return pool((self, other))

    @property
    def covariance(self) -> Array:
        """Sample covariance matrix, shape (p, p), with n − 1; NaN where n < 2."""
        if self.n < 2:  # noqa: PLR2004 - a variance needs two
            return np.full_like(self.m2, np.nan)
        return self.m2 / (self.n - 1)

    def told_freedom(self, weights: Array) -> float | None:  # noqa: ARG002 - some know it
        """A form's squared variance per degree of freedom, where that is all that is known."""
        return None

    def project(self, projection: Projection) -> Moments:
        """The moments of new columns `matrix @ z + offset`.

        A third moment is known where a new column has at most one source that varies: cross
        products of third order are not kept.
        """
        matrix = projection.matrix
        varying = (matrix != 0) & (np.diag(self.m2) != 0)
        single = varying.sum(axis=1) <= 1
        cubes = _weighted(np.where(varying, matrix**3, 0.0), self.m3)
        return Moments(
            self.n,
            matrix @ self.mean + projection.offset,
            bilinear(matrix, self.m2, matrix),
            np.where(single, cubes, np.nan),
            self.spent,
            tuple((weight, part.project(projection)) for weight, part in self.strata),
            self.blocks and self.blocks.project(matrix, projection.offset),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A linear map of columns: matrix, shape (q, p), and offset, shape (q,)."""

    matrix: Array
    offset: Array


def bilinear(left: Array, square: Array, right: Array) -> Array:
    """`left @ square @ right.T`, in which an unknown entry counts only where it has a weight.

    >>> square = np.array([[2.0, np.nan], [np.nan, 3.0]])
    >>> one, both = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    >>> float(bilinear(one, square, one)), float(bilinear(one, square, both))
    (2.0, nan)
    """
    if not np.isnan(square).any():
        return np.asarray(left @ square @ right.T)
    return _weighted(right, _weighted(left, square).T).T


def _weighted(weights: Array, values: Array) -> Array:
    """`weights @ values`, NaN only where an unknown value has a weight."""
    unknown = np.isnan(values)
    if not unknown.any():
        return np.asarray(weights @ values)
    needed = (weights != 0).astype(np.float64) @ unknown
    return np.where(needed > 0, np.nan, weights @ np.where(unknown, 0.0, values))


def pool(groups: Iterable[Moments]) -> Moments:
    """The moments of several groups taken as one; of groups in strata, stratum by stratum.

    Raises:
        ValueError: There is no group, so the number of columns is not known.
    """
    parts: Sequence[Moments] = tuple(groups)
    if not parts:
        raise ValueError("no group to pool")
    if len(parts) == 1:
        return parts[0]
    if (within := _by_stratum(parts)) is not None:
        return within
    n = np.array([part.n for part in parts], dtype=np.float64)
    total = n.sum()
    if total == 0:
        return parts[0]
    means = np.stack([part.mean for part in parts])
    second = np.stack([part.m2 for part in parts])
    # The weighted mean is taken around the first group's, so that equal means stay exact.
    origin = means[int(np.argmax(n > 0))]
    mean = origin + (n / total) @ np.where(n[:, None] > 0, means - origin, 0.0)
    shift = np.where(n[:, None] > 0, means - mean, 0.0)
    m2 = second.sum(axis=0) + (shift * n[:, None]).T @ shift
    inner = 3 * np.diagonal(second, axis1=1, axis2=2) * shift + n[:, None] * shift**3
    m3 = np.stack([part.m3 for part in parts]).sum(axis=0) + inner.sum(axis=0)
    return Moments(int(total), mean, m2, m3)


def _by_stratum(parts: Sequence[Moments]) -> Moments | None:
    """Groups over the same strata as one; None where some are not in strata, or in others."""
    present = [part for part in parts if part.n]
    weights = {tuple(weight for weight, _ in part.strata) for part in present}
    blocks = [part.blocks for part in present if part.blocks is not None]
    sizes = {tuple(each.sizes.tolist()) for each in blocks}
    if len(weights) != 1 or len(blocks) not in (0, len(present)) or len(sizes) > 1:
        return None
    shares = weights.pop()
    if not shares and not blocks:
        return None
    together = [pool(part.strata[at][1] for part in present) for at in range(len(shares))]
    found = list(zip(shares, together, strict=True))
    if not blocks:
        return Moments.weighted(found)
    return Moments.weighted(found, joined(blocks))


def _units(blocks: Blocks) -> Moments:
    """The units of blocks as one group, of which only number and mean are known."""
    unknown = np.full((blocks.means.shape[1],) * 2, np.nan)
    n = int(blocks.n.sum())
    return Moments(n, blocks.n @ blocks.means / n, unknown, unknown[0])
