"""Ratios of two linear forms: one formula for lift, ROI, iROAS and cost per conversion.

Fieller (1954): the interval is every ρ at which the form `numerator − ρ·denominator` is not
significantly different from zero. Where the denominator itself is not clearly off zero that set
is unbounded, and it is reported as words, never as numbers.
"""

from __future__ import annotations

from math import isfinite, isnan

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import (
    Effect,
    LinearContrast,
    TwoSample,
    degrees_of_freedom,
    unreached,
)
from upliftlab.stats.level import Level, level_of

_NOTHING = 1e-12
"""A denominator smaller than this, relative to what it is the difference of, is 0 by rounding."""


def fieller(
    pair: TwoSample,
    numerator: LinearContrast,
    denominator: LinearContrast,
    confidence: float | Level,
    null: float | None = 0.0,
) -> Effect:
    """Estimate `numerator / denominator` with Fieller's interval.

    The p-value is that of `numerator − null·denominator`; the interval uses the same degrees of
    freedom, so it excludes `null` exactly where p < 1 − confidence. `se` is the delta method's.

    Args:
        pair: Treated and control moments.
        numerator: The form above the line.
        denominator: The form below it, positive where the ratio has a meaning.
        confidence: Level of the interval, such as 0.95.
        null: The ratio that the p-value tests; None where none is natural, then degrees of
            freedom are those at the estimate and there is no p-value.
    """
    if note := pair.unusable:
        return Effect(None, note=note)
    below, level = denominator.value(pair), level_of(confidence)
    if below <= _NOTHING * denominator.size(pair):
        return Effect(None, note=Note.denominator_unclear)
    estimate = numerator.value(pair) / below
    residual = numerator.minus(denominator, estimate)
    if isnan(_spread(pair, residual, denominator)):
        return Effect(estimate, note=Note.unknown_spread)
    se = max(0.0, sum(residual.covariance(residual, pair))) ** 0.5 / below
    tested = residual if null is None else numerator.minus(denominator, null)
    parts = tested.covariance(tested, pair)
    if not tested.varies(pair, sum(parts)):
        return Effect(estimate, se, note=Note.no_variation)
    if level.untold:
        return Effect(estimate, se, note=Note.few_expected)
    df = degrees_of_freedom(tested, pair)

    def test(value: float) -> float:
        form = numerator.minus(denominator, value)
        variance = sum(form.covariance(form, pair))
        return level.p(form.value(pair) / variance**0.5, df) if variance > 0 else 1.0

    p, bounds = None if null is None else test(null), level.bounds(df)
    ends = [_end(pair, (numerator, denominator), t) if isfinite(t) else None for t in bounds]
    if any(end is None and isfinite(t) for end, t in zip(ends, bounds, strict=True)):
        return Effect(estimate, se, df, p=p, note=Note.denominator_unclear)
    high, low = ends
    return Effect(estimate, se, df, low, high, p, unreached((low, high), level), test)


def _spread(pair: TwoSample, one: LinearContrast, other: LinearContrast) -> float:
    """The sum of all that an interval needs of two forms, NaN where some of it is not known."""
    asked = ((one, one), (one, other), (other, other))
    return sum(sum(left.covariance(right, pair)) for left, right in asked)


def _end(
    pair: TwoSample, forms: tuple[LinearContrast, LinearContrast], critical: float
) -> float | None:
    """The ratio at which numerator − ρ·denominator lies `critical` standard errors above 0.

    None where Fieller's set is unbounded. With ρ = ρ̂ + δ it solves a·δ² − 2b·δ − c = 0; solving
    for the distance δ from the estimate avoids subtracting large products from each other.
    """
    above, below = forms
    bottom = below.value(pair)
    estimate = above.value(pair) / bottom
    residual = above.minus(below, estimate)
    square = critical**2
    a = bottom**2 - square * sum(below.covariance(below, pair))
    if not a > 0:
        return None
    b = -square * sum(residual.covariance(below, pair))
    c = square * sum(residual.covariance(residual, pair))
    root = (b * b + a * max(c, 0.0)) ** 0.5
    return estimate + (b - root if critical > 0 else b + root) / a


def relative_lift(pair: TwoSample, column: int, confidence: float | Level) -> Effect:
    """The difference over the size of the control's mean: from −10 to −5 is +50 %."""
    if note := pair.absent(column):
        return Effect(None, note=note)
    control = float(pair.control.mean[column])
    if control == 0:
        return Effect(None, note=Note.zero_control)
    size = len(pair.treated.mean)
    weights = np.zeros(size)
    weights[column] = 1.0 if control > 0 else -1.0
    numerator = LinearContrast.difference(size, {column: 1.0})
    return fieller(pair, numerator, LinearContrast(np.zeros(size), weights), confidence)
