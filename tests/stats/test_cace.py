"""The effect on the contacted: against two-stage least squares, by definition, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import ttest_ind
from statsmodels.sandbox.regression.gmm import IV2SLS

from upliftlab.results.analysis import Note
from upliftlab.stats.cace import cace
from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import LinearContrast, TwoSample, welch
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments

EXACT = 1e-9
EFFECT = 3.0
CONTACTED = LinearContrast.difference(2, {1: 1.0})


def one_sided(rng, sizes, reach):
    """Nobody in the control is contacted; who can be reached spends more anyway."""
    groups = []
    for size, treated in zip(sizes, (1.0, 0.0), strict=True):
        could = rng.random(size) < reach
        contacted = treated * could
        spend = rng.gamma(1.0, 10.0, size) + 5 * could + EFFECT * contacted
        groups.append(np.column_stack([spend, contacted]))
    return groups


def two_sided(rng, size, reach):
    """Some of the control are contacted too, and spend goes with what makes one contacted."""
    groups = []
    for share in reach:
        hidden = rng.normal(size=size)
        contacted = (hidden < ndtri(share)).astype(float)
        spend = 10 + 5 * hidden + rng.normal(0, 5, size) + EFFECT * contacted
        groups.append(np.column_stack([spend, contacted]))
    return groups


def pair_of(groups) -> TwoSample:
    return TwoSample(*map(Moments.of, groups))


def strength(pair: TwoSample) -> float:
    """The first stage's F."""
    first = welch(pair, CONTACTED, 0.95)
    return (first.estimate / first.se) ** 2


def design(groups):
    """Outcome, contacted and assignment of all rows."""
    rows = np.vstack(groups)
    return rows[:, 0], rows[:, 1], np.repeat([1.0, 0.0], [len(group) for group in groups])


@pytest.mark.parametrize("sizes", [(500, 500), (900, 120)])
def test_the_estimate_and_error_are_those_of_two_stage_least_squares(sizes):
    groups = one_sided(np.random.default_rng(1), sizes, 0.4)
    outcome, contacted, arm = design(groups)
    regressors, instruments = sm.add_constant(contacted), sm.add_constant(arm)
    fit = IV2SLS(outcome, regressors, instrument=instruments).fit()
    effect = cace(pair_of(groups), 0, 1, 0.95)
    assert effect.estimate == pytest.approx(fit.params[1], rel=EXACT)

    projected = instruments @ np.linalg.lstsq(instruments, regressors, rcond=None)[0]
    residual = outcome - regressors @ fit.params
    leverage = 1 / np.where(arm == 1, sizes[0], sizes[1])
    bread = np.linalg.inv(projected.T @ projected)
    meat = projected.T @ (projected * (residual**2 / (1 - leverage))[:, None])
    assert effect.se == pytest.approx((bread @ meat @ bread)[1, 1] ** 0.5, rel=EXACT)


def test_the_error_is_that_of_a_robust_regression_of_the_residual():
    """statsmodels' HC2 of y − ρ̂d on assignment, over the difference in contact."""
    groups = two_sided(np.random.default_rng(2), 300, (0.7, 0.2))
    outcome, contacted, arm = design(groups)
    effect = cace(pair_of(groups), 0, 1, 0.95)
    fit = sm.OLS(outcome - effect.estimate * contacted, sm.add_constant(arm)).fit(cov_type="HC2")
    reached = contacted[arm == 1].mean() - contacted[arm == 0].mean()
    assert fit.params[1] == pytest.approx(0, abs=1e-9)
    assert effect.se == pytest.approx(fit.bse[1] / reached, rel=EXACT)


@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.95]))
def test_the_ends_are_where_the_residual_just_differs(seed, confidence):
    """Anderson & Rubin's definition, with the interval's own critical value."""
    pair = pair_of(two_sided(np.random.default_rng(seed), 200, (0.7, 0.2)))
    effect = cace(pair, 0, 1, confidence)
    critical = Level(confidence).bounds(effect.df)[1]
    for end in (effect.low, effect.high):
        residual = LinearContrast.difference(2, {0: 1.0, 1: -end})
        tested = welch(pair, residual, confidence)
        assert abs(tested.estimate / tested.se) == pytest.approx(critical, rel=1e-7)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.02, 0.5]))
def test_no_effect_of_contact_is_no_effect_of_assignment(seed, reach):
    groups = one_sided(np.random.default_rng(seed), (200, 80), reach)
    effect = cace(pair_of(groups), 0, 1, 0.95)
    if effect.estimate is None:
        assert groups[0][:, 1].sum() == 0
        return
    theirs = ttest_ind(groups[0][:, 0], groups[1][:, 0], equal_var=False)
    assert effect.p == pytest.approx(theirs.pvalue, rel=EXACT)


