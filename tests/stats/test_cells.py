"""Cells against statsmodels, a published table, a table by hand, laws, and drawn experiments."""

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.oneway import anova_oneway

from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import LinearContrast, TwoSample
from upliftlab.stats.heterogeneity import (
    OwnError,
    common_control,
    composition,
    heterogeneity,
    paule_mandel,
    pooled_over_groups,
    shared_control,
    shrunken,
)
from upliftlab.stats.moments import Moments

FORM = LinearContrast.difference(1, {0: 1.0})
seeds = st.integers(0, 10_000)
BY_HAND = np.array([3.0, 1.0]), np.array([[2.0, 1.0], [1.0, 3.0]])


def cells(seed: int, k: int | None = None, spread: float = 2.0):
    """Estimates with a covariance of full rank, of which all share a part."""
    rng = np.random.default_rng(seed)
    k = k or int(rng.integers(2, 9))
    loadings = rng.normal(size=(k, k))
    covariance = loadings @ loadings.T / k + np.diag(rng.uniform(0.1, 2.0, k)) + rng.exponential()
    return rng.normal(1.0, spread, k), covariance


def random_effects(estimates, covariance, tau2):
    """Mean, Q and posterior means of generalised least squares, written out with an inverse."""
    total = covariance + tau2 * np.eye(len(estimates))
    fit = sm.GLS(estimates, np.ones(len(estimates)), sigma=total).fit()
    away = estimates - fit.params[0]
    solved = np.linalg.solve(total, away)
    return fit.params[0], away @ solved, fit.params[0] + tau2 * solved


# Others' answers.


@given(seeds)
def test_independent_cells_agree_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(3, 12))
    variances = rng.uniform(0.2, 3.0, k)
    estimates = rng.normal(5.0, rng.uniform(0, 3), k)
    theirs = combine_effects(estimates, variances, method_re="pm", atol=1e-9, maxiter=500)
    test = heterogeneity(estimates, np.diag(variances))
    assert (test.q, test.df) == pytest.approx((theirs.q, theirs.df), rel=1e-9)
    assert test.p == pytest.approx(stats.chi2.sf(theirs.q, k - 1), rel=1e-9)
    # statsmodels answers 0 where rounding takes its last step beyond the root.
    assume(theirs.tau2 > 0 or theirs.q <= theirs.df)
    assert paule_mandel(estimates, np.diag(variances)) == pytest.approx(theirs.tau2, abs=1e-6)
    assert shrunken(estimates, np.diag(variances)).mean == pytest.approx(
        theirs.mean_effect_re, abs=1e-6
    )


