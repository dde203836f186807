"""Arms assigned within strata elsewhere: pairs, blocks of mixed sizes, and strata of any shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from upliftlab.results.base import Note
from upliftlab.stats.blocks import spread_factors
from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.given_strata import kinds, within_strata
from upliftlab.stats.moments import Moments, pool
from upliftlab.stats.ratio import relative_lift


def moments(values):
    return Moments.of(np.asarray(values, dtype=float).reshape(-1, 1))


def compared(strata, confidence=0.95):
    """Strata as (treated, control) values."""
    parts = [{"t": moments(t), "c": moments(c)} for t, c in strata if len(t) or len(c)]
    parts = [{arm: g for arm, g in each.items() if g.n} for each in parts]
    found = within_strata(parts, ("t", "c"))
    assert found is not None
    return difference(TwoSample(found["t"], found["c"]), 0, confidence)


def test_pairs_are_the_paired_t_test():
    rng = np.random.default_rng(5)
    base = rng.normal(100, 30, 40)
    one, other = base + 2 + rng.normal(0, 3, 40), base + rng.normal(0, 3, 40)
    found = compared([([a], [b]) for a, b in zip(one, other, strict=True)])
    known = stats.ttest_rel(one, other)
    low, high = known.confidence_interval(0.95)
    assert found.p == pytest.approx(known.pvalue, rel=1e-12)
    assert found.df == pytest.approx(39, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


def test_pairs_by_hand():
    """Differences 1, 3, 5: mean 3, variance 4, so the squared standard error is 4/3."""
    found = compared([([11], [10]), ([103], [100]), ([6], [1])])
    assert (found.estimate, found.se, found.df) == pytest.approx((3, (4 / 3) ** 0.5, 2))


def test_blocks_of_other_sizes_by_hand():
    """Triples 2:1 and a pair; W = 3/8, 3/8, 2/8, differences 1, 2, 6."""
    found = compared([([1, 3], [1]), ([4, 4], [2]), ([6], [0])])
    weights, apart = np.array([3, 3, 2]) / 8, np.array([1.0, 2.0, 6.0])
    terms = weights**2 / (1 - 2 * weights)
    mean = weights @ apart
    variance = (terms / (1 + terms.sum())) @ (apart - mean) ** 2
    assert found.estimate == pytest.approx(mean)
    assert found.se == pytest.approx(variance**0.5, rel=1e-12)
    assert found.df == pytest.approx(1 / (weights @ weights) - 1)


def test_strata_of_any_shares_by_hand_turn_the_sign_of_simpson():
    """All of the treated are in the poor stratum: pooled they seem worse, within strata better."""
    poor, rich = ([2, 3, 4, 3, 3, 3], [1, 3]), ([11, 13], [10, 10, 9, 11, 10, 10])
    pooled = np.mean([*poor[0], *rich[0]]) - np.mean([*poor[1], *rich[1]])
    assert pooled < 0
    found = compared([poor, rich])
    assert found.estimate == pytest.approx(0.5 * (3 - 2) + 0.5 * (12 - 10))
    variance = sum(
        0.25 * (np.var(t, ddof=1) / len(t) + np.var(c, ddof=1) / len(c)) for t, c in (poor, rich)
    )
    assert found.se == pytest.approx(variance**0.5, rel=1e-12)


def test_full_strata_and_pairs_add_up():
    full = ([1.0, 3.0, 2.0], [0.0, 1.0])
    pairs = [([5.0], [4.0]), ([7.0], [4.0]), ([9.0], [4.0])]
    both, alone, few = compared([full, *pairs]), compared([full]), compared(pairs)
    w, v = 5 / 11, 6 / 11
    assert both.estimate == pytest.approx(w * alone.estimate + v * few.estimate)
    assert both.se**2 == pytest.approx((w * alone.se) ** 2 + (v * few.se) ** 2, rel=1e-12)
    parts = [(w * alone.se) ** 4 / alone.df, (v * few.se) ** 4 / few.df]
    assert both.df == pytest.approx(both.se**4 / sum(parts), rel=1e-12)


def test_strata_that_tell_nothing_are_left_out():
    found = kinds(np.array([[3, 4], [0, 5], [1, 9], [2, 0]]))
    assert found.full.tolist() == [True, False, False, False]
    assert found.lacking.tolist() == [False, True, False, True]
    assert found.lone.tolist() == [False, False, True, False]
    full = ([1.0, 3.0, 2.0], [0.0, 1.0])
    assert compared([full, ([], [50.0, 60.0]), ([1.0], [9.0] * 9)]) == compared([full])
    assert within_strata([{"t": moments([1.0])}, {"c": moments([2.0])}], ("t", "c")) is None


@pytest.mark.parametrize("size", [1e-9, 0.1, 1.0, 1e9])
def test_pairs_all_apart_alike_have_no_variance(size):
    """Whatever rounding leaves of none: processors add in different orders."""
    pairs = [([k * size], [(k - 1) * size]) for k in (5, 7, 9)]
    found = compared(pairs)
    assert found.estimate == pytest.approx(size)
    assert (found.se, found.low, found.note) == (0.0, None, Note.no_variation)
    parts = [{"t": moments(t), "c": moments(c)} for t, c in pairs]
    groups = within_strata(parts, ("t", "c"))
    lift = relative_lift(TwoSample(groups["t"], groups["c"]), 0, 0.95)
    assert (lift.low, lift.note) == (None, Note.no_variation)


def test_a_constant_added_to_pairs_moves_no_difference_but_the_lift_knows_it():
    """The lift's interval comes from (t − (1 + ρ)c) of every pair, at its edges Student's bound."""
    rng = np.random.default_rng(3)
    control = rng.normal(50, 10, 30)
    treated = control * 1.1 + rng.normal(0, 1, 30)
    parts = [{"t": moments([t]), "c": moments([c])} for t, c in zip(treated, control, strict=True)]
    groups = within_strata(parts, ("t", "c"))
    lift = relative_lift(TwoSample(groups["t"], groups["c"]), 0, 0.95)
    for end in (lift.low, lift.high):
        line = treated - (1 + end) * control
        t = line.mean() / (line.std(ddof=1) / 30**0.5)
        assert abs(t) == pytest.approx(stats.t.ppf(0.975, 29), rel=1e-6)


def test_two_arms_of_one_channel_are_pooled_within_blocks():
    rng = np.random.default_rng(8)
    rows = rng.normal(0, 1, (12, 3)) + 10 * rng.normal(0, 1, (12, 1))
    parts = [{a: moments([v]) for a, v in zip("abc", row, strict=True)} for row in rows]
    groups = within_strata(parts, "abc")
    both = pool([groups["a"], groups["b"]])
    found = difference(TwoSample(both, groups["c"]), 0, 0.95)
    known = stats.ttest_1samp((rows[:, 0] + rows[:, 1]) / 2 - rows[:, 2], 0)
    assert found.p == pytest.approx(known.pvalue, rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 40), min_size=3, max_size=12))
def test_factors_of_blocks(sizes):
    """Unbiased where all blocks have one effect: Σ c_k E(Δ_k − Δ)² = Σ W_k² v_k for equal sizes."""
    found = spread_factors(np.array(sizes, dtype=float))
    weights = np.array(sizes) / sum(sizes)
    if weights.max() >= 0.5:
        assert np.isnan(found).all()
        return
    v = np.random.default_rng(0).uniform(1, 2, len(sizes))
    truth = weights**2 @ v
    expected = found @ (v * (1 - 2 * weights) + truth)
    assert expected == pytest.approx(truth, rel=1e-9)


def covered(draw, truth, seeds=1000):
    """How often the 95 % interval holds the truth."""
    hits = 0
    for seed in range(seeds):
        found = compared(draw(np.random.default_rng(seed)))
        hits += found.low <= truth <= found.high
    return hits / seeds


def pairs_of(rng):
    level = rng.normal(50, 20, 30)
    return [([v + 1 + rng.normal(0, 3)], [v + rng.normal(0, 3)]) for v in level]


def triples_of(rng):
    """2:1 and 1:2, and pairs between them."""
    found = []
    for v in rng.normal(50, 20, 30):
        t, c = ((2, 1), (1, 2), (1, 1))[rng.integers(3)]
        found.append((v + 1 + rng.normal(0, 3, t), v + rng.normal(0, 3, c)))
    return found


def schools_of(rng):
    """Schools of 20 to 100, shares 1:1:2 on average and other in each, levels that follow them."""
    found = []
    for _ in range(12):
        n = rng.integers(20, 101)
        share = rng.uniform(0.25, 0.6)
        t = rng.random(n) < share
        level = 50 + 60 * share
        y = level + rng.normal(0, 10, n) + 1.0 * t
        found.append((y[t], y[~t]))
    return found


@pytest.mark.parametrize("draw", [pairs_of, triples_of, schools_of])
def test_intervals_cover_as_often_as_they_say(draw):
    assert 0.935 <= covered(draw, 1.0) <= 0.965
