"""Rules about names: each stands once, and none is one that upliftlab computes."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.models.experiment import ONE_EACH, PROFIT
from upliftlab.config.rules.registry import metrics_judges, rule, shared_judges, siblings_rule
from upliftlab.config.scope import MetricDeclarations, Scope, Siblings
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic, Place

_RESERVED_METRICS = (PROFIT, ONE_EACH)
_RESERVED_SEGMENTS = ("contact_channel",)


@rule(
    "UL109",
    "Segment named twice",
    "A segment is named once.",
    wrong="segments: [region, region]",
    right="segments: [region]",
)
def segments_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL109: no segment is named twice."""
    names = scope.plan.experiment.segments
    for at, name in enumerate(names):
        if name in names[:at]:
            place = scope.at("segments", at)
            yield Diagnostic("UL109", f"the segment '{name}' is named twice", "remove one", place)


@rule(
    "UL110",
    "Reserved name",
    "'contact_channel' (segment) and 'profit' (metric) are computed by upliftlab, and 'one per "
    "customer' is no metric.",
    wrong="segments: [contact_channel]",
    right="segments: [preferred_channel]",
)
def segments_reserved(scope: Scope) -> Iterator[Diagnostic]:
    """UL110: no segment takes a name upliftlab gives a meaning of its own."""
    for at, name in enumerate(scope.plan.experiment.segments):
        if name in _RESERVED_SEGMENTS:
            message = f"the name '{name}' is reserved: upliftlab computes it"
            remedy = "declare the column under another name in configs/segments.yaml"
            yield Diagnostic("UL110", message, remedy, scope.at("segments", at))


@shared_judges
def reserved_segments(shared: Shared) -> Iterator[Diagnostic]:
    """UL110: segments with a name that upliftlab gives a meaning of its own."""
    for name in (name for name in shared.segments or {} if name in _RESERVED_SEGMENTS):
        yield _reserved(name, shared.at("segments", "segments", name, key=True))


@metrics_judges
def reserved_metrics(declared: MetricDeclarations) -> Iterator[Diagnostic]:
    """UL110: metrics with a name that upliftlab gives a meaning of its own."""
    for name in (name for name in declared.metrics if name in _RESERVED_METRICS):
        yield _reserved(name, declared.at(name, key=True))


def _reserved(name: str, place: Place) -> Diagnostic:
    message = f"the name '{name}' is reserved: upliftlab computes it"
    return Diagnostic("UL110", message, "choose another name", place)


@rule(
    "UL127",
    "Metric named twice",
    "A metric is primary, secondary or a guardrail of the primary.",
    wrong="metrics: {primary: spent, secondary: [spent]}",
    right="metrics: {primary: spent, secondary: [visits]}",
)
def metrics_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL127: no metric plays two parts."""
    metrics = scope.plan.experiment.metrics
    seen = {metrics.primary: "the primary metric"}
    for at, name in enumerate(metrics.secondary):
        if name in seen:
            message = f"'{name}' repeats {seen[name]}"
            place = scope.at("metrics", "secondary", at)
            yield Diagnostic("UL127", message, "remove it here", place)
        seen.setdefault(name, "a secondary metric")
    if metrics.primary in metrics.guardrails:
        message = f"the guardrail '{metrics.primary}' repeats the primary metric"
        place = scope.at("metrics", "guardrails", metrics.primary, key=True)
        yield Diagnostic("UL127", message, "remove it here", place)


@siblings_rule(
    "UL129",
    "Same name",
    "An experiment's name is its own.",
    wrong="experiment: example",
    right="experiment: yet_another",
    beside={
        "experiments/other.yaml": (
            "schema: 1\n"
            "experiment: example\n"
            "customers: {file: data.csv, id: id}\n"
            "arms: {none: {control: true}, email: {channel: email}}\n"
            "metrics: {primary: spent}\n"
        )
    },
)
def same_names(siblings: Siblings) -> Iterator[Diagnostic]:
    """UL129: an experiment's name is its own, and so is what tables of events call it."""
    first: dict[str, Scope] = {}
    for scope in siblings.scopes:
        taken = next((name for name in scope.plan.experiment.names if name in first), None)
        if taken is not None:
            message = f"the experiment '{taken}' is already in {first[taken].document.file}"
            remedy = "give each experiment a name of its own"
            yield Diagnostic("UL129", message, remedy, scope.at("experiment"))
        first |= {name: scope for name in scope.plan.experiment.names if name not in first}
