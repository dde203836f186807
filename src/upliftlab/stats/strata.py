"""Strata: arms whose shares are exact within strata are compared within them.

Where assignment was blocked, how many customers of a stratum an arm holds is no chance, so what
lies between strata is no source of error. The estimate is Σ w_s Δ_s with w_s = n_s/N and its
variance Σ w_s² (S_ts/n_ts + S_cs/n_cs), without a term for the strata's own sizes, which were fixed
(Miratrix, Sekhon & Yu 2013). An arm's part of both is again a mean and a covariance, so it is again
Moments, and whatever is made of Moments (money, quotients, covariates) follows. They keep their
strata, which degrees of freedom and slopes need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from upliftlab.stats.moments import Moments, pool

Groups = Mapping[str, Moments]
"""Moments by arm."""


def stratified(strata: Sequence[Groups], arms: Sequence[str]) -> Groups | None:
    """Each arm's moments as if its customers were spread over the strata as all of them are.

    n and third moments are those of the arm as it is; the mean is Σ w_s z̄_s, and m2 such that
    m2/(n − 1)/n is the mean's sampling covariance. Strata in which an arm has fewer than two units
    are taken together as one; None where even that has too few.

    Args:
        strata: Moments by arm of every stratum.
        arms: The arms that are compared.

    >>> low = {arm: Moments.of([[0.0], [1.0]]) for arm in "tc"}
    >>> high = {arm: Moments.of([[10.0], [11.0]]) for arm in "tc"}
    >>> stratified([low, high], "tc")["t"].covariance
    array([[0.5]])
    """
    kept = [groups for groups in strata if _full(groups, arms)]
    rest = [groups for groups in strata if not _full(groups, arms)]
    if rest:
        together = {
            arm: pool(part[arm] for part in rest if arm in part)
            for arm in arms
            if any(arm in part for part in rest)
        }
        if not _full(together, arms):
            return None
        kept.append(together)
    sizes = np.array([sum(groups[arm].n for arm in arms) for groups in kept], dtype=np.float64)
    weights = [float(weight) for weight in sizes / sizes.sum()]
    return {
        arm: Moments.weighted([(w, groups[arm]) for w, groups in zip(weights, kept, strict=True)])
        for arm in arms
    }


def _full(groups: Groups, arms: Sequence[str]) -> bool:
    return all(arm in groups and groups[arm].n > 1 for arm in arms)
