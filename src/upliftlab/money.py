"""Money: outcomes become profit by coefficients, so a changed margin or cost needs no data.

Per customer, with revenue r: contribution margin m = margin·r; marketing cost k = contacts·contact
cost + redemptions·incentive + commission rate·r + service + further costs + fixed cost per
customer; profit = m − k. A fixed cost F of an arm of n customers is F/n for each, so that segments
carry their share of it. A household's columns are totals: there a constant counts once a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.effects import Effect, LinearContrast, TwoSample, welch
from upliftlab.stats.level import Level, level_of
from upliftlab.stats.moments import Array, Projection
from upliftlab.stats.ratio import fieller

PROFIT, ABOVE_HURDLE, REVENUE = "profit", "above_hurdle", "revenue"
"""What of money is compared, where units are divided anew for it."""


class Item(IntEnum):
    """Columns that money adds behind the metrics, in this order."""

    revenue = 0
    margin = 1
    contact_cost = 2
    incentive = 3
    commission = 4
    service = 5
    further = 6
    fixed_cost = 7
    cost = 8
    profit = 9


@dataclass(frozen=True, slots=True)
class ArmTerms:
    """What one arm's revenue is worth and what reaching a customer costs.

    Attributes:
        margin: Contribution margin as a share of revenue.
        contact: Cost of a contact.
        incentive: Cost of a redemption.
        commission: Share of revenue paid to the channel.
        service: Cost of every customer in the arm.
        fixed: Fixed cost per customer in the arm.
    """

    margin: float
    contact: float = 0.0
    incentive: float = 0.0
    commission: float = 0.0
    service: float = 0.0
    fixed: float = 0.0


@dataclass(frozen=True, slots=True)
class Roles:
    """Which metric columns money is made of; None for contacts means one for every customer."""

    revenue: int
    contacts: int | None = None
    redemptions: int | None = None
    conversions: int | None = None
    further: tuple[int, ...] = ()
    """Further costs, whatever arm they arise in."""
    size: int | None = None
    """The column that counts a unit's customers, where units are households."""

    @property
    def amounts(self) -> tuple[int, ...]:
        """The columns that hold money: these can be skewed as few others are."""
        return (self.revenue, *self.further)

    @property
    def columns(self) -> tuple[int, ...]:
        """Every column that profit is made of."""
        events = (self.contacts, self.redemptions)
        return (*self.amounts, *(column for column in events if column is not None))


def projection(columns: int, roles: Roles, terms: ArmTerms) -> Projection:
    """The map from an arm's columns to the same columns followed by `Item`.

    Args:
        columns: Number of columns.
        roles: Which of them money is made of.
        terms: The arm's terms.
    """
    rows = np.zeros((len(Item), columns))
    offset = np.zeros(len(Item))
    rows[Item.revenue, roles.revenue] = 1.0
    rows[Item.margin, roles.revenue] = terms.margin
    rows[Item.commission, roles.revenue] = terms.commission
    _per_event(rows, offset, Item.contact_cost, (roles.contacts, terms.contact))
    if roles.redemptions is not None:
        rows[Item.incentive, roles.redemptions] = terms.incentive
    for column in roles.further:
        rows[Item.further, column] += 1.0
    offset[Item.service] = terms.service
    offset[Item.fixed_cost] = terms.fixed
    if roles.size is not None:
        rows[:, roles.size] += offset
        offset = np.zeros(len(Item))
    costs = list(range(Item.contact_cost, Item.cost))
    rows[Item.cost] = rows[costs].sum(axis=0)
    offset[Item.cost] = offset[costs].sum()
    rows[Item.profit] = rows[Item.margin] - rows[Item.cost]
    offset[Item.profit] = -offset[Item.cost]
    return Projection(
        np.vstack([np.eye(columns), rows]), np.concatenate([np.zeros(columns), offset])
    )


def _per_event(
    rows: np.ndarray, offset: np.ndarray, item: Item, cost: tuple[int | None, float]
) -> None:
    column, each = cost
    if column is None:
        offset[item] = each
    else:
        rows[item, column] = each


@dataclass(frozen=True, slots=True)
class MoneyContrast:
    """What money asks of a treated group and its control, over projected columns.

    Attributes:
        pair: Moments over columns of which some are `Item`, per customer.
        confidence: Level of every interval.
        hurdle: ROI below this is not worth it.
        conversions: The column that counts conversions, or None.
        first: The place of the first `Item`; they are the last columns where it is not given.
        draws: Studentised differences of divided units, where Student's t will not do.
    """

    pair: TwoSample
    confidence: float | Level
    hurdle: float = 0.0
    conversions: int | None = None
    first: int | None = None
    draws: Mapping[str, Array] = field(default_factory=dict[str, Array])

    def level(self, compared: str) -> Level:
        """The level at which profit, profit above the hurdle, or revenue is asked."""
        return replace(level_of(self.confidence), draws=self.draws.get(compared))

    @property
    def _size(self) -> int:
        return len(self.pair.treated.mean)

    def _form(self, item: Item, factor: float = 1.0) -> LinearContrast:
        first = self._size - len(Item) if self.first is None else self.first
        return LinearContrast.difference(self._size, {first + item: factor})

    def incremental_profit(self) -> Effect:
        """n_t·Δprofit: what the treated units earned more than without treatment."""
        return self.above_hurdle(0.0)

    def above_hurdle(self, hurdle: float | None = None) -> Effect:
        """n_t·(Δmargin − (1 + hurdle)·Δcost): positive exactly where ROI exceeds the hurdle."""
        rate = self.hurdle if hurdle is None else hurdle
        form = self._form(Item.profit).minus(self._form(Item.cost), rate)
        level = self.level(PROFIT if rate == 0 else ABOVE_HURDLE)
        effect = welch(self.pair, form, level)
        return effect.scaled(self.pair.treated.n * self.pair.size)

    def incremental(self, item: Item, compared: str = "") -> Effect:
        """n_t·Δitem: what the treated units had of it more than without treatment.

        Args:
            item: Which of money's columns.
            compared: Whose draws its interval takes; Student's t where there are none.
        """
        effect = welch(self.pair, self._form(item), self.level(compared))
        return effect.scaled(self.pair.treated.n * self.pair.size)

    def roi(self) -> Effect:
        """Δprofit / Δcost, tested against the hurdle."""
        return self._per_cost(self._form(Item.profit), self.hurdle, ABOVE_HURDLE)

    def iroas(self) -> Effect:
        """Δrevenue / Δcost; whether it pays is asked of profit, so it has no p-value of its own."""
        return self._per_cost(self._form(Item.revenue), None, REVENUE)

    def cost_per_conversion(self) -> Effect:
        """Δcost / Δconversions; no null hypothesis is natural, so it has no p-value."""
        if self.conversions is None:
            return Effect(None, note=Note.no_conversions)
        conversions = LinearContrast.difference(self._size, {self.conversions: 1.0})
        effect = fieller(self.pair, self._form(Item.cost), conversions, self.confidence, None)
        if effect.estimate is None and effect.note is Note.denominator_unclear:
            return Effect(None, note=Note.no_conversions)
        return effect

    def _per_cost(self, numerator: LinearContrast, null: float | None, compared: str) -> Effect:
        cost = self._form(Item.cost)
        effect = fieller(self.pair, numerator, cost, self.level(compared), null)
        if effect.note is not Note.denominator_unclear:
            return effect
        spent = effect.estimate is not None
        return replace(effect, note=Note.cost_unclear if spent else Note.zero_cost)
