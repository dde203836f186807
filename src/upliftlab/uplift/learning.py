"""What learning adds to an error: models of different folds were shown each other's customers.

With folds k, the error of a cross-fitted policy's value is Σₖ εₖ·π(x; the other folds): given its
model each fold's part is unbiased, and rows tell its variance. But the parts go together: what
chance made of customers i moved the model that chooses for j, and the other way round. To first
order the policy's own variation is π(xᵢ) = π̄(xᵢ) + Σⱼ h(xᵢ, zⱼ), each pair of customers adds to the
error twice, and so the part that comes from the policy's variation has twice the variance that rows
show (no estimate from rows alone can know it: Bengio & Grandvalet 2004). That part is measured by
models of two halves of the customers: they differ by four times the variance of one of all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from upliftlab.stats.effects import Effect
from upliftlab.stats.level import level_of
from upliftlab.stats.moments import Array
from upliftlab.uplift.clusters import interval, totals

_HALVES = 4.0
"""How much more the difference of two halves' models varies than one of all does."""


def with_learning(effect: Effect, halves: Array, cluster: np.ndarray, confidence: float) -> Effect:
    """A mean with what learning adds to its standard error.

    Args:
        effect: The mean over rows, with the standard error that the rows show.
        halves: By how much each row differs between the models of two halves, shape (n,).
        cluster: A number per randomised unit, shape (n,).
        confidence: Level of the interval, such as 0.95.

    >>> rough = Effect(1.0, 0.3, 9.0, 0.32, 1.68, 0.01)
    >>> apart = np.array([2.0, -2.0, 0.0, 0.0])
    >>> round(with_learning(rough, apart, np.arange(4), 0.95).se, 4)
    0.4637
    """
    if effect.estimate is None or not effect.se or effect.df is None:
        return effect
    apart = totals((halves - halves.mean())[:, None] / len(halves), cluster)
    se = float(np.sqrt(effect.se**2 + (apart**2).sum() / _HALVES))
    found = interval(effect.estimate, se, effect.df, level_of(confidence))
    return replace(found, note=found.note or effect.note)