@given(seeds)
def test_correlated_cells_agree_with_generalised_least_squares(seed):
    estimates, covariance = cells(seed)
    _, q, _ = random_effects(estimates, covariance, 0.0)
    assert heterogeneity(estimates, covariance).q == pytest.approx(q, rel=1e-9)
    found = shrunken(estimates, covariance)
    assert found.tau2 == paule_mandel(estimates, covariance)
    mean, q, values = random_effects(estimates, covariance, found.tau2)
    assert found.mean == pytest.approx(mean, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(found.values, values, rtol=1e-9, atol=1e-9)
    if found.tau2 > 0:
        assert q == pytest.approx(len(estimates) - 1, rel=1e-9)
    else:
        assert q <= len(estimates) - 1 + 1e-9


def test_the_aspirin_trials_of_dersimonian_and_kacker():
    """DerSimonian & Kacker (2007), tables 3 and 4: six trials' log odds ratios, Paule–Mandel."""
    treated, treated_n = np.array([[5, 5, 12, 69, 9, 313], [156, 303, 565, 1570, 103, 4659]])
    control, control_n = np.array([[8, 17, 9, 94, 11, 352], [74, 303, 477, 1565, 105, 4650]])
    rest, control_rest = treated_n - treated, control_n - control
    odds = np.log(treated * control_rest / (rest * control))
    variances = 1 / treated + 1 / rest + 1 / control + 1 / control_rest
    found = shrunken(odds, np.diag(variances))
    assert round(sqrt(found.tau2), 4) == 0.3681
    assert round(found.mean, 4) == -0.3811


def test_a_common_control_drops_out_of_differences_between_cells():
    """Q of effects against one control is Q of the treated means, which are independent."""
    treated, variances = np.array([4.0, 7.0, 5.5, 2.0]), np.array([1.0, 2.0, 0.5, 1.5])
    theirs = combine_effects(treated, variances, method_re="pm", atol=1e-9)
    covariance = common_control(variances, 40.0)
    assert heterogeneity(treated - 3.0, covariance).q == pytest.approx(theirs.q, rel=1e-9)
    assert paule_mandel(treated - 3.0, covariance) == pytest.approx(theirs.tau2, rel=1e-9)


def test_two_cells_by_hand():
    """Q = 2²/(2 + 3 − 2·1); Q with τ² is 4/(3 + 2τ²), which is 1 at τ² = 1/2."""
    test = heterogeneity(*BY_HAND)
    assert (test.q, test.df) == (pytest.approx(4 / 3), 1)
    assert test.p == pytest.approx(0.24821307898992)
    found = shrunken(*BY_HAND)
    assert (found.tau2, found.mean) == (pytest.approx(0.5), pytest.approx(2.25))
    assert found.values == pytest.approx([2.5, 2.0])


# Laws.


@given(seeds, st.sampled_from([1e-6, 0.01, 3.0, 1e9]), st.floats(-1e3, 1e3))
def test_another_currency_and_another_zero(seed, rate, shift):
    estimates, covariance = cells(seed)
    one = shrunken(estimates, covariance)
    other = shrunken(rate * (estimates + shift), rate**2 * covariance)
    np.testing.assert_allclose(other.values / rate - shift, one.values, rtol=1e-6, atol=1e-8)
    assert other.tau2 / rate**2 == pytest.approx(one.tau2, rel=1e-6, abs=1e-9)
    p = heterogeneity(rate * (estimates + shift), rate**2 * covariance).p
    assert p == pytest.approx(heterogeneity(estimates, covariance).p, rel=1e-6)


@given(seeds)
def test_the_order_of_cells_does_not_matter(seed):
    estimates, covariance = cells(seed)
    order = np.random.default_rng(seed).permutation(len(estimates))
    one = shrunken(estimates, covariance)
    other = shrunken(estimates[order], covariance[np.ix_(order, order)])
    np.testing.assert_allclose(other.values, one.values[order], rtol=1e-9, atol=1e-9)
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-9, abs=1e-12)


@given(seeds)
def test_cells_no_further_apart_than_chance_are_all_alike(seed):
    estimates, covariance = cells(seed, spread=0.01)
    found = shrunken(estimates, 100 * covariance)
    assert found.tau2 == 0
    assert set(found.values) == {found.mean}, "to the last digit"


@given(seeds)
def test_cells_far_further_apart_than_chance_stay_as_they_are(seed):
    estimates, covariance = cells(seed, k=6)
    found = shrunken(estimates, 1e-9 * covariance)
    np.testing.assert_allclose(found.values, estimates, atol=1e-6)
    assert found.tau2 == pytest.approx(np.var(estimates, ddof=1), rel=1e-6)


@given(seeds)
def test_independent_cells_move_towards_the_mean_and_never_past_it(seed):
    estimates, covariance = cells(seed)
    found = shrunken(estimates, np.diag(np.diag(covariance)))
    moved, raw = found.values - found.mean, estimates - found.mean
    assert (np.abs(moved) <= np.abs(raw) + 1e-9).all()
    assert (moved * raw >= -1e-12).all()


# Edges.


