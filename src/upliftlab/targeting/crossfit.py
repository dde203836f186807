"""What models say of customers they were not shown, and of customers not seen before.

Cross-fitted predictions stand beside doubly robust scores. For customers not seen before, models
are fitted on all customers of the experiment; an arm whose heterogeneity test is not passed is
taken to do everybody its average good: where nothing shows that customers respond differently,
none is put before another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

import numpy as np

from upliftlab.results.uplift import Estimate
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.uplift.ranking import Ranking
from upliftlab.uplift.sample import CONTROL, TrainingSample

VALUE, COST = 0, 1
"""Columns of outcomes: what was gained before marketing cost, and that cost, where there is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossfit:
    """One division into folds, and what came of it.

    Attributes:
        sample: The customers, with their folds.
        scores: Doubly robust scores Γ of every arm, shape (n, arms, outcomes).
        predicted: By learner, what the arms but the control are predicted to add, by models that
            were not shown the customer's fold; shape (n, arms − 1, outcomes).
        judged: The learner that decides.
        half: Which half of the customers each is in, 0 or 1; shape (n,).
        halves: What the judged learner predicts if it is shown one half only, or the other.
    """

    sample: TrainingSample
    scores: Array
    predicted: Mapping[str, Array]
    judged: str
    half: np.ndarray
    halves: tuple[Array, Array]

    @property
    def money(self) -> bool:
        """Whether a cost is known beside the value."""
        return self.scores.shape[2] > COST

    def by_half(self, half: int) -> Crossfit:
        """The same with what the judged learner predicts after seeing half of the others."""
        return replace(self, predicted={self.judged: self.halves[half]})

    @property
    def rewards(self) -> Array:
        """Scores of what counts in the end, profit or the metric; shape (n, arms)."""
        return net(self.scores)

    def order(self, arm: int, learner: str | None = None) -> Array:
        """What a learner predicts an arm to add in the end, shape (n,)."""
        return net(self.predicted[learner or self.judged])[:, arm - 1]

    def ranking(self, arm: int, learner: str | None = None, outcome: int | None = None) -> Ranking:
        """Customers as a learner orders them for an arm, with scores of its effect.

        Args:
            arm: The arm's number.
            learner: Whose order; the judged one's by default.
            outcome: On what the effect is; on what counts in the end by default.
        """
        found = self.rewards if outcome is None else self.scores[:, :, outcome]
        effects, sample = found[:, arm] - found[:, CONTROL], self.sample
        return Ranking(effects, self.order(arm, learner), sample.cluster, sample.fold)


def net(values: Array) -> Array:
    """Value less cost where there is a cost, over the last axis."""
    return values[..., VALUE] - values[..., COST] if values.shape[-1] > COST else values[..., VALUE]


def together(answers: Sequence[Effect]) -> Estimate:
    """The mean of the same estimate under several divisions into folds, with the means of its ends.

    The standard error of a mean of estimates of the same customers is at most the mean of their
    standard errors (Minkowski), so that the interval promises no more than each of them did. The
    p-value is the largest. What one of them lacks is absent.
    """
    known = [each.p for each in answers if each.p is not None]
    return Estimate(
        estimate=_mean([each.estimate for each in answers]),
        se=_mean([each.se for each in answers]),
        low=_mean([each.low for each in answers]),
        high=_mean([each.high for each in answers]),
        p=max(known) if len(known) == len(answers) else None,
        note=next((each.note for each in answers if each.note is not None), None),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


_DIGITS = 9
"""Decimals of a number in scientific notation that has ten significant digits."""
_PROBED = 200


class Fitted(Protocol):
    """A learner that was shown customers."""

    def effects(self, features: Array) -> Array:
        """What each arm is expected to add to one outcome, shape (n, arms − 1)."""
        ...


class Expecting(Protocol):
    """What knows what to expect of customers."""

    def expect(self, features: Array) -> tuple[np.ndarray, np.ndarray]:
        """Expected value before cost, and cost, each of shape (n, arms − 1), float32."""
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
