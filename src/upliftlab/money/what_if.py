"""What if the terms were others: profit, ROI and verdict from the sums that an analysis publishes.

What customers did is held fixed: a dearer voucher is redeemed as often, a thinner margin sells as
much. Profit is a linear form of the same columns with other weights, its intervals are Welch's and
Fieller's of that form. Where critical values were dealt or bent by skewness, those of
the measured terms hold: the shape of chance is taken from the measured campaign.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

from upliftlab.errors import DataError, Diagnostic
from upliftlab.money import ArmTerms
from upliftlab.results.analysis import Analysis, Note, VerdictCode, exceeded
from upliftlab.results.base import Published, Result, Summary, interval, short
from upliftlab.results.costs import RATED, CostStep, Per
from upliftlab.results.ship_rule import final, foremost, parse_ship_if
from upliftlab.results.what_if import (
    Bounds,
    HeldBounds,
    WhatIf,
    WhatIfContrast,
    WhatIfGroup,
)
from upliftlab.stats.effects import Effect, LinearContrast, Pooled, TwoSample, welch
from upliftlab.stats.level import HeldLevel, Level
from upliftlab.stats.moments import Array, Moments
from upliftlab.stats.ratio import fieller

MARGIN: Final = "margin"
HELD: Final = "held"
_EACH: Final = (Per.customer, Per.arm)
_PROFIT: Final = "profit"


@dataclass(frozen=True, slots=True)
class Terms:
    """What everything is worth and costs.

    Attributes:
        arms: Every arm's terms, the control's too.
        hurdle: ROI below this is not worth it.
        customers: How many a roll-out reaches.
        most: The largest that a margin can be: all of revenue; of a metric that is margin, which
            may be larger than it was measured, there is none.
    """

    arms: Mapping[str, ArmTerms]
    hurdle: float
    customers: float
    most: float = 1.0


class WhatIfRange(Result):
    """An estimate with its interval."""

    estimate: float | None
    low: float | None
    high: float | None
    note: Note | None = None

    @classmethod
    def of(cls, effect: Effect) -> WhatIfRange:
        """An effect's."""
        return cls(estimate=effect.estimate, low=effect.low, high=effect.high, note=effect.note)


class WhatIfPlace(Result):
    """An arm in one place, under other terms."""

    arm: str
    dimension: str | None
    level: str | None
    profit: WhatIfRange
    roi: WhatIfRange


class WhatIfArm(Result):
    """An arm's answer under other terms."""

    arm: str
    code: VerdictCode
    value: float | None
    """Profit above the hurdle, by which the verdict is; the decision metric's where one decides."""
    low: float | None
    high: float | None
    rollout: WhatIfRange
    """Profit of a roll-out, its fixed cost paid once."""


class WhatIfAnswer(Published):
    """What an analysis would have found, had the terms been others."""

    tables = ("places", "arms")
    code: VerdictCode
    arm: str | None
    arms: tuple[WhatIfArm, ...]
    places: tuple[WhatIfPlace, ...]
    """Every arm overall, then in every level of every segment."""

    def summary(self) -> Summary:
        """The verdict, and each arm's profit."""
        rows = tuple(
            (each.arm, name, short(found.estimate), interval(found.low, found.high))
            for each in self.places
            if each.dimension is None
            for name, found in ((_PROFIT, each.profit), ("ROI", each.roi))
        )
        named = "" if self.arm is None else f": {self.arm}"
        context = "with other terms; the response of customers is held as it was measured"
        return Summary(f"{self.code}{named}", context, ("arm", "of", "estimate", "interval"), rows)


