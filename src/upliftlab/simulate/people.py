"""The customers of the simulated world: what they are, and how they buy if left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from upliftlab.simulate.calendar import AFTER, HISTORY, WINDOW, Floats, Integers


@dataclass(frozen=True, slots=True)
class Trait:
    """An attribute of customers: its levels and the share of customers at each."""

    levels: tuple[str, ...]
    shares: tuple[float, ...]


TRAITS = {
    "age_band": Trait(("18-29", "30-44", "45-59", "60+"), (0.22, 0.30, 0.28, 0.20)),
    "region": Trait(("north", "east", "south", "west"), (0.30, 0.15, 0.35, 0.20)),
    "preferred_channel": Trait(("shop", "web", "app"), (0.45, 0.35, 0.20)),
    "value_band": Trait(("low", "middle", "high"), (0.50, 0.35, 0.15)),
}
HABITS = Trait(("loyal", "regular", "declining", "churning", "new"), (0.20, 0.33, 0.25, 0.14, 0.08))
"""How customers really buy: nobody sees this, the events only show it."""
PERIODS = (-HISTORY, -360, -180, -90, 0, AFTER)
"""Days at which habits change, counted from the first wave."""
_RATES = np.array(
    [
        [0.90, 0.90, 0.90, 0.90, 0.90],
        [0.34, 0.34, 0.34, 0.34, 0.34],
        [0.75, 0.75, 0.28, 0.05, 0.12],
        [0.50, 0.30, 0.04, 0.01, 0.02],
        [0.00, 0.00, 0.30, 0.30, 0.30],
    ]
)
"""Orders in 28 days, by habit and period."""
_ORDER = np.array([42.0, 70.0, 126.0])
"""Mean order in EUR, by value band."""
_SPREAD = 0.35
"""Sigma of the lognormal factors between customers, and between a customer's orders."""
_LIKES = np.array([8.6, 7.9, 6.6, 5.6, 7.8])
"""Mean score of a recommendation from 0 to 10, by habit."""


@dataclass(frozen=True, slots=True)
class People:
    """Customers before anything is done to them; arrays have one entry a customer.

    Attributes:
        codes: Level numbers of each trait.
        habit: Numbers of `HABITS`.
        household: Whom they live with.
        opted_in: Whether they agreed to be contacted.
        rates: Expected orders in 28 days in each of the `PERIODS`, shape (n, 5).
        mean_order: Expected amount of an order in EUR.
        likes: Expected score of a recommendation.
        total_spend: What they spend in 28 days in all shops, in EUR.
    """

    codes: Mapping[str, Integers]
    habit: Integers
    household: Integers
    opted_in: NDArray[np.bool_]
    rates: Floats
    mean_order: Floats
    likes: Floats
    total_spend: Floats

    def __len__(self) -> int:
        return len(self.habit)

    @property
    def expected_orders(self) -> Floats:
        """Orders within a campaign's window if left alone."""
        return self.rates[:, -1]

    def chosen(self, here: Integers) -> People:
        """Some of them."""
        return People(
            codes={name: code[here] for name, code in self.codes.items()},
            habit=self.habit[here],
            household=self.household[here],
            opted_in=self.opted_in[here],
            rates=self.rates[here],
            mean_order=self.mean_order[here],
            likes=self.likes[here],
            total_spend=self.total_spend[here],
        )


def factor(random: np.random.Generator, size: int) -> Floats:
    """Lognormal factors with mean 1."""
    return random.lognormal(-(_SPREAD**2) / 2, _SPREAD, size)


def draw_people(random: np.random.Generator, customers: int) -> People:
    """Draw customers."""
    codes = {
        name: random.choice(len(trait.levels), size=customers, p=trait.shares)
        for name, trait in TRAITS.items()
    }
    habit = random.choice(len(HABITS.levels), size=customers, p=HABITS.shares)
    rates = _RATES[habit] * factor(random, customers)[:, None]
    mean_order = _ORDER[codes["value_band"]] * factor(random, customers)
    own = rates[:, -2] * mean_order
    return People(
        codes=codes,
        habit=habit,
        household=_households(random, customers),
        opted_in=random.random(customers) < 0.8,  # noqa: PLR2004 - four in five
        rates=rates,
        mean_order=mean_order,
        likes=_LIKES[habit] + random.normal(0, 1, customers),
        total_spend=own + random.gamma(4.0, 20.0, customers),
    )


def _households(random: np.random.Generator, customers: int) -> Integers:
    """Who lives with whom: one to three in a household, neighbours in the list."""
    sizes = random.choice(3, size=customers, p=(0.6, 0.3, 0.1)) + 1
    return np.repeat(np.arange(customers), sizes)[:customers]


def period_rates(people: People) -> list[tuple[int, int, Floats]]:
    """First day, number of days, and expected orders of each customer, by period."""
    ends = pairwise(PERIODS)
    return [
        (first, last - first, people.rates[:, at] * (last - first) / WINDOW)
        for at, (first, last) in enumerate(ends)
    ]
