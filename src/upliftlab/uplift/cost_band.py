"""What a cost curve is worth where it was not learned: gain and spend per customer, with a band.

The curve's budget is in predicted money. What is spent and gained is estimated from doubly robust
scores of value and of cost, which are unbiased whatever was predicted (Sverdrup, Wu, Athey & Wager
2023), and varies as whole clusters drawn anew do (`bootstrap`); the policies stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.bootstrap import band, draws, grouped_sums, groups_of
from upliftlab.uplift.cost_folds import Moves


@dataclass(frozen=True, slots=True, eq=False)
class Banded:
    """A curve with its pointwise interval, money per customer; all of shape (points,).

    Attributes:
        estimate: The curve.
        low: Lower end of the band; None with fewer than two units.
        high: Upper end.
    """

    estimate: Array
    low: Array | None
    high: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class CostBand:
    """A cost curve as evaluated.

    Attributes:
        budgets: Predicted cost per customer at most, shape (points,).
        spend: Cost beyond that of treating nobody.
        gain: Value, before that cost, beyond that of treating nobody.
        profit: Gain less spend, with an interval of its own.
    """

    budgets: Array
    spend: Banded
    gain: Banded
    profit: Banded


def evaluated(
    moves: Moves,
    scores: tuple[Array, Array],
    cluster: np.ndarray,
    rng: np.random.Generator,
    confidence: float,
) -> CostBand:
    """Evaluate a path of policies on scores of customers whom its models have not seen.

    A budget's policy takes the steps that it pays for whole.

    Args:
        moves: The path (`CostFolds.moves`).
        scores: Doubly robust scores of value and of cost, each of shape (n, arms).
        cluster: A number per randomised unit, shape (n,).
        rng: The source of chance.
        confidence: Level of the pointwise intervals, such as 0.95.

    Raises:
        ValueError: A score is not finite.
    """
    value, cost = (np.asarray(each, dtype=np.float64) for each in scores)
    for name, each in (("value", value), ("cost", cost)):
        if bad := int((~np.isfinite(each)).sum()):
            raise ValueError(f"{bad} of {each.size} scores of {name} are not finite numbers")
    group = groups_of(cluster, rng)
    sums = [_path(moves, each, group) for each in (cost, value)]
    sizes = np.bincount(group).astype(np.float64)[:, None]
    points = len(moves.budgets)
    stacked = np.concatenate([*sums, sums[1] - sums[0], sizes], axis=1)
    whole = stacked.sum(axis=0)[:-1] / len(cluster)
    if len(stacked) < 2:  # noqa: PLR2004 - one unit cannot differ from others
        low = high = [None] * 3
    else:
        drawn = draws(stacked, rng)
        ends = band(whole, drawn[:, :-1] / drawn[:, -1:], confidence)
        low, high = (each.reshape(3, points) for each in ends)
    lines = (Banded(*each) for each in zip(whole.reshape(3, points), low, high, strict=True))
    return CostBand(moves.budgets, *lines)


def _path(moves: Moves, scores: Array, group: np.ndarray) -> Array:
    """Sums of each group at each budget beyond treating nobody, shape (groups, points)."""
    points = len(moves.budgets)
    change = scores[moves.row, moves.arm] - scores[moves.row, moves.origin]
    # Bins of groups without a step would be missing at the end, so one row each of 0 is added.
    groups = int(group.max()) + 1
    sums = grouped_sums(
        np.append(change, np.zeros(groups)),
        np.append(moves.point, np.zeros(groups, dtype=np.int64)),
        np.append(group[moves.row], np.arange(groups)),
        points + 1,
    )
    return np.cumsum(sums[:, :points], axis=1)
