"""Adjustment for covariates against statsmodels' regressions, by simulation, and by law."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import LinearContrast, TwoSample, difference
from upliftlab.stats.heterogeneity import shared_control
from upliftlab.stats.moments import Moments
from upliftlab.stats.ratio import relative_lift

EXACT = 1e-9


def draw(rng, n=300, share=0.7, effect=1.0, covariates=2):
    """Treatment, covariates (one of them skewed), and an outcome whose slopes differ by arm."""
    treated = rng.permutation(np.arange(n) < n * share).astype(float)
    x = np.column_stack([rng.gamma(1.0, 2.0, n), rng.normal(1, 1, n)])[:, :covariates]
    y = 3 + effect * treated + x @ np.array([1.5, -2.0])[:covariates] + rng.normal(0, 2, n)
    return treated, x, y + 0.4 * treated * (x[:, 0] - 2.0)


def pair(treated, x, y):
    rows = np.column_stack([y, x])
    return TwoSample(Moments.of(rows[treated == 1]), Moments.of(rows[treated == 0]))


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_the_estimate_is_that_of_a_regression_with_interactions(seed, covariates):
    treated, x, y = draw(np.random.default_rng(seed), covariates=covariates)
    centred = x - x.mean(axis=0)
    design = sm.add_constant(np.column_stack([treated, centred, treated[:, None] * centred]))
    fit = sm.OLS(y, design).fit()
    made = difference(adjusted(pair(treated, x, y), [1, 2][:covariates]), 0, 0.95)
    assert made.estimate == pytest.approx(fit.params[1], rel=EXACT)


def test_the_standard_error_is_near_that_of_a_robust_regression():
    """HC2 takes X̄ as given; with what it varies by added, the two agree in large samples."""
    rng = np.random.default_rng(2)
    treated, x, y = draw(rng, n=60_000)
    centred = x - x.mean(axis=0)
    design = sm.add_constant(np.column_stack([treated, centred, treated[:, None] * centred]))
    fit = sm.OLS(y, design).fit(cov_type="HC2")
    slopes = fit.params[4:]
    variance = fit.bse[1] ** 2 + slopes @ np.cov(x.T) @ slopes / len(x)
    made = difference(adjusted(pair(treated, x, y), [1, 2]), 0, 0.95)
    assert made.se == pytest.approx(variance**0.5, rel=5e-3)


def test_one_covariate_with_a_common_slope_is_cuped():
    rng = np.random.default_rng(3)
    n = 50_000
    x = rng.normal(5, 2, n)
    treated = (rng.random(n) < 0.5).astype(float)
    y = 2 * x + rng.normal(0, 3, n) + 0.5 * treated
    theta = np.cov(x, y)[0, 1] / x.var(ddof=1)
    cuped = y - theta * (x - x.mean())
    made = difference(adjusted(pair(treated, x[:, None], y), [1]), 0, 0.95)
    plain = cuped[treated == 1].mean() - cuped[treated == 0].mean()
    assert made.estimate == pytest.approx(plain, abs=0.002)
    raw = difference(pair(treated, x[:, None], y), 0, 0.95)
    rho = np.corrcoef(x, y)[0, 1]
    assert made.se / raw.se == pytest.approx((1 - rho**2) ** 0.5, rel=0.01)


@pytest.mark.parametrize(("n", "share"), [(120, 0.5), (400, 0.9)])
def test_intervals_cover(n, share):
    """Of 4,000 experiments, slopes differing by arm: 95 % within Monte Carlo error."""
    rng = np.random.default_rng(4)
    hits, lifts, wide, narrow = 0, 0, 0.0, 0.0
    for _ in range(4_000):
        treated, x, y = draw(rng, n=n, share=share)
        before = pair(treated, x, y)
        after = adjusted(before, [1, 2])
        made = difference(after, 0, 0.95)
        hits += made.low <= 1.0 <= made.high
        truth = 1.0 / (3 + 1.5 * 2.0 - 2.0)
        lift = relative_lift(after, 0, 0.95)
        lifts += lift.low is not None and lift.low <= truth <= lift.high
        wide += difference(before, 0, 0.95).se
        narrow += made.se
    error = 4 * (0.95 * 0.05 / 4_000) ** 0.5
    assert hits / 4_000 == pytest.approx(0.95, abs=error)
    assert lifts / 4_000 == pytest.approx(0.95, abs=error)
    assert narrow < 0.75 * wide


def test_what_does_not_vary_or_repeats_is_left_out():
    treated, x, y = draw(np.random.default_rng(5))
    more = np.column_stack([x, x[:, 0] * 2 + 1, np.ones(len(y))])
    alone = difference(adjusted(pair(treated, x, y), [1, 2]), 0, 0.95)
    both = difference(adjusted(pair(treated, more, y), [1, 2, 3, 4]), 0, 0.95)
    assert both.estimate == pytest.approx(alone.estimate, rel=EXACT)
    assert both.se == pytest.approx(alone.se, rel=EXACT)
    plain = pair(treated, np.ones((len(y), 1)), y)
    assert adjusted(plain, [1]) is plain


def test_too_few_units_are_left_as_they_are():
    few = pair(np.array([1, 1, 1, 1, 0, 0, 0]), np.arange(14.0).reshape(7, 2) ** 2, np.arange(7.0))
    assert adjusted(few, [1, 2]) is few


@given(st.integers(0, 1_000), st.floats(0.01, 100), st.floats(-50, 50))
def test_units_and_swaps(seed, scale, shift):
    treated, x, y = draw(np.random.default_rng(seed))
    made = difference(adjusted(pair(treated, x, y), [1, 2]), 0, 0.95)
    moved = difference(adjusted(pair(treated, x * scale + shift, y), [1, 2]), 0, 0.95)
    assert moved.estimate == pytest.approx(made.estimate, rel=1e-7)
    assert moved.se == pytest.approx(made.se, rel=1e-7)
    swapped = difference(adjusted(pair(1 - treated, x, y), [1, 2]), 0, 0.95)
    assert swapped.estimate == pytest.approx(-made.estimate, rel=EXACT)
    assert swapped.p == pytest.approx(made.p, rel=1e-7)


def ancova(treated, x, y, correction="nonrobust"):
    """One slope for both arms, by statsmodels."""
    return sm.OLS(y, sm.add_constant(np.column_stack([treated, x]))).fit(cov_type=correction)


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.9]))
def test_one_slope_is_the_analysis_of_covariance(seed, share):
    treated, x, y = draw(np.random.default_rng(seed), share=share)
    before = pair(treated, x, y)
    after = adjusted(before, [1, 2], (before.treated, before.control))
    assert difference(after, 0, 0.95).estimate == pytest.approx(
        ancova(treated, x, y).params[1], rel=EXACT
    )
    assert after.pooled.common


def test_with_one_slope_and_residuals_that_vary_alike_it_is_the_textbook_s():
    """Residuals with one variance in both arms: the ordinary standard error of a regression."""
    rng = np.random.default_rng(21)
    x = rng.gamma(1.0, 2.0, 90)
    treated = np.repeat([1.0, 0.0], [60, 30])
    y = 2 * x + rng.normal(0, 1, 90)
    fit = ancova(treated, x, y)
    for side in (1, 0):  # so that both arms' residual variances are the same
        inside = treated == side
        arm = fit.resid[inside]
        lost = ((x[inside] - x[inside].mean()) ** 2).sum()
        other = ((x[~inside] - x[~inside].mean()) ** 2).sum()
        freedom = inside.sum() - 1 - lost / (lost + other)
        y[inside] += arm * ((freedom / (arm**2).sum()) ** 0.5 - 1)
    fit, before = ancova(treated, x, y), pair(treated, x[:, None], y)
    found = difference(adjusted(before, [1], (before.treated, before.control)), 0, 0.95)
    assert found.estimate == pytest.approx(fit.params[1], rel=1e-6)
    # Scaling the residuals moved the slope a little, so that their variances are not quite one.
    assert found.se == pytest.approx(fit.bse[1], rel=1e-4)


def test_one_slope_of_three_arms_leaves_one_control():
    """Adjusted effects of two arms against one control differ as the arms do, whatever the pair."""
    rng = np.random.default_rng(22)
    arms = []
    for n, effect in ((400, 1.0), (300, 2.0), (80, 0.0)):
        x = rng.gamma(1.0, 2.0, n)
        arms.append(Moments.of(np.column_stack([effect + 2 * x + rng.normal(0, 1, n), x])))
    pairs = [adjusted(TwoSample(arm, arms[2]), [1], arms) for arm in arms[:2]]
    between = adjusted(TwoSample(arms[0], arms[1]), [1], arms)
    one, two, apart = (difference(p, 0, 0.95).estimate for p in (*pairs, between))
    assert one - two == pytest.approx(apart, rel=EXACT)
    assert shared_control(pairs, LinearContrast.difference(2, {0: 1.0})) is not None
