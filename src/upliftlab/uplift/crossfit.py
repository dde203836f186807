"""Cross-fitting: what models predict for customers they were not shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.learners import Learner
from upliftlab.uplift.sample import TrainingSample


def crossfit(
    sample: TrainingSample,
    learner: Learner,
    outcomes: Sequence[int],
    among: np.ndarray | None = None,
) -> Array:
    """Predicted effects in each fold, by a model that learnt from the others.

    Args:
        sample: At least two folds.
        learner: What learns.
        outcomes: Which columns of the sample's outcomes.
        among: Whom models may be shown, shape (n,), bool; everybody by default.

    Returns:
        Shape (n, arms − 1, outcomes), in each outcome's unit.

    Raises:
        DataError: UL607, an arm is hardly there outside one of the folds.
        ValueError: There is one fold only, or an outcome is missing.
    """
    folds = np.unique(sample.fold)
    if len(folds) < 2:  # noqa: PLR2004 - one to learn from and one to predict
        raise ValueError("it takes two folds")
    result = np.empty((len(sample), sample.arms - 1, len(outcomes)))
    for fold in folds:
        inside = sample.fold == fold
        shown = ~inside if among is None else ~inside & among
        rest, features = sample.take(shown), sample.features[inside]
        for column, outcome in enumerate(outcomes):
            result[inside, :, column] = learner.fit(rest, outcome).effects(features)
    return result
