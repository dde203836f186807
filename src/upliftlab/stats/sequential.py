"""Several looks at one experiment: at which level each look's ordinary interval must be made.

Every interval and every p-value has a nominal two-sided level. Looking again changes nothing but
that level. So a rule for looking has two methods: `nominal` turns the error that all looks
together may make into the level of the present one, and `overall` turns the present look's
ordinary p-value into the smallest such error at which it would reject (a repeated p-value,
Jennison & Turnbull 2000). They agree: `overall(p) < alpha` where `p < nominal(alpha)`.

`Declared` is for looks that were planned, `Anytime` for those that were not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, inf, log, pi, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import lambertw, ndtr, ndtri, roots_legendre

from upliftlab.stats.moments import Array

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

Spending = Literal["obrien_fleming", "pocock"]

CLOSEST = 1e-4
"""Looks nearer to each other than this share of the information are one look."""

NEGLIGIBLE = 1e-14
"""A look that may spend less than this does not reject: z would be above 7.7."""

REACH = 8.0
"""Standard deviations beyond which a normal distribution is left out."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Planned looks: they share the error by alpha spending (Lan & DeMets 1983).

    Attributes:
        fractions: Share of the planned information at each look so far, rising, in (0, 1]; the
            last is the present look. Information is 1/se², in practice the number of units.
        spending: How the error is spread over the looks; `spent` gives the formulae.

    Raises:
        ValueError: The fractions do not rise by at least 0.0001 each, or leave (0, 1].

    >>> look = Declared((0.5, 1.0), "obrien_fleming")
    >>> round(look.nominal(0.05), 4), round(look.overall(0.03), 4)
    (0.049, 0.0304)
    """

    fractions: tuple[float, ...]
    spending: Spending

    def __post_init__(self) -> None:
        _check(self.fractions)

    def nominal(self, alpha: float) -> float:
        """Two-sided level of this look's interval, so that all looks err at most `alpha`."""
        return _nominal(self.fractions, alpha, self.spending)

    def overall(self, p: float) -> float:
        """Smallest `alpha` at which this look rejects, given its ordinary two-sided p.

        Interpolated between exact values: between 0.0001 and 0.5 off by less than 2e-5 of itself.
        Below 2e-9, or below what lets this look reject at all, it is an upper bound. 1 where this
        look cannot reject.
        """
        curve = _curve(self.fractions, self.spending)
        if curve is None:
            return 1.0
        z = np.clip(-ndtri(p / 2), curve.x[0], curve.x[-1])
        return float(2 * ndtr(-curve(z)))


@dataclass(frozen=True, slots=True)
class Anytime:
    """Any number of looks, planned by nobody: an asymptotic confidence sequence.

    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2021), where the standard error is that of n
    units: `se·√n·√(2(nρ²+1)/(n²ρ²)·ln(√(nρ²+1)/α))` is half the interval. Only nρ² counts, so n
    may be any measure of information, as long as ρ was tuned to the same.

    Attributes:
        n: Units at the present look, both groups together.
        rho: Which n the sequence favours: see `tuned_rho`. Fixed before the first look.

    Raises:
        ValueError: n or ρ is not above 0.

    >>> look = Anytime(10_000, tuned_rho(10_000, 0.05))
    >>> round(look.nominal(0.05), 5), round(look.overall(0.001), 3)
    (0.0024, 0.024)
    """

    n: float
    rho: float

    def __post_init__(self) -> None:
        if not (self.n > 0 and self.rho > 0):
            raise ValueError(f"n is {self.n} and ρ is {self.rho}; both must be above 0")

    def nominal(self, alpha: float) -> float:
        """Two-sided level of this look's interval, so that all looks err at most `alpha`."""
        growth = self.n * self.rho**2
        square = 2 * (1 + 1 / growth) * log(sqrt(growth + 1) / alpha)
        return float(2 * ndtr(-sqrt(square)))

    def overall(self, p: float) -> float:
        """Smallest `alpha` at which this look rejects, given its ordinary two-sided p."""
        growth = self.n * self.rho**2
        square = float(ndtri(p / 2)) ** 2
        return min(1.0, sqrt(growth + 1) * exp(-square * growth / (2 * (growth + 1))))


