"""Is a characteristic known before spread alike over the arms, within strata and whole units?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from upliftlab.stats.integrity import FEWEST_EXPECTED, lost_alike
from upliftlab.stats.moments import Array

_NOTHING = 1e-9
"""Eigenvalues below this part of the largest are 0."""


@dataclass(frozen=True, slots=True)
class LevelSpread:
    """How alike a characteristic is spread over the arms.

    Attributes:
        p: The chance of arms so far apart where units were drawn at random.
        apart: By which part of the units a level's share differs most between two arms.
        statistic: χ² of the levels that are frequent enough; None where none is.
    """

    p: float
    apart: float
    statistic: float | None = None


def spread(counts: Array, products: Array | None = None) -> LevelSpread | None:
    """Whether levels are spread alike over the arms; None where there is nothing to tell it by.

    The generalised test of Mantel and Haenszel (Landis, Heyman & Koch 1978): with T the counts of
    levels × arms less those expected in each stratum, and V the covariance that dealing the units
    of a stratum to its arms gives them, T'V⁻T is χ² with rank(V) degrees of freedom. In a single
    stratum of whole units it is Pearson's times (n − 1)/n. A unit of several customers counts in
    each level for the part of them that are in it.

    Levels of which an arm would hold fewer than 5 are taken together; in a single stratum of whole
    units each of them is also asked about by itself (`lost_alike`), p being twice the smaller one.

    Args:
        counts: Units by stratum, level and arm; shape (strata, levels, arms).
        products: Sums over units of the products of their parts in every two levels, shape
            (strata, levels, levels); None where each unit is in one level.

    >>> found = spread(np.array([[[30.0, 10.0], [20.0, 40.0]]]))
    >>> round(found.statistic, 6), round(found.apart, 2)  # Pearson's: 16.666667
    (16.5, 0.4)
    """
    there = counts.sum(axis=(0, 2)) > 0
    kept = counts.sum(axis=(1, 2)) > 1
    counts = counts[kept][:, there]
    if not counts.size or min(counts.shape[1], (counts.sum(axis=(0, 1)) > 0).sum()) < 2:  # noqa: PLR2004 - a comparison
        return None
    together, rare = _together(counts)
    grouped = np.einsum("gk,ska->sga", together, counts)
    if products is None:
        within = np.einsum("sg,gh->sgh", grouped.sum(axis=2), np.eye(len(together)))
        single = _single(counts[0], rare) if len(counts) == 1 else None
    else:
        within = together @ products[kept][:, there][:, :, there] @ together.T
        single = None
    joint = _joint(grouped, within) if len(together) > 1 else None
    found = [p for p in (None if joint is None else joint[1], single) if p is not None]
    if not found:
        return None
    share = counts.sum(axis=0) / np.maximum(counts.sum(axis=(0, 1)), 1)
    apart = (share.max(axis=1) - share.min(axis=1)).max()
    p = min(1.0, len(found) * min(found))
    return LevelSpread(p, float(apart), None if joint is None else joint[0])


def _together(counts: Array) -> tuple[Array, np.ndarray]:
    """Which levels are taken together, shape (groups, levels) of 0 and 1, and which are rare."""
    units, levels = counts.sum(axis=1), counts.sum(axis=2)
    smallest = (units.min(axis=1) / units.sum(axis=1))[:, None]
    expected = (levels * smallest).sum(axis=0)
    rare = expected < FEWEST_EXPECTED
    group, held = rare.copy(), float(expected[rare].sum())
    for level in np.argsort(expected, kind="stable"):
        if held >= FEWEST_EXPECTED or not group.any():
            break
        if not group[level]:
            group[level], held = True, held + float(expected[level])
    rows = [group] if group.any() else []
    rows += [np.arange(len(rare)) == level for level in np.flatnonzero(~group)]
    return np.array(rows, dtype=np.float64), rare


def _joint(counts: Array, within: Array) -> tuple[float, float] | None:
    """χ² and its p-value; None where nothing varies."""
    units, levels = counts.sum(axis=1), counts.sum(axis=2)
    n = units.sum(axis=1)
    expected = np.einsum("sg,sa->sga", levels, units) / n[:, None, None]
    shift = (counts - expected).sum(axis=0).T.ravel()
    means = np.einsum("sg,sh->sgh", levels, levels) / n[:, None, None]
    varying = (within - means) / (n - 1)[:, None, None]
    dealt = np.einsum("sa,ab->sab", units, np.eye(units.shape[1]))
    dealt -= np.einsum("sa,sb->sab", units, units) / n[:, None, None]
    covariance = np.einsum("sab,sgh->agbh", dealt, varying).reshape(len(shift), len(shift))
    values, vectors = np.linalg.eigh(covariance)
    full = values > _NOTHING * max(values[-1], _NOTHING)
    if not full.any():
        return None
    statistic = float(((vectors[:, full].T @ shift) ** 2 / values[full]).sum())
    return statistic, float(chdtrc(int(full.sum()), statistic))


def _single(counts: Array, rare: np.ndarray) -> float | None:
    """The smallest p-value of the rare levels, each against all others, times their number."""
    sizes = [round(n) for n in counts.sum(axis=0).tolist()]
    tables = [zip(sizes, map(round, level), strict=True) for level in counts[rare].tolist()]
    found = [alike.p for table in tables if (alike := lost_alike([*table])) is not None]
    return min(1.0, len(found) * min(found)) if found else None
