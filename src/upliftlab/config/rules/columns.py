"""Rules about computed columns: what they may hold, and that each can be computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from upliftlab.config.computed import DEEPEST, circle, formula_fault, layers_of
from upliftlab.config.models import Source
from upliftlab.config.rules.registry import rule, shared_judges
from upliftlab.config.scope import Scope
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic, Place

_At = Callable[[str], Place]


@rule(
    "UL036",
    "Computed column not allowed",
    "A computed column holds what a condition may hold: columns, literals, arithmetic, comparisons "
    "and abs, lower, upper, coalesce, length, round.",
    wrong='columns: {old: "(select max(age) from data)"}',
    right='columns: {old: "age - 60"}',
)
@rule(
    "UL037",
    "Computed column made of itself",
    "Computed columns are built on real ones, directly or over at most twenty others.",
    wrong='columns: {a: "b + 1", b: "a * 2"}',
    right='columns: {a: "age + 1", b: "a * 2"}',
)
def computed_columns(scope: Scope) -> Iterator[Diagnostic]:
    """UL036, UL037: the experiment's own computed columns can be computed."""
    own = scope.plan.experiment.columns
    yield from _faults(own, scope.plan.customers.columns, lambda name: scope.at("columns", name))
    given = scope.plan.experiment.customers
    if isinstance(given, Source):
        beside = {name: text for name, text in given.columns.items() if name not in own}
        place: _At = lambda name: scope.at("customers", "columns", name)  # noqa: E731 - as above
        yield from _faults(beside, scope.plan.customers.columns, place)


@shared_judges
def source_columns(shared: Shared) -> Iterator[Diagnostic]:
    """UL036, UL037, UL038: what sources compute can be computed."""
    for name, source in (shared.sources or {}).items():
        place: _At = lambda column, name=name: shared.at(  # noqa: E731 - one place a source
            "sources", "sources", name, "columns", column
        )
        yield from _faults(source.columns, source.columns, place)
        yield from _twice(source.columns, (), place)


@rule(
    "UL038",
    "Defined twice",
    "A computed column or a metric is defined in one place; case tells no columns apart.",
    wrong='columns: {net: "age + 1", NET: "age + 2"}',
    right='columns: {net: "age + 1", gross: "age + 2"}',
)
def defined_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL038: no column and no metric is defined in two ways."""
    experiment, given = scope.plan.experiment, scope.plan.experiment.customers
    asked = (scope.shared.sources or {}).get(given) if isinstance(given, str) else given
    others = tuple(asked.columns) if asked else ()
    yield from _twice(experiment.columns, others, lambda name: scope.at("columns", name, key=True))
    for name in experiment.columns:
        metric = scope.declared.get(name)
        if metric is not None and metric.column != name:
            message = f"'{name}' is a computed column and a metric of another meaning"
            place = scope.at("columns", name, key=True)
            yield Diagnostic("UL038", message, "rename one of them", place)
    for name in experiment.metrics.define:
        if name in (scope.shared.metrics or {}):
            there = scope.shared.at("metrics", "metrics", name, key=True)
            message = f"the metric '{name}' is already declared in {there}"
            place = scope.metric_at(name, key=True)
            yield Diagnostic("UL038", message, "rename it, or remove it here", place)


def _twice(columns: Mapping[str, str], others: tuple[str, ...], at: _At) -> Iterator[Diagnostic]:
    """Computed columns whose name another one has; `others` are those of the table's source."""
    seen = {name.casefold(): "of the table's source" for name in others}
    for name in columns:
        if where := seen.get(name.casefold()):
            message = f"the computed column '{name}' has the name of another {where}"
            yield Diagnostic("UL038", message.rstrip(), "rename it", at(name))
        seen.setdefault(name.casefold(), "here")


def _faults(
    columns: Mapping[str, str], computed: Mapping[str, str], at: _At
) -> Iterator[Diagnostic]:
    """What is wrong with some of a table's computed columns."""
    deep = {name for layer in list(layers_of(computed))[DEEPEST:] for name in layer}
    for name, text in columns.items():
        if fault := formula_fault(text, at(name)):
            yield fault
        elif way := circle(name, computed):
            message = f"the computed column '{name}' is made of itself: {' → '.join(way)}"
            remedy = "build it on columns of the table"
            yield Diagnostic("UL037", message, remedy, at(name))
        elif name in deep:
            message = f"the computed column '{name}' is built on more than {DEEPEST} others in turn"
            yield Diagnostic("UL037", message, "write some of them out", at(name))
