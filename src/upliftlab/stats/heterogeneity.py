"""Cells: the levels of one dimension side by side, each with an estimate of the same effect.

Whether levels differ is a question about differences between them, so everything here is read off
uncorrelated differences (contrasts): the eigenvectors of the sampling covariance V after its rows
and columns have been centred. What all cells share, such as the error of a common control, drops
out of them. With z the contrasts of the estimates, λ their variances and τ² the spread of the true
effects, Cochran's Q of generalised least squares with V + τ²I is Σ z²/(λ + τ²).

Variances are estimated, and how they are decides how often Q errs. A small group that happens to
hold no large purchase has a small mean and a small variance at once; weighed by it, its cell's
effect counts for too much, draws the common mean to itself, and Q is too large. So levels take
their variance of both their groups together (`pooled_over_groups`), and Q is held against Welch's
(1951) F, which allows for variances that few units tell.

A cell without a finite estimate or without a variance above 0 is left out. A contrast without a
variance is neither tested nor shrunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, fdtrc

from upliftlab.stats.effects import LinearContrast, TwoSample
from upliftlab.stats.moments import Array


@dataclass(frozen=True, slots=True)
class CochranTest:
    """Cochran's test of one effect for all cells.

    Attributes:
        q: Weighted squares of the estimates about their common mean.
        df: Degrees of freedom: contrasts with a variance, mostly cells − 1.
        p: Chance of a Q as large where all cells have one effect.
    """

    q: float
    df: int
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class OwnError:
    """What is estimated of each cell alone.

    Attributes:
        variances: Sampling variances without what cells share, shape (k,).
        df: Degrees of freedom that each was estimated with, shape (k,).
    """

    variances: Array
    df: Array


@dataclass(frozen=True, slots=True, eq=False)
class EmpiricalBayes:
    """Cells' effects drawn towards their common mean.

    Attributes:
        values: Posterior means, shape (k,), in the estimates' unit; NaN for a cell left out.
        mean: The common mean.
        tau2: Variance of the true effects between cells, in the estimates' unit squared.
    """

    values: Array
    mean: float
    tau2: float


@dataclass(frozen=True, slots=True, eq=False)
class _Contrasts:
    """Uncorrelated differences between the cells that are kept.

    Attributes:
        kept: Which cells these are, shape (k,).
        estimates: Their estimates, shape (m,).
        with_mean: Covariance of each estimate with the plain mean of all, shape (m,).
        directions: Weights of r contrasts, shape (m, r).
        variances: Their sampling variances, shape (r,).
    """

    kept: npt.NDArray[np.bool_]
    estimates: Array
    with_mean: Array
    directions: Array
    variances: Array

    @property
    def values(self) -> Array:
        """The contrasts themselves, shape (r,)."""
        return self.directions.T @ (self.estimates - self.estimates.mean())


def heterogeneity(
    estimates: Array, covariance: Array, own: OwnError | None = None
) -> CochranTest | None:
    """Cochran's (1954) Q with the full covariance: do the cells' effects differ at all?

    Where own errors are told, p is that of Welch's (1951) F: with P = V⁻¹ − V⁻¹11'V⁻¹/1'V⁻¹1,
    h = Σ (P_ii v_i)²/df_i and r contrasts, Q/r over 1 + 2(r − 1)h/((r + 1)² − 1) is F with r and
    ((r + 1)² − 1)/3h degrees of freedom. Without, Q is χ² with r.

    Args:
        estimates: One effect per cell, shape (k,), comparable, so per customer and not in total.
        covariance: Their sampling covariance, shape (k, k).
        own: What of it was estimated of each cell alone; None where it is known.

    Returns:
        The test, None where no two cells can be told apart.

    Raises:
        ValueError: The shapes do not fit.

    >>> test = heterogeneity(np.array([3.0, 1.0]), np.array([[2.0, 1.0], [1.0, 3.0]]))
    >>> test.df, round(test.q, 4), round(test.p, 4)
    (1, 1.3333, 0.2482)
    """
    contrasts = _contrasts(estimates, covariance)
    if contrasts is None:
        return None
    q = float((contrasts.values**2 / contrasts.variances).sum())
    df = len(contrasts.variances)
    return CochranTest(q, df, float(chdtrc(df, q)) if own is None else _welch(q, contrasts, own))


def paule_mandel(estimates: Array, covariance: Array) -> float | None:
    """Variance τ² of the true effects between cells (Paule & Mandel 1982).

    It is the τ² at which Q with V + τ²I equals its degrees of freedom, 0 where Q is no larger than
    they are without any. Arguments, errors and None are those of `heterogeneity`.

    >>> round(paule_mandel(np.array([3.0, 1.0]), np.array([[2.0, 1.0], [1.0, 3.0]])), 9)
    0.5
    """
    contrasts = _contrasts(estimates, covariance)
    return None if contrasts is None else _between(contrasts)


def shrunken(estimates: Array, covariance: Array) -> EmpiricalBayes | None:
    """Empirical-Bayes effects: what the cells' effects are best taken for, given the others.

    The posterior means μ̂ + τ²(V + τ²I)⁻¹(θ̂ − μ̂) of normal effects with variance τ² by
    `paule_mandel` and the mean μ̂ of generalised least squares (Efron & Morris 1975; Morris 1983).
    Arguments, errors and None are those of `heterogeneity`.

    >>> shrunken(np.array([3.0, 1.0]), np.array([[2.0, 1.0], [1.0, 3.0]])).values
    array([2.5, 2. ])
    """
    contrasts = _contrasts(estimates, covariance)
    if contrasts is None:
        return None
    tau2 = _between(contrasts)
    directions, values = contrasts.directions, contrasts.values
    weights = values / (contrasts.variances + tau2)
    centre = contrasts.estimates.mean()
    mean = float(centre - contrasts.with_mean @ directions @ weights)
    moved = mean + tau2 * (directions @ weights)
    if len(values) < len(moved) - 1:
        moved += contrasts.estimates - centre - directions @ values
    result = np.full(len(estimates), np.nan)
    result[contrasts.kept] = moved
    return EmpiricalBayes(result, mean, tau2)


def common_control(treated: npt.ArrayLike, control: float) -> Array:
    """Sampling covariance of effects against one control, shape (k, k).

    Args:
        treated: Sampling variance of each cell's treated mean, shape (k,).
        control: That of the control's mean, which every pair of cells has in common.

    >>> common_control([2.0, 3.0], 1.0)
    array([[3., 1.],
           [1., 4.]])
    """
    return np.diag(np.asarray(treated, dtype=np.float64)) + control


def pooled_over_groups(variances: npt.ArrayLike, sizes: npt.ArrayLike) -> Array:
    """Sampling variances of levels' effects where treatment does the same in each, shape (k,).

    A level's variance is that of both its groups together, σ²_k = Σ_a (n_ka − 1)s²_ka / Σ_a (n_ka −
    1). How much more one of the groups varies than the other is asked of all levels at once: ρ_a
    = Σ_k (n_ka − 1)s²_ka/σ²_k / Σ_k (n_ka − 1). The variance is σ²_k (ρ_t/n_kt + ρ_c/n_kc).

    Args:
        variances: s² of the treated and of the control in each level, shape (k, 2).
        sizes: Their units, shape (k, 2).

    >>> pooled_over_groups([[4.0, 4.0], [1.0, 1.0]], [[100, 100], [50, 20]])
    array([0.08, 0.07])
    """
    own, n = np.asarray(variances, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    free = n - 1
    level = (free * own).sum(axis=1) / free.sum(axis=1)
    relative = np.divide(own, level[:, None], out=np.zeros_like(own), where=level[:, None] > 0)
    ratio = (free * relative).sum(axis=0) / np.where(level[:, None] > 0, free, 0.0).sum(axis=0)
    return np.asarray(level * (ratio / n).sum(axis=1))


def shared_control(pairs: Sequence[TwoSample], form: LinearContrast) -> Array | None:
    """Sampling covariance of one form over pairs that have one control, shape (k, k).

    Pairs that are adjusted for covariates share, besides the control's mean, the control's units
    in their pooled means X̄: with N units each, Cov(X̄ᵢ, X̄ⱼ) = S·n_c/(NᵢNⱼ).

    Args:
        pairs: A cell each, over the same columns.
        form: What is estimated in each.

    Returns:
        The covariance, NaN on the diagonal for a pair without a variance. None where no pair has
        one, and where the controls are not alike: another group, or adjusted otherwise.
    """
    parts = np.array([_parts(pair, form) for pair in pairs]).reshape(-1, 3)
    known = parts[~np.isnan(parts).any(axis=1)]
    control = known[:, 1]
    if not len(known) or np.ptp(control) > 1e-9 * known.sum(axis=1).max():
        return None
    result = common_control(parts[:, 0] + parts[:, 2], float(control[0]))
    for i, j in combinations(range(len(pairs)), 2):
        result[i, j] += _pooled(pairs[i], pairs[j], form)
        result[j, i] = result[i, j]
    return result


def composition(
    treated_counts: npt.ArrayLike, control_counts: npt.ArrayLike, control_means: npt.ArrayLike
) -> float | None:
    """What the profits of a segment's levels lack of the total, as levels' shares differ by arm.

    Level s earns n_ts(π̄_ts − π̄_cs), all of them together n_t(π̄_t − π̄_c). The total is the sum over
    levels plus Σ(n_ts − n_t·n_cs/n_c)·π̄_cs. That holds for means that are not adjusted.

    Args:
        treated_counts: Treated customers per level, shape (k,).
        control_counts: Control customers per level, shape (k,).
        control_means: Profit per control customer of a level, shape (k,); any where there is none.

    Returns:
        Total less sum, in profit's unit; None where a level has treated customers and no control,
        so that its profit is not known.

    >>> composition([60, 40], [50, 50], [10.0, 5.0])
    50.0
    """
    treated = np.asarray(treated_counts, dtype=np.float64)
    control = np.asarray(control_counts, dtype=np.float64)
    if ((treated > 0) & (control == 0)).any() or not control.any():
        return None
    means = np.where(control > 0, np.asarray(control_means, dtype=np.float64), 0.0)
    return float((treated - treated.sum() * control / control.sum()) @ means)


def _contrasts(estimates: Array, covariance: Array) -> _Contrasts | None:
    """What tells the cells apart, None where nothing does."""
    if covariance.shape != estimates.shape * 2:
        raise ValueError(f"a covariance of {covariance.shape} for estimates of {estimates.shape}")
    own = np.diag(covariance)
    kept = np.isfinite(estimates) & np.isfinite(own) & (own > 0)
    if not kept.any():
        return None
    inside = covariance[np.ix_(kept, kept)]
    with_mean = inside.mean(axis=0)
    centred = inside - with_mean - with_mean[:, None] + with_mean.mean()
    variances, directions = np.linalg.eigh(centred)
    clear = variances > len(inside) * np.finfo(np.float64).eps * np.trace(inside)
    if not clear.any():
        return None
    return _Contrasts(kept, estimates[kept], with_mean, directions[:, clear], variances[clear])


def _welch(q: float, contrasts: _Contrasts, own: OwnError) -> float:
    """The p of Q where cells' variances were estimated."""
    r, kept = len(contrasts.variances), contrasts.kept
    weight = (contrasts.directions**2 / contrasts.variances).sum(axis=1)
    away = float(((weight * own.variances[kept]) ** 2 / own.df[kept]).sum())
    squared = (r + 1) ** 2 - 1
    ratio = q / r / (1 + 2 * (r - 1) / squared * away)
    return float(fdtrc(r, squared / (3 * away), ratio)) if away > 0 else float(chdtrc(r, q))


