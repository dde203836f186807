"""Dividing the same units anew: against enumeration, against plain shuffling, and Student's t."""

from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from few_purchases import tally
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from upliftlab.results.analysis import Note
from upliftlab.stats import permutation
from upliftlab.stats.calibration import Measured
from upliftlab.stats.effects import LinearContrast, TwoSample, welch
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.permutation import Kinds, Precision, divided
from upliftlab.stats.ratio import fieller

RATE = 4.5
"""Monte Carlo standard errors that a rate may be off."""


def statistic(treated, control):
    a, b = (np.asarray(group, dtype=float) for group in (treated, control))
    variance = a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)
    return (a.mean() - b.mean()) / sqrt(variance) if variance > 0 else 0.0


def kinds_of(values):
    found, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    return Kinds(found[:, None], counts)


@pytest.mark.parametrize("treated", [3, 6], ids=["fewer treated", "fewer controls"])
def test_every_division_is_as_likely_as_every_other(treated):
    values = [0, 0, 0, 1, 2, 2, 5, 9, 30]
    exact = [
        statistic([values[i] for i in chosen], [values[i] for i in range(9) if i not in chosen])
        for chosen in combinations(range(9), treated)
    ]
    drawn = divided(kinds_of(values), (treated, 9 - treated), np.random.default_rng(1), 40_000)
    for t in np.unique(np.round(exact, 9)):
        share = np.mean(np.array(exact) <= t + 1e-6)
        found = np.mean(drawn <= t + 1e-6)
        assert found == pytest.approx(share, abs=RATE * sqrt(share * (1 - share) / 40_000) + 1e-12)


def test_it_is_plain_shuffling_of_sparse_spend():
    rng = np.random.default_rng(2)
    spend = np.zeros(4_000)
    spend[:80] = rng.lognormal(3, 1.5, 80)
    plain = []
    for _ in range(4_000):
        rng.shuffle(spend)
        plain.append(statistic(spend[200:], spend[:200]))
    drawn = divided(kinds_of(spend), (3_800, 200), np.random.default_rng(3), 10_000)[:, 0]
    for level in (0.025, 0.1, 0.5, 0.9, 0.975):
        at = np.quantile(drawn, level)
        error = RATE * sqrt(level * (1 - level) * (1 / 4_000 + 1 / 10_000))
        assert np.mean(plain <= at) == pytest.approx(level, abs=error)
    assert np.quantile(drawn, 0.975) > 2.5, "skewed: Student's 1.96 claims too much"


def test_of_normal_values_it_is_student_t():
    values = np.random.default_rng(4).normal(size=400)
    drawn = divided(kinds_of(values), (200, 200), np.random.default_rng(5), 20_000)[:, 0]
    low, high = Level(0.95, draws=drawn).bounds(398)
    assert (low, high) == pytest.approx((-stdtrit(398, 0.975), stdtrit(398, 0.975)), abs=0.06)


def test_several_forms_are_divided_alike():
    values = np.array([[0.0, 0.0], [1.0, 2.0], [4.0, 8.0]])
    drawn = divided(Kinds(values, np.array([90, 6, 4])), (80, 20), np.random.default_rng(6), 500)
    assert drawn[:, 0] == pytest.approx(drawn[:, 1], rel=1e-9)


@pytest.mark.parametrize("sizes", [(60_000, 60_000), (114_000, 6_000)], ids=["half", "a twentieth"])
def test_units_of_which_none_matters_need_not_be_drawn_one_by_one(sizes, monkeypatch):
    """Their sums as normal numbers give the quantiles that drawing every one of them gives."""
    spend = np.zeros(sum(sizes))
    spend[:6_000] = np.random.default_rng(9).lognormal(0, 1.2, 6_000)
    quick = divided(kinds_of(spend), sizes, np.random.default_rng(10), 40_000)[:, 0]
    monkeypatch.setattr(permutation, "_MANY", 10_000)
    slow = divided(kinds_of(spend), sizes, np.random.default_rng(11), 10_000)[:, 0]
    for level in (0.0012, 0.025, 0.5, 0.975, 0.9988):
        at = np.quantile(quick, level)
        error = RATE * sqrt(level * (1 - level) * (1 / 40_000 + 1 / 10_000))
        assert np.mean(slow <= at) == pytest.approx(level, abs=error)


