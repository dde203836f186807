"""How skewed a difference in means is: what Student's t does not allow for.

Within strata it is a weighted sum of independent differences, whose second and third cumulants are
the sums of theirs, weighted by w² and w³. That strata differ in level makes no difference skewed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from upliftlab.stats.effects import TwoSample
from upliftlab.stats.moments import Array, Moments, pool


class Skew(NamedTuple):
    """Skewness γ of each column's difference, shape (p,); NaN where it is not known.

    Attributes:
        own: The difference's as the two groups tell it. Equal groups of equal shape cancel.
            Kohavi et al. (2014) ask n > 355·skewness² of one mean, which is |γ| < 0.053 of it.
        pooled: The same were both groups of one shape, that of all their units. A small control
            that happens to hold no large value tells nothing of its own skewness; all units do.
        alone: That of the smaller group's mean by itself, were it of the shape of all units. In
            equal groups, where the difference has none, it tells whether there are values enough.
    """

    own: Array
    pooled: Array
    alone: Array

    @property
    def worst(self) -> Array:
        """The larger of both, where both are known."""
        larger = np.where(np.abs(self.own) >= np.abs(self.pooled), self.own, self.pooled)
        return np.where(np.isnan(self.own), np.nan, larger)

    def slight(self, most: float) -> np.ndarray:
        """Whether Hall's cubic serves a column's difference, shape (p,).

        The cubic is made of the pooled skewness. The groups' own, and that of the smaller group's
        mean, may be twice as large: in equal groups they come and go with single large values. But
        with a handful of purchases no difference is to be told, whatever its skewness.

        Args:
            most: The largest pooled skewness at which it does (`cubic.slight`).
        """
        large = np.maximum(np.abs(self.own), np.abs(self.alone))
        return (np.abs(self.pooled) <= most) & (large <= 2 * most)


def skewness(pair: TwoSample) -> Skew | None:
    """Skewness of the differences of a pair, 0 without variation; None where nothing varies known.

    γ = (μ3_t/n_t² − μ3_c/n_c²) / (s²_t/n_t + s²_c/n_c)^{3/2}, and of one shape
    γ = μ3·(1/n_t² − 1/n_c²) / (s²·(1/n_t + 1/n_c))^{3/2}.
    """
    if pair.unusable:
        return None
    cumulants = _cumulants(pair)
    own, pooled = _standardised(*cumulants[0]), _standardised(*cumulants[1])
    means = [_standardised(*each) for each in cumulants[2:]]
    return Skew(own, pooled, np.where(np.abs(means[0]) >= np.abs(means[1]), *means))


def _cumulants(pair: TwoSample) -> list[tuple[Array, Array]]:
    """Third and second cumulants, of four things.

    Of the difference as the groups tell it, of the same were both of the shape of all units, and
    of the treated's and of the control's mean were it of that shape.
    """
    one, other = pair.treated, pair.control
    if not one.strata:
        return _apart(one, other)
    found = [
        [(third * weight**3, spread * weight**2) for third, spread in _apart(first, second)]
        for (weight, first), (_, second) in zip(one.strata, other.strata, strict=True)
    ]
    return [
        (np.sum([third for third, _ in each], axis=0), np.sum([v for _, v in each], axis=0))
        for each in zip(*found, strict=True)
    ]


def _apart(one: Moments, other: Moments) -> list[tuple[Array, Array]]:
    """The same of two groups that are not in strata."""
    whole = pool((one, other))
    (a, b), n = (1 / one.n, 1 / other.n), whole.n
    spread = np.diagonal(one.m2) * a / (one.n - 1) + np.diagonal(other.m2) * b / (other.n - 1)
    variance, third = np.diagonal(whole.m2) / (n - 1), whole.m3 / n
    return [
        (one.m3 * a**3 - other.m3 * b**3, spread),
        (third * (a**2 - b**2), variance * (a + b)),
        (third * a**2, variance * a),
        (third * b**2, variance * b),
    ]


def of_forms(
    pair: TwoSample, forms: tuple[Array, Array], spread: tuple[float, float]
) -> Skew | None:
    """Skewness of a difference made of several columns, each of one value; None without variation.

    Third moments of products are not kept, so the columns' own are added up, w³·μ3: as if the
    columns that are skewed had nothing to do with each other, and as if what a covariate explains
    were symmetric.

    Args:
        pair: The groups as they are.
        forms: What the treated and the control weigh their columns with, shape (p,) each.
        spread: Σ(u−ū)² of what is compared, in the treated and in the control.
    """
    if pair.unusable or not sum(spread) > 0:
        return None
    one, other = (
        Moments(
            group.n,
            np.array([form @ group.mean]),
            np.array([[square]]),
            np.array([_cubes(form, group)]),
        )
        for group, form, square in zip((pair.treated, pair.control), forms, spread, strict=True)
    )
    return skewness(TwoSample(one, other))


def _cubes(form: Array, group: Moments) -> float:
    used = form != 0
    return float(form[used] ** 3 @ group.m3[used])


def _standardised(third: Array, spread: Array) -> Array:
    """A third moment over the standard deviation cubed; 0 without variation, NaN if unknown."""
    known = np.where(np.isnan(third), np.nan, 0.0)
    return np.divide(third, spread**1.5, out=known, where=spread > 0)
