"""A posterior: what is believed of an effect, out of its estimate and of what was believed before.

How far the truth may lie from the estimate is what the interval is made of: Student's t, bent by a
slight skewness, or the draws of divided units (`level`). Read as a distribution of the truth, θ =
estimate − t·error, this is the confidence distribution (Schweder & Hjort 2016): its middle 95 % are
the 95 % interval, and it is the posterior where nothing was believed before. A prior weighs its
points (Efron 1993, who calls the density an implied likelihood), which is the usual product of
normal densities where the estimate is normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, stdtrit

from upliftlab.results.base import Note
from upliftlab.stats.cubic import bent
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Array

POINTS: Final = 4_000
"""At equal steps of the logit of confidence, so that far ends are not told by a single one."""
_FARTHEST: Final = 60.0
"""The logit of the last: ten standard errors away, where errors are normal."""
SURE: Final = 0.001
"""No probability is told nearer to certainty: neither model nor points tell more."""
_BEYOND: Final = 0.01
"""More of a posterior than this beyond all that was drawn is told by nothing."""


@dataclass(frozen=True, slots=True)
class Normal:
    """What was believed before: a normal distribution of the effect.

    Attributes:
        mean: Its mean, in units of the effect.
        sd: Its standard deviation, above 0.
    """

    mean: float
    sd: float

    def scaled(self, by: float) -> Normal:
        """The same of so many units together."""
        return Normal(self.mean * by, self.sd * by)

    def shifted(self, by: float) -> Normal:
        """The same of an effect that is larger by an amount."""
        return Normal(self.mean + by, self.sd)


@dataclass(frozen=True, slots=True)
class Believed:
    """A posterior.

    Attributes:
        mean: Its mean.
        sd: Its standard deviation.
        low: Lower end of its middle part.
        high: Upper end.
        positive: Probability that the effect is above 0, from `SURE` to 1 − `SURE`.
        loss: What is lost on average by adopting: the mean of −effect where it is below 0.
        forgone: What is lost on average by not adopting: the mean of the effect where it is above.
    """

    mean: float
    sd: float
    low: float
    high: float
    positive: float
    loss: float
    forgone: float


def posterior(effect: Effect, level: Level, prior: Normal | None = None) -> Believed | Note:
    """What is believed of an effect, or why nothing is told.

    Looks at the data before the last change nothing here: what is believed depends on the data
    alone.

    Args:
        effect: The estimate, its error and degrees of freedom.
        level: How its studentised error varies, and how large the middle part is.
        prior: What was believed before, in the effect's units; None where nothing was.

    >>> effect = Effect(2.0, 1.0, 1e6, 0.04, 3.96)
    >>> round(posterior(effect, Level(0.95)).positive, 3)
    0.977
    >>> found = posterior(effect, Level(0.95), Normal(0.0, 1.0))
    >>> round(found.mean, 2), round(found.sd, 2)
    (1.0, 0.71)
    """
    if effect.estimate is None or effect.se is None or effect.df is None:
        return effect.note or Note.no_variation
    if level.untold or effect.low is None or effect.high is None:
        return effect.note or Note.few_expected
    steps = np.linspace(-_FARTHEST, _FARTHEST, POINTS)
    points = effect.estimate - effect.se * _errors(effect.df, level, steps)
    weights = expit(steps) * expit(-steps)
    if prior is not None:
        standard = (points - prior.mean) / prior.sd
        weights = weights * np.exp(-0.5 * (standard**2 - np.min(standard**2)))
    weights /= weights.sum()
    edge = 0.0 if level.draws is None else 1 / (len(level.draws) + 1)
    if weights[expit(-np.abs(steps)) < edge].sum() > _BEYOND:
        return Note.prior_contradicted
    order = np.argsort(points)
    return _told(points[order], weights[order], level.confidence)


def _errors(df: float, level: Level, steps: Array) -> Array:
    """The studentised errors below which the chance has these logits."""
    if level.draws is not None:
        return np.quantile(level.draws, expit(steps))
    student = np.sign(steps) * -stdtrit(df, expit(-np.abs(steps)))
    return np.array([bent(float(t), level.skewness) for t in student])


def _told(points: Array, weights: Array, confidence: float) -> Believed:
    mean = float(weights @ points)
    upto = np.cumsum(weights) - weights / 2
    low, high = np.interp([(1 - confidence) / 2, (1 + confidence) / 2], upto, points).tolist()
    above = 1 - float(np.interp(0.0, points, upto, left=0.0, right=1.0))
    return Believed(
        mean=mean,
        sd=float(weights @ (points - mean) ** 2) ** 0.5,
        low=low,
        high=high,
        positive=min(max(above, SURE), 1 - SURE),
        loss=float(weights @ np.maximum(-points, 0.0)),
        forgone=float(weights @ np.maximum(points, 0.0)),
    )
