"""What randomisation promises, over 1,000 salts; everything is deterministic."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from scipy import stats

from upliftlab.assignment.hashing import choose, cuts, digest

SALTS, CUSTOMERS = 1_000, 2_000
SHARES = (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2))


@cache
def arms() -> np.ndarray:
    """One row per salt, one column per customer: the number of the arm."""
    ends = cuts(SHARES)
    return np.array(
        [
            [choose(digest(f"salt-{salt}", customer), ends) for customer in range(CUSTOMERS)]
            for salt in range(SALTS)
        ]
    )


@pytest.mark.parametrize("arm", range(len(SHARES)))
def test_shares_are_within_binomial_bounds(arm):
    share = float(SHARES[arm])
    counts = (arms() == arm).sum(axis=1)
    z = (counts - CUSTOMERS * share) / np.sqrt(CUSTOMERS * share * (1 - share))
    assert np.abs(z).max() < 4.5
    inside = np.abs(z) < stats.norm.ppf(0.975)
    assert stats.binomtest(int(inside.sum()), SALTS, 0.95).pvalue > 0.01


def test_balance_p_values_are_uniform():
    value = np.random.default_rng(1).gamma(2, size=CUSTOMERS)
    p = [stats.ttest_ind(value[row == 0], value[row == 2]).pvalue for row in arms()]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_experiments_of_different_layers_are_independent_in_pairs():
    first, second = arms()[0::2], arms()[1::2]
    p = [
        stats.chi2_contingency(np.histogram2d(a, b, bins=(3, 3))[0]).pvalue
        for a, b in zip(first, second, strict=True)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_neighbouring_customers_are_independent():
    same = (arms()[:, 1:] == arms()[:, :-1]).mean(axis=1)
    expected = float(sum(share**2 for share in SHARES))
    assert abs(same.mean() - expected) < 4 * same.std() / np.sqrt(SALTS)