def test_a_cell_without_estimate_or_variance_is_left_out():
    estimates = np.array([3.0, np.nan, 1.0, 9.0, 8.0])
    covariance = np.full((5, 5), 1.0)
    np.fill_diagonal(covariance, [2.0, 1.0, 3.0, 0.0, np.nan])
    covariance[3] = covariance[:, 3] = 0.0
    assert heterogeneity(estimates, covariance) == heterogeneity(*BY_HAND)
    assert paule_mandel(estimates, covariance) == paule_mandel(*BY_HAND)
    values = shrunken(estimates, covariance).values
    assert values == pytest.approx([2.5, np.nan, 2.0, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("estimates", "covariance"),
    [
        ([], np.zeros((0, 0))),
        ([1.0], [[1.0]]),
        ([1.0, 2.0], [[1.0, 0.0], [0.0, 0.0]]),
        ([1.0, 2.0, 5.0], np.full((3, 3), 0.3)),
    ],
    ids=["none", "one", "one with a variance", "nothing but a common error"],
)
def test_cells_that_cannot_be_told_apart_have_no_answer(estimates, covariance):
    for ask in (heterogeneity, paule_mandel, shrunken):
        assert ask(np.array(estimates), np.array(covariance)) is None


def test_the_same_cell_twice_is_one_cell():
    """A singular covariance: the third cell is the second again."""
    estimates, covariance = BY_HAND
    again = [0, 1, 1]
    doubled = estimates[again], covariance[np.ix_(again, again)]
    test, found = heterogeneity(*doubled), shrunken(*doubled)
    assert (test.q, test.df) == (pytest.approx(4 / 3), 1)
    assert found.values[1] == pytest.approx(found.values[2])


def test_a_difference_known_exactly_is_neither_tested_nor_shrunk():
    """Nobody in the first two cells differs, and the control is common to all."""
    estimates = np.array([1.0, 2.0, 6.0, 4.0])
    covariance = common_control([0.0, 0.0, 1.0, 1.0], 5.0)
    assert heterogeneity(estimates, covariance).df == 2
    values = shrunken(estimates, covariance).values
    assert values[1] - values[0] == pytest.approx(1.0)
    assert 1.5 < values[3] < 4.0


def test_shapes_that_do_not_fit_are_refused():
    for ask in (heterogeneity, paule_mandel, shrunken):
        with pytest.raises(ValueError, match=r"\(3, 3\) for estimates of \(2,\)"):
            ask(np.zeros(2), np.eye(3))


# The covariance of pairs with one control.


def test_pairs_share_the_control_s_part_and_nothing_else():
    rng = np.random.default_rng(3)
    control = rng.normal(0, 5, 80)
    arms = [rng.normal(0, i + 1, 50) for i in range(3)]
    pairs = [TwoSample(Moments.of(arm[:, None]), Moments.of(control[:, None])) for arm in arms]
    found = shared_control(pairs, FORM)
    for i, arm in enumerate(arms):
        assert found[i, i] == pytest.approx(stats.sem(arm) ** 2 + stats.sem(control) ** 2)
    assert found[np.triu_indices(3, 1)] == pytest.approx([stats.sem(control) ** 2] * 3)


def test_a_pair_without_a_variance_and_controls_that_are_not_alike():
    rng = np.random.default_rng(4)
    one, two, control = (Moments.of(rng.normal(size=(20, 1))) for _ in range(3))
    found = shared_control([TwoSample(one, control), TwoSample(Moments.zero(1), control)], FORM)
    assert np.isnan(found[1, 1])
    assert found[0, 1] == found[1, 0] == pytest.approx(control.covariance[0, 0] / 20)
    assert shared_control([TwoSample(one, control), TwoSample(one, two)], FORM) is None
    assert shared_control([TwoSample(Moments.zero(1), control)], FORM) is None
    assert shared_control([], FORM) is None


def adjusted_pairs(rng: np.random.Generator) -> list[TwoSample]:
    """Two arms of 200 and a control of 300, whose slopes on a covariate differ widely."""
    groups = []
    for n, slope in ((200, 3.0), (200, 5.0), (300, 0.0)):
        x = rng.normal(10, 1, n)
        groups.append(Moments.of(np.column_stack([slope * (x - 10) + rng.normal(0, 1, n), x])))
    return [adjusted(TwoSample(arm, groups[2]), [1]) for arm in groups[:2]]


def test_the_covariance_of_adjusted_pairs_is_that_of_drawn_experiments():
    """Without what the pooled means share, the covariance would be 1/300 instead of .0213."""
    rng, form = np.random.default_rng(5), LinearContrast.difference(2, {0: 1.0})
    drawn = [adjusted_pairs(rng) for _ in range(2_000)]
    effects = np.array([[form.value(pair) for pair in pairs] for pairs in drawn])
    mean = np.mean([shared_control(pairs, form) for pairs in drawn[:200]], axis=0)
    truth = 1 / 300 + 3 * 5 * 300 / 500**2
    assert mean[0, 1] == pytest.approx(truth, rel=0.02)
    assert np.cov(effects.T)[0, 1] == pytest.approx(truth, rel=0.1)


def test_a_pair_too_small_to_be_adjusted_has_no_covariance_with_one_that_is():
    first, second = adjusted_pairs(np.random.default_rng(6))
    raw = Moments.of(np.random.default_rng(7).normal(size=(300, 2)))
    form = LinearContrast.difference(2, {0: 1.0})
    assert shared_control([first, TwoSample(second.treated, raw)], form) is None


# Reconciliation.


def test_levels_and_composition_add_up_to_the_total_by_hand():
    """6 of 10 treated but 5 of 10 control in the first level, which buys more anyway."""
    levels = 6 * (12.0 - 10.0) + 4 * (5.0 - 5.0)
    total = 10 * ((6 * 12.0 + 4 * 5.0) / 10 - 7.5)
    assert (levels, total) == pytest.approx((12.0, 17.0))
    assert composition([6, 4], [5, 5], [10.0, 5.0]) == 5.0


@given(seeds)
def test_levels_and_composition_add_up_to_the_total_of_raw_data(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 8))
    treated = np.concatenate([np.arange(k), rng.integers(0, k, rng.integers(0, 500))])
    control = np.concatenate([np.arange(k), rng.integers(0, k, rng.integers(0, 100))])
    spent, kept = rng.gamma(0.5, 40.0, len(treated)), rng.gamma(0.5, 30.0, len(control)) - 3
    ours, theirs = np.bincount(treated), np.bincount(control)
    means = np.bincount(control, kept) / theirs
    levels = ours * (np.bincount(treated, spent) / ours - means)
    total = len(treated) * (spent.mean() - kept.mean())
    gap = composition(ours, theirs, means)
    assert levels.sum() + gap == pytest.approx(total, rel=1e-9, abs=1e-9 * spent.sum())


