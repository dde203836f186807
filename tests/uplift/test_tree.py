"""The best two questions: against every tree there is, and what a marketer reads of it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upliftlab.uplift import tree as module
from upliftlab.uplift.questions import QuestionKind, asked_of
from upliftlab.uplift.tree import grow

VALUE = st.integers(0, 3).map(float) | st.just(float("nan"))
SCORE = st.integers(-5, 5).map(float)


@st.composite
def small(draw):
    n, p, arms = draw(st.integers(1, 9)), draw(st.integers(1, 3)), draw(st.integers(1, 3))

    def table(each, columns):
        row = st.lists(each, min_size=columns, max_size=columns)
        return np.array(draw(st.lists(row, min_size=n, max_size=n)))

    categorical = draw(st.sets(st.integers(0, p - 1)))
    return table(VALUE, p), table(SCORE, arms), sorted(categorical), draw(st.integers(1, 3))


def leaf(gains):
    return max(gains.sum(axis=0))


def every_tree(features, scores, categorical, smallest):
    """The largest gain of any tree, one tree after the other."""
    gains = scores - scores[:, [0]]
    answers = []
    for column, values in enumerate(features.T):
        for value in np.unique(values[~np.isnan(values)]):
            yes = values == value if column in categorical else values <= value
            answers += [yes]

    def best(rows):
        found = [leaf(gains[rows])]
        for yes in answers:
            parts = rows[yes[rows]], rows[~yes[rows]]
            if min(len(part) for part in parts) >= smallest:
                found += [sum(leaf(gains[part]) for part in parts)]
        return max(found)

    rows = np.arange(len(scores))
    found = [leaf(gains)]
    for yes in answers:
        parts = rows[yes], rows[~yes]
        if min(len(part) for part in parts) >= smallest:
            found += [sum(best(part) for part in parts)]
    return max(found)


def nodes(node):
    yield node
    if node.question is not None:
        yield from (*nodes(node.yes), *nodes(node.no))


@settings(deadline=None, max_examples=300)
@given(small())
def test_no_tree_is_better(case):
    features, scores, categorical, smallest = case
    tree = grow(features, scores, categorical, smallest=smallest)
    chosen = tree.choose(features)
    gained = (scores[np.arange(len(scores)), chosen] - scores[:, 0]).sum()
    assert gained == pytest.approx(every_tree(features, scores, categorical, smallest), abs=1e-9)
    assert tree.root.value * len(scores) == pytest.approx(gained, abs=1e-9)
    assert tree.root.n == len(scores)
    for node in nodes(tree.root):
        if node.question is None:
            assert node.n >= min(smallest, len(scores))
            assert node.arm is not None
        else:
            assert node.arm is None
            assert node.n == node.yes.n + node.no.n
            assert node.yes != node.no
            assert node.yes.arm is None or node.yes.arm != node.no.arm


@given(small())
def test_rows_may_stand_in_any_order(case):
    features, scores, categorical, _ = case
    tree = grow(features, scores, categorical)
    assert grow(features[::-1], scores[::-1], categorical).root.question == tree.root.question
    assert (
        grow(features[::-1], scores[::-1], categorical).choose(features) == tree.choose(features)
    ).all()


def test_two_questions_find_what_one_cannot():
    """Neither feature tells anything by itself: who should be treated is their exclusive or."""
    features = np.array(list(product([0.0, 1.0], repeat=2)) * 5)
    scores = np.zeros((20, 2))
    scores[:, 1] = np.where(features[:, 0] != features[:, 1], 3.0, -3.0)
    tree = grow(features, scores)
    assert (tree.choose(features) == (scores[:, 1] > 0)).all()
    assert tree.root.value == 1.5
    assert {node.value for node in nodes(tree.root) if node.arm == 1} == {3.0}


def test_a_question_that_changes_nothing_is_not_asked():
    features = np.random.default_rng(1).normal(size=(500, 3))
    tree = grow(features, np.tile([0.0, 2.0, 1.0], (500, 1)))
    assert (tree.root.arm, tree.root.question, tree.root.value) == (1, None, 2.0)
    one = np.zeros((500, 2))
    one[:, 1] = np.where(features[:, 1] <= np.sort(features[:, 1])[249], 1.3, -0.7)
    tree = grow(features, one, cuts=3)
    assert tree.root.question.feature == 1, "not first a feature that says nothing"
    assert (tree.root.yes.arm, tree.root.no.arm) == (1, 0)


def test_of_equal_arms_the_control_and_then_the_lower_number_is_taken():
    features = np.arange(40.0)[:, None]
    rng = np.random.default_rng(2)
    assert grow(features, np.repeat(rng.normal(size=(40, 1)), 3, axis=1)).root.arm == 0
    better = np.repeat(rng.normal(size=(40, 1)), 3, axis=1)
    better[:, 1:] += 0.1
    assert grow(features, better).root.arm == 1


def test_who_is_missing_answers_no_and_can_be_asked_for():
    features = np.array([[1.0], [2.0], [3.0], [np.nan], [np.nan]])
    scores = np.array([[0, 1], [0, 1], [0, 1], [0, -9], [0, -9]], dtype=float)
    tree = grow(features, scores)
    assert (tree.root.question.kind, tree.root.question.value) == (QuestionKind.at_most, 3.0)
    assert tree.choose(np.array([[np.nan], [0.5], [99.0]])).tolist() == [0, 1, 0]


def test_a_category_unseen_or_missing_answers_no():
    features = np.array([[0.0], [1.0], [2.0], [1.0]])
    scores = np.array([[0, -1], [0, 5], [0, -1], [0, 5.0]])
    tree = grow(features, scores, [0])
    assert (tree.root.question.kind, tree.root.question.value) == (QuestionKind.equals, 1.0)
    assert tree.choose(np.array([[7.0], [np.nan], [1.0]])).tolist() == [0, 0, 1]


def test_thresholds_divide_evenly_and_levels_are_the_most_frequent():
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=5_100)
    codes = np.repeat(np.arange(50.0), np.arange(1, 51) * 4)
    asked = asked_of(np.column_stack([numbers, codes[rng.permutation(5_100)]]), frozenset([1]), 4)
    assert asked[0].values == pytest.approx(np.quantile(numbers, [0.2, 0.4, 0.6, 0.8]), abs=0.01)
    assert asked[1].values.tolist() == [46, 47, 48, 49]


def test_nothing_to_ask():
    for column in (np.full(4, 2.0), np.full(4, np.nan)):
        for categorical in ((), (0,)):
            tree = grow(column[:, None], np.array([[0, 1.0]] * 4), categorical)
            assert (tree.root.question, tree.root.arm) == (None, 1)
    assert grow(np.zeros((3, 0)), np.zeros((3, 2))).root.arm == 0


def test_beyond_the_limit_questions_come_from_a_part_and_values_from_all(monkeypatch):
    rng = np.random.default_rng(4)
    features, scores = rng.normal(size=(3_000, 2)), rng.normal(size=(3_000, 2)) / 10
    scores[:, 1] += np.where(features[:, 1] <= 0, 1.0, -1.0)
    monkeypatch.setattr(module, "ROWS", 400)
    tree = grow(features, scores, smallest=150)
    assert tree.root.n == 3_000
    assert tree == grow(features, scores, smallest=150)
    chosen = tree.choose(features)
    assert np.mean(chosen == (features[:, 1] <= 0)) > 0.95
    gained = scores[np.arange(3_000), chosen] - scores[:, 0]
    assert tree.root.value == pytest.approx(gained.mean())


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="1 of 2 scores are not finite"):
        grow(np.zeros((1, 1)), np.array([[0, np.nan]]))
    with pytest.raises(ValueError, match="3 rows of features and 2 of scores"):
        grow(np.zeros((3, 1)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="0 rows"):
        grow(np.zeros((0, 1)), np.zeros((0, 2)))
