"""Integrity checks: asked before any number is shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date

from upliftlab.analysis.cube import OVERALL, Cube
from upliftlab.analysis.record import Record
from upliftlab.analysis.study import Study
from upliftlab.experiment import Guardrail, Plan
from upliftlab.language import N_, Language
from upliftlab.results import Check, Finding, Kind, Message, Scalar, Severity
from upliftlab.stats.effects import skewness
from upliftlab.stats.integrity import independence, sample_ratio

IMPLAUSIBLE = 0.001
"""A sample ratio or imbalance this improbable is a fault of the experiment, not of chance."""
SKEWED = 0.05
"""Beyond this skewness of a difference, Welch's interval misses one tail."""
_ENGLISH = Language("en")


def check(
    name: str,
    passed: bool | None,
    severity: Severity,
    said: tuple[str, Mapping[str, Scalar]],
    measured: tuple[float | None, float | None] = (None, None),
) -> Check:
    """A check with its message said in English; `measured` is its statistic and p-value."""
    parts = Message(template=said[0], values=dict(said[1]))
    return Check(
        name=name,
        severity=severity,
        passed=passed,
        value=measured[0],
        p=measured[1],
        message=_ENGLISH.say(parts, None),
        parts=parts,
    )


def expected_shares(plan: Plan) -> dict[str, float]:
    """Each arm's declared share; equal ones where none is declared."""
    declared = {name: arm.share for name, arm in plan.arms.items()}
    if all(share is None for share in declared.values()):
        return {name: 1 / len(declared) for name in declared}
    total = float(sum(share or 0 for share in declared.values()))
    return {name: float(share or 0) / total for name, share in declared.items()}


def integrity(plan: Plan, study: Study, cube: Cube, today: date) -> tuple[Check, ...]:
    """All checks of one analysis, the critical ones first.

    Args:
        plan: What was declared.
        study: What is compared.
        cube: Moments of the metric columns (not projected).
        today: The day of the analysis.
    """
    return (
        _sample_ratio(plan, cube),
        _maturity(plan, today),
        _contamination(plan, study, cube),
        *_balance(plan, cube),
        *_skewness(plan, study, cube),
        *_not_computed(plan),
    )


def _sample_ratio(plan: Plan, cube: Cube) -> Check:
    shares = expected_shares(plan)
    counts = {name: cube[OVERALL][name].n if name in cube[OVERALL] else 0 for name in shares}
    value, p = sample_ratio(list(counts.values()), list(shares.values()))
    passed = p >= IMPLAUSIBLE
    measured = (value if math.isfinite(value) else None, p)
    if passed:
        text = N_("Customers are divided among the arms as declared (p: {p:p}).")
    elif any(arm.share for arm in plan.arms.values()):
        text = N_("Customers are not divided among the arms as declared (p: {p:p}).")
    else:
        text = N_(
            "Customers are not divided equally among the arms (p: {p:p}); "
            "if other shares were intended, declare the share of each arm."
        )
    return check("sample_ratio", passed, Severity.critical, (text, {"p": p}), measured)


def closing_day(plan: Plan) -> date | None:
    """The day the last wave's outcome window closes; None where either is not declared."""
    asked = plan.experiment
    if not asked.waves or asked.outcome_window is None:
        return None
    return max(wave.start for wave in asked.waves) + asked.outcome_window


def _maturity(plan: Plan, today: date) -> Check:
    closes = closing_day(plan)
    name, severity = "maturity", Severity.critical
    if closes is None:
        text = N_("Not asked: the plan does not declare both waves and an outcome window.")
        return check(name, None, Severity.info, (text, {}))
    values: dict[str, Scalar] = {"date": closes.isoformat()}
    if today < closes:
        text = N_("The outcome window is open until {date:date}.")
        return check(name, passed=False, severity=severity, said=(text, values))
    text = N_("The outcome window closed on {date:date}.")
    return check(name, passed=True, severity=severity, said=(text, values))


