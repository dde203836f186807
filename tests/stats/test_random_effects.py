"""Random effects and sums: others' answers, closed forms, and laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from upliftlab.stats.random_effects import expected_information, random_effects, shrunken
from upliftlab.stats.sums import less, sharing_control, summed

VACCINE = (
    (-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209),
    (0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230),
)
"""Log risk ratios and variances of trials of BCG (Colditz et al. 1994), the first seven."""
experiments = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.05, 3)), min_size=2, max_size=12)


def test_trials_of_a_vaccine_as_statsmodels_has_them():
    y, variances = map(np.asarray, VACCINE)
    found = random_effects(y, np.sqrt(variances), 0.95)
    peer = combine_effects(y, variances, method_re="pm", use_t=True)
    assert found.tau**2 == pytest.approx(peer.tau2, rel=1e-6)
    assert (found.mean, found.se) == pytest.approx((peer.mean_effect_re, peer.sd_eff_w_re_hksj))
    assert (found.low, found.high) == pytest.approx(tuple(map(float, peer.conf_int()[1])))


@given(experiments)
def test_what_experiments_tell_together(each):
    """Paule & Mandel's equation holds, and nothing lies beyond all experiments."""
    y, errors = map(np.array, zip(*each, strict=True))
    found = random_effects(y, errors, 0.95)
    weights = 1 / (errors**2 + found.tau**2)
    apart = float(weights @ (y - found.mean) ** 2)
    assert apart == pytest.approx(len(y) - 1, rel=1e-3) if found.tau else apart <= len(y) - 1 + 1e-9
    assert y.min() - 1e-9 <= found.mean <= y.max() + 1e-9
    assert found.low < found.mean < found.high
    best = shrunken(y, errors, found)
    assert all(
        min(one, found.mean) - 1e-9 <= taken <= max(one, found.mean) + 1e-9
        for one, taken in zip(y, best, strict=True)
    )
    if found.next_low is not None:
        assert found.next_low <= found.low


def test_experiments_alike_are_one_experiment():
    found = random_effects([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], 0.95)
    assert (found.tau, found.p) == (0.0, 1.0)
    assert found.se == pytest.approx(0.5 / np.sqrt(3))
    assert shrunken([1.0], [0.5], found) == (1.0,)
    assert random_effects([1.0], [0.5], 0.95) is None


@given(st.floats(-4, 4), st.floats(0.01, 4))
def test_knowing_is_worth_what_a_simulation_finds(mean, sd):
    grid = np.linspace(-9, 9, 20_001)
    weights = np.exp(-(grid**2) / 2)
    gain = np.average(np.maximum(mean + sd * grid, 0), weights=weights)
    assert expected_information(mean, sd) == pytest.approx(gain - max(mean, 0), abs=1e-5)


def test_arms_of_one_control_add_up_to_all_its_treated():
    """With equal variances: Var Σ n_i(m_i − m_c) = σ²(Σ n_i + (Σ n_i)²/n_c)."""
    sizes, control, sd = [300, 700, 50], 400, 8.0
    parts = [
        (0.0, -n * sd * np.sqrt(1 / n + 1 / control), n * sd * np.sqrt(1 / n + 1 / control))
        for n in sizes
    ]
    whole = summed(parts, sharing_control(sizes, control))
    total = sum(sizes)
    assert whole.high == pytest.approx(sd * np.sqrt(total + total**2 / control))
    assert whole.low == -whole.high


def test_an_end_that_a_part_lacks_the_sum_lacks():
    assert summed([(1.0, None, 2.0), (1.0, 0.0, 2.0)]).low is None
    assert summed([(1.0, None, 2.0), (1.0, 0.0, 2.0)]).high == pytest.approx(2 + np.sqrt(2))
    assert less((1.0, None, 2.0), (0.0, -1.0, None)).low is None
    assert less((1.0, None, 2.0), (0.0, -1.0, None)).high == pytest.approx(1 + np.sqrt(2))
    assert summed([]) == summed([])
    assert summed([]).estimate == 0.0
