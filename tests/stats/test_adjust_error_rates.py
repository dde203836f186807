"""Do Holm and Benjamini–Hochberg keep their promises where arms share a control?

Arms of 500 customers against one control of 500, so that any two effects are correlated by one
half. Moments of normal outcomes are drawn directly: a mean, and σ²·χ² of n − 1 for its m2.
"""

from functools import cache
from math import sqrt

import numpy as np
import pytest

from upliftlab.stats.adjust import benjamini_hochberg, holm
from upliftlab.stats.effects import LinearContrast, TwoSample, welch
from upliftlab.stats.moments import Moments

ARMS, CUSTOMERS, LEVEL = 8, 500, 0.05
REPLICATIONS = 4_000
ERROR = 3 * sqrt(LEVEL * (1 - LEVEL) / REPLICATIONS)
"""Three Monte Carlo standard errors of a rate of 5 %: 1.0 point."""
STRONG = 0.25
"""An effect of about four standard errors, in standard deviations of a customer."""
FORM = LinearContrast.difference(1, {0: 1.0})


def group(rng: np.random.Generator, mean: float) -> Moments:
    drawn = rng.normal(mean, 1 / sqrt(CUSTOMERS)), rng.chisquare(CUSTOMERS - 1)
    return Moments(CUSTOMERS, np.array([drawn[0]]), np.array([[drawn[1]]]), np.full(1, np.nan))


@cache
def p_values(effective: int) -> np.ndarray:
    """p of every arm in every experiment; only the first `effective` arms do anything."""
    rng = np.random.default_rng(effective)
    rows = np.empty((REPLICATIONS, ARMS))
    for row in rows:
        control = group(rng, 0.0)
        for arm in range(ARMS):
            treated = group(rng, STRONG if arm < effective else 0.0)
            row[arm] = welch(TwoSample(treated, control), FORM, 0.95).p
    return rows


def claims(adjust, effective: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of false and of true claims, per experiment."""
    claimed = np.array([adjust(row) for row in p_values(effective)]) < LEVEL
    return claimed[:, effective:].sum(axis=1), claimed[:, :effective].sum(axis=1)


def test_arms_with_one_control_are_correlated_and_without_correction_one_in_four_errs():
    false, _ = claims(list, 0)
    assert (false > 0).mean() == pytest.approx(0.25, abs=0.03)
    assert np.corrcoef(p_values(0)[:, 0], p_values(0)[:, 1])[0, 1] > 0.1


@pytest.mark.parametrize(("effective", "measured"), [(0, 0.040), (4, 0.032), (6, 0.041)])
def test_holm_makes_any_false_claim_at_most_one_time_in_twenty(effective, measured):
    false, true = claims(holm, effective)
    rate = (false > 0).mean()
    assert rate == pytest.approx(measured, abs=ERROR)
    assert rate <= LEVEL
    if effective:
        assert true.mean() / effective > 0.8, "it does find what there is"


@pytest.mark.parametrize(("effective", "measured"), [(0, 0.043), (4, 0.024), (6, 0.015)])
def test_of_benjamini_and_hochberg_s_claims_at_most_one_in_twenty_is_false(effective, measured):
    false, true = claims(benjamini_hochberg, effective)
    rate = (false / np.maximum(false + true, 1)).mean()
    assert rate == pytest.approx(measured, abs=ERROR)
    assert rate <= LEVEL * (ARMS - effective) / ARMS + ERROR
    if effective:
        assert true.mean() / effective > 0.9


def test_benjamini_and_hochberg_find_more_than_holm_and_make_a_false_claim_more_often():
    few, less = claims(holm, 6)
    many, more = claims(benjamini_hochberg, 6)
    assert more.mean() > less.mean()
    assert (many > 0).mean() > LEVEL > (few > 0).mean()
