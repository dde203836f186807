"""The level of an interval: how far from the estimate its ends lie, in standard errors.

Everywhere else an interval is an estimate and a standard error. How many standard errors it takes
to be wrong as seldom as was promised depends on how a studentised difference varies by chance:
like Student's t, like it but slightly skewed (`cubic`), or as measured by dividing the same units
anew (`permutation`). Where the data are looked at several times, each look's interval is made at a
nominal level of its own (`sequential`). A p-value uses the same distribution, so that p < α exactly
where an interval of confidence 1 − α leaves out the value tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, nan
from typing import Protocol

import numpy as np
from scipy.special import stdtr, stdtrit

from upliftlab.stats.cubic import bent, straightened
from upliftlab.stats.moments import Array

_AS_FAR = 1 + 1e-9
"""Divisions that differ in rounding alone lie as far out as each other."""


class InterimLook(Protocol):
    """One of several looks at the data."""

    def nominal(self, alpha: float) -> float:
        """The two-sided level of this look's own interval, for all looks to err at most α."""
        ...

    def overall(self, p: float) -> float:
        """The smallest α at which this look rejects, given its own two-sided p."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What an interval promises, and what it takes to keep the promise.

    Attributes:
        confidence: The level of the interval, such as 0.95.
        look: Which of several looks this is; None where the data are looked at once.
        draws: Studentised differences between random divisions of the same units, ascending; None
            where the difference varies like Student's t. Empty where units are too few to be
            divided: then nothing tells how it varies.
        skewness: Of the difference, where there are no draws: Hall's cubic allows for it.
    """

    confidence: float
    look: InterimLook | None = None
    draws: Array | None = None
    skewness: float = 0.0

    @property
    def nominal(self) -> float:
        """The two-sided level at which this interval is made."""
        alpha = 1 - self.confidence
        return alpha if self.look is None else self.look.nominal(alpha)

    def bounds(self, df: float) -> tuple[float, float]:
        """The standard errors to subtract from the estimate for its upper and its lower end.

        Of draws they are order statistics. One is infinite where the draws do not reach so far,
        or where it would be the edge of what they can come to (`edges`): with a handful of
        purchases many divisions are alike, and beyond the last of them nothing was ever seen.

        Args:
            df: Degrees of freedom of Student's t, where there are no draws.

        >>> low, high = Level(0.95).bounds(10)
        >>> round(low, 4), round(high, 4)
        (-2.2281, 2.2281)
        """
        alpha = self.nominal
        if alpha <= 0:
            return -inf, inf
        if self.draws is None:
            half = float(stdtrit(df, 1 - alpha / 2))
            return bent(-half, self.skewness), bent(half, self.skewness)
        k = self._place(self.draws)
        if k < 1:
            return -inf, inf
        low, high = _AS_FAR * float(self.draws[k - 1]), _AS_FAR * float(self.draws[-k])
        below, above = self.edges
        return -inf if k <= below else min(0.0, low), inf if k <= above else max(0.0, high)

    @property
    def untold(self) -> bool:
        """Whether units are too skewed for Student's t and too few to be divided."""
        return self.draws is not None and not len(self.draws)

    @property
    def reached(self) -> bool:
        """Whether there are draws enough for the level, were all of them different."""
        return self.draws is not None and self._place(self.draws) >= 1

    @property
    def edges(self) -> tuple[int, int]:
        """How many draws lie at the lower and at the upper edge of all of them.

        >>> Level(0.95, draws=np.array([-1.0, -1.0, -1.0, 2.0])).edges
        (3, 1)
        """
        if self.draws is None:
            return 0, 0
        first, last = float(self.draws[0]), float(self.draws[-1])
        close = _AS_FAR - 1
        below = int(np.searchsorted(self.draws, first + close * abs(first), side="right"))
        above = int(np.searchsorted(self.draws, last - close * abs(last), side="left"))
        return below, len(self.draws) - above

    def _place(self, draws: Array) -> int:
        """The smallest k with 2(k + 1)/(B + 1) ≥ α: beyond the k-th largest draw p is below α."""
        return ceil(round(self.nominal * (len(draws) + 1) / 2, 9)) - 1

    def p(self, t: float, df: float) -> float:
        """Two-sided p-value of a studentised difference.

        Of B draws it is 2(1 + those at least as far out on its side)/(B + 1): never 0, as the
        division that was made is one of those possible (Phipson & Smyth 2010), and never less than
        at the edge of the draws, beyond which nothing tells how seldom a difference is.

        Args:
            t: The difference from the value tested, in standard errors.
            df: Degrees of freedom of Student's t, where there are no draws.
        """
        if self.draws is None:
            p = float(2 * stdtr(df, -abs(straightened(t, self.skewness))))
        else:
            p = self._drawn(t)
        return p if self.look is None else self.look.overall(p)

    def _drawn(self, t: float) -> float:
        draws = self.draws
        assert draws is not None  # noqa: S101 - the caller asked
        below = int(np.searchsorted(draws, t / _AS_FAR, side="right"))
        above = len(draws) - int(np.searchsorted(draws, t / _AS_FAR, side="left"))
        # On one's own side of 0 only: the ends of an interval are kept on their sides as well.
        beyond = max((above, self.edges[1]) if t > 0 else (below, self.edges[0]))
        return min(1.0, 2 * (1 + beyond) / (len(draws) + 1)) if t else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class HeldLevel(Level):
    """A level whose critical values are known and nothing else: they hold whatever is asked.

    Attributes:
        held: The standard errors to subtract for the upper and for the lower end.
    """

    held: tuple[float, float] = (-inf, inf)

    def bounds(self, df: float) -> tuple[float, float]:  # noqa: ARG002 - as of any level
        """The critical values that are held."""
        return self.held

    def p(self, t: float, df: float) -> float:  # noqa: ARG002 - as of any level
        """Not known: two critical values tell no other probability."""
        return nan


def level_of(confidence: float | Level) -> Level:
    """A level of one look and Student's t, where nothing but its confidence is given."""
    return confidence if isinstance(confidence, Level) else Level(confidence)
