"""What learning adds to a standard error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.stats.effects import Effect
from upliftlab.uplift.clusters import estimates
from upliftlab.uplift.learning import with_learning
from upliftlab.uplift.policy import policy_value

RNG = np.random.default_rng(5)
ROWS = RNG.normal(1.0, 2.0, 200)


def mean_of(rows, cluster):
    [found] = estimates(
        np.array([rows.mean()]), (rows - rows.mean())[:, None] / len(rows), cluster, 0.95
    )
    return found


def test_halves_that_agree_add_nothing():
    alone = np.arange(200)
    effect = mean_of(ROWS, alone)
    found = with_learning(effect, np.zeros(200), alone, 0.95)
    assert found.se == pytest.approx(effect.se, rel=1e-12)
    assert (found.low, found.high) == pytest.approx((effect.low, effect.high))


@given(st.integers(1, 4), st.floats(0.1, 10.0))
def test_a_quarter_of_what_halves_differ_by_is_added(members, scale):
    cluster = np.arange(200) // members
    effect = mean_of(ROWS, cluster)
    apart = scale * np.random.default_rng(members).normal(size=200)
    found = with_learning(effect, apart, cluster, 0.95)
    sums = np.bincount(cluster, apart - apart.mean()) / 200
    assert found.se**2 == pytest.approx(effect.se**2 + (sums**2).sum() / 4)
    assert found.estimate == effect.estimate
    assert found.low < effect.low
    assert found.high > effect.high
    assert found.p >= effect.p


def test_what_has_no_standard_error_gets_none():
    none = policy_value(np.ones((4, 2)), np.zeros(4, dtype=int), np.arange(4), 0.95)
    assert with_learning(none, np.arange(4.0), np.arange(4), 0.95) == none
    assert with_learning(Effect(None), np.arange(4.0), np.arange(4), 0.95) == Effect(None)


def test_an_order_by_chance_has_twice_the_variance_that_rows_show():
    """Each of two halves is chosen for by the noise of the other: pairs of rows count twice."""
    rng, found = np.random.default_rng(1), []
    kernel = rng.normal(size=(40, 40)) / np.sqrt(40)
    kernel = (kernel + kernel.T) / np.sqrt(2)
    for _ in range(2_000):
        noise = rng.normal(size=40)
        one, two = noise[:20], noise[20:]
        found.append(one @ kernel[:20, 20:] @ two + two @ kernel[20:, :20] @ one)
    shown = 2 * (kernel[:20, 20:] ** 2).sum()
    assert np.var(found) == pytest.approx(2 * shown, rel=0.1)