def test_shares_alike_leave_no_gap_and_a_level_without_control_is_not_guessed():
    assert composition([20, 60], [1, 3], [4.0, -9.0]) == 0
    assert composition([20, 60], [4, 0], [4.0, 0.0]) is None
    assert composition([0, 0], [0, 0], [0.0, 0.0]) is None
    assert composition([0, 20, 0], [2, 2, 0], [4.0, 6.0, np.nan]) == pytest.approx(20.0)


# Drawn experiments.

REPLICATIONS = 4_000
ERROR = 3 * sqrt(0.05 * 0.95 / REPLICATIONS)
"""Three Monte Carlo standard errors of a rate of 5 %: 1.0 point."""
TREATED = np.array([1.0, 2.0, 0.5, 1.5, 0.8, 1.2])


def p_values(covariance, assumed, seed):
    """p of Q where all cells have one effect, drawn with one covariance, asked with another."""
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(np.full(len(covariance), 3.0), covariance, REPLICATIONS)
    return np.array([heterogeneity(estimates, assumed).p for estimates in drawn])


@pytest.mark.parametrize(
    "covariance", [np.diag(TREATED), common_control(TREATED, 2.0)], ids=["own", "common control"]
)
def test_p_is_uniform_where_all_cells_have_one_effect(covariance):
    p = p_values(covariance, covariance, seed=11)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=ERROR)


def test_ignoring_the_common_control_hides_differences():
    """It counts the control's error as if cells differed by it, so that Q is far too small."""
    covariance = common_control(TREATED, 2.0)
    p = p_values(covariance, np.diag(np.diag(covariance)), seed=11)
    assert (p < 0.05).mean() < 0.001
    assert stats.kstest(p, "uniform").pvalue < 1e-100


def test_p_holds_its_level_with_variances_that_are_estimated():
    """Four arms of 100 to 400 customers with spread of their own, and a control of 100."""
    rng = np.random.default_rng(12)
    sizes, scales = np.array([100, 200, 400, 150]), np.array([1.0, 3.0, 2.0, 1.5])
    rejected = 0
    for _ in range(2_000):
        control = Moments.of(rng.normal(0, 2, (100, 1)))
        pairs = [
            TwoSample(Moments.of(rng.normal(1, scale, (size, 1))), control)
            for size, scale in zip(sizes, scales, strict=True)
        ]
        estimates = np.array([FORM.value(pair) for pair in pairs])
        rejected += heterogeneity(estimates, shared_control(pairs, FORM)).p < 0.05
    assert rejected / 2_000 == pytest.approx(0.05, abs=3 * sqrt(0.05 * 0.95 / 2_000))


def asked(levels: int, cell, reps: int):
    """Per cent of experiments with p < .05, and the common mean; of own and of pooled variances.

    `cell` draws a level: the groups' sizes, its effects, and s² of both groups; shape (reps,) each.
    """
    drawn = [cell(reps) for _ in range(levels)]
    sizes = np.array([n for n, _, _ in drawn])
    effects = np.array([effect for _, effect, _ in drawn]).T
    squares = np.array([square for _, _, square in drawn]).transpose(2, 0, 1)
    found = [_of(*row, sizes) for row in zip(effects, squares, strict=True)]
    err, means = (np.array([part[i] for part in found]) for i in (0, 1))
    return 100 * err.mean(axis=0), np.nanmean(means, axis=0) / effects.std()


