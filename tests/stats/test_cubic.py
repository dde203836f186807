"""Hall's cubic: against dividing the units anew, and p against its own interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.analysis.aggregates import OVERALL, Slice
from upliftlab.analysis.contrasts import InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.stats.calibration import Measure, Measured, Units, slightly
from upliftlab.stats.cubic import bent, slight, straightened
from upliftlab.stats.effects import LinearContrast, degrees_of_freedom
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments
from upliftlab.stats.permutation import Precision

gammas = st.floats(-0.25, 0.25)


@given(st.floats(-8, 8), gammas)
def test_it_is_carried_there_and_back(t, gamma):
    assert bent(straightened(t, gamma), gamma) == pytest.approx(t, abs=1e-6)


@given(st.floats(-8, 8), st.floats(-8, 8), gammas)
def test_it_keeps_the_order(one, other, gamma):
    if one < other:
        assert straightened(one, gamma) <= straightened(other, gamma)


@given(st.floats(-8, 8), gammas, st.sampled_from([0.8, 0.9, 0.95]), st.floats(3, 1e6))
def test_p_is_small_exactly_where_the_interval_leaves_out_the_null(t, gamma, confidence, df):
    level = Level(confidence, skewness=gamma)
    low, high = level.bounds(df)
    assert low < 0 < high
    p = level.p(t, df)
    if abs(p - (1 - confidence)) > 1e-9:
        assert (p < 1 - confidence) == (not low <= t <= high)


def test_positive_skewness_moves_both_critical_values_down():
    """A difference that is skewed to the right has few small standard errors on its right."""
    low, high = Level(0.95, skewness=0.2).bounds(1e9)
    assert low < -1.96
    assert 0 < high < 1.96


@pytest.mark.parametrize(("share", "sigma"), [(0.9, 1.0), (0.8, 1.0), (0.5, 1.0)])
def test_it_is_what_dividing_the_units_anew_comes_to(share, sigma):
    """Critical values of 120,000 units, a twentieth of whom spend, within their chance."""
    rng = np.random.default_rng(4)
    n, buyers = 120_000, 6_000
    values = np.append(0.0, rng.lognormal(0, sigma, buyers))[:, None]
    treated = rng.random(buyers) < share
    counts = np.append(
        [round(n * share) - treated.sum(), n - buyers - round(n * share) + treated.sum()],
        np.ones(buyers),
    )
    group = np.append([0, 1], np.where(treated, 0, 1))
    rows = np.append([0, 0], np.arange(1, buyers + 1))
    units = Units(values[rows], group, counts.astype(np.int64), np.array([True, False]))
    measured = Measured.of(units, Measure(np.ones((2, 1))))
    gamma = slightly(measured, slight(0.05))
    assert gamma is not None
    pair = measured.pair()
    form = LinearContrast.difference(1, {0: 1.0})
    df = degrees_of_freedom(form, pair)
    drawn = Level(0.95, draws=measured.draws(Precision())).bounds(df)
    assert Level(0.95, skewness=gamma).bounds(df) == pytest.approx(drawn, abs=0.08)


def test_an_arm_of_several_is_slightly_skewed_at_the_level_of_its_verdict():
    """γ of -.23 lies within .5/z at 5 % (.255), and not at 5 %/4 (.2)."""
    arms = ("a", "b", "c", "d")
    spec = EstimationSpec(
        ("x",), ("x",), {}, "none", arms, {}, None, {}, 0.0, 0.95, segments=("s",)
    )
    groups = {
        arm: Moments(n, np.array([1.0]), np.array([[n - 1.0]]), np.array([10.8 * n]))
        for arm, n in (("none", 1_000), *((arm, 4_000) for arm in arms))
    }
    aggregates = {OVERALL: groups, Slice("s", "north"): groups}
    whole, level = (
        next(c for c in contrasts_of(spec, aggregates, InferenceSettings()) if c.place == place)
        for place in aggregates
    )
    assert list(level.skewness.values()) == pytest.approx([-0.23], abs=0.005)
    assert whole.skewness == {}
