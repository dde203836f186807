"""Differences of quantiles against the binomial law, by hand, and what is withheld."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, norm

from upliftlab.results.analysis import Note
from upliftlab.stats.level import Level
from upliftlab.stats.quantiles import (
    GroupQuantile,
    quantile_difference,
    quantile_of,
    ranks_of,
    told,
)
from upliftlab.validation.studies.quantiles import OUTCOMES, Quantiles, cells
from upliftlab.validation.validate import StudySettings, validate


def group(values, share, confidence: float | Level = 0.95):
    ordered = sorted(values)
    ranks = ranks_of(share, len(ordered), confidence)
    assert ranks is not None
    found = {rank: (ordered[rank - 1], ordered.count(ordered[rank - 1])) for rank in ranks.whole}
    return quantile_of(ranks, found)


@pytest.mark.parametrize(("share", "n"), [(0.5, 20), (0.5, 1_000), (0.9, 100), (0.99, 40_000)])
def test_each_end_misses_the_quantile_with_half_of_the_level(share, n):
    ranks = ranks_of(share, n, 0.95)
    assert beta.sf(share, ranks.low, n + 1 - ranks.low) == pytest.approx(0.025)
    assert beta.cdf(share, ranks.high, n + 1 - ranks.high) == pytest.approx(0.025)
    assert 1 <= ranks.low < ranks.at < ranks.high <= n


def test_both_reaches_are_put_together_by_hand():
    found = quantile_difference(GroupQuantile(8, 5, 12), GroupQuantile(6, 3, 9), 0.95)
    assert (found.estimate, found.low, found.p) == (2, 2 - 18**0.5, None)
    assert found.high == 7
    assert found.se == pytest.approx((18**0.5 + 5) / (2 * norm.ppf(0.975)))


def test_the_median_of_an_odd_and_an_even_number_of_values():
    assert group(range(1, 42), 0.5).value == 21
    assert group(range(1, 41), 0.5).value == 20.5


def test_treated_and_control_exchanged_change_the_sign_alone():
    rng = np.random.default_rng(4)
    one, other = (group(rng.lognormal(3, 1, n).tolist(), 0.9) for n in (300, 120))
    there, back = quantile_difference(one, other, 0.95), quantile_difference(other, one, 0.95)
    assert (back.estimate, back.low, back.high) == (-there.estimate, -there.high, -there.low)


def test_a_wider_level_reaches_farther():
    values = np.random.default_rng(5).normal(0, 1, 400).tolist()
    narrow, wide = group(values, 0.5, 0.9), group(values, 0.5, 0.99)
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


@pytest.mark.parametrize(("share", "n"), [(0.5, 19), (0.9, 99), (0.99, 999), (0.01, 999)])
def test_too_few_units_beyond_the_quantile(share, n):
    assert ranks_of(share, n, 0.95) is None
    assert ranks_of(share, n + 1, 0.95) is not None
    found = quantile_difference(None, GroupQuantile(6, 3, 9), 0.95)
    assert (found.estimate, found.low, found.note) == (None, None, Note.few_beyond)


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, float("nan")])
def test_a_share_lies_between_0_and_1(share):
    with pytest.raises(ValueError, match="between 0 and 1"):
        ranks_of(share, 100, 0.95)


def test_where_most_buy_nothing_the_median_has_no_interval():
    spent = [*np.zeros(950), *np.random.default_rng(6).lognormal(4, 1, 50)]
    found = quantile_difference(group(spent, 0.5), group(spent, 0.5), 0.95)
    assert (found.estimate, found.low, found.high, found.note) == (0, None, None, Note.tied)
    assert group(spent, 0.98).tied is False


def test_a_handful_of_equal_values_is_no_matter_and_many_are():
    distinct = [float(value) for value in range(400)]
    few = [198.0 if 196 <= value <= 200 else value for value in distinct]
    many = [198.0 if 190 <= value <= 208 else value for value in distinct]
    assert (group(few, 0.5).tied, group(many, 0.5).tied) == (False, True)


def test_the_truth_of_the_study_by_hand():
    share = norm.cdf(0.0)
    assert Quantiles(OUTCOMES["lognormal"], share, (9, 9)).truth == pytest.approx(0.2 * np.exp(4))
    assert Quantiles(OUTCOMES["most buy nothing"], 0.9, (9, 9)).truth == 0
    assert Quantiles(OUTCOMES["tens"], 0.5, (9, 9)).truth == 70 - 50


def test_a_small_proof():
    names = ("quantiles · lognormal · median · 900/100", "quantiles · cents · p90 · 900/100")
    chosen = [cell for cell in cells() if cell.title in names]
    found = validate(chosen, StudySettings(400, seed=3))
    assert len(found.cells) == 2
    assert found.holds
    assert all(each.measured[0].unbounded == 0 for each in found.cells)


def test_within_a_blocked_assignment_the_interval_is_wide_enough():
    """Four strata far apart, half of each treated: without an effect 0 is left out seldom."""
    rng, size, held = np.random.default_rng(8), 60, 0
    middle = np.repeat([0.0, 2.0, 4.0, 9.0], size)
    for _ in range(400):
        values = middle + rng.normal(0, 1, len(middle))
        there = np.concatenate([rng.permutation(size) < size // 2 for _ in range(4)])
        found = quantile_difference(
            *(group(values[part].tolist(), 0.5) for part in (there, ~there)), 0.95
        )
        held += found.low <= 0 <= found.high
    assert held >= 0.95 * 400


def test_what_is_told_holds_what_was_found():
    """Ends are rounded outwards and the estimate lies between them."""
    rng = np.random.default_rng(9)
    for share in (0.5, 0.9, 0.97):
        values = [np.sort(np.round(rng.lognormal(4, 1, n), 2)) for n in (900, 400)]
        groups = []
        for part in values:
            ranks = ranks_of(share, len(part), 0.95, 5)
            held = {r: (float(part[r - 1]), int((part == part[r - 1]).sum())) for r in ranks.whole}
            groups.append(quantile_of(ranks, held))
        found = quantile_difference(*groups, 0.95)
        shown = told(found, *groups)
        step = max(each.step for each in groups)
        assert step > 0
        assert found.low - step < shown.low <= found.low
        assert found.high <= shown.high < found.high + step
        assert shown.low <= shown.estimate <= shown.high
        assert abs(shown.estimate - found.estimate) <= step / 2
        assert shown.p is None
