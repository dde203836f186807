"""Sequential inference against published tables, others' integrals, simulation, and its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import betabinom, dirichlet_multinomial, multinomial, multivariate_normal, norm

from upliftlab.stats.sample_ratio_sequential import (
    CONCENTRATION,
    running_sample_ratio,
    sequential_sample_ratio,
)
from upliftlab.stats.sequential import Anytime, Declared, boundaries, inflation, spent, tuned_rho

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)
SPENDINGS = ("obrien_fleming", "pocock")
UNEQUAL = [(0.3, 1.0), (0.45, 0.5), (0.1, 0.35, 0.9), (0.5, 0.51, 1.0)]

spendings = st.sampled_from(SPENDINGS)
levels = st.floats(1e-4, 0.5)
schedules = (
    st.lists(st.integers(1, 100), min_size=1, max_size=5, unique=True)
    .map(sorted)
    .map(lambda looks: tuple(look / 100 for look in looks))
)


def scores(fractions, rng, size, drift=0.0):
    """z statistics at every look of `size` experiments, shape (size, looks)."""
    t = np.array(fractions)
    steps = np.diff(t, prepend=0.0)
    walk = rng.normal(drift * steps, np.sqrt(steps), (size, len(t))).cumsum(axis=1)
    return walk / np.sqrt(t)


def never_crossed(fractions, critical, drift=0.0):
    """Probability of staying within ± critical at every look, by scipy's multivariate normal."""
    t = np.array(fractions)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    normal = multivariate_normal(drift * np.sqrt(t), correlation, abseps=1e-9, maxpts=10**6, seed=1)
    return float(normal.cdf(critical, lower_limit=-np.asarray(critical)))


def near(share, size):
    return pytest.approx(share, abs=4 * (share * (1 - share) / size) ** 0.5)


# Declared looks


def test_published_boundaries_of_five_equal_looks():
    found = boundaries(FIVE, 0.05, "obrien_fleming")
    assert found == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


@pytest.mark.parametrize(
    ("spending", "fractions", "theirs"),
    [
        ("obrien_fleming", (1 / 2, 1), (2.962588, 1.968596)),
        ("obrien_fleming", (1 / 3, 2 / 3, 1), (3.710303, 2.511427, 1.993047)),
        ("obrien_fleming", (0.25, 0.5, 0.75, 1), (4.332634, 2.963132, 2.359044, 2.014090)),
        ("obrien_fleming", (0.3, 0.6, 1), (3.928573, 2.669972, 1.981025)),
        ("pocock", (1 / 3, 2 / 3, 1), (2.279428, 2.294911, 2.295938)),
        ("pocock", FIVE, (2.437977, 2.426814, 2.410194, 2.396645, 2.385985)),
        ("pocock", (0.3, 0.6, 1), (2.311835, 2.320967, 2.268912)),
    ],
)
def test_boundaries_by_the_integrals_of_gsdesign(spending, fractions, theirs):
    """By `h1` and `hupdate` of gsdesign 0.1.5, which integrates by Simpson's rule."""
    assert boundaries(fractions, 0.05, spending) == pytest.approx(theirs, abs=1e-6)


def test_boundaries_by_seqbounds():
    """Printed in the manual of SeqBounds.jl, one-sided at 5 %, by a grid of .05."""
    theirs = (3.74955, 2.53993, 2.01604, 1.72014)
    found = boundaries((0.25, 0.5, 0.75, 1.0), 0.10, "obrien_fleming")
    assert found == pytest.approx(theirs, abs=5e-5)


def test_the_first_boundary_has_a_closed_form():
    """Nothing has stopped before: z is the quantile of what the first look may spend."""
    z = norm.isf(0.05 / 4) / 0.2**0.5
    first = norm.isf(2 * norm.sf(z))
    assert boundaries((0.2,), 0.05, "obrien_fleming")[0] == pytest.approx(first, abs=1e-9)
    pocock = norm.isf(0.05 * np.log(1 + (np.e - 1) * 0.2) / 2)
    assert boundaries((0.2,), 0.05, "pocock")[0] == pytest.approx(pocock, abs=1e-9)


@pytest.mark.parametrize("spending", SPENDINGS)
def test_one_look_at_the_end_is_the_fixed_design(spending):
    look = Declared((1.0,), spending)
    for alpha in (0.001, 0.05, 0.2):
        assert look.nominal(alpha) == pytest.approx(alpha, rel=1e-9)
        assert look.overall(alpha) == pytest.approx(alpha, rel=1e-9)
    assert inflation((1.0,), 0.05, 0.8, spending) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("spending", SPENDINGS)
