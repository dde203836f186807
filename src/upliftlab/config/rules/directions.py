"""Rules about directions: of a metric that decides, whether more or less of it is better."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.directions import falling_word
from upliftlab.config.models.experiment import PROFIT
from upliftlab.config.rules.registry import notice_rule, rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic, Place


@rule(
    "UL153",
    "Direction of what nobody wants more of",
    "A metric such as complaints, cancellations, returns, tickets, costs or days until something "
    "says which direction is good, where it decides; of a guardrail its limit does, of revenue "
    "its use. Of a secondary metric it is a warning.",
    wrong="metrics: {primary: complaint_rate}",
    right=(
        "metrics:\n"
        "  primary: complaint_rate\n"
        "  define: {complaint_rate: {column: complaint_rate, better: lower}}"
    ),
)
def falling_metrics(scope: Scope) -> Iterator[Diagnostic]:
    """UL153: what sounds like a metric that is to fall says whether it is."""
    asked = scope.plan.experiment.metrics
    roles = {**dict.fromkeys(asked.secondary, "secondary"), **_deciding(scope)}
    for name, role in roles.items():
        word = _falls(scope, name)
        if word is None or scope.plan.metrics[name].has_direction:
            continue
        quoted = "" if word == name.casefold() else f" ('{word}')"
        message = f"'{name}' does not say which direction is good, and its name{quoted} sounds"
        message += " as if less of it were better"
        severity = "warning" if role == "secondary" else "error"
        remedy = f"{_line(scope, name, 'lower')}; or 'better: higher', if more of it is good"
        yield Diagnostic("UL153", message, remedy, _place(scope, name), severity)
    yield from _guardrails(scope)


def _guardrails(scope: Scope) -> Iterator[Diagnostic]:
    """Guardrails that limit a fall of what sounds as if it were to fall."""
    for name, guardrail in scope.plan.experiment.metrics.guardrails.items():
        own = scope.declared.get(name)
        declared = own is not None and own.has_direction
        if guardrail.max_decrease is None or declared or _falls(scope, name) is None:
            continue
        message = f"'max_decrease' limits a fall of '{name}', which sounds as if that were good"
        remedy = "write 'max_increase'; or, if more of it is good, say so: "
        remedy += _line(scope, name, "higher").removeprefix("write ")
        place = scope.at("metrics", "guardrails", name, "max_decrease", key=True)
        yield Diagnostic("UL153", message, remedy, place)


@notice_rule(
    "UL154",
    "Direction taken for granted",
    "A metric that decides, or that targeting is to move, says which direction is good; else "
    "higher is taken to be better, and `check` and the verdict say so.",
    wrong="metrics: {primary: visits}",
    right="metrics: {primary: visits, define: {visits: {column: visits, better: higher}}}",
)
def directions_taken(scope: Scope) -> Iterator[Diagnostic]:
    """UL154: of what decides, the direction is declared or said to be taken."""
    for name, role in _deciding(scope).items():
        metric = scope.plan.metrics[name]
        if role != "planned" and not metric.has_direction and _falls(scope, name) is None:
            message = f"'{name}' does not say which direction is good; taken as: higher is better"
            remedy = _line(scope, name, "higher") + ", or 'lower'"
            yield Diagnostic("UL154", message, remedy, _place(scope, name), "notice")


def _deciding(scope: Scope) -> dict[str, str]:
    """The metrics of which somebody must know the direction, with what for."""
    plan = scope.plan
    named = {
        plan.experiment.metrics.primary: "planned",
        **({plan.learned: "learned"} if plan.experiment.uplift else {}),
        plan.decided_by: "decides",
    }
    return {n: role for n, role in named.items() if n != PROFIT and n in plan.metrics}


def _falls(scope: Scope, name: str) -> str | None:
    """The word by which a metric is one that is to fall."""
    metric = scope.declared.get(name) or scope.plan.metrics.get(name)
    if metric is None:
        return None
    return falling_word(name, metric.title, metric.field or metric.value_column)


def _line(scope: Scope, name: str, better: str) -> str:
    """The line to write."""
    if name in scope.declared:
        return f"write 'better: {better}' there"
    share = ", unit: share" if scope.plan.metrics[name].unit == "share" else ""
    own = f"{name}: {{column: {name}, better: {better}{share}}}"
    return f"write 'metrics: {{define: {{{own}}}}}'"


def _place(scope: Scope, name: str) -> Place:
    """Where the line is to be written: the metric's declaration, else where it is named."""
    asked = scope.plan.experiment
    if name in scope.declared:
        return scope.metric_at(name, key=True)
    if name in asked.metrics.secondary:
        return scope.at("metrics", "secondary", asked.metrics.secondary.index(name))
    if name == asked.metrics.primary:
        return scope.at("metrics", "primary")
    if name == asked.decision.metric:
        return scope.at("decision", "metric")
    return scope.at("uplift", "metric")
