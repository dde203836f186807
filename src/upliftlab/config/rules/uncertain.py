"""Rules about tables of values with standard errors: where these cannot be carried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upliftlab.config.computed import parts_of
from upliftlab.config.models import Source
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.config.models.values_by import raised_of
from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic, Place

_REMEDY: Final = "write its values without 'se' for that, under a name of its own"
_UNLESS: Final = "write 'se' in a table that a metric adds up by itself"


@rule(
    "UL166",
    "Standard errors that cannot be carried",
    "Standard errors of a table's values are carried into means, differences, lifts, profit and "
    "return on cost. They are not into capped values, quantiles, conditions, segments, covariates, "
    "features, learning, or a computed column that is built on the table: there its values are "
    "taken as they are, so one number would have two intervals.",
    wrong="columns: {worth: {by: kind, values: {a: {value: 20, se: 4}, b: 3}}}\n"
    "metrics: {primary: worth, quantiles: {worth: [median]}}",
    right="columns: {worth: {by: kind, values: {a: {value: 20, se: 4}, b: 3}}}\n"
    "metrics: {primary: worth}",
)
def carried(scope: Scope) -> Iterator[Diagnostic]:
    """UL166: a table with standard errors is only used where intervals carry them."""
    plan = scope.plan
    tables = [(None, plan.customers), *plan.sources.items()]
    for name, source in tables:
        for column in raised_of(source.columns):
            yield from _built_on(scope, (name, source), column)
            for where, place in _elsewhere(scope, name, column):
                message = f"values of '{column}' have standard errors, which are not carried into"
                yield Diagnostic("UL166", f"{message} {where}", _REMEDY, place)
    yield from _uses(scope)


def _built_on(scope: Scope, table: tuple[str | None, Source], column: str) -> Iterator[Diagnostic]:
    """Computed columns that are made of a table with standard errors."""
    name, source = table
    for other, text in source.columns.items():
        if column in parts_of(text):
            message = f"the computed column '{other}' is built on '{column}', whose values have"
            yield Diagnostic(
                "UL166", f"{message} standard errors", _UNLESS, _column(scope, name, other)
            )


def _column(scope: Scope, source: str | None, name: str) -> Place:
    asked = scope.plan.experiment
    if source is None and name in asked.columns:
        return scope.at("columns", name)
    if source is None and isinstance(asked.customers, Source):
        return scope.at("customers", "columns", name)
    declared = source or str(asked.customers)
    return scope.shared.at("sources", "sources", declared, "columns", name)


def _elsewhere(scope: Scope, source: str | None, column: str) -> Iterator[tuple[str, Place]]:
    """What else than a metric's numbers a column is used for."""
    plan = scope.plan
    for name, metric in {**plan.metrics, **plan.covariates}.items():
        if metric.source == source and metric.where and column in parts_of(metric.where):
            yield f"the condition of '{name}'", scope.at("metrics")
    for at, (name, metric) in enumerate(plan.covariates.items()):
        if metric.source == source and column in (metric.column, metric.value_column):
            yield f"the covariate '{name}'", scope.at("analysis", "covariates", at)
    for at, segment in enumerate(plan.segments.values()):
        own = segment.columns if source is None else ()
        if column in own or (segment.rfm and segment.rfm.amount == column):
            yield "segments", scope.at("segments", at)
    if source is None:
        yield from _of_customers(scope, column)


def _of_customers(scope: Scope, column: str) -> Iterator[tuple[str, Place]]:
    """What a column of the customers' table may be used for besides."""
    asked = scope.plan.experiment
    for key, text in (("eligible", asked.eligible), ("exclude", asked.exclude)):
        if text and column in parts_of(text):
            yield f"'{key}'", scope.at(key)
    features = asked.uplift.features if asked.uplift else ()
    if column in features:
        yield "features", scope.at("uplift", "features", list(features).index(column))


def _uses(scope: Scope) -> Iterator[Diagnostic]:
    """Metrics of a table with standard errors that are asked for what does not carry them."""
    plan, asked = scope.plan, scope.plan.experiment
    moved = {base for each in plan.raised.values() for base in each}
    found = [(name, "a capped metric", ("analysis", "winsorize", name)) for name in moved]
    found += [(name, "quantiles", ("metrics", "quantiles", name)) for name in moved]
    capped, quantiles = asked.analysis.winsorize, asked.metrics.quantiles
    for name, what, path in sorted(found):
        if name in (capped if path[0] == "analysis" else quantiles):
            message = f"values of '{name}' have standard errors, which are not carried into {what}"
            yield Diagnostic("UL166", message, _REMEDY, scope.at(*path, key=True))
    if asked.uplift is not None and moved & _learned(plan):
        message = f"'{plan.learned}' is made of values with standard errors, which learning has not"
        yield Diagnostic("UL166", message, _REMEDY, scope.at("uplift", key=True))


def _learned(plan: Plan) -> set[str]:
    """The metrics that learning is of."""
    money = plan.experiment.money
    if plan.learned == PROFIT and money is not None:
        return {*money.amounts, *money.costs}
    metric = plan.metrics.get(plan.learned)
    return {plan.learned, *((metric.ratio if metric else None) or ())}
