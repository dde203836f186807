"""The lifecycle of purchases that configs/segments.yaml declares, in plain numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from upliftlab.simulate.calendar import FIRST, Integers
from upliftlab.simulate.events import Orders

ACTIVE, LAPSED, DECLINE = 180, 300, 0.5
"""As in configs/segments.yaml: days, days, and the share below which purchases decline."""


def lifecycle(orders: Orders, starts: Integers) -> NDArray[np.str_]:
    """Each customer's state before the day on which their time begins.

    Args:
        orders: Orders that nobody brought about.
        starts: Days counted from the first wave's, one a customer.
    """
    whose, when, _ = orders
    days = (when - np.datetime64(FIRST, "us")) // np.timedelta64(1, "D")
    ago = starts[whose] - days.astype(np.int64)

    def count(low: int, high: float) -> Integers:
        inside = (ago >= low) & (ago <= high)
        return np.bincount(whose[inside], minlength=len(starts))

    ever, known = count(1, np.inf), count(1, LAPSED)
    recent, earlier = count(1, ACTIVE), count(ACTIVE + 1, 2 * ACTIVE)
    declining = (recent == 0) | (recent < DECLINE * earlier)
    return np.select(
        [ever == 0, known == 0, recent == ever, declining],
        ["no purchase", "lapsed", "new", "declining"],
        "active",
    )
