"""Figures that others published or compute: what is printed elsewhere must come out here.

Printed figures are held to half a unit of their last digit, everything in closed form to 1e-9.
"""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import ttest_ind, ttest_ind_from_stats
from statsmodels.stats.multitest import multipletests

from upliftlab.stats.adjust import benjamini_hochberg, holm
from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.integrity import sample_ratio
from upliftlab.stats.moments import Moments
from upliftlab.stats.quotients import quotients
from upliftlab.stats.ratio import relative_lift

EXACT = 1e-9
HALF_A_UNIT = 0.5000001
"""Of the last digit printed."""


def printed(value: float, digits: int):
    """A figure printed with so many digits after the point."""
    return pytest.approx(value, rel=0, abs=HALF_A_UNIT * 10.0**-digits)


def from_sums(n: int, total: float, squares: float) -> Moments:
    """Moments of one column from Σy and Σy²; the third is not known."""
    mean = total / n
    spread = squares - n * mean**2
    return Moments(n, np.array([mean]), np.array([[spread]]), np.array([np.nan]))


SPEND = TwoSample(from_sums(3461, 2422.7, 134698.29), from_sums(3407, 1396.87, 52377.9767))
ORDERS = TwoSample(from_sums(1009, 1969, 5767), from_sums(104, 312, 984))


def test_a_difference_from_sums():
    effect = difference(SPEND, 0, 0.95)
    assert effect.estimate == printed(0.29, 5)
    assert effect.se == printed(0.12478, 5)
    assert effect.low == printed(0.04538, 5)
    assert effect.high == printed(0.53462, 5)
    assert effect.p == printed(0.02016, 5)


@pytest.mark.parametrize("pair", [SPEND, ORDERS], ids=["spend", "orders"])
def test_scipy_from_summaries(pair):
    groups = (pair.treated, pair.control)
    summaries = [(g.mean[0], g.covariance[0, 0] ** 0.5, g.n) for g in groups]
    theirs = ttest_ind_from_stats(*summaries[0], *summaries[1], equal_var=False)
    effect = difference(pair, 0, 0.95)
    assert effect.estimate / effect.se == pytest.approx(theirs.statistic, rel=EXACT)
    assert effect.p == pytest.approx(theirs.pvalue, rel=EXACT)


def test_a_relative_change_with_fieller():
    effect = relative_lift(ORDERS, 0, 0.95)
    assert effect.estimate == printed(-0.349521, 6)
    assert effect.low == printed(-0.388769, 6)
    assert effect.high == printed(-0.307750, 6)


def test_from_minus_ten_to_minus_five_is_half_more():
    treated, control = np.array([[-7.0], [-3.0]]), np.array([[-11.0], [-9.0]])
    pair = TwoSample(Moments.of(treated), Moments.of(control))
    assert relative_lift(pair, 0, 0.95).estimate == 0.5


def test_an_arm_of_share_zero_in_the_sample_ratio():
    statistic, p = sample_ratio([520, 480, 0], [0.5, 0.5, 0.0])
    assert statistic == pytest.approx(1.6, rel=EXACT)
    assert p == printed(0.2059, 4)


TRIAL = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459,
    0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
]  # fmt: skip
"""The fifteen p-values of Benjamini & Hochberg's (1995) example."""


@pytest.mark.parametrize(("adjust", "method", "claims"), [
    (holm, "holm", 3),
    (benjamini_hochberg, "fdr_bh", 4),
])  # fmt: skip
def test_the_example_of_benjamini_and_hochberg(adjust, method, claims):
    """In the paper, controlling the false discovery rate makes one claim more, at 5 %."""
    found = adjust(TRIAL)
    assert sum(p <= 0.05 for p in found) == claims
    assert found == pytest.approx(multipletests(TRIAL, method=method)[1], rel=EXACT)


