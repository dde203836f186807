"""Rules about metrics: what they are made of, how far they may move, what they know of before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.config.mending import mending
from upliftlab.config.models import Metric
from upliftlab.config.models.limits import Tolerance
from upliftlab.config.rules.registry import metrics_judges, metrics_rule, rule
from upliftlab.config.scope import MetricDeclarations, Scope
from upliftlab.config.windows import BEFORE
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.nearest import closest, surely


@rule(
    "UL119",
    "Direction of a guardrail",
    "A guardrail limits the change that is bad.",
    wrong="metrics: {primary: spent, guardrails: {complaints: {max_decrease: 5%}}}",
    right="metrics: {primary: spent, guardrails: {complaints: {max_increase: 5%}}}",
    beside={"configs/metrics.yaml": "metrics: {complaints: {column: complaints, better: lower}}\n"},
)
def guardrail_direction(scope: Scope) -> Iterator[Diagnostic]:
    """UL119: a guardrail limits the bad direction."""
    for name, guardrail in scope.plan.experiment.metrics.guardrails.items():
        metric = scope.plan.metrics.get(name)
        if metric is None or not metric.has_direction:
            continue
        key, right = ("max_decrease", "max_increase")
        if metric.better == "higher":
            key, right = right, key
        if getattr(guardrail, key) is not None:
            message = f"'{key}' limits a good change: of '{name}', {metric.better} is better"
            place = scope.at("metrics", "guardrails", name, key, key=True)
            yield Diagnostic("UL119", message, f"write '{right}'", place)


@rule(
    "UL149",
    "Guardrail on a share without its unit",
    "What a share may move by is written in points, or in per cent of the control's share.",
    wrong="metrics: {primary: spent, guardrails: {left: {max_increase: 2}}}",
    right="metrics: {primary: spent, guardrails: {left: {max_increase: 2 points}}}",
    beside={"configs/metrics.yaml": "metrics: {left: {column: left, unit: share}}\n"},
)
def guardrail_points(scope: Scope) -> Iterator[Diagnostic]:
    """UL149: a share's guardrail is in points or per cent, never a bare number."""
    for name, guardrail in scope.plan.experiment.metrics.guardrails.items():
        key = "max_increase" if guardrail.max_increase is not None else "max_decrease"
        limit: Tolerance | None = getattr(guardrail, key)
        if limit is None or limit.kind != "absolute" or not is_share(scope, name):
            continue
        meant = limit.value if limit.value >= 1 else 100 * limit.value
        message = (
            f"'{name}' is a share, and a bare {limit.value:g} means {100 * limit.value:g} points"
        )
        remedy = f"write '{meant:g} points', or '{meant:g}%' of the control's share"
        place = scope.at("metrics", "guardrails", name, key)
        yield Diagnostic("UL149", message, remedy, place)


def is_share(scope: Scope, name: str) -> bool:
    """Whether a metric is 0 or 1 per customer, by its unit or by how it is defined."""
    metric = scope.plan.metrics.get(name)
    return metric is not None and (metric.unit == "share" or metric.kind.share)


@rule(
    "UL128",
    "Capped metric not measured",
    "'winsorize' names metrics of the experiment that are no ratios.",
    wrong="analysis: {winsorize: {spend: 99.9%}}",
    right="analysis: {winsorize: {spent: 99.9%}}",
)
def winsorized(scope: Scope) -> Iterator[Diagnostic]:
    """UL128: only a metric that is measured, and is no ratio, can be capped."""
    known = {name: m for name, m in scope.plan.metrics.items() if name in scope.plan.measured}
    for name in scope.plan.experiment.analysis.winsorize:
        place = scope.at("analysis", "winsorize", name, key=True)
        if name in known and known[name].ratio is not None:
            message = f"the metric '{name}' is a ratio of totals, which cannot be capped"
            remedy = "cap one of its two metrics"
            if known[name].missing == "drop":
                message = f"the metric '{name}' leaves customers out, so that it cannot be capped"
                remedy = "take it away here, or write 'missing: zero' at the metric"
            yield Diagnostic("UL128", message, remedy, place)
        elif name not in known:
            near = closest(name, list(known), cutoff=0.6)
            remedy = f"did you mean '{near}'?" if near else "name it under 'metrics' too"
            fault = Diagnostic("UL128", f"the metric '{name}' is not measured", remedy, place)
            yield mending(fault, surely(name, known, cutoff=0.6))


