"""Rules about where data lie: files inside the data folder, events with customer and time."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.models import Source
from upliftlab.config.rules.registry import metrics_judges, metrics_rule, rule, shared_judges
from upliftlab.config.scope import MetricDeclarations, Scope
from upliftlab.config.shared import Shared, condition_fault, source_fault
from upliftlab.config.workspace import lexical_fault
from upliftlab.errors import Diagnostic, Place


@rule(
    "UL019",
    "File outside the data folder",
    "Data files lie inside the data folder.",
    wrong="customers: {file: ../secret.csv}",
    right="customers: {file: data.csv}",
)
def customers_file(scope: Scope) -> Iterator[Diagnostic]:
    """UL019: the customers' file lies inside the data root."""
    place = scope.at("customers", "file")
    if not isinstance(scope.plan.experiment.customers, str) and (
        fault := lexical_fault(scope.plan.customers.file, place)
    ):
        yield fault


@shared_judges
def source_files(shared: Shared) -> Iterator[Diagnostic]:
    """UL019: files lie inside the data root."""
    for name, source in (shared.sources or {}).items():
        if fault := lexical_fault(source.file, shared.at("sources", "sources", name, "file")):
            yield fault


@rule(
    "UL041",
    "Format of a table",
    "'format' says how a file writes texts; a table of a server has types of its own.",
    wrong="customers: {table: customers, id: id, format: {decimal: ','}}",
    right="customers: {file: data.csv, id: id, format: {decimal: ','}}",
)
def customers_format(scope: Scope) -> Iterator[Diagnostic]:
    """UL041: only a file has a format."""
    if not isinstance(scope.plan.experiment.customers, str) and _needless(scope.plan.customers):
        yield _no_file(scope.at("customers", "format", key=True))


@shared_judges
def source_formats(shared: Shared) -> Iterator[Diagnostic]:
    """UL041: only a file has a format."""
    for name, source in (shared.sources or {}).items():
        if _needless(source):
            yield _no_file(shared.at("sources", "sources", name, "format", key=True))


def _needless(source: Source) -> bool:
    return source.format is not None and source.file is None


def _no_file(place: Place) -> Diagnostic:
    message = "'format' is of a file, and the source is a table of a server"
    return Diagnostic("UL041", message, "remove it, and cast the column in a view", place)


@metrics_judges
def metric_conditions(declared: MetricDeclarations) -> Iterator[Diagnostic]:
    """UL020: a metric's `where` holds only what is allowed."""
    for name, metric in declared.metrics.items():
        if fault := condition_fault(metric.where, declared.at(name, "where")):
            yield fault


@shared_judges
def segment_conditions(shared: Shared) -> Iterator[Diagnostic]:
    """UL020: a segment's `where` holds only what is allowed."""
    for name, segment in (shared.segments or {}).items():
        key = "lifecycle" if segment.lifecycle else "rfm"
        if fault := condition_fault(segment.where, shared.at("segments", "segments", name, key)):
            yield fault


@metrics_rule(
    "UL133",
    "Events without customer or time",
    "A table of events names the columns of customer and time.",
    wrong="sources: {orders: {file: orders.csv, id: customer_id}}",
    right="sources: {orders: {file: orders.csv, id: customer_id, time: ordered_at}}",
    file="configs/sources.yaml",
    beside={"configs/metrics.yaml": "metrics: {orders: {from: orders, count: true}}\n"},
)
def metric_sources(declared: MetricDeclarations) -> Iterator[Diagnostic]:
    """UL106, UL133: a metric's events exist and have customer and time."""
    for name, metric in declared.metrics.items():
        source, place = metric.source, declared.at(name, "from")
        if source and (fault := source_fault(source, declared.shared, place, events=True)):
            yield fault


@shared_judges
def segment_sources(shared: Shared) -> Iterator[Diagnostic]:
    """UL106, UL133: a segment's purchases exist and have customer and time."""
    for name, segment in (shared.segments or {}).items():
        if segment.source is None:
            continue
        key = "lifecycle" if segment.lifecycle else "rfm"
        place = shared.at("segments", "segments", name, key, "from")
        if fault := source_fault(segment.source, shared, place, events=True):
            yield fault


@shared_judges
def policy_sources(shared: Shared) -> Iterator[Diagnostic]:
    """UL020, UL106, UL133: the contact policy's tables and condition."""
    policy = shared.program.contact_policy
    if policy is None:
        return
    for key in ("contacts", "complaints"):
        name: str | None = getattr(policy, key)
        place = shared.at("program", "contact_policy", key)
        if name and (fault := source_fault(name, shared, place, events=True)):
            yield fault
    place = shared.at("program", "contact_policy", "opt_out")
    if fault := condition_fault(policy.opt_out, place):
        yield fault


@rule(
    "UL301",
    "Customers that are complete",
    "'complete_until' says up to which day a table of events is filled; customers have no events.",
    wrong="customers: {file: data.csv, id: id, complete_until: 2026-05-31}",
    right="customers: {file: data.csv, id: id}",
)
def complete_customers(scope: Scope) -> Iterator[Diagnostic]:
    """UL301: only events are complete up to a day."""
    if scope.plan.customers.complete_until is None:
        return
    asked = scope.plan.experiment.customers
    place = scope.at("customers", "complete_until", key=True)
    if isinstance(asked, str):
        place = scope.shared.at("sources", "sources", asked, "complete_until", key=True)
    message = "'complete_until' is of tables of events, and this is the customers' table"
    remedy = "remove it; outcomes in columns are complete where 'outcome_window' has passed"
    yield Diagnostic("UL301", message, remedy, place)
