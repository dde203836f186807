"""The best design under a budget: no other division that costs as little tells more."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlooks import NOW
from plans import make_plan

from upliftlab.config.models.limits import Tolerance
from upliftlab.errors import UpliftLabError
from upliftlab.planning.assumptions import Assumptions, Given, assumptions_of
from upliftlab.planning.budget import PricedArm, divide
from upliftlab.planning.plan import PlanningContext, plan

POSITIVE = st.floats(0.1, 10.0)
ARMS = st.lists(st.builds(PricedArm, POSITIVE, POSITIVE), min_size=1, max_size=4)
COSTS = {"mail": "0.5", "sms": "0.8"}


def told(arms, control, sizes, customers):
    """The sum of the squared standard errors."""
    rest = customers - sum(sizes)
    return sum(arm.variance / n + control / rest for arm, n in zip(arms, sizes, strict=True))


@settings(max_examples=40, deadline=None)
@given(arms=ARMS, control=POSITIVE, money=st.floats(10.0, 10_000.0), data=st.data())
def test_no_division_of_the_same_price_tells_more(arms, control, money, data):
    customers = 1_000.0
    named = {str(at): arm for at, arm in enumerate(arms)}
    sizes = list(divide(named, control, customers, money).values())
    spent = sum(arm.cost * n for arm, n in zip(arms, sizes, strict=True))
    assert spent <= money * (1 + 1e-9)
    assert sum(sizes) < customers
    factors = data.draw(st.lists(st.floats(0.5, 2.0), min_size=len(arms), max_size=len(arms)))
    other = [n * factor for n, factor in zip(sizes, factors, strict=True)]
    price = sum(arm.cost * n for arm, n in zip(arms, other, strict=True))
    other = [n * min(1.0, money / price) for n in other]
    if sum(other) < customers:
        best = told(arms, control, sizes, customers)
        assert best <= told(arms, control, other, customers) * (1 + 1e-9)


@given(variances=st.lists(POSITIVE, min_size=1, max_size=4), control=POSITIVE)
def test_with_money_enough_it_is_neyman_s_division_with_dunnett_s_control(variances, control):
    named = {str(at): PricedArm(v, 1.0) for at, v in enumerate(variances)}
    sizes = divide(named, control, 1_000.0, 1e9)
    weights = [math.sqrt(v) for v in variances]
    whole = sum(weights) + math.sqrt(len(weights) * control)
    assert list(sizes.values()) == pytest.approx([1_000 * w / whole for w in weights])


def planned(budget, shares=("20%", "50%", "30%"), customers=20_000, fixed="100"):
    arms = {"none": {"share": shares[0], "control": "true"}}
    arms |= {
        name: {"share": share, "cost_per_contact": COSTS[name]}
        for name, share in zip(COSTS, shares[1:], strict=True)
    }
    money = {"revenue": "spend", "margin": "40%", "fixed_cost": {"mail": fixed}}
    asked = make_plan(arms=arms, currency="EUR", money=money)
    assumed = Assumptions(
        effect=Tolerance(value=0.2, kind="relative"),
        given=Given(10.0, 30.0),
        customers=customers,
        budget=budget,
    )
    return plan(asked, assumed, PlanningContext(NOW))


def test_the_design_is_within_the_budget_and_its_figures_are_those_of_a_plan_declared_so():
    """2,000 less 100 for 0.50 and 0.80 each: what it tells is what `plan` tells of its shares."""
    found = planned(2_000.0).budget
    shares = {arm.arm: arm.share for arm in found.arms}
    assert sum(shares.values()) == pytest.approx(1)
    assert found.cost == pytest.approx(sum(arm.cost for arm in found.arms))
    sizes = {arm.arm: arm.customers for arm in found.arms}
    assert found.cost == pytest.approx(100 + 0.5 * sizes["mail"] + 0.8 * sizes["sms"])
    assert 1_950 < found.cost <= 2_000
    again = planned(2_000.0, tuple(f"{share:.1%}" for share in shares.values()))
    assert again.budget.declared_se == pytest.approx(found.se, rel=1e-9)
    assert again.budget.declared_cost == pytest.approx(found.cost)
    assert min(arm.power for arm in again.arms[1:]) == pytest.approx(found.power)
    assert found.described.template.startswith("The budget is the limit.")


def test_the_same_money_spent_best_tells_at_least_as_much():
    declared = planned(1e9).budget
    best = planned(declared.declared_cost).budget
    assert best.se <= declared.declared_se
    assert declared.described.template.startswith("The budget is more than")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("5000 SEK", "UL323 the budget is in SEK, the plan in EUR"), ("much", "UL323 ")],
)
def test_a_budget_that_is_none_is_refused(asked, expected):
    with pytest.raises(UpliftLabError) as error:
        assumptions_of(make_plan(currency="EUR"), {"budget": asked})
    assert str(error.value.faults[0]).startswith(expected)


def test_fixed_costs_alone_may_take_it():
    with pytest.raises(UpliftLabError, match="fixed costs alone are 100"):
        planned(100.0)
