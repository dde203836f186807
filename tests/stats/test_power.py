"""Power against statsmodels, hand-worked figures, by simulation of the test itself, and by law."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import stdtrit
from statsmodels.stats.power import NormalIndPower, TTestIndPower

from upliftlab.stats.effects import LinearContrast, TwoSample
from upliftlab.stats.effects import welch as analysed
from upliftlab.stats.moments import Moments
from upliftlab.stats.power import (
    MOST,
    design_effect,
    detectable_effect,
    power,
    power_above,
    smallest_sample,
    spread_growth,
)

EXACT = 1e-9


def equal_variances(sd, treated, control):
    """Standard error and degrees of freedom of the pooled t test."""
    return sd * (1 / treated + 1 / control) ** 0.5, treated + control - 2


def welch(variances, counts):
    """Standard error and Satterthwaite's degrees of freedom."""
    parts = [v / n for v, n in zip(variances, counts, strict=True)]
    below = sum(part**2 / (n - 1) for part, n in zip(parts, counts, strict=True))
    return sum(parts) ** 0.5, sum(parts) ** 2 / below


def test_the_published_figure():
    """Variance 45, difference 0.03, 859,896 in each arm."""
    se, df = equal_variances(45**0.5, 859_896, 859_896)
    assert power(0.03, se, df, 0.05) == pytest.approx(0.8345828, abs=5e-8)


@pytest.mark.parametrize("n", [3, 12, 80, 5_000, 1_000_000])
@pytest.mark.parametrize("ratio", [1.0, 0.25, 9.0])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_power_is_that_of_statsmodels(n, ratio, alpha):
    for d in (0.0, 0.5 / n**0.5, 2.0 / n**0.5, 5.0 / n**0.5):
        se, df = equal_variances(1.0, n, n * ratio)
        theirs = TTestIndPower().power(d, n, alpha, ratio)
        assert power(d, se, df, alpha) == pytest.approx(theirs, abs=EXACT)
        larger = TTestIndPower().power(d, n, alpha / 2, ratio, alternative="larger")
        assert power_above(d, se, df, alpha) == pytest.approx(larger, abs=EXACT)


@pytest.mark.parametrize(
    ("share", "effect", "each"),
    [
        # (1.959964 + 0.841621)²·(0.10·0.90 + 0.12·0.88)/0.02² = 3,838.5; by t one or two more.
        (0.10, 0.02, 3841),
        (0.50, 0.10, 386),
    ],
)  # fmt: skip
def test_sample_sizes_of_shares(share, effect, each):
    variances = share * (1 - share), (share + effect) * (1 - share - effect)

    def reached(n):
        return n > 1 and power(effect, *welch(variances, (n, n)), 0.05) >= 0.8

    found = smallest_sample(reached)
    assert found == pytest.approx(each, abs=2)
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert found == pytest.approx(z**2 * sum(variances) / effect**2, abs=3)


def test_sample_sizes_are_those_of_statsmodels():
    for d, alpha, wanted in ((0.2, 0.05, 0.8), (0.05, 0.01, 0.9), (1.0, 0.05, 0.8)):

        def reached(n, d=d, alpha=alpha, wanted=wanted):
            return n > 1 and power(d, *equal_variances(1.0, n, n), alpha) >= wanted

        theirs = TTestIndPower().solve_power(d, alpha=alpha, power=wanted)
        assert smallest_sample(reached) == np.ceil(theirs)


def test_detectable_effects_are_those_of_statsmodels():
    for treated, control, alpha in ((500, 500, 0.05), (9_500, 500, 0.025)):
        se, df = equal_variances(3.0, treated, control)
        found = detectable_effect(lambda e, s=se, d=df, a=alpha: power(e, s, d, a), 0.8, 1e-4, 1e6)
        theirs = NormalIndPower().solve_power(
            nobs1=treated, alpha=alpha, power=0.8, ratio=control / treated
        )
        assert found == pytest.approx(3.0 * theirs, rel=2e-3)
        exact = TTestIndPower().solve_power(
            nobs1=treated, alpha=alpha, power=0.8, ratio=control / treated
        )
        assert found == pytest.approx(3.0 * exact, rel=1e-6)


