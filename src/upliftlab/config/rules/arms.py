"""Rules about arms: their shares, and the one that the others are compared with."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic

LEFT_OVER = "raise a share, unless they are to be left out"
"""What to do about shares below 100 %."""


@rule(
    "UL101",
    "Shares above 100 %",
    "The arms' shares sum to at most 100 %.",
    wrong="arms:\n  none: {control: true, share: 60%}\n  email: {share: 60%}",
    right="arms:\n  none: {control: true, share: 40%}\n  email: {share: 60%}",
)
def shares_sum(scope: Scope) -> Iterator[Diagnostic]:
    """UL101: the arms' shares sum to at most 100 %."""
    total = sum(arm.share or 0 for arm in scope.plan.arms.values())
    if total > 1:
        message = f"the arms' shares sum to {float(total * 100):g} %, more than 100 %"
        yield Diagnostic("UL101", message, "lower some shares", scope.at("arms", key=True))


@rule(
    "UL156",
    "Shares below 100 %",
    "Where upliftlab assigns, the arms' shares sum to 100 %: who is beyond them gets no arm and is "
    "left out of the experiment (warning).",
    wrong=(
        "assignment: {method: hash}\n"
        "arms:\n  none: {control: true, share: 40%}\n  email: {share: 50%}"
    ),
    right=(
        "assignment: {method: hash}\n"
        "arms:\n  none: {control: true, share: 50%}\n  email: {share: 50%}"
    ),
)
def shares_rest(scope: Scope) -> Iterator[Diagnostic]:
    """UL156: nobody is left over without a word."""
    shares = [arm.share for arm in scope.plan.arms.values()]
    total = sum(share or 0 for share in shares)
    if scope.plan.experiment.assignment.observed is None and None not in shares and total < 1:
        message = (
            f"the arms' shares sum to {float(total * 100):g} %: {float(100 - total * 100):g} %"
        )
        message += " of the customers get no arm"
        yield Diagnostic("UL156", message, LEFT_OVER, scope.at("arms", key=True), "warning")


@rule(
    "UL102",
    "Share missing",
    "Where one arm declares a share, all do.",
    wrong="arms:\n  none: {control: true, share: 20%}\n  email: {channel: email}",
    right="arms:\n  none: {control: true, share: 20%}\n  email: {share: 80%}",
)
def shares_whole(scope: Scope) -> Iterator[Diagnostic]:
    """UL102: where one arm declares a share, all do."""
    without = [name for name, arm in scope.plan.arms.items() if arm.share is None]
    if 0 < len(without) < len(scope.plan.arms):
        message = f"arm '{without[0]}' declares no share, but another arm does"
        remedy = "declare a share for every arm, or for none (then shares are equal)"
        yield Diagnostic("UL102", message, remedy, scope.at("arms", without[0], key=True))


@rule(
    "UL138",
    "Share of nothing",
    "Every arm and wave has a share above 0 %.",
    wrong="arms:\n  none: {control: true, share: 100%}\n  email: {share: 0%}",
    right="arms:\n  none: {control: true, share: 50%}\n  email: {share: 50%}",
)
def shares_positive(scope: Scope) -> Iterator[Diagnostic]:
    """UL138: no share is zero."""
    for name, arm in scope.plan.arms.items():
        if arm.share == 0:
            message = f"arm '{name}' has a share of 0 %, so nobody is in it"
            yield Diagnostic("UL138", message, "remove the arm", scope.at("arms", name, "share"))
    for at, wave in enumerate(scope.plan.experiment.waves):
        if wave.share == 0:
            place = scope.at("waves", at, "share")
            yield Diagnostic("UL138", f"wave {at + 1} has a share of 0 %", "remove the wave", place)


@rule(
    "UL103",
    "Not exactly one control",
    "One arm is the control the others are compared with.",
    wrong="arms:\n  none: {channel: sms}\n  email: {channel: email}",
    right="arms:\n  none: {control: true}\n  email: {channel: email}",
)
def one_control(scope: Scope) -> Iterator[Diagnostic]:
    """UL103: exactly one arm is the control."""
    controls = [name for name, arm in scope.plan.arms.items() if arm.control]
    if not controls:
        remedy = "mark the arm the others are compared with: {control: true}"
        yield Diagnostic("UL103", "no arm is the control", remedy, scope.at("arms", key=True))
    for name in controls[1:]:
        message = f"arm '{name}' is a second control beside '{controls[0]}'"
        remedy = "keep 'control: true' for one arm"
        yield Diagnostic("UL103", message, remedy, scope.at("arms", name, "control"))


@rule(
    "UL150",
    "Label of two arms",
    "Each value of the observed column belongs to one arm, or to none and is ignored.",
    wrong="assignment: {observed: arm, ignore_arms: [email]}",
    right="assignment: {observed: arm, ignore_arms: [letter]}",
)
def labels_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL150: a label of the data stands for one arm."""
    ignored = scope.plan.experiment.assignment.ignore_arms
    taken: dict[str, str] = {name: f"the name of the arm '{name}'" for name in scope.plan.arms}
    for at, label in enumerate(ignored):
        place = scope.at("assignment", "ignore_arms", at)
        if label in taken:
            remedy = "take it away here, or the arm under 'arms'"
            message = f"the ignored arm '{label}' is also {taken[label]}"
            yield Diagnostic("UL150", message, remedy, place)
        taken.setdefault(label, "an ignored arm")
    for name, arm in scope.plan.arms.items():
        for at, label in enumerate(arm.observed):
            if label == name:
                continue
            place = scope.at("arms", name, "observed", at)
            if label in taken:
                message = f"the label '{label}' of the arm '{name}' is also {taken[label]}"
                yield Diagnostic("UL150", message, "take one of them away", place)
            taken.setdefault(label, f"a label of the arm '{name}'")


@rule(
    "UL151",
    "Labels of no column",
    "An arm's 'observed' labels are those of a column under 'assignment'.",
    wrong="arms:\n  none: {control: true}\n  email: {observed: [E]}\nassignment: {method: hash}",
    right="arms:\n  none: {control: true}\n  email: {observed: [E]}\nassignment: {observed: arm}",
)
def labels_of_a_column(scope: Scope) -> Iterator[Diagnostic]:
    """UL151: labels are looked for in the column of observed or delivered arms."""
    given = scope.plan.experiment.assignment
    if given.observed or given.delivered:
        return
    for name, arm in scope.plan.arms.items():
        if arm.observed:
            message = f"arm '{name}' has labels, but no column of arms is named"
            remedy = "name it: 'assignment: {observed: COLUMN}', or take the labels away"
            yield Diagnostic("UL151", message, remedy, scope.at("arms", name, "observed", key=True))
