"""Blocked assignments: by hand, against regression on strata, and by drawing them many times."""

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm

from upliftlab.stats.effects import TwoSample, difference
from upliftlab.stats.moments import Moments
from upliftlab.stats.strata import stratified

CLOSE = 1e-9
TIMES = 2_000


def groups_of(strata):
    return [{arm: Moments.of(np.c_[rows]) for arm, rows in one.items()} for one in strata]


def pair_of(strata):
    found = stratified(groups_of(strata), ("treated", "control"))
    return TwoSample(found["treated"], found["control"])


def test_by_hand():
    strata = [
        {"treated": [1.0, 3.0], "control": [0.0, 2.0]},
        {"treated": [10.0, 14.0, 12.0, 12.0], "control": [11.0, 11.0, 9.0, 13.0]},
    ]
    effect = difference(pair_of(strata), 0, 0.95)
    # Both strata gain 1; a third of the customers are in the first.
    assert effect.estimate == pytest.approx(1, rel=CLOSE)
    variance = 1 / 9 * (2 / 2 + 2 / 2) + 4 / 9 * ((8 / 3) / 4 + (8 / 3) / 4)
    assert effect.se == pytest.approx(sqrt(variance), rel=CLOSE)


def test_it_is_the_weighted_contrast_of_a_saturated_regression():
    rng = np.random.default_rng(1)
    strata = [
        {"treated": rng.normal(k, 1 + k, 20 + 10 * k), "control": rng.normal(0, 1, 10 + 5 * k)}
        for k in range(4)
    ]
    effect = difference(pair_of(strata), 0, 0.95)
    y, columns = [], []
    for k, one in enumerate(strata):
        for arm, rows in one.items():
            y.append(rows)
            cell = np.zeros((len(rows), 8))
            cell[:, 2 * k + (arm == "treated")] = 1
            columns.append(cell)
    fit = sm.OLS(np.concatenate(y), np.concatenate(columns)).fit(cov_type="HC2")
    n = np.array([sum(map(len, one.values())) for one in strata])
    contrast = np.repeat(n / n.sum(), 2) * np.tile([-1, 1], 4)
    test = fit.t_test(contrast)
    assert effect.estimate == pytest.approx(float(test.effect[0]), rel=CLOSE)
    assert effect.se == pytest.approx(float(np.ravel(test.sd)[0]), rel=CLOSE)


def test_one_stratum_is_none():
    rng = np.random.default_rng(2)
    one = {"treated": rng.normal(size=30), "control": rng.normal(size=20)}
    plain = TwoSample(*(Moments.of(one[arm][:, None]) for arm in ("treated", "control")))
    assert difference(pair_of([one]), 0, 0.9).low == pytest.approx(
        difference(plain, 0, 0.9).low, rel=CLOSE
    )


def test_strata_with_too_few_are_taken_together():
    full = {"treated": [1.0, 2.0, 3.0], "control": [2.0, 2.0, 5.0]}
    lonely = [{"treated": [5.0], "control": [4.0]}, {"treated": [7.0], "control": [6.0]}]
    together = {"treated": [5.0, 7.0], "control": [4.0, 6.0]}
    one, other = pair_of([full, *lonely]), pair_of([full, together])
    assert difference(one, 0, 0.95) == difference(other, 0, 0.95)
    assert stratified(groups_of(lonely[:1]), ("treated", "control")) is None


def test_intervals_of_blocked_assignments_cover_and_are_narrower():
    """Strata that differ by far more than customers do: the plain interval is far too wide."""
    rng = np.random.default_rng(3)
    sizes, levels = np.array([100, 60, 240]), np.array([0.0, 4.0, 1.0])
    hits, plain, widths = 0, 0, []
    for _ in range(TIMES):
        strata = []
        for n, level in zip(sizes, levels, strict=True):
            y = rng.normal(level, 1.0, n)
            treated = rng.permutation(np.arange(n) < 0.75 * n)
            strata.append({"treated": y[treated] + 0.2, "control": y[~treated]})
        effect = difference(pair_of(strata), 0, 0.95)
        hits += effect.low <= 0.2 <= effect.high
        whole = [np.concatenate([s[arm] for s in strata])[:, None] for arm in strata[0]]
        simple = difference(TwoSample(*map(Moments.of, whole)), 0, 0.95)
        plain += simple.low <= 0.2 <= simple.high
        widths.append(effect.se / simple.se)
    assert hits / TIMES == pytest.approx(0.95, abs=4 * sqrt(0.95 * 0.05 / TIMES))
    assert plain / TIMES > 0.99
    assert np.mean(widths) < 0.7
