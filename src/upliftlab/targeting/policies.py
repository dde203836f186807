"""What each policy gives each customer, and what it is worth.

Choices are made by models that were not shown the customer; values come from doubly robust scores
of customers that a rule was not made from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.uplift import Estimate, PolicyValue
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.targeting.budget import sets_of
from upliftlab.targeting.crossfit import COST, VALUE, Crossfit, together
from upliftlab.text.language import N_
from upliftlab.uplift.cost_folds import CostFolds
from upliftlab.uplift.learning import with_learning
from upliftlab.uplift.policy import TargetingPolicy as Choice
from upliftlab.uplift.policy import at_random, everybody, paired, score_of
from upliftlab.uplift.sample import CONTROL
from upliftlab.uplift.tree import Tree, grow


@dataclass(frozen=True, slots=True, eq=False)
class PolicyConstraints:
    """What a policy has to keep to.

    Attributes:
        budget: What may be spent on all customers; None without a limit.
        at_least: What the last unit of money must bring; 1 is no step that loses money.
        fixed: Fixed cost of each arm for the whole campaign, the control's first, shape (arms,).
        open: Whether each arm's gate is open, the control's first. An arm whose gate is shut is
            taken to do everybody its average good: there is no evidence of anything else.
        least: What each treatment costs at least beyond the control, shape (arms − 1,): no cost is
            foreseen below it, however few are expected to redeem. None where that is not known.
    """

    budget: float | None
    at_least: float
    fixed: Array
    open: tuple[bool, ...]
    least: Array | None = None


def foreseen(crossfit: Crossfit, gate: tuple[bool, ...]) -> Array:
    """What each arm is taken to add for each customer, shape (n, arms − 1, outcomes).

    Args:
        crossfit: Predictions by models that were not shown the customer.
        gate: Whether each arm's gate is open, the control's first; behind a shut one stands the
            average of the other folds' scores.
    """
    found = crossfit.predicted[crossfit.judged].copy()
    fold, effects = crossfit.sample.fold, crossfit.scores[:, 1:] - crossfit.scores[:, [CONTROL]]
    for column in np.flatnonzero(~np.array(gate[1:])):
        for number in range(crossfit.sample.folds):
            found[fold == number, column] = effects[fold != number, column].mean(axis=0)
    return found


def cost_folds(crossfit: Crossfit, terms: PolicyConstraints) -> CostFolds:
    """The cost curve of each fold; without money everything is free."""
    costs, values = _expected(crossfit, terms)
    return CostFolds.fit(costs, values, crossfit.sample.fold)


def by_cost(crossfit: Crossfit, terms: PolicyConstraints, budget: float | None) -> np.ndarray:
    """The arm of each customer along the cost curves, shape (n,).

    The budget pays fixed costs first. Every set of arms that have one is tried, as in the list
    that `target` writes, and the one that is expected to earn most is used.

    Args:
        crossfit: Predictions by models that were not shown the customer.
        terms: Fixed costs, and what the last unit of money must bring.
        budget: What may be spent in all; None without a limit.
    """
    costs, values = _expected(crossfit, terms)
    least = terms.at_least if crossfit.money else 0.0
    rows, best = np.arange(len(costs)), np.full(len(costs), CONTROL)
    net = _net(costs, values)
    most = 0.0
    for used in sets_of(terms.fixed[CONTROL + 1 :].tolist()):
        paid = float(terms.fixed[CONTROL + 1 :][list(used)].sum())
        if budget is not None and paid > budget:
            continue
        folds = CostFolds.fit(costs, np.where(used, values, 0.0), crossfit.sample.fold)
        arms = folds.choose(None if budget is None else budget - paid, least)
        earned = float(net[rows, arms].sum()) - paid
        if earned > most:
            best, most = arms, earned
    return best


def foretold(crossfit: Crossfit, terms: PolicyConstraints, arms: np.ndarray) -> float:
    """What models foretell of a choice beyond contacting nobody, per customer of all.

    Fixed costs aside: it is what the customers who are chosen are expected to bring.

    Args:
        crossfit: Predictions by models that were not shown the customer.
        terms: Which gates are open, and what a contact costs at least.
        arms: The arm of each customer, shape (n,).
    """
    return float(_net(*_expected(crossfit, terms))[np.arange(len(arms)), arms].mean())


def _net(costs: Array, values: Array) -> Array:
    """What each arm is expected to earn, the control's 0 first; shape (n, arms)."""
    return np.column_stack([np.zeros(len(costs)), values - costs])


