"""A ranking: customers by descending score, with what each is known to gain.

Ties are customers nobody has put in order: whatever is said of a place in the ranking is said of
the average of those who share it, so no result depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upliftlab.stats.moments import Array
from upliftlab.uplift.bootstrap import codes

ROUNDING = 1e-12
"""What is smaller than this, beside the numbers it was computed from, is 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Customers, the order a score puts them in, and one arm's effect on each.

    Attributes:
        effects: Doubly robust effect scores Γ_a − Γ_0, in the outcome's unit; shape (n,).
        score: What they are ordered by, the highest first; shape (n,). Any number type, also bool.
        cluster: A number per randomised unit, shape (n,).
        fold: The part of the cross-fitting each is in, shape (n,): scores are compared within a
            part only, as each part's model has a scale of its own. None where one model gave all.

    Raises:
        ValueError: Shapes differ, there are no rows, or an effect or score is not a number.
    """

    effects: Array
    score: Array
    cluster: np.ndarray
    fold: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "effects", numbers(self.effects, "effects"))
        object.__setattr__(self, "score", numbers(self.score, "scores"))
        fold = () if self.fold is None else (np.asarray(self.fold),)
        same_length(self.effects, self.score, np.asarray(self.cluster), *fold)

    def __len__(self) -> int:
        return len(self.effects)

    def parts(self) -> Iterator[np.ndarray]:
        """The rows of each part that is ranked by itself."""
        if self.fold is None:
            yield np.arange(len(self))
            return
        part, count = codes(np.asarray(self.fold))
        order = np.argsort(part, kind="stable")
        yield from np.split(order, np.cumsum(np.bincount(part, minlength=count))[:-1])

    def centred(self) -> Array:
        """Each score less its part's mean, shape (n,); exactly 0 in parts without variation."""
        result = np.zeros(len(self))
        for rows in self.parts():
            score = self.score[rows]
            if score.min() < score.max():
                result[rows] = score - score.mean()
        return result

    @property
    def flat(self) -> bool:
        """Whether the effect is the same on everybody, so that no score could matter."""
        return bool(np.ptp(self.effects) <= ROUNDING * np.abs(self.effects).max())

    @property
    def constant(self) -> bool:
        """Whether the score puts nobody before anybody."""
        return not self.centred().any()


@dataclass(frozen=True, slots=True, eq=False)
class RankOrder:
    """Rows by descending score, and where each block of ties begins and ends.

    Attributes:
        rows: Row numbers, the highest score first; shape (n,).
        starts: The place, from 0, at which each block of equal scores begins; shape (blocks,).
    """

    rows: np.ndarray
    starts: np.ndarray

    @property
    def ends(self) -> np.ndarray:
        """The place after each block's last, shape (blocks,)."""
        return np.append(self.starts[1:], len(self.rows))

    @property
    def sizes(self) -> np.ndarray:
        """How many rows each block has, shape (blocks,)."""
        return self.ends - self.starts

    def sums(self, values: Array) -> Array:
        """Sums of values, given in order of rank, over each block; shape (blocks,)."""
        return np.add.reduceat(values, self.starts)

    def averaged(self, values: Array) -> Array:
        """Values in order of rank, each the average of its block; shape (n,)."""
        if len(self.starts) == len(values):
            return values
        return np.repeat(self.sums(values) / self.sizes, self.sizes)


def descending(score: Array) -> RankOrder:
    """The order that a score puts rows in.

    >>> order = descending(np.array([1.0, 3.0, 1.0]))
    >>> order.rows, order.starts
    (array([1, 0, 2]), array([0, 1]))
    """
    rows = np.argsort(-score, kind="stable")
    ordered = score[rows]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return RankOrder(rows, np.flatnonzero(new))


def numbers(values: npt.ArrayLike, name: str) -> Array:
    """Values as floats, shape (n,).

    Raises:
        ValueError: They are not one column, there are none, or one is not a finite number.
    """
    result = np.asarray(values, dtype=np.float64)
    if result.ndim != 1 or not len(result):
        raise ValueError(f"{name} must be one column with at least one row")
    if bad := int((~np.isfinite(result)).sum()):
        raise ValueError(f"{bad} of {len(result)} {name} are not finite numbers")
    return result


def same_length(*columns: np.ndarray) -> None:
    """Refuse columns of different shapes.

    Raises:
        ValueError: They differ.
    """
    if len({column.shape for column in columns}) > 1:
        shapes = ", ".join(str(column.shape) for column in columns)
        raise ValueError(f"columns must have the same shape, not {shapes}")
