"""Few orders: how often intervals of an average order err where few customers of an arm order.

`python tests/support/few_orders.py 2000` (with `src` on Python's path) prints the table of
docs/statistics.md: two arms of 500 customers, so many of whom order, once or more often, for
lognormal amounts of the same distribution (sigma 1).
"""

from __future__ import annotations

import sys

import numpy as np

from upliftlab.stats.calibration import Measure, Measured, Units
from upliftlab.stats.effects import Effect, TwoSample, difference
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.permutation import Precision
from upliftlab.stats.quotients import denominators, of_denominators, quotients

CUSTOMERS = 500
RATIO = Measure(np.tile([1.0, 0.0], (2, 1)), below=1)


def group(ordering: int, rng: np.random.Generator, *, several: bool) -> np.ndarray:
    """Amount and orders of an arm's customers."""
    rows = np.zeros((CUSTOMERS, 2))
    rows[:ordering, 1] = 1 + (rng.poisson(0.7, ordering) if several else 0)
    for row in rows[:ordering]:
        row[0] = np.rint(rng.lognormal(3.5, 1.0, int(row[1]))).sum()
    return rows


def average_order(treated: np.ndarray, control: np.ndarray) -> Effect:
    """The difference in the average order as upliftlab makes it, with drawn critical values."""
    arms = [Moments.of(rows) for rows in (treated, control)]
    counted = [denominators(arm, 1) for arm in arms]
    made = [
        of_denominators(quotients(arm, [(0, 1)]), {0: k})
        for arm, k in zip(arms, counted, strict=True)
    ]
    values = np.concatenate([treated, control])
    side = np.repeat([0, 1], [len(treated), len(control)])
    units = Units(values, side, np.ones(len(values)), np.array([True, False]))
    draws = Measured.of(units, RATIO).draws(Precision())
    pair = TwoSample(*made, denominators={0: (counted[0], counted[1])})
    return difference(pair, 0, Level(0.95, draws=draws))


def errors(ordering: tuple[int, int], runs: int, *, several: bool) -> tuple[float, float]:
    """Per cent of null experiments that claim a fall and that claim a rise."""
    rng = np.random.default_rng([*ordering, several])
    found = np.zeros(2)
    for _ in range(runs):
        arms = [group(k, rng, several=several) for k in ordering]
        effect = average_order(arms[0], arms[1])
        found += (
            effect.high is not None and effect.high < 0,
            effect.low is not None and effect.low > 0,
        )
    return float(100 * found[0] / runs), float(100 * found[1] / runs)


if __name__ == "__main__":
    for chosen in ((3, 25), (5, 25), (10, 25), (20, 25), (30, 30), (10, 200), (20, 200)):
        for more in (False, True):
            print(chosen, more, errors(chosen, int(sys.argv[1]), several=more))  # noqa: T201