def measured(analysis: Analysis) -> Terms:
    """The terms of an analysis.

    Raises:
        DataError: UL670, it holds nothing to answer from.
    """
    block, terms = analysis.money_sums, analysis.terms
    if block is None or terms is None:
        message = "this analysis holds nothing to answer 'what if' from"
        remedy = "it takes an experiment with 'money', a verdict that is not INVALID, and an "
        raise DataError(Diagnostic("UL670", message, f"{remedy}analysis of this version"))
    rates = {step: terms.rates(step) for step in RATED}
    arms = {
        arm: ArmTerms(terms.margin, {step: by.get(arm, 0.0) for step, by in rates.items()})
        for arm in block.customers
    }
    most = 1.0 if terms.margin_metric is None else inf
    return Terms(arms, terms.hurdle, sum(block.customers.values()), most)


def changed(analysis: Analysis, asked: Mapping[str, float | Mapping[str, float]]) -> Terms:
    """The terms of an analysis with some others in their place.

    Args:
        analysis: What was found.
        asked: `margin`, `hurdle`, `customers`, or the key of a rate: one for all treated arms, or
            by arm.

    Raises:
        DataError: UL670 it holds nothing to answer from, UL671 there is no such term, UL672 a value
            is none that the term can have, UL673 there is no such arm.
    """
    terms, keys = measured(analysis), {step.line.key: step for step in RATED}
    control = {arm.arm for arm in analysis.arms if arm.control}
    treated = [arm for arm in terms.arms if arm not in control]
    for name, value in asked.items():
        if name == MARGIN:
            margin = _one(name, value, terms.most)
            terms = replace(
                terms, arms={arm: replace(own, margin=margin) for arm, own in terms.arms.items()}
            )
        elif name in ("hurdle", "customers"):
            terms = replace(terms, **{name: _one(name, value)})
        elif name in keys:
            by = value if isinstance(value, Mapping) else dict.fromkeys(treated, value)
            most = 1.0 if keys[name].line.per is Per.revenue else inf
            rates = {_arm(arm, treated): _one(name, rate, most) for arm, rate in by.items()}
            terms = replace(terms, arms=_having(terms.arms, keys[name], rates))
        else:
            known = ", ".join((MARGIN, "hurdle", "customers", *keys))
            message = f"there is no term '{name[:60]}' to change"
            raise DataError(Diagnostic("UL671", message, f"there are {known}"))
    return terms


def _one(name: str, value: object, most: float = inf) -> float:
    if isinstance(value, (int, float)) and 0 <= value <= most and value < inf:
        return float(value)
    limit = "from 0 up" if most == inf else f"from 0 to {most:g}"
    message = f"'{name}' cannot be {str(value)[:60]}"
    raise DataError(Diagnostic("UL672", message, f"give one number {limit}"))


def _arm(name: str, treated: list[str]) -> str:
    if name in treated:
        return name
    message = f"there is no treated arm '{name[:60]}'"
    raise DataError(Diagnostic("UL673", message, f"there are {', '.join(treated)}"))


def _having(
    arms: Mapping[str, ArmTerms], step: CostStep, rates: Mapping[str, float]
) -> dict[str, ArmTerms]:
    return {
        arm: terms.having({step: rates[arm]}) if arm in rates else terms
        for arm, terms in arms.items()
    }


def what_if(analysis: Analysis, terms: Terms) -> WhatIfAnswer:
    """What an analysis would have found under other terms.

    Args:
        analysis: What was found, with its `money_sums`.
        terms: As `changed` makes them.

    Raises:
        DataError: UL670, it holds nothing to answer from.
    """
    measured(analysis)
    assert analysis.money_sums is not None  # noqa: S101 - `measured` asked
    control = next(arm.arm for arm in analysis.arms if arm.control)
    sums = [Sums(analysis.money_sums, each, control) for each in analysis.money_sums.contrasts]
    whole = {each.contrast.arm: each for each in sums if each.contrast.dimension is None}
    arms = tuple(_answers(analysis, whole, terms))
    code, arm = _verdict(analysis, arms)
    places = tuple(
        WhatIfPlace(
            arm=each.contrast.arm,
            dimension=each.contrast.dimension,
            level=each.contrast.level,
            profit=WhatIfRange.of(each.profit(terms)),
            roi=WhatIfRange.of(each.roi(terms)),
        )
        for each in sums
    )
    return WhatIfAnswer(code=code, arm=arm, arms=arms, places=places)


