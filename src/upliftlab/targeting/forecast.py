"""The forecast: what each arm is expected to add and to cost, for customers not seen before.

Models are fitted on all customers of the experiment. An arm whose gate is shut is taken to do
everybody its average good: where nothing shows that customers respond differently, none is put
before another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import COST, VALUE
from upliftlab.uplift.sample import CONTROL, TrainingSample

_DIGITS = 9
"""Decimals of a number in scientific notation that has ten significant digits."""
_PROBED = 200


class Fitted(Protocol):
    """A learner that was shown customers."""

    def effects(self, features: Array) -> Array:
        """What each arm is expected to add to one outcome, shape (n, arms − 1)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected of customers.

    Attributes:
        value: Foretells what is gained before marketing cost; None where every gate is shut.
        cost: Foretells marketing cost; None likewise.
        open: Whether each treatment's gate is open, shape (arms − 1,).
        average: Each treatment's average effect on value and cost, shape (arms − 1, 2).
        least: What contacting a customer costs at least, shape (arms − 1,): no cost is expected
            below it, however few redeem.
        realised: What comes of each unit of profit that models foretell, as far as is known.
    """

    value: Fitted | None
    cost: Fitted | None
    open: np.ndarray
    average: Array
    least: Array
    realised: float = 1.0

    def expect(self, features: Array) -> tuple[np.ndarray, np.ndarray]:
        """Expected value before cost, and cost, each of shape (n, arms − 1), float32.

        Profit, value less cost, is what models foretell times `realised`; cost is as foretold.
        """
        found = np.repeat(self.average[None, :, :], len(features), axis=0)
        for outcome, fitted in ((VALUE, self.value), (COST, self.cost)):
            if fitted is not None and self.open.any() and len(features):
                found[:, self.open, outcome] = fitted.effects(features)[:, self.open]
        cost = np.maximum(found[:, :, COST], self.least)
        value = cost + self.realised * (found[:, :, VALUE] - cost)
        return value.astype(np.float32), cost.astype(np.float32)

    def probe(self, features: Array) -> str:
        """A digest of what is expected of some customers: other models give another.

        Numbers are taken at ten significant digits, so that only models that differ in truth do,
        and customers by their features, so that the order in which they come does not matter.
        """
        places = np.linspace(0, len(features) - 1, min(_PROBED, len(features))).astype(np.int64)
        rows = features[np.lexsort(features.T)[places]]
        fitted = [each for each in (self.value, self.cost) if each is not None]
        parts = [rows, self.average, *(each.effects(rows) for each in fitted)]
        numbers = np.concatenate([part.ravel() for part in parts])
        text = "\n".join(f"{number + 0.0:.{_DIGITS}e}" for number in numbers)
        return sha256(text.encode()).hexdigest()


def average_effects(sample: TrainingSample) -> Array:
    """Each treatment's average effect on every outcome, shape (arms − 1, outcomes).

    Means are weighted by 1/e of the arm that was drawn (Hájek 1971), as arms may have been drawn
    with other chances in other strata.
    """
    rows = np.arange(len(sample))
    weight = 1 / sample.propensity[rows, sample.arm]
    total = np.bincount(sample.arm, weight, minlength=sample.arms)
    sums = np.stack(
        [
            np.bincount(sample.arm, weight * column, minlength=sample.arms)
            for column in sample.outcomes.T
        ],
        axis=1,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / total[:, None]
    return means[CONTROL + 1 :] - means[CONTROL]


def least_costs(contact: Sequence[float]) -> Array:
    """What each treatment's contact costs beyond the control's, not below 0; the control first.

    >>> least_costs([0.02, 0.02, 0.1]).tolist()
    [0.0, 0.08]
    """
    found = np.asarray(contact, dtype=np.float64)
    return np.maximum(found[1:] - found[0], 0.0)
