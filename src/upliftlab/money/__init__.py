"""Money: outcomes become profit by coefficients, so a changed margin or cost needs no data.

Per customer, with revenue r: contribution margin m = margin·r, or a metric; marketing cost k = the
sum of the cost lines (`results.costs`), each its rate times what it is paid for; profit = m − k. A
cost F of a whole arm of n customers is F/n for each, so that segments carry their share of it. A
household's columns are totals: there a constant counts once a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.results.costs import COSTS, RATED, CostStep, Per
from upliftlab.stats.effects import Effect, LinearContrast, TwoSample, welch
from upliftlab.stats.level import Level, level_of
from upliftlab.stats.moments import Array, Projection
from upliftlab.stats.ratio import fieller

PROFIT, ABOVE_HURDLE, REVENUE = "profit", "above_hurdle", "revenue"
"""What of money is compared, where units are divided anew for it."""
_PER_ARM = tuple(step for step in RATED if step.line.per is Per.arm)


@dataclass(frozen=True, slots=True)
class ArmTerms:
    """What one arm's revenue is worth and what reaching a customer costs.

    Attributes:
        margin: Contribution margin as a share of revenue, or of the metric that is margin.
        rates: What is paid, by cost line; those of a whole arm may be spread over its customers.
    """

    margin: float
    rates: Mapping[CostStep, float] = field(default_factory=dict[CostStep, float])

    def __getitem__(self, step: CostStep) -> float:
        """The rate of a cost, 0 where none is declared."""
        return self.rates.get(step, 0.0)

    @property
    def fixed(self) -> float:
        """What is paid for the arm, however many customers it has."""
        return sum(step.line.factor * self[step] for step in _PER_ARM)

    @property
    def variable(self) -> ArmTerms:
        """The terms without what is paid for the arm."""
        return self.having(dict.fromkeys(_PER_ARM, 0.0))

    def spread(self, customers: float) -> ArmTerms:
        """The terms with what is paid for the arm shared out to so many customers."""
        each = {step: self[step] / customers if customers else 0.0 for step in _PER_ARM}
        return self.having(each)

    def having(self, rates: Mapping[CostStep, float]) -> ArmTerms:
        """The terms with some rates in the place of others."""
        return replace(self, rates={**self.rates, **rates})

    def paid(self, per: Per) -> float:
        """What is paid each time, over all costs of its kind."""
        return sum(step.line.factor * self[step] for step in RATED if step.line.per is per)


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
    margin: int | None = None
    """The column that is margin, where it is no share of revenue."""

    @property
    def earned(self) -> int:
        """The column that margin is taken of."""
        return self.revenue if self.margin is None else self.margin

    @property
    def amounts(self) -> tuple[int, ...]:
        """The columns that hold money: these can be skewed as few others are."""
        return tuple(dict.fromkeys((self.revenue, self.earned, *self.further)))

    @property
    def columns(self) -> tuple[int, ...]:
        """Every column that profit is made of."""
        events = (self.counting(step.line.per) for step in RATED)
        counted = (column for column in events if column is not None)
        return tuple(dict.fromkeys((*self.amounts, *counted)))

    def moved(self, place: Mapping[int, int]) -> Roles:
        """The same among other columns; `place` tells where each of them went.

        What counts nothing that is paid for may be gone.
        """

        def there(column: int | None) -> int | None:
            return None if column is None else place.get(column)

        return Roles(
            place[self.revenue],
            there(self.contacts),
            there(self.redemptions),
            there(self.conversions),
            tuple(place[column] for column in self.further),
            there(self.size),
            None if self.margin is None else place[self.margin],
        )

    def counting(self, per: Per) -> int | None:
        """The column that counts what is paid for; None where none does."""
        counted = {
            Per.contact: self.contacts,
            Per.redemption: self.redemptions,
            Per.conversion: self.conversions,
            Per.revenue: self.revenue,
        }
        return counted.get(per)


def projection(columns: int, roles: Roles, terms: ArmTerms) -> Projection:
    """The map from an arm's columns to the same columns followed by those of `CostStep`.

    Args:
        columns: Number of columns.
        roles: Which of them money is made of.
        terms: The arm's terms, what is paid for the arm as its share of one customer.
    """
    rows = np.zeros((len(CostStep), columns))
    offset = np.zeros(len(CostStep))
    rows[CostStep.revenue.column, roles.revenue] = 1.0
    rows[CostStep.margin.column, roles.earned] = terms.margin
    for step in COSTS:
        _put(rows[step.column], offset, step, (roles, terms))
    if roles.size is not None:
        rows[:, roles.size] += offset
        offset = np.zeros(len(CostStep))
    costs = [step.column for step in COSTS]
    margin, cost, profit = (
        step.column for step in (CostStep.margin, CostStep.cost, CostStep.profit)
    )
    rows[cost] = rows[costs].sum(axis=0)
    offset[cost] = offset[costs].sum()
    rows[profit] = rows[margin] - rows[cost]
    offset[profit] = -offset[cost]
    return Projection(
        np.vstack([np.eye(columns), rows]), np.concatenate([np.zeros(columns), offset])
    )


def _put(row: Array, offset: Array, step: CostStep, given: tuple[Roles, ArmTerms]) -> None:
    """One cost's coefficients, or its constant where everybody has it once."""
    (roles, terms), per = given, step.line.per
    rate = step.line.factor * terms[step]
    if per is Per.metric:
        for column in roles.further:
            row[column] += 1.0
    elif (column := roles.counting(per)) is not None:
        row[column] = rate
    elif not per.needs_count:
        offset[step.column] = rate


