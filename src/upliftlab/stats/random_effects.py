"""Random effects: what several experiments tell together of a mean, and of the next one.

Each experiment's truth θ_i is taken as drawn around a mean μ with standard deviation τ, and its
estimate y_i as drawn around θ_i with its own error s_i. τ² is Paule & Mandel's: that at which
Q(τ²) = Σ (y_i − μ)²/(s_i² + τ²) is k − 1 (1982, *J. Res. NBS* 87), 0 where Q(0) is no larger. The
interval of μ is Hartung & Knapp's (2001, *Stat. Med.* 20) with Student's t of k − 1, whose factor
Q(τ²)/(k − 1) is 1 by this τ²; where τ² is 0 and the factor below 1, it is left at 1 (Röver et al.
2015). The next experiment's truth lies in the prediction interval with t of k − 2 (Higgins et al.
2009, *J. R. Stat. Soc. A* 172). `shrunken` is each θ_i's empirical Bayes estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtrc, ndtr, stdtrit

from upliftlab.stats.moments import Array

_TWO, _THREE = 2, 3


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """What k experiments tell together.

    Attributes:
        mean: μ, in the estimates' unit.
        se: Its standard error.
        low: Lower end of its interval.
        high: Upper end.
        tau: Standard deviation between experiments' truths.
        p: That they differ as much by chance alone (Cochran's Q, χ² with k − 1).
        next_low: Lower end of the interval of the next experiment's truth; None of fewer than 3.
        next_high: Upper end.
    """

    mean: float
    se: float
    low: float
    high: float
    tau: float
    p: float
    next_low: float | None
    next_high: float | None

    @property
    def next_sd(self) -> float:
        """Standard deviation of the next experiment's truth, as far as it is known."""
        return float(np.hypot(self.tau, self.se))


def random_effects(
    estimates: Sequence[float], errors: Sequence[float], confidence: float
) -> RandomEffects | None:
    """The mean of experiments whose truths differ; None of fewer than two.

    Args:
        estimates: One of each experiment, shape (k,).
        errors: Their standard errors, above 0, shape (k,).
        confidence: Of the intervals, such as 0.95.

    >>> found = random_effects([1.0, 2.0, 3.0], [0.5, 0.5, 0.5], 0.95)
    >>> round(found.mean, 6), round(found.tau**2, 6), round(found.se, 6)
    (2.0, 0.75, 0.57735)
    """
    y, variances = np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float) ** 2
    k, alpha = len(y), 1 - confidence
    if k < _TWO:
        return None
    spread = _spread(y, variances)
    weights = 1 / (variances + spread)
    mean, se = float(weights @ y / weights.sum()), float(weights.sum() ** -0.5)
    half = se * -float(stdtrit(k - 1, alpha / 2))
    wide = None
    if k >= _THREE:
        wide = float(np.sqrt(spread + se**2)) * -float(stdtrit(k - 2, alpha / 2))
    return RandomEffects(
        mean=mean,
        se=se,
        low=mean - half,
        high=mean + half,
        tau=float(np.sqrt(spread)),
        p=float(chdtrc(k - 1, _apart(y, variances, 0.0))),
        next_low=None if wide is None else mean - wide,
        next_high=None if wide is None else mean + wide,
    )


def shrunken(
    estimates: Sequence[float], errors: Sequence[float], found: RandomEffects
) -> tuple[float, ...]:
    """What each experiment's truth is best taken for: drawn to the mean as far as it is unsure.

    >>> found = random_effects([1.0, 2.0, 3.0], [0.5, 0.5, 0.5], 0.95)
    >>> [round(each, 6) for each in shrunken([1.0, 2.0, 3.0], [0.5, 0.5, 0.5], found)]
    [1.25, 2.0, 2.75]
    """
    y, variances = np.asarray(estimates, dtype=float), np.asarray(errors, dtype=float) ** 2
    kept = found.tau**2 / (found.tau**2 + variances)
    return tuple((found.mean + kept * (y - found.mean)).tolist())


def expected_information(mean: float, sd: float) -> float:
    """What it is worth to know a normal truth before choosing between it and nothing.

    E max(0, θ) − max(0, E θ) = sd·(φ(z) − z·Φ(−z)) with z = |mean| / sd (Raiffa & Schlaifer 1961).

    >>> round(expected_information(0.0, 1.0), 6), expected_information(1.0, 0.0)
    (0.398942, 0.0)
    """
    if sd == 0:
        return 0.0
    z = abs(mean) / sd
    density = float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    return max(sd * (density - z * float(ndtr(-z))), 0.0)


def _spread(y: Array, variances: Array) -> float:
    """τ² by Paule & Mandel."""
    wanted = len(y) - 1

    def beyond(spread: float) -> float:
        return _apart(y, variances, spread) - wanted

    if beyond(0.0) <= 0:
        return 0.0
    most = float(np.square(y - y.mean()).sum())  # there Q is at most Σ(y − ȳ)²/most
    return float(brentq(beyond, 0.0, max(most, float(variances.max())), xtol=1e-15 * most))


def _apart(y: Array, variances: Array, spread: float) -> float:
    """Q: squared distances from the weighted mean, in their own errors."""
    weights = 1 / (variances + spread)
    return float(weights @ np.square(y - weights @ y / weights.sum()))
