"""Adjusted p-values against statsmodels'."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from upliftlab.stats.adjust import benjamini_hochberg, holm

values = st.lists(st.floats(0, 1), min_size=1, max_size=50)


@pytest.fixture(scope="module", autouse=True)
def _collected_already():
    """By Holm's method statsmodels collects garbage at every call: of these tests alone, then."""
    gc.freeze()
    yield
    gc.unfreeze()


@given(values)
def test_holm_agrees_with_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-9)


@given(values)
def test_benjamini_hochberg_agrees_with_statsmodels(p):
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-9)


@given(values)
def test_adjusting_never_makes_a_p_value_smaller(p):
    for adjusted in (holm(p), benjamini_hochberg(p)):
        assert all(a >= b or a == pytest.approx(b) for a, b in zip(adjusted, p, strict=True))


def test_an_empty_family_stays_empty():
    assert holm([]) == []
    assert benjamini_hochberg([]) == []
