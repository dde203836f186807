"""Guardrails: whether what must not get worse stayed within its tolerance."""

from __future__ import annotations

from collections.abc import Sequence

from upliftlab.analysis.check import check
from upliftlab.config.models.experiment import Guardrail, Plan
from upliftlab.results.analysis import Check, EstimandKind, Finding, MetricInfo, Scalar, Severity
from upliftlab.text.language import N_

_WITHIN = {
    "percent": N_(
        "{metric} stays within its limit in {arm}: it changed by {change:percent}, the limit is "
        "{limit:percent}."
    ),
    "points": N_(
        "{metric} stays within its limit in {arm}: it changed by {change:points}, the limit is "
        "{limit:points}."
    ),
    "money": N_(
        "{metric} stays within its limit in {arm}: it changed by {change:money}, the limit is "
        "{limit:money}."
    ),
    "number": N_(
        "{metric} stays within its limit in {arm}: it changed by {change:number}, the limit is "
        "{limit:number}."
    ),
}
_EXCEEDED = {
    "percent": N_(
        "{metric} exceeds its limit in {arm}: it changed by {change:percent}, the limit is "
        "{limit:percent}."
    ),
    "points": N_(
        "{metric} exceeds its limit in {arm}: it changed by {change:points}, the limit is "
        "{limit:points}."
    ),
    "money": N_(
        "{metric} exceeds its limit in {arm}: it changed by {change:money}, the limit is "
        "{limit:money}."
    ),
    "number": N_(
        "{metric} exceeds its limit in {arm}: it changed by {change:number}, the limit is "
        "{limit:number}."
    ),
}
_UNITS = {"share": "points", "money": "money", "number": "number"}


def guardrails(
    plan: Plan, findings: tuple[Finding, ...], metrics: Sequence[MetricInfo]
) -> tuple[Check, ...]:
    """Whether each guardrail holds in each arm: its whole interval within the tolerance."""
    units = {metric.name: _UNITS[metric.unit] for metric in metrics}
    overall = {
        (finding.metric, finding.arm): finding
        for finding in findings
        if finding.dimension is None and finding.kind is EstimandKind.difference
    }
    lifts = {
        (finding.metric, finding.arm): finding
        for finding in findings
        if finding.dimension is None and finding.kind is EstimandKind.relative_lift
    }
    return tuple(
        _guardrail(
            "percent" if _relative(rule) else units[metric],
            rule,
            (lifts if _relative(rule) else overall)[metric, arm],
        )
        for metric, rule in plan.experiment.metrics.guardrails.items()
        for arm in plan.treatments
    )


def _relative(rule: Guardrail) -> bool:
    tolerance = rule.max_increase or rule.max_decrease
    return tolerance is not None and tolerance.kind == "relative"


def _guardrail(unit: str, rule: Guardrail, finding: Finding) -> Check:
    tolerance = rule.max_increase or rule.max_decrease
    assert tolerance is not None  # noqa: S101 - the language asks for one
    low, high, metric = finding.low, finding.high, finding.metric
    if rule.max_increase is None and low is not None and high is not None:
        low, high = -high, -low
    passed, text = None, N_("Whether {metric} stays within its limit in {arm} is not settled.")
    if low is None or high is None:
        text = N_("Not computed: whether {metric} stays within its limit in {arm}.")
    elif high <= tolerance.value:
        passed, text = True, _WITHIN[unit]
    elif low > tolerance.value:
        passed, text = False, _EXCEEDED[unit]
    values: dict[str, Scalar] = {"metric": metric, "arm": finding.arm}
    if passed is not None:
        limit = tolerance.value if rule.max_increase is not None else -tolerance.value
        values |= {"change": finding.estimate, "limit": limit}
    measured = (finding.estimate, finding.p)
    name = f"guardrail:{metric}:{finding.arm}"
    return check(name, passed, Severity.warning, (text, values), measured)