def _between(contrasts: _Contrasts) -> float:
    """Solve Q(τ²) = df by Newton's steps on 1/Q.

    1/Q is concave and rises, so that steps from 0 come ever closer from below.
    """
    squares, df = contrasts.values**2, len(contrasts.variances)
    tau2, step = 0.0, np.inf
    while step > 0:
        total = contrasts.variances + tau2
        terms = squares / total
        q = terms.sum()
        step = (q / df - 1) * q / (terms / total).sum() if q > df * (1 + 1e-12) else 0.0
        tau2 += float(step)
    return tau2


def _parts(pair: TwoSample, form: LinearContrast) -> tuple[float, float, float]:
    """The parts of a form's variance, NaN where there is none."""
    return form.covariance(form, pair) if pair.unusable is None else (np.nan, np.nan, np.nan)


def _pooled(one: TwoSample, other: TwoSample, form: LinearContrast) -> float:
    """Covariance of two pairs by the control's units in their covariates' pooled means."""
    if one.pooled is None or other.pooled is None:
        return 0.0
    units = [pair.treated.n + pair.control.n for pair in (one, other)]
    if one.pooled.common:
        return 0.0
    mine, theirs = one.pooled.at(form), other.pooled.at(form)
    spread = (one.pooled.spread * units[0] + other.pooled.spread * units[1]) / 2
    return float(mine @ spread @ theirs) * one.control.n / (units[0] * units[1])
