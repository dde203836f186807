"""Qini and uplift curves as scikit-uplift defines them: from outcomes themselves, without a model.

They hold where every customer had the same chance of treatment. Libraries define them differently;
here, among the first k in order, with y outcomes and n customers of either arm:

    Qini curve    q(k) = y_t − y_c·n_t/n_c
    uplift curve  u(k) = (y_t/n_t − y_c/n_c)·k

An arm that is not among the first k counts as 0. The coefficient is the area between the curve and
the straight line to its end, relative to that of the best possible order of these outcomes
(Radcliffe 2007; Devriendt, Guns & Verbeke 2020). Blocks of ties are entered as a whole.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from upliftlab.stats.moments import Array
from upliftlab.uplift.ranking import RankOrder, descending, numbers, same_length

Curve = tuple[Array, Array]
By = Literal["group", "overall"]
_ROUNDING = 1e-9
"""29 % of 100 customers are 29, though 0.29·100 is less in floating point."""


def qini_curve(outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike) -> Curve:
    """The Qini curve: incremental outcome among the first k, per treated customer's count.

    Args:
        outcome: What customers did, shape (n,); any number type, also bool.
        treated: 1 for the treated, 0 for the control; shape (n,).
        score: What they are ordered by, the highest first; shape (n,).

    Returns:
        k (from 0, after each block of ties) and q(k), both of shape (blocks + 1,).

    Raises:
        ValueError: Shapes differ, a value is not finite, or an arm is neither 0 nor 1 or is empty.
    """
    outcomes, arms, scores = _checked(outcome, treated, score)
    return _qini(outcomes, arms, scores)


def uplift_curve(outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike) -> Curve:
    """The uplift curve: difference of means among the first k, times k; see `qini_curve`."""
    outcomes, arms, scores = _checked(outcome, treated, score)
    return _uplift(outcomes, arms, scores)


def qini_auc(outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """The Qini coefficient: 1 is the best possible order, 0 a random one.

    None where it has no meaning: an outcome that is not 0 or 1, an empty arm, or outcomes of which
    no order is better than another.

    >>> y, t = [1, 1, 0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0]
    >>> round(qini_auc(y, t, [8, 7, 6, 5, 4, 3, 2, 1]), 6)
    -0.140351
    """
    columns = _binary(outcome, treated, score)
    if columns is None:
        return None
    y, t, _ = columns
    return _coefficient(_qini(*columns), _qini(y, t, y * t - y * (1 - t)))


def uplift_auc(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike
) -> float | None:
    """The same of the uplift curve; see `qini_auc`.

    >>> y, t = [1, 1, 0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0]
    >>> round(uplift_auc(y, t, [8, 7, 6, 5, 4, 3, 2, 1]), 6)
    -0.222222
    """
    columns = _binary(outcome, treated, score)
    if columns is None:
        return None
    y, t, _ = columns
    # Those who agree with their arm come first; what decides within is the rarer disagreement.
    first = y if (y > t).sum() > (y < t).sum() else t
    return _coefficient(_uplift(*columns), _uplift(y, t, 2.0 * (y == t) + first))


def uplift_at(
    outcome: npt.ArrayLike,
    treated: npt.ArrayLike,
    score: npt.ArrayLike,
    share: float,
    by: By = "group",
) -> float | None:
    """The difference of mean outcomes among those first in order.

    A block of ties that is cut enters with its average, so the order of rows does not matter.

    Args:
        outcome: What customers did, shape (n,).
        treated: 1 for the treated, 0 for the control; shape (n,).
        score: What they are ordered by, the highest first; shape (n,).
        share: Which share of them, over 0 and at most 1; rounded down to whole customers.
        by: `group` takes the share of either arm, `overall` that of all customers.

    Returns:
        The difference, None where an arm is empty or not among the first.

    Raises:
        ValueError: Shapes differ, a value is not finite, an arm is neither 0 nor 1, or the share is
            out of range.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share must be over 0 and at most 1, not {share}")
    y, t, scores = _columns(outcome, treated, score)
    if by == "overall":
        first = _first(scores, share)
        means = [_mean(y[t == arm], first[t == arm]) for arm in (1, 0)]
    else:
        means = [_mean(y[t == arm], _first(scores[t == arm], share)) for arm in (1, 0)]
    treated_mean, control_mean = means
    return None if treated_mean is None or control_mean is None else treated_mean - control_mean


def _first(score: Array, share: float) -> Array:
    """How much of each row is among the first, shape (n,)."""
    result = np.zeros(len(score))
    if len(score):
        order, size = descending(score), np.floor(len(score) * share + _ROUNDING)
        part = np.clip((size - order.starts) / order.sizes, 0.0, 1.0)
        result[order.rows] = np.repeat(part, order.sizes)
    return result


def _mean(values: Array, weights: Array) -> float | None:
    total = float(weights.sum())
    return float(weights @ values) / total if total > 0 else None


def _qini(outcome: Array, treated: Array, score: Array) -> Curve:
    (n_t, y_t), (n_c, y_c), order = _cumulated(outcome, treated, score)
    return _from_origin(order, y_t - y_c * _ratio(n_t, n_c))


def _uplift(outcome: Array, treated: Array, score: Array) -> Curve:
    (n_t, y_t), (n_c, y_c), order = _cumulated(outcome, treated, score)
    return _from_origin(order, (_ratio(y_t, n_t) - _ratio(y_c, n_c)) * order.ends)


def _cumulated(outcome: Array, treated: Array, score: Array) -> tuple[Curve, Curve, RankOrder]:
    """Customers and outcomes of the treated and of the control up to the end of each block."""
    order = descending(score)
    last, y, t = order.ends - 1, outcome[order.rows], treated[order.rows]
    first, second = ((np.cumsum(arm)[last], np.cumsum(y * arm)[last]) for arm in (t, 1.0 - t))
    return first, second, order


def _from_origin(order: RankOrder, values: Array) -> Curve:
    return np.append(0.0, order.ends.astype(np.float64)), np.append(0.0, values)


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _coefficient(curve: Curve, best: Curve) -> float | None:
    """The area over the straight line, relative to the best possible one."""
    line = best[0][-1] * best[1][-1] / 2
    own, most = (np.trapezoid(y, x) - line for x, y in (curve, best))
    return float(own / most) if abs(most) > _ROUNDING else None


def _columns(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    """The columns as floats: arithmetic on bytes and flags overflows in silence."""
    columns = numbers(outcome, "outcomes"), numbers(treated, "arms"), numbers(score, "scores")
    same_length(*columns)
    if not np.isin(columns[1], (0.0, 1.0)).all():
        raise ValueError("arms must be 1 for the treated and 0 for the control")
    return columns


def _checked(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    columns = _columns(outcome, treated, score)
    if len(set(columns[1].tolist())) == 1:
        raise ValueError("no customers in one of the arms")
    return columns


def _binary(
    outcome: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike
) -> tuple[Array, Array, Array] | None:
    """The columns, None where a coefficient has no meaning."""
    y, t, scores = _columns(outcome, treated, score)
    if not np.isin(y, (0.0, 1.0)).all() or t.min() == t.max():
        return None
    return y, t, scores
