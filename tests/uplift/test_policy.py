"""The value of policies: a table worked by hand, laws, and intervals that cover a known truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from upliftlab.results.analysis import Note
from upliftlab.uplift.policy import TargetingPolicy, at_random, everybody, paired, policy_value

SCORE = st.floats(-50, 50).map(lambda value: round(value, 3))
ROWS = st.lists(
    st.tuples(SCORE, SCORE, SCORE, st.integers(0, 2), st.integers(0, 2), st.integers(0, 4)),
    min_size=2,
    max_size=12,
)


def table(rows):
    columns = np.array(rows, dtype=float)
    return columns[:, :3], *columns[:, 3:].T.astype(np.int64)


def aipw(outcome, arm, expected, propensity):
    """Γ_a = μ̂_a + 1{A = a}(Y − μ̂_a)/e_a, written out again."""
    given_arm = arm[:, None] == np.arange(expected.shape[1])
    return expected + given_arm * (outcome[:, None] - expected) / propensity


def test_a_table_worked_by_hand():
    """Three customers of a half and half experiment, μ̂ = (1, 2), who answered 3, 0 and 4."""
    scores = aipw(np.array([3.0, 0.0, 4.0]), np.array([1, 0, 1]), np.tile([1.0, 2.0], (3, 1)), 0.5)
    assert scores.tolist() == [[1, 4], [-1, 2], [1, 6]]
    found = policy_value(scores, np.array([1, 0, 1]), np.arange(3), 0.95)
    assert found.estimate == pytest.approx(8 / 3)
    assert found.se == pytest.approx((19 / 9) ** 0.5), "gains 3, 0, 5 vary by 19/3"
    assert found.df == 2
    assert found.high - found.estimate == pytest.approx(4.302653 * (19 / 9) ** 0.5)
    half = policy_value(scores, np.tile([0.5, 0.5], (3, 1)), np.arange(3), 0.95)
    assert half.estimate == pytest.approx((1.5 + 1.5 + 2.5) / 3)
    costly = policy_value(scores, TargetingPolicy(np.array([1, 0, 1]), 0.5), np.arange(3), 0.95)
    assert costly.estimate == pytest.approx(8 / 3 - 0.5)
    assert costly.se == found.se


@given(ROWS)
def test_one_customer_each_is_the_t_test_of_gains(rows):
    scores, choice, other, _ = table(rows)
    every = np.arange(len(rows))
    gains = scores[every, choice] - scores[every, other]
    found = paired(scores, choice, other, every, 0.9)
    if np.ptp(gains) < 1e-6:
        return
    test = stats.ttest_1samp(gains, 0)
    assert found.estimate == pytest.approx(gains.mean(), abs=1e-9)
    assert found.p == pytest.approx(test.pvalue, abs=1e-9)
    ends = test.confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-9)


@given(ROWS)
def test_turned_around_the_sign_turns(rows):
    scores, choice, other, cluster = table(rows)
    one = paired(scores, TargetingPolicy(choice, 0.7), other, cluster, 0.95)
    two = paired(scores, other, TargetingPolicy(choice, 0.7), cluster, 0.95)
    low, high = (None if end is None else -end for end in (one.high, one.low))
    assert two == replace(one, estimate=-one.estimate, low=low, high=high)


@given(ROWS)
def test_treating_all_with_an_arm_is_its_mean_effect_score(rows):
    scores, _, _, cluster = table(rows)
    for arm in (1, 2):
        effect = (scores[:, arm] - scores[:, 0]).mean()
        found = policy_value(scores, everybody(len(rows), arm), cluster, 0.95)
        assert found.estimate == pytest.approx(effect, abs=1e-9)


@given(ROWS)
def test_rows_of_a_cluster_count_as_one_and_may_stand_in_any_order(rows):
    scores, choice, _, cluster = table(rows)
    found = policy_value(scores, choice, cluster, 0.95)
    turned = policy_value(scores[::-1], choice[::-1], cluster[::-1] * 7 - 3, 0.95)
    assert turned.estimate == pytest.approx(found.estimate, abs=1e-9)
    if found.se is None:
        assert len(set(cluster)) == 1
        assert (found.note, turned.note) == (Note.few_units, Note.few_units)
        return
    assert turned.se == pytest.approx(found.se, abs=1e-9)
    if found.se:
        assert found.df == len(set(cluster)) - 1


def test_each_row_twice_says_no_more():
    rng = np.random.default_rng(1)
    scores, choice = rng.normal(size=(50, 2)), rng.integers(0, 2, 50)
    one = policy_value(scores, choice, np.arange(50), 0.95)
    two = policy_value(
        np.repeat(scores, 2, axis=0), choice.repeat(2), np.arange(50).repeat(2), 0.95
    )
    assert two.se == pytest.approx(one.se)
    assert (two.low, two.df) == pytest.approx((one.low, one.df))


def test_arms_are_probabilities_of_one():
    rng = np.random.default_rng(2)
    scores, choice = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
    found = policy_value(scores, np.eye(3)[choice], np.arange(30), 0.95)
    assert found.estimate == pytest.approx(
        policy_value(scores, choice, np.arange(30), 0.95).estimate
    )
    assert policy_value(scores, choice.astype(np.uint8), np.arange(30), 0.95).p == found.p


def test_treating_nobody_is_worth_nothing_and_has_no_interval():
    scores = np.random.default_rng(3).normal(size=(30, 3))
    found = policy_value(scores, everybody(30, 0), np.arange(30), 0.95)
    assert (found.estimate, found.se, found.low, found.note) == (0, 0, None, Note.same_for_all)


def test_nobody_at_all():
    found = policy_value(np.zeros((0, 2)), everybody(0, 1), everybody(0, 0), 0.95)
    assert (found.estimate, found.note) == (None, Note.few_units)


def test_fixed_costs_are_paid_for_arms_in_use():
    fixed = np.array([0.0, 0.5, 0.2])
    assert TargetingPolicy.using(np.array([0, 1, 1]), fixed).lump == 0.5
    assert TargetingPolicy.using(np.array([2, 1, 1]), fixed).lump == 0.7
    assert TargetingPolicy.using(np.array([0, 0, 0]), fixed).lump == 0
    assert TargetingPolicy.using(np.array([[0.5, 0, 0.5], [1, 0, 0]]), fixed).lump == 0.2


def test_at_random_spends_the_same_with_the_same_arms():
    rng = np.random.default_rng(4)
    costs = np.hstack([np.zeros((400, 1)), rng.uniform(1, 5, (400, 2))])
    choice = np.where(costs[:, 1] < 2, 1, np.where(costs[:, 2] < 1.5, 2, 0))
    random = at_random(choice, costs)
    assert random.sum(axis=1) == pytest.approx(1)
    spent = costs[np.arange(400), choice].mean()
    assert (random * costs).sum(axis=1).mean() == pytest.approx(spent)
    treated = random[0, 1:] / random[0, 1:].sum()
    assert treated == pytest.approx(np.bincount(choice)[1:] / (choice > 0).sum())
    assert (at_random(everybody(400, 0), costs)[0] == [1, 0, 0]).all()
    assert at_random(everybody(400, 2), costs)[0] == pytest.approx([0, 0, 1])
    dear = np.where(costs[:, 1] > 1.2, 1, 0)
    assert at_random(dear, costs)[0, 1] <= 1
    assert at_random(choice, np.zeros((400, 3)))[0, 0] == pytest.approx(np.mean(choice == 0))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (np.array([0, 3, 1]), "from 0 to 1"),
        (np.array([0, -1, 1]), "from 0 to 1"),
        (np.array([0.0, 1.0, 1.0]), "must be arms"),
        (np.array([0, 1]), "must be arms"),
        (np.array([[0.5, 0.6]] * 3), "add up to 1"),
        (np.array([[1.5, -0.5]] * 3), "add up to 1"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(choice, message):
    with pytest.raises(ValueError, match=message):
        policy_value(np.zeros((3, 2)), choice, np.arange(3), 0.95)


def test_scores_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="2 of 6 scores are not finite"):
        policy_value(
            np.array([[0, np.nan], [np.inf, 0], [1, 1]]), everybody(3, 1), np.arange(3), 0.95
        )


def world(rng, n, household):
    """Scores of an experiment of unequal shares, and what the policy by x truly gains per customer.

    The effect of arm 1 is x, of arm 2 it is ½; x ~ U(−1, 1) is a household's. The models behind the
    scores are wrong; the shares are known.
    """
    shares = np.array([0.5, 0.3, 0.2])
    unit = np.arange(n) // household
    x = rng.uniform(-1, 1, n)[unit]
    arm = rng.choice(3, n, p=shares)[unit]
    effect = np.stack([np.zeros(n), x, np.full(n, 0.5)], axis=1)
    noise = rng.exponential(1 + np.abs(x)) + rng.normal(size=n)[unit]
    outcome = effect[np.arange(n), arm] + noise
    expected = np.stack([np.ones(n), 1 + x / 2, np.ones(n)], axis=1)
    return aipw(outcome, arm, expected, shares), np.where(x > 0.6, 1, np.where(x > 0, 2, 0)), unit


TRUTH = 0.5 * (0.4 * 0.8 + 0.6 * 0.5)
"""x > .6 (a fifth of all) gain .8 on average, 0 < x ≤ .6 gain ½."""


@pytest.mark.parametrize("household", [1, 2])
def test_intervals_cover_the_truth(household):
    rng = np.random.default_rng(5)
    held = beside = 0
    for _ in range(600):
        scores, choice, cluster = world(rng, 600, household)
        found = policy_value(scores, choice, cluster, 0.95)
        held += found.low <= TRUTH <= found.high
        against = paired(scores, choice, everybody(600, 2), cluster, 0.95)
        beside += against.low <= TRUTH - 0.5 <= against.high
    assert 0.93 <= held / 600 <= 0.97
    assert 0.93 <= beside / 600 <= 0.97
