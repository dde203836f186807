"""Quantiles: how far a quantile of the treated lies from the control's, with its interval.

A quantile's own interval lies between two of the group's ordered values, whatever the distribution,
and between two of them where a fraction of a rank is asked for (Hutson 1999). Those of two groups
are put together to one of their difference as by Zou & Donner (2008), which keeps each end's own
reach; a standard error of the same values (Price & Bonett 2002) takes both reaches for equal.

Of equal values the order is nothing. Where as many as a good part of the ranks within the interval
have the quantile's own value, the interval does not hold, and is withheld.

A quantile is the value of one unit or two. What is told of it is a round number that as many units
share as a cell must have, and of an interval the round numbers that hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from math import ceil, floor, hypot, isfinite, log10

from scipy.special import bdtrik, ndtri

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import Level, level_of

FEWEST_BEYOND = 10
"""So many units a group is to have above a quantile, and below it."""
MOST_EQUAL = 0.2
"""Units with a quantile's own value, as a part of the ranks within its interval, at most."""
_ROUNDING = 1e-9
_ROUND = (1, 2, 3, 5)
"""What numbers are rounded to: multiples of these times a power of ten."""
Ordered = Mapping[int, tuple[float, int]]
"""By rank, the value there and how many units have it."""


@dataclass(frozen=True, slots=True)
class QuantileRanks:
    """Places in a group's ordered values, of which the first is 1.

    A place between two whole ranks is as far between their values.

    Attributes:
        low: Of the lower end of the quantile's interval.
        at: Of the quantile.
        high: Of the upper end.
        cell: How many units on either side of the quantile are looked at, to round it.
    """

    low: float
    at: float
    high: float
    cell: int = 0

    @property
    def whole(self) -> tuple[int, ...]:
        """The ranks whose values are needed, in order: eight at most.

        >>> QuantileRanks(2.5, 4.0, 5.25).whole
        (2, 3, 4, 5, 6)
        """
        places = (self.low, self.at, self.high, *self.beside)
        return tuple(sorted({end(place) for place in places for end in (floor, ceil)}))

    @property
    def beside(self) -> tuple[int, ...]:
        """The ranks up to which there are `cell` units on either side.

        >>> QuantileRanks(2.5, 7.5, 12.0, cell=5).beside
        (3, 12)
        """
        return (floor(self.at) + 1 - self.cell, ceil(self.at) - 1 + self.cell) if self.cell else ()


@dataclass(frozen=True, slots=True)
class GroupQuantile:
    """A group's quantile with the ends of its interval.

    Attributes:
        value: The quantile.
        low: Lower end.
        high: Upper end.
        tied: Whether it lies among too many equal values for the interval to hold.
        step: Rounded to a multiple of this it is as many units' as a cell must have; 0 where it is
            as it stands.
    """

    value: float
    low: float
    high: float
    tied: bool = False
    step: float = 0.0

    @property
    def told(self) -> float:
        """The quantile as it may be told."""
        return _rounded(self.value, self.step)


def ranks_of(
    share: float, n: int, confidence: float | Level, cell: int = 0
) -> QuantileRanks | None:
    """Where a quantile and its interval lie; None where too few units are beyond it.

    The share below the value of rank r has a beta distribution of r and n + 1 − r, also between
    whole ranks (Hutson 1999): the ends are those that miss p with half of the level each.

    Args:
        share: The share p of units below the quantile, between 0 and 1.
        n: Units of the group.
        confidence: Level of the interval, such as 0.95.
        cell: How many units must share what is told; 0 where nothing is.

    Raises:
        ValueError: The share is not between 0 and 1.

    >>> ranks = ranks_of(0.5, 100, 0.95)
    >>> round(ranks.low, 2), ranks.at, round(ranks.high, 2)
    (40.72, 50.5, 60.28)
    >>> ranks_of(0.99, 100, 0.95)
    """
    if not 0 < share < 1:
        raise ValueError("a quantile's share lies between 0 and 1")
    tail = level_of(confidence).nominal / 2
    if tail <= 0 or n * min(share, 1 - share) < max(FEWEST_BEYOND, cell) - _ROUNDING:
        return None
    low, high = (1 + float(bdtrik(below, n, share)) for below in (tail, 1 - tail))
    if not (low >= 1 and high <= n):
        return None
    return QuantileRanks(low, (n + 1) * share, high, cell)


