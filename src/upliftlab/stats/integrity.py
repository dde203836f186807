"""Were customers divided as declared, and alike before? Tests asked before any number is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc, chdtrc, gammaln

from upliftlab.stats.moments import Moments, pool

FEWEST_EXPECTED = 5
"""Units that a cell must be expected to hold for χ² (Cochran 1954)."""


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


def sample_ratios(
    tables: Sequence[Sequence[int]], shares: Sequence[float]
) -> tuple[float, float] | None:
    """χ² and p-value of many groups at once, each against the same declared shares.

    Groups of which an arm would be expected to hold fewer than 5 are left out; None where all are.

    Args:
        tables: Units per arm, one row a group.
        shares: Declared shares of the arms; they need not sum to 1.

    >>> value, p = sample_ratios([[50, 50], [45, 55]], [1, 1])
    >>> round(value, 2), round(p, 3)
    (1.0, 0.607)
    """
    weights = np.asarray(shares, dtype=np.float64)
    smallest = weights[weights > 0].min() / weights.sum()
    kept = [counts for counts in tables if sum(counts) * smallest >= FEWEST_EXPECTED]
    if not kept:
        return None
    statistic = sum(sample_ratio(counts, shares)[0] for counts in kept)
    return statistic, _tail(statistic, len(kept) * (int((weights > 0).sum()) - 1))


def sum_tail(statistics: Sequence[float], freedom: int) -> float:
    """The p-value of the sum of independent χ² of the same degrees of freedom."""
    return _tail(sum(statistics), freedom * len(statistics))


def balance(groups: Sequence[Moments], columns: Sequence[int]) -> Balance | None:
    """Whether groups have the same means of what was known before, jointly.

    The statistic is Σ n_a (z̄_a − z̄)' S⁻¹ (z̄_a − z̄) with the pooled covariance S, the
    Lawley–Hotelling trace; with many units it is χ² with (groups − 1) × columns degrees of
    freedom. None with one group, or where no column varies.

    Args:
        groups: Moments of the arms.
        columns: The covariates among their columns.
    """
    kept = [group for group in groups if group.n > 1]
    total = pool(kept) if kept else None
    varying = [c for c in columns if total is not None and total.m2[c, c] > 0]
    if total is None or len(kept) < 2 or not varying:  # noqa: PLR2004 - a comparison
        return None
    within = sum(group.m2[np.ix_(varying, varying)] for group in kept)
    covariance = np.asarray(within) / (total.n - len(kept))
    inverse = np.linalg.pinv(covariance, hermitian=True)
    rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
    shifts = [group.mean[varying] - total.mean[varying] for group in kept]
    statistic = sum(group.n * float(d @ inverse @ d) for group, d in zip(kept, shifts, strict=True))
    spread = np.sqrt(np.diag(covariance))
    means = np.stack([group.mean[varying] for group in kept])
    apart = (means.max(axis=0) - means.min(axis=0)) / np.where(spread > 0, spread, np.inf)
    worst = int(np.argmax(apart))
    p = _tail(statistic, rank * (len(kept) - 1))
    return Balance(statistic, p, varying[worst], float(apart[worst]))


@dataclass(frozen=True, slots=True)
class Balance:
    """How alike groups were before.

    Attributes:
        statistic: χ² of all columns together.
        p: Its p-value.
        column: The column in which two groups differ most.
        apart: By how many standard deviations their means differ in it.
    """

    statistic: float
    p: float
    column: int
    apart: float


def clock_shift(before: Sequence[int], after: Sequence[int]) -> tuple[int, float]:
    """By how many hours events came to be stamped differently, and how sure that is.

    The hours of the later events are compared with those of the earlier ones moved by every
    whole number of hours. The second number is the gain in log-likelihood over no shift.

    Args:
        before: Events by hour of the day, 24 numbers.
        after: The same for a later time.

    >>> quiet = [1] * 8 + [9] * 16
    >>> clock_shift(quiet, quiet[-3:] + quiet[:-3])[0]
    3
    """
    share = (np.asarray(before, dtype=np.float64) + 0.5) / (sum(before) + 12.0)
    later = np.asarray(after, dtype=np.float64)
    likelihood = np.array([float(later @ np.log(np.roll(share, hours))) for hours in range(24)])
    best = int(np.argmax(likelihood))
    return (best if best <= 12 else best - 24), float(likelihood[best] - likelihood[0])  # noqa: PLR2004 - half a day


def quiet_hours(counts: Sequence[int]) -> tuple[int, float]:
    """When the six hours with the fewest events begin, and the share of events in them."""
    hours = np.asarray(counts, dtype=np.float64)
    sums = np.array([np.roll(hours, -start)[:6].sum() for start in range(24)])
    start = int(np.argmin(sums))
    return start, float(sums[start] / hours.sum())


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


@dataclass(frozen=True, slots=True)
class Alike:
    """Whether as large a part of every group is lost.

    Attributes:
        p: The chance of groups so far apart where all lose alike.
        statistic: χ², None where the test is exact.
    """

    p: float
    statistic: float | None = None


def lost_alike(groups: Sequence[tuple[int, int]]) -> Alike | None:
    """Whether as large a part of every group is lost; None where nobody or everybody is.

    Pearson's χ² where its approximation holds (`independence`); else Fisher's (1935) exact test,
    two-sided by the sum of the smaller probabilities, of each group against the others, times the
    number of groups where there are more than two.

    Args:
        groups: The size of each group, and how many of it are lost.

    >>> round(lost_alike([(10, 1), (12, 9)]).p, 6)
    0.003691
    """
    kept = [(n, lost) for n, lost in groups if n > 0]
    total, gone = sum(n for n, _ in kept), sum(lost for _, lost in kept)
    if len(kept) < 2 or gone in (0, total):  # noqa: PLR2004 - nothing to compare
        return None
    if tested := independence([[n - lost, lost] for n, lost in kept]):
        return Alike(tested[1], tested[0])
    each = [_fisher(n, lost, total, gone) for n, lost in kept]
    return Alike(min(1.0, min(each) * (len(kept) if len(kept) > 2 else 1)))  # noqa: PLR2004 - of two, one says it


def _fisher(n: int, lost: int, total: int, gone: int) -> float:
    """Fisher's exact p-value of `lost` among n, where `gone` of the total are."""
    counts = np.arange(max(0, n + gone - total), min(n, gone) + 1)
    logs = _choose(n, counts) + _choose(total - n, gone - counts)
    chances = np.exp(logs - logs.max())
    own = chances[lost - counts[0]]
    return float(min(1.0, chances[chances <= own * (1 + 1e-7)].sum() / chances.sum()))


def _choose(n: int, k: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _tail(statistic: float, df: int) -> float:
    return float(chdtrc(df, statistic)) if df > 0 else 1.0


def kept_together(
    groups: Sequence[tuple[int, int]], whole: int, shares: Sequence[float]
) -> tuple[float, float]:
    """How many groups of customers would lie in one arm by chance, and p of so many that do.

    A group of k customers drawn one by one lies in one arm with probability Σ_a s_a^k. The number
    of those that do is a sum of independent trials, whose upper tail is at most that of as many
    trials of the same mean that are alike (Hoeffding 1956).

    Args:
        groups: Customers of a group, and how many groups of so many there are.
        whole: Groups that lie in one arm.
        shares: Of the arms; they sum to 1.

    >>> expected, p = kept_together([(2, 100)], 60, [0.5, 0.5])
    >>> expected, round(p, 4)
    (50.0, 0.0284)
    """
    drawn = np.asarray(shares, dtype=np.float64)
    expected = float(sum(n * (drawn**size).sum() for size, n in groups))
    if whole < expected + 1:
        return expected, 1.0
    several = sum(n for _, n in groups)
    return expected, float(bdtrc(whole - 1, several, expected / several))