def test_small_groups_that_vary_differently():
    """Of 200,000 experiments, 12 against 30 with three times the spread: within half a point."""
    rng = np.random.default_rng(1)
    counts, spreads, effect = (12, 30), (3.0, 1.0), 2.4
    treated = rng.normal(effect, spreads[0], (200_000, counts[0]))
    control = rng.normal(0, spreads[1], (200_000, counts[1]))
    se, df = welch((treated.var(axis=1, ddof=1), control.var(axis=1, ddof=1)), counts)
    t = (treated.mean(axis=1) - control.mean(axis=1)) / se
    expected = power(effect, *welch((9.0, 1.0), counts), 0.05)
    found = np.mean(np.abs(t) > stdtrit(df, 0.975))
    assert found == pytest.approx(expected, abs=0.005)


def test_the_standard_error_is_the_one_of_the_analysis():
    """Power from an effect's own standard error: what the planner does."""
    rng = np.random.default_rng(2)
    rows = rng.normal(0, 2, (400, 1))
    pair = TwoSample(Moments.of(rows[:100]), Moments.of(rows[100:]))
    effect = analysed(pair, LinearContrast.difference(1, {0: 1.0}), 0.95)
    variances = rows[:100].var(ddof=1), rows[100:].var(ddof=1)
    se, df = welch(variances, (100, 300))
    assert (effect.se, effect.df) == pytest.approx((se, df), rel=EXACT)


@pytest.mark.parametrize(
    ("df", "ratio"), [(6.2e7, 38.0622405), (18.31, 37.9759861), (200.0, 10.0), (1e12, 1e4)]
)
def test_what_is_certain(df, ratio):
    """Where scipy's noncentral t is NaN, and beyond."""
    assert power_above(ratio, 1.0, df, 0.05) == pytest.approx(1.0)
    assert power_above(-ratio, 1.0, df, 0.05) == pytest.approx(0.0, abs=1e-12)
    assert power_above(-11.07969416, 1.0, 2.00253585, 0.005) == pytest.approx(0.0, abs=1e-12)


def test_nothing_reaches_what_no_sample_reaches():
    assert smallest_sample(lambda _: False) is None
    assert smallest_sample(lambda n: n >= MOST) == MOST
    assert smallest_sample(lambda _: True) == 1
    assert detectable_effect(lambda _: 0.5, 0.8, 1.0, 8.0) is None
    assert detectable_effect(lambda _: 0.9, 0.8, 1.0, 8.0) == 0.0


def test_design_effects():
    """Kish: alone nothing; perfectly alike, only groups count."""
    assert design_effect(1.0, 0.3) == 1.0
    assert design_effect(4.0, 1.0) == 4.0
    assert design_effect(21, 0.05) == pytest.approx(2.0)


@given(st.floats(0.001, 0.49), st.floats(-0.9, 1.0))
def test_the_spread_of_shares_is_their_own(p, lift):
    q = p * (1 + lift)
    if q <= 0.5:
        grown = p * (1 - p) * spread_growth(p, p * (1 - p), q - p)
        assert grown == pytest.approx(q * (1 - q), rel=EXACT)


def test_more_buyers_who_buy_alike():
    """3 % buy for 20 and for 60; a third more buyers."""
    rng = np.random.default_rng(3)
    amounts = rng.choice([20.0, 60.0], 2_000_000)
    before = amounts * (rng.random(2_000_000) < 0.03)
    after = amounts * (rng.random(2_000_000) < 0.04)
    factor = spread_growth(before.mean(), before.var(), after.mean() - before.mean())
    assert after.var() / before.var() == pytest.approx(factor, rel=0.01)


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(-200, 1000))
def test_spread_never_shrinks_with_a_rising_mean_and_is_never_negative(mean, sd, effect):
    factor = spread_growth(mean, sd**2, effect)
    assert factor >= -EXACT
    if effect >= 0:
        assert factor >= 1 - EXACT


@given(st.floats(0, 8), st.floats(2, 1e7), st.floats(0.0005, 0.3))
def test_power_rises_with_the_effect_and_is_its_level_without(effect, df, alpha):
    assert power(0.0, 1.0, df, alpha) == pytest.approx(alpha, rel=1e-6)
    assert power(effect + 0.1, 1.0, df, alpha) >= power(effect, 1.0, df, alpha) - EXACT
    assert power(-effect, 1.0, df, alpha) == pytest.approx(power(effect, 1.0, df, alpha), abs=1e-9)
    assert 0 <= power_above(-effect, 1.0, df, alpha) <= alpha / 2 + EXACT


@given(st.integers(1, 10**9))
def test_the_smallest_number_is_found(n):
    assert smallest_sample(lambda m: m >= n) == n
