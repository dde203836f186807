"""What was asked of the data before any number was shown, and who was in which arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from upliftlab.language import N_
from upliftlab.report.figure import Figure, Form, Sentence, Teller
from upliftlab.results import Analysis, ArmCount, Check, Severity

State = Literal["passed", "critical", "warning", "info", "unasked"]
_STATES: Final[dict[State, str]] = {
    "passed": N_("Passed"),
    "critical": N_("Failed"),
    "warning": N_("Warning"),
    "info": N_("Worth knowing"),
    "unasked": N_("Could not be asked"),
}
_NAMES: Final = {
    "assignment": N_("Assignment as recorded"),
    "balance": N_("Balance before the campaign"),
    "contamination": N_("Control left uncontacted"),
    "control_contacted": N_("Control left uncontacted"),
    "currency": N_("One currency"),
    "duplicates": N_("Each customer once"),
    "maturity": N_("Outcomes complete"),
    "missing_arms": N_("Every arm has customers"),
    "missing_values": N_("Values complete"),
    "one_arm": N_("One arm per customer"),
    "outcome_window": N_("Outcomes complete"),
    "power": N_("Power reached"),
    "sample_ratio": N_("Sample ratio"),
    "unknown_arms": N_("No unknown arms"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One check as the page says it."""

    title: str
    state: State
    label: str
    message: Sentence
    value: Figure | None
    p: Figure | None


@dataclass(frozen=True, slots=True)
class ArmSize:
    """How many customers an arm has and should have."""

    arm: str
    role: str
    channel: str
    share: Figure
    expected: Figure
    observed: Figure


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust strip."""

    summary: str
    checks: tuple[Asked, ...]
    arms: tuple[ArmSize, ...]


def trust(analysis: Analysis, teller: Teller) -> Trust:
    """The checks, failed ones first, and the size of every arm."""
    asked = [_asked(check, f"/checks/{i}", teller) for i, check in enumerate(analysis.checks)]
    order: list[State] = ["critical", "warning", "info", "unasked", "passed"]
    total = sum(arm.n for arm in analysis.arms)
    return Trust(
        summary=teller.text(_summary({check.state for check in asked})),
        checks=tuple(sorted(asked, key=lambda check: order.index(check.state))),
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
        return N_("Nothing failed, but not every check could be made.")
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


def _asked(check: Check, key: str, teller: Teller) -> Asked:
    state = _state(check)
    return Asked(
        title=teller.text(_NAMES.get(check.name, check.name.replace("_", " "))),
        state=state,
        label=teller.text(_STATES[state]),
        message=teller.sentence(check.parts, f"{key}/parts"),
        value=_figure(check.value, f"{key}/value", Form("number"), teller),
        p=_figure(check.p, f"{key}/p", Form("p"), teller),
    )


def _size(arm: ArmCount, i: int, total: int, teller: Teller) -> ArmSize:
    key = f"/arms/{i}"
    return ArmSize(
        arm=arm.arm,
        role=teller.text(N_("control") if arm.control else N_("treated")),
        channel=teller.text(N_("none")) if arm.channel is None else arm.channel,
        share=teller.figure(arm.expected_share, f"{key}/expected_share", Form("percent")),
        expected=teller.product(arm.expected_share, total, f"{key}/expected_share"),
        observed=teller.figure(arm.n, f"{key}/n", Form("count")),
    )


def _figure(value: float | None, key: str, form: Form, teller: Teller) -> Figure | None:
    return None if value is None else teller.figure(value, key, form)
