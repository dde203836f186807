"""Rules about money: one currency, and every cost has what it is multiplied with."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.margins import divisible
from upliftlab.config.mending import mending
from upliftlab.config.models import Costs
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.margin import BY
from upliftlab.config.models.values import Money
from upliftlab.config.rules.registry import judges, rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic, Place
from upliftlab.results.costs import ON_ARMS, RATED, Per
from upliftlab.util.nearest import closest, surely


@rule(
    "UL123",
    "Mixed currencies",
    "All money is in the experiment's currency.",
    wrong="currency: EUR\narms:\n  none: {control: true}\n  email: {cost_per_contact: 0.02 USD}",
    right="currency: EUR\narms:\n  none: {control: true}\n  email: {cost_per_contact: 0.02 EUR}",
)
def one_currency(scope: Scope) -> Iterator[Diagnostic]:
    """UL123: all money is in the experiment's currency."""
    currency = scope.plan.currency
    for money, place in _amounts(scope):
        if money.currency is None or money.currency == currency:
            continue
        if currency is None:
            message = f"'{money}' names a currency, but the experiment has none"
            yield Diagnostic("UL123", message, f"add 'currency: {money.currency}'", place)
        else:
            message = f"'{money}' is not in the experiment's currency {currency}"
            yield Diagnostic("UL123", message, f"convert it to {currency}", place)


@rule(
    "UL158",
    "A prior without money",
    "'prior' says what is believed of profit, which 'money' defines.",
    wrong="analysis: {prior: {mean: 0, sd: 0.50}}",
    right="analysis: {confidence: 95%}",
)
def prior_of_profit(scope: Scope) -> Iterator[Diagnostic]:
    """UL158: a prior is one of profit."""
    asked = scope.plan.experiment
    if asked.analysis.prior is not None and asked.money is None:
        message = "'prior' is of profit, and the experiment declares no 'money'"
        yield Diagnostic(
            "UL158", message, "declare 'money', or leave it out", scope.at("analysis", "prior")
        )


@judges
def amounts_of_events(scope: Scope) -> Iterator[Diagnostic]:
    """UL123: amounts that are added up are in the experiment's currency."""
    plan = scope.plan
    for name, metric in plan.metrics.items():
        source = plan.sources.get(metric.source or "")
        declared = source.amounts.get(metric.value_column or "") if source else None
        if declared is not None and declared != plan.currency:
            place = scope.metric_at(name)
            message = f"'{name}' adds up {declared}, not {plan.currency or 'a declared currency'}"
            remedy = f"write 'currency: {declared}', or convert the column"
            yield Diagnostic("UL123", message, remedy, place)


def _amounts(scope: Scope) -> Iterator[tuple[Money, Place]]:
    experiment = scope.plan.experiment
    for name in experiment.arms:
        yield from _arm_costs(scope, name)
    for name, money in (experiment.money.fixed_cost if experiment.money else {}).items():
        yield money, scope.at("money", "fixed_cost", name)
    if experiment.uplift and experiment.uplift.budget:
        yield experiment.uplift.budget, scope.at("uplift", "budget")


def _arm_costs(scope: Scope, name: str) -> Iterator[tuple[Money, Place]]:
    """An arm's costs as they hold, each with the place that decides it."""
    arm, shared = scope.plan.experiment.arms[name], scope.shared
    sides: list[tuple[Costs | None, str, str]] = [
        ((shared.offers or {}).get(arm.offer or ""), "offers", arm.offer or ""),
        ((shared.channels or {}).get(arm.channel or ""), "channels", arm.channel or ""),
    ]
    for key, money in _costs(scope.plan.arms[name]):
        place = scope.at("arms", name, key)
        if key not in arm.model_fields_set:
            deciding = next((s for s in sides if s[0] and key in s[0].model_fields_set), None)
            place = shared.at("channels", deciding[1], deciding[2], key) if deciding else place
        yield money, place


def _costs(costs: Costs) -> Iterator[tuple[str, Money]]:
    for step in ON_ARMS:
        if isinstance(money := costs.rate(step), Money):
            yield step.line.key, money


@rule(
    "UL124",
    "Redemptions not counted",
    "A cost per redemption needs the metric that counts redemptions.",
    wrong=(
        "money: {revenue: spent, margin: 40%}\n"
        "arms:\n"
        "  none: {control: true}\n"
        "  email: {cost_per_redemption: 5}"
    ),
    right=(
        "money: {revenue: spent, margin: 40%, redemptions: redeemed}\n"
        "arms:\n"
        "  none: {control: true}\n"
        "  email: {cost_per_redemption: 5}"
    ),
)
def redemptions(scope: Scope) -> Iterator[Diagnostic]:
    """UL124: a cost per redemption needs redemptions counted."""
    plan = scope.plan
    if (money := plan.experiment.money) is None or "metrics" in scope.shared.broken:
        return
    counted = {Per.redemption: money.redemptions, Per.conversion: plan.conversions}
    needed = [step for step in RATED if counted.get(step.line.per, "all") is None]
    for name in plan.arms:
        for per in dict.fromkeys(step.line.per for step in needed if plan.pays(step, name)):
            message = f"arm '{name}' pays for {per}, but nothing counts them"
            remedy = f"name the metric that counts them: 'money: {{{per}: …}}'"
            yield Diagnostic("UL124", message, remedy, scope.at("arms", name, key=True))


