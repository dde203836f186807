"""Moments add: however rows are cut, the same group has the same moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from upliftlab.stats.moments import Moments, Projection, pool

RELATIVE = 1e-9
tables = st.integers(1, 40).flatmap(
    lambda n: arrays(np.float64, (n, 3), elements=st.floats(-1e6, 1e6, allow_subnormal=False))
)


def assert_alike(left: Moments, right: Moments, scale: float = 1.0) -> None:
    assert left.n == right.n
    np.testing.assert_allclose(left.mean, right.mean, rtol=RELATIVE, atol=RELATIVE * scale)
    np.testing.assert_allclose(left.m2, right.m2, rtol=RELATIVE, atol=RELATIVE * scale**2)
    np.testing.assert_allclose(left.m3, right.m3, rtol=RELATIVE, atol=1e-8 * scale**3)


@given(tables, st.data())
def test_any_split_and_order_gives_the_same_moments(table, data):
    order = data.draw(st.permutations(range(len(table))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(table)), max_size=5)))
    parts = np.split(table[list(order)], cuts)
    scale = max(1.0, float(np.abs(table).max()))
    assert_alike(pool(Moments.of(part) for part in parts), Moments.of(table), scale)


@given(tables, tables, tables)
def test_addition_is_associative_with_a_zero(a, b, c):
    x, y, z = Moments.of(a), Moments.of(b), Moments.of(c)
    scale = max(1.0, *(float(np.abs(t).max()) for t in (a, b, c)))
    assert_alike((x + y) + z, x + (y + z), scale)
    assert_alike(x + Moments.zero(3), x, scale)
    assert_alike(Moments.zero(3) + x, x, scale)


def test_hand_worked():
    moments = Moments.of([[1.0, 2.0], [2.0, 0.0], [6.0, 4.0]])
    assert moments.mean.tolist() == [3.0, 2.0]
    assert moments.m2.tolist() == [[14.0, 8.0], [8.0, 8.0]]
    assert moments.m3.tolist() == [-8.0 - 1.0 + 27.0, 0.0]
    assert moments.covariance.tolist() == [[7.0, 4.0], [4.0, 4.0]]


def test_agrees_with_numpy_and_scipy():
    from scipy.stats import skew

    table = np.random.default_rng(3).lognormal(size=(500, 3))
    moments = pool(Moments.of(part) for part in np.array_split(table, 7))
    np.testing.assert_allclose(moments.covariance, np.cov(table.T), rtol=1e-12)
    gamma = moments.m3 / moments.n / (np.diag(moments.m2) / moments.n) ** 1.5
    np.testing.assert_allclose(gamma, skew(table), rtol=1e-10)


def test_large_values_keep_their_digits():
    rng = np.random.default_rng(5)
    small = rng.normal(size=(100_000, 1))
    moved = pool(Moments.of(part) for part in np.array_split(small + 1e9, 13))
    expected = Moments.of((small + 1e9) - 1e9)
    np.testing.assert_allclose(moved.m2, expected.m2, rtol=1e-9)


def test_projection_is_the_same_as_projected_rows():
    rng = np.random.default_rng(7)
    table = rng.gamma(1.0, size=(200, 3))
    matrix = np.array([[0.4, 0.0, 0.0], [0.0, -10.0, 0.0], [0.4, -10.0, 0.0], [0.0, 0.0, 0.0]])
    offset = np.array([0.0, 1.0, -0.1, 7.0])
    projected = Moments.of(table).project(Projection(matrix, offset))
    expected = Moments.of(table @ matrix.T + offset)
    np.testing.assert_allclose(projected.mean, expected.mean)
    np.testing.assert_allclose(projected.m2, expected.m2, atol=1e-9)
    np.testing.assert_allclose(projected.m3[[0, 1, 3]], expected.m3[[0, 1, 3]], atol=1e-8)
    assert np.isnan(projected.m3[2]), "cross moments of third order are not kept"


def test_nothing_to_pool_is_an_error():
    with pytest.raises(ValueError, match="no group"):
        pool(())


def test_one_unit_has_no_variance():
    assert np.isnan(Moments.of([[1.0]]).covariance).all()