@pytest.mark.parametrize("fractions", UNEQUAL)
def test_crossing_probabilities_agree_with_scipys_multivariate_normal(fractions, spending):
    critical = boundaries(fractions, 0.05, spending)
    for looks in range(1, len(fractions) + 1):
        crossed = 1 - never_crossed(fractions[:looks], critical[:looks])
        assert crossed == pytest.approx(spent(fractions, 0.05, spending)[looks - 1], abs=1e-6)


@pytest.mark.parametrize("spending", SPENDINGS)
@pytest.mark.parametrize("fractions", [FIVE, (0.07, 0.2, 0.25, 0.8, 0.95)])
def test_each_of_five_looks_spends_what_it_may_in_simulation(fractions, spending):
    size = 400_000
    z = np.abs(scores(fractions, np.random.default_rng(5), size))
    crossed = z >= boundaries(fractions, 0.05, spending)
    until = np.logical_or.accumulate(crossed, axis=1).mean(axis=0)
    for found, expected in zip(until, spent(fractions, 0.05, spending), strict=True):
        assert found == near(expected, size)


def test_five_looks_at_ordinary_p_values_err_in_five_per_cent():
    """The whole way: each look's ordinary p-value, against its level and turned into overall p."""
    rng, size = np.random.default_rng(11), 20_000
    alarms = {"naive": np.zeros(size, bool), "level": np.zeros(size, bool)}
    overall = np.ones(size)
    sums = np.zeros((2, size))
    for look in range(1, 6):
        sums += rng.normal(0, 200**0.5, (2, size))  # 200 more units in either arm
        z = (sums[0] - sums[1]) / (200 * look) / (2 / (200 * look)) ** 0.5
        p = 2 * norm.sf(np.abs(z))
        rule = Declared(FIVE[:look], "pocock")
        alarms["naive"] |= p < 0.05
        alarms["level"] |= p < rule.nominal(0.05)
        overall = np.minimum(overall, [rule.overall(value) for value in p])
    assert alarms["naive"].mean() == near(0.142, size), "Armitage, McPherson & Rowe (1969)"
    assert alarms["level"].mean() == near(0.05, size)
    assert (overall < 0.05).mean() == near(0.05, size)
    assert (overall < 0.01).mean() == near(0.01, size)


def test_a_look_that_may_spend_nothing_never_rejects():
    assert boundaries((0.01, 1.0), 0.05, "obrien_fleming")[0] == np.inf
    early = Declared((0.01,), "obrien_fleming")
    assert early.nominal(0.05) == 0
    assert early.overall(1e-20) > 0.05
    assert Declared((0.0001,), "obrien_fleming").overall(0.0) == 1.0
    late = boundaries((0.01, 1.0), 0.05, "obrien_fleming")[1]
    assert late == pytest.approx(norm.isf(0.025), abs=1e-6), "nothing was lost by looking"


def test_extreme_p_values():
    look = Declared((0.5, 1.0), "pocock")
    assert look.overall(1.0) == 1.0
    assert 0 < look.overall(0.0) < 1e-8
    assert Declared((0.5,), "pocock").overall(0.9) == 1.0


def test_a_whole_error_leaves_nobody_unstopped():
    assert boundaries(FIVE, 1.0, "obrien_fleming")[-1] == pytest.approx(0, abs=1e-6)


def test_a_hundred_daily_looks_hold_in_simulation():
    fractions, size = tuple(day / 100 for day in range(1, 101)), 40_000
    z = np.abs(scores(fractions, np.random.default_rng(3), size))
    for spending in SPENDINGS:
        crossed = (z >= boundaries(fractions, 0.05, spending)).any(axis=1).mean()
        assert crossed == near(0.05, size)


@pytest.mark.parametrize(
    "fractions", [(), (0.0, 1.0), (0.5, 0.5), (0.6, 0.5), (0.5, 1.1), (0.5, 0.50001), (np.nan,)]
)
def test_fractions_that_are_no_schedule_are_refused(fractions):
    with pytest.raises(ValueError, match="must rise"):
        Declared(fractions, "pocock")
    with pytest.raises(ValueError, match="must rise"):
        boundaries(fractions, 0.05, "pocock")


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1, np.nan])
def test_an_error_outside_its_range_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        boundaries((0.5, 1.0), alpha, "pocock")


