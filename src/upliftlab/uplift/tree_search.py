"""The search for the best two questions: every pair is tried, none of them row by row.

For each pair of features one table holds the sums of scores by places of both; from its cumulative
sums all four corners of every pair of their questions are read at once. Time is features² × rows ×
arms for the tables, and features² × cuts² × arms for the corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.questions import FeatureQuestion, FeatureQuestions

EQUAL = 1e-10
"""Sums that differ by less than this part of the size of all scores are equal."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A question and what is asked next of those who say yes and of those who do not."""

    question: FeatureQuestion
    yes: Fork | None = None
    no: Fork | None = None


@dataclass(slots=True, eq=False)
class _Side:
    """The best found so far for one answer to each of a feature's questions.

    Attributes:
        value: The sum of gains, shape (questions,); -inf where too few give the answer.
        second: The place of the second question's feature, -1 where none gains.
        number: The second question's number.
    """

    value: Array
    second: np.ndarray
    number: np.ndarray

    @classmethod
    def of(cls, sums: Array, smallest: int) -> _Side:
        """Nothing more asked; sums of gains and, last, customers: shape (questions, arms + 1)."""
        none = np.full(len(sums), -1)
        return cls(_worth(sums, smallest), none, none.copy())

    def offer(self, values: Array, second: int, equal: float) -> None:
        """Second questions of one feature, their values of shape (questions, second questions)."""
        best = values.max(axis=1)
        # Not argmax: of questions equal but for rounding the first is taken.
        number = np.argmax(values >= best[:, None] - equal, axis=1)
        better = best > self.value + equal
        self.value = np.where(better, best, self.value)
        self.second = np.where(better, second, self.second)
        self.number = np.where(better, number, self.number)


def best_fork(asked: list[FeatureQuestions], gains: Array, smallest: int) -> Fork | None:
    """The questions whose answers gain most if each group gets its best arm; None if none gains.

    Args:
        asked: The questions of each feature.
        gains: Scores beyond the control's, the control's zeros first, shape (n, arms).
        smallest: Customers that a group must have at least.
    """
    equal = EQUAL * float(np.abs(gains).sum())
    columns = [np.ascontiguousarray(column) for column in gains.T]
    whole = np.append(gains.sum(axis=0), len(gains))
    yes = [each.yes(_table(each.bins, len(each) + 1, columns), 0) for each in asked]
    sides = [(_Side.of(sums, smallest), _Side.of(whole - sums, smallest)) for sums in yes]
    for f, g in combinations_with_replacement(range(len(asked)), 2):
        both = _both(asked[f], asked[g], columns)
        _offer(sides[f], (yes[f], yes[g], both), whole, (g, smallest, equal))
        if f != g:
            turned = both.swapaxes(0, 1)
            _offer(sides[g], (yes[g], yes[f], turned), whole, (f, smallest, equal))
    return _best(asked, sides, float(whole[:-1].max()), equal)


def _table(places: np.ndarray, number: int, columns: list[Array]) -> Array:
    """Sums of each column and, last, customers by place, shape (number, columns + 1)."""
    sums = [np.bincount(places, column, number) for column in columns]
    return np.stack([*sums, np.bincount(places, minlength=number)], axis=-1).astype(np.float64)


def _both(one: FeatureQuestions, other: FeatureQuestions, columns: list[Array]) -> Array:
    """Sums over those who say yes to both of two questions, (questions, questions, arms + 1)."""
    wide = len(other) + 1
    table = _table(one.bins * wide + other.bins, (len(one) + 1) * wide, columns)
    return other.yes(one.yes(table.reshape(len(one) + 1, wide, -1), 0), 1)


def _offer(
    sides: tuple[_Side, _Side],
    sums: tuple[Array, Array, Array],
    whole: Array,
    rules: tuple[int, int, float],
) -> None:
    """Tries one feature's questions as the second ones, after either answer."""
    (first, second, both), (number, smallest, equal) = sums, rules
    first, second = first[:, None], second[None, :]
    for side, yes, all_of_it in (
        (sides[0], both, first),
        (sides[1], second - both, whole - first),
    ):
        side.offer(_worth(yes, smallest) + _worth(all_of_it - yes, smallest), number, equal)


def _worth(sums: Array, smallest: int) -> Array:
    """What groups gain with the best arm for each, -inf where one is too small."""
    return np.where(sums[..., -1] >= max(1, smallest), sums[..., :-1].max(axis=-1), -np.inf)


def _best(
    asked: list[FeatureQuestions], sides: list[tuple[_Side, _Side]], leaf: float, equal: float
) -> Fork | None:
    """The first question to ask: the best, of equal ones with the fewest that follow."""
    candidates = [
        (yes.value[number] + no.value[number], f, number)
        for f, (yes, no) in enumerate(sides)
        for number in range(len(yes.value))
    ]
    most = max((value for value, _, _ in candidates), default=leaf)
    if most <= leaf + equal:
        return None
    near = [(f, number) for value, f, number in candidates if value >= most - equal]
    asks = [sum(side.second[number] >= 0 for side in sides[f]) for f, number in near]
    f, number = near[asks.index(min(asks))]
    followed = [
        Fork(asked[int(side.second[number])][int(side.number[number])])
        if side.second[number] >= 0
        else None
        for side in sides[f]
    ]
    return Fork(asked[f][number], *followed)
