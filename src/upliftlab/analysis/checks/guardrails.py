"""Guardrails: whether what must not get worse stayed within its tolerance."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.checks.definition import CheckAnswer, CheckDefinition, CheckInputs
from upliftlab.analysis.findings import effect_of
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
    contrasts = {each.arm: each for each in inputs.compared if each.place == OVERALL}
    for metric, rule in inputs.plan.experiment.metrics.guardrails.items():
        unit = "percent" if _relative(rule) else units[metric]
        kind = EstimandKind.relative_lift if _relative(rule) else EstimandKind.difference
        for arm in inputs.plan.treatments:
            finding = overall[kind, metric, arm]
            p = effect_of(contrasts[arm], finding.kind, metric).p_of(_limit(rule))
            yield _guardrail(unit, rule, finding, p)


def _relative(rule: Guardrail) -> bool:
    tolerance = rule.max_increase or rule.max_decrease
    return tolerance is not None and tolerance.kind == "relative"


def _limit(rule: Guardrail) -> float:
    """The change at which the tolerance ends."""
    tolerance = rule.max_increase or rule.max_decrease
    assert tolerance is not None  # noqa: S101 - the language asks for one
    return tolerance.value if rule.max_increase is not None else -tolerance.value


def _guardrail(unit: str, rule: Guardrail, finding: Finding, p: float | None) -> CheckAnswer:
    """One answer; `p` is that of the change being the limit."""
    low, high, limit = finding.low, finding.high, _limit(rule)
    worst, least = (high, low) if rule.max_increase is not None else (low, high)
    sign = 1.0 if rule.max_increase is not None else -1.0
    passed, text = None, N_("Whether {metric} stays within its limit in {arm} is not settled.")
    if low is None and high is None:
        text = N_("Not computed: whether {metric} stays within its limit in {arm}.")
    elif worst is not None and sign * worst <= sign * limit:
        passed, text = True, _WITHIN[unit]
    elif least is not None and sign * least > sign * limit:
        passed, text = False, _EXCEEDED[unit]
    values: dict[str, Scalar] = {"metric": finding.metric, "arm": finding.arm}
    if passed is not None:
        values |= {"change": finding.estimate, "limit": limit}
    about = (finding.metric, finding.arm or "")
    return CheckAnswer(passed, text, values, about, value=finding.estimate, p=p)


GUARDRAIL = CheckDefinition(
    name="guardrail",
    title=N_("Guardrail"),
    severity=Severity.warning,
    judge=_guardrails,
    tells="effects",
)
