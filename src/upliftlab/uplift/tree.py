"""A policy that fits in a sentence: at most two questions of each customer, then an arm.

Of all trees of depth 2 over the given questions, `grow` finds the one whose choices have the
largest sum of doubly robust profit scores (Zhou, Athey & Wager 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from upliftlab.stats.moments import Array
from upliftlab.uplift.questions import FeatureQuestion, asked_of
from upliftlab.uplift.sample import CONTROL
from upliftlab.uplift.tree_search import EQUAL, Fork, best_fork

ROWS = 200_000
"""Questions are chosen on at most so many rows, drawn with a fixed seed."""


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A group of customers, and what is done with them.

    Attributes:
        n: Its customers among those the tree was grown from.
        value: What the tree gains with them over treating nobody, per customer of the group.
        arm: What they get; None where that is decided by a question.
        question: The question asked of them; None where none is.
        yes: Those who answer yes.
        no: Those who do not, also because it is not known.
    """

    n: int
    value: float
    arm: int | None = None
    question: FeatureQuestion | None = None
    yes: TreeNode | None = None
    no: TreeNode | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """Questions and what follows from the answers.

    Attributes:
        root: All customers.
    """

    root: TreeNode

    @property
    def groups(self) -> tuple[TreeNode, ...]:
        """Those of whom nothing more is asked, who answered yes first."""
        return tuple(_ends(self.root))

    def group_of(self, features: Array) -> np.ndarray:
        """The number of each customer's group among `groups`, shape (n,), int64.

        Args:
            features: The columns it was grown from, shape (n, p), NaN where missing.
        """
        found = np.zeros(len(features), dtype=np.int64)
        waiting, number = [(self.root, np.arange(len(features)))], 0
        while waiting:
            node, rows = waiting.pop()
            if node.question and node.yes and node.no:
                answer = node.question.ask(features[rows])
                waiting += [(node.no, rows[~answer]), (node.yes, rows[answer])]
            else:
                found[rows] = number
                number += 1
        return found

    def choose(self, features: Array) -> np.ndarray:
        """The arm of each customer, shape (n,), int64.

        Args:
            features: As of `group_of`.
        """
        arms = [CONTROL if group.arm is None else group.arm for group in self.groups]
        return np.array(arms, dtype=np.int64)[self.group_of(features)]


def _ends(node: TreeNode) -> Iterator[TreeNode]:
    if node.question and node.yes and node.no:
        yield from _ends(node.yes)
        yield from _ends(node.no)
    else:
        yield node


def grow(
    features: Array,
    scores: Array,
    categorical: Sequence[int] = (),
    cuts: int = 32,
    smallest: int = 1,
) -> Tree:
    """The best tree that asks at most two questions of anybody.

    Numbers are asked whether they are at most one of the values that divide customers most evenly,
    or known at all; categories whether they are one level. Missing (NaN) answers no. A question is
    asked only if it gains; of equal trees that with fewer questions is taken, then that of the
    earlier feature, of equal arms the lower number, so the control first.

    Its value is that of the best among many on the same scores, so too good: value it on others
    (`policy`).

    Args:
        features: Shape (n, p), NaN where missing.
        scores: Doubly robust scores of profit, the control's first, shape (n, arms).
        categorical: Which columns hold codes of categories.
        cuts: Questions per feature at most; of categories those about the most frequent levels.
        smallest: Customers that a group must have at least.

    Raises:
        ValueError: A score is not finite, or there are no rows or not as many scores as rows.

    >>> features = np.array([[20.0], [30.0], [40.0], [np.nan]])
    >>> scores = np.array([[0.0, 5.0], [0.0, 3.0], [0.0, -1.0], [0.0, -2.0]])
    >>> tree = grow(features, scores)
    >>> tree.root.question
    FeatureQuestion(feature=0, kind=<QuestionKind.at_most: 'at most'>, value=30.0)
    >>> tree.choose(features)
    array([1, 1, 0, 0])
    """
    features, scores = np.asarray(features, np.float64), np.asarray(scores, np.float64)
    if len(features) != len(scores) or not len(scores):
        raise ValueError(f"{len(features)} rows of features and {len(scores)} of scores")
    if bad := int((~np.isfinite(scores)).sum()):
        raise ValueError(f"{bad} of {scores.size} scores are not finite numbers")
    gains = scores - scores[:, [CONTROL]]
    rows = np.arange(len(gains))
    if len(gains) > ROWS:
        rows = np.sort(np.random.default_rng(0).choice(len(gains), ROWS, replace=False))
        smallest = -(-smallest * ROWS // len(gains))
    asked = asked_of(features[rows], frozenset(categorical), cuts)
    return Tree(_node(best_fork(asked, gains[rows], smallest), features, gains))


def _node(fork: Fork | None, features: Array, gains: Array) -> TreeNode:
    """What a fork comes to among all customers; a question whose answers change nothing goes."""
    if fork is None:
        return _leaf(gains)
    answer = fork.question.ask(features)
    yes = _node(fork.yes, features[answer], gains[answer])
    no = _node(fork.no, features[~answer], gains[~answer])
    if yes.arm is not None and yes.arm == no.arm:
        return _leaf(gains)
    value = (yes.n * yes.value + no.n * no.value) / len(gains)
    return TreeNode(len(gains), value, None, fork.question, yes, no)


def _leaf(gains: Array) -> TreeNode:
    sums = gains.sum(axis=0)
    arm = int(np.argmax(sums >= sums.max() - EQUAL * np.abs(gains).sum()))
    return TreeNode(len(gains), float(sums[arm]) / max(1, len(gains)), arm)
