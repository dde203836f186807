"""Whether levels are spread alike over arms: by hand, by other people's answers, by chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency
from statsmodels.stats.contingency_tables import StratifiedTable

from upliftlab.stats.integrity import lost_alike
from upliftlab.stats.spread import spread

TABLE = np.array([[30.0, 10, 25], [20, 40, 30], [12, 9, 11]])


def test_one_stratum_is_pearsons_chi_square():
    n, (statistic, *_) = TABLE.sum(), chi2_contingency(TABLE, correction=False)
    found = spread(TABLE[None])
    assert found.statistic == pytest.approx(statistic * (n - 1) / n)
    assert found.p == pytest.approx(chi2.sf(found.statistic, 4))
    assert found.apart == pytest.approx(40 / 59 - 20 / 62)


def test_strata_of_two_by_two_are_mantel_and_haenszels():
    tables = np.array([[[10.0, 30], [20, 15]], [[40, 8], [33, 12]], [[7, 9], [11, 22]]])
    other = StratifiedTable([*tables]).test_null_odds(correction=False)
    found = spread(tables)
    assert (found.statistic, found.p) == pytest.approx((other.statistic, other.pvalue))


def test_households_of_one_are_customers():
    levels = TABLE.sum(axis=1)
    alone, houses = spread(TABLE[None]), spread(TABLE[None], np.diag(levels)[None])
    assert houses.statistic == pytest.approx(alone.statistic)


def test_households_of_two_alike_count_once_each():
    """The same table with every customer twice tells no more than with each once."""
    once = spread(TABLE[None])
    part = spread(TABLE[None], np.diag(TABLE.sum(axis=1))[None])
    twice = spread(2 * TABLE[None])
    assert part.p == pytest.approx(once.p)
    assert twice.p < once.p


def test_a_rare_level_of_one_small_arm_is_told_exactly():
    """12 customers of a level, all in the arm of 100 of 2,000: no χ² may be asked."""
    table = np.array([[0.0, 12], [1900, 88]])
    found = spread(table[None])
    assert found.statistic is None
    assert found.p == pytest.approx(lost_alike([(1900, 0), (100, 12)]).p)
    assert found.p < 1e-12


@pytest.mark.parametrize("table", [[[5.0, 5.0]], [[5.0, 0], [3, 0]], [[0.0, 0], [0, 0]]])
def test_nothing_to_compare(table):
    assert spread(np.array([table])) is None


@given(st.lists(st.lists(st.integers(0, 60), min_size=3, max_size=3), min_size=2, max_size=5))
def test_the_order_of_levels_and_arms_does_not_matter(rows):
    table = np.array(rows, dtype=float)
    one, other = spread(table[None]), spread(table[::-1, ::-1][None])
    assert (one is None) == (other is None)
    if one is not None:
        assert other.p == pytest.approx(one.p)
        assert other.apart == pytest.approx(one.apart)


def test_clean_tables_of_changing_shares_raise_no_alarm():
    rng, found = np.random.default_rng(4), []
    for _ in range(1_000):
        level, late = rng.integers(0, 4, 800), rng.random(800)
        late = late < 0.1 + 0.2 * level  # levels come at other times, and shares change with time
        arm = rng.random(800) < np.where(late, 0.1, 0.9)
        table = np.zeros((2, 4, 2))
        np.add.at(table, (late.astype(int), level, arm.astype(int)), 1)
        found.append(spread(table).p)
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.02)
    assert min(found) > 1e-5
