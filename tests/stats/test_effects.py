"""Effects against scipy's and statsmodels' answers, and the laws they obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import LinearContrast, TwoSample, welch
from upliftlab.stats.moments import Moments
from upliftlab.stats.skewness import skewness

RELATIVE = 1e-9
FORM = LinearContrast.difference(1, {0: 1.0})
samples = st.lists(st.floats(-1e4, 1e4).map(lambda v: round(v, 3)), min_size=2, max_size=60).map(
    lambda values: np.array(values)[:, None]
)


def pair_of(treated, control) -> TwoSample:
    return TwoSample(Moments.of(treated), Moments.of(control))


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scipy_and_statsmodels(seed):
    rng = np.random.default_rng(seed)
    treated, control = rng.lognormal(0.2, 1.0, 300), rng.lognormal(0.0, 1.5, 40)
    effect = welch(pair_of(treated[:, None], control[:, None]), FORM, 0.9)
    theirs = stats.ttest_ind(treated, control, equal_var=False)
    assert effect.p == pytest.approx(theirs.pvalue, rel=RELATIVE)
    assert effect.df == pytest.approx(theirs.df, rel=RELATIVE)
    assert (effect.low, effect.high) == pytest.approx(
        tuple(theirs.confidence_interval(0.9)), rel=RELATIVE
    )
    means = CompareMeans(DescrStatsW(treated), DescrStatsW(control))
    assert (effect.low, effect.high) == pytest.approx(
        means.tconfint_diff(0.1, usevar="unequal"), rel=RELATIVE
    )


@given(samples, samples)
def test_swapping_arms_flips_the_sign(a, b):
    one, other = welch(pair_of(a, b), FORM, 0.95), welch(pair_of(b, a), FORM, 0.95)
    assert one.estimate == pytest.approx(-other.estimate)
    assert one.p == pytest.approx(other.p) if one.p is not None else other.p is None
    if one.low is not None:
        assert one.low == pytest.approx(-other.high)


@given(samples, samples, st.sampled_from([1e-3, 0.5, 100.0]))
def test_another_currency_rescales_money_and_leaves_p(a, b, rate):
    one, other = welch(pair_of(a, b), FORM, 0.95), welch(pair_of(a * rate, b * rate), FORM, 0.95)
    assert other.estimate == pytest.approx(one.estimate * rate, abs=1e-9)
    if one.p is not None and other.p is not None:
        assert other.p == pytest.approx(one.p, rel=1e-6, abs=1e-12)


@given(samples, samples, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_excludes_zero_exactly_where_p_is_small(a, b, confidence):
    effect = welch(pair_of(a, b), FORM, confidence)
    if effect.p is None:
        assert effect.note is Note.no_variation
        return
    assert effect.low <= effect.estimate <= effect.high
    if abs(effect.p - (1 - confidence)) > 1e-9:
        assert (effect.p < 1 - confidence) == (effect.low > 0 or effect.high < 0)


def test_too_few_units_is_said_and_not_computed():
    one, many = np.ones((1, 1)), np.arange(5.0)[:, None]
    assert welch(pair_of(one, many), FORM, 0.95).note is Note.few_treated
    few = welch(pair_of(many, one), FORM, 0.95)
    assert (few.estimate, few.p, few.note) == (None, None, Note.few_control)


def test_no_variation_gives_no_interval():
    effect = welch(pair_of(np.zeros((9, 1)), np.zeros((5, 1))), FORM, 0.95)
    assert (effect.estimate, effect.se, effect.low, effect.p) == (0.0, 0.0, None, None)
    assert effect.note is Note.no_variation


def test_skewness_of_a_difference():
    rng = np.random.default_rng(1)
    values = np.where(rng.random(200_000) < 0.02, rng.lognormal(3, 1.5, 200_000), 0)[:, None]
    small = skewness(pair_of(values[:190_000], values[190_000:]))
    assert abs(small.own[0]) > 0.05, "a small holdout of skewed spend needs a warning"
    equal = skewness(TwoSample(Moments.of(values), Moments.of(values)))
    assert equal.own[0] == pytest.approx(0, abs=1e-12), "equal arms of equal shape cancel"
    assert skewness(pair_of(np.zeros((5, 1)), np.zeros((5, 1)))).worst[0] == 0
    unknown = Moments(9, np.ones(1), np.ones((1, 1)), np.full(1, np.nan))
    assert np.isnan(skewness(TwoSample(unknown, unknown)).worst[0])
    assert skewness(pair_of(np.zeros((1, 1)), np.zeros((5, 1)))) is None


def test_a_small_control_without_large_values_hides_no_skewness():
    """Its own third moment says little; that of all units together says what it may hold."""
    spend = np.zeros((10_000, 1))
    spend[:190, 0] = np.random.default_rng(8).lognormal(3, 1.5, 190)
    control = np.zeros((500, 1))
    control[:10, 0] = 20.0
    pair = TwoSample(Moments.of(spend), Moments.of(control))
    whole = np.concatenate([spend, control])[:, 0]
    third = np.mean((whole - whole.mean()) ** 3)
    scale = whole.var(ddof=1) * (1 / 10_000 + 1 / 500)
    expected = third * (1 / 10_000**2 - 1 / 500**2) / scale**1.5
    skew = skewness(pair)
    assert skew.pooled[0] == pytest.approx(expected, rel=1e-9)
    assert abs(skew.own[0]) < 0.15 < abs(skew.pooled[0])
    assert skew.worst[0] == skew.pooled[0]
    alike = TwoSample(pair.treated, pair.treated)
    assert skewness(alike).pooled[0] == pytest.approx(0, abs=1e-12)
