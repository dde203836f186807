"""Guardrails: whether what must not get worse stayed within its tolerance."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.checks.definition import CheckAnswer, CheckDefinition, CheckInputs
from upliftlab.config.models.experiment import Guardrail
from upliftlab.results.analysis import EstimandKind, Finding, Scalar, Severity
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


def _guardrails(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether each guardrail holds in each arm: its whole interval within the tolerance."""
    units = {metric.name: _UNITS[metric.unit] for metric in inputs.metrics}
    overall = {
        (finding.kind.plain, finding.metric, finding.arm): finding
        for finding in inputs.findings
        if finding.dimension is None and finding.headline
    }
    for metric, rule in inputs.plan.experiment.metrics.guardrails.items():
        unit = "percent" if _relative(rule) else units[metric]
        kind = EstimandKind.relative_lift if _relative(rule) else EstimandKind.difference
        for arm in inputs.plan.treatments:
            yield _guardrail(unit, rule, overall[kind, metric, arm])


def _relative(rule: Guardrail) -> bool:
    tolerance = rule.max_increase or rule.max_decrease
    return tolerance is not None and tolerance.kind == "relative"


def _guardrail(unit: str, rule: Guardrail, finding: Finding) -> CheckAnswer:
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
    about = (metric, finding.arm or "")
    return CheckAnswer(passed, text, values, about, value=finding.estimate, p=finding.p)


GUARDRAIL = CheckDefinition(
    name="guardrail",
    title=N_("Guardrail"),
    severity=Severity.warning,
    judge=_guardrails,
    tells="effects",
)
