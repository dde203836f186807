"""Fieller's interval: what it is by definition, and what it does where it has no ends."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import LinearContrast, TwoSample, welch
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.ratio import fieller

ABOVE = LinearContrast.difference(2, {0: 1.0})
BELOW = LinearContrast.difference(2, {1: 1.0})


def make_pair(seed: int, cost: float = 5.0, n: int = 400) -> TwoSample:
    rng = np.random.default_rng(seed)
    treated = np.column_stack([rng.normal(3, 9, n), rng.normal(cost, 2, n)])
    control = np.column_stack([rng.normal(1, 9, n // 2), rng.normal(0, 1, n // 2)])
    return TwoSample(Moments.of(treated), Moments.of(control))


def t_at(pair: TwoSample, ratio: float) -> float:
    form = ABOVE.minus(BELOW, ratio)
    return abs(form.value(pair)) / sum(form.covariance(form, pair)) ** 0.5


@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.95]))
def test_ends_are_where_the_linear_form_is_just_significant(seed, confidence):
    pair = make_pair(seed)
    effect = fieller(pair, ABOVE, BELOW, confidence)
    critical = Level(confidence).bounds(effect.df)[1]
    for end, away in ((effect.low, -1), (effect.high, 1)):
        found = brentq(
            lambda ratio: t_at(pair, ratio) - critical, effect.estimate, effect.estimate + away * 50
        )
        assert end == pytest.approx(found, rel=1e-7, abs=1e-9)


@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_the_interval_excludes_the_null_exactly_where_p_is_small(seed, null):
    effect = fieller(make_pair(seed), ABOVE, BELOW, 0.95, null)
    assume(abs(effect.p - 0.05) > 1e-9)
    assert (effect.p < 0.05) == (not effect.low <= null <= effect.high)


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_a_ratio_of_money_knows_no_currency(seed, rate):
    pair = make_pair(seed)
    plain = fieller(pair, ABOVE, BELOW, 0.95)
    scaled = TwoSample(
        Moments(
            pair.treated.n, pair.treated.mean * rate, pair.treated.m2 * rate**2, pair.treated.m3
        ),
        Moments(
            pair.control.n, pair.control.mean * rate, pair.control.m2 * rate**2, pair.control.m3
        ),
    )
    other = fieller(scaled, ABOVE, BELOW, 0.95)
    assert (other.low, other.high, other.p) == pytest.approx(
        (plain.low, plain.high, plain.p), rel=1e-7
    )


def test_a_constant_denominator_reduces_to_a_linear_map():
    rng = np.random.default_rng(2)
    treated = np.column_stack([rng.lognormal(size=900), np.full(900, 0.1)])
    control = np.column_stack([rng.lognormal(size=700), np.zeros(700)])
    pair = TwoSample(Moments.of(treated), Moments.of(control))
    ratio, line = fieller(pair, ABOVE, BELOW, 0.95), welch(pair, ABOVE, 0.95)
    for name in ("estimate", "low", "high", "se"):
        assert getattr(ratio, name) == pytest.approx(getattr(line, name) / 0.1, rel=1e-9)


def test_a_denominator_near_zero_has_words_and_no_ends():
    effect = fieller(make_pair(3, cost=0.05), ABOVE, BELOW, 0.95)
    assert effect.note is Note.denominator_unclear
    assert effect.low is None
    assert effect.high is None


def test_a_negative_denominator_has_no_ratio():
    effect = fieller(make_pair(3, cost=-5.0), ABOVE, BELOW, 0.95)
    assert (effect.estimate, effect.note) == (None, Note.denominator_unclear)


def test_no_null_means_no_p():
    effect = fieller(make_pair(4), ABOVE, BELOW, 0.95, None)
    assert effect.p is None
    assert effect.low < effect.estimate < effect.high


def test_coverage_by_simulation():
    """95 % intervals of a true ratio cover it 95 % of the time (3,000 draws: ± 1.2 points)."""
    truth = (3 - 1) / 5.0
    covered = 0
    for seed in range(3000):
        effect = fieller(make_pair(seed + 50_000, n=200), ABOVE, BELOW, 0.95, truth)
        covered += effect.low <= truth <= effect.high
    assert 0.938 <= covered / 3000 <= 0.962
