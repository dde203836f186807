"""Learners: from customers and what they did to the effect of each treatment on anybody.

scikit-uplift knows two groups and one outcome; here every treatment is compared with the control
by a model of its own. Its traps are kept in this module: it takes any outcome of two values for
0 and 1, wraps unsigned numbers around, and fails where a group did nothing at all. Assignment may
depend on a stratum that is not among the features: rows are then weighted against the known
probability of being where they are.

Three learn the effect itself rather than two responses, and stand in `effects.py`.
"""
# scikit-uplift has no types.
# ruff: noqa: ANN401
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.bases import Base, Recipe, calm, span
from upliftlab.uplift.effects import Parts, doubly_robust, r_learner, x_learner
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.rows import as_numbers, enough, own_order, weights
from upliftlab.uplift.sample import CONTROL, TrainingSample

Name = Literal[
    "solo_model",
    "two_models",
    "two_models_ddr_control",
    "two_models_ddr_treatment",
    "class_transformation",
    "doubly_robust",
    "x_learner",
    "r_learner",
]

_METHODS = {
    "two_models": "vanilla",
    "two_models_ddr_control": "ddr_control",
    "two_models_ddr_treatment": "ddr_treatment",
}
_OF_EFFECTS: dict[str, Callable[[Recipe, TrainingSample], Parts]] = {
    "doubly_robust": doubly_robust,
    "x_learner": x_learner,
    "r_learner": r_learner,
}
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class FittedLearner:
    """What was learnt: the effect of each treatment, by features."""

    recipe: Recipe
    parts: Parts

    def effects(self, features: Array) -> Array:
        """Predicted incremental outcome of each treatment against the control.

        Args:
            features: Encoded as those that were learnt from, NaN where missing, shape (n, p).

        Returns:
            Shape (n, arms − 1), in the outcome's unit.

        Raises:
            ValueError: There are not as many columns as features.
        """
        values = np.asarray(features, dtype=np.float64)
        if values.shape[1:] != (known := len(self.recipe.encoding.features),):
            raise ValueError(f"{values.shape[1:]} columns for {known} features")
        if not len(values):
            return np.empty((0, len(self.parts)))
        matrix = self.recipe.matrix(values)
        with calm(len(values)):
            return np.column_stack([part(matrix) for part in self.parts])


@dataclass(frozen=True, slots=True)
class Learner:
    """A way to learn effects."""

    name: Name
    recipe: Recipe

    def fit(self, sample: TrainingSample, outcome: int) -> FittedLearner:
        """Learn the effect of every treatment on one outcome; the order of rows does not matter.

        An outcome of two values is learnt as a probability. Where a group did all the same, as
        with a fixed cost per contact, that is what is expected of it, without a model.

        Raises:
            DataError: UL607, an arm has fewer than 50 customers.
            ValueError: An outcome is missing.
        """
        chosen = replace(sample, outcomes=np.asarray(sample.outcomes)[:, [outcome]])
        tidy = as_numbers(chosen).take(own_order(chosen))
        enough(tidy)
        of_effects = _OF_EFFECTS.get(self.name)
        with calm(len(tidy)):
            learnt = of_effects(self.recipe, tidy) if of_effects else _pairwise(self, tidy)
        return FittedLearner(self.recipe, learnt)


