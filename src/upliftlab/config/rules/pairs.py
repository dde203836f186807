"""Rules about arms that are compared with each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.config.mending import mending
from upliftlab.config.models import Arm
from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic
from upliftlab.util.nearest import closest, surely

_ARMS = "arms: {none: {control: true}, email: {channel: email}, letter: {channel: letter}}\n"


@rule(
    "UL163",
    "Pair of arms that cannot be compared",
    "'compare' names pairs of two treated arms, each pair once; every arm is compared with the "
    "control as it is.",
    wrong=_ARMS + "compare: [[email, none]]",
    right=_ARMS + "compare: [[email, letter]]",
)
def pairs_of_arms(scope: Scope) -> Iterator[Diagnostic]:
    """UL163: arms that are compared with each other are two, treated and declared."""
    plan, seen = scope.plan, set[frozenset[str]]()
    for at, pair in enumerate(plan.experiment.compare):
        for side, name in enumerate(pair):
            if (fault := _fault(plan.arms, name)) is not None:
                found = Diagnostic("UL163", *fault, scope.at("compare", at, side))
                yield mending(found, None if name in plan.arms else _meant(plan.arms, name))
        if len(set(pair)) == 1:
            message = f"'{pair[0]}' is compared with itself"
            yield Diagnostic("UL163", message, "name two arms", scope.at("compare", at))
        elif frozenset(pair) in seen:
            message = f"'{pair[0]}' and '{pair[1]}' are compared twice"
            yield Diagnostic(
                "UL163", message, "leave one of the pairs out", scope.at("compare", at)
            )
        seen.add(frozenset(pair))


def _meant(arms: Mapping[str, Arm], name: str) -> str | None:
    """The treated arm that is surely meant."""
    near = surely(name, arms, cutoff=0.6)
    return None if near is None or arms[near].control else near


def _fault(arms: Mapping[str, Arm], name: str) -> tuple[str, str] | None:
    """What is wrong with a name of a pair, and the way on."""
    if name in arms and arms[name].control:
        remedy = "leave the pair out: every arm is compared with the control"
        return f"'{name}' is the control", remedy
    if name in arms:
        return None
    near = closest(name, list(arms), cutoff=0.6)
    remedy = f"did you mean '{near}'?" if near else f"the arms are {', '.join(arms)}"
    return f"'compare' names no arm: '{name}'", remedy
