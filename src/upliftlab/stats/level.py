"""The level of an interval: how far from the estimate its ends lie, in standard errors.

Everywhere else an interval is an estimate and a standard error. How many standard errors it takes
to be wrong as seldom as was promised depends on how a studentised difference varies by chance:
like Student's t, or as measured by dividing the same units anew (`permutation`). Where the data
are looked at several times, each look's interval is made at a nominal level of its own
(`sequential`). A p-value uses the same distribution, so that p < α exactly where an interval of
confidence 1 − α leaves out the value tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import Protocol

import numpy as np
from scipy.special import stdtr, stdtrit

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
            where the difference varies like Student's t.
    """

    confidence: float
    look: InterimLook | None = None
    draws: Array | None = None

    @property
    def nominal(self) -> float:
        """The two-sided level at which this interval is made."""
        alpha = 1 - self.confidence
        return alpha if self.look is None else self.look.nominal(alpha)

    def bounds(self, df: float) -> tuple[float, float]:
        """The standard errors to subtract from the estimate for its upper and its lower end.

        Of draws they are order statistics; infinite where the draws do not reach so far.

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
            return -half, half
        # The smallest k with 2(k + 1)/(B + 1) ≥ α: further out than the k-th largest is p < α.
        k = ceil(round(alpha * (len(self.draws) + 1) / 2, 9)) - 1
        if k < 1:
            return -inf, inf
        low, high = _AS_FAR * float(self.draws[k - 1]), _AS_FAR * float(self.draws[-k])
        return min(0.0, low), max(0.0, high)

    def p(self, t: float, df: float) -> float:
        """Two-sided p-value of a studentised difference.

        Of B draws it is 2(1 + those at least as far out on its side)/(B + 1): never 0, as the
        division that was made is one of those possible (Phipson & Smyth 2010).

        Args:
            t: The difference from the value tested, in standard errors.
            df: Degrees of freedom of Student's t, where there are no draws.
        """
        p = float(2 * stdtr(df, -abs(t))) if self.draws is None else self._drawn(t)
        return p if self.look is None else self.look.overall(p)

    def _drawn(self, t: float) -> float:
        draws = self.draws
        assert draws is not None  # noqa: S101 - the caller asked
        below = int(np.searchsorted(draws, t / _AS_FAR, side="right"))
        above = len(draws) - int(np.searchsorted(draws, t / _AS_FAR, side="left"))
        # On one's own side of 0 only: the ends of an interval are kept on their sides as well.
        beyond = above if t > 0 else below
        return min(1.0, 2 * (1 + beyond) / (len(draws) + 1)) if t else 1.0


def level_of(confidence: float | Level) -> Level:
    """A level of one look and Student's t, where nothing but its confidence is given."""
    return confidence if isinstance(confidence, Level) else Level(confidence)