def learner(name: Name, base: Base, encoding: Encoding, seed: int) -> Learner:
    """A learner by name.

    Args:
        name: `solo_model`, `two_models` (or `_ddr_control`, `_ddr_treatment`),
            `class_transformation`, `doubly_robust`, `x_learner` or `r_learner`.
        base: `boosting` (trees) or `linear` (logistic and ridge regression).
        encoding: How features are encoded.
        seed: Whatever is drawn by chance is drawn from it.
    """
    return Learner(name, Recipe(base, encoding, seed))


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A treatment's customers and the control's, as scikit-uplift takes them.

    Attributes:
        matrix: Features, shape (n, columns).
        treated: 0 or 1, shape (n,).
        outcome: Shape (n,); 0 or 1 if there are two values.
        share: The probability of each arm, the control's first, shape (n, 2).
        binary: Whether outcomes are 0 and 1.
        scale: What a difference of 1 stands for.
    """

    matrix: Array
    treated: np.ndarray
    outcome: Array
    share: Array
    binary: bool
    scale: float


def _pairwise(learner: Learner, sample: TrainingSample) -> Parts:
    matrix = learner.recipe.matrix(sample.features)
    return tuple(_learnt(learner, _pair(sample, matrix, arm)) for arm in range(1, sample.arms))


def _pair(sample: TrainingSample, matrix: Array, arm: int) -> _Pair:
    rows = (sample.arm == arm) | (sample.arm == CONTROL)
    outcome = sample.outcomes[rows, 0]
    low, high, binary = span(outcome)
    if binary:
        outcome = (outcome - low) / (high - low)
    treated = (sample.arm[rows] == arm).astype(np.int64)
    share = sample.propensity[np.ix_(rows, [CONTROL, arm])]
    return _Pair(matrix[rows], treated, outcome, share, binary, high - low if binary else 1.0)


def _learnt(learner: Learner, pair: _Pair) -> Callable[[Array], Array]:
    groups = [pair.treated == group for group in (0, 1)]
    if any(np.ptp(pair.outcome[group]) == 0 for group in groups):
        return _responses(learner.recipe, pair)
    if learner.name == "solo_model":
        fitted = _solo(learner.recipe, pair)
    elif learner.name == "class_transformation":
        fitted = _transformed(learner.recipe, pair)
    else:
        fitted = _two(learner.recipe, pair, _METHODS[learner.name])
    return lambda matrix: pair.scale * np.asarray(fitted.predict(matrix), dtype=np.float64)


def _responses(recipe: Recipe, pair: _Pair) -> Callable[[Array], Array]:
    """Two responses of our own, of which one is constant."""
    own = pair.share[np.arange(len(pair.treated)), pair.treated]
    groups = [pair.treated == group for group in (0, 1)]
    control, treated = (
        recipe.fit(pair.matrix[group], pair.outcome[group], weights(own[group])) for group in groups
    )
    return lambda matrix: pair.scale * (treated(matrix) - control(matrix))


def _solo(recipe: Recipe, pair: _Pair) -> Any:
    """One response, with the treatment among the features; a linear one has slopes of its own."""
    from sklift.models import SoloModel  # noqa: PLC0415 - slow to load, and kept to this module

    method = "treatment_interaction" if recipe.base == "linear" else "dummy"
    model = SoloModel(recipe.estimator(len(pair.treated), binary=pair.binary), method)
    own = pair.share[np.arange(len(pair.treated)), pair.treated]
    return model.fit(pair.matrix, pair.outcome, pair.treated, {"sample_weight": weights(own)})


def _two(recipe: Recipe, pair: _Pair, method: str) -> Any:
    """Two responses, one of which may be given the other's prediction."""
    from sklift.models import TwoModels  # noqa: PLC0415 - as above

    groups = [pair.treated == group for group in (0, 1)]
    estimators = [recipe.estimator(int(rows.sum()), binary=pair.binary) for rows in groups]
    model = TwoModels(estimators[1], estimators[0], method)
    control, treated = (
        {"sample_weight": weights(pair.share[rows, group])} for group, rows in enumerate(groups)
    )
    return model.fit(pair.matrix, pair.outcome, pair.treated, treated, control)


def _transformed(recipe: Recipe, pair: _Pair) -> Any:
    """One regression of an outcome that is transformed so that its mean is the effect.

    Classes can be reverted only where both groups are equally likely; elsewhere, and for numbers,
    the outcome is divided by the known probability (Athey & Imbens 2016).
    """
    from sklift.models import ClassTransformation, ClassTransformationReg  # noqa: PLC0415

    both = pair.share.sum(axis=1)
    chance = pair.share[:, 1] / both
    rows, given = len(chance), {"sample_weight": weights(both)}
    if pair.binary and np.allclose(chance, 0.5, rtol=0, atol=_EQUAL):
        model = ClassTransformation(recipe.estimator(rows, binary=True))
    else:
        estimator = recipe.estimator(rows, binary=False)
        model = ClassTransformationReg(estimator, propensity_val=chance)
    return model.fit(pair.matrix, pair.outcome, pair.treated, given)
