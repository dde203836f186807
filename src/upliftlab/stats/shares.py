"""Shares of few events: Newcombe's interval for a difference of two shares.

Welch's interval takes the spread of the observed shares for the truth: with few events it is too
short, and with none it has no width at all. Newcombe (1998, method 10) puts together the score
intervals of the two shares (Wilson 1927), which hold for any count and never leave −1 to 1.
"""

from __future__ import annotations

from math import hypot, isfinite

from scipy.special import ndtr, ndtri

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect, unreached
from upliftlab.stats.level import Level, level_of

FEW = 30
"""Below so many successes or failures in a group, Welch's interval is not to be trusted."""
_FARTHEST = 40.0
"""A normal quantile at which a p-value is 0 to a double."""


def needs_newcombe(successes: tuple[int, int], n: tuple[int, int]) -> bool:
    """Whether the treated or the control have fewer than 30 successes or failures.

    Args:
        successes: Units with the event, treated and control.
        n: Units, treated and control.

    >>> needs_newcombe((40, 29), (1_000, 1_000)), needs_newcombe((40, 30), (1_000, 1_000))
    (True, False)
    """
    return any(min(x, size - x) < FEW for x, size in zip(successes, n, strict=True))


def newcombe(successes: tuple[int, int], n: tuple[int, int], confidence: float | Level) -> Effect:
    """The treated share less the control's, with Newcombe's (1998, method 10) interval.

    With the Wilson bounds l and u of either share s, the interval is from Δ − √((s_t − l_t)² +
    (u_c − s_c)²) to Δ + √((u_t − s_t)² + (s_c − l_c)²). It grows with its level, so the p-value
    for a value is one less the highest level at which it leaves the value out: p < 1 − confidence
    exactly where it does. `se` is Welch's, for the record; no interval is made from it.

    Args:
        successes: Units with the event, treated and control.
        n: Units, treated and control; with fewer than two the effect is absent.
        confidence: Level of the interval, such as 0.95.

    Raises:
        ValueError: There are fewer than no successes, or more than units.

    >>> effect = newcombe((9, 3), (10, 10), 0.95)
    >>> round(effect.estimate, 4), round(effect.low, 4), round(effect.high, 4)
    (0.6, 0.1705, 0.809)
    """
    if any(not 0 <= x <= size for x, size in zip(successes, n, strict=True)):
        raise ValueError("successes must lie between 0 and n")
    if min(n) < 2:  # noqa: PLR2004 - a variance needs two
        return Effect(None, note=Note.few_treated if n[0] < 2 else Note.few_control)  # noqa: PLR2004
    treated, control = (x / size for x, size in zip(successes, n, strict=True))
    estimate = treated - control
    variance = treated * (1 - treated) / (n[0] - 1) + control * (1 - control) / (n[1] - 1)
    level = level_of(confidence)
    half = -float(ndtri(level.nominal / 2))
    ends = (None, None)
    if isfinite(half):
        below, above = _reach((treated, control), n, half)
        ends = estimate - below, estimate + above

    def test(value: float) -> float:
        p = _p(estimate - value, (treated, control), n)
        return p if level.look is None else level.look.overall(p)

    note = unreached(ends, level)
    return Effect(estimate, variance**0.5, None, *ends, p=test(0.0), note=note, test=test)


def wilson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's (1927) interval of one share, between 0 and 1.

    Args:
        successes: Units with the event, 0 to n.
        n: Units, at least one.
        confidence: Level of the interval, such as 0.95.

    >>> low, high = wilson(320, 400, 0.95)
    >>> round(low, 4), round(high, 4)
    (0.758, 0.8363)
    """
    share = successes / n
    below, above = _wilson(share, n, -float(ndtri((1 - confidence) / 2)))
    return max(share - below, 0.0), min(share + above, 1.0)


def _p(distance: float, shares: tuple[float, float], n: tuple[int, int]) -> float:
    """Twice the normal tail beyond the quantile at which the interval's nearer end is so far."""
    if distance == 0:
        return 1.0

    def gap(z: float) -> float:
        below, above = _reach(shares, n, z)
        return distance - below if distance > 0 else -distance - above

    if gap(_FARTHEST) > 0:
        return 0.0
    low, high = 0.0, _FARTHEST
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if gap(middle) > 0 else (low, middle)
    return float(2 * ndtr(-low))


def _reach(shares: tuple[float, float], n: tuple[int, int], z: float) -> tuple[float, float]:
    """How far the interval of the difference reaches below and above it."""
    treated, control = (_wilson(share, size, z) for share, size in zip(shares, n, strict=True))
    return hypot(treated[0], control[1]), hypot(treated[1], control[0])


def _wilson(share: float, n: int, z: float) -> tuple[float, float]:
    """How far Wilson's (1927) interval reaches below and above a share."""
    square = z * z / n
    half = z * (share * (1 - share) / n + square / (4 * n)) ** 0.5
    lean = (share - 0.5) * square
    return (half + lean) / (1 + square), (half - lean) / (1 + square)