def tuned_rho(n: float, alpha: float) -> float:
    """The ρ with which a confidence sequence is narrowest at n units (Waudby-Smith et al. 2021).

    With m = nρ² + 1 the squared critical value is m/(m−1)·ln(m/α²), least where
    m − ln m = 1 − ln α², which is m = −W₋₁(−α²/e).

    >>> round(tuned_rho(10_000, 0.05), 5)
    0.02866
    """
    return sqrt((-float(lambertw(-(alpha**2) / np.e, -1).real) - 1) / n)


def spent(fractions: Sequence[float], alpha: float, spending: Spending) -> Array:
    """Two-sided error spent up to each information fraction t, shape (looks,).

    O'Brien–Fleming: 4 − 4Φ(z/√t) with z the upper α/4 quantile; Pocock: α·ln(1 + (e − 1)t).
    These are Lan & DeMets's (1983) one-sided functions at α/2, on either side.

    >>> spent((0.2, 1.0), 0.05, "pocock").round(4)
    array([0.0148, 0.05  ])
    """
    t = np.asarray(fractions, dtype=np.float64)
    if spending == "pocock":
        return alpha * np.log1p((np.e - 1) * t)
    return 4 * ndtr(ndtri(alpha / 4) / np.sqrt(t))


def boundaries(fractions: Sequence[float], alpha: float, spending: Spending) -> Array:
    """Two-sided critical z at each look, shape (looks,); infinite where nothing may be spent.

    The score of experiments that have not stopped is followed from look to look by numerical
    integration (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000, chapter 19).

    Raises:
        ValueError: alpha lies outside (0, 1], or the fractions do not rise within (0, 1].

    >>> boundaries((0.2, 0.4, 0.6, 0.8, 1.0), 0.05, "obrien_fleming").round(4)
    array([4.8769, 3.357 , 2.6803, 2.2898, 2.031 ])
    """
    _check(fractions)
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is {alpha}, not in (0, 1]")
    score, done = _Score.start(fractions), 0.0
    found: list[float] = []
    for look, total in enumerate(spent(fractions, alpha, spending)):
        if look:
            score = score.following(found[-1])
        found.append(_critical(score, float(total) - done))
        if found[-1] < inf:
            done = float(total)
    return np.array(found)


def inflation(fractions: Sequence[float], alpha: float, power: float, spending: Spending) -> float:
    """How many times a fixed design's sample the last look needs to have the same power.

    Power is that of claiming an effect in its true direction at any look; the drift that gives
    it is found numerically (Jennison & Turnbull 2000, chapter 7).

    Args:
        fractions: Share of the planned information at each look; the last is usually 1.
        alpha: Two-sided error of all looks together.
        power: The power wanted, above alpha and below 1.
        spending: How the error is spread over the looks.

    Raises:
        ValueError: The power lies outside (alpha, 1), or as for `boundaries`.

    >>> round(inflation((0.2, 0.4, 0.6, 0.8, 1.0), 0.05, 0.8, "obrien_fleming"), 3)
    1.025
    """
    from scipy.optimize import brentq  # noqa: PLC0415 - 0.1 s of import

    if not alpha < power < 1:
        raise ValueError(f"power is {power}, not between alpha ({alpha}) and 1")
    critical = boundaries(fractions, alpha, spending)
    drift = brentq(lambda drift: _power(fractions, critical, drift) - power, 0.0, 20.0)
    fixed = ndtri(1 - alpha / 2) + ndtri(power)
    return float((drift / fixed) ** 2 * fractions[-1])


