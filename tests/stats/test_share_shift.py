"""Shares that move: by hand, against SciPy, and by simulation."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from upliftlab.stats.share_shift import share_shift


def test_by_hand_and_by_scipy():
    table = [[60, 40], [50, 50], [30, 70]]
    found = share_shift([table])
    whole = chi2_contingency(np.array(table), correction=False)
    late = chi2_contingency(np.array([[110, 90], [30, 70]]), correction=False)
    assert found is not None
    assert found.statistic == pytest.approx(whole.statistic, rel=1e-12)
    assert found.p == pytest.approx(2 * min(whole.pvalue, 2 * late.pvalue), rel=1e-9)
    assert (found.group, found.row) == (0, 2)


def test_there_and_back_is_found_although_the_total_is_as_declared():
    weeks = [[900, 100], [100, 900]] * 10
    found = share_shift([weeks])
    assert found is not None
    assert found.p < 1e-9


def test_shares_are_compared_within_groups_only():
    early, late = [[450, 50]] * 4, [[50, 450]] * 4
    assert share_shift([early, late]).p == 1
    moved = share_shift([early, [*late, *early]])
    assert moved.p < 1e-9
    assert (moved.group, moved.row) == (1, 4)


@pytest.mark.parametrize(
    "groups", [[], [[]], [[[50, 50]]], [[[20, 20]] * 2], [[[500, 0]] * 5], [[[0, 0]] * 3]]
)
def test_too_few_are_not_asked(groups):
    assert share_shift(groups) is None


def test_days_without_anybody_and_small_days_are_taken_together():
    days = [[0, 0], [10, 9], [11, 10], [0, 0], [9, 12], [30, 28], [3, 1]]
    found = share_shift([days])
    table = np.array([[30, 31], [33, 29]])
    assert found.statistic == pytest.approx(chi2_contingency(table, correction=False).statistic)
    assert found.row == 5


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.95, 0.05), (0.6, 0.3, 0.1)])
def test_clean_campaigns_raise_no_more_alarms_than_promised(shares):
    """1,500 campaigns each; docs/statistics.md gives the rate at .001, which few draws tell."""
    rng = np.random.default_rng(11)
    days = rng.multinomial(6000, rng.dirichlet(np.ones(40)), size=1500)
    found = [share_shift([rng.multinomial(day, shares).tolist()]).p for day in days]
    assert np.mean(np.array(found) < 0.05) < 0.05
    assert np.mean(np.array(found) < 0.01) < 0.01 + 2.6 * (0.01 / 1500) ** 0.5


def test_a_moderate_move_is_found():
    rng = np.random.default_rng(12)
    caught = 0
    for _ in range(200):
        early = rng.multinomial(50, (0.5, 0.5), size=20)
        late = rng.multinomial(50, (0.6, 0.4), size=20)
        caught += share_shift([[*early.tolist(), *late.tolist()]]).p < 0.001
    assert caught > 120
