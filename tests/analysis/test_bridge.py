"""The bridge from revenue to profit: by hand, to the cent, from raw rows, and withheld."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from plans import pick
from scipy import stats
from shops import Shop

from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.export import rounded
from upliftlab.results.analysis import CostStep, Note, VerdictCode

MAIL = (
    "channel: email, cost_per_contact: 0.5, cost_per_redemption: 3, "
    "commission: 2%, service_cost: 0.25"
)
MONEY = (
    "money: {revenue: spend, margin: 40%, contacts: contacts, redemptions: redeemed, "
    "costs: [tickets], fixed_cost: {mail: 7.77}}\n"
)
ASKED = f"""
assignment: {{observed: arm}}
arms: {{none: {{control: true}}, mail: {{{MAIL}}}}}
currency: EUR
metrics: {{primary: spend}}
{MONEY}"""
THREE = ASKED.replace(
    f"none: {{control: true}}, mail: {{{MAIL}}}",
    f"none: {{control: true, share: 10%}}, mail: {{{MAIL}, share: 50%}}, "
    f"letter: {{{MAIL.replace('2%', '5%')}, share: 40%}}",
)
SUMMED = set(CostStep) - {CostStep.revenue, CostStep.cost, CostStep.profit}


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def analysed(shop, columns, asked=ASKED):
    return shop.analysed(columns, asked)


def four():
    """Four treated and two in the control, as in tests/test_money.py."""
    return {
        "arm": ["mail"] * 4 + ["none"] * 2,
        "spend": [100.0, 0, 50, 0, 50, 0],
        "contacts": [2, 1, 2, 2, 0, 0],
        "redeemed": [1, 0, 1, 0, 0, 0],
        "tickets": [2.0, 0, 0, 1, 1, 0],
    }


def drawn():
    """4,000 customers by twos: spend is skewed, the control small, something known before."""
    rng, n = np.random.default_rng(5), 4000
    arm = np.repeat(["none", "mail", "letter"], [400, 2000, 1600])
    treated = arm != "none"
    before = rng.lognormal(2, 1, n)
    bought = rng.random(n) < 0.1 + 0.05 * treated
    return {
        "arm": arm,
        "home": [f"h{i // 2}" for i in range(n)],
        "before": before,
        "spend": np.round(bought * (rng.lognormal(3, 1.2, n) + 0.1 * before), 2),
        "contacts": treated * rng.integers(1, 3, n),
        "redeemed": (bought & treated & (rng.random(n) < 0.5)).astype(int),
        "tickets": np.round(rng.lognormal(0, 1, n) * (rng.random(n) < 0.3), 2),
    }


def bridge(analysis, arm="mail"):
    (found,) = (one for one in analysis.bridges if one.arm == arm)
    return found


def adds_up(analysis):
    """How many bridges there are: each, as published, sums exactly to the profit that was found."""
    for one in rounded(analysis).bridges:
        exact = {line.kind: Decimal(repr(line.estimate)) for line in one.lines}
        parts = [Decimal(repr(line.estimate)) for line in one.lines if line.kind in SUMMED]
        assert sum(parts) == exact[CostStep.profit] == exact[CostStep.margin] + exact[CostStep.cost]
        place = {"dimension": one.dimension, "level": one.level}
        profit = pick(analysis, "incremental_profit", one.arm, **place)
        assert float(exact[CostStep.profit]) == round(profit.estimate, one.decimals)
        last = one.lines[-1]
        for end, whole in ((last.low, profit.low), (last.high, profit.high)):
            assert end == (None if whole is None else pytest.approx(whole, rel=1e-9))
    return len(analysis.bridges)


def test_hand_worked(shop):
    """Spend 150 against 2·50: margin 60 − 40; contacts 3.50, vouchers 6, commission 3, service 1.

    Tickets 3 against 2·1; the fixed cost is 7.77.
    """
    found = analysed(shop, four())
    lines = bridge(found).lines
    assert {line.kind: line.estimate for line in lines} == {
        CostStep.revenue: 50.0,
        CostStep.margin: 20.0,
        CostStep.contact_cost: -3.5,
        CostStep.incentive: -6.0,
        CostStep.commission: -3.0,
        CostStep.service: -1.0,
        CostStep.further_cost: -1.0,
        CostStep.fixed_cost: -7.77,
        CostStep.cost: -22.27,
        CostStep.profit: -2.27,
    }
    assert {line.kind: line.metric for line in lines if line.metric} == {
        CostStep.revenue: "spend",
        CostStep.margin: "spend",
        CostStep.contact_cost: "contacts",
        CostStep.incentive: "redeemed",
        CostStep.commission: "spend",
        CostStep.further_cost: "tickets",
    }
    assert adds_up(found) == 2


def test_what_is_certain_has_no_interval(shop):
    lines = {line.kind: line for line in bridge(analysed(shop, four())).lines}
    for kind in (CostStep.service, CostStep.fixed_cost):
        assert (lines[kind].se, lines[kind].low, lines[kind].note) == (0, None, Note.same_for_all)
    assert lines[CostStep.contact_cost].low < -3.5 < lines[CostStep.contact_cost].high


def test_a_term_that_is_not_declared_has_no_line(shop):
    asked = ASKED.replace(MAIL, "channel: email").replace(
        MONEY, "money: {revenue: spend, margin: 40%}\n"
    )
    found = analysed(shop, four(), asked)
    kinds = [line.kind for line in bridge(found).lines]
    assert kinds == [CostStep.revenue, CostStep.margin, CostStep.cost, CostStep.profit]
    assert adds_up(found) == 2
    without = ASKED.replace(MAIL, "channel: email").replace(MONEY, "")
    assert analysed(shop, four(), without).bridges == ()


def test_a_cost_of_the_control_is_less_to_pay(shop):
    """The control's two contacts at 1 would have been four for the four treated."""
    asked = ASKED.replace("control: true", "control: true, cost_per_contact: 1")
    columns = {**four(), "contacts": [2, 1, 2, 2, 1, 1]}
    lines = {line.kind: line for line in bridge(analysed(shop, columns, asked)).lines}
    assert lines[CostStep.contact_cost].estimate == 4 * 1 - 3.5


