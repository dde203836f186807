"""Null experiments that are looked at again and again, and how often a look claims an effect.

`python tests/support/looking.py` (with `src` on the path) prints the figures of
docs/statistics.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from scipy.special import ndtri

from upliftlab.analysis.look import LookSchedule

ALPHA = 0.05
WINDOW = timedelta(days=28)
Array = np.ndarray
Draw = Callable[[np.random.Generator, int, Array], Array]
"""Outcomes of so many customers up to each time (as a share of the window), a row a customer."""


def independent(rng: np.random.Generator, n: int, times: Array) -> Array:
    """Orders at the same rate for everybody, at any time."""
    return rng.poisson(0.5 * np.diff(times, prepend=0.0), (n, len(times))).cumsum(axis=1)


def habits(rng: np.random.Generator, n: int, times: Array) -> Array:
    """Orders of customers who keep to rates of their own."""
    rate = rng.gamma(0.5, 4.0, (n, 1))
    return rng.poisson(rate * np.diff(times, prepend=0.0)).cumsum(axis=1)


def fading(rng: np.random.Generator, n: int, times: Array) -> Array:
    """Orders most of which follow soon after the start."""
    return independent(rng, n, 1 - np.exp(-4 * times))


def once(rng: np.random.Generator, n: int, times: Array) -> Array:
    """Whether a customer has bought by then; 60 % have in the end."""
    return rng.exponential(1 / -np.log(0.4), (n, 1)) <= times


def spend(rng: np.random.Generator, n: int, times: Array) -> Array:
    """Lognormal amounts of orders."""
    shares = np.diff(times, prepend=0.0)
    bought = rng.poisson(1.0 * shares, (n, len(times)))
    return (bought * rng.lognormal(3.0, 0.7, (n, len(times)))).cumsum(axis=1)


OUTCOMES: dict[str, Draw] = {
    "orders at random": independent,
    "customers with habits": habits,
    "orders soon after the start": fading,
    "one conversion": once,
    "lognormal amounts": spend,
}


def statistics(rng: np.random.Generator, draw: Draw, n: int, times: Array) -> Array:
    """Studentised differences of two groups of n customers, at each time."""
    treated, control = (draw(rng, n, times).astype(float) for _ in range(2))
    variance = (treated.var(axis=0, ddof=1) + control.var(axis=0, ddof=1)) / n
    difference = treated.mean(axis=0) - control.mean(axis=0)
    return difference / np.sqrt(np.where(variance > 0, variance, np.inf))


def schedule(times: tuple[float, ...], number: int, elapsed: float = 0.0) -> LookSchedule:
    """The look of that number, of looks at shares of the window."""
    due = tuple(datetime(2026, 3, 2) + time * WINDOW for time in times)  # noqa: DTZ001
    return LookSchedule(tuple(time * WINDOW for time in times), due, number, elapsed)


def criticals(times: tuple[float, ...]) -> Array:
    """Critical z of the declared looks."""
    looks = [schedule(times, k + 1).look(ALPHA) for k in range(len(times))]
    levels = [ALPHA if look is None else look.nominal(ALPHA) for look in looks]
    return -ndtri(np.array(levels) / 2)


def early_criticals(elapsed: Array) -> Array:
    """Critical z where data are read before any look is due."""
    looks = [schedule((1.0,), 0, share).look(ALPHA) for share in elapsed]
    return -ndtri(np.array([look.nominal(ALPHA) for look in looks if look]) / 2)


def claims(draw: Draw, times: Array, critical: Array, size: int, n: int = 500) -> float:
    """Share of null experiments in which some look claims an effect."""
    rng = np.random.default_rng(31)
    found = [np.abs(statistics(rng, draw, n, times)) > critical for _ in range(size)]
    return float(np.mean(np.any(found, axis=1)))


def growing(size: int, every: int = 1) -> float:
    """The same where customers come in over four windows and only those who came are known."""
    rng, steps, cohorts = np.random.default_rng(32), 25, 100
    age = np.minimum(np.arange(1, cohorts + 1), steps)
    counted, known = age.cumsum(), np.arange(1, cohorts + 1)
    critical = early_criticals(counted / (steps * known))
    score = rng.standard_normal((size, cohorts)) * np.sqrt(np.diff(counted, prepend=0))
    z = np.abs(score.cumsum(axis=1)) / np.sqrt(counted)
    return float(np.mean(np.any((z > critical)[:, ::every], axis=1)))


def report(size: int) -> None:
    looks, days = (0.25, 0.5, 1.0), np.arange(1, 101) / 100
    for name, draw in OUTCOMES.items():
        planned = claims(draw, np.array(looks), criticals(looks), size)
        daily = claims(draw, days, early_criticals(days), size // 5)
        sys.stdout.write(f"{name}: {100 * planned:.1f} planned, {100 * daily:.1f} read 100 times\n")
    sys.stdout.write(f"customers who come in over time: {100 * growing(size):.1f}\n")


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
