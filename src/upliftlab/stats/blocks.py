"""Blocks: strata in which some arm has a single unit, such as matched pairs.

A single unit tells no variance, so what tells it is how the blocks' own differences vary. With W_k
a block's part of the units of all blocks, the variance of Δ = Σ W_k Δ_k is estimated by

    Σ c_k (Δ_k − Δ)²,  c_k = W_k²/(1 − 2W_k) / (1 + Σ W_i²/(1 − 2W_i))

(Pashley & Miratrix 2021, for blocks of different sizes). Of blocks of one size c_k is
1/(m(m − 1)): for pairs it is the variance of their differences over m, with m − 1 degrees of
freedom. It errs to the safe side by how much effects differ between blocks (Imai 2008, Fogarty
2018).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_HALF = 0.5
_TWO = 2


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """An arm's part of m blocks, over p columns.

    Attributes:
        share: What all blocks weigh beside strata that tell their own variance.
        sizes: Units of every block, of all arms, shape (m,).
        n: The arm's units in every block, shape (m,).
        means: The arm's means in every block, shape (m, p).
    """

    share: float
    sizes: Array
    n: Array
    means: Array

    @property
    def weights(self) -> Array:
        """Each block's part of all blocks, shape (m,)."""
        return np.asarray(self.sizes / self.sizes.sum())

    @property
    def mean(self) -> Array:
        """The blocks' weighted mean, shape (p,)."""
        return np.asarray(self.weights @ self.means)

    @property
    def factors(self) -> Array:
        """What each squared deviation counts for in the variance of their mean, c_k·share²."""
        return spread_factors(self.sizes) * self.share**2

    @property
    def df(self) -> float:
        """Degrees of freedom: m − 1 of blocks of one size, of others as many as they amount to."""
        return float(1 / (self.weights**2).sum() - 1)

    @property
    def covariance(self) -> Array:
        """The arm's own share of the sampling covariance, shape (p, p)."""
        away = self.means - self.mean
        return np.asarray((away * self.factors[:, None]).T @ away)

    def along(self, weights: Array) -> Array:
        """Deviations of a form from its mean by block, shape (m,)."""
        used = weights != 0
        return np.asarray((self.means[:, used] - self.mean[used]) @ weights[used])

    def project(self, matrix: Array, offset: Array) -> Blocks:
        """The same over new columns `matrix @ z + offset`."""
        return replace(self, means=self.means @ matrix.T + offset)


def spread_factors(sizes: Array) -> Array:
    """The factors c_k of blocks of such sizes, shape (m,); NaN where they tell no variance.

    They tell none where there is one block, or one holds half of all units and more.

    >>> spread_factors(np.array([2.0, 2.0, 2.0])).round(6).tolist()  # 1/(m(m − 1))
    [0.166667, 0.166667, 0.166667]
    """
    m = len(sizes)
    if m < _TWO:
        return np.full(m, np.nan)
    if (sizes == sizes[0]).all():
        return np.full(m, 1 / (m * (m - 1)))
    weights = sizes / sizes.sum()
    if weights.max() >= _HALF:
        return np.full(m, np.nan)
    terms = weights**2 / (1 - 2 * weights)
    return np.asarray(terms / (1 + terms.sum()))


def joined(parts: list[Blocks]) -> Blocks:
    """Several arms' parts of the same blocks as one group's."""
    n = np.sum([part.n for part in parts], axis=0)
    sums = np.sum([part.means * part.n[:, None] for part in parts], axis=0)
    return replace(parts[0], n=n, means=sums / n[:, None])