def _expected(crossfit: Crossfit, terms: PolicyConstraints) -> tuple[Array, Array]:
    """Cost and value that each arm is expected to add, both of shape (n, arms − 1)."""
    found = foreseen(crossfit, terms.open)
    if not crossfit.money:
        return np.zeros(found.shape[:2]), found[..., VALUE]
    least = -np.inf if terms.least is None else terms.least
    return np.maximum(found[..., COST], least), found[..., VALUE]


def by_tree(crossfit: Crossfit, categorical: Sequence[int], among: np.ndarray) -> np.ndarray:
    """The arm of each customer by a tree that was grown on some of the other folds, shape (n,)."""
    return _by_trees(crossfit, categorical, among)[0]


def _by_trees(
    crossfit: Crossfit, categorical: Sequence[int], among: np.ndarray
) -> tuple[np.ndarray, Array]:
    """The arm of each customer by another fold's tree, and what that tree foretells it to gain.

    What a tree foretells of a group is its gain on the customers it was grown on. Shapes (n,).
    """
    features = crossfit.sample.features
    chosen, gain = np.full(len(features), CONTROL), np.zeros(len(features))
    for number in range(crossfit.sample.folds):
        here = crossfit.sample.fold == number
        tree = tree_of(crossfit, categorical, ~here & among)
        chosen[here] = tree.choose(features[here])
        gain[here] = np.array([each.value for each in tree.groups])[tree.group_of(features[here])]
    return chosen, gain


