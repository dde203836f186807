"""Conditions held against the tables they look at: what an analysis would refuse, at its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from upliftlab.analysis.event_tables import attach_events
from upliftlab.analysis.population import CUSTOMERS
from upliftlab.config.scope import Scope
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic, Place
from upliftlab.queries.conditions import (
    condition_sql,
    customers_table,
    informed,
    sound_condition,
)


def named_conditions(scope: Scope) -> Iterator[tuple[str, str, Place]]:
    """Each condition on the customers that this experiment asks: role, text and place."""
    asked, policy = scope.plan.experiment, scope.plan.program.contact_policy
    if asked.eligible:
        yield "eligible", asked.eligible, scope.at("eligible")
    if asked.exclude:
        yield "exclude", asked.exclude, scope.at("exclude")
    if asked.uplift and asked.uplift.today:
        yield "today's rule", asked.uplift.today.where, scope.at("uplift", "today", "where")
    if policy and policy.opt_out and asked.assignment.observed is None:
        yield "opt_out", policy.opt_out, scope.shared.at("program", "contact_policy", "opt_out")


def customer_conditions(scope: Scope, engine: Engine) -> Iterator[Diagnostic]:
    """Faults of the conditions on the customers, whose table is attached."""
    table = customers_table(CUSTOMERS, scope.plan.customers, engine)
    for role, text, place in named_conditions(scope):
        try:
            sound_condition(role, text, table, engine)
        except DataError as error:
            yield from (replace(fault, place=place) for fault in error.faults)


def event_conditions(scope: Scope, name: str, engine: Engine) -> Iterator[Diagnostic]:
    """Conditions on a table of events that compare what does not compare."""
    asked = [*_wheres(scope, name)]
    if not asked:
        return
    table = attach_events(scope.plan, name, (), engine).conditions
    for text, place in asked:
        try:
            condition_sql(text, informed(table, [text], engine))
        except DataError as error:
            yield from (replace(fault, place=place) for fault in error.faults)


def _wheres(scope: Scope, name: str) -> Iterator[tuple[str, Place]]:
    """Conditions on the events of a table, each once, and where it is written first."""
    plan = scope.plan
    metrics = {**plan.metrics, **plan.covariates}.items()
    found = [
        (metric.where, scope.metric_at(metric_name, "where"))
        for metric_name, metric in metrics
        if metric.source == name
    ]
    found += [
        (segment.where, scope.shared.at("segments", "segments", segment_name))
        for segment_name, segment in plan.segments.items()
        if segment.source == name
    ]
    seen = set[str]()
    for text, place in found:
        if text is not None and text not in seen:
            seen.add(text)
            yield text, place
