"""Guardrails: whether what must not get worse stayed within its tolerance."""

from __future__ import annotations

from upliftlab.analysis.check import check
from upliftlab.experiment import Guardrail, Plan
from upliftlab.language import N_
from upliftlab.results import Check, Finding, Kind, Scalar, Severity


def guardrails(plan: Plan, findings: tuple[Finding, ...]) -> tuple[Check, ...]:
    """Whether each guardrail holds in each arm: its whole interval within the tolerance."""
    overall = {
        (finding.metric, finding.arm): finding
        for finding in findings
        if finding.dimension is None and finding.kind is Kind.difference
    }
    lifts = {
        (finding.metric, finding.arm): finding
        for finding in findings
        if finding.dimension is None and finding.kind is Kind.relative_lift
    }
    return tuple(
        _guardrail(metric, rule, (lifts if _relative(rule) else overall)[metric, arm])
        for metric, rule in plan.experiment.metrics.guardrails.items()
        for arm in plan.treatments
    )


def _relative(rule: Guardrail) -> bool:
    tolerance = rule.max_increase or rule.max_decrease
    return tolerance is not None and tolerance.kind == "relative"


def _guardrail(metric: str, rule: Guardrail, finding: Finding) -> Check:
    tolerance = rule.max_increase or rule.max_decrease
    assert tolerance is not None  # noqa: S101 - the language asks for one
    low, high = finding.low, finding.high
    if rule.max_increase is None and low is not None and high is not None:
        low, high = -high, -low
    passed, text = None, N_("Whether {metric} stays within its limit in {arm} is not settled.")
    if low is None or high is None:
        text = N_("Not computed: whether {metric} stays within its limit in {arm}.")
    elif high <= tolerance.value:
        passed, text = True, N_("{metric} stays within its limit in {arm}.")
    elif low > tolerance.value:
        passed, text = False, N_("{metric} exceeds its limit in {arm}.")
    values: dict[str, Scalar] = {"metric": metric, "arm": finding.arm}
    measured = (finding.estimate, finding.p)
    name = f"guardrail:{metric}:{finding.arm}"
    return check(name, passed, Severity.warning, (text, values), measured)