@settings(max_examples=25)
@given(schedules, spendings, st.lists(levels, min_size=1, max_size=5))
def test_level_and_overall_p_agree(fractions, spending, alphas):
    """overall(p) < alpha exactly where p < nominal(alpha)."""
    look = Declared(fractions, spending)
    for alpha in alphas:
        level = look.nominal(alpha)
        if level > 0:
            assert look.overall(level) == pytest.approx(alpha, rel=2e-5)
            assert look.overall(level * (1 - 1e-3)) < alpha
            assert look.overall(min(1.0, level * (1 + 1e-3))) > alpha


@settings(max_examples=25)
@given(schedules, spendings, levels, levels)
def test_more_error_never_means_a_smaller_level(fractions, spending, one, other):
    look = Declared(fractions, spending)
    low, high = sorted((one, other))
    assert look.nominal(low) <= look.nominal(high)
    assert look.nominal(high) <= spent(fractions, high, spending)[-1] * (1 + 1e-9)


@settings(max_examples=25)
@given(schedules, spendings, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_overall_p_rises_with_p_and_is_not_below_it(fractions, spending, values):
    look = Declared(fractions, spending)
    found = [look.overall(p) for p in sorted(values)]
    assert found == sorted(found)
    assert all(a >= p * (1 - 1e-5) for a, p in zip(found, sorted(values), strict=True))


@settings(max_examples=25)
@given(schedules, spendings, levels)
def test_what_comes_later_does_not_change_an_earlier_look(fractions, spending, alpha):
    whole = boundaries(fractions, alpha, spending)
    for looks in range(1, len(fractions) + 1):
        part = boundaries(fractions[:looks], alpha, spending)
        assert part == pytest.approx(whole[:looks], abs=1e-7)


# Planning


@pytest.mark.parametrize("spending", SPENDINGS)
@pytest.mark.parametrize("fractions", [(0.5, 1.0), (0.2, 0.7, 1.0)])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_the_inflated_sample_has_the_power_by_scipys_multivariate_normal(
    fractions, spending, power
):
    """Theirs counts claims of the wrong direction too: fewer than 5 in 10,000 at these drifts."""
    factor = inflation(fractions, 0.05, power, spending)
    drift = (norm.isf(0.025) + norm.ppf(power)) * factor**0.5
    critical = boundaries(fractions, 0.05, spending)
    assert -1e-6 < 1 - never_crossed(fractions, critical, drift) - power < 5e-4


@pytest.mark.parametrize(("spending", "factor"), [("obrien_fleming", 1.0247), ("pocock", 1.2126)])
def test_the_inflated_sample_of_five_looks_has_the_power_in_simulation(spending, factor):
    found, size = inflation(FIVE, 0.05, 0.8, spending), 200_000
    assert found == pytest.approx(factor, abs=1e-4)
    drift = (norm.isf(0.025) + norm.ppf(0.8)) * found**0.5
    z = scores(FIVE, np.random.default_rng(8), size, drift)
    assert (z >= boundaries(FIVE, 0.05, spending)).any(axis=1).mean() == near(0.8, size)


def test_a_plan_that_ends_before_its_information_needs_more():
    """All error is not spent at 0.8, so that look's level is stricter than the fixed design's."""
    assert inflation((0.8,), 0.05, 0.8, "pocock") > 1


def test_looking_never_comes_for_free():
    for spending in SPENDINGS:
        factors = [
            inflation(tuple(k / looks for k in range(1, looks + 1)), 0.05, 0.8, spending)
            for looks in (1, 2, 5, 10)
        ]
        assert factors == sorted(factors)
        assert factors[-1] < 1.3


@pytest.mark.parametrize("power", [0.05, 1.0])
def test_a_power_outside_its_range_is_refused(power):
    with pytest.raises(ValueError, match="power"):
        inflation(FIVE, 0.05, power, "pocock")


# Undeclared looks


def test_the_half_width_is_that_of_the_paper():
    """Written as Waudby-Smith et al. (2021) do, a unit having the standard deviation se·√n."""
    n, rho, alpha, se = 3_000.0, 0.05, 0.05, 0.7
    inside = 2 * (n * rho**2 + 1) / (n**2 * rho**2) * np.log((n * rho**2 + 1) ** 0.5 / alpha)
    z = norm.isf(Anytime(n, rho).nominal(alpha) / 2)
    assert z * se == pytest.approx(se * n**0.5 * inside**0.5, rel=1e-9)


@pytest.mark.parametrize(
    ("n", "tuned", "half", "p"),
    [
        (200, 1_200, 4.437469283359961, 0.941707452386984),
        (200, 5_000, 6.532691270091891, 0.936265998745673),
        (1_200, 1_200, 1.7820539655972028, 0.39675225775631084),
        (1_200, 5_000, 1.9262150361351212, 0.3836825417108874),
    ],
)
def test_any_look_by_gbstats(n, tuned, half, p):
    """gbstats 0.8.0, its sequential test of the customers in tests/published/test_peers.py.

    Its ρ is near the tuned one: a logarithm there, Lambert's function here.
    """
    rho = ((-2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))) / tuned) ** 0.5
    estimate, variance = {
        200: (1.6656, 1.6407814367676754),
        1_200: (1.2521, 0.3447184300936747),
    }[n]
    look, se = Anytime(n, rho), variance**0.5
    assert norm.isf(look.nominal(0.05) / 2) * se == pytest.approx(half, rel=1e-9)
    assert look.overall(2 * norm.sf(estimate / se)) == pytest.approx(p, rel=1e-9)
    assert tuned_rho(tuned, 0.05) == pytest.approx(rho, rel=0.02)


