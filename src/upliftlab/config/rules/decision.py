"""Rules about the decision: its metric is measured, and it can come out either way."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.foreign_signs import foreign
from upliftlab.config.mending import mending
from upliftlab.config.rules.metrics import is_share
from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic
from upliftlab.results.ship_rule import parse_ship_if
from upliftlab.util.nearest import closest, surely


@rule(
    "UL120",
    "Metric of the decision",
    "The decision's metric is measured; profit needs 'money'.",
    wrong="decision: {metric: profit}",
    right="decision: {metric: profit}\nmoney: {revenue: spent, margin: 40%}",
)
def decision_metric(scope: Scope) -> Iterator[Diagnostic]:
    """UL120: the decision's metric is measured, and profit has its money."""
    experiment = scope.plan.experiment
    profit_at = [("metrics", "primary")] if experiment.metrics.primary == "profit" else []
    profit_at += [("decision", "metric")] if experiment.decision.metric == "profit" else []
    if experiment.money is None:
        for path in profit_at:
            remedy = "declare 'money: {revenue: …, margin: …}'"
            yield Diagnostic("UL120", "profit needs 'money'", remedy, scope.at(*path))
    for place_path in _profit_elsewhere(scope):
        message = "profit is a primary or decision metric only"
        yield Diagnostic(
            "UL120", message, "it is reported wherever money is", scope.at(*place_path)
        )
    name = experiment.decision.metric
    if name is not None and name not in ("profit", *scope.plan.measured):
        known = ["profit", *scope.plan.measured]
        near = closest(name, known, cutoff=0.6)
        remedy = f"did you mean '{near}'?" if near else "name it under 'metrics' too"
        message = f"the decision's metric '{name}' is not measured"
        fault = Diagnostic("UL120", message, remedy, scope.at("decision", "metric"))
        yield mending(fault, surely(name, known, cutoff=0.6))


def _profit_elsewhere(scope: Scope) -> Iterator[tuple[str | int, ...]]:
    metrics = scope.plan.experiment.metrics
    for at, name in enumerate(metrics.secondary):
        if name == "profit":
            yield ("metrics", "secondary", at)
    if "profit" in metrics.guardrails:
        yield ("metrics", "guardrails", "profit")
    if metrics.contacted == "profit":
        yield ("metrics", "contacted")


@rule(
    "UL121",
    "Rule of the decision",
    "'ship_if' compares 'lower' or 'estimate' with a number, by '>' or '>='.",
    wrong="decision: {ship_if: 'p < 0.05'}",
    right="decision: {ship_if: 'lower > 0'}",
)
@rule(
    "UL122",
    "Decision that can only come out one way",
    "A share changes by less than 1, so the rule's number lies between -1 and 1.",
    wrong="metrics: {primary: bought}\ndecision: {ship_if: 'lower > 2'}",
    right="metrics: {primary: bought}\ndecision: {ship_if: 'lower > 0.02'}",
    beside={"configs/metrics.yaml": "metrics: {bought: {column: bought, unit: share}}\n"},
)
def decision_rule(scope: Scope) -> Iterator[Diagnostic]:
    """UL121, UL122: the rule can be read, and can come out either way."""
    decision = scope.plan.experiment.decision
    place = scope.at("decision", "ship_if")
    try:
        parsed = parse_ship_if(decision.ship_if)
    except ValueError as error:
        other = foreign(decision.ship_if)
        usual = "write 'lower > NUMBER' or 'estimate > NUMBER' ('>=' too)"
        fault = Diagnostic("UL121", str(error), other.remedy if other else usual, place)
        yield mending(fault, other.instead if other else None)
        return
    name = scope.plan.decided_by
    if is_share(scope, name) and abs(parsed.threshold) >= 1:
        way = "never" if parsed.threshold > 0 else "always"
        message = f"'{decision.ship_if}' is {way} true: '{name}' is a share, between 0 and 1"
        yield Diagnostic("UL122", message, "write points as a fraction: 'lower > 0.01'", place)
