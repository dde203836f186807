"""Folds: all of a unit in one, evenly, whoever else there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from upliftlab.uplift.folds import fold_of

numbers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=50)


@given(numbers, st.integers(2, 20), st.integers(-5, 2**64))
def test_a_units_fold_depends_on_nothing_else(units, folds, seed):
    units = np.array(units, dtype=np.int64)
    whole = fold_of(units, folds, seed)
    assert whole.dtype == np.int64
    assert ((whole >= 0) & (whole < folds)).all()
    assert (fold_of(units[::-1], folds, seed)[::-1] == whole).all()
    assert all(fold_of(units[[k]], folds, seed)[0] == whole[k] for k in range(len(units)))


@pytest.mark.parametrize(
    "units", [np.arange(50_000), np.arange(50_000) * 2**20, -np.arange(50_000)]
)
def test_folds_are_even_and_seeds_independent(units):
    one, other = (fold_of(units, 5, seed) for seed in (1, 2))
    assert stats.chisquare(np.bincount(one, minlength=5)).pvalue > 1e-3
    assert stats.chi2_contingency(np.histogram2d(one, other, 5)[0]).pvalue > 1e-3


def test_what_makes_no_folds():
    with pytest.raises(ValueError, match="two folds"):
        fold_of(np.arange(3), 1, 0)
    with pytest.raises(ValueError, match="whole numbers"):
        fold_of(np.array([0.5]), 2, 0)
