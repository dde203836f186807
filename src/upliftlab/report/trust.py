"""What was asked of the data before any number was shown, and who was in which arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.results.analysis import Analysis, ArmCount, Check, Severity
from upliftlab.text.language import N_

_MANY: Final = 12
"""With more checks than this, those that passed are folded away."""
State = Literal["passed", "critical", "warning", "info", "unasked"]
_STATES: Final[dict[State, str]] = {
    "passed": N_("Passed"),
    "critical": N_("Failed"),
    "warning": N_("Warning"),
    "info": N_("Worth knowing"),
    "unasked": N_("Not answered"),
}
_NAMES: Final = {
    "attrition": N_("Everybody in the data"),
    "balance": N_("Balance before the campaign"),
    "clock": N_("Events on the right clock"),
    "completeness": N_("Events complete"),
    "contamination": N_("Control left uncontacted"),
    "currency": N_("One currency"),
    "delivered": N_("Arms as assigned"),
    "deviations": N_("Plan kept"),
    "duplicates": N_("Events counted once"),
    "guardrail": N_("Guardrail"),
    "households": N_("Households kept whole"),
    "known_before": N_("Attributes known before"),
    "late": N_("Events in time"),
    "maturity": N_("Outcomes complete"),
    "plan": N_("As planned"),
    "planned_before": N_("Plan made beforehand"),
    "sample_ratio": N_("Sample ratio"),
    "same_customers": N_("Customers as assigned"),
    "skewness": N_("Intervals reliable"),
    "unknown_customers": N_("Events of known customers"),
    "waves": N_("Waves complete"),
}


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check as the page says it."""

    title: str
    state: State
    label: str
    message: Sentence


@dataclass(frozen=True, slots=True)
class ArmSize:
    """How many customers an arm has and should have."""

    arm: str
    title: str
    """What it is called for people; empty where nothing was declared."""
    role: str
    channel: str
    share: Figure
    expected: Figure
    observed: Figure


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust strip."""

    summary: str
    checks: tuple[CheckView, ...]
    """What did not pass, and what passed where it is little."""
    passed: tuple[CheckView, ...]
    """What passed, to be folded away."""
    units: str
    """What the arms' sizes count."""
    arms: tuple[ArmSize, ...]


def trust(analysis: Analysis, teller: Formatter) -> Trust:
    """The checks, failed ones first, and the size of every arm."""
    asked = [_asked(check, f"/checks/{i}", teller) for i, check in enumerate(analysis.checks)]
    order: list[State] = ["critical", "warning", "info", "unasked", "passed"]
    total = sum(arm.n for arm in analysis.arms)
    folded = len(asked) > _MANY
    return Trust(
        summary=teller.text(_summary({check.state for check in asked})),
        checks=tuple(
            check
            for check in sorted(asked, key=lambda check: order.index(check.state))
            if not (folded and check.state == "passed")
        ),
        passed=tuple(check for check in asked if folded and check.state == "passed"),
        units=teller.text(
            N_("Households per arm, expected and observed")
            if analysis.unit == "household"
            else N_("Customers per arm, expected and observed")
        ),
        arms=tuple(_size(arm, i, total, teller) for i, arm in enumerate(analysis.arms)),
    )


def _summary(states: set[State]) -> str:
    if not states:
        return N_("No checks were made.")
    if "critical" in states:
        return N_("A critical check failed: do not use these data until its cause is mended.")
    if "warning" in states:
        return N_("Read the warnings before you rely on these numbers.")
    if "unasked" in states:
        return N_("Nothing failed, but not every question could be answered.")
    if "info" in states:
        return N_("Nothing failed, but read what is worth knowing.")
    return N_("Every check passed.")


def _state(check: Check) -> State:
    if check.passed is None:
        return "unasked"
    if check.passed:
        return "passed"
    states: dict[Severity, State] = {
        Severity.critical: "critical",
        Severity.warning: "warning",
        Severity.info: "info",
    }
    return states[check.severity]


def _asked(check: Check, key: str, teller: Formatter) -> CheckView:
    state = _state(check)
    return CheckView(
        title=_title(check.name, teller),
        state=state,
        label=teller.text(_STATES[state]),
        message=teller.sentence(check.parts, f"{key}/parts"),
    )


def _title(name: str, teller: Formatter) -> str:
    """`balance:region` is the check `balance` of `region`."""
    asked, *subjects = name.split(":")
    return " · ".join([teller.text(_NAMES.get(asked, asked)), *subjects])


def _size(arm: ArmCount, i: int, total: int, teller: Formatter) -> ArmSize:
    key = f"/arms/{i}"
    return ArmSize(
        arm=arm.arm,
        title=arm.title or "",
        role=teller.text(N_("control") if arm.control else N_("treated")),
        channel=arm.channel_title or arm.channel or teller.text(N_("none")),
        share=teller.figure(arm.expected_share, f"{key}/expected_share", FigureFormat("percent")),
        expected=teller.product(arm.expected_share, total, f"{key}/expected_share"),
        observed=teller.figure(arm.n, f"{key}/n", FigureFormat("count")),
    )
