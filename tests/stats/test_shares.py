"""Newcombe's interval against its paper's table, statsmodels, and counted out over all outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import LinearContrast, TwoSample, welch
from upliftlab.stats.moments import Moments
from upliftlab.stats.shares import needs_newcombe, newcombe

FORM = LinearContrast.difference(1, {0: 1.0})
group = st.integers(2, 3_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def as_pair(successes, n) -> TwoSample:
    """The moments of columns of ones and zeros."""
    rows = [np.arange(size)[:, None] < x for x, size in zip(successes, n, strict=True)]
    return TwoSample(*map(Moments.of, rows))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        ((56, 48), (70, 80), 0.0524, 0.3339),
        ((9, 3), (10, 10), 0.1705, 0.8090),
        ((6, 2), (7, 7), 0.0582, 0.8062),
        ((5, 0), (56, 29), -0.0381, 0.1926),
        ((0, 0), (10, 20), -0.1611, 0.2775),
        ((0, 0), (10, 10), -0.2775, 0.2775),
        ((10, 0), (10, 20), 0.6791, 1.0),
        ((10, 0), (10, 10), 0.6075, 1.0),
    ],
)
def test_the_examples_of_the_paper(successes, n, low, high):
    """Newcombe (1998), table II, method 10."""
    effect = newcombe(successes, n, 0.95)
    assert (round(effect.low, 4), round(effect.high, 4)) == (low, high)


@given(group, group, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_is_statsmodels(treated, control, confidence):
    (x, n), (y, m) = treated, control
    theirs = confint_proportions_2indep(x, n, y, m, method="newcomb", alpha=1 - confidence)
    effect = newcombe((x, y), (n, m), confidence)
    assert (effect.low, effect.high) == pytest.approx(theirs, rel=1e-9, abs=1e-9)
    assert -1 - 1e-12 <= effect.low <= effect.estimate <= effect.high <= 1 + 1e-12


@given(group, group)
def test_estimate_and_standard_error_are_those_of_rows(treated, control):
    (x, n), (y, m) = treated, control
    effect, rows = newcombe((x, y), (n, m), 0.95), welch(as_pair((x, y), (n, m)), FORM, 0.95)
    assert effect.estimate == pytest.approx(rows.estimate, rel=1e-9, abs=1e-12)
    assert effect.se == pytest.approx(rows.se, rel=1e-9)


@given(group, st.integers(2, 3_000), st.floats(0.5, 4), st.sampled_from([-1, 1]))
def test_at_the_level_of_its_p_value_the_interval_ends_at_zero(treated, m, apart, sign):
    """Of shares as far apart as chance alone may bring them: p of others is 0 to most digits."""
    x, n = treated
    spread = max(x * (n - x), n - 1) ** 0.5 / n * (1 / n + 1 / m) ** 0.5
    y = min(max(round(m * (x / n + sign * apart * spread)), 0), m)
    p = newcombe((x, y), (n, m), 0.95).p
    assume(1e-6 < p < 1)  # one less a level loses digits below
    there = newcombe((x, y), (n, m), 1 - p)
    assert min(abs(there.low), abs(there.high)) == pytest.approx(0, abs=1e-9)


def test_equal_shares_have_no_evidence_at_all():
    assert newcombe((3, 30), (10, 100), 0.95).p == 1.0
    assert newcombe((0, 0), (10, 10), 0.95).p == 1.0


def test_shares_without_variation_still_have_an_interval():
    """Where all of one group and none of the other have the event, Welch has nothing to say."""
    assert welch(as_pair((10, 0), (10, 20)), FORM, 0.95).note is Note.no_variation
    effect = newcombe((10, 0), (10, 20), 0.95)
    assert (effect.estimate, effect.se, effect.note) == (1.0, 0.0, None)
    assert 0 < effect.p < 1e-8


def test_evidence_beyond_any_double_is_zero():
    effect = newcombe((500_000, 100_000), (1_000_000, 1_000_000), 0.95)
    assert effect.p == 0.0
    assert effect.low > 0


def test_with_many_events_it_is_welch():
    successes, n = (25_000, 24_300), (50_000, 50_000)
    score, plain = newcombe(successes, n, 0.95), welch(as_pair(successes, n), FORM, 0.95)
    assert (score.low, score.high) == pytest.approx((plain.low, plain.high), rel=1e-3)
    assert score.p == pytest.approx(plain.p, rel=1e-2)


def test_few_events_are_fewer_than_thirty_of_either_kind():
    assert not needs_newcombe((30, 970), (1_000, 1_000))
    assert needs_newcombe((29, 500), (1_000, 1_000))
    assert needs_newcombe((500, 971), (1_000, 1_000))
    assert needs_newcombe((0, 500), (0, 1_000))


def test_too_few_units_is_said_and_not_computed():
    assert newcombe((1, 3), (1, 9), 0.95).note is Note.few_treated
    few = newcombe((3, 0), (9, 0), 0.95)
    assert (few.estimate, few.low, few.p, few.note) == (None, None, None, Note.few_control)


@pytest.mark.parametrize("successes", [(-1, 3), (3, 11)])
def test_counts_that_cannot_be_are_refused(successes):
    with pytest.raises(ValueError, match="between 0 and n"):
        newcombe(successes, (10, 10), 0.95)


@pytest.mark.parametrize(
    ("n", "share", "score", "plain"),
    [
        ((400, 100), 0.02, (0.0004, 0.0327), (0.1316, 0.0037)),
        ((950, 50), 0.02, (0.0000, 0.0475), (0.3642, 0.0006)),
        ((1_000, 1_000), 0.01, (0.0206, 0.0206), (0.0254, 0.0254)),
    ],
)
def test_how_often_no_effect_is_taken_for_one(n, share, score, plain):
    """Both tails (a gain, a loss) counted out over all outcomes; Welch's beside them."""
    found, others = np.zeros(2), np.zeros(2)
    counts = [np.flatnonzero(binom.pmf(np.arange(size + 1), size, share) > 1e-7) for size in n]
    for x in counts[0]:
        for y in counts[1]:
            weight = binom.pmf(x, n[0], share) * binom.pmf(y, n[1], share)
            pair = (int(x), int(y))
            found += weight * claims(newcombe(pair, n, 0.95))
            others += weight * claims(welch(as_pair(pair, n), FORM, 0.95))
    assert tuple(found) == pytest.approx(score, abs=1e-4)
    assert tuple(others) == pytest.approx(plain, abs=1e-4)


def claims(effect) -> np.ndarray:
    if effect.low is None:
        return np.zeros(2)
    return np.array([effect.low > 0, effect.high < 0], dtype=float)
