"""When things happen in the simulated world: days of the campaign, and hours of the day."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Times = NDArray[np.datetime64]

FIRST = date(2026, 3, 2)
"""The first wave's day; all other days are counted from it."""
HISTORY = 730
"""Days of purchases before it."""
AFTER = 60
"""Days of purchases from it on: past the last wave's outcome window."""
WINDOW = 28
"""Days for which a campaign works."""

# Nobody shops between one and six, most do in the evening: a day with a night.
_BY_HOUR = np.array([2, 0, 0, 0, 0, 0, 1, 3, 4, 5, 6, 6, 7, 6, 5, 5, 6, 7, 9, 10, 10, 8, 6, 4.0])
_SHARES = _BY_HOUR / _BY_HOUR.sum()


def at_hours(random: np.random.Generator, days: Integers) -> Times:
    """A moment of each day on the shop's own clock, counted from the first wave's day."""
    hours = random.choice(24, size=len(days), p=_SHARES)
    seconds = random.integers(0, 3600, size=len(days))
    moments = days.astype(np.int64) * 86_400 + hours * 3600 + seconds
    return np.datetime64(FIRST, "us") + moments.astype("timedelta64[s]")


def spread_out(
    random: np.random.Generator, counts: Integers, days: tuple[Integers | int, int]
) -> tuple[Integers, Times]:
    """Whose event each is and when, for so many events a customer over a stretch of days.

    Args:
        random: The source of chance.
        counts: Events by customer.
        days: The first day, of all or by customer, and for how many days.
    """
    whose = np.repeat(np.arange(len(counts)), counts)
    first = days[0][whose] if isinstance(days[0], np.ndarray) else days[0]
    return whose, at_hours(random, first + random.integers(0, days[1], size=len(whose)))
