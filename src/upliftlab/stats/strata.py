"""Strata: arms whose shares are exact within strata are compared within them.

Where assignment was blocked, how many customers of a stratum an arm holds is no chance, so what
lies between strata is no source of error. The estimate is Σ w_s Δ_s with w_s = n_s/N and its
variance Σ w_s² (S_ts/n_ts + S_cs/n_cs), without a term for the strata's own sizes, which were fixed
(Miratrix, Sekhon & Yu 2013). An arm's part of both is again a mean and a covariance, so it is again
Moments, and whatever is made of Moments (money, quotients, covariates) follows. They keep their
strata, which degrees of freedom, slopes and skewness need, and units that are dealt anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

import numpy as np

from upliftlab.stats.moments import Moments, pool

Groups = Mapping[str, Moments]
"""Moments by arm."""
FEWEST = 2
"""Units that an arm must have in a stratum: a variance needs two."""


class Thin(Enum):
    """What becomes of the strata in which an arm has too few units."""

    joined = "taken together as one"
    left_out = "left out"


def places(units: np.ndarray, thin: Thin) -> np.ndarray:
    """Where each stratum stands among those that are compared, −1 where it is left out.

    Strata keep their order; those that are taken together come last.

    Args:
        units: Units by stratum and arm, shape (strata, arms).
        thin: What becomes of those in which an arm has too few.

    >>> places(np.array([[5, 5], [1, 9], [4, 2], [0, 3]]), Thin.joined).tolist()
    [0, 2, 1, 2]
    >>> places(np.array([[5, 5], [1, 9], [4, 2], [0, 3]]), Thin.left_out).tolist()
    [0, -1, 1, -1]
    """
    full = (units >= FEWEST).all(axis=1)
    rest = int(full.sum()) if thin is Thin.joined else -1
    return np.where(full, np.cumsum(full) - 1, rest)


def stratified(
    strata: Sequence[Groups], arms: Sequence[str], thin: Thin = Thin.joined
) -> Groups | None:
    """Each arm's moments as if its customers were spread over the strata as all of them are.

    n and third moments are those of the arm as it is; the mean is Σ w_s z̄_s, and m2 such that
    m2/(n − 1)/n is the mean's sampling covariance. None where what is compared has too few units.

    Args:
        strata: Moments by arm of every stratum.
        arms: The arms that are compared.
        thin: What becomes of strata in which an arm has fewer than two units.

    >>> low = {arm: Moments.of([[0.0], [1.0]]) for arm in "tc"}
    >>> high = {arm: Moments.of([[10.0], [11.0]]) for arm in "tc"}
    >>> stratified([low, high], "tc")["t"].covariance
    array([[0.5]])
    """
    place = places(units_in(strata, arms), thin)
    kept: list[Groups] = []
    for number in range(int(place.max(initial=-1)) + 1):
        parts = [groups for groups, at in zip(strata, place, strict=True) if at == number]
        found = {arm: [part[arm] for part in parts if arm in part] for arm in arms}
        kept.append({arm: pool(each) for arm, each in found.items() if each})
    sizes = units_in(kept, arms)
    if not kept or (sizes < FEWEST).any():
        return None
    weights = [float(weight) for weight in sizes.sum(axis=1) / sizes.sum()]
    return {
        arm: Moments.weighted([(w, groups[arm]) for w, groups in zip(weights, kept, strict=True)])
        for arm in arms
    }


def units_in(strata: Sequence[Groups], arms: Sequence[str]) -> np.ndarray:
    """Units by stratum and arm, shape (strata, arms)."""
    counts = [[groups[arm].n if arm in groups else 0 for arm in arms] for groups in strata]
    return np.array(counts, dtype=np.int64).reshape(len(strata), len(arms))