def quantile_of(ranks: QuantileRanks, ordered: Ordered) -> GroupQuantile:
    """A group's quantile out of its ordered values.

    Args:
        ranks: Where it lies.
        ordered: What is at its whole ranks.

    >>> ordered = {10: (0.0, 1), 50: (10.0, 2), 51: (20.0, 1), 90: (50.0, 30)}
    >>> quantile_of(QuantileRanks(10.0, 50.5, 90.0), ordered)
    GroupQuantile(value=15.0, low=0.0, high=50.0, tied=False, step=0.0)
    """

    def between(place: float) -> float:
        below, above = ordered[floor(place)][0], ordered[ceil(place)][0]
        return below + (place - floor(place)) * (above - below)

    value, low, high = between(ranks.at), between(ranks.low), between(ranks.high)
    equal = max(ordered[end(ranks.at)][1] for end in (floor, ceil))
    tied = equal > MOST_EQUAL * (ranks.high - ranks.low) or not low < value < high
    beside = [ordered[rank][0] for rank in ranks.beside]
    step = _round_step(value, *beside) if beside else 0.0
    return GroupQuantile(value, low, high, tied, step)


def quantile_difference(
    treated: GroupQuantile | None, control: GroupQuantile | None, confidence: float | Level
) -> Effect:
    """The treated quantile less the control's, with the interval of Zou & Donner (2008).

    With the ends l and u of either quantile q, it reaches from Δ − √((q_t − l_t)² + (u_c − q_c)²)
    to Δ + √((u_t − q_t)² + (q_c − l_c)²). `se` is its width as that of a normal
    distribution, for the record. There is no p-value.

    Args:
        treated: The treated group's quantile; None where too few units are beyond it.
        control: The control's.
        confidence: Level of the interval, and of those of both groups.

    >>> found = quantile_difference(GroupQuantile(8, 5, 12), GroupQuantile(6, 3, 10), 0.95)
    >>> found.estimate, found.low, found.high
    (2, -3.0, 7.0)
    """
    if treated is None or control is None:
        return Effect(None, note=Note.few_beyond)
    estimate = treated.value - control.value
    if treated.tied or control.tied:
        return Effect(estimate, note=Note.tied)
    below = hypot(treated.value - treated.low, control.high - control.value)
    above = hypot(treated.high - treated.value, control.value - control.low)
    half = -float(ndtri(level_of(confidence).nominal / 2))
    se = (below + above) / (2 * half) if isfinite(half) else None
    return Effect(estimate, se, None, estimate - below, estimate + above)


def told(found: Effect, *groups: GroupQuantile | None) -> Effect:
    """A difference as it may be told: rounded as both quantiles are, its interval outwards.

    >>> shown = told(Effect(2.3, low=-3.1, high=7.2), GroupQuantile(8, 5, 12, step=0.5))
    >>> shown.estimate, shown.low, shown.high
    (2.5, -3.5, 7.5)
    """
    step = max((group.step for group in groups if group is not None), default=0.0)
    return replace(
        found,
        se=None,
        estimate=None if found.estimate is None else _rounded(found.estimate, step),
        low=None if found.low is None else _rounded(found.low, step, floor),
        high=None if found.high is None else _rounded(found.high, step, ceil),
    )


def _round_step(value: float, below: float, above: float) -> float:
    """The smallest round number whose multiple next to a value stands for enough units.

    It stands for all that round to it: for those down to `below` or for those up to `above`, each
    of them enough. Where one of these is the value itself it stands for enough, and 0 is given.

    >>> _round_step(51.74, 51.5, 52.9), _round_step(51.74, 40.0, 66.0), _round_step(0.0, 0.0, 0.3)
    (0.3, 20.0, 0.0)
    """
    reach = min(value - below, above - value)
    if reach <= 0:
        return 0.0
    steps = (float(f"{times}e{power}") for power in count(floor(log10(reach))) for times in _ROUND)
    ends = ((step, _rounded(value, step)) for step in steps)
    return next(step for step, told in ends if told - step / 2 <= below or told + step / 2 >= above)


def _rounded(value: float, step: float, how: Callable[[float], int] = round) -> float:
    if step == 0:
        return value
    return round(how(value / step) * step, max(0, -floor(log10(step))))
