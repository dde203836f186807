"""Tests of counts against scipy's, of means against statsmodels', and of clocks."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import chi2
from statsmodels.multivariate.manova import MANOVA

from upliftlab.stats.integrity import (
    balance,
    clock_shift,
    independence,
    quiet_hours,
    sample_ratio,
    sample_ratios,
)
from upliftlab.stats.moments import Moments


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0.01, 1)), min_size=2, max_size=6))
def test_sample_ratio_agrees_with_scipy(arms):
    counts, shares = zip(*arms, strict=True)
    if sum(counts) == 0:
        return
    expected = sum(counts) * np.array(shares) / sum(shares)
    theirs = stats.chisquare(counts, expected, sum_check=False)
    value, p = sample_ratio(counts, shares)
    assert value == pytest.approx(theirs.statistic, rel=1e-9, abs=1e-9)
    assert p == pytest.approx(theirs.pvalue, rel=1e-9, abs=1e-300)


@given(st.lists(st.lists(st.integers(50, 500), min_size=3, max_size=3), min_size=2, max_size=5))
def test_independence_agrees_with_scipy(table):
    theirs = stats.chi2_contingency(table, correction=False)
    assert independence(table) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)


def test_an_arm_of_share_zero_has_no_degree_of_freedom():
    assert sample_ratio([50, 50, 0], [0.5, 0.5, 0.0]) == (0.0, 1.0)
    assert sample_ratio([50, 50, 1], [0.5, 0.5, 0.0]) == (float("inf"), 0.0)


def test_too_few_customers_in_the_levels_are_not_tested():
    """Cochran's rule: a small expected count makes χ² unreliable."""
    assert independence([[5, 500], [5, 500]]) is not None
    assert independence([[1, 500], [0, 500]]) is None
    assert independence([[3, 2, 9], [2, 3, 9]]) is None


def test_nothing_to_compare_is_not_computed():
    assert independence([[5, 5]]) is None
    assert independence([[5, 0], [7, 0]]) is None


def test_balance_is_the_hotelling_lawley_trace():
    """Against statsmodels' MANOVA: its trace times the degrees of freedom within."""
    rng = np.random.default_rng(3)
    sizes = (300, 500, 200)
    rows = [rng.normal([1.0, 2.0, 0.5], [1.0, 3.0, 0.2], (n, 3)) + 0.05 * i
            for i, n in enumerate(sizes)]  # fmt: skip
    arm = np.repeat(np.arange(3), sizes)
    design = sm.add_constant(np.column_stack([arm == 1, arm == 2]).astype(float))
    tested = MANOVA(np.vstack(rows), design).mv_test([("arms", np.eye(3)[1:])])
    trace = tested.results["arms"]["stat"].loc["Hotelling-Lawley trace", "Value"]
    found = balance([Moments.of(group) for group in rows], [0, 1, 2])
    assert found.statistic == pytest.approx(float(trace) * (sum(sizes) - 3), rel=1e-9)
    assert found.p == pytest.approx(chi2.sf(found.statistic, 6), rel=1e-9)


def test_balance_leaves_out_what_does_not_vary_and_what_repeats():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(400, 1))
    groups = [np.hstack([part, part * 2, np.ones_like(part)]) for part in (x[:150], x[150:])]
    moments = [Moments.of(group) for group in groups]
    alone = balance(moments, [0])
    both = balance(moments, [0, 1, 2])
    assert both.statistic == pytest.approx(alone.statistic, rel=1e-9)
    assert both.p == pytest.approx(alone.p, rel=1e-9)
    assert balance(moments, [2]) is None
    assert balance(moments[:1], [0]) is None


def test_balance_is_uniform_where_customers_were_drawn_at_random():
    rng = np.random.default_rng(6)
    found = []
    for _ in range(2_000):
        rows = rng.gamma(1.0, 1.0, (600, 2))
        found.append(balance([Moments.of(rows[:120]), Moments.of(rows[120:])], [0, 1]).p)
    for level in (0.5, 0.1, 0.01):
        error = 4 * (level * (1 - level) / len(found)) ** 0.5
        assert np.mean(np.array(found) < level) == pytest.approx(level, abs=error)


def test_sample_ratios_add_up_and_leave_out_small_groups():
    tables = [[480, 520], [90, 110], [2, 1]]
    value, p = sample_ratios(tables, [1, 1])
    assert value == pytest.approx(sum(sample_ratio(t, [1, 1])[0] for t in tables[:2]))
    assert p == pytest.approx(chi2.sf(value, 2))
    assert sample_ratios([[2, 1]], [1, 1]) is None


@pytest.mark.parametrize("hours", [-11, -3, 0, 1, 12])
def test_a_shift_of_the_clock_is_found(hours):
    rng = np.random.default_rng(hours + 20)
    shares = np.array([1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 7, 6, 6, 6, 7, 8, 9, 9, 7, 5, 3, 2.0])
    before = rng.multinomial(5_000, shares / shares.sum())
    after = rng.multinomial(2_000, np.roll(shares, hours) / shares.sum())
    found, gain = clock_shift(before.tolist(), after.tolist())
    assert found == hours
    assert (gain > 10) == (hours != 0)


def test_the_quiet_hours_may_span_midnight():
    counts = [1] * 3 + [20] * 18 + [2] * 3
    assert quiet_hours(counts)[0] == 21
    assert quiet_hours(counts)[1] == pytest.approx(9 / 369)