def _answers(analysis: Analysis, whole: Mapping[str, Sums], terms: Terms) -> Iterator[WhatIfArm]:
    rule, look = parse_ship_if(analysis.decision.ship_if), analysis.look
    for was in analysis.verdict.arms:
        if was.arm not in whole:
            continue
        sums, code = whole[was.arm], was.code
        value, low, high = was.value, was.low, was.high
        if analysis.decision.metric == _PROFIT:
            found = sums.above_hurdle(terms, verdict=True)
            value, low, high = found.estimate, found.low, found.high
            above = low is not None and low > rule.threshold
            settled = above or (high is not None and high < rule.threshold)
            code = rule.code(value, settled=settled)
            if look is not None and look.number < look.planned:
                code = rule.so_far(code, money=True)
            code = VerdictCode.stop if exceeded(analysis.checks, was.arm) else code
        rollout = WhatIfRange.of(sums.rollout(terms))
        yield WhatIfArm(arm=was.arm, code=code, value=value, low=low, high=high, rollout=rollout)


def _verdict(analysis: Analysis, arms: tuple[WhatIfArm, ...]) -> tuple[VerdictCode, str | None]:
    """The verdict over all arms; what stands before money, such as an open window, stays."""
    if analysis.decision.metric != _PROFIT or not arms:
        return analysis.verdict.code, analysis.verdict.arm
    look = analysis.look
    interim = look is not None and look.number < look.planned
    if interim and not final({arm.code for arm in arms}):
        return VerdictCode.not_final, None
    best = foremost(arms)
    return best.code, best.arm


@dataclass(frozen=True, slots=True, eq=False)
class _Sums(Moments):
    """Moments of which strata have left but the quartic form Σ v²/df."""

    quartic: Array | None = None

    def told_freedom(self, weights: Array) -> float | None:
        """The squared variance of a form per degree of freedom, summed over strata."""
        if self.quartic is None:
            return None
        products = weights[monomials(len(weights) - 1)].prod(axis=1)
        used = products != 0
        return float(products[used] @ self.quartic[used])