@pytest.mark.parametrize("n", [50, 10_000, 3e7])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_the_tuned_sequence_is_the_narrowest(n, alpha):
    rho = tuned_rho(n, alpha)
    found = minimize_scalar(
        lambda log: -Anytime(n, np.exp(log)).nominal(alpha),
        bounds=(np.log(rho) - 2, np.log(rho) + 2),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert np.exp(found.x) == pytest.approx(rho, rel=1e-3)
    assert -found.fun == pytest.approx(Anytime(n, rho).nominal(alpha), rel=1e-9)


def test_at_five_per_cent_the_tuned_interval_is_half_as_wide_again():
    n = 10_000
    z = norm.isf(Anytime(n, tuned_rho(n, 0.05)).nominal(0.05) / 2)
    assert z == pytest.approx(3.0351, abs=1e-4)
    assert z / norm.isf(0.025) == pytest.approx(1.549, abs=1e-3)


@pytest.mark.parametrize("skewed", [False, True])
def test_a_hundred_peeks_at_nothing_raise_five_per_cent_of_alarms_at_most(skewed):
    """Two arms of equal size, peeked at a hundred times; the ordinary p-value beside it."""
    rng, size, batch, looks = np.random.default_rng(2), 2_000, 50, 100
    rho = tuned_rho(2 * batch * looks, 0.05)
    sums, squares = np.zeros((2, size)), np.zeros((2, size))
    naive, anytime = np.zeros(size, bool), np.zeros(size, bool)
    for look in range(1, looks + 1):
        shape = (2, size, batch)
        values = rng.exponential(1.0, shape) if skewed else rng.normal(0, 1, shape)
        sums += values.sum(axis=2)
        squares += (values**2).sum(axis=2)
        n = look * batch
        variance = (squares - sums**2 / n) / (n - 1)
        z = (sums[0] - sums[1]) / n / (variance.sum(axis=0) / n) ** 0.5
        p = 2 * norm.sf(np.abs(z))
        naive |= p < 0.05
        anytime |= p < Anytime(2 * n, rho).nominal(0.05)
    assert naive.mean() > 0.3
    assert anytime.mean() <= 0.05


@given(st.floats(1, 1e9), st.floats(1e-4, 1.0), st.floats(1e-6, 0.9))
def test_level_and_overall_p_agree_at_any_time(n, rho, alpha):
    look = Anytime(n, rho)
    level = look.nominal(alpha)
    assert level < alpha
    if level > 1e-300:
        assert look.overall(level) == pytest.approx(alpha, rel=1e-6)
        assert look.overall(level * (1 - 1e-4)) < alpha < look.overall(level * (1 + 1e-4))


@given(st.floats(1, 1e9), st.floats(1e-4, 1.0), st.floats(0, 1), st.floats(0, 1))
def test_overall_p_rises_with_p_at_any_time(n, rho, one, other):
    look = Anytime(n, rho)
    low, high = sorted((one, other))
    assert 0 <= look.overall(low) <= look.overall(high) <= 1
    assert look.overall(high) >= high * (1 - 1e-9)


@pytest.mark.parametrize(("n", "rho"), [(0, 1), (5, 0), (-1, 1), (5, np.nan)])
def test_a_sequence_without_units_is_refused(n, rho):
    with pytest.raises(ValueError, match="above 0"):
        Anytime(n, rho)


# Sample ratio


@pytest.mark.parametrize("counts", [[40, 60], [0, 9], [700, 1_300]])
def test_the_evidence_is_scipys_beta_binomial_over_its_binomial(counts):
    n, a, b = sum(counts), 0.4 * CONCENTRATION, 0.6 * CONCENTRATION
    log = betabinom.logpmf(counts[0], n, a, b) - multinomial.logpmf(counts, n, [0.4, 0.6])
    expected = min(1.0, np.exp(-log))
    assert sequential_sample_ratio(counts, [0.4, 0.6]) == pytest.approx(expected, rel=1e-8)


def test_the_evidence_is_scipys_dirichlet_multinomial_over_its_multinomial():
    counts, shares = [330, 420, 250], np.array([0.25, 0.5, 0.25])
    log = dirichlet_multinomial.logpmf(counts, 200 * shares, 1_000)
    log -= multinomial.logpmf(counts, 1_000, shares)
    found = sequential_sample_ratio(counts, shares * 8, 200)
    assert found == pytest.approx(np.exp(-log), rel=1e-8)
    assert found < 0.001


def test_an_arm_of_share_zero_is_left_out_and_must_be_empty():
    assert sequential_sample_ratio([520, 480, 0], [0.5, 0.5, 0]) == sequential_sample_ratio(
        [520, 480], [0.5, 0.5]
    )
    assert sequential_sample_ratio([50, 50, 1], [0.5, 0.5, 0]) == 0.0
    assert running_sample_ratio([[5, 5, 0], [9, 9, 1], [20, 20, 1]], [1, 1, 0])[1:].tolist() == [
        0,
        0,
    ]


def test_no_units_and_one_arm_tell_nothing():
    assert sequential_sample_ratio([0, 0], [0.5, 0.5]) == 1.0
    assert sequential_sample_ratio([900], [1.0]) == pytest.approx(1.0, abs=1e-9)


def test_many_millions_of_units_keep_their_digits():
    half = 10**9
    assert sequential_sample_ratio([half, half], [1, 1]) == 1.0
    z = norm.isf(1e-12)
    shifted = round(z * half**0.5 / 2**0.5)
    found = sequential_sample_ratio([half + shifted, half - shifted], [1, 1])
    assert 1e-13 < found < 1e-6


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.6, 0.3, 0.1)])
@pytest.mark.parametrize("concentration", [10.0, CONCENTRATION])
def test_two_hundred_peeks_at_a_fair_division_raise_few_alarms(shares, concentration):
    rng, size = np.random.default_rng(17), 2_000
    looks = rng.multinomial(100, shares, (size, 200)).cumsum(axis=1)
    smallest = np.array([running_sample_ratio(one, shares, concentration)[-1] for one in looks])
    for alpha in (0.05, 0.01):
        assert (smallest <= alpha).mean() <= alpha