@rule(
    "UL125",
    "Fixed cost of no arm",
    "Fixed costs belong to arms of the experiment.",
    wrong="money: {revenue: spent, margin: 40%, fixed_cost: {emial: 500}}",
    right="money: {revenue: spent, margin: 40%, fixed_cost: {email: 500}}",
)
def fixed_costs(scope: Scope) -> Iterator[Diagnostic]:
    """UL125: fixed costs belong to arms that exist."""
    money = scope.plan.experiment.money
    for name in money.fixed_cost if money else ():
        if name not in scope.plan.arms:
            near = closest(name, list(scope.plan.arms), cutoff=0.6)
            arms = ", ".join(scope.plan.arms)
            remedy = f"did you mean '{near}'?" if near else f"the arms are {arms}"
            place = scope.at("money", "fixed_cost", name, key=True)
            fault = Diagnostic("UL125", f"'fixed_cost' names no arm: '{name}'", remedy, place)
            yield mending(fault, surely(name, scope.plan.arms, cutoff=0.6))


@rule(
    "UL126",
    "Control with costs",
    "A control that is not contacted costs nothing (warning).",
    wrong="arms:\n  none: {control: true, cost_per_contact: 0.02}\n  email: {channel: email}",
    right="arms:\n  none: {control: true}\n  email: {channel: email, cost_per_contact: 0.02}",
)
def control_costs(scope: Scope) -> Iterator[Diagnostic]:
    """UL126: a control that is not contacted costs nothing."""
    for name, arm in scope.plan.arms.items():
        if not arm.control or arm.business_as_usual:
            continue
        paid = [step.line.key for step in RATED if scope.plan.pays(step, name)]
        if paid:
            message = f"the control '{name}' has costs: {', '.join(paid)}"
            remedy = "remove them, or write 'business_as_usual: true' if it is contacted as before"
            place = scope.at("arms", name, key=True)
            yield Diagnostic("UL126", message, remedy, place, severity="warning")


@rule(
    "UL131",
    "Money from what does not add up",
    "Revenue, contacts and redemptions are totals of a customer, not ratios or shares. So is what "
    "tells who was contacted.",
    wrong="money: {revenue: average_order, margin: 40%}",
    right="money: {revenue: spent, margin: 40%}",
    beside={"configs/metrics.yaml": "metrics: {average_order: {ratio: [spent, orders]}}\n"},
)
def money_metrics(scope: Scope) -> Iterator[Diagnostic]:
    """UL131: money adds up, so its metrics are totals of a customer, not ratios."""
    for key, name in _added_up(scope.plan):
        metric = scope.plan.metrics.get(name or "")
        remedy = "name a column, a sum or a count"
        if name == "profit":
            message = f"'{key}' cannot be profit: profit is computed from it"
        elif metric is not None and metric.missing == "drop":
            message = f"'{key}' is '{name}', of which customers are left out: it does not add up"
            remedy = f"write 'missing: zero' at '{name}', if an empty one means 0"
        elif metric is not None and metric.ratio is not None:
            message = f"'{key}' is the ratio '{name}', which does not add up over customers"
        elif key in ("revenue", "margin") and metric is not None and metric.unit == "share":
            message = f"'{key}' is the share '{name}', which is no money"
        else:
            continue
        below = "metrics" if key == "contacted" else "money"
        yield Diagnostic("UL131", message, remedy, scope.at(below, key))


def _added_up(plan: Plan) -> Iterator[tuple[str, str | None]]:
    """The metrics that have to add up, by their keys."""
    yield "contacted", plan.experiment.metrics.contacted
    money = plan.experiment.money
    if money is not None:
        yield "revenue", money.revenue
        yield "margin", money.earned if isinstance(money.margin, str) else None
        yield "conversions", plan.conversions
        yield "contacts", money.contacts
        yield "redemptions", money.redemptions
        yield from (("costs", cost) for cost in money.costs)


@rule(
    "UL165",
    "Margins of no rows",
    "Margins by a column's values are of rows: revenue is the sum of a column over events, or a "
    "column of customers that stand one in a row.",
    wrong=(
        "money: {revenue: net, margin: {by: category, equipment: 25%, subscription: 60%}}\n"
        "metrics: {primary: net, define: {net: {minus: [spent, returned]}}}"
    ),
    right="money: {revenue: spent, margin: {by: category, equipment: 25%, subscription: 60%}}",
)
def margins_of_rows(scope: Scope) -> Iterator[Diagnostic]:
    """UL165: a table of margins has rows that it is of."""
    plan, money = scope.plan, scope.plan.experiment.money
    if money is None or not isinstance(money.margin, dict):
        return
    revenue = plan.metrics.get(money.revenue)
    if revenue is None or revenue.kind.is_ratio:
        return  # which UL131 tells
    if divisible(revenue) is None:
        message = f"'{money.revenue}' is defined by '{revenue.defined_by}', so that it has no rows "
        message += f"with a '{money.margin[BY]}' of their own"
    elif revenue.source is None and plan.customers.group_size is not None:
        message = f"rows of several customers have no '{money.margin[BY]}' of their own"
    else:
        return
    remedy = "name the metric that is margin: 'margin: margin_earned' (docs/money.md)"
    yield Diagnostic("UL165", message, remedy, scope.at("money", "margin"))


@rule(
    "UL139",
    "Margin not given",
    "Without a margin all revenue counts as margin: profit looks too large (warning).",
    wrong="money: {revenue: spent}",
    right="money: {revenue: spent, margin: 40%}",
)
def no_margin(scope: Scope) -> Iterator[Diagnostic]:
    """UL139: a margin that is not written counts as 100 %, and somebody should know."""
    money = scope.plan.experiment.money
    if money is not None and "margin" not in money.model_fields_set:
        message = "no 'margin' is given, so all revenue counts as margin"
        yield Diagnostic("UL139", message, "add 'margin: 40%'", scope.at("money"), "warning")
