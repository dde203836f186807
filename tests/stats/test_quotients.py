"""Quotients against the delta method written out, cluster-robust regression, and laws."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.moments import Moments
from upliftlab.stats.quotients import quotients, undefined
from upliftlab.stats.ratio import relative_lift

EXACT = 1e-9


def draw(seed: int, n: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    below = rng.poisson(1.5, n).astype(float)
    return np.column_stack([below * rng.gamma(2.0, 10.0, n) + rng.normal(0, 1, n), below])


@given(st.integers(0, 10_000))
def test_a_quotient_is_the_delta_method(seed):
    rows = draw(seed)
    made = quotients(Moments.of(rows), [(0, 1)])
    a, b = rows.mean(axis=0)
    s = np.cov(rows.T)
    variance = (s[0, 0] - 2 * a / b * s[0, 1] + (a / b) ** 2 * s[1, 1]) / b**2
    assert made.mean[0] == pytest.approx(rows[:, 0].sum() / rows[:, 1].sum(), rel=EXACT)
    assert made.covariance[0, 0] == pytest.approx(variance, rel=EXACT)


def test_a_plain_mean_stays_what_it_is():
    group = Moments.of(draw(1))
    same = quotients(group, [(0, None), (1, None)])
    np.testing.assert_allclose(same.mean, group.mean)
    np.testing.assert_allclose(same.m2, group.m2)
    np.testing.assert_allclose(same.m3, group.m3)


def test_households_as_in_a_cluster_robust_regression():
    """Per arm, the delta method is the sandwich of the clusters' residuals, times n / (n − 1)."""
    rng = np.random.default_rng(5)
    house = np.repeat(np.arange(600), rng.integers(1, 5, 600))
    treated = (house % 3 > 0).astype(float)
    spend = rng.normal(20, 5, 600)[house] + rng.normal(0, 8, len(house)) + 2 * treated
    fit = sm.OLS(spend, sm.add_constant(treated)).fit(
        cov_type="cluster", cov_kwds={"groups": house, "use_correction": False}
    )
    groups, parts = [], []
    for arm in (1.0, 0.0):
        here = np.unique(house[treated == arm])
        rows = np.array([[spend[house == h].sum(), (house == h).sum()] for h in here])
        groups.append(Moments.of(rows))
        residual = rows[:, 0] - rows[:, 1] * rows[:, 0].sum() / rows[:, 1].sum()
        parts.append((residual**2).sum() / rows[:, 1].sum() ** 2)
    pair = TwoSample(*(quotients(group, [(0, 1)]) for group in groups))
    effect = difference(pair, 0, 0.95)
    assert effect.estimate == pytest.approx(fit.params[1], rel=EXACT)
    assert sum(parts) ** 0.5 == pytest.approx(fit.bse[1], rel=EXACT)
    exact = sum(part * g.n / (g.n - 1) for part, g in zip(parts, groups, strict=True)) ** 0.5
    assert effect.se == pytest.approx(exact, rel=EXACT)


def test_nothing_to_divide_by_has_no_value():
    empty, full = Moments.of([[0.0, 0.0]] * 5), Moments.of([[3.0, 1.0], [1.0, 2.0], [0.0, 1.0]])
    wanted = [(0, 1), (1, None)]
    assert undefined(empty, wanted) == {0}
    pair = TwoSample(quotients(full, wanted), quotients(empty, wanted), undefined(empty, wanted))
    for ask in (difference, relative_lift):
        assert ask(pair, 0, 0.95).note is Note.no_denominator
    assert difference(pair, 1, 0.95).estimate == pytest.approx(4 / 3)


@given(st.integers(0, 1_000), st.floats(0.01, 1_000))
def test_a_currency_does_not_matter(seed, rate):
    rows = draw(seed)
    one, other = (quotients(Moments.of(rows * [scale, 1.0]), [(0, 1)]) for scale in (1.0, rate))
    assert other.mean[0] == pytest.approx(rate * one.mean[0], rel=1e-9)
    assert other.m2[0, 0] == pytest.approx(rate**2 * one.m2[0, 0], rel=1e-9)
