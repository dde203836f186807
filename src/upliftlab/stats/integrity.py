"""Were customers divided as declared? Tests of counts, before any number is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc


def sample_ratio(counts: Sequence[int], shares: Sequence[float]) -> tuple[float, float]:
    """χ² and p-value of counts against declared shares.

    An arm whose declared share is 0 has no degree of freedom; if it holds anybody, χ² is infinite.

    Args:
        counts: Units per arm.
        shares: Declared shares, in the same order; they need not sum to 1.

    >>> value, p = sample_ratio([21307, 21387, 21306], [1 / 3, 1 / 3, 1 / 3])
    >>> round(value, 8), round(p, 7)
    (0.20253125, 0.903693)
    """
    observed = np.asarray(counts, dtype=np.float64)
    weights = np.asarray(shares, dtype=np.float64)
    declared = weights > 0
    if observed[~declared].sum() > 0:
        return float("inf"), 0.0
    expected = observed.sum() * weights[declared] / weights.sum()
    statistic = float(((observed[declared] - expected) ** 2 / expected).sum())
    return statistic, _tail(statistic, int(declared.sum()) - 1)


def independence(table: npt.ArrayLike) -> tuple[float, float] | None:
    """Pearson's χ² and p-value of a table of counts, arms × levels.

    Large values say that a characteristic known before assignment differs between arms. None with
    one row or column, and by Cochran's (1954) rule where the approximation does not hold: an
    expected count below 1, or more than a fifth of them below 5.
    """
    counts = np.asarray(table, dtype=np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    if expected.min() < 1 or (expected < 5).mean() > 1 / 5:  # noqa: PLR2004 - Cochran's
        return None
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return statistic, _tail(statistic, (counts.shape[0] - 1) * (counts.shape[1] - 1))


def _tail(statistic: float, df: int) -> float:
    return float(chdtrc(df, statistic)) if df > 0 else 1.0
