"""Dividing units within strata: against enumeration, and what it has to be like."""

from dataclasses import replace
from itertools import combinations, product
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.stats.calibration import Measure, Measured, Units, UnitStrata
from upliftlab.stats.effects import LinearContrast, TwoSample, difference, welch
from upliftlab.stats.moments import Moments
from upliftlab.stats.permutation import Kinds, KindsOfStratum, Precision, divided, divided_within
from upliftlab.stats.quotients import quotients
from upliftlab.stats.skewness import skewness
from upliftlab.stats.strata import stratified

RATE = 4.5
"""Monte Carlo standard errors that a rate may be off."""
DRAWS = 40_000
PLAIN = Measure(np.ones((2, 1)))


def kinds_of(values):
    found, counts = np.unique(np.asarray(values, dtype=float), return_counts=True)
    return Kinds(found[:, None], counts)


def statistic(strata, weights):
    """Σ w_s Δ_s over its standard error, of (treated, control) values by stratum."""
    value = variance = 0.0
    for (treated, control), weight in zip(strata, weights, strict=True):
        a, b = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
        value += weight * (a.mean() - b.mean())
        variance += weight**2 * (a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return value / sqrt(variance) if variance > 0 else 0.0


def every_division(values, treated):
    """All ways to divide one stratum, as (treated, control)."""
    everybody = range(len(values))
    for chosen in combinations(everybody, treated):
        yield [values[i] for i in chosen], [values[i] for i in everybody if i not in chosen]


def test_by_hand_every_division_within_strata_is_as_likely_as_every_other():
    """Of 0 0 6 two are treated, of 10 10 20 40 two: 3 × 6 divisions, of which none mixes strata."""
    low, high = [0, 0, 0, 6], [10, 10, 20, 40]
    weights = 0.5, 0.5
    exact = [
        statistic(one, weights) for one in product(every_division(low, 2), every_division(high, 2))
    ]
    assert len(exact) == 36
    # Treated 6 and 0, 20 and 40; control 0 and 0, 10 and 10: Δ = 3 and 20, variances 9 and 100.
    assert max(exact) == pytest.approx(0.5 * 23 / sqrt(0.25 * 109))
    strata = [KindsOfStratum(kinds_of(v), (2, 2), 0.5) for v in (low, high)]
    drawn = divided_within(strata, np.random.default_rng(1), DRAWS)[:, 0]
    assert set(np.round(drawn, 9)) == set(np.round(exact, 9))
    for t in np.unique(np.round(exact, 9)):
        share = np.mean(np.array(exact) <= t + 1e-6)
        error = RATE * sqrt(share * (1 - share) / DRAWS) + 1e-12
        assert np.mean(drawn <= t + 1e-6) == pytest.approx(share, abs=error)


@pytest.mark.parametrize("sizes", [((2, 4), (3, 2)), ((4, 2), (2, 3))])
def test_strata_have_their_own_sizes_and_weights(sizes):
    values, weights = ([0, 0, 1, 2, 2, 9], [5, 5, 5, 30, 31]), (0.7, 0.3)
    exact = [
        statistic(one, weights)
        for one in product(*(every_division(v, n) for v, (n, _) in zip(values, sizes, strict=True)))
    ]
    strata = [
        KindsOfStratum(kinds_of(v), n, w) for v, n, w in zip(values, sizes, weights, strict=True)
    ]
    drawn = divided_within(strata, np.random.default_rng(2), DRAWS)[:, 0]
    for t in np.unique(np.round(exact, 9)):
        share = np.mean(np.array(exact) <= t + 1e-6)
        error = RATE * sqrt(share * (1 - share) / DRAWS) + 1e-12
        assert np.mean(drawn <= t + 1e-6) == pytest.approx(share, abs=error)


def units_of(seed, strata, groups=2, columns=1):
    """Units of some strata, several of every group in each."""
    rng = np.random.default_rng(seed)
    n = 200
    place = np.concatenate([np.repeat(np.arange(strata), 4), rng.integers(0, strata, n)])
    group = np.concatenate([np.tile([0, 0, 1, 1], strata), rng.integers(0, groups, n)])
    values = rng.lognormal(0, 1, (len(place), columns)) * (rng.random((len(place), 1)) < 0.4)
    values *= (1.0 + place)[:, None]
    weights = np.bincount(place, minlength=strata) / len(place)
    found = UnitStrata(place, weights)
    return Units(
        values, group, np.ones(len(place), dtype=np.int64), np.array([True, False]), None, found
    )


@given(st.integers(0, 2**32 - 1))
def test_one_stratum_is_none(seed):
    units = units_of(seed, 1)
    within = Measured.of(units, PLAIN).draws(Precision())
    plain = Measured.of(replace(units, strata=None), PLAIN)
    np.testing.assert_allclose(within, plain.draws(Precision()), rtol=1e-9, atol=1e-9)
    kinds = kinds_of(plain.values)
    one, other = np.random.default_rng(seed), np.random.default_rng(seed)
    sizes = int(plain.treated.sum()), int((~plain.treated).sum())
    np.testing.assert_array_equal(
        divided(kinds, sizes, one, 50), divided_within([KindsOfStratum(kinds, sizes)], other, 50)
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_whatever_strata_are_called_the_draws_are_the_same(seed, strata):
    units = units_of(seed, strata)
    assert units.strata is not None
    again = np.random.default_rng(seed).permutation(strata)
    weights = np.empty(strata)
    weights[again] = units.strata.weights
    other = replace(units, strata=UnitStrata(again[units.strata.place], weights))
    np.testing.assert_array_equal(
        *(Measured.of(each, PLAIN).draws(Precision()) for each in (units, other))
    )


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.floats(-100, 100))
def test_what_all_of_a_stratum_have_alike_is_no_chance(seed, strata, much):
    """Sums that only strata add up to: a level of its own in each moves no draw."""
    units = units_of(seed, strata)
    assert units.strata is not None
    moved = replace(units, values=units.values + much * units.strata.place[:, None])
    draws = [Measured.of(each, PLAIN).draws(Precision()) for each in (units, moved)]
    shared = min(map(len, draws))
    for level in (0.025, 0.5, 0.975):
        one, other = (np.quantile(each, level) for each in draws)
        assert one == pytest.approx(other, abs=0.25), shared


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_what_is_dealt_is_what_is_estimated(seed, strata):
    """The dealt numbers of the groups as they are have the estimate's error and skewness."""
    units = units_of(seed, strata, columns=2)
    assert units.strata is not None
    tables = [
        {
            arm: Moments.of(units.values[(units.strata.place == s) & (units.group == at)])
            for at, arm in enumerate("tc")
        }
        for s in range(strata)
    ]
    found = stratified(tables, "tc")
    assert found is not None
    whole = TwoSample(found["t"], found["c"])
    measured = Measured.of(units, Measure(np.array([[1.0, 0.0]] * 2))).pair()
    effect, own = difference(whole, 0, 0.95), difference(measured, 0, 0.95)
    assert (effect.estimate, effect.se) == pytest.approx((own.estimate, own.se), rel=1e-9)
    one, other = skewness(whole), skewness(measured)
    assert one is not None
    assert other is not None
    for mine, theirs in zip(one, other, strict=True):
        assert mine[0] == pytest.approx(theirs[0], rel=1e-6, abs=1e-9)


def test_a_ratio_varies_within_strata_as_its_estimate_does():
    """A null ratio of many units: its linearised numbers have the delta method's standard error."""
    rng = np.random.default_rng(8)
    n, strata = 40_000, 3
    place, group = rng.integers(0, strata, n), (rng.random(n) < 0.5).astype(int)
    orders = rng.poisson(1.0 + place)
    values = np.column_stack([orders * rng.gamma(2.0, 5.0 * (1 + place)), orders]).astype(float)
    units = Units(
        values,
        group,
        np.ones(n, dtype=np.int64),
        np.array([True, False]),
        None,
        UnitStrata(place, np.bincount(place) / n),
    )
    weights = np.zeros((2, 2))
    weights[:, 0] = 1.0
    measured = Measured.of(units, Measure(weights, below=1))
    tables = [
        {a: Moments.of(values[(place == s) & (group == at)]) for at, a in enumerate("tc")}
        for s in range(strata)
    ]
    found = stratified(tables, "tc")
    assert found is not None
    pair = TwoSample(*(quotients(found[arm], [(0, 1)]) for arm in "tc"))
    effect = welch(pair, LinearContrast.difference(1, {0: 1.0}), 0.95)
    own = difference(measured.pair(), 0, 0.95)
    assert own.se == pytest.approx(effect.se, rel=0.02)
    assert own.estimate == pytest.approx(effect.estimate, abs=0.05 * effect.se)


def test_skewness_within_strata_by_hand():
    """That strata differ in level makes no difference skewed."""
    even = {arm: Moments.of([[0.0], [1.0], [2.0]]) for arm in "tc"}
    far = {arm: Moments.of([[100.0], [101.0], [102.0]] * n) for arm, n in (("t", 1), ("c", 9))}
    found = stratified([even, far], "tc")
    assert found is not None
    skew = skewness(TwoSample(found["t"], found["c"]))
    assert skew is not None
    assert skew.worst == pytest.approx([0.0], abs=1e-9)
    # 0 0 3 in either arm and stratum; one arm of one stratum twice as many.
    odd = [[0.0], [0.0], [3.0]]
    strata = [
        {"t": Moments.of(odd * 2), "c": Moments.of(odd)},
        {"t": Moments.of(odd), "c": Moments.of(odd)},
    ]
    found = stratified(strata, "tc")
    assert found is not None
    skew = skewness(TwoSample(found["t"], found["c"]))
    assert skew is not None
    w = (9 / 15, 6 / 15)
    # Third moments 6 and 12, squares 6 and 12: of the first stratum 12/6³ − 6/3³.
    third = w[0] ** 3 * (12 / 6**3 - 6 / 3**3)
    spread = w[0] ** 2 * (12 / 5 / 6 + 3 / 3) + w[1] ** 2 * (3 / 3 + 3 / 3)
    assert skew.own == pytest.approx([third / spread**1.5])


def test_sizes_that_are_not_those_of_a_stratum_are_refused():
    strata = [KindsOfStratum(kinds_of([1, 2, 3, 4]), (2, 2)), KindsOfStratum(kinds_of([1]), (2, 2))]
    with pytest.raises(ValueError, match="add up"):
        divided_within(strata, np.random.default_rng(1))
