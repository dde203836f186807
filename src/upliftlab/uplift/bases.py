"""Bases: the regressions that learners are made of, kept calm for weak effects and rare money.

Effects are small beside what customers do anyway, and most spend nothing while a few spend much.
So trees are shallow, with many customers in every leaf, a strong ridge on each leaf and no early
stopping, which would throw a part of the customers away by chance; all of it grows with the
sample. Linear models see numbers cut at 5 standard deviations and carry a ridge of 10 customers.
Predictions stay within what was seen.
"""
# scikit-learn has no types.
# ruff: noqa: ANN401
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.encoding import Encoding

Base = Literal["boosting", "linear"]
Response = Callable[[Array], Array]
"""What to expect of customers, by what `Recipe.matrix` gives."""

RIDGE = 10.0
_SMALL, _LARGEST = 20_000, 4.0
"""Rows from which trees grow with the root of the sample, and how much they grow at most."""
_ROUNDS, _LEAVES, _RATE = 50, 4, 0.05
_FEWEST_IN_LEAF, _MOST_IN_LEAF = 20, 1_000
_FEWEST_AMOUNTS, _CUT = 200, 0.99
"""Customers with an amount from which it is learnt by itself, and the quantile it is cut at."""
_ALONE = 100_000
"""Rows up to which one thread does the work: more would wait for one another, very long where
other programs want the processors too."""


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """A fitted regression: what to expect of customers.

    Attributes:
        estimator: None where everybody did the same.
        low: The least that was seen; of two values the smaller.
        high: The most that was seen.
        binary: Whether there were two values, and the estimator gives the larger's probability.
    """

    estimator: Any
    low: float
    high: float
    binary: bool

    def __call__(self, matrix: Array) -> Array:
        """Expected outcome per row, shape (n,)."""
        if self.estimator is None or not len(matrix):
            return np.full(len(matrix), self.low)
        if self.binary:
            share = np.asarray(self.estimator.predict_proba(matrix), dtype=np.float64)[:, 1]
            return self.low + (self.high - self.low) * share
        return np.clip(self.estimator.predict(matrix), self.low, self.high, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How regressions are fitted: everything but the customers."""

    base: Base
    encoding: Encoding
    seed: int

    def matrix(self, features: Array) -> Array:
        """Encoded features as the base takes them, shape (n, columns)."""
        return self.encoding.linear(features) if self.base == "linear" else features

    def estimator(self, rows: int, *, binary: bool) -> Any:
        """A scikit-learn estimator that is not yet fitted.

        Args:
            rows: How many customers it will be fitted on.
            binary: Whether outcomes are 0 and 1, and it gives probabilities.
        """
        if self.base == "linear":
            return self._linear(binary=binary)
        return self._boosting(rows, binary=binary)

    def fit(self, matrix: Array, outcome: Array, weight: Array | None = None) -> Prediction:
        """Regress an outcome on features.

        Args:
            matrix: What `matrix` gives, shape (n, columns), n > 0.
            outcome: Shape (n,).
            weight: Shape (n,), or None for equal weights.
        """
        low, high, binary = span(outcome)
        if low == high:
            return Prediction(None, low, high, binary=False)
        estimator = self.estimator(len(outcome), binary=binary)
        target = (outcome == high).astype(np.int64) if binary else outcome
        estimator.fit(matrix, target, sample_weight=weight)
        return Prediction(estimator, low, high, binary)

    def amount(self, matrix: Array, outcome: Array, weight: Array | None = None) -> Response:
        """Regress an amount that most customers have none of, in two parts.

        Whether there is any, and how large it then is, learnt with the largest hundredth cut and
        brought back to the mean: of heavy-tailed money, single customers would lead the trees.
        What has no such mass at zero, or too few above it, is regressed as by `fit`.

        Args:
            matrix: What `matrix` gives, shape (n, columns), n > 0.
            outcome: Shape (n,).
            weight: Shape (n,), or None for equal weights.
        """
        some = outcome > 0
        count, (low, high, _) = int(some.sum()), span(outcome)
        if low < 0 or count < _FEWEST_AMOUNTS or 2 * count > len(outcome):
            return self.fit(matrix, outcome, weight)
        above, own = outcome[some], None if weight is None else weight[some]
        if float(above.min()) == high:
            return self.fit(matrix, outcome, weight)
        cut = np.minimum(above, np.quantile(above, _CUT))
        scale = float(np.average(above, weights=own) / np.average(cut, weights=own))
        whether = self.fit(matrix, some.astype(np.float64), weight)
        large = self.fit(matrix[some], cut, own)
        return lambda given: whether(given) * scale * large(given)

    def _linear(self, *, binary: bool) -> Any:
        from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - slow to load

        if binary:
            return LogisticRegression(C=1 / RIDGE, max_iter=1_000)
        return Ridge(alpha=RIDGE, solver="cholesky")

    def _boosting(self, rows: int, *, binary: bool) -> Any:
        from sklearn.ensemble import (  # noqa: PLC0415 - slow to load
            HistGradientBoostingClassifier,
            HistGradientBoostingRegressor,
        )

        growth = float(np.clip(np.sqrt(rows / _SMALL), 1.0, _LARGEST))
        make: Any = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
        return make(
            learning_rate=_RATE,
            max_iter=round(_ROUNDS * growth),
            max_leaf_nodes=round(_LEAVES * growth),
            min_samples_leaf=int(np.clip(rows // 100, _FEWEST_IN_LEAF, _MOST_IN_LEAF)),
            l2_regularization=RIDGE,
            early_stopping=False,
            categorical_features=list(self.encoding.categories) or None,
            random_state=self.seed,
        )


def span(outcome: Array) -> tuple[float, float, bool]:
    """The least and the most, and whether there is nothing else than these two."""
    low, high = float(outcome.min()), float(outcome.max())
    return low, high, bool(low < high and ((outcome == low) | (outcome == high)).all())


def calm(rows: int) -> AbstractContextManager[Any]:
    """Within it, small work is done by one thread."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - slow to load

    import_module("sklearn.ensemble")  # only what is loaded is held back
    return threadpool_limits(1 if rows <= _ALONE else None)