@given(st.integers(0, 10_000), st.floats(0.005, 0.1))
def test_the_set_is_bounded_exactly_where_the_first_stage_is_significant(seed, reach):
    pair = pair_of(one_sided(np.random.default_rng(seed), (300, 100), reach))
    effect = cace(pair, 0, 1, 0.95)
    if effect.estimate is None:
        return
    assert (effect.low is not None) == (strength(pair) > Level(0.95).bounds(effect.df)[1] ** 2)
    assert (effect.note is Note.denominator_unclear) == (effect.low is None)


def test_where_everybody_is_contacted_it_is_the_difference():
    spend = np.random.default_rng(3).gamma(1.0, 10.0, 700)
    groups = [np.column_stack([spend[:500], np.ones(500)]),
              np.column_stack([spend[500:], np.zeros(200)])]  # fmt: skip
    pair = pair_of(groups)
    all_contacted, assigned = (
        cace(pair, 0, 1, 0.9),
        welch(pair, LinearContrast.difference(2, {0: 1.0}), 0.9),
    )
    for name in ("estimate", "se", "low", "high", "p"):
        assert getattr(all_contacted, name) == pytest.approx(getattr(assigned, name), rel=EXACT)


def test_where_many_are_reached_it_is_near_two_stage_least_squares():
    pair = pair_of(one_sided(np.random.default_rng(4), (40_000, 40_000), 0.6))
    effect = cace(pair, 0, 1, 0.95)
    half = 1.959964 * effect.se
    ends = (effect.estimate - half, effect.estimate + half)
    assert (effect.low, effect.high) == pytest.approx(ends, abs=0.01 * half)


def test_contacting_the_treated_less_has_no_meaning():
    groups = two_sided(np.random.default_rng(5), 300, (0.2, 0.7))
    effect = cace(pair_of(groups), 0, 1, 0.95)
    assert (effect.estimate, effect.low, effect.p) == (None, None, None)
    assert effect.note is Note.denominator_unclear


def test_what_cannot_be_computed_is_said():
    groups = two_sided(np.random.default_rng(6), 50, (0.9, 0.1))
    whole = pair_of(groups)
    undefined = TwoSample(whole.treated, whole.control, frozenset({1}))
    assert cace(undefined, 0, 1, 0.95).note is Note.no_denominator
    assert cace(pair_of([groups[0][:1], groups[1]]), 0, 1, 0.95).note is Note.few_treated
    assert cace(pair_of([groups[0], groups[1][:1]]), 0, 1, 0.95).note is Note.few_control
    silent = [group * [0.0, 1.0] for group in groups]
    effect = cace(pair_of(silent), 0, 1, 0.95)
    assert (effect.estimate, effect.low, effect.note) == (0.0, None, Note.no_variation)


def test_covariates_sharpen_it():
    """The adjusted pair is used as it is: both differences are Lin's."""
    rng = np.random.default_rng(7)
    groups = one_sided(rng, (4_000, 2_000), 0.5)
    before = [rng.normal(0, 20, len(group)) for group in groups]
    rows = [np.column_stack([g[:, 0] + x, g[:, 1], x]) for g, x in zip(groups, before, strict=True)]
    plain, sharp = cace(pair_of(rows), 0, 1, 0.95), cace(adjusted(pair_of(rows), [2]), 0, 1, 0.95)
    assert sharp.se < 0.6 * plain.se
    assert sharp.low <= EFFECT <= sharp.high


def run(draw, experiments=4_000):
    """Shares of experiments: interval shown, truth left out; and the first stage's mean F."""
    rng = np.random.default_rng(8)
    shown = missed = 0
    strengths = []
    for _ in range(experiments):
        pair = pair_of(draw(rng))
        effect = cace(pair, 0, 1, 0.95)
        strengths.append(strength(pair))
        if effect.low is not None:
            shown += 1
            missed += not effect.low <= EFFECT <= effect.high
    return shown / experiments, missed / experiments, float(np.mean(strengths))


ERROR = 4 * (0.05 * 0.95 / 4_000) ** 0.5
"""Four Monte Carlo standard errors of a share of 5 % among 4,000."""


@pytest.mark.parametrize(("sizes", "reach"), [((400, 400), 0.6), ((900, 100), 0.3)])
def test_it_covers_the_truth_where_many_are_reached(sizes, reach):
    shown, missed, _ = run(lambda rng: one_sided(rng, sizes, reach))
    assert shown == 1.0
    assert missed == pytest.approx(0.05, abs=ERROR)


@pytest.mark.parametrize(
    ("reach", "f", "seen"),
    [((0.55, 0.45), 9.2, 0.81), ((0.52, 0.48), 2.4, 0.21), ((0.505, 0.495), 1.1, 0.05)],
)
def test_where_few_are_reached_it_is_silent_rather_than_wrong(reach, f, seen):
    """A weak first stage, contact going with spend: of all experiments no more than 5 % mislead.

    Among the few that show an interval at an F of 1 or 2, more than 5 % leave out the truth.
    """
    shown, missed, strong = run(lambda rng: two_sided(rng, 400, reach))
    assert strong == pytest.approx(f, abs=0.3)
    assert shown == pytest.approx(seen, abs=0.03)
    assert missed <= 0.05 + ERROR
