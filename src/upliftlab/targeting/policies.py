"""Policies: what each rule is worth, by doubly robust scores of customers it was not made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from upliftlab.language import N_
from upliftlab.results import Message, Scalar
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array
from upliftlab.targeting.choices import Terms, best_constant, by_tree, cost_folds
from upliftlab.targeting.crossfit import COST, Crossfit, negative, together
from upliftlab.targeting.responses import Policy
from upliftlab.uplift.policy import Policy as Choice
from upliftlab.uplift.policy import at_random, everybody, paired, policy_value
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
class Today:
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
    terms: Terms
    confidence: float
    categorical: tuple[int, ...]
    today: Today | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Rule:
    """A policy, and the arms it gives under each division into folds."""

    name: Name
    title: str
    choices: tuple[np.ndarray, ...]
    values: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    arm: int | None = None


def policies(crossfits: Sequence[Crossfit], rules: Rules) -> tuple[Policy, ...]:
    """Every policy with its value beside contacting nobody; a model's only if a gate is open.

    The best arm for everybody, with which they are compared, is chosen on the same customers, so
    that a policy which is no better than it rather looks worse.
    """
    return tuple(_policy(crossfits, rules, rule) for rule in _rules(crossfits, rules))


def _rules(crossfits: Sequence[Crossfit], rules: Rules) -> Iterator[_Rule]:
    size = len(crossfits[0].sample)

    def same(arms: np.ndarray) -> tuple[np.ndarray, ...]:
        return (arms,) * len(crossfits)

    yield _Rule("treat_none", NOBODY, same(everybody(size, CONTROL)))
    for arm, name in enumerate(rules.arms[1:], 1):
        yield _Rule("treat_all", EVERYBODY, same(everybody(size, arm)), {"arm": name}, arm)
    if (today := rules.today) is not None:
        values: dict[str, Scalar] = {"arm": rules.arms[today.arm], "where": today.where}
        yield _Rule("today", TODAY, same(np.where(today.holds, today.arm, CONTROL)), values)
    if any(rules.terms.open[1:]):
        yield from _modelled(crossfits, rules)


def _modelled(crossfits: Sequence[Crossfit], rules: Rules) -> Iterator[_Rule]:
    terms = rules.terms
    curves = [cost_folds(each, terms.open) for each in crossfits]
    money = crossfits[0].money
    least = terms.at_least if money else 0.0
    if money and terms.budget is not None:
        chosen = tuple(each.choose(terms.budget, least) for each in curves)
        yield _Rule("budget", BUDGET, chosen, {"budget": terms.budget})
    chosen = tuple(each.choose(None, least) for each in curves)
    values: dict[str, Scalar] = {"unit": 1.0, "at_least": least} if money else {}
    yield _Rule("return", RETURN if money else BEST, chosen, values)
    grown = tuple(by_tree(each, rules.categorical) for each in crossfits)
    yield _Rule("tree", TREE, grown)


def _policy(crossfits: Sequence[Crossfit], rules: Rules, rule: _Rule) -> Policy:
    known = [_Known(*each, rules) for each in zip(crossfits, rule.choices, strict=True)]
    money, modelled = crossfits[0].money, rule.name in ("budget", "return", "tree")
    costs = [each.cost() for each in known] if money else []
    return Policy(
        name=rule.name,
        arm=None if rule.arm is None else rules.arms[rule.arm],
        title=Message(template=rule.title, values=dict(rule.values)),
        shares=_shares(rules.arms, rule.choices),
        value=together([each.value() for each in known]),
        cost=together(costs) if money else None,
        beside_best=together([each.beside_best() for each in known]) if modelled else None,
        beside_random=together([each.beside_random() for each in known])
        if rule.name == "budget"
        else None,
    )


def _shares(arms: Sequence[str], choices: Sequence[np.ndarray]) -> dict[str, float]:
    counts = np.stack([np.bincount(each, minlength=len(arms)) / len(each) for each in choices])
    return dict(zip(arms, counts.mean(axis=0).tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """A policy's arms under one division into folds, and what they are worth."""

    crossfit: Crossfit
    arms: np.ndarray
    rules: Rules

    @property
    def _fixed(self) -> Array:
        """Fixed cost of each arm per customer."""
        return self.rules.terms.fixed / len(self.arms)

    def _using(self, choice: np.ndarray) -> Choice:
        return Choice.using(choice, self._fixed)

    def value(self) -> Effect:
        return self._asked(self.crossfit.rewards, self._using(self.arms))

    def cost(self) -> Effect:
        """Fixed cost included; a lump is taken off, so off the negative cost."""
        saved = self._asked(-self.crossfit.scores[:, :, COST], self._using(self.arms))
        return negative(saved)

    def _asked(self, scores: Array, choice: Choice) -> Effect:
        return policy_value(scores, choice, self.crossfit.sample.cluster, self.rules.confidence)

    def _beside(self, other: np.ndarray) -> Effect:
        return paired(
            self.crossfit.rewards,
            self._using(self.arms),
            self._using(other),
            self.crossfit.sample.cluster,
            self.rules.confidence,
        )

    def beside_best(self) -> Effect:
        arm = best_constant(self.crossfit, self.rules.terms.fixed)
        return self._beside(everybody(len(self.arms), arm))

    def beside_random(self) -> Effect:
        return self._beside(at_random(self.arms, self.crossfit.scores[:, :, COST]))
