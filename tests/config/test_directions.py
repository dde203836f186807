"""Which metrics say which direction is good, and what a name alone tells."""

from __future__ import annotations

import pytest

from upliftlab.config import check
from upliftlab.config.directions import falling_word

FALLING = (
    "complaints", "complaint_rate", "Complained", "churn", "churned_90d", "unsubscribed",
    "unsubscribeRate", "email_opt_out", "optouts", "returns", "return_rate", "returned_value",
    "refunds", "cancellations", "support_tickets", "ticket_count", "cost_to_serve", "serviceCosts",
    "days_to_order", "days to second order", "daysToOrder", "time_until_purchase", "bounces",
    "no_show", "Beschwerden", "Beschwerdequote", "Kündigung", "KUENDIGUNG", "kündigungsquote",
    "Ku\u0308ndigungen", "gekündigt", "Abmeldungen", "abmelderate", "abgemeldet", "Retoure",
    "Retourenquote", "Reklamationen", "Kosten", "Versandkosten", "tage_bis_kauf", "Stornoquote",
    "Rücksendungen", "Abwanderung", "Mahnungen", "Wartezeit", "投诉数", "退订率",
)  # fmt: skip
HARMLESS = (
    "revenue", "orders", "visits", "polio", "spent", "bought", "retained", "returning_customers",
    "return_on_ad_spend", "roi", "revenue_per_ticket", "umsatz_pro_ticket", "revenue_after_returns",
    "sales_less_returns", "netto_nach_retouren", "costs_saved", "no_complaint", "ohne_beschwerde",
    "customers_without_complaints", "tickets_resolved", "kostenlos_bestellt", "churn_avoided",
    "days_active", "timeline", "accost", "costume", "ticketing", "kostbar", "lossless",
    "net_revenue",
)  # fmt: skip


@pytest.mark.parametrize("name", FALLING)
def test_a_name_of_what_nobody_wants_more_of(name):
    assert falling_word(name) is not None
    assert falling_word("y", None, name) is not None


@pytest.mark.parametrize("name", HARMLESS)
def test_a_name_that_tells_nothing(name):
    assert falling_word(name, None) is None


def codes(found):
    return [line.split(" ")[1] for line in found]


def test_the_line_to_write_is_for_the_place_where_the_metric_stands(space):
    (line,) = space.check("metrics: {primary: complaints}")
    assert line == (
        "experiments/example.yaml:6:20: UL153 'complaints' does not say which direction is good, "
        "and its name sounds as if less of it were better; write 'metrics: {define: {complaints: "
        "{column: complaints, better: lower}}}'; or 'better: higher', if more of it is good"
    )
    written = "define: {complaints: {column: complaints, better: lower}}}"
    assert space.check("metrics: {primary: complaints, " + written) == []
    assert space.check("metrics: {primary: complaints, " + written.replace("low", "high")) == []
    shared = "metrics:\n  spent: {column: spent}\n  complaint_rate: {column: rate}\n"
    (line,) = space.check("metrics: {primary: complaint_rate}", metrics=shared)
    assert line.startswith("configs/metrics.yaml:3:3: UL153 'complaint_rate' does not say")
    assert "its name ('complaint') sounds" in line
    assert line.endswith("write 'better: lower' there; or 'better: higher', if more of it is good")
    assert space.check(metrics=shared.replace("rate}", "rate, better: lower}")) == []


@pytest.mark.parametrize(
    "part",
    [
        "metrics: {primary: spent, secondary: [churn]}\ndecision: {metric: churn}",
        "metrics: {primary: churn}\ndecision: {metric: churn, ship_if: 'lower > -0.1'}",
        "metrics: {primary: spent, secondary: [churn]}\nuplift: {features: [age], metric: churn}",
        "metrics: {primary: churn}\nmoney: {revenue: spent, margin: 40%}\ncurrency: EUR",
        "metrics: {primary: y, define: {y: {column: churn}}}",
        "metrics: {primary: y, define: {y: {column: y, title: Kündigungen}}}",
        "metrics: {primary: y, define: {y: {column: churn, missing: drop}}}",
        "metrics: {primary: churn}\nanalysis: {winsorize: {churn: 99%}}",
    ],
)
def test_whatever_makes_a_metric_decide_asks_for_its_direction(space, part):
    assert codes(space.check(part)) == ["UL153"]