def test_draws_grow_until_both_ends_are_exact():
    spend = np.append(np.zeros(1_900), np.random.default_rng(12).lognormal(0, 1.5, 100))
    ends = {alpha: list[tuple[float, float]]() for alpha in (0.05, 0.0024)}
    for alpha, found in ends.items():
        for seed in range(12):
            rng = np.random.default_rng(seed)
            drawn = divided(kinds_of(spend), (1_800, 200), rng, Precision(alpha))[:, 0]
            found.append(Level(1 - alpha, draws=drawn).bounds(10))
        low, high = np.array(found).T
        assert max(low.std(), high.std()) < 1.6 * 0.01 * (high - low).mean()


def test_draws_grow_where_p_is_near_alpha_and_not_elsewhere():
    spend = np.append(np.zeros(1_900), np.random.default_rng(13).lognormal(0, 1, 100))
    first = divided(kinds_of(spend), (1_000, 1_000), np.random.default_rng(1), Precision())
    near, far = (
        len(divided(kinds_of(spend), (1_000, 1_000), np.random.default_rng(1), Precision(0.05, t)))
        for t in ((float(np.quantile(first, 0.978)),), (0.3, 7.0))
    )
    assert far == len(first) < near
    assert near * 0.022 * 0.03**2 > 0.8, "p ± 3 %"


def test_units_that_are_not_those_of_the_groups_are_refused():
    with pytest.raises(ValueError, match="add up"):
        divided(kinds_of([1, 2, 3]), (1, 1), np.random.default_rng(7))


def test_where_nothing_varies_nothing_differs():
    assert not divided(kinds_of([2.0] * 10), (5, 5), np.random.default_rng(8), 20).any()


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
    st.floats(-30, 30),
    st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]),
)
def test_p_is_below_alpha_exactly_where_the_interval_leaves_out_the_null(draws, t, confidence):
    level = Level(confidence, draws=np.sort(draws))
    low, high = level.bounds(10)
    outside = not low <= t <= high
    assert (level.p(t, 10) < 1 - confidence - 1e-12) == outside


@given(st.integers(0, 2**32 - 1))
def test_an_estimate_lies_in_its_interval(seed):
    rng = np.random.default_rng(seed)
    groups = [Moments.of(rng.lognormal(0, 2, (n, 1)) * (rng.random((n, 1)) < 0.3)) for n in (60, 9)]
    draws = np.sort(rng.normal(rng.normal(), 1, 200))
    effect = welch(
        TwoSample(*groups), LinearContrast.difference(1, {0: 1.0}), Level(0.9, draws=draws)
    )
    assert effect.low is None or effect.low <= effect.estimate
    assert effect.high is None or effect.estimate <= effect.high