def test_a_shift_of_two_points_is_found():
    """52 to 48 instead of half and half, at the level of the check: p < 0.001."""
    rng, size, step = np.random.default_rng(4), 1_000, 1_000
    looks = rng.multinomial(step, (0.52, 0.48), (size, 30)).cumsum(axis=1)
    found = np.array([running_sample_ratio(one, (0.5, 0.5)) < 0.001 for one in looks])
    assert found[:, -1].mean() > 0.99
    first = (found.argmax(axis=1) + 1) * step
    assert 9_000 <= np.median(first) <= 12_000, "a single χ² test needs 10,700 for even chances"


@given(
    st.lists(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), min_size=1, max_size=9),
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
)
def test_running_p_only_falls_and_ends_at_the_smallest(looks, shares):
    counts = np.cumsum(looks, axis=0)
    running = running_sample_ratio(counts, shares)
    each = [sequential_sample_ratio(row.tolist(), shares) for row in counts]
    assert running.tolist() == np.minimum.accumulate(each).tolist()
    assert (running >= 0).all()
    assert (running <= 1).all()


@given(st.permutations([(700, 0.6), (300, 0.3), (130, 0.1)]), st.floats(0.01, 100))
def test_order_of_arms_and_scale_of_shares_do_not_matter(arms, scale):
    counts, shares = zip(*arms, strict=True)
    found = sequential_sample_ratio(counts, [share * scale for share in shares])
    assert found == pytest.approx(sequential_sample_ratio([700, 300, 130], [6, 3, 1]), rel=1e-8)
