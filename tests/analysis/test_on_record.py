"""What arms pay for is on record, or it is said: a campaign that was sent is not costed at zero.

The world: 1,200 customers, half of whom got a letter that costs 6 and brings 10 more of revenue, of
which 40 % is margin. Each letter loses 2; a letter that is costed at zero would earn 4.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from commands import upliftlab
from grouped import experiment
from plans import pick

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.report.render import render

SIZE, SENT = 1_200, 600
TREATED = np.arange(0, SIZE, 2)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
START = date(2026, 9, 7)
NAMED = '[spring, "Letter September"]'
METRICS = "  revenue: {from: orders, sum: amount}\n  contacts: {from: contacts, count: true}\n"
MORE = {
    "redemptions": "  redeemed: {from: redemptions, count: true}\n",
    "tickets": "  service: {from: tickets, sum: cost}\n",
}
TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-09-07, share: 100%}]\n"
    "outcome_window: 28 days\nmetrics: {primary: revenue}\ncurrency: EUR\n"
    "arms: {none: {control: true}, letter: {channel: email, cost_per_contact: 6}}\n"
    "money: {revenue: revenue, margin: 40%}\n"
)
EACH = TEXT.replace("margin: 40%", "margin: 40%, contacts: one per customer")
PROGRAM = "time_zone: UTC\nsmallest_cell: 5"


def fill(shop, *, names="spring", ids=TREATED, day=START, **declared):
    """The letter's world; `names` stand beside its contacts, and all else is as it should be."""
    arms = ["letter", "none"] * (SIZE // 2)
    shop.table("customers", {"id": np.arange(SIZE), "arm": arms})
    days = [START + timedelta(days=k) for k in (-10, 3, 12, 24, 27, 30)]
    rng = np.random.default_rng(5)
    whose = np.repeat(np.arange(SIZE), len(days))
    counts = np.tile([0, 1, 1, 1, 1, 0], SIZE)
    amount = rng.normal(20, 4, len(whose)) + np.where(whose % 2 == 0, 2.5 * counts, 0)
    orders = {"id": whose, "at": days * SIZE, "amount": amount}
    shop.table("orders", orders, time="at")
    campaign = [names] * len(ids) if isinstance(names, str) else names
    rows = {
        "id": pa.array(ids, pa.int64()),
        "at": pa.array([day] * len(ids), pa.date32()),
        "campaign": pa.array(campaign, pa.string()),
    }
    declared = {"time": "at", "experiment": "campaign"} | declared
    known = {key: value for key, value in declared.items() if value is not None}
    shop.table("contacts", rows, **known)


def found(shop, text=TEXT, name="spring", now=NOW, more=""):
    plan = shop.plan(text, METRICS + MORE.get(more, ""), program=PROGRAM, name=name)
    return analyze(plan, AnalysisContext(shop.engine, now))


def check(analysis, name="on_record:contacts:letter"):
    return next(each for each in analysis.checks if each.name == name)


def profit(analysis):
    return pick(analysis, "incremental_profit", arm="letter").estimate


def test_a_letter_under_another_name_costs_nothing_no_longer(anywhere):
    fill(anywhere, names="Letter September")
    wrong = found(anywhere)
    told = check(wrong)
    assert wrong.verdict.code == "INVALID"
    assert wrong.verdict.sentence.endswith(told.message)
    assert (told.severity, told.passed, profit(wrong)) == ("critical", False, None)
    assert "'campaign' of contacts names 'Letter September'" in told.message
    assert "write 'experiment: [spring, \"Letter September\"]'" in told.message
    assert check(wrong, "presence:contacts").severity == "critical"
    right = found(anywhere, name=NAMED)
    assert right.verdict.code == "STOP"
    assert check(right, "on_record").passed
    assert profit(right) == pytest.approx(-2 * SENT, abs=0.5 * SENT)
    each = found(anywhere, EACH)
    assert profit(each) == pytest.approx(profit(right))
    assert each.verdict.code == "STOP"


def test_the_verdict_that_was_wrong(shop):
    """As it was: at no cost the same letter would have been shipped."""
    fill(shop)
    free = found(shop, EACH.replace("cost_per_contact: 6", "cost_per_contact: 0"))
    assert free.verdict.code == "SHIP"
    assert profit(free) == pytest.approx(4 * SENT, abs=0.5 * SENT)
    assert found(shop).verdict.code == "STOP"


def test_a_file_that_holds_only_its_header(shop):
    fill(shop, ids=[])
    analysis = found(shop)
    assert analysis.verdict.code == "INVALID"
    assert "Nobody in letter has a contact on record ('contacts' is 0)" in check(analysis).message
    assert "'contacts: one per customer' under 'money'" in check(analysis).message
    assert "holds no rows" in check(analysis, "presence:contacts").message


def test_a_few_of_the_contacts_are_a_warning_with_their_share(anywhere):
    fill(anywhere, ids=TREATED[:18])
    told = check(found(anywhere))
    assert (told.severity, told.passed, told.value) == ("warning", False, 0.03)
    assert "Only 3% of letter (18) have a contact on record" in told.message


def test_the_others_are_under_another_name(shop):
    names = np.where(np.arange(SENT) < 18, "spring", "Letter September")
    other = ["Autumn"] * 20  # of customers of either arm, and so not this campaign
    fill(shop, ids=[*TREATED, *range(20)], names=[*names, *other])
    analysis = found(shop)
    assert analysis.verdict.code != "INVALID"
    assert check(analysis).value == 0.03
    assert "also names 'Letter September': if" in check(analysis).message


@pytest.mark.parametrize(("share", "passed"), [(0.49, False), (0.5, True)])
def test_who_is_not_reached_makes_nothing_invalid(shop, share, passed):
    fill(shop, ids=TREATED[: round(SENT * share)])
    analysis = found(shop)
    names = [each.name for each in analysis.checks if each.name.startswith("on_record")]
    assert names == ["on_record" if passed else "on_record:contacts:letter"]
    assert analysis.verdict.code != "INVALID"


def test_names_that_only_the_treated_have_come_first(shop):
    names = ["Newsletter"] * SIZE + ["Letter September"] * 500
    fill(shop, ids=[*range(SIZE), *TREATED[:500]], names=names)
    analysis = found(shop)
    for told in (check(analysis), check(analysis, "presence:contacts")):
        assert "'Letter September', 'Newsletter': if" in told.message
        assert 'experiment: [spring, "Letter September"]' in told.message


def test_names_of_fewer_customers_than_are_shown_and_persons_are_not_told(shop):
    fill(shop, names=["Letter"] * (SENT - 4) + ["Only four"] * 4)
    assert "Only four" not in check(found(shop)).message
    fill(shop, names=[f"person{k}@example.com" for k in range(SENT)])
    told = check(found(shop)).message
    assert "example" not in told
    assert "('contacts' is 0)" in told
    fill(shop, names="erna@example.com")
    assert "erna" not in check(found(shop)).message


def test_hostile_names_are_cut_and_escaped(shop):
    fill(shop, names="<script>alert(1)</script>\x1b[31m" + "x" * 200)
    analysis = found(shop)
    told = check(analysis).message
    assert "\x1b" not in told
    assert f"'<script>alert(1)</script>\\x1b[31m{'x' * 27}…': if" in told
    assert "write 'experiment: [spring, \"…\"]'" in told
    assert "<script>alert(1)</script>" not in render(analysis)


def test_contacts_before_the_window_are_named_as_such(shop):
    fill(shop, day=START - timedelta(days=1))
    told = check(found(shop))
    assert told.severity == "critical"
    assert "600 of its customers have one in contacts. Look at the time" in told.message


def test_no_name_but_rows_that_a_condition_leaves_out(shop):
    fill(shop, experiment=None)
    metrics = METRICS.replace("count: true}", "count: true, where: campaign = 'letter'}", 1)
    plan = shop.plan(TEXT, metrics, program=PROGRAM)
    told = check(analyze(plan, AnalysisContext(shop.engine, NOW)))
    assert "600 of its customers have one in contacts" in told.message


def test_a_channel_without_a_cost_is_asked_and_an_arm_without_either_is_not(shop):
    fill(shop, ids=[])
    free = TEXT.replace(", cost_per_contact: 6", ", cost_per_contact: 0")
    assert check(found(shop, free)).severity == "critical"
    price = TEXT.replace("{channel: email, cost_per_contact: 6}", "{service_cost: 1}")
    assert check(found(shop, price), "on_record").passed


def test_business_as_usual_is_contacted_by_its_channel(shop):
    usual = TEXT.replace("control: true", "control: true, business_as_usual: true, channel: email")
    fill(shop)
    analysis = found(shop, usual)
    assert check(analysis, "on_record:contacts:none").severity == "critical"
    assert analysis.verdict.code == "INVALID"
    fill(shop, ids=range(SIZE))
    assert check(found(shop, usual), "on_record").passed


def test_nobody_is_asked_before_anybody_has_begun_and_warned_while_it_goes_on(shop):
    fill(shop, ids=[])
    early = found(shop, now=datetime(2026, 9, 1, tzinfo=UTC))
    assert not [each for each in early.checks if each.name.startswith("on_record")]
    later = found(shop, now=datetime(2026, 9, 20, tzinfo=UTC))
    assert check(later).severity == "warning"
    assert later.verdict.code == "NOT FINAL"


def test_check_data_says_the_same(shop):
    fill(shop, names="Letter September")
    shop.plan(TEXT, METRICS, program=PROGRAM)
    done = upliftlab("check", "experiment.yaml", "--data", "data", cwd=shop.root)
    assert done.returncode != 0
    assert "UL300 Nobody in letter has a contact on record" in done.stdout
    assert 'experiment: [spring, "Letter September"]' in done.stdout
    assert "contacts: one per customer" in upliftlab("explain", "UL300", cwd=shop.root).stdout


COLUMN = "assignment: {observed: arm}\nmetrics: {primary: spend}\ncurrency: EUR\n"
COLUMN += "arms: {none: {control: true}, letter: {cost_per_contact: 6}}\n"


def test_contacts_as_a_column_of_zeros(shop):
    rng = np.random.default_rng(1)
    columns = {
        "arm": ["letter", "none"] * 100,
        "spend": rng.normal(50, 10, 200),
        "mailed": [0] * 200,
    }
    money = "money: {revenue: spend, margin: 40%, contacts: mailed}\n"
    zero = shop.analysed(columns, COLUMN + money)
    assert zero.verdict.code == "INVALID"
    assert check(zero, "on_record:mailed:letter").severity == "critical"
    each = shop.analysed(columns, COLUMN + money.replace("mailed", "one per customer"))
    bridge = {line.kind: line.estimate for line in each.bridges[0].lines}
    assert bridge["contact_cost"] == pytest.approx(-6 * 100)
    assert bridge["profit"] == pytest.approx(profit(each), abs=0.01)


def test_aggregated_contacts_of_zero():
    rows = {"arm": ["letter", "none"], "n": [500, 500], "mailed": [0, 0]}
    rows |= {"spend": [6000.0, 5000.0], "squares": [90_000.0, 80_000.0]}
    sums = {"n": "n", "sum": {"spend": "spend"}, "sum_sq": {"spend": "squares"}}
    sums |= {"units_with": {"mailed": "mailed"}, "sum_product": {"spend": {"mailed": "mailed"}}}

    def analysed(contacts):
        asked = experiment(
            {"aggregated": sums},
            currency="EUR",
            arms={"none": {"control": True}, "letter": {"cost_per_contact": 6}},
            metrics={"primary": "spend"},
            money={"revenue": "spend", "margin": "40%", "contacts": contacts},
        )
        return asked.analyze(pd.DataFrame(rows))

    zero = analysed("mailed")
    assert check(zero, "on_record:mailed:letter").severity == "critical"
    assert zero.verdict.code == "INVALID"
    assert profit(analysed("one per customer")) == pytest.approx(0.4 * 1000 - 6 * 500)


VOUCHER = TEXT.replace("cost_per_contact: 6", "cost_per_contact: 0, cost_per_redemption: 5")
VOUCHER = VOUCHER.replace("margin: 40%", "margin: 40%, redemptions: redeemed")


def redeem(shop, ids, names):
    rows = {
        "id": pa.array(ids, pa.int64()),
        "at": pa.array([START + timedelta(days=5)] * len(ids), pa.date32()),
        "code": pa.array(names, pa.string()),
    }
    shop.table("redemptions", rows, time="at", experiment="code")


def test_redemptions_under_another_code(anywhere):
    fill(anywhere)
    redeem(anywhere, TREATED[:200], ["SEPT10"] * 200)
    told = check(found(anywhere, VOUCHER, more="redemptions"), "on_record:redeemed:letter")
    assert told.severity == "critical"
    assert "'code' of redemptions names 'SEPT10', more often there than in the" in told.message
    right = found(anywhere, VOUCHER, "[spring, SEPT10]", more="redemptions")
    assert check(right, "on_record").passed
    bridge = {line.kind: line.estimate for line in right.bridges[0].lines}
    assert bridge["incentive"] == pytest.approx(-5 * 200)


def test_no_redemption_at_all_may_be_true(shop):
    fill(shop)
    redeem(shop, range(200), ["OTHER"] * 200)  # of the control as well
    told = check(found(shop, VOUCHER, more="redemptions"), "on_record:redeemed:letter")
    assert (told.severity, told.passed) == ("warning", False)
    assert "'redeemed' is 0 for everybody in letter" in told.message


def test_further_costs_that_nobody_has(shop):
    fill(shop)
    asked = TEXT.replace("margin: 40%", "margin: 40%, costs: [service]")
    rows = {"id": TREATED[:50], "at": [START] * 50, "cost": [3.0] * 50, "about": ["Letter"] * 50}
    shop.table("tickets", rows, time="at", experiment="about")
    told = check(found(shop, asked, more="tickets"), "on_record:service:letter")
    assert told.severity == "critical"
    assert "'about' of tickets names 'Letter'" in told.message
    rows["id"] = np.arange(50)
    shop.table("tickets", rows, time="at", experiment="about")
    told = check(found(shop, asked, more="tickets"), "on_record:service:letter")
    assert told.severity == "warning"
    shop.table("tickets", rows, time="at")
    assert check(found(shop, asked, more="tickets"), "on_record").passed


def test_a_commission_on_no_revenue_is_asked_about(shop):
    columns = {"arm": ["letter", "none"] * 50, "spend": [0.0, 1.0] * 50}
    text = COLUMN.replace("cost_per_contact: 6", "commission: 5%")
    analysis = shop.analysed(columns, text + "money: {revenue: spend, margin: 40%}\n")
    assert check(analysis, "on_record:spend:letter").severity == "warning"