def test_a_control_of_one_customer_tells_nothing_of_it(shop):
    columns = {name: values[:5] for name, values in four().items()}
    found = analysed(shop, columns)
    assert found.verdict.code is VerdictCode.invalid
    assert found.bridges == ()


def test_an_invalid_analysis_has_no_bridge(shop):
    columns = {name: list(values) * 50 for name, values in four().items()}
    found = analysed(shop, columns)
    assert found.verdict.code is VerdictCode.invalid
    assert found.bridges == ()


def test_lines_are_what_rows_give(shop):
    rows = drawn()
    found = analysed(shop, rows, THREE)
    ours = {line.kind: line for line in bridge(found).lines}
    groups = dict(iter(pd.DataFrame(rows).groupby("arm")))
    treated, control, n = groups["mail"], groups["none"], len(groups["mail"])
    for kind, column, each in (
        (CostStep.contact_cost, "contacts", 0.5),
        (CostStep.incentive, "redeemed", 3.0),
    ):
        ends = stats.ttest_ind(
            treated[column], control[column], equal_var=False
        ).confidence_interval(0.95)
        more = treated[column].mean() - control[column].mean()
        assert ours[kind].estimate == pytest.approx(-n * each * more, abs=0.011)
        assert (ours[kind].low, ours[kind].high) == pytest.approx(
            (-n * each * ends.high, -n * each * ends.low), rel=1e-9
        )
    revenue, margin = ours[CostStep.revenue], ours[CostStep.margin]
    assert revenue.estimate == pytest.approx(
        n * (treated.spend.mean() - control.spend.mean()), abs=0.006
    )
    assert (margin.low, margin.high) == pytest.approx((0.4 * revenue.low, 0.4 * revenue.high))
    tickets = pick(found, "difference", metric="tickets")
    assert (ours[CostStep.further_cost].low, ours[CostStep.further_cost].high) == pytest.approx(
        (-n * tickets.high, -n * tickets.low), rel=1e-9
    )


def test_where_revenue_is_skewed_its_lines_have_the_draws_of_revenue(shop):
    found = analysed(shop, drawn(), THREE)
    assert pick(found, "iroas").method == "fieller+permutation"
    revenue = bridge(found).lines[0]
    below, above = revenue.estimate - revenue.low, revenue.high - revenue.estimate
    assert abs(below / above - 1) > 0.02, "not symmetric, as Student's would be"


@pytest.mark.parametrize(
    "more", ["", "analysis: {covariates: [before]}\n", "analysis: {confidence: 80%}\n"]
)
@pytest.mark.parametrize("unit", ["", ", unit: home"])
def test_lines_add_up_to_the_cent(shop, more, unit):
    """Pooled arms of other terms, households, covariates."""
    asked = THREE.replace("observed: arm", f"observed: arm{unit}") + more
    found = analysed(shop, drawn(), asked)
    assert adds_up(found) == 3
    assert all(one.lines and one.note is None for one in found.bridges)


def test_costs_and_profit_share_the_added_margin(shop):
    """What costs take of the margin of 20 and what profit keeps of it make up all of it."""
    (bridge,) = [b for b in analysed(shop, four()).bridges if b.dimension is None]
    lines = {line.kind: line for line in bridge.lines}
    margin = lines[CostStep.margin].estimate
    assert (lines[CostStep.revenue].of_margin, lines[CostStep.margin].of_margin) == (None, None)
    for kind, line in lines.items():
        if kind not in (CostStep.revenue, CostStep.margin):
            sign = 1 if kind is CostStep.profit else -1
            assert line.of_margin == pytest.approx(sign * line.estimate / margin)
    taken = sum(line.of_margin for kind, line in lines.items() if kind in SUMMED and line.of_margin)
    assert taken == pytest.approx(lines[CostStep.cost].of_margin)
    assert taken + lines[CostStep.profit].of_margin == pytest.approx(1)


def test_without_an_added_margin_nothing_is_a_part_of_it(shop):
    columns = {**four(), "spend": [10.0, 0, 5, 0, 50, 60]}
    for bridge in analysed(shop, columns).bridges:
        assert {line.of_margin for line in bridge.lines} == {None}
