"""Rules about shares that change during the test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic

_STARTS = "assignment: {observed: arm, start: started}\n"


@rule(
    "UL307",
    "Shares by date that do not fit the arms",
    "Each entry of 'shares' holds from a later day than the one before and gives every arm a share "
    "above 0 %, together at most 100 %; arms have none of their own then.",
    wrong=(
        _STARTS + "shares:\n"
        "  - {from: 2026-03-01, arms: {none: 90%, email: 10%}}\n"
        "  - {from: 2026-03-15, arms: {email: 90%}}"
    ),
    right=(
        _STARTS + "shares:\n"
        "  - {from: 2026-03-01, arms: {none: 90%, email: 10%}}\n"
        "  - {from: 2026-03-15, arms: {none: 10%, email: 90%}}"
    ),
)
def share_periods_fit(scope: Scope) -> Iterator[Diagnostic]:
    """UL307: every arm has a share at all times, and only there."""
    periods = scope.plan.experiment.shares
    for at, (one, other) in enumerate(pairwise(periods)):
        if one.start >= other.start:
            message = f"the shares from {other.start} do not come after those from {one.start}"
            place = scope.at("shares", at + 1, "from")
            yield Diagnostic("UL307", message, "order them by day", place)
    for at in range(len(periods)):
        yield from _period(scope, at)
    for name, arm in scope.plan.arms.items() if periods else ():
        if arm.share is not None:
            message = f"arm '{name}' has a share of its own beside 'shares'"
            yield Diagnostic("UL307", message, "remove one", scope.at("arms", name, "share"))


def _period(scope: Scope, at: int) -> Iterator[Diagnostic]:
    """What does not fit of the shares of one time."""
    period, arms = scope.plan.experiment.shares[at], scope.plan.arms
    place = scope.at("shares", at, "arms", key=True)
    for name in period.arms:
        if name not in arms:
            remedy = f"the arms are {', '.join(arms)}"
            where = scope.at("shares", at, "arms", name, key=True)
            yield Diagnostic("UL307", f"'{name}' is no arm", remedy, where)
    if lacking := [name for name in arms if not period.arms.get(name)]:
        message = f"from {period.start} on, arm '{lacking[0]}' has no share: whoever started in"
        message += " another time than an arm cannot be compared with it"
        remedy = "give it a share above 0 %, or analyse the time in which all arms ran by itself"
        yield Diagnostic("UL307", message, remedy, place)
    if (total := sum(period.arms.values())) > 1:
        message = f"the shares from {period.start} sum to {float(total * 100):g} %, more than 100 %"
        yield Diagnostic("UL307", message, "lower some shares", place)


@rule(
    "UL308",
    "Shares by date of starts not known",
    "'shares' by date need the day on which each customer started: from a column, or because "
    "upliftlab assigns single customers by 'method: hash' without waves.",
    wrong=(
        "assignment: {observed: arm}\nshares: [{from: 2026-03-01, arms: {none: 90%, email: 10%}}]"
    ),
    right=_STARTS + "shares: [{from: 2026-03-01, arms: {none: 90%, email: 10%}}]",
)
def share_periods_known(scope: Scope) -> Iterator[Diagnostic]:
    """UL308: it is known which shares each customer was divided by."""
    asked = scope.plan.experiment
    given = asked.assignment
    if not asked.shares:
        return
    own = scope.at("shares", key=True)
    if given.observed is not None and given.start is None:
        message = "'shares' are by the day on which customers started, which nothing tells"
        remedy = f"name its column: 'assignment: {{observed: {given.observed}, start: COLUMN}}'"
        yield Diagnostic("UL308", message, remedy, own)
    if given.observed is None and given.method == "blocked":
        message = "'method: blocked' assigns everybody at once, so that shares cannot change"
        yield Diagnostic("UL308", message, "use 'method: hash'", scope.at("assignment", "method"))
    elif given.observed is None and scope.plan.households:
        message = f"'{given.unit}' is randomised: who joins by other shares would be in another arm"
        message += " than the rest of their household"
        yield Diagnostic("UL308", message, "remove 'shares' or 'unit'", own)
    elif given.observed is None and asked.waves:
        message = "waves are drawn all at once, so that shares cannot change from one to the next"
        remedy = "remove 'waves', and assign again on the day of each"
        yield Diagnostic("UL308", message, remedy, scope.at("waves", key=True))
