"""Returns: what each arm costs, must earn, and can be expected to earn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.planning.expectation import Expectation
from upliftlab.planning.power import DetectableEffects
from upliftlab.results.plan import ArmMoney
from upliftlab.stats.effects import Effect
from upliftlab.stats.power import smallest_sample

_NOISE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class CampaignTerms:
    """The campaign whose money is asked for.

    Attributes:
        customers: In all arms together.
        known: Whether there are so many; else so many are needed.
        effect: The expected effect on the lead metric.
        roi_within: Half of ROI's interval that is wanted; None where none is.
    """

    customers: int
    known: bool
    effect: float
    roi_within: float | None


def arm_money(
    reach: DetectableEffects, arm: str, campaign: CampaignTerms, *, judged: bool
) -> ArmMoney:
    """The money of one arm.

    Args:
        reach: What the experiment can find, in a plan with money.
        arm: A treated arm.
        campaign: How many customers it has and what is expected of it.
        judged: Whether the decision rule is about this arm's profit.
    """
    expected, n, effect = reach.expectation, campaign.customers, campaign.effect
    question = expected.question(arm, n, effect)
    profit, roi = question.incremental_profit(), question.roi()
    from_ = reach.ships_from(arm, n) if judged and campaign.known else None
    return ArmMoney(
        arm=arm,
        break_even=break_even(expected, arm, n, 0.0),
        break_even_hurdle=break_even(expected, arm, n, question.hurdle),
        profit=_settled(profit),
        profit_half=half(profit),
        roi=_settled(roi),
        roi_half=half(roi),
        holdout_price=_holdout_price(expected, arm, n, effect),
        ships=reach.ships(arm, n, effect) if judged and campaign.known else None,
        ships_needed=reach.ships_needed(arm, effect) if judged else None,
        ships_from=None if from_ is None else expected.revenue_lift(from_),
        roi_needed=roi_needed(reach, arm, effect, campaign.roi_within),
    )


def usual_precision(reach: DetectableEffects, customers: int | None, effect: float) -> float | None:
    """Half of ROI's interval as it is with so many customers, of the arm that it is widest for.

    Rounded up to two digits. With the customers that the expected effect takes, it is what a
    campaign tells of ROI that is large enough for its first question, and so within its reach.
    None where ROI is bounded in no arm.
    """
    if customers is None:
        return None
    expected = reach.expectation
    halves = (
        half(expected.question(arm, customers, effect).roi()) for arm in expected.spec.treatments
    )
    if not (known := [each for each in halves if each]):
        return None
    unit = 10.0 ** (math.floor(math.log10(max(known))) - 1)
    return math.ceil(max(known) / unit) * unit


def roi_needed(
    reach: DetectableEffects, arm: str, effect: float, within: float | None
) -> int | None:
    """Customers in all arms together for ROI's interval to be as narrow as wanted."""
    if within is None:
        return None
    return smallest_sample(
        lambda n: _narrow(reach.expectation.question(arm, n, effect).roi(), within)
    )


def half(effect: Effect) -> float | None:
    """Half of an interval, None where it has no ends."""
    if effect.low is None or effect.high is None:
        return None
    return (effect.high - effect.low) / 2


def _settled(effect: Effect) -> float | None:
    """An estimate, 0 where it is a rounding error beside its standard error: exactly break-even."""
    if effect.estimate is not None and effect.se and abs(effect.estimate) < _NOISE * effect.se:
        return 0.0
    return effect.estimate


def _narrow(effect: Effect, within: float) -> bool:
    width = half(effect)
    return width is not None and width <= within


def break_even(expected: Expectation, arm: str, customers: int, hurdle: float) -> float | None:
    """The relative rise of revenue at which profit less the hurdle's share of cost is 0.

    Both are linear in the effect. None where a sale costs more than it brings.
    """
    unit = abs(expected.mean)
    start, end = (
        expected.question(arm, customers, effect).above_hurdle(hurdle).estimate
        for effect in (0.0, unit)
    )
    if start is None or end is None or end <= start:
        return None
    lift = expected.revenue_lift(-start / (end - start) * unit)
    return lift + 0.0


def _holdout_price(expected: Expectation, arm: str, customers: int, effect: float) -> float | None:
    """What the control would earn if it were treated as well; fixed costs are paid already."""
    terms = {name: each.variable for name, each in expected.spec.terms.items()}
    free = replace(expected, spec=replace(expected.spec, terms=terms))
    profit = _settled(free.question(arm, customers, effect).incremental_profit())
    treated = expected.in_arm(arm, customers)
    if profit is None or not treated:
        return None
    return profit / treated * expected.in_arm(expected.spec.control, customers)
