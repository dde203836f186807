"""Policies: what each rule is worth, by doubly robust scores of customers it was not made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.uplift import Estimate, PolicyValue
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.targeting.choices import PolicyConstraints, best_constant, by_cost, by_tree, foretold
from upliftlab.targeting.crossfit import COST, Crossfit, negative, together
from upliftlab.text.language import N_
from upliftlab.uplift.learning import with_learning
from upliftlab.uplift.policy import TargetingPolicy as Choice
from upliftlab.uplift.policy import at_random, everybody, paired, score_of
from upliftlab.uplift.sample import CONTROL

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
        return negative(self._beside(-self.crossfit.scores[:, :, COST], lambda _arms: nobody))

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
        terms = self.rules.terms
        whole = foretold(self.crossfit, terms, self.chosen.arms)
        if whole <= 0:
            return None
        free = replace(terms, fixed=np.zeros_like(terms.fixed))
        gained = replace(self, rules=replace(self.rules, terms=free)).value()
        return gained.scaled(1 / whole)

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
