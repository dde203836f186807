"""The gain curve: what is gained where the first share in order is contacted, with its band.

It is the Qini curve of doubly robust effects: over all customers, contacted or not, and valid for
any assignment probabilities. The band comes from the bootstrap by cluster, in which customers are
put in order anew in each draw (`bootstrap`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift import bootstrap
from upliftlab.uplift.ranking import Ranking, RankOrder, descending

POINTS = 100
"""Steps of a curve."""


@dataclass(frozen=True, slots=True, eq=False)
class Gains:
    """A curve as points, in the outcome's unit.

    Attributes:
        share: The share contacted, from 0 to 1; shape (points + 1,).
        gain: Incremental outcome per customer of all, shape (points + 1,).
        low: Lower end of the band, which holds at each point; None with fewer than two units.
        high: Upper end.
        reference: What contacting as many at random gains: a straight line; shape (points + 1,).
    """

    share: Array
    gain: Array
    low: Array | None
    high: Array | None
    reference: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One part's rows by bin: blocks of ties that lie within the same step of the curve."""

    rows: np.ndarray
    bins: np.ndarray
    number: int


def gain_curve(
    ranking: Ranking, confidence: float, rng: np.random.Generator, points: int = POINTS
) -> Gains:
    """What contacting the first in order gains, by the share contacted.

    With parts (`Ranking.fold`) the first of each part are contacted, the same share of all.

    Args:
        ranking: Customers in order.
        confidence: Level of the band, such as 0.95.
        rng: The source of chance.
        points: Steps of the curve.

    >>> effects = np.array([3.0, 1.0, -1.0, -3.0])
    >>> ranking = Ranking(effects, effects, np.arange(4))
    >>> curve = gain_curve(ranking, 0.95, np.random.default_rng(1), 4)
    >>> [float(gain) for gain in curve.gain]
    [0.0, 0.75, 1.0, 0.75, 0.0]
    """
    share = np.linspace(0.0, 1.0, points + 1)
    gain, parts = np.zeros(points + 1), list[_Part]()
    for rows in ranking.parts():
        order = descending(ranking.score[rows])
        gain += _curve(order.sizes, order.sums(ranking.effects[rows][order.rows]), share)
        number, of_block = _bins(order, points)
        parts.append(_Part(rows[order.rows], np.repeat(of_block, order.sizes), number))
    gain /= len(ranking)
    drawn = _drawn(ranking, parts, share, rng)
    ends = (None, None) if drawn is None else bootstrap.band(gain, drawn, confidence)
    return Gains(share, gain, *ends, reference=share * ranking.effects.mean())


def _curve(counts: Array | np.ndarray, sums: Array, share: Array) -> Array:
    """The sum over the first `share` of all; a bin that is cut counts by its average."""
    reached = np.append(0.0, np.cumsum(counts, dtype=np.float64))
    added = np.append(0.0, np.cumsum(sums))
    return np.asarray(np.interp(share * reached[-1], reached, added), dtype=np.float64)


def _bins(order: RankOrder, points: int) -> tuple[int, np.ndarray]:
    """How many bins there are, and each block's: blocks in the same step share one.

    A block that reaches over an edge has a bin of its own, so none is cut.
    """
    n = len(order.rows)
    first, last = order.starts * points // n, (order.ends - 1) * points // n
    new = (first[1:] != first[:-1]) | (last[1:] != last[:-1])
    numbers = np.append(0, np.cumsum(new))
    return int(numbers[-1]) + 1, numbers


def _drawn(
    ranking: Ranking, parts: list[_Part], share: Array, rng: np.random.Generator
) -> Array | None:
    """The curve of each draw, shape (draws, points + 1); None with fewer than two units."""
    group = bootstrap.groups_of(np.asarray(ranking.cluster), rng)
    if group.max() == 0:
        return None
    table = list[Array]()
    for part in parts:
        own, ones = group[part.rows], np.ones(len(part.rows))
        for values in (ones, ranking.effects[part.rows]):
            sums = bootstrap.grouped_sums(values, part.bins, own, part.number)
            table.append(np.pad(sums, ((0, int(group.max()) + 1 - len(sums)), (0, 0))))
    drawn = bootstrap.draws(np.concatenate(table, axis=1), rng)
    columns = np.split(drawn, np.cumsum([block.shape[1] for block in table])[:-1], axis=1)
    total, size = np.zeros((len(drawn), len(share))), np.zeros((len(drawn), 1))
    for counts, sums in zip(columns[::2], columns[1::2], strict=True):
        size += counts.sum(axis=1, keepdims=True)
        pairs = zip(counts, sums, strict=True)
        total += np.array([_curve(count, added, share) for count, added in pairs])
    return total / size
