"""The sample: what models learn from, one row per customer of a randomised experiment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array

CONTROL = 0
"""The arm all others are compared with comes first."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSample:
    """Customers with what was known of them, what they were given, and what they did.

    Attributes:
        features: Encoded features, NaN where missing; shape (n, p). See `encoding.Encoding`.
        arm: The number of each customer's arm, 0 for the control; shape (n,), int64.
        outcomes: What they did, in columns of their own; shape (n, outcomes). With money the value
            before marketing cost and the cost, else the metric alone.
        propensity: The known probability of each arm; shape (n, arms), rows add up to 1.
        cluster: A number per randomised unit (the customer, or the household); shape (n,), int64.
        fold: Which part of the cross-fitting each is in, the same for all of a unit; shape (n,).
    """

    features: Array
    arm: np.ndarray
    outcomes: Array
    propensity: Array
    cluster: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.arm)

    @property
    def arms(self) -> int:
        """How many arms there are, the control included."""
        return self.propensity.shape[1]

    @property
    def folds(self) -> int:
        """How many parts there are."""
        return int(self.fold.max()) + 1

    def take(self, rows: np.ndarray) -> TrainingSample:
        """Some of the rows, by number or by flag."""
        return TrainingSample(
            self.features[rows],
            self.arm[rows],
            self.outcomes[rows],
            self.propensity[rows],
            self.cluster[rows],
            self.fold[rows],
        )
