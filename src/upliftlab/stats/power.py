"""Power: how likely a test finds an effect, how many units it needs, and what it can find.

Under an effect the t statistic has a noncentral t distribution whose noncentrality is the effect
in standard errors (Cohen 1988); with Welch's standard error and Satterthwaite's degrees of freedom
that holds nearly, and exactly where both groups are alike. Whatever changes the standard error,
such as shares, covariates, households or quotients, changes the power through it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from scipy.special import nctdtr, stdtrit

MOST = 10**12
"""With more units than this, a question is one that no sample answers."""


def power(effect: float, se: float, df: float, alpha: float) -> float:
    """Probability that a two-sided test at level `alpha` finds an effect, in either direction.

    Args:
        effect: The true effect.
        se: Standard error of its estimate, in the same unit, above 0.
        df: Degrees of freedom.
        alpha: Level of the test.

    >>> round(power(0.03, (2 * 45 / 859_896) ** 0.5, 2 * 859_895, 0.05), 7)
    0.8345828
    """
    return power_above(effect, se, df, alpha) + power_above(-effect, se, df, alpha)


def power_above(effect: float, se: float, df: float, alpha: float) -> float:
    """Probability that a two-sided test at level `alpha` finds an effect to lie above 0.

    Half of `alpha` where there is no effect. Arguments are those of `power`.
    """
    critical = float(stdtrit(df, 1 - alpha / 2))
    missed = float(nctdtr(df, effect / se, critical))
    # scipy gives NaN in places where the probability is 0 or 1 to all digits.
    return 1 - missed if isfinite(missed) else float(effect > 0)


def smallest_sample(reached: Callable[[int], bool], most: int = MOST) -> int | None:
    """The number of units from which on something is reached, None where it never is.

    It is sought from above, as the smallest samples can seem exact by what they cannot show.

    Args:
        reached: Whether so many units are enough; true from some number on.
        most: The largest number that is tried.

    >>> smallest_sample(lambda n: n * n >= 1000)
    32
    """
    if not reached(most):
        return None
    high = most
    while high > 1 and reached(high // 2):
        high //= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def detectable_effect(
    power_at: Callable[[float], float], wanted: float, scale: float, most: float
) -> float | None:
    """The smallest effect that is found with the wanted power, None where none is.

    Args:
        power_at: Power as a function of the effect's size, rising.
        wanted: Power, such as 0.8.
        scale: An effect of a plausible size, above 0, to start from.
        most: The largest effect there can be.

    >>> found = detectable_effect(lambda effect: power(effect, 0.1, 200, 0.05), 0.8, 1.0, 100.0)
    >>> round(found, 4)
    0.2815
    """
    from scipy.optimize import brentq  # noqa: PLC0415 - 0.1 s of import

    if power_at(0.0) >= wanted:
        return 0.0
    high = min(scale, most)
    while power_at(high) < wanted:
        if high == most:
            return None
        high = min(2 * high, most)
    return float(brentq(lambda effect: power_at(effect) - wanted, 0.0, high, xtol=1e-9 * high))


def design_effect(size: float, icc: float) -> float:
    """By how much drawing whole groups inflates the variance of a mean: 1 + (m − 1)·ICC.

    Kish (1965), for groups of equal size m; ICC is the correlation within a group.

    >>> round(design_effect(2.5, 0.2), 3)
    1.3
    """
    return 1 + (size - 1) * icc


def spread_growth(mean: float, variance: float, effect: float) -> float:
    """By how much a variance grows with its mean where an effect comes from more customers.

    If 1 + l times as many customers answer, each as before, the second moment is 1 + l times what
    it was: the variance becomes (1 + l)(σ² + μ²) − (1 + l)²μ². For outcomes of 0 and 1 this is
    p(1 − p). It is used as long as the variance grows, which it does only where the standard
    deviation exceeds the mean, as where most customers spend nothing. Beyond, and where the mean
    is not above 0, the variance stays as it is.

    >>> spread_growth(0.1, 0.09, 0.02), spread_growth(10.0, 4.0, 1.0)
    (1.1733333333333333, 1.0)
    """
    if mean <= 0 or variance <= 0:
        return 1.0
    lift, dispersion = effect / mean, variance / mean**2
    if dispersion <= 1:
        return 1.0
    lift = max(-1.0, min(lift, (dispersion - 1) / 2))
    return (1 + lift) * (1 - lift / dispersion)
