"""Doubly robust scores: what each customer would have done in each arm, with error of mean zero.

Γ_a = μ̂_a(x) + 1{A = a}(Y − μ̂_a(x)) / e_a (Robins, Rotnitzky & Zhao 1994), with μ̂_a fitted on the
other folds (Chernozhukov et al. 2018). Since e_a is known, the mean of Γ_a over any customers that
were chosen by other means is their mean outcome under arm a, however bad μ̂_a is; a good one takes
noise away. How much, as the variance of an effect score against that without features:

| customers | outcome | linear | boosting |
|---|---|---|---|
| 42,693 of a real shop, e-mail against none | visit | .976 | .979 |
| the same | spend | 1.000 | 1.000 |
| 200,000 simulated, with steps and interactions | ordered (9 %) | .988 | .983 |
| the same | spend (lognormal where not 0) | .975 | .974 |

Boosting takes ten times as long for that, so scores are made with `NUISANCE`, linear.
"""

from __future__ import annotations

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.bases import Base, Recipe, calm
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.rows import as_numbers, enough, own_order, weights
from upliftlab.uplift.sample import TrainingSample

NUISANCE: Base = "linear"
"""What scores are made with unless told."""
FEWEST = 20
"""Customers of each arm in the other folds."""


def dr_scores(sample: TrainingSample, base: Base, encoding: Encoding, seed: int) -> Array:
    """Cross-fitted doubly robust scores, shape (n, arms, outcomes), in each outcome's unit.

    The effect score of arm a is column a less column 0. The order of the rows does not matter.

    Args:
        sample: At least two folds.
        base: What the outcomes are regressed with, per arm.
        encoding: How the features were encoded.
        seed: Of the base.

    Raises:
        DataError: UL607, an arm is hardly there outside one of the folds.
        ValueError: There is one fold only, or an outcome is missing.
    """
    if len(np.unique(sample.fold)) < 2:  # noqa: PLR2004 - one to learn from and one to score
        raise ValueError("it takes two folds")
    order = own_order(sample)
    ordered = as_numbers(sample).take(order)
    result = np.empty((len(sample), sample.arms, sample.outcomes.shape[1]))
    with calm(len(ordered)):
        result[order] = _scores(ordered, Recipe(base, encoding, seed))
    return result


def _scores(sample: TrainingSample, recipe: Recipe) -> Array:
    matrix = recipe.matrix(sample.features)
    means = np.empty((len(sample), sample.arms, sample.outcomes.shape[1]))
    for fold in np.unique(sample.fold):
        inside = sample.fold == fold
        enough(sample.take(~inside), FEWEST)
        for arm in range(sample.arms):
            learnt = ~inside & (sample.arm == arm)
            weight = weights(sample.propensity[learnt, arm])
            for column, outcome in enumerate(sample.outcomes[learnt].T):
                fitted = recipe.fit(matrix[learnt], outcome, weight)
                means[inside, arm, column] = fitted(matrix[inside])
    rows = np.arange(len(sample))
    residual = sample.outcomes - means[rows, sample.arm]
    means[rows, sample.arm] += residual / sample.propensity[rows, sample.arm, None]
    return means