def _of(effects, squares, sizes):
    kept = (squares > 0).all(axis=1)
    own = np.diag((squares / sizes).sum(axis=1)[kept])
    any_ = (squares > 0).any(axis=1)
    pooled = pooled_over_groups(squares[any_], sizes[any_])
    error = OwnError(pooled, sizes[any_].sum(axis=1) - 2.0)
    tests = heterogeneity(effects[kept], own), heterogeneity(effects[any_], np.diag(pooled), error)
    means = shrunken(effects[kept], own), shrunken(effects[any_], np.diag(pooled))
    return [t is not None and t.p < 0.05 for t in tests], [m.mean if m else np.nan for m in means]


def shopping(rng, sizes, buys, sigma, gain=1.0):
    """A level whose customers buy seldom, for lognormal amounts; the treated spend `gain` times."""

    def moments(n, reps, factor):
        most = int(n * buys + 6 * sqrt(n * buys)) + 8
        spent = factor * rng.lognormal(3, sigma, (reps, most))
        bought = np.arange(most) < rng.binomial(n, buys, reps)[:, None]
        first, second = (np.where(bought, spent**k, 0).sum(axis=1) for k in (1, 2))
        square = (second - first**2 / n) / (n - 1)
        return first / n, np.where(bought.any(axis=1), square, 0.0)

    def cell(reps):
        (treated, one), (control, other) = (
            moments(n, reps, factor) for n, factor in zip(sizes, (gain, 1.0), strict=True)
        )
        return sizes, treated - control, (one, other)

    return cell


def normal(rng, sizes):
    def cell(reps):
        squares = [rng.chisquare(n - 1, reps) / (n - 1) for n in sizes]
        return sizes, rng.normal(0, sqrt(sum(1 / n for n in sizes)), reps), squares

    return cell


LEVELS = {
    "12 x 1,900/100": (12, lambda rng: shopping(rng, (1_900, 100), 0.05, 1.0)),
    "12 x 450/50 normal": (12, lambda rng: normal(rng, (450, 50))),
    "20 x 50/50 normal": (20, lambda rng: normal(rng, (50, 50))),
    "5 x 9,000/1,000": (5, lambda rng: shopping(rng, (9_000, 1_000), 0.02, 1.5)),
}


@pytest.mark.parametrize("name", LEVELS)
def test_the_test_errs_as_seldom_as_promised(name):
    """At most 5 % of 600 experiments, Monte Carlo standard error .9 points."""
    levels, drawn = LEVELS[name]
    (_, pooled), _ = asked(levels, drawn(np.random.default_rng(14)), 600)
    assert pooled < 5 + 2.5 * 0.9


def test_variances_of_their_own_find_differences_that_are_not_there():
    """As docs/statistics.md tells, with a common mean that lies towards a gain."""
    cell = shopping(np.random.default_rng(15), (1_900, 100), 0.05, 1.0)
    (own, pooled), (lean, straight) = asked(12, cell, 600)
    assert own > 8
    assert pooled < 7.2
    assert lean > 0.4
    assert abs(straight) < 0.06


def test_a_lift_that_is_the_same_everywhere_is_no_difference_between_levels():
    """Treated who spend twice as much vary four times as much; that is asked of all levels."""
    cell = shopping(np.random.default_rng(16), (1_900, 100), 0.05, 1.0, gain=2.0)
    (_, pooled), _ = asked(12, cell, 600)
    assert 2 < pooled < 7.5


def test_welch_s_f_is_that_of_a_one_way_analysis_with_unequal_variances():
    """Against statsmodels: three groups' means with their own variances."""
    rng = np.random.default_rng(17)
    groups = [rng.normal(1, scale, n) for scale, n in ((1.0, 12), (3.0, 7), (0.5, 20))]
    theirs = anova_oneway(groups, use_var="unequal")
    variances = np.array([stats.sem(group) ** 2 for group in groups])
    means = np.array([group.mean() for group in groups])
    df = np.array([len(group) - 1.0 for group in groups])
    for control in (0.0, 5.0):
        covariance = common_control(variances, control)
        mine = heterogeneity(means, covariance, OwnError(variances, df))
        assert mine.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_pooled_variances_by_hand():
    """Variances of 45/15 and 2; the treated have 4/3 and 1 of it, the control 1/3 and 1."""
    own, n = np.array([[4.0, 1.0], [2.0, 2.0]]), np.array([[11, 6], [11, 6]])
    level = np.array([(10 * 4 + 5 * 1) / 15, 2.0])
    treated, control = (4 / 3 + 1) / 2, (1 / 3 + 1) / 2
    assert pooled_over_groups(own, n) == pytest.approx(level * (treated / 11 + control / 6))