def tree_of(
    crossfit: Crossfit, categorical: Sequence[int], rows: np.ndarray, smallest: int = 1
) -> Tree:
    """The readable tree of some of the customers, each of its groups at least 1 % of them."""
    smallest = max(smallest, int(rows.sum()) // 100)
    return grow(
        crossfit.sample.features[rows], crossfit.rewards[rows], categorical, smallest=smallest
    )


def best_constant(crossfit: Crossfit, fixed: Array, budget: float | None = None) -> int:
    """The arm that does most good if everybody gets it; the control where none does any.

    Args:
        crossfit: Scores of all arms.
        fixed: Fixed cost of each arm for the whole campaign, the control's first, shape (arms,).
        budget: What may be spent in all, fixed cost included; arms that cost more are left out.
    """
    size = len(crossfit.sample)
    gains = crossfit.rewards.mean(axis=0) - crossfit.rewards[:, CONTROL].mean() - fixed / size
    if budget is not None and crossfit.money:
        costs = crossfit.scores[:, :, COST].mean(axis=0)
        gains[(costs - costs[CONTROL]) * size + fixed > budget] = -np.inf
        gains[CONTROL] = 0.0
    return int(gains.argmax())


Name = Literal["treat_none", "treat_all", "today", "budget", "return", "tree"]
NOBODY = N_("Contact nobody")
EVERYBODY = N_("{arm} for everybody")
TODAY = N_("Today's rule: {arm} where {where}")
BUDGET = N_("The model, within the budget of {budget:money}")
RETURN = N_("The model, as long as {unit:money} more brings in at least {at_least:money}")
BEST = N_("The model: for each customer the arm that adds most")
TREE = N_("The readable tree")


@dataclass(frozen=True, slots=True, eq=False)
class TodayPolicy:
    """Today's rule.

    Attributes:
        arm: The number of the arm that it gives.
        where: Its condition, as written.
        holds: Who meets it, shape (n,).
    """

    arm: int
    where: str
    holds: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """Which policies are compared, and how.

    Attributes:
        arms: Names of all arms, the control's first.
        terms: Budget, return, fixed costs and open gates.
        confidence: Level of every interval.
        categorical: Which features are categories, for the tree.
        today: Today's rule; None without one.
    """

    arms: tuple[str, ...]
    terms: PolicyConstraints
    confidence: float
    categorical: tuple[int, ...]
    today: TodayPolicy | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """What a policy gives under one division into folds.

    Attributes:
        arms: The arm of each customer, shape (n,).
        halves: The arms it would give, learned from one half of the customers and from the other;
            empty where nothing is learned.
    """

    arms: np.ndarray
    halves: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """A policy, and the arms it gives under each division into folds."""

    name: Name
    title: str
    choices: tuple[Arms, ...]
    values: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    arm: int | None = None


def policies(crossfits: Sequence[Crossfit], rules: Rules) -> tuple[PolicyValue, ...]:
    """Every policy with its value beside contacting nobody; a model's only if a gate is open.

    The best arm for everybody, with which they are compared, is chosen on the same customers, so
    that a policy which is no better than it rather looks worse; for a budget it is the best of
    those that the budget pays for.
    """
    return tuple(_policy(crossfits, rules, rule) for rule in _rules(crossfits, rules))


def _rules(crossfits: Sequence[Crossfit], rules: Rules) -> Iterator[_Rule]:
    size = len(crossfits[0].sample)

    def same(arms: np.ndarray) -> tuple[Arms, ...]:
        return (Arms(arms),) * len(crossfits)

    yield _Rule("treat_none", NOBODY, same(everybody(size, CONTROL)))
    for arm, name in enumerate(rules.arms[1:], 1):
        yield _Rule("treat_all", EVERYBODY, same(everybody(size, arm)), {"arm": name}, arm)
    if (today := rules.today) is not None:
        values: dict[str, Scalar] = {"arm": rules.arms[today.arm], "where": today.where}
        yield _Rule("today", TODAY, same(np.where(today.holds, today.arm, CONTROL)), values)
    if any(rules.terms.open[1:]):
        yield from _modelled(crossfits, rules)


def tree_realised(crossfits: Sequence[Crossfit], rules: Rules) -> Estimate | None:
    """What came of each unit of gain that trees foretold of customers they were not grown on.

    Fixed costs aside. What a tree gains on its own customers flatters it, as it is the best of many
    for them. None where the trees choose nobody.
    """
    whole = [np.ones(len(each.sample), dtype=bool) for each in crossfits]
    found = [
        _by_trees(each, rules.categorical, rows)[1].mean()
        for each, rows in zip(crossfits, whole, strict=True)
    ]
    if not all(each > 0 for each in found):
        return None
    choices = _chosen(crossfits, lambda each, among: by_tree(each, rules.categorical, among))
    known = [_Known(*each, rules) for each in zip(crossfits, choices, strict=True)]
    pairs = zip(known, found, strict=True)
    return together([each.gained().scaled(1 / float(foretold)) for each, foretold in pairs])


def _modelled(crossfits: Sequence[Crossfit], rules: Rules) -> Iterator[_Rule]:
    terms, money = rules.terms, crossfits[0].money
    least = terms.at_least if money else 0.0

    def within(budget: float | None) -> _Choosing:
        return lambda each, _among: by_cost(each, terms, budget)

    def asking(crossfit: Crossfit, among: np.ndarray) -> np.ndarray:
        return by_tree(crossfit, rules.categorical, among)

    if money and terms.budget is not None:
        chosen = _chosen(crossfits, within(terms.budget))
        yield _Rule("budget", BUDGET, chosen, {"budget": terms.budget})
    values: dict[str, Scalar] = {"unit": 1.0, "at_least": least} if money else {}
    chosen = _chosen(crossfits, within(None))
    yield _Rule("return", RETURN if money else BEST, chosen, values)
    yield _Rule("tree", TREE, _chosen(crossfits, asking))


_Choosing = Callable[[Crossfit, np.ndarray], np.ndarray]
"""A way to choose arms by what is predicted, or learned from some of the customers."""


def _chosen(crossfits: Sequence[Crossfit], choosing: _Choosing) -> tuple[Arms, ...]:
    return tuple(
        Arms(
            choosing(each, np.ones(len(each.sample), dtype=bool)),
            tuple(choosing(each.by_half(half), each.half == half) for half in (0, 1)),
        )
        for each in crossfits
    )


def _policy(crossfits: Sequence[Crossfit], rules: Rules, rule: _Rule) -> PolicyValue:
    known = [_Known(*each, rules) for each in zip(crossfits, rule.choices, strict=True)]
    money, modelled = crossfits[0].money, rule.name in ("budget", "return", "tree")
    costs = [each.cost() for each in known] if money else []
    budget = rules.terms.budget if rule.name == "budget" else None
    return PolicyValue(
        name=rule.name,
        arm=None if rule.arm is None else rules.arms[rule.arm],
        title=Message(template=rule.title, values=dict(rule.values)),
        shares=_shares(rules.arms, rule.choices),
        value=together([each.value() for each in known]),
        cost=together(costs) if money else None,
        beside_best=together([each.beside_best(budget) for each in known]) if modelled else None,
        beside_today=together([each.beside_today(rules.today) for each in known])
        if modelled and rules.today is not None
        else None,
        beside_random=together([each.beside_random() for each in known])
        if rule.name == "budget"
        else None,
        realised=_realised(known) if rule.name in ("budget", "return") else None,
    )


def _realised(known: Sequence[_Known]) -> Estimate | None:
    found = [each.realised() for each in known]
    each = [effect for effect in found if effect is not None]
    return together(each) if len(each) == len(found) else None


def _shares(arms: Sequence[str], choices: Sequence[Arms]) -> dict[str, float]:
    counts = [np.bincount(each.arms, minlength=len(arms)) / len(each.arms) for each in choices]
    return dict(zip(arms, np.mean(counts, axis=0).tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A policy's arms under one division into folds, and what they are worth."""

    crossfit: Crossfit
    chosen: Arms
    rules: Rules

    def value(self) -> Effect:
        """More than contacting nobody, in the end."""
        nobody = everybody(len(self.crossfit.sample), CONTROL)
        return self._beside(self.crossfit.rewards, lambda _arms: nobody)

    def cost(self) -> Effect:
        """Fixed cost included; a lump is taken off, so off the negative cost."""
        nobody = everybody(len(self.crossfit.sample), CONTROL)
        return self._beside(-self.crossfit.scores[:, :, COST], lambda _arms: nobody).negated()

    def beside_best(self, budget: float | None) -> Effect:
        """More than the best arm for everybody, of those that the budget pays for."""
        best = best_constant(self.crossfit, self.rules.terms.fixed, budget)
        same = everybody(len(self.crossfit.sample), best)
        return self._beside(self.crossfit.rewards, lambda _arms: same)

    def beside_today(self, today: TodayPolicy) -> Effect:
        """More than today's rule."""
        same = np.where(today.holds, today.arm, CONTROL)
        return self._beside(self.crossfit.rewards, lambda _arms: same)

    def beside_random(self) -> Effect:
        """More than spending as much on anybody."""
        costs = self.crossfit.scores[:, :, COST]
        return self._beside(self.crossfit.rewards, lambda arms: at_random(arms, costs))

    def realised(self) -> Effect | None:
        """The gain of those chosen for each unit of it that was foretold, without fixed costs.

        What is foretold of those put first is too high by chance alone, as they were picked for
        it; what they brought is not. None where nothing is foretold, as nobody is chosen.
        """
        whole = foretold(self.crossfit, self.rules.terms, self.chosen.arms)
        return None if whole <= 0 else self.gained().scaled(1 / whole)

    def gained(self) -> Effect:
        """More than contacting nobody, without fixed costs."""
        terms = self.rules.terms
        free = replace(terms, fixed=np.zeros_like(terms.fixed))
        return replace(self, rules=replace(self.rules, terms=free)).value()

    def _beside(self, scores: Array, other: Callable[[np.ndarray], np.ndarray]) -> Effect:
        fixed = self.rules.terms.fixed / len(scores)
        cluster, confidence = self.crossfit.sample.cluster, self.rules.confidence
        arms = self.chosen.arms
        one, two = Choice.using(arms, fixed), Choice.using(other(arms), fixed)
        found = paired(scores, one, two, cluster, confidence)
        if not self.chosen.halves:
            return found
        first, second = (
            score_of(scores, each) - score_of(scores, other(each)) for each in self.chosen.halves
        )
        return with_learning(found, first - second, cluster, confidence)
