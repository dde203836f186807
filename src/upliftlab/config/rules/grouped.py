"""Rules about rows of several customers: what can be asked of them, and what they must tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from upliftlab.config.models import Metric, Source
from upliftlab.config.resolve import named_metrics
from upliftlab.config.rules.registry import rule, shared_rule
from upliftlab.config.scope import Scope
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic, Place
from upliftlab.results.costs import RATED, Per

_TOTALS = (
    "customers:\n"
    "  file: days.csv\n"
    "  aggregated: {n: users, sum: {spent: spent}, sum_sq: {spent: spent_sq}}\n"
)


@rule(
    "UL043",
    "What rows of several customers cannot tell",
    "Where a row is of several customers ('weight', 'aggregated'), nothing is asked of single "
    "ones: no ids, events, waves, looks or targeting.",
    wrong=_TOTALS + "uplift: {features: [region]}",
    right=_TOTALS + "segments: [region]",
)
def single_customers(scope: Scope) -> Iterator[Diagnostic]:
    """UL043: nothing is asked of single customers where rows are of several."""
    if scope.plan.customers.group_size is None:
        return
    kind = "weight" if scope.plan.customers.aggregated is None else "aggregated"
    for what, remedy, place in (*_of_assignment(scope), *_of_numbers(scope)):
        message = f"{what} single customers, and rows with '{kind}' are of several"
        yield Diagnostic("UL043", message, remedy, place)


Asked = tuple[str, str, Place]
"""What asks for single customers, the way on, and where it is asked."""


def _of_assignment(scope: Scope) -> Iterator[Asked]:
    """Who is there, and when."""
    asked, own = scope.plan.experiment, scope.plan.customers
    given = asked.assignment
    if given.observed is None:
        remedy = "name the column of the arms: 'assignment: {observed: COLUMN}'"
        yield "an assignment divides", remedy, scope.at("assignment")
    for key in ("id", "household", "as_of"):
        if getattr(own, key) is not None:
            yield f"'{key}' is of", f"remove '{key}'", _source(scope, key)
    for key in ("unit", "start", "strata"):
        if getattr(given, key):
            yield f"'{key}' is of", f"remove '{key}'", scope.at("assignment", key)
    if asked.waves:
        yield "'waves' date", "remove 'waves'; add up the rows of all", scope.at("waves")
    if asked.analysis.looks:
        remedy = "remove 'looks', and analyse once, when all outcomes are known"
        yield "'looks' date the outcomes of", remedy, scope.at("analysis", "looks")
    if asked.uplift is not None:
        remedy = "remove 'uplift'; 'segments' show who responds"
        yield "'uplift' learns from", remedy, scope.at("uplift", key=True)


def _of_numbers(scope: Scope) -> Iterator[Asked]:
    """What is counted of them."""
    plan, asked = scope.plan, scope.plan.experiment
    sums = plan.customers.aggregated
    places = {name: scope.at(*path) for name, path in reversed(named_metrics(asked))}
    own = "write it as a column of the table"
    halves = {half for m in plan.metrics.values() if m.missing == "drop" for half in m.pair}
    for name, metric in plan.metrics.items():
        if metric.source is not None:
            yield f"'{name}' counts events of", own, places.get(name, scope.at("metrics"))
        elif sums and (metric.only or metric.unless or metric.kind.key == "minus"):
            yield f"'{name}' compares numbers of", own, places.get(name, scope.at("metrics"))
        elif sums and name not in halves and (metric.present or metric.missing != "fail"):
            remedy = "leave it out: totals are those of the customers who have a value"
            yield f"'{name}' looks for values of", remedy, places.get(name, scope.at("metrics"))
    for at, (name, metric) in enumerate(plan.covariates.items()):
        if metric.source is not None:
            yield f"'{name}' counts events of", own, scope.at("analysis", "covariates", at)
    for at, (name, segment) in enumerate(plan.segments.items()):
        if segment.rfm or segment.lifecycle:
            yield f"'{name}' ranks or dates", "name a column", scope.at("segments", at)
    if sums:
        yield from _of_values(scope)


def _of_values(scope: Scope) -> Iterator[Asked]:
    """What looks at single values, which totals do not tell."""
    asked = scope.plan.experiment
    if asked.metrics.quantiles:
        remedy = "remove 'quantiles'; totals tell means alone"
        yield "'quantiles' order values of", remedy, scope.at("metrics", "quantiles", key=True)
    if asked.analysis.winsorize:
        remedy = "cap the numbers before they are added up"
        yield "'winsorize' cuts values of", remedy, scope.at("analysis", "winsorize")


@rule(
    "UL044",
    "Metric without a total",
    "Metrics of aggregated rows are those whose totals 'aggregated' names.",
    wrong="customers:\n  file: days.csv\n  aggregated: {n: users, units_with: {visited: visitors}}",
    right=_TOTALS,
)
def metrics_told(scope: Scope) -> Iterator[Diagnostic]:
    """UL044: what is counted has its totals."""
    sums = scope.plan.customers.aggregated
    if sums is None:
        return
    places = {
        name: scope.at(*path) for name, path in reversed(named_metrics(scope.plan.experiment))
    }
    covariates = {
        name: scope.at("analysis", "covariates", at)
        for at, name in enumerate(scope.plan.covariates)
    }
    known = {**scope.plan.metrics, **scope.plan.covariates}
    for name, metric in known.items():
        column = metric.column
        if column is None or column in sums.names:
            continue
        message = f"'aggregated' tells no total of '{column}'"
        remedy = f"add 'sum: {{{column}: COLUMN}}' and 'sum_sq: {{{column}: COLUMN}}', or if it is"
        remedy += f" 0 or 1 for each customer 'units_with: {{{column}: COLUMN}}'"
        place = places.get(name) or covariates.get(name) or _source(scope, "aggregated")
        yield Diagnostic("UL044", message, remedy, place)


@rule(
    "UL045",
    "Ratio or covariate without products",
    "A ratio, or a covariate, needs to know how two numbers vary together: 'sum_product'.",
    wrong=(
        "customers:\n"
        "  file: days.csv\n"
        "  aggregated: {n: users, sum: {spent: s, visits: v}, sum_sq: {spent: s2, visits: v2}}\n"
        "metrics: {primary: per_visit}"
    ),
    right=(
        "customers:\n"
        "  file: days.csv\n"
        "  aggregated:\n"
        "    n: users\n"
        "    sum: {spent: s, visits: v}\n"
        "    sum_sq: {spent: s2, visits: v2}\n"
        "    sum_product: {spent: {visits: sv}}\n"
        "metrics: {primary: per_visit}"
    ),
    beside={"configs/metrics.yaml": "metrics: {per_visit: {ratio: [spent, visits]}}\n"},
)
def products_told(scope: Scope) -> Iterator[Diagnostic]:
    """UL045: what is divided, or adjusted, has its products."""
    plan, sums = scope.plan, scope.plan.customers.aggregated
    if sums is None:
        return
    places = {name: scope.at(*path) for name, path in reversed(named_metrics(plan.experiment))}
    for name, metric in plan.metrics.items():
        if metric.ratio is not None:
            asked = (f"the ratio '{name}'", places.get(name, scope.at("metrics")))
            yield from _unrelated("UL045", scope, asked, metric.ratio)
    counted = (*plan.measured_columns, *plan.covariates)
    for at, name in enumerate(plan.covariates):
        asked = (f"the covariate '{name}'", scope.at("analysis", "covariates", at))
        for other in counted:
            yield from _unrelated("UL045", scope, asked, (name, other))


@rule(
    "UL046",
    "Profit without an interval",
    "Profit that is made of several numbers of a customer needs their products, else it has no "
    "interval (warning).",
    wrong=(
        "customers:\n"
        "  file: days.csv\n"
        "  aggregated: {n: users, sum: {spent: s}, sum_sq: {spent: s2}, units_with: {used: u}}\n"
        "arms: {none: {control: true}, email: {cost_per_redemption: 5}}\n"
        "money: {revenue: spent, margin: 40%, redemptions: used}"
    ),
    right=(
        "customers:\n"
        "  file: days.csv\n"
        "  aggregated:\n"
        "    n: users\n"
        "    sum: {spent: s}\n"
        "    sum_sq: {spent: s2}\n"
        "    units_with: {used: u}\n"
        "    sum_product: {spent: {used: spent_of_users}}\n"
        "arms: {none: {control: true}, email: {cost_per_redemption: 5}}\n"
        "money: {revenue: spent, margin: 40%, redemptions: used}"
    ),
)
def profit_told(scope: Scope) -> Iterator[Diagnostic]:
    """UL046: what profit is made of has its products."""
    plan, money = scope.plan, scope.plan.experiment.money
    if plan.customers.aggregated is None or money is None:
        return
    counted = {
        Per.contact: money.contacts,
        Per.redemption: money.redemptions,
        Per.conversion: plan.conversions,
    }
    paid = {
        name
        for per, name in counted.items()
        if name and any(plan.pays(s, a) for s in RATED if s.line.per is per for a in plan.arms)
    }
    parts = [name for name in plan.measured if name in {*money.amounts, *money.costs, *paid}]
    for pair in combinations(parts, 2):
        yield from _unrelated("UL046", scope, ("profit", scope.at("money")), pair)


def _unrelated(
    code: str, scope: Scope, asked: tuple[str, Place], names: Iterable[str]
) -> Iterator[Diagnostic]:
    """That two metrics' product is missing, with the line that gives it."""
    sums = scope.plan.customers.aggregated
    known = {**scope.plan.metrics, **scope.plan.covariates}
    one, other = (known.get(name, Metric(column=name)).column for name in names)
    if sums is None or not {one, other} <= set(sums.names) or one is None or other is None:
        return
    if not sums.relates(one, other):
        message = f"{asked[0]} needs the sum of the products of '{one}' and '{other}'"
        message += ": without, it has no interval" if code == "UL046" else ""
        remedy = f"add 'sum_product: {{{one}: {{{other}: COLUMN}}}}' to 'aggregated'"
        severity = "warning" if code == "UL046" else "error"
        yield Diagnostic(code, message, remedy, asked[1], severity)