@dataclass(frozen=True)
class Sums:
    """The sums of one contrast, as an answer asks them.

    Attributes:
        block: What is common to all.
        contrast: An arm in a place.
        control: The control arm.
    """

    block: WhatIf
    contrast: WhatIfContrast
    control: str

    @cached_property
    def pair(self) -> TwoSample:
        """Two groups of which the first has the differences as its means.

        The last column is 1 for every treated customer: what is paid for each.
        """
        contrast, k = self.contrast, len(self.block.columns)
        treated = _moments(contrast.treated, np.append(contrast.difference, 1.0))
        control = _moments(contrast.control, np.zeros(k + 1))
        if not contrast.shared:
            return TwoSample(treated, control)
        slopes = np.eye(k, k + 1)
        pooled = Pooled(slopes, np.zeros_like(slopes), square(contrast.shared))
        return TwoSample(treated, control, pooled=pooled)

    def margin(self, terms: Terms) -> LinearContrast:
        """The difference in contribution margin, per customer."""
        return self._form({MARGIN: terms.arms[self.contrast.arm].margin})

    def cost(self, arms: Mapping[str, ArmTerms]) -> LinearContrast:
        """The difference in cost, per customer; what is paid for an arm as one customer's share."""
        own, control = arms[self.contrast.arm], arms[self.control]
        once = [per for per in (Per.contact, *_EACH) if per not in self.block.columns]
        weights = {per.value: own.paid(per) for per in Per if per in self.block.columns}
        each = sum(own.paid(per) - control.paid(per) for per in once)
        return self._form({**weights, HELD: 1.0}, each)

    def _form(self, weights: Mapping[str, float], each: float = 0.0) -> LinearContrast:
        found = np.array([*(weights.get(name, 0.0) for name in self.block.columns), each])
        return LinearContrast(found, -found)

    def profit(self, terms: Terms) -> Effect:
        """What the treated customers earned more than without treatment."""
        return self.above_hurdle(replace(terms, hurdle=0.0))

    def above_hurdle(self, terms: Terms, *, verdict: bool = False) -> Effect:
        """Profit less the hurdle's share of cost; at the verdict's level where that is asked."""
        form = self.margin(terms).minus(self.cost(self._spread(terms)), 1 + terms.hurdle)
        level = self._level(above=terms.hurdle != 0, verdict=verdict)
        return welch(self.pair, form, level).scaled(self.contrast.customers)

    def roi(self, terms: Terms) -> Effect:
        """Profit by cost, with Fieller's interval."""
        cost = self.cost(self._spread(terms))
        profit, level = self.margin(terms).minus(cost, 1.0), self._level(above=True)
        effect = fieller(self.pair, profit, cost, level, terms.hurdle)
        if effect.note is not Note.denominator_unclear:
            return effect
        note = Note.zero_cost if effect.estimate is None else Note.cost_unclear
        return replace(effect, note=note)

    def rollout(self, terms: Terms) -> Effect:
        """Profit of as many customers as the terms say, what an arm costs at all paid once."""
        arms = {arm: own.variable for arm, own in terms.arms.items()}
        fixed = terms.arms[self.contrast.arm].fixed - terms.arms[self.control].fixed
        form = self.margin(terms).minus(self.cost(arms), 1.0)
        effect = welch(self.pair, form, self._level(above=False))
        return effect.scaled(terms.customers).shifted(-fixed)

    def _spread(self, terms: Terms) -> dict[str, ArmTerms]:
        customers = self.block.customers
        return {arm: own.spread(customers[arm]) for arm, own in terms.arms.items()}

    def _level(self, *, above: bool, verdict: bool = False) -> Level:
        block, contrast = self.block, self.contrast
        nominal = block.nominal_verdict if verdict else block.nominal
        held = contrast.held_verdict if verdict else contrast.held
        bounds = _bounds(held, above=above)
        return Level(1 - nominal) if bounds is None else HeldLevel(1 - nominal, held=bounds)


def _bounds(held: HeldBounds | None, *, above: bool) -> tuple[float, float] | None:
    found: Bounds | None = None
    if held is not None:
        found = held.above_hurdle if above else held.profit
    if found is None:
        return None
    low, high = found
    return -inf if low is None else low, inf if high is None else high


def monomials(columns: int) -> npt.NDArray[np.int64]:
    """The places of four weights in each coefficient of `WhatIfGroup.freedom`, shape (c, 4).

    >>> monomials(2).tolist()[:3]
    [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1]]
    """
    return np.array(list(combinations_with_replacement(range(columns), 4)))


def square(triangle: tuple[float | None, ...]) -> Array:
    """A symmetric matrix from its upper triangle, row by row; NaN where nothing is known."""
    size = int((8 * len(triangle) + 1) ** 0.5 - 1) // 2
    found = np.zeros((size, size))
    found[np.triu_indices(size)] = [np.nan if value is None else value for value in triangle]
    return found + np.triu(found, 1).T


def _moments(group: WhatIfGroup, mean: Array) -> _Sums:
    n, m2 = group.n, np.zeros((len(mean), len(mean)))
    m2[:-1, :-1] = square(group.covariance) * n * (n - 1)
    quartic = np.array([np.nan if value is None else value for value in group.freedom])
    unknown = np.full(len(mean), np.nan)
    return _Sums(
        n, mean, m2, unknown, spent=n - group.df, quartic=quartic if group.freedom else None
    )