def _contamination(plan: Plan, study: Study, cube: Cube) -> Check:
    name = "contamination"
    if study.roles is None or study.roles.contacts is None:
        text = N_("Not asked: contacts are not measured.")
        return check(name, None, Severity.info, (text, {}))
    control = cube[OVERALL][plan.control]
    total = round(control.n * float(control.mean[study.roles.contacts]))
    if total == 0:
        text = N_("The control group received no contacts.")
    else:
        text = N_("The control group received {count:count} contacts.")
    measured = (float(total), None)
    return check(name, total == 0, Severity.warning, (text, {"count": total}), measured)


def _balance(plan: Plan, cube: Cube) -> Iterator[Check]:
    for segment in plan.segments:
        levels = [groups for place, groups in cube.items() if place.dimension == segment]
        table = [[g[arm].n if arm in g else 0 for g in levels] for arm in plan.arms]
        tested = independence(table)
        name = f"balance:{segment}"
        if tested is None:
            text = N_("Not asked: {segment} has too few levels or too few customers in them.")
            yield check(name, None, Severity.info, (text, {"segment": segment}))
            continue
        value, p = tested
        if p >= IMPLAUSIBLE:
            text = N_("{segment} is spread alike over the arms (p: {p:p}).")
        else:
            text = N_("{segment} differs between the arms (p: {p:p}): were they drawn at random?")
        said: tuple[str, dict[str, Scalar]] = (text, {"segment": segment, "p": p})
        yield check(name, p >= IMPLAUSIBLE, Severity.warning, said, (value, p))


def _skewness(plan: Plan, study: Study, cube: Cube) -> Iterator[Check]:
    """Warn where a difference is too skewed for Welch's interval."""
    asked = [plan.experiment.metrics.primary]
    if plan.experiment.money:
        asked.append(plan.experiment.money.revenue)
    for metric in dict.fromkeys(name for name in asked if name in study.metrics):
        for arm in study.treatments:
            pair = study.pair(cube[OVERALL], (arm,))
            if pair.unusable is None:
                yield from _skewed(metric, arm, skewness(pair, study.metrics.index(metric)))


def _skewed(metric: str, arm: str, value: float | None) -> Iterator[Check]:
    if value is not None and abs(value) <= SKEWED:
        return
    values: dict[str, Scalar] = {"metric": metric, "arm": arm}
    name, severity = f"skewness:{metric}:{arm}", Severity.warning
    if value is None:
        text = N_(
            "Not asked: too few digits tell how skewed {metric} is between {arm} and control."
        )
        yield check(name, None, severity, (text, values))
        return
    text = N_(
        "The difference in {metric} between {arm} and the control is skewed "
        "({value:number}): its interval covers less than it says on one side."
    )
    said = (text, {**values, "value": value})
    yield check(name, passed=False, severity=severity, said=said, measured=(value, None))


def _not_computed(plan: Plan) -> Iterator[Check]:
    """Name what the plan asks for and this version does not compute."""
    asked = plan.experiment
    parts = {
        "analysis.covariates": asked.analysis.covariates,
        "uplift": asked.uplift,
    }
    for name, value in parts.items():
        if value:
            text = N_("The plan asks for {part}, which this version does not compute.")
            said: tuple[str, dict[str, Scalar]] = (text, {"part": name})
            yield check(f"plan:{name}", None, Severity.warning, said)


def recorded(record: Record) -> tuple[Check, ...]:
    """What became of the plan since it was locked."""
    name, severity = "deviations", Severity.warning
    values: dict[str, Scalar] = {"date": record.locked.isoformat()}
    if record.deviations:
        text = N_("The plan was changed after outcomes had been read: {why}")
        said: tuple[str, dict[str, Scalar]] = (text, {"why": "; ".join(record.deviations)})
        return (check(name, passed=False, severity=severity, said=said),)
    if record.amendments:
        text = N_("The plan locked on {date:date} was amended before outcomes were read: {why}")
        values["why"] = "; ".join(record.amendments)
        return (check(name, passed=True, severity=severity, said=(text, values)),)
    text = N_("The plan is the one locked on {date:date}.")
    return (check(name, passed=True, severity=severity, said=(text, values)),)


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
