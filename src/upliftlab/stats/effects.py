"""Effects: one linear form of a treated group's and its control's means, with its interval.

The interval is Welch's (1947): standard errors per group, Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

from upliftlab.results import Note
from upliftlab.stats.moments import Array, Moments


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A treated group and its control, over the same p columns.

    Attributes:
        treated: Moments of the treated group.
        control: Moments of its control.
        undefined: Columns without a value in one of them: quotients over a total of 0.
        size: Customers of an average treated unit; more than 1 where units are households.
    """

    treated: Moments
    control: Moments
    undefined: frozenset[int] = frozenset()
    size: float = 1.0

    @property
    def unusable(self) -> Note | None:
        """Why no variance can be computed, None where it can."""
        if self.treated.n < 2:  # noqa: PLR2004 - a variance needs two
            return Note.few_treated
        if self.control.n < 2:  # noqa: PLR2004
            return Note.few_control
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A linear form `treated·z̄_t + control·z̄_c`; both weights have shape (p,)."""

    treated: Array
    control: Array

    @classmethod
    def difference(cls, columns: int, weights: dict[int, float]) -> Form:
        """The form `weights·(z̄_t − z̄_c)`."""
        vector = np.zeros(columns)
        for index, weight in weights.items():
            vector[index] = weight
        return cls(vector, -vector)

    def minus(self, other: Form, factor: float) -> Form:
        """The form less `factor` times another."""
        return Form(self.treated - factor * other.treated, self.control - factor * other.control)

    def value(self, pair: Pair) -> float:
        """Its value at the groups' means."""
        return float(self.treated @ pair.treated.mean + self.control @ pair.control.mean)

    def covariance(self, other: Form, pair: Pair) -> tuple[float, float]:
        """Sampling covariance with another form: the treated and the control group's parts."""
        return (
            float(self.treated @ pair.treated.covariance @ other.treated) / pair.treated.n,
            float(self.control @ pair.control.covariance @ other.control) / pair.control.n,
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate with its standard error, interval and two-sided p; None with a note if absent."""

    estimate: float | None
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    note: Note | None = None

    def scaled(self, factor: float) -> Effect:
        """The same effect for `factor` (> 0) units instead of one."""

        def times(value: float | None) -> float | None:
            return None if value is None else value * factor

        return replace(
            self,
            estimate=times(self.estimate),
            se=times(self.se),
            low=times(self.low),
            high=times(self.high),
        )


def degrees_of_freedom(parts: tuple[float, float], pair: Pair) -> float:
    """Satterthwaite's degrees of freedom of a variance that is a sum of two groups' parts."""
    treated, control = parts
    spread = treated**2 / (pair.treated.n - 1) + control**2 / (pair.control.n - 1)
    return (treated + control) ** 2 / spread


def welch(pair: Pair, form: Form, confidence: float) -> Effect:
    """Estimate a linear form.

    Args:
        pair: Treated and control moments.
        form: What is estimated.
        confidence: Level of the interval, such as 0.95.
    """
    if note := pair.unusable:
        return Effect(None, note=note)
    estimate = form.value(pair)
    parts = form.covariance(form, pair)
    if sum(parts) <= 0:
        return Effect(estimate, 0.0, note=Note.no_variation)
    se = sum(parts) ** 0.5
    df = degrees_of_freedom(parts, pair)
    half = critical_value(df, confidence) * se
    p = two_sided_p(estimate / se, df)
    return Effect(estimate, se, df, estimate - half, estimate + half, p)


def critical_value(df: float, confidence: float) -> float:
    """The t quantile that bounds a two-sided interval."""
    return float(stdtrit(df, (1 + confidence) / 2))


def two_sided_p(t: float, df: float) -> float:
    """Two-sided p-value of a t statistic."""
    return float(2 * stdtr(df, -abs(t)))


def skewness(pair: Pair, column: int) -> float | None:
    """Skewness γ of a difference in means, 0 without variation; None where it is not known.

    γ = (μ3_t/n_t² − μ3_c/n_c²) / (s²_t/n_t + s²_c/n_c)^{3/2}: the sampling distribution's own
    skewness, so equal arms of equal shape cancel. Kohavi et al. (2014) ask n > 355·skewness² of
    one mean, which is |γ| < 0.053 of it.
    """
    if pair.unusable:
        return None
    scale = third = 0.0
    for group, sign in ((pair.treated, 1.0), (pair.control, -1.0)):
        scale += float(group.covariance[column, column]) / group.n
        third += sign * float(group.m3[column]) / group.n**3
    if np.isnan(third):
        return None
    return third / scale**1.5 if scale > 0 else 0.0
