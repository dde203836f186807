"""Sorted groups: the average effect by predicted response, with intervals for all at once.

Chernozhukov, Demirer, Duflo & Fernández-Val (2018) call them GATES. Groups are taken as they are:
what is estimated is the effect among those whom this score has put there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Array
from upliftlab.uplift.clusters import interval, totals
from upliftlab.uplift.ranking import ROUNDING, Ranking, descending

GROUPS = 10
_DRAWS = 20_000
"""Draws of the largest of all groups' |t|."""


@dataclass(frozen=True, slots=True)
class DecileGroup:
    """A group of customers that are next to each other in order.

    Attributes:
        n: Customers; those who share a place that is cut are shared out, so it need not be whole.
        predicted: Their mean score.
        effect: Their mean effect; its interval and p-value hold for all groups at once.
    """

    n: float
    predicted: float
    effect: Effect


def deciles(
    ranking: Ranking, confidence: float, rng: np.random.Generator, groups: int = GROUPS
) -> tuple[DecileGroup, ...]:
    """The effect in each group of equal size, the highest scores first.

    With parts (`Ranking.fold`) each is divided by itself and the groups are put together. Critical
    values are those of the largest |t| of numbers correlated as the groups' means are (households
    reach into several groups), each with a standard error from its share of the units: normal
    where these are many, Student's t where few. p-values are adjusted the same way.

    Args:
        ranking: Customers in order.
        confidence: Level at which all intervals hold together, such as 0.95.
        rng: The source of chance.
        groups: How many groups.

    Raises:
        ValueError: There are more groups than customers in a part.
    """
    member = _members(ranking, groups)
    size = member.sum(axis=0)
    mean, predicted = ranking.effects @ member / size, ranking.score @ member / size
    effects = _together(ranking, member, mean, Simultaneous(confidence, rng))
    return tuple(
        DecileGroup(float(n), float(score), effect)
        for n, score, effect in zip(size, predicted, effects, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Simultaneous:
    """What intervals promise together, and where chance comes from."""

    confidence: float
    rng: np.random.Generator

    def level(self, correlation: Array, df: float) -> Level:
        """The level of each of several estimates so that all intervals hold at once."""
        values, vectors = np.linalg.eigh(correlation)
        values[values < ROUNDING * len(values)] = 0.0
        # The symmetric root, as eigenvectors of like groups are any that rounding leads to.
        root = vectors * np.sqrt(values) @ vectors.T
        means = self.rng.standard_normal((_DRAWS, len(root))) @ root
        errors = np.sqrt(self.rng.chisquare(df, means.shape) / df)
        largest = np.abs(means / errors).max(axis=1)
        # As many on either side, as `Level` wants them.
        return Level(self.confidence, draws=np.sort(np.append(-largest, largest)))


def _members(ranking: Ranking, groups: int) -> Array:
    """How much of each row is in each group, shape (n, groups); rows add up to 1."""
    member = np.zeros((len(ranking), groups))
    for rows in ranking.parts():
        if len(rows) < groups:
            raise ValueError(f"{len(rows)} customers cannot be divided into {groups} groups")
        order = descending(ranking.score[rows])
        scale = groups / len(rows)
        for group in range(groups):
            low = np.maximum(order.starts * scale, group)
            high = np.minimum(order.ends * scale, group + 1)
            part = np.maximum(high - low, 0.0) / (order.sizes * scale)
            member[rows[order.rows], group] = np.repeat(part, order.sizes)
    return member


def _together(ranking: Ranking, member: Array, mean: Array, promise: Simultaneous) -> list[Effect]:
    """Means with intervals that hold at once."""
    errors = member * (ranking.effects[:, None] - mean) / member.sum(axis=0)
    summed = totals(errors, ranking.cluster)
    units = len(summed)
    if units < 2:  # noqa: PLR2004 - a variance needs two
        return [Effect(float(value), note=Note.few_units) for value in mean]
    df = max(1.0, units / len(mean) - 1)
    covariance = summed.T @ summed * (df + 1) / df
    se = np.sqrt(np.diag(covariance))
    varying = se > 0
    correlation = covariance[np.ix_(varying, varying)] / np.outer(se[varying], se[varying])
    level = promise.level(correlation, df) if varying.any() else Level(promise.confidence)
    pairs = zip(mean.tolist(), se.tolist(), strict=True)
    return [interval(value, error, np.inf, level) for value, error in pairs]
