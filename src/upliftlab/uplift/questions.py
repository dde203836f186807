"""Questions that a policy tree may ask: is a number at most so much, is a category this one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from upliftlab.stats.moments import Array


class QuestionKind(StrEnum):
    """What a question asks of a feature."""

    at_most = "at most"
    equals = "equals"


@dataclass(frozen=True, slots=True)
class FeatureQuestion:
    """A question of one feature. Where the feature is missing (NaN) the answer is no.

    Attributes:
        feature: The number of the feature's column.
        kind: Whether it is at most the value (a number), or equal to it (a category's code).
        value: The threshold or the code.
    """

    feature: int
    kind: QuestionKind
    value: float

    def ask(self, features: Array) -> np.ndarray:
        """Who answers yes, shape (n,).

        Args:
            features: Shape (n, p), NaN where missing.
        """
        column = features[:, self.feature]
        return column <= self.value if self.kind is QuestionKind.at_most else column == self.value


@dataclass(frozen=True, slots=True, eq=False)
class FeatureQuestions:
    """All questions of one feature, and which of them each customer answers with yes.

    Attributes:
        feature: The number of the feature's column.
        kind: As of `FeatureQuestion`.
        values: Ascending, one for each question, shape (questions,).
        bins: Each customer's place, shape (n,): of numbers the first question answered with yes,
            as are all after it; of categories the only one; `questions` where none is.
    """

    feature: int
    kind: QuestionKind
    values: Array
    bins: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, number: int) -> FeatureQuestion:
        return FeatureQuestion(self.feature, self.kind, float(self.values[number]))

    def yes(self, sums: Array, axis: int) -> Array:
        """Sums over those who answer yes to each question, from sums over each place.

        Args:
            sums: `questions` + 1 places along the axis.
            axis: Which axis the places lie along.
        """
        if self.kind is QuestionKind.at_most:
            sums = np.cumsum(sums, axis=axis)
        return np.take(sums, np.arange(len(self)), axis=axis)


def asked_of(features: Array, categorical: frozenset[int], cuts: int) -> list[FeatureQuestions]:
    """The questions of each feature that can be asked at all.

    Args:
        features: Shape (n, p), NaN where missing.
        categorical: Which columns hold codes of categories.
        cuts: Questions per feature at most, and one more about numbers that are known at all.
    """
    found = list[FeatureQuestions]()
    for number, column in enumerate(features.T):
        if number in categorical:
            values = _levels(column, cuts)
            bins = _places(values, column)
            inside = np.append(values, np.nan)[bins] == column
            asked = FeatureQuestions(
                number, QuestionKind.equals, values, np.where(inside, bins, len(values))
            )
        else:
            values = _thresholds(column, cuts)
            asked = FeatureQuestions(number, QuestionKind.at_most, values, _places(values, column))
        found += [asked] if len(asked) else []
    return found


def _places(values: Array, column: Array) -> np.ndarray:
    """Which value is the first that is not smaller, `questions` if none is; missing ones too."""
    return np.searchsorted(values, column)


def _thresholds(column: Array, cuts: int) -> Array:
    """Values that divide a column evenly; the largest only if missing ones stand against it."""
    known = np.sort(column[~np.isnan(column)])
    first = np.diff(known, prepend=-np.inf) > 0
    distinct = known[first] if len(known) else known
    largest = distinct[-1:] if len(known) < len(column) else distinct[:0]
    if len(distinct) - 1 <= cuts:
        return np.append(distinct[:-1], largest)
    places = np.ceil(np.arange(1, cuts + 1) / (cuts + 1) * len(known)).astype(np.int64) - 1
    inner = np.unique(known[places])
    return np.append(inner[inner < distinct[-1]], largest)


def _levels(column: Array, cuts: int) -> Array:
    """The most frequent codes, ascending; none where all customers have the same one."""
    codes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    if len(codes) == 1 and counts[0] == len(column):
        return codes[:0]
    return np.sort(codes[np.argsort(-counts, kind="stable")[:cuts]])