def test_a_secondary_metric_is_a_warning_and_costs_that_are_subtracted_are_none(space):
    space.write(
        "experiments/example.yaml",
        space.experiment("metrics: {primary: spent, secondary: [churn]}"),
    )
    (fault,) = check([space.root / "experiments"])
    assert (fault.code, fault.severity) == ("UL153", "warning")
    money = "money: {revenue: spent, margin: 40%, costs: [service_cost]}\ncurrency: EUR"
    assert space.check(f"metrics: {{primary: spent}}\n{money}") == []
    revenue = "metrics: {primary: profit}\nmoney: {revenue: net_returns, margin: 40%}"
    assert space.check(f"{revenue}\ncurrency: EUR") == []


def test_a_guardrail_says_it_by_its_limit(space):
    own = "metrics: {primary: spent, guardrails: {churn: {max_increase: 5%}}}"
    assert space.check(own) == []
    (line,) = space.check(own.replace("increase", "decrease"))
    assert line == (
        "experiments/example.yaml:6:48: UL153 'max_decrease' limits a fall of 'churn', which "
        "sounds as if that were good; write 'max_increase'; or, if more of it is good, say so: "
        "'metrics: {define: {churn: {column: churn, better: higher}}}'"
    )
    told = "churn: {max_decrease: 5%}}, define: {churn: {column: churn, better: higher}}}"
    assert space.check("metrics: {primary: spent, guardrails: {" + told) == []
    own = "metrics: {primary: profit, guardrails: {spent: {max_increase: 5%}}}\ncurrency: EUR\n"
    assert codes(space.check(own + "money: {revenue: spent, margin: 40%}")) == ["UL119"]


def test_a_column_that_a_metric_hides_keeps_what_was_declared_and_no_more(space):
    """The customers' own column goes before a metric of its name, whose direction holds."""
    own = "metrics: {primary: spent, guardrails: {bought: {max_increase: 5%}}}"
    tables = {"sources": "sources: {orders: {file: o.csv, id: id, time: t}}\n"}
    customers = "customers: {file: data.csv, id: id, known_after: [spent, bought]}\n"
    metric = "metrics: {bought: {from: orders, any: true%s}}\n"
    assert space.check(customers + own, metrics=metric % "", **tables) == []
    assert codes(space.check(metrics=metric % ", better: higher")) == ["UL119"]


MONEY = "metrics: {primary: visits}\nmoney: {revenue: spent, margin: 40%}\ncurrency: EUR"


def notices(space):
    found = check([space.root / "experiments"], notice=True)
    return [(fault.code, fault.severity) for fault in found]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("metrics: {primary: spent}", True),
        ("metrics: {primary: spent, define: {spent: {column: spent, better: higher}}}", False),
        (
            "metrics: {primary: y, guardrails: {x: {max_decrease: 1%}}}\ndecision: {metric: x}",
            False,
        ),
        (MONEY, False),
        ("metrics: {primary: visits, secondary: [x]}\ndecision: {metric: x}", True),
        (
            MONEY + "\nuplift: {features: [age], metric: visits}",
            True,
        ),
        ("metrics: {primary: spent}\nuplift: {features: [age]}", True),
    ],
)
def test_a_direction_that_is_taken_is_told_and_is_no_fault(space, part, said):
    space.write("experiments/example.yaml", space.experiment(part))
    assert notices(space) == ([("UL154", "notice")] if said else [])
    assert check([space.root / "experiments"]) == ()
