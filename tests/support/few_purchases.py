"""Few purchases: how often intervals hold where a handful of customers of either arm buy.

`python tests/support/few_purchases.py 2000` (with `src` on Python's path) prints the table of
docs/statistics.md. Two arms of equal size; so many of the control's customers buy for lognormal
amounts (60 on average, sigma 1), half as many more of the treated, who cost 0.1 each at a margin of
one half: contact pays. Intervals are made as the product makes them, Hall's or drawn where the
difference is too skewed for Student's t, but for its rule that too few purchases tell nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from math import log

import numpy as np

from upliftlab.analysis.measures import SKEWED
from upliftlab.stats.cubic import slight
from upliftlab.stats.effects import Effect, TwoSample, difference
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.permutation import Kinds, divided
from upliftlab.stats.skewness import skewness

MEAN, SIGMA, LIFT, COST, MARGIN = 60.0, 1.0, 1.5, 0.1, 0.5
RATES = (0.02, 0.05)
"""Share of the control that buys."""


class Supported(Level):
    """As it was before: the edge of the draws taken for a bound."""

    @property
    def edges(self) -> tuple[int, int]:
        return 0, 0


@dataclass(frozen=True)
class Tally:
    """Shares of the experiments, in per cent."""

    coverage: float
    below: float
    above: float
    stop: float
    """Claims a loss, where contact pays."""
    no_low: float
    no_high: float


def profits(
    n: int, rate: float, rng: np.random.Generator, level: type[Level] = Level
) -> tuple[Effect, float]:
    """Profit per customer of one experiment, and its true value."""
    groups: list[np.ndarray] = []
    for share in (rate * LIFT, rate):
        bought = int(rng.binomial(n, share))
        amounts = np.zeros(n)
        amounts[:bought] = np.rint(rng.lognormal(log(MEAN) - SIGMA**2 / 2, SIGMA, bought))
        groups.append(MARGIN * amounts)
    treated, control = (Moments.of(group[:, None]) for group in groups)
    pair = TwoSample(replace(treated, mean=treated.mean - COST), control)
    draws, gamma, true = None, 0.0, MARGIN * MEAN * rate * (LIFT - 1) - COST
    skew = skewness(pair)
    assert skew is not None
    if skew.slight(slight(0.05))[0]:
        gamma = float(skew.pooled[0]) if abs(skew.worst[0]) > SKEWED else 0.0
    else:
        dealt = np.concatenate(groups)
        values, counts = np.unique(dealt, return_counts=True)
        draws = divided(Kinds(values[:, None], counts), (n, n), rng, 5_000)[:, 0]
    return difference(pair, 0, level(0.95, draws=draws, skewness=gamma)), true


def tally(n: int, rate: float, experiments: int, level: type[Level] = Level) -> Tally:
    """Many experiments of one size, each size with its own seed."""
    rng = np.random.default_rng(n)
    counts = np.zeros(6)
    for _ in range(experiments):
        effect, true = profits(n, rate, rng, level)
        below = effect.high is not None and effect.high < true
        above = effect.low is not None and effect.low > true
        stop = effect.high is not None and effect.high < 0 < true
        lacks = effect.low is None, effect.high is None
        counts += not (below or above), below, above, stop, *lacks
    return Tally(*(100 * counts / experiments).tolist())


if __name__ == "__main__":
    for share in RATES:
        for size in (60, 100, 200):
            for kind in (Supported, Level):
                found = tally(size, share, int(sys.argv[1]), kind)
                print(share, size, kind.__name__, found)  # noqa: T201 - a table