@given(seeds)
def test_pooled_variances_are_welch_s_where_groups_vary_alike_in_every_level(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 6))
    scale, sizes = rng.uniform(0.1, 9, (k, 1)), np.full((k, 2), rng.integers(2, 90, 2))
    own = scale * rng.uniform(0.2, 5, 2)
    assert pooled_over_groups(own, sizes) == pytest.approx((own / sizes).sum(axis=1))


def squared_error(k: int, control: float, tau2: float) -> tuple[float, float]:
    """Mean squared error of cells drawn from their own prior: raw, and shrunken."""
    rng = np.random.default_rng(13)
    covariance = common_control(rng.uniform(0.5, 1.5, k), control)
    truth = rng.normal(2.0, sqrt(tau2), (2_000, k))
    estimates = truth + rng.multivariate_normal(np.zeros(k), covariance, 2_000)
    better = np.array([shrunken(row, covariance).values for row in estimates])
    return float(((estimates - truth) ** 2).mean()), float(((better - truth) ** 2).mean())


@pytest.mark.parametrize(
    ("k", "control", "tau2", "saved"),
    [
        (5, 0.0, 0.5, 0.475),
        (5, 0.0, 1.0, 0.337),
        (10, 0.0, 0.5, 0.570),
        (10, 0.0, 1.0, 0.418),
        (10, 0.5, 0.5, 0.404),
        (10, 0.5, 1.0, 0.299),
    ],
)
def test_shrinking_lowers_the_squared_error_by_a_fifth_and_more(k, control, tau2, saved):
    """Effects differ half as much as chance, or as much: a treated mean's variance is 1 or so."""
    raw, better = squared_error(k, control, tau2)
    assert 1 - better / raw == pytest.approx(saved, abs=0.02)
    assert 0.2 <= 1 - better / raw <= possible(k, control, tau2)


def possible(k: int, control: float, tau2: float) -> float:
    """What is saved at most: by posterior means that know τ², and not the common mean."""
    covariance = common_control(np.random.default_rng(13).uniform(0.5, 1.5, k), control)
    inverse, one = np.linalg.inv(covariance + tau2 * np.eye(k)), np.ones(k)
    mean = np.outer(one, one @ inverse) / (one @ inverse @ one)
    weights = mean + tau2 * inverse @ (np.eye(k) - mean)
    missed = weights - np.eye(k)
    error = np.trace(weights @ covariance @ weights.T) + tau2 * np.trace(missed @ missed.T)
    return float(1 - error / np.trace(covariance))


@pytest.mark.parametrize(
    ("control", "tau2", "saved", "most"),
    [(2.0, 1.0, 0.157, 0.179), (0.0, 4.0, 0.160, 0.212)],
    ids=["a small control", "effects far apart"],
)
def test_where_shrinking_saves_less_there_is_little_to_save(control, tau2, saved, most):
    """Errors that all cells share stay, and cells that do differ have little to learn."""
    raw, better = squared_error(10, control, tau2)
    assert 1 - better / raw == pytest.approx(saved, abs=0.02)
    assert possible(10, control, tau2) == pytest.approx(most, abs=0.001)


def test_the_best_of_four_arms_is_not_told_with_its_luck():
    """As docs/statistics.md tells, of arms that are alike; 1,500 drawn experiments."""
    rng, se, m = np.random.default_rng(18), sqrt(2), 4
    truth = 2.5 * se
    drawn = truth + rng.normal(0, 1, (1_500, m)) - rng.normal(0, 1, (1_500, 1))
    best = drawn.max(axis=1)
    taken = np.array([shrunken(row, common_control([1.0] * m, 1.0)).values.max() for row in drawn])
    own, simultaneous = (stats.norm.ppf(1 - 0.025 / count) * se for count in (1, m))
    ship = best > simultaneous
    assert (abs(best - truth) < own).mean() < 0.93
    assert (abs(best - truth) < simultaneous).mean() > 0.965
    assert (abs(best - truth) < simultaneous)[ship].mean() > 0.95
    assert best[ship].mean() / truth == pytest.approx(1.42, abs=0.05)
    assert taken[ship].mean() / truth == pytest.approx(1.19, abs=0.05)
