"""Were arms alike before within strata, whose shares and variances may differ?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import fdtrc

from upliftlab.stats.effects import LinearContrast, TwoSample, degrees_of_freedom
from upliftlab.stats.integrity import Balance
from upliftlab.stats.moments import Array


def balance_within(
    pairs: Sequence[TwoSample], columns: Sequence[int], scale: Array
) -> Balance | None:
    """Whether arms have the control's means of what was known before, compared within strata.

    Of each pair Hotelling's T² of the differences, with their covariance within strata and the
    fewest of their degrees of freedom; p is the smallest times the number of pairs (Bonferroni).
    None where no column varies.

    Args:
        pairs: Every arm and the control.
        columns: The covariates among their columns.
        scale: Standard deviations of all columns, in which gaps are told.
    """
    found = [each for pair in pairs if (each := _of(pair, columns, scale)) is not None]
    if not found:
        return None
    worst = min(found, key=lambda each: each.p)
    p = min(1.0, worst.p * len(found))
    return Balance(worst.statistic, p, worst.column, worst.apart)


def _of(pair: TwoSample, columns: Sequence[int], scale: Array) -> Balance | None:
    width = len(pair.treated.mean)
    forms = [LinearContrast.difference(width, {column: 1.0}) for column in columns]
    spread = np.array([[sum(one.covariance(two, pair)) for two in forms] for one in forms])
    varying = [at for at in range(len(forms)) if spread[at, at] > 0]
    if pair.unusable or not varying:
        return None
    inside = spread[np.ix_(varying, varying)]
    gaps = np.array([forms[at].value(pair) for at in varying])
    rank = int(np.linalg.matrix_rank(inside, hermitian=True))
    statistic = float(gaps @ np.linalg.pinv(inside, hermitian=True) @ gaps)
    df = min(degrees_of_freedom(forms[at], pair) for at in varying) - rank + 1
    if df <= 0:
        return None
    p = float(fdtrc(rank, df, statistic * df / (rank * (df + rank - 1))))
    apart = np.abs(gaps) / scale[[columns[at] for at in varying]]
    worst = int(np.argmax(apart))
    return Balance(statistic, p, columns[varying[worst]], float(apart[worst]))