@shared_rule(
    "UL162",
    "Rows of several events",
    "A table of events has a row for each event: 'weight' and 'aggregated' are of customers.",
    wrong="sources: {orders: {file: orders.csv, id: customer_id, time: ordered_at, weight: n}}",
    right="sources: {orders: {file: orders.csv, id: customer_id, time: ordered_at}}",
    file="configs/sources.yaml",
    beside={"configs/metrics.yaml": "metrics: {orders: {from: orders, count: true}}\n"},
)
def single_events(shared: Shared) -> Iterator[Diagnostic]:
    """UL162: events stand one in a row."""
    policy = shared.program.contact_policy
    named = [metric.source for metric in (shared.metrics or {}).values()]
    named += [segment.source for segment in (shared.segments or {}).values()]
    named += [policy.contacts, policy.complaints] if policy else []
    for name, source in (shared.sources or {}).items():
        if name in named and (key := _grouped_by(source)):
            message = f"'{name}' is a table of events, and '{key}' is of customers"
            remedy = "write a row for each event"
            yield Diagnostic("UL162", message, remedy, shared.at("sources", "sources", name, key))


def _grouped_by(source: Source) -> str | None:
    """The key that says that rows are of several; None where none does."""
    return next((k for k in ("weight", "aggregated") if getattr(source, k) is not None), None)


def _source(scope: Scope, key: str) -> Place:
    """Where the customers' table declares something."""
    asked = scope.plan.experiment.customers
    if isinstance(asked, str):
        return scope.shared.at("sources", "sources", asked, key)
    return scope.at("customers", key)
