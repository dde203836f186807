"""What would make a question answerable: each number is that of an experiment declared so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from plans import make_plan

from upliftlab.config.models.limits import Tolerance
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.plan import PlanningContext, plan

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MONEY = {"currency": "EUR", "money": {"revenue": "spend", "margin": "40%", "hurdle": "20%"}}
COSTS = {"mail": "0.5", "sms": "0.8"}


def planned(shares, customers=20_000, **assumed):
    """Customers who spend 10 ± 30, in arms with these shares, the control's first."""
    arms = {"none": {"share": shares["none"], "control": "true"}}
    arms |= {
        n: {"share": s, "cost_per_contact": COSTS[n]} for n, s in shares.items() if n != "none"
    }
    known = {"effect": Tolerance(value=0.2, kind="relative"), "given": Given(10.0, 30.0)}
    known |= {"roi_within": 0.4}
    asked = Assumptions(**(known | {"customers": customers} | assumed))
    return plan(make_plan(arms=arms, title="Does it pay?", **MONEY), asked, PlanningContext(NOW))


UNEVEN = {"none": "20%", "mail": "50%", "sms": "30%"}
NUMBERS = {
    "effect": lambda found: found.needed,
    "pays": lambda found: next(m.ships_needed for m in found.money if m.arm == "mail"),
    "roi": lambda found: next(m.roi_needed for m in found.money if m.arm == "mail"),
}


def ways(found, name):
    answer = next(each for each in found.answers if each.name == name)
    return answer, {way.template.split()[0]: way.values for way in answer.ways}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_way_is_that_of_an_experiment_declared_so(name):
    found = planned(UNEVEN, customers=6_000)
    answer, told = ways(found, name)
    assert answer.state == "cannot"
    number = NUMBERS[name]
    assert told["Reach"] == {"needed": number(found), "n": 6_000}
    thirds = planned({"none": "33.3333333%", "mail": "33.3333333%", "sms": "33.3333334%"}, 6_000)
    assert next(iter(told.values()))["n"] == 6_000
    alone = planned({"none": "50%", "mail": "50%"}, 6_000)
    evenly = told.get("Divide") or told["Divided"]
    assert evenly["needed"] == pytest.approx(number(thirds), abs=2)
    single = told.get("Test") or told["Even"]
    assert single["needed"] == number(alone)
    assert single["needed"] < evenly["needed"] < number(found)


def test_ways_for_which_there_are_enough_come_first_and_say_so():
    answer, _ = ways(planned(UNEVEN, customers=16_000), "effect")
    first = [way.template.split()[0] for way in answer.ways]
    assert first == ["Divide", "Test", "Reach", "Pool"]
    assert all(way.values["needed"] <= 16_000 for way in answer.ways[:2])
    answer, _ = ways(planned(UNEVEN, customers=3_000), "effect")
    assert [way.template.split()[0] for way in answer.ways] == ["Reach", "Pool", "Divided", "Even"]


def test_what_arrives_is_told_in_weeks():
    found = planned(UNEVEN, customers=6_000, per_week=1_500)
    _, told = ways(found, "effect")
    assert told["Let"] == {"needed": found.needed, "per_week": 1_500, "weeks": 13}
    assert 12 * 1_500 < found.needed <= 13 * 1_500


def test_what_can_be_answered_or_is_answered_by_no_needs_no_way():
    assert all(not each.ways for each in planned(UNEVEN, customers=10**6).answers)
    small = planned(UNEVEN, customers=20_000, effect=Tolerance(value=0.05, kind="relative"))
    assert {each.state: bool(each.ways) for each in small.answers}["no"] is False


def test_one_arm_that_is_divided_in_half_can_only_be_larger():
    _, told = ways(planned({"none": "50%", "mail": "50%"}, customers=1_000), "effect")
    assert list(told) == ["Reach", "Pool"]
