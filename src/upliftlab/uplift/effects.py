"""Learners of the effect itself: regressions of what tells the effect of one customer, with noise.

All responses that they take away first are of customers who were not shown to the model.

- `doubly_robust`: the difference of cross-fitted doubly robust scores (Kennedy 2023).
- `x_learner`: what treated customers did above what the control would have, and what the control
  did below what treated would have, each on its features; the two are weighed by the share of the
  other group (Künzel, Sekhon, Bickel & Yu 2019).
- `r_learner`: what is left of the outcome without the treatment's part, by what is left of the
  treatment (Nie & Wager 2021).

The last two take amounts in two parts (`Recipe.amount`), as few large ones say little of anybody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.bases import Recipe, Response
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.rows import weights
from upliftlab.uplift.sample import CONTROL, TrainingSample
from upliftlab.uplift.scores import NUISANCE, dr_scores

Parts = tuple[Response, ...]
"""The effect of each treatment, by what `Recipe.matrix` gives."""
_INNER: Final = 5
"""Folds where a sample has none of its own."""


def doubly_robust(recipe: Recipe, sample: TrainingSample) -> Parts:
    """A regression of the difference of doubly robust scores, for each treatment."""
    sample = _divided(sample, recipe.seed)
    scores = dr_scores(sample, NUISANCE, recipe.encoding, recipe.seed)[:, :, 0]
    matrix = recipe.matrix(sample.features)
    return tuple(
        recipe.fit(matrix, scores[:, arm] - scores[:, CONTROL]) for arm in range(1, sample.arms)
    )


def x_learner(recipe: Recipe, sample: TrainingSample) -> Parts:
    """Two regressions of imputed effects, for each treatment."""
    matrix, outcome = recipe.matrix(sample.features), sample.outcomes[:, 0]
    rows = [sample.arm == arm for arm in range(sample.arms)]
    weight = [weights(sample.propensity[own, arm]) for arm, own in enumerate(rows)]
    response = [
        recipe.amount(matrix[own], outcome[own], each)
        for own, each in zip(rows, weight, strict=True)
    ]
    control = rows[CONTROL]

    def part(arm: int) -> Response:
        treated = rows[arm]
        above = outcome[treated] - response[CONTROL](matrix[treated])
        below = response[arm](matrix[control]) - outcome[control]
        of_treated = recipe.fit(matrix[treated], above, weight[arm])
        of_control = recipe.fit(matrix[control], below, weight[CONTROL])
        share = sample.propensity[:, [CONTROL, arm]].mean(axis=0)
        chance = float(share[1] / share.sum())
        return lambda given: chance * of_control(given) + (1 - chance) * of_treated(given)

    return tuple(part(arm) for arm in range(1, sample.arms))


def r_learner(recipe: Recipe, sample: TrainingSample) -> Parts:
    """A regression of residuals on residuals, for each treatment."""
    sample = _divided(sample, recipe.seed)
    matrix = recipe.matrix(sample.features)
    return tuple(_residuals(recipe, sample, matrix, arm) for arm in range(1, sample.arms))


def _residuals(recipe: Recipe, sample: TrainingSample, matrix: Array, arm: int) -> Response:
    pair = np.flatnonzero((sample.arm == arm) | (sample.arm == CONTROL))
    features, outcome, fold = matrix[pair], sample.outcomes[pair, 0], sample.fold[pair]
    treated, chances = sample.arm[pair] == arm, sample.propensity[pair][:, [CONTROL, arm]]
    both = chances.sum(axis=1)
    chance, usual = chances[:, 1] / both, np.zeros(len(pair))
    for each in np.unique(fold):
        inside = fold == each
        for group, part in ((0, 1 - chance), (1, chance)):
            shown = ~inside & (treated == group)
            fitted = recipe.amount(features[shown], outcome[shown], weights(chances[shown, group]))
            usual[inside] += part[inside] * fitted(features[inside])
    surplus = treated - chance
    weight = surplus**2 / both
    return recipe.fit(features, (outcome - usual) / surplus, weight / weight.mean())


def _divided(sample: TrainingSample, seed: int) -> TrainingSample:
    """The sample, in folds of its own where it came in one."""
    if len(np.unique(sample.fold)) > 1:
        return sample
    return replace(sample, fold=fold_of(sample.cluster, _INNER, seed))