@metrics_judges
def metric_parts(declared: MetricDeclarations) -> Iterator[Diagnostic]:
    """UL107: what a metric is made of are metrics, or columns that look like none of them."""
    known = declared.known
    for name, metric in declared.metrics.items():
        for part in metric.parts:
            others = [other for other in known if other != name]
            near = closest(part, others, cutoff=0.8)
            if part not in known and near:
                message = f"metric '{name}': its part '{part}' is not declared"
                place = _part_place(declared, name, metric, part)
                fault = Diagnostic("UL107", message, f"did you mean '{near}'?", place)
                yield mending(fault, surely(part, others, cutoff=0.8))


@metrics_rule(
    "UL111",
    "Metric made of itself or of a ratio",
    "A metric that is made of others is made of totals: neither of itself nor of a ratio.",
    wrong="metrics: {a: {ratio: [a, visits]}}",
    right="metrics: {a: {ratio: [spent, visits]}}",
    file="configs/metrics.yaml",
)
def metric_loops(declared: MetricDeclarations) -> Iterator[Diagnostic]:
    """UL111: no metric is made of itself, nor of a ratio."""
    known = declared.known
    for name, metric in declared.metrics.items():
        for part in metric.parts:
            below = known.get(part, Metric(column=part))
            loops = part == name or name in _reach(part, known)
            if not below.kind.is_ratio and not loops:
                continue
            kind = "is made of itself" if loops else f"has the ratio '{part}' as a part"
            remedy = "use totals: sums, counts or columns"
            if not loops and below.missing == "drop":
                kind = f"has a part, '{part}', that leaves customers out"
                remedy = f"write 'missing: zero' at '{part}'"
            place = _part_place(declared, name, metric, part)
            yield Diagnostic("UL111", f"the metric '{name}' {kind}", remedy, place)


def _part_place(declared: MetricDeclarations, name: str, metric: Metric, part: str) -> Place:
    """Where a metric names one of its parts."""
    if part in metric.pair:
        return declared.at(name, metric.defined_by, metric.pair.index(part))
    return declared.at(name, "only" if metric.only == part else "unless")


def _reach(start: str, metrics: Mapping[str, Metric]) -> set[str]:
    """Every metric that `start` is made of."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        metric = metrics.get(todo.pop())
        fresh = [part for part in (metric.parts if metric else ()) if part not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return seen


@rule(
    "UL142",
    "Covariate made of several metrics",
    "A covariate is a column, or one metric over events in the time before.",
    wrong="analysis: {covariates: [average_before]}",
    right="analysis: {covariates: [spent_before]}",
    beside={
        "configs/metrics.yaml": (
            "metrics:\n"
            "  total: {column: total}\n"
            "  visits: {column: visits}\n"
            "  average: {ratio: [total, visits]}\n"
        )
    },
)
def covariates_add_up(scope: Scope) -> Iterator[Diagnostic]:
    """UL142: what is asked of the time before is one metric over events, or a column."""
    for at, name in enumerate(scope.plan.experiment.analysis.covariates):
        stem = name.removesuffix(BEFORE)
        metric = scope.declared.get(stem)
        if name in scope.plan.metrics and scope.plan.covariates[name].source is not None:
            message = f"the covariate '{name}' has the name of a metric that is used here"
            place = scope.at("analysis", "covariates", at)
            yield Diagnostic("UL142", message, "rename the metric where it is declared", place)
        if stem != name and metric is not None and metric.parts:
            message = f"the covariate '{name}' would be made of other metrics"
            place = scope.at("analysis", "covariates", at)
            yield Diagnostic("UL142", message, f"name {metric.parts[0]}{BEFORE} instead", place)


@rule(
    "UL155",
    "Metric defined and not used",
    "A metric that an experiment defines is one that it measures (warning).",
    wrong="metrics: {primary: spent, define: {visits: {column: visits}}}",
    right="metrics: {primary: spent, secondary: [visits], define: {visits: {column: visits}}}",
)
def defined_and_used(scope: Scope) -> Iterator[Diagnostic]:
    """UL155: what is defined here is named here, alone or as a part or as a covariate."""
    used = {*scope.plan.metrics, *(name.removesuffix(BEFORE) for name in scope.plan.covariates)}
    for name in scope.plan.experiment.metrics.define:
        if name not in used:
            place = scope.metric_at(name, key=True)
            message = f"the metric '{name}' is defined and not used"
            remedy = f"name it: 'secondary: [{name}]', or remove it"
            yield Diagnostic("UL155", message, remedy, place, severity="warning")
