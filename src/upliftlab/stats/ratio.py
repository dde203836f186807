"""Ratios of two linear forms: one formula for lift, ROI, iROAS and cost per conversion.

Fieller (1954): the interval is every ρ at which the form `numerator − ρ·denominator` is not
significantly different from zero. Where the denominator itself is not clearly off zero that set
is unbounded, and it is reported as words, never as numbers.
"""

from __future__ import annotations

from upliftlab.results import Note
from upliftlab.stats.effects import (
    Effect,
    Form,
    Pair,
    critical_value,
    degrees_of_freedom,
    two_sided_p,
)


def fieller(
    pair: Pair, numerator: Form, denominator: Form, confidence: float, null: float | None = 0.0
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
    below = denominator.value(pair)
    if below <= 0:
        return Effect(None, note=Note.denominator_unclear)
    estimate = numerator.value(pair) / below
    residual = numerator.minus(denominator, estimate)
    se = max(0.0, sum(residual.covariance(residual, pair))) ** 0.5 / below
    tested = residual if null is None else numerator.minus(denominator, null)
    parts = tested.covariance(tested, pair)
    if sum(parts) <= 0:
        return Effect(estimate, 0.0, note=Note.no_variation)
    df = degrees_of_freedom(parts, pair)
    p = None if null is None else two_sided_p(tested.value(pair) / sum(parts) ** 0.5, df)
    bounds = _roots(pair, numerator, denominator, critical_value(df, confidence))
    if bounds is None:
        return Effect(estimate, se, df, p=p, note=Note.denominator_unclear)
    return Effect(estimate, se, df, *bounds, p=p)


def _roots(pair: Pair, above: Form, below: Form, critical: float) -> tuple[float, float] | None:
    """The ends of Fieller's set, None where it is unbounded.

    The set is ρ = ρ̂ + δ with a·δ² − 2b·δ − c ≤ 0. Solving for the distance δ from the estimate
    instead of for ρ avoids subtracting large products from each other.
    """
    bottom = below.value(pair)
    estimate = above.value(pair) / bottom
    residual = above.minus(below, estimate)
    square = critical**2
    a = bottom**2 - square * sum(below.covariance(below, pair))
    if a <= 0:
        return None
    b = -square * sum(residual.covariance(below, pair))
    c = square * sum(residual.covariance(residual, pair))
    root = (b * b + a * max(c, 0.0)) ** 0.5
    return estimate + (b - root) / a, estimate + (b + root) / a
