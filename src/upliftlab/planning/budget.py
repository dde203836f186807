"""The best design under a budget: how many customers each arm should have.

What is sought is the most exact answer that the money buys: the division whose standard errors of
profit per customer are smallest. Unlike the chance of a decision it hangs on no guess of an effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.planning.expectation import Expectation
from upliftlab.planning.power import DetectableEffects
from upliftlab.results.analysis import Message
from upliftlab.results.costs import CostStep
from upliftlab.results.plan import BudgetArm, BudgetDesign
from upliftlab.text.language import N_

_MANY: Final = 10**9
_STEPS: Final = 200
_PARTS: Final = 1_000
"""Shares are told in tenths of a percent."""


@dataclass(frozen=True, slots=True)
class PricedArm:
    """A treated arm: what its answer is made of, and what a customer costs.

    Attributes:
        variance: n·se² of what its own customers add to the standard error.
        cost: Of one more customer, in money.
    """

    variance: float
    cost: float


def divide(
    arms: Mapping[str, PricedArm], control: float, customers: float, money: float
) -> dict[str, float]:
    """Customers of each treated arm; all others are the control.

    The sum over arms of v_a/n_a + v_0/n_0 is smallest, where n_0 + Σ n_a are all customers and
    Σ c_a·n_a is at most the money: at n_a = √(v_a/(λ + μ·c_a)) and n_0 = √(k·v_0/λ), by the
    conditions of Karush, Kuhn and Tucker for k arms. Without a binding budget that is Neyman's
    division, with Dunnett's √k for the control.

    Args:
        arms: The treated arms.
        control: n·se² of what the control's customers add.
        customers: How many there are for all arms together.
        money: What treated customers may cost.

    >>> sizes = divide({"mail": PricedArm(1.0, 0.5)}, 1.0, 1_000, 1e9)
    >>> round(sizes["mail"])
    500
    >>> round(divide({"mail": PricedArm(1.0, 0.5)}, 1.0, 1_000, 100.0)["mail"])
    200
    """

    def at(price: float) -> dict[str, float]:
        def sizes(scarcity: float) -> dict[str, float]:
            return {
                name: math.sqrt(arm.variance / (scarcity + price * arm.cost))
                for name, arm in arms.items()
            }

        def over(scarcity: float) -> bool:
            held = math.sqrt(len(arms) * control / scarcity)
            return held + sum(sizes(scarcity).values()) > customers

        return sizes(_least(over))

    def dear(price: float) -> bool:
        found = at(price)
        return sum(arms[name].cost * size for name, size in found.items()) > money

    return at(_least(dear)) if dear(0.0) else at(0.0)


def _least(over: Callable[[float], bool]) -> float:
    """The least positive number that is no longer over, by bisection of its logarithm."""
    low, high = -700.0, 700.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if over(math.exp(middle)) else (low, middle)
    return math.exp(high)


def best_design(
    reach: DetectableEffects, customers: int, effect: float, budget: float
) -> BudgetDesign:
    """The division of the customers that tells most for a budget, beside the one declared.

    Args:
        reach: What the experiment can find, in a plan with money.
        customers: In all arms together.
        effect: The expected effect on the lead metric.
        budget: What the campaign may cost, fixed costs included.

    Raises:
        ConfigError: UL323, fixed costs alone take it.
    """
    expected = reach.expectation
    fixed = {arm: expected.spec.terms[arm].fixed for arm in expected.spec.treatments}
    left = budget - sum(fixed.values())
    if left <= 0:
        message = f"the arms' fixed costs alone are {sum(fixed.values()):,.2f}"
        raise ConfigError(Diagnostic("UL323", message, "give a larger --budget, or fewer arms"))
    arms = {arm: _priced(expected, arm, effect) for arm in fixed}
    treated = {arm: each for arm, (each, _) in arms.items()}
    sizes = divide(treated, max(control for _, control in arms.values()), customers, left)
    shares = {arm: math.floor(size / customers * _PARTS) / _PARTS for arm, size in sizes.items()}
    control = expected.spec.control
    shares = {control: 1 - sum(shares.values()), **shares}
    made = replace(reach, expectation=replace(expected, shares=shares))
    return BudgetDesign(
        budget=budget,
        cost=_outlay(made.expectation, arms, fixed, customers),
        se=_se(made.expectation, customers, effect),
        power=min(made.power(arm, customers, effect) for arm in fixed),
        declared_cost=_outlay(expected, arms, fixed, customers),
        declared_se=_se(expected, customers, effect),
        declared_power=min(reach.power(arm, customers, effect) for arm in fixed),
        arms=tuple(
            BudgetArm(
                arm=arm,
                control=arm == control,
                share=share,
                customers=made.expectation.in_arm(arm, customers),
                cost=0.0
                if arm == control
                else fixed[arm] + arms[arm][0].cost * made.expectation.in_arm(arm, customers),
            )
            for arm, share in shares.items()
        ),
        described=_described(shares, arms, sizes, left),
    )


def _priced(expected: Expectation, arm: str, effect: float) -> tuple[PricedArm, float]:
    """What an arm's answer is made of, and the control's part of it, per customer."""
    terms = {name: each.variable for name, each in expected.spec.terms.items()}
    free = replace(expected, spec=replace(expected.spec, terms=terms))
    halves, most = (_shared(free, arm, share) for share in (0.5, 0.75))
    question = halves.question(arm, _MANY, effect)
    # se²·n = v_a/share + v_0/(1 − share), at two shares
    even = _squared(halves, arm, effect)
    odd = _squared(most, arm, effect)
    own = (2 * even - odd) * 3 / 8
    return PricedArm(own, question.per_customer(CostStep.cost).estimate or 0.0), even / 2 - own


def _shared(expected: Expectation, arm: str, share: float) -> Expectation:
    return replace(expected, shares={expected.spec.control: 1 - share, arm: share})


def _squared(expected: Expectation, arm: str, effect: float) -> float:
    """Customers times the squared standard error of profit per customer."""
    found = expected.question(arm, _MANY, effect).per_customer(CostStep.profit)
    return _MANY * (found.se or 0.0) ** 2


def _outlay(
    expected: Expectation,
    arms: Mapping[str, tuple[PricedArm, float]],
    fixed: Mapping[str, float],
    customers: int,
) -> float:
    """What a design is expected to cost."""
    each = (arms[arm][0].cost * expected.in_arm(arm, customers) + fixed[arm] for arm in fixed)
    return sum(each)


def _se(expected: Expectation, customers: int, effect: float) -> float | None:
    """The standard error of profit per customer, of the arm where it is largest."""
    found = [
        expected.question(arm, customers, effect).per_customer(CostStep.profit).se
        for arm in expected.spec.treatments
    ]
    known = [se for se in found if se is not None]
    return max(known) if len(known) == len(found) else None


def _described(
    shares: Mapping[str, float],
    arms: Mapping[str, tuple[PricedArm, float]],
    sizes: Mapping[str, float],
    left: float,
) -> Message:
    """The lines to write, and whether the budget or the number of customers is the limit."""
    spent = sum(arms[arm][0].cost * size for arm, size in sizes.items())
    line = ", ".join(f"{arm}: {share * 100:.4g}%" for arm, share in shares.items())
    text = (
        N_("The budget is the limit. Shares to write: {line}.")
        if spent > left * (1 - 1e-6)
        else N_("The budget is more than the customers can use. Shares to write: {line}.")
    )
    return Message(template=text, values={"line": line})
