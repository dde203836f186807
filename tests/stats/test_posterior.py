"""A posterior: closed forms, the interval it turns round, and how often its chances come true."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from upliftlab.results.base import Note
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import Level
from upliftlab.stats.posterior import SURE, Believed, Normal, posterior


def effect(estimate, se, level=None, df=1e6):
    low, high = (level or Level(0.95)).bounds(df)
    return Effect(estimate, se, df, estimate - high * se, estimate - low * se)


def near(value):
    return pytest.approx(value, rel=2e-3, abs=2e-3)


@example(estimate=1.0, se=1.0, mean=0.0, sd=0.25)  # 0 lies at a point
@given(
    estimate=st.floats(-5, 5),
    se=st.floats(0.1, 5),
    mean=st.floats(-5, 5),
    sd=st.floats(0.1, 5),
)
def test_a_normal_prior_and_a_normal_estimate_give_a_normal_posterior(estimate, se, mean, sd):
    found = posterior(effect(estimate, se), Level(0.95), Normal(mean, sd))
    precision = 1 / se**2 + 1 / sd**2
    centre = (estimate / se**2 + mean / sd**2) / precision
    book = stats.norm(centre, precision**-0.5)
    if abs(centre - estimate) > 6 * se:
        return  # beyond all that an estimate can be off
    scale = book.std()
    assert abs(found.mean - book.mean()) < 0.02 * scale + 1e-6
    assert found.sd == pytest.approx(scale, rel=0.03)
    assert abs(found.low - book.ppf(0.025)) < 0.05 * scale
    assert abs(found.high - book.ppf(0.975)) < 0.05 * scale
    assert found.positive == pytest.approx(np.clip(book.sf(0), SURE, 1 - SURE), abs=0.01)
    assert found.forgone - found.loss == pytest.approx(found.mean, abs=1e-9 * max(1, abs(estimate)))


@pytest.mark.parametrize(("estimate", "se"), [(2.0, 1.0), (-0.5, 2.0), (0.0, 1.0)])
def test_what_is_to_be_lost_is_the_normal_loss(estimate, se):
    """E max(0, −θ) = se·φ(z) − estimate·Φ(−z) with z = estimate/se."""
    found, z = posterior(effect(estimate, se), Level(0.95)), estimate / se
    assert found.loss == near(se * stats.norm.pdf(z) - estimate * stats.norm.cdf(-z))
    assert found.forgone == near(se * stats.norm.pdf(z) + estimate * stats.norm.cdf(z))


@pytest.mark.parametrize(
    "level",
    [
        Level(0.9),
        Level(0.95, skewness=0.2),
        Level(0.95, draws=np.sort(np.random.default_rng(1).gamma(4, size=20_000) - 4)),
    ],
)
def test_without_a_prior_the_middle_part_is_the_interval(level):
    told = effect(3.0, 2.0, level, df=25)
    found = posterior(told, level)
    assert (found.low, found.high) == pytest.approx((told.low, told.high), abs=0.03)


def test_no_chance_is_told_nearer_to_certainty_than_one_in_a_thousand():
    assert posterior(effect(50.0, 1.0), Level(0.95)).positive == 1 - SURE
    assert posterior(effect(-50.0, 1.0), Level(0.95)).positive == SURE


def test_where_there_is_no_interval_there_is_no_posterior():
    level = Level(0.95)
    assert posterior(Effect(1.0, note=Note.few_expected), level) is Note.few_expected
    one_sided = Effect(1.0, 1.0, 9.0, low=-1.0, note=Note.at_least)
    assert posterior(one_sided, level) is Note.at_least
    untold = Level(0.95, draws=np.empty(0))
    assert posterior(Effect(1.0, 1.0, 9.0, -1.0, 3.0), untold) is Note.few_expected


def test_a_prior_beyond_all_that_was_drawn_contradicts_them():
    level = Level(0.95, draws=np.sort(np.random.default_rng(2).normal(size=999)))
    told = effect(0.0, 1.0, level)
    assert posterior(told, level, Normal(9.0, 0.5)) is Note.prior_contradicted
    assert isinstance(posterior(told, level, Normal(1.0, 0.5)), Believed)


def test_chances_come_true_as_often_as_they_say():
    """Truths drawn from the prior: of those told to pay with 80 to 90 %, 85 % do."""
    rng, prior = np.random.default_rng(8), Normal(-0.2, 1.0)
    truths = rng.normal(prior.mean, prior.sd, 3_000)
    told = np.array(
        [posterior(effect(t + rng.normal(), 1.0), Level(0.95), prior).positive for t in truths]
    )
    for low in (0.1, 0.3, 0.5, 0.7):
        inside = (told >= low) & (told < low + 0.2)
        error = (truths[inside] > 0).mean() - told[inside].mean()
        assert abs(error) < 3 * 0.5 / inside.sum() ** 0.5
