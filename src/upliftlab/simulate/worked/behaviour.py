"""What customers of a worked example do in each arm: chance draws from it, the truth averages it.

How many orders a customer places within the outcome window is Poisson. Its mean is what they would
order anyway, times a habit of their own (gamma, mean 1) and what the arm leaves of it, and beside
that the orders that the arm brings. All of it depends on the customer's kind alone, a combination
of traits that are drawn independently, so that expected values are sums over kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from upliftlab.simulate.calendar import Floats, Integers
from upliftlab.simulate.people import Trait
from upliftlab.simulate.responses import DELIVERED

Kinds = Mapping[str, Integers]
"""Level numbers of each trait, an entry a customer or a kind of customer."""
ByKind = Callable[[Kinds], Floats]
HABIT: Final = 2.0
"""Shape of the gamma distribution of habits: some buy seldom, few very often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What an arm does to customers.

    Attributes:
        arm: Its name; the control's stands first.
        share: The share of customers in it.
        channel: How it contacts; None where it does not.
        day: The day of contact, from the start on. What an arm brings, it brings after it.
        keeps: What is left of the orders that would have come anyway.
        brings: Orders more.
        price: Mean amount of those; None where they are like the customer's others.
        redeems: Of customers who order, the share who redeem something with their first order.
        through: The share of orders that come through a partner.
        commission: What the partner gets of their amount.
    """

    arm: str
    share: float
    channel: str | None = None
    day: int = 0
    keeps: ByKind | None = None
    brings: ByKind | None = None
    price: float | None = None
    redeems: float = 0.0
    through: float = 0.0
    commission: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clientele:
    """Customers by what tells them apart, and what they do if left alone.

    Attributes:
        traits: Drawn independently of one another.
        alone: Orders within the outcome window.
        amount: Mean amount of an order in EUR.
    """

    traits: Mapping[str, Trait]
    alone: ByKind
    amount: ByKind

    def every(self) -> tuple[dict[str, Integers], Floats]:
        """Each kind of customer, and its share."""
        ranges = [range(len(trait.levels)) for trait in self.traits.values()]
        codes = np.array(list(product(*ranges))).T
        kinds = dict(zip(self.traits, codes, strict=True))
        shares = [np.array(self.traits[name].shares)[code] for name, code in kinds.items()]
        return kinds, np.prod(shares, axis=0)

    def places(self) -> Iterator[tuple[str | None, str | None]]:
        """Everybody, then each level of each trait."""
        yield None, None
        for name, trait in self.traits.items():
            for level in trait.levels:
                yield name, level


def by(trait: str, values: Sequence[float]) -> ByKind:
    """A number for each level of a trait."""
    each = np.array(values)
    return lambda kinds: each[kinds[trait]]


def same(value: float) -> ByKind:
    """One number, whoever it is."""
    return lambda kinds: np.full(len(next(iter(kinds.values()))), value)


def kept(clientele: Clientele, behaviour: Behaviour, kinds: Kinds) -> Floats:
    """Orders of those that come anyway."""
    alone = clientele.alone(kinds)
    return alone if behaviour.keeps is None else alone * behaviour.keeps(kinds)


def brought(behaviour: Behaviour, kinds: Kinds) -> Floats:
    """Orders that the arm brings."""
    return (behaviour.brings or same(0.0))(kinds)


def buys(anyway: Floats, more: Floats) -> Floats:
    """The probability of an order at least: over habits, of what comes anyway."""
    return 1 - (1 + anyway / HABIT) ** -HABIT * np.exp(-more)


def expected(clientele: Clientele, behaviour: Behaviour, kinds: Kinds) -> dict[str, Floats]:
    """What a customer of each kind is expected to do in an arm, by the names of metrics."""
    anyway, more = kept(clientele, behaviour, kinds), brought(behaviour, kinds)
    amount, buying = clientele.amount(kinds), buys(anyway, more)
    price = amount if behaviour.price is None else behaviour.price
    revenue = anyway * amount + more * price
    return {
        "conversion": buying,
        "orders": anyway + more,
        "revenue": revenue,
        "contacts": np.full(len(buying), 0.0 if behaviour.channel is None else DELIVERED),
        "redemptions": buying * behaviour.redeems,
        "commission": revenue * behaviour.through * behaviour.commission,
    }