@dataclass(frozen=True, slots=True)
class MoneyContrast:
    """What money asks of a treated group and its control, over projected columns.

    Attributes:
        pair: Moments over columns of which some are those of `CostStep`, per customer.
        confidence: Level of every interval.
        hurdle: ROI below this is not worth it.
        roles: Which columns count what is paid for; needed to divide by one of these.
        first: The place of the first of `CostStep`; they are the last where it is not given.
        draws: Studentised differences of divided units, where Student's t will not do.
        skewness: Of the studentised difference, where it is slight.
    """

    pair: TwoSample
    confidence: float | Level
    hurdle: float = 0.0
    roles: Roles | None = None
    first: int | None = None
    draws: Mapping[str, Array] = field(default_factory=dict[str, Array])
    skewness: Mapping[str, float] = field(default_factory=dict[str, float])

    def level(self, compared: str) -> Level:
        """The level at which profit, profit above the hurdle, or revenue is asked."""
        return replace(
            level_of(self.confidence),
            draws=self.draws.get(compared),
            skewness=self.skewness.get(compared, 0.0),
        )

    @property
    def _size(self) -> int:
        return len(self.pair.treated.mean)

    def _form(self, column: CostStep | Per) -> LinearContrast | None:
        """The difference of a column; None of what nothing counts."""
        if isinstance(column, Per):
            place = None if self.roles is None else self.roles.counting(column)
        else:
            first = self._size - len(CostStep) if self.first is None else self.first
            place = first + column.column
        return None if place is None else LinearContrast.difference(self._size, {place: 1.0})

    def _difference(self, step: CostStep) -> LinearContrast:
        form = self._form(step)
        assert form is not None  # noqa: S101 - every step has its column
        return form

    def incremental_profit(self) -> Effect:
        """n_t·Δprofit: what the treated units earned more than without treatment."""
        return self.above_hurdle(0.0)

    def above_hurdle(self, hurdle: float | None = None) -> Effect:
        """n_t·(Δmargin − (1 + hurdle)·Δcost): positive exactly where ROI exceeds the hurdle."""
        rate = self.hurdle if hurdle is None else hurdle
        level = self.level(PROFIT if rate == 0 else ABOVE_HURDLE)
        effect = welch(self.pair, self.form_above(rate), level)
        return effect.scaled(self.pair.treated.n * self.pair.size)

    def form_above(self, hurdle: float) -> LinearContrast:
        """Δmargin − (1 + hurdle)·Δcost of one treated unit's customer."""
        return self._difference(CostStep.profit).minus(self._difference(CostStep.cost), hurdle)

    def incremental(self, step: CostStep, compared: str = "") -> Effect:
        """n_t·Δ: what the treated units had of a step more than without treatment.

        Args:
            step: Which of money's columns.
            compared: Whose draws its interval takes; Student's t where there are none.
        """
        effect = welch(self.pair, self._difference(step), self.level(compared))
        return effect.scaled(self.pair.treated.n * self.pair.size)

    def per_customer(self, step: CostStep, compared: str = "") -> Effect:
        """Δ: what one treated customer had of a step more; p is that of the total.

        Args:
            step: Which of money's columns.
            compared: Whose draws its interval takes; Student's t where there are none.
        """
        return replace(welch(self.pair, self._difference(step), self.level(compared)), p=None)

    def roi(self) -> Effect:
        """Δprofit / Δcost, tested against the hurdle."""
        return self.ratio(CostStep.profit, CostStep.cost, self.hurdle, ABOVE_HURDLE)

    def ratio(
        self,
        above: CostStep | Per,
        below: CostStep | Per,
        null: float | None = None,
        compared: str = "",
    ) -> Effect:
        """Δabove / Δbelow with Fieller's interval.

        Args:
            above: One of money's columns, or what a metric counts.
            below: The same; the ratio has a meaning where its difference is positive.
            null: What p tests; None where nothing is natural, then there is no p.
            compared: Whose draws the interval takes; Student's t where there are none.
        """
        forms = self._form(above), self._form(below)
        unclear, absent = _NOTES.get(below, (Note.denominator_unclear, Note.denominator_unclear))
        if forms[0] is None or forms[1] is None:
            return Effect(None, note=absent)
        effect = fieller(self.pair, forms[0], forms[1], self.level(compared), null)
        if effect.note is not Note.denominator_unclear:
            return effect
        return replace(effect, note=absent if effect.estimate is None else unclear)


_NOTES: Mapping[CostStep | Per, tuple[Note, Note]] = {
    CostStep.cost: (Note.cost_unclear, Note.zero_cost),
    Per.conversion: (Note.denominator_unclear, Note.no_conversions),
}
"""Why a ratio over a column has no bounds, and why it has no estimate."""