@pytest.mark.parametrize(
    ("tied", "bounds", "note"),
    [
        ((10, 10), (-3.0, 3.0), None),  # 2(1 + 10)/1001 = .022 is below .05
        ((24, 24), (-3.0, 3.0), None),  # 2(1 + 24)/1001 = .04995
        ((25, 10), (-np.inf, 3.0), Note.at_least),  # 2(1 + 25)/1001 = .0519: the edge is no bound
        ((10, 25), (-3.0, np.inf), Note.at_most),
        ((300, 300), (-np.inf, np.inf), Note.few_purchases),
    ],
)
def test_the_edge_of_what_draws_can_come_to_is_no_bound(tied, bounds, note):
    """Of 1,000 draws some lie at -3 and some at 3 (but for rounding), the others inside."""
    below, above = tied
    middle = np.zeros(1000 - below - above)
    draws = np.concatenate([np.full(below, -3.0), middle, np.full(above, 3.0)])
    draws[:below] *= 1 + 1e-12 * np.arange(below, 0, -1)
    level = Level(0.95, draws=draws)
    assert np.isfinite(level.bounds(10)).tolist() == np.isfinite(bounds).tolist()
    assert level.edges == tied
    assert level.p(-1e9, 10) == pytest.approx(2 * (1 + below) / 1001)
    assert level.p(1e9, 10) == pytest.approx(2 * (1 + above) / 1001)
    effect = welch(
        TwoSample(Moments.of([[1.0], [2.0]]), Moments.of([[1.0], [4.0]])),
        LinearContrast.difference(1, {0: 1.0}),
        level,
    )
    assert effect.note is note
    assert (effect.low is None, effect.high is None) == (np.isinf(bounds[1]), np.isinf(bounds[0]))


def test_one_purchase_of_ten_in_two_hundred_customers_bounds_nothing():
    """The control's one buyer is any customer: every division says as much or its opposite."""
    drawn = divided(Kinds(np.array([[0.0], [5.0]]), np.array([199, 1])), (100, 100),
                    np.random.default_rng(11))[:, 0]  # fmt: skip
    assert set(np.round(drawn, 9)) == {-1.0, 1.0}
    level = Level(0.95, draws=drawn)
    assert level.bounds(198) == (-np.inf, np.inf)
    assert level.p(-7.0, 198) > 0.9, "not 2/10,001"


def test_where_contact_pays_a_handful_of_purchases_claims_no_loss():
    """As tests/support/few_purchases.py at 60 an arm, where 2 % buy: 15.7 % claimed a loss."""
    found = tally(60, 0.02, 250)
    assert found.coverage >= 97
    assert found.stop <= 1.2
    assert found.no_low > 80
    assert found.no_high > 80


@pytest.mark.parametrize(
    ("treated", "control", "buyers", "told"),
    [(150, 10, 15, False), (150, 10, 16, True), (40, 40, 14, False), (40, 40, 15, True)],
)
def test_where_there_are_too_few_purchases_nothing_is_dealt(treated, control, buyers, told):
    """One is to be expected in each group, and fifteen must be in both together.

    Without, no difference and no ratio has an interval, nor a p; there is an estimate.
    """
    values = np.zeros(treated + control)
    values[: buyers - 1], values[-1] = np.exp(np.arange(buyers - 1) / 2), 30.0
    treated = np.arange(len(values)) < treated
    measured = Measured(values, treated, np.ones(len(values), dtype=np.int64))
    draws = measured.draws(Precision())
    assert bool(len(draws)) is told
    level, pair = Level(0.95, draws=draws), measured.pair()
    form = LinearContrast.difference(1, {0: 1.0})
    of_control = LinearContrast(np.zeros(1), np.ones(1))
    for effect in (welch(pair, form, level), fieller(pair, form, of_control, level)):
        assert effect.estimate is not None
        assert effect.se > 0
        assert (effect.note is Note.few_expected) is not told
        assert (effect.p is not None) is told
        if not told:
            assert (effect.low, effect.high, effect.p_of(1.0)) == (None, None, None)


def test_few_draws_reach_no_high_level():
    assert Level(0.95, draws=np.arange(-10.0, 11.0)).bounds(5)[1] == np.inf
    effect = welch(
        TwoSample(Moments.of([[1.0], [2.0]]), Moments.of([[1.0], [4.0]])),
        LinearContrast.difference(1, {0: 1.0}),
        Level(0.95, draws=np.arange(-10.0, 11.0)),
    )
    assert (effect.low, effect.high) == (None, None)
    assert effect.note is not None
    assert 0.05 <= effect.p <= 1