@dataclass(frozen=True, slots=True, eq=False)
class _Score:
    """The score Z√t of experiments that have not stopped: a Brownian motion in information t.

    Attributes:
        times: Information fraction 0, then those of all looks, shape (looks + 1,).
        look: How many looks have passed.
        at: Points at which the score may lie, shape (m,).
        mass: Probability of each, shape (m,); together that of not having stopped.
        drift: Mean of the score at t = 1.
    """

    times: Array
    look: int
    at: Array
    mass: Array
    drift: float

    @classmethod
    def start(cls, fractions: Sequence[float], drift: float = 0.0) -> _Score:
        return cls(np.array([0.0, *fractions]), 0, np.zeros(1), np.ones(1), drift)

    def above(self, critical: float) -> float:
        """Probability of reaching the next look and lying above a critical z there."""
        level = critical * sqrt(self.times[self.look + 1])
        return float(self.mass @ ndtr(-self._distance(level)))

    def following(self, critical: float) -> _Score:
        """The score at the next look of those that do not stop there."""
        time = float(self.times[self.look + 1])
        reach = REACH * sqrt(time)
        low = -min(critical * sqrt(time), reach)
        high = min(critical * sqrt(time), reach + self.drift * time)
        finest = sqrt(np.diff(self.times)[self.look : self.look + 2].min())
        nodes, weights = _rule(1 + int((high - low) / finest / 16))
        half = (high - low) / 2
        at = low + half * (1 + nodes)
        density = np.exp(-(self._distance(at[:, None]) ** 2) / 2) @ self.mass
        scale = sqrt(2 * pi * (time - self.times[self.look]))
        return replace(self, look=self.look + 1, at=at, mass=half * weights * density / scale)

    def _distance(self, level: Array | float) -> Array:
        """From every point to a level at the next look, in standard deviations of the step."""
        step = float(self.times[self.look + 1] - self.times[self.look])
        return (level - self.at - self.drift * step) / sqrt(step)


def _critical(score: _Score, error: float) -> float:
    """The z whose two-sided probability at the next look is `error`."""
    from scipy.optimize import brentq  # noqa: PLC0415 - 0.1 s of import

    if error < NEGLIGIBLE:
        return inf
    if 2 * score.above(0.0) <= error:
        return 0.0
    return float(brentq(lambda z: 2 * score.above(z) - error, 0.0, REACH, xtol=1e-12))


def _power(fractions: Sequence[float], critical: Array, drift: float) -> float:
    score, power = _Score.start(fractions, drift), 0.0
    for look, z in enumerate(critical):
        if look:
            score = score.following(float(critical[look - 1]))
        power += score.above(float(z))
    return power


@lru_cache(maxsize=64)
def _rule(size: int) -> tuple[Array, Array]:
    """Gauss–Legendre's points and weights on (−1, 1): 32 for every `size`."""
    nodes, weights = roots_legendre(32 * size)
    return nodes, weights


@lru_cache(maxsize=256)
def _nominal(fractions: tuple[float, ...], alpha: float, spending: Spending) -> float:
    return float(2 * ndtr(-float(boundaries(fractions, alpha, spending)[-1])))


@lru_cache(maxsize=16)
def _curve(fractions: tuple[float, ...], spending: Spending) -> PchipInterpolator | None:
    """From the last look's critical z to the error of all looks, itself written as a z."""
    from scipy.interpolate import PchipInterpolator  # noqa: PLC0415 - 0.3 s of import

    error: Array = np.arange(0.0, 6.01, 0.05)
    levels: list[float] = (2 * ndtr(-error)).tolist()
    critical: Array = np.array([boundaries(fractions, a, spending)[-1] for a in levels])
    kept = np.isfinite(critical)
    kept[1:] &= critical[1:] > np.maximum.accumulate(critical)[:-1]
    if kept.sum() < 2:  # noqa: PLR2004 - a curve needs two points
        return None
    return PchipInterpolator(critical[kept], error[kept])


def _check(fractions: Sequence[float]) -> None:
    rising = min(np.diff((0.0, *fractions)), default=0.0) >= CLOSEST
    if not rising or fractions[-1] > 1:
        raise ValueError(f"{tuple(fractions)} must rise from 0 by {CLOSEST} or more, up to 1")