def alike(rng, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two equal arms whose three covariates are the same, customer by customer."""
    x = np.column_stack([rng.gamma(1.0, 2.0, n), rng.normal(1, 1, n), rng.random(n) < 0.3])
    treated = np.repeat([1.0, 0.0], n)
    both = np.vstack([x, x]).astype(float)
    noise = rng.normal(0, 1 + both[:, 0], 2 * n)
    y = 3 + treated * (1 + 0.4 * both[:, 0]) + both @ np.array([1.5, -2.0, 4.0]) + noise
    return treated, both, y


def interacted(treated, x, y, correction):
    """Lin's (2013) regression: treatment, centred covariates, and their products."""
    centred = x - x.mean(axis=0)
    design = sm.add_constant(np.column_stack([treated, centred, treated[:, None] * centred]))
    return sm.OLS(y, design).fit(cov_type=correction)


def lin(treated, x, y):
    """Our adjusted difference, and the part of its variance that the pooled mean adds."""
    rows = np.column_stack([y, x])
    pair = adjusted(
        TwoSample(Moments.of(rows[treated == 1]), Moments.of(rows[treated == 0])),
        range(1, rows.shape[1]),
    )
    gap = pair.pooled.treated[:, 0] - pair.pooled.control[:, 0]
    return difference(pair, 0, 0.95), float(gap @ pair.pooled.spread @ gap)


def test_several_covariates_against_robust_regressions():
    """Where the arms' covariates are alike, HC1 is exact; HC2 and HC3 differ by leverages.

    All three take the pooled mean as given, so its part of the variance is left out here.
    """
    treated, x, y = alike(np.random.default_rng(11))
    effect, shared = lin(treated, x, y)
    fits = {name: interacted(treated, x, y, name) for name in ("HC1", "HC2", "HC3")}
    variance = effect.se**2 - shared
    assert effect.estimate == pytest.approx(fits["HC1"].params[1], rel=EXACT)
    assert variance == pytest.approx(fits["HC1"].bse[1] ** 2, rel=EXACT)
    # Between no correction and the largest leverage's: e² /(1 − h) for HC2, e² / (1 − h)² for HC3.
    largest = fits["HC1"].get_influence().hat_matrix_diag.max()
    uncorrected = variance * (400 - 4) / 400
    for name, power in (("HC2", 1), ("HC3", 2)):
        ratio = fits[name].bse[1] ** 2 / uncorrected
        assert 1 < ratio < (1 - largest) ** -power
        assert variance == pytest.approx(fits[name].bse[1] ** 2, rel=0.03)


def test_in_large_samples_hc3_is_near_whatever_the_draw():
    rng = np.random.default_rng(12)
    n = 60_000
    x = np.column_stack([rng.gamma(1.0, 2.0, n), rng.normal(1, 1, n), rng.random(n) < 0.3])
    treated = (rng.random(n) < 0.8).astype(float)
    y = 3 + treated * (1 + 0.4 * x[:, 0]) + x @ np.array([1.5, -2.0, 4.0]) + rng.normal(0, 2, n)
    effect, shared = lin(treated, x, y)
    fit = interacted(treated, x, y, "HC3")
    assert effect.estimate == pytest.approx(fit.params[1], rel=EXACT)
    assert (effect.se**2 - shared) ** 0.5 == pytest.approx(fit.bse[1], rel=5e-3)


def test_cuped_is_one_covariate_with_one_slope():
    """Where both arms have the slope θ, the estimate is that of y − θx (Deng et al. 2013).

    Welch's test of these rows does not know that θ was estimated: an arm's variance has n − 1
    below the line there and n − 2 here, and it is read at the pooled mean, not at its own.
    """
    rng, theta = np.random.default_rng(13), 0.7
    arms, rows, known = [], [], []
    for n, mean in ((300, 2.0), (120, 1.0)):
        x = rng.gamma(1.0, 10.0, n)
        line = sm.add_constant(x)
        noise = rng.normal(0, 5, n)
        noise -= line @ np.linalg.lstsq(line, noise, rcond=None)[0]  # so that the slope is θ
        y = mean + theta * x + noise
        arms.append(Moments.of(np.column_stack([y, x])))
        rows.append(y - theta * x)
        known.append(x)
    pooled = np.concatenate(known).mean()
    leverage = [1 / len(x) + (x.mean() - pooled) ** 2 / ((x - x.mean()) ** 2).sum() for x in known]
    effect = difference(adjusted(TwoSample(*arms), [1]), 0, 0.95)
    cuped = ttest_ind(*rows, equal_var=False)
    assert effect.estimate == pytest.approx(rows[0].mean() - rows[1].mean(), rel=EXACT)
    assert effect.se**2 == pytest.approx(
        sum(
            r.var(ddof=1) * (len(r) - 1) / (len(r) - 2) * h
            for r, h in zip(rows, leverage, strict=True)
        ),
        rel=EXACT,
    )
    assert effect.estimate / effect.se == pytest.approx(cuped.statistic, rel=0.01)


@pytest.mark.parametrize("households", [40, 600])
def test_households_against_cluster_robust_rows(households):
    """statsmodels' default on customer rows, equal numbers of households per arm.

    Its variance has the factor G/(G − 1) · (N − 1)/(N − 2) for G households of N customers in
    all; ours has n/(n − 1) for the n = G/2 households of an arm, which is G/(G − 2).
    """
    rng = np.random.default_rng(14)
    house = np.repeat(np.arange(households), rng.integers(1, 5, households))
    treated = (house % 2).astype(float)
    spend = rng.gamma(1.0, 20.0, households)[house] + rng.gamma(1.0, 8.0, len(house)) + 2 * treated
    fit = sm.OLS(spend, sm.add_constant(treated)).fit(
        cov_type="cluster", cov_kwds={"groups": house}
    )
    totals = np.column_stack([np.bincount(house, spend), np.bincount(house)])
    arms = [Moments.of(totals[np.arange(households) % 2 == arm]) for arm in (1, 0)]
    effect = difference(TwoSample(*(quotients(arm, [(0, 1)]) for arm in arms)), 0, 0.95)
    g, n = households, len(house)
    theirs, ours = g / (g - 1) * (n - 1) / (n - 2), g / (g - 2)
    assert effect.estimate == pytest.approx(fit.params[1], rel=EXACT)
    assert effect.se**2 / ours == pytest.approx(fit.bse[1] ** 2 / theirs, rel=EXACT)
