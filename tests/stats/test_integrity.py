"""Tests of counts against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from upliftlab.stats.integrity import independence, sample_ratio


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
