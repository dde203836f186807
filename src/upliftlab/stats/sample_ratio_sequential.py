"""Were units divided as declared? A test that may be asked again after every unit.

Lindon & Malek (2022): the counts' likelihood under shares drawn from a Dirichlet distribution
around the declared ones, divided by that under the declared ones, is a martingale where units
are divided as declared. By Ville's (1939) inequality it ever exceeds 1/α in at most α of all
experiments, so its inverse is a p-value at any moment, however often it was looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from upliftlab.stats.moments import Array

CONCENTRATION = 1_000.0
"""How closely the Dirichlet distribution keeps to the declared shares: as after so many units.

The distribution's standard deviation is √(share·(1 − share)/1001): 1.6 points for a share of
50 %, 0.9 for 10 %. Shifts of that size are found soonest; those a third or three times as large
take at most a third more units (median of simulations) than with a choice made for them.
"""


def sequential_sample_ratio(
    counts: Sequence[int], shares: Sequence[float], concentration: float = CONCENTRATION
) -> float:
    """Always valid p-value of counts against declared shares.

    An arm whose declared share is 0 is left out; if it holds anybody, p is 0.

    Args:
        counts: Units per arm up to now.
        shares: Declared shares, in the same order; they need not sum to 1.
        concentration: Sum of the Dirichlet parameters, above 0; chosen before the data are seen.

    >>> round(sequential_sample_ratio([5_200, 4_800], [1, 1]), 4)
    0.0023
    """
    return float(_p_values(np.array([counts]), shares, concentration)[0])


def running_sample_ratio(
    counts: npt.ArrayLike, shares: Sequence[float], concentration: float = CONCENTRATION
) -> Array:
    """Smallest of the p-values up to each look, shape (looks,): what many looks may claim.

    Args:
        counts: Units per arm up to each look, shape (looks, arms).
        shares: As for `sequential_sample_ratio`.
        concentration: The same.

    >>> running_sample_ratio([[5_200, 4_800], [10_100, 9_900]], [1, 1]).round(4)
    array([0.0023, 0.0023])
    """
    return np.minimum.accumulate(_p_values(np.asarray(counts), shares, concentration))


def _p_values(
    counts: npt.NDArray[np.int64], shares: Sequence[float], concentration: float
) -> Array:
    weights = np.asarray(shares, dtype=np.float64)
    declared = weights > 0
    share: Array = weights[declared] / weights.sum()
    units = counts[:, declared].astype(np.float64)
    prior = concentration * share
    each = gammaln(prior + units) - gammaln(prior) - units * np.log(share)
    total: Array = units.sum(axis=1)
    evidence = each.sum(axis=1) + gammaln(concentration) - gammaln(concentration + total)
    impossible = counts[:, ~declared].sum(axis=1) > 0
    return np.where(impossible, 0.0, np.exp(-np.maximum(evidence, 0.0)))
