"""The crossfit: what models say of customers they were not shown, beside doubly robust scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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


def negative(effect: Effect) -> Effect:
    """What is lost instead of gained."""

    def minus(value: float | None) -> float | None:
        return None if value is None else 0.0 - value

    low, high = minus(effect.high), minus(effect.low)
    return replace(effect, estimate=minus(effect.estimate), low=low, high=high)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
