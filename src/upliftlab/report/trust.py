"""What was asked of the data before any number was shown, and who was in which arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence, escape
from upliftlab.results.analysis import Analysis, ArmCount, Check, FlowStep, Severity
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


_STEPS: Final = {
    "population": N_("In the customers' table"),
    "apart": N_("Take no part"),
    "contacts": N_("Contacts on record"),
    "redemptions": N_("Redemptions on record"),
    "observed": N_("In the data"),
    "assigned": N_("Assigned"),
    "absent": N_("Not in the data"),
    "excluded": N_("Excluded on purpose"),
    "ignored": N_("In arms that are not compared"),
    "analysed": N_("Analysed"),
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
class FlowLine:
    """One step of the way from all customers to those who are analysed."""

    title: str
    reason: str
    """The condition, where one decided, or why customers take no part."""
    declared: bool
    """Whether that is a text of the plan."""
    counts: tuple[Figure | None, ...]
    """Of all together, by arm, and then of whom no arm is known."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Who was left out on the way."""

    arms: tuple[str, ...]
    unknown: bool
    """Whether customers without a known arm are counted."""
    lines: tuple[FlowLine, ...]


_APART: Final = {
    "not_eligible": N_("are not eligible"),
    "opted_out": N_("have opted out"),
    "universal_holdout": N_("universal holdout"),
    "other_experiment": N_("another experiment's part of the layer"),
    "no_wave": N_("in no wave"),
    "cool_down": N_("contacted too short a time ago"),
    "max_contacts": N_("as many contacts as the policy allows"),
    "no_arm": N_("beyond the last arm's share"),
}


def flow(analysis: Analysis, formatter: Formatter) -> Flow | None:
    """The customers of each step by arm; None where nobody was left out and nothing is counted."""
    parts = {
        "enrollment": analysis.enrollment,
        "flow": analysis.flow,
        "delivery": analysis.delivery,
    }
    few = len(analysis.flow) <= 2  # noqa: PLR2004 - the first and the last
    if not analysis.flow or (few and not analysis.enrollment and not analysis.delivery):
        return None
    arms = tuple(analysis.flow[0].arms)
    unknown = any(step.without_arm for step in analysis.flow)
    shape = (arms, unknown)
    return Flow(
        arms=tuple(formatter.names.get(arm, arm) for arm in arms),
        unknown=unknown,
        lines=tuple(
            _line(step, f"/{part}/{i}", formatter, shape)
            for part, steps in parts.items()
            for i, step in enumerate(steps)
        ),
    )


def _line(
    step: FlowStep, key: str, formatter: Formatter, shape: tuple[tuple[str, ...], bool]
) -> FlowLine:
    (arms, unknown), count = shape, FigureFormat("count")
    counts: list[Figure | None] = [
        formatter.figure(step.arms[arm], f"{key}/arms/{escape(arm)}", count)
        if arm in step.arms
        else None
        for arm in arms
    ]
    if unknown:
        known = step.arms and step.kind not in ("contacts", "redemptions")
        figure = formatter.figure(step.without_arm, f"{key}/without_arm", count)
        counts.append(figure if known else None)
    together = None
    if not step.arms:
        together = formatter.figure(step.without_arm, f"{key}/without_arm", count)
    reason = step.reason or ""
    told = formatter.text(_APART[reason]) if step.kind == "apart" and reason in _APART else reason
    declared = step.kind != "apart"
    return FlowLine(formatter.text(_STEPS[step.kind]), told, declared, (together, *counts))


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


def trust(analysis: Analysis, formatter: Formatter) -> Trust:
    """The checks, failed ones first, and the size of every arm."""
    asked = [_asked(check, f"/checks/{i}", formatter) for i, check in enumerate(analysis.checks)]
    order: list[State] = ["critical", "warning", "info", "unasked", "passed"]
    total = sum(arm.n for arm in analysis.arms)
    folded = len(asked) > _MANY
    return Trust(
        summary=formatter.text(_summary({check.state for check in asked})),
        checks=tuple(
            check
            for check in sorted(asked, key=lambda check: order.index(check.state))
            if not (folded and check.state == "passed")
        ),
        passed=tuple(check for check in asked if folded and check.state == "passed"),
        units=formatter.text(
            N_("Households per arm, expected and observed")
            if analysis.unit == "household"
            else N_("Customers per arm, expected and observed")
        ),
        arms=tuple(_size(arm, i, total, formatter) for i, arm in enumerate(analysis.arms)),
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


def _asked(check: Check, key: str, formatter: Formatter) -> CheckView:
    state = _state(check)
    return CheckView(
        title=_title(check, formatter),
        state=state,
        label=formatter.text(_STATES[state]),
        message=formatter.sentence(check.parts, f"{key}/parts"),
    )


def _title(check: Check, formatter: Formatter) -> str:
    """`balance:region` is the check `balance` of `region`, which is said by its title.

    An analysis from before checks had titles is told by their names, as words.
    """
    asked, *subjects = check.name.split(":")
    title = check.title or asked.replace("_", " ").capitalize()
    if asked == "balance":
        subjects = [formatter.segments.get(subject, subject) for subject in subjects]
    return " · ".join([formatter.text(title), *subjects])


def _size(arm: ArmCount, i: int, total: int, formatter: Formatter) -> ArmSize:
    key = f"/arms/{i}"
    return ArmSize(
        arm=arm.arm,
        title=arm.title or "",
        role=formatter.text(N_("control") if arm.control else N_("treated")),
        channel=arm.channel_title or arm.channel or formatter.text(N_("none")),
        share=formatter.figure(
            arm.expected_share, f"{key}/expected_share", FigureFormat("percent")
        ),
        expected=formatter.multiple(arm.expected_share, total, f"{key}/expected_share", "count"),
        observed=formatter.figure(arm.n, f"{key}/n", FigureFormat("count")),
    )
