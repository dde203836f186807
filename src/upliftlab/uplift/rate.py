"""What an order is worth: AUTOC and the Qini coefficient, with standard errors by cluster.

Both are rank-weighted average treatment effects (Yadlowsky, Fleming, Shah, Brunskill & Wager,
2025): n⁻¹ΣΓ₍ᵢ₎w(i/n), where Γ₍ᵢ₎ is the effect score of the i-th in order. The weights add up to 0,
so an order that says nothing is worth 0. AUTOC weighs by −log(i/n) − 1 and looks at the first in
order; the Qini coefficient weighs by 1/2 − i/n and looks at all.

The standard error is that of the influence function, with the ranks taken as estimated too:
moving one customer moves the share at which all behind them stand.

    ψᵢ = w(uᵢ)Γᵢ + ∫ over those behind of τ(u)w'(u)du, less its mean.

The integral is estimated without the row's own unit, whose noise would hide a part of its own
error: in parts of 200 customers the standard error of AUTOC would be about a tenth too small.

Intervals of 95 % held the truth in 94.4 to 95.6 % of 2,000 experiments with normal effect scores,
households or not, and in 96 to 97 % with very skewed ones (2,000 customers in five parts; a right
and a noisy score): `REPLICATIONS=2000 pytest -s tests/uplift/test_ranking_error_rates.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.uplift.bootstrap import codes
from upliftlab.uplift.clusters import estimates
from upliftlab.uplift.ranking import Ranking, RankOrder, descending

Kind = Literal["autoc", "qini"]


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """An estimate and what each customer adds to its error.

    Attributes:
        estimate: In the outcome's unit.
        rows: The influence of each row, of mean 0; shape (n,). Estimates on the same customers, as
            of repeated cross-fitting, may be averaged: their rows are then averaged too.
    """

    estimate: float
    rows: Array


def rate(ranking: Ranking, confidence: float, kind: Kind = "autoc") -> Effect:
    """AUTOC or Qini coefficient of a ranking.

    With parts (`Ranking.fold`) ranks are taken within each, and the parts' values averaged by size.
    The interval is Student's t with as many degrees of freedom as clusters less 1.

    Args:
        ranking: Customers in order.
        confidence: Level of the interval, such as 0.95.
        kind: `autoc` or `qini`.

    Returns:
        The estimate in the outcome's unit; exactly 0, with a note, where the score is constant.

    >>> effects = np.array([3.0, 2.0, 1.0, 0.0])
    >>> ranking = Ranking(effects, effects, np.arange(4))
    >>> round(rate(ranking, 0.95, "autoc").estimate, 6), rate(ranking, 0.95, "qini").estimate
    (0.75, 0.3125)
    """
    if ranking.constant:
        return Effect(0.0, 0.0, note=Note.constant_score)
    if ranking.flat:
        return Effect(0.0, 0.0, note=Note.same_for_all)
    return effect_of(influence(ranking, kind), ranking.cluster, confidence)


def influence(ranking: Ranking, kind: Kind) -> Influence:
    """The estimate and each row's influence on it."""
    estimate, rows = 0.0, np.empty(len(ranking))
    for part in ranking.parts():
        placed = _place(ranking, part, kind)
        effects = ranking.effects[part][placed.order.rows]
        effects -= effects.mean()  # weights add up to 0: only the noise left out depends on it
        estimate += float(placed.weight @ effects) / len(ranking)
        errors = placed.weight * effects + placed.behind(effects) - placed.own(effects)
        rows[part[placed.order.rows]] = errors - errors.mean()
    return Influence(estimate, rows)


def effect_of(found: Influence, cluster: np.ndarray, confidence: float) -> Effect:
    """An estimate with the standard error that its rows' influence has, by cluster."""
    rows = found.rows[:, None] / len(found.rows)
    return estimates(np.array([found.estimate]), rows, cluster, confidence)[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """One part's places: all columns in order of rank, shape (n,), averaged within ties."""

    order: RankOrder
    weight: Array
    slope: Array
    """What the weight changes by at the next place."""
    cluster: np.ndarray
    """Numbered from 0 without gaps."""

    def behind(self, effects: Array) -> Array:
        """What each row takes from the weights of those behind by being there."""
        following = np.cumsum((self.order.averaged(effects) * self.slope)[::-1])[::-1]
        return self.order.averaged(following)

    def own(self, effects: Array) -> Array:
        """What of that is the noise of the row's own unit: left out, lest it hide its own error."""
        order, size = self.order, np.repeat(self.order.sizes, self.order.sizes)
        inside = np.arange(1, len(effects) + 1) - np.repeat(order.starts, order.sizes)
        tied = order.averaged(inside * self.slope) / size
        if len(effects) == self.cluster.max() + 1:
            return tied * effects
        block = np.repeat(np.arange(len(order.starts)), order.sizes)
        return _within(self.cluster, block, effects, (order.averaged(self.slope), tied))


def _place(ranking: Ranking, part: np.ndarray, kind: Kind) -> _Placed:
    order = descending(ranking.score[part])
    weight, slope = _weights(len(part), kind)
    cluster, _ = codes(np.asarray(ranking.cluster)[part][order.rows])
    return _Placed(order, order.averaged(weight), slope, cluster)


def _within(
    cluster: np.ndarray, block: np.ndarray, effects: Array, factors: tuple[Array, Array]
) -> Array:
    """Of each row's unit: its later blocks' sum times the first factor, its block's the second."""
    later, tied = factors
    order = np.argsort(cluster, kind="stable")
    unit, block = cluster[order], block[order]
    new_unit = np.append(True, unit[1:] != unit[:-1])
    starts = np.flatnonzero(new_unit | np.append(True, block[1:] != block[:-1]))
    sums = np.add.reduceat(effects[order], starts)
    weighted = sums * later[order][starts]
    # Backwards from each unit's last: what is behind all its rows is taken off.
    running = np.append(np.cumsum(weighted[::-1])[::-1], 0.0)
    last = np.append(np.flatnonzero(new_unit[starts])[1:], len(starts))
    after = running[1:] - running[last][np.cumsum(new_unit[starts]) - 1]
    result = np.empty(len(effects))
    sizes = np.diff(np.append(starts, len(effects)))
    result[order] = np.repeat(after + sums * tied[order][starts], sizes)
    return result


def _weights(n: int, kind: Kind) -> tuple[Array, Array]:
    """The weight of each place, which add up to 0, and what it changes by at the next; shape (n,).

    AUTOC: H(n) − H(i−1) − 1 with H the harmonic numbers. Qini: (n−i+1)/n − (n+1)/2n.
    """
    place = np.arange(1.0, n + 1)
    if kind == "qini":
        return (n - place + 1) / n - (n + 1) / (2 * n), np.full(n, -1 / n)
    return np.cumsum(1 / place[::-1])[::-1] - 1, -1 / place
