"""The sum of estimates that have intervals of their own, and of estimates that share a control.

Ends are recovered from ends (Zou & Donner 2008, *Stat. Med.* 27, "MOVER"): the lower end of a sum
lies √(Σ_ij ρ_ij d_i d_j) below it, with d_i = y_i − low_i, so that skewed intervals stay skewed.
Treated groups that are compared with one control vary together: with equal variances two of them
are correlated by √(n_i/(n_i + n_c) · n_j/(n_j + n_c)) (Dunnett 1955, *JASA* 50).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from upliftlab.stats.moments import Array


class Ends(NamedTuple):
    """An estimate and the ends of its interval; None where it has no such end."""

    estimate: float
    low: float | None
    high: float | None


def summed(parts: Sequence[Ends], correlation: Array | None = None) -> Ends:
    """The sum of parts that are independent, or as correlated as told.

    Args:
        parts: Estimates with their ends, k of them, all of one confidence.
        correlation: Of the estimates, shape (k, k).

    >>> summed([Ends(3.0, 0.0, 6.0), Ends(4.0, 0.0, 12.0)])
    Ends(estimate=7.0, low=2.0, high=15.54400374531753)
    """
    matrix = np.eye(len(parts)) if correlation is None else correlation
    total = float(sum(estimate for estimate, *_ in parts))
    below = _reach([None if low is None else y - low for y, low, _ in parts], matrix)
    above = _reach([None if high is None else high - y for y, _, high in parts], matrix)
    return Ends(
        total, None if below is None else total - below, None if above is None else total + above
    )


def less(whole: Ends, part: Ends) -> Ends:
    """The difference of two independent estimates.

    >>> less(Ends(7.0, 4.0, 10.0), Ends(3.0, -1.0, 7.0))
    Ends(estimate=4.0, low=-1.0, high=9.0)
    """
    estimate, low, high = part
    turned = Ends(-estimate, None if high is None else -high, None if low is None else -low)
    return summed([whole, turned])


def sharing_control(treated: Sequence[int], control: int) -> Array:
    """How estimates of treated groups against one control are correlated, shape (k, k).

    >>> sharing_control([100, 100], 100).round(6).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    sizes = np.asarray(treated, dtype=float)
    shared = np.sqrt(sizes / (sizes + control))
    matrix = np.outer(shared, shared)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _reach(distances: Sequence[float | None], correlation: Array) -> float | None:
    known = [distance for distance in distances if distance is not None]
    if len(known) < len(distances):
        return None
    reach = np.asarray(known)
    return float(np.sqrt(reach @ correlation @ reach))
