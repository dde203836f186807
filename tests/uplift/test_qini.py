"""Qini and uplift curves: scikit-uplift's figures where it is right, and what it gets wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklift import metrics

from upliftlab.uplift.qini import qini_auc, qini_curve, uplift_at, uplift_auc, uplift_curve

DEPRECATED = pytest.mark.filterwarnings("ignore:Function stable_cumsum:FutureWarning")
Y, T = [1, 1, 0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0, 1, 0]
S = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
CLOSE = 1e-10


def drawn(seed, n=400, levels=None):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    if levels is not None:
        score = np.round(score * levels) / levels
    treated = (rng.random(n) < 0.4).astype(np.int64)
    outcome = (rng.random(n) < 0.3 + 0.1 * treated * (score > 0)).astype(np.int64)
    return outcome, treated, score


def test_by_hand():
    assert qini_auc(Y, T, S) == pytest.approx(-0.140351, abs=5e-7)
    assert uplift_auc(Y, T, S) == pytest.approx(-0.222222, abs=5e-7)
    # After five, two of three treated bought and one of two in control: 2 − 1·3/2.
    expected = [0, 1, 0, -1, 0, 0.5, 1, 2 - 4 / 3, 1]
    np.testing.assert_allclose(qini_curve(Y, T, S)[1], expected)


@DEPRECATED
@pytest.mark.parametrize("levels", [None, 1, 4])
@pytest.mark.parametrize("seed", range(4))
def test_as_scikit_uplift(seed, levels):
    y, t, s = drawn(seed, levels=levels)
    for own, theirs in (
        (qini_curve, metrics.qini_curve),
        (uplift_curve, metrics.uplift_curve),
    ):
        for one, other in zip(own(y, t, s), theirs(y, s, t), strict=True):
            np.testing.assert_allclose(one, other, atol=CLOSE, rtol=0)
    assert qini_auc(y, t, s) == pytest.approx(metrics.qini_auc_score(y, s, t), abs=CLOSE)
    assert uplift_auc(y, t, s) == pytest.approx(metrics.uplift_auc_score(y, s, t), abs=CLOSE)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize(("by", "strategy"), [("group", "by_group"), ("overall", "overall")])
def test_uplift_at_as_scikit_uplift(by, strategy, share):
    y, t, s = drawn(7)
    expected = metrics.uplift_at_k(y, s, t, strategy=strategy, k=share)
    assert uplift_at(y, t, s, share, by) == pytest.approx(expected, abs=CLOSE)


def test_hillstrom(hillstrom):
    rows = pd.read_csv(hillstrom / "hillstrom.csv.gz")
    rows = rows[rows.segment.isin(["Womens E-Mail", "No E-Mail"])]
    score = 0.05 * rows.womens + 0.01 * rows.newbie - 0.001 * rows.recency + 1e-5 * rows.history
    columns = (rows.visit, rows.segment == "Womens E-Mail", score)
    assert qini_auc(*columns) == pytest.approx(0.0655677281, abs=5e-11)
    assert uplift_auc(*columns) == pytest.approx(0.0302049329, abs=5e-11)
    assert uplift_at(*columns, 0.3) == pytest.approx(0.0748787650, abs=5e-11)


@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4)), min_size=1), st.randoms()
)
def test_order_of_rows_does_not_matter(rows, chance):
    mixed = list(rows)
    chance.shuffle(mixed)
    one, other = (list(zip(*given, strict=True)) for given in (rows, mixed))
    for measure in (qini_auc, uplift_auc):
        assert measure(*one) == pytest.approx(measure(*other), abs=CLOSE)
    for by in ("group", "overall"):
        for share in (0.2, 0.5, 1.0):
            mine, theirs = uplift_at(*one, share, by), uplift_at(*other, share, by)
            assert mine == pytest.approx(theirs, abs=CLOSE)


def test_a_cut_block_of_ties_enters_with_its_average():
    # Two of three treated: one with 1, and one of two who bought 0 and 1.
    assert uplift_at([1, 0, 1, 0, 0], [1, 1, 1, 0, 0], [9, 5, 5, 2, 1], 2 / 3) == 0.75
    # Two of four overall: the first, and a third of each of those who share three places.
    outcome, treated = [1, 1, 0, 0], [1, 0, 0, 1]
    assert uplift_at(outcome, treated, [9, 5, 5, 5], 0.5, "overall") == 0.75 - 0.5


@pytest.mark.parametrize("kind", [np.uint8, bool, np.int8, np.float32])
def test_bytes_and_flags(kind):
    y, t, s = drawn(3)
    narrow = (s > 0).astype(kind)
    wide = narrow.astype(np.float64)
    for measure in (qini_auc, uplift_auc):
        assert measure(y.astype(kind), t.astype(kind), narrow) == measure(y, t, wide)
    assert uplift_at(y.astype(kind), t.astype(kind), narrow, 0.3) == uplift_at(y, t, wide, 0.3)


@DEPRECATED
def test_scikit_uplift_is_wrong_of_bytes():
    """Why there is a definition of our own; when this fails, it has been mended."""
    y, t, s = drawn(3)
    with np.errstate(over="ignore"):
        theirs = metrics.qini_auc_score(y.astype(np.uint8), s, t.astype(np.uint8))
    assert theirs != pytest.approx(qini_auc(y, t, s), abs=1e-3)


def test_a_constant_score_is_worth_nothing():
    y, t, _ = drawn(5)
    score = np.full(len(y), 0.1)
    assert qini_auc(y, t, score) == pytest.approx(0.0, abs=CLOSE)
    assert uplift_auc(y, t, score) == pytest.approx(0.0, abs=CLOSE)
    assert uplift_at(y, t, score, 0.3) == pytest.approx(y[t == 1].mean() - y[t == 0].mean())


def test_the_best_order_is_worth_one():
    y, t, _ = drawn(6)
    assert qini_auc(y, t, y * t - y * (1 - t)) == pytest.approx(1.0)


def test_an_arm_missing_from_the_first():
    y, t, score = [1, 1, 0, 0], [1, 1, 0, 0], [4, 3, 2, 1]
    assert uplift_at(y, t, score, 0.5, "overall") is None
    assert uplift_at(y, t, score, 0.25) is None  # half a customer of either arm
    assert uplift_at(y, t, score, 0.5) == 1.0
    assert qini_curve(y, t, score)[1].tolist() == [0, 1, 2, 2, 2]
    assert uplift_curve(y, t, score)[1].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("arm", [0, 1])
def test_an_empty_arm(arm):
    columns = [1, 0, 1], [arm] * 3, [1, 2, 3]
    assert qini_auc(*columns) is None
    assert uplift_auc(*columns) is None
    assert uplift_at(*columns, 0.5) is None
    with pytest.raises(ValueError, match="no customers in one of the arms"):
        qini_curve(*columns)
    with pytest.raises(ValueError, match="no customers in one of the arms"):
        uplift_curve(*columns)


def test_outcomes_of_which_no_order_is_better():
    assert qini_auc([0, 0, 0], [1, 0, 1], [1, 2, 3]) is None
    assert uplift_auc([0, 0, 0], [1, 0, 1], [1, 2, 3]) is None


def test_money_has_a_curve_but_no_coefficient():
    y, t, s = [10.0, 0.0, 5.0], [1, 0, 1], [1, 2, 3]
    assert qini_curve(y, t, s)[1].tolist() == [0, 5, 5, 15]
    assert qini_auc(y, t, s) is None


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (([1, 0], [1, 0], [np.nan, 1.0]), "1 of 2 scores are not finite"),
        (([np.nan, np.nan], [1, 0], [1, 2]), "2 of 2 outcomes are not finite"),
        (([1, 0], [2, 0], [1, 2]), "arms must be 1"),
        (([1, 0, 1], [1, 0], [1, 2]), "same shape"),
        (([], [], []), "at least one row"),
        (([[1, 0]], [[1, 0]], [[1, 2]]), "one column"),
    ],
)
def test_columns_that_cannot_be(columns, said):
    for measure in (qini_curve, uplift_curve, qini_auc, uplift_auc):
        with pytest.raises(ValueError, match=said):
            measure(*columns)
    with pytest.raises(ValueError, match=said):
        uplift_at(*columns, 0.3)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, np.nan])
def test_shares_that_cannot_be(share):
    with pytest.raises(ValueError, match="share"):
        uplift_at(Y, T, S, share)


def test_a_share_is_rounded_down_to_whole_customers_only():
    """0.29·100 is 28.999… in floating point, and is 29 customers."""
    outcome = np.r_[np.zeros(28), 1, np.zeros(71), np.zeros(100)]
    treated, score = np.repeat([1, 0], 100), np.tile(np.arange(100)[::-1], 2)
    assert uplift_at(outcome, treated, score, 0.29) == pytest.approx(1 / 29)
