"""What of a plan may change once customers hold an arm, and by which shares they were assigned.

Words may change, and costs, metrics and windows, which hold for all customers alike and are told.
Shares may change where customers join by hashing: they are compared with those who joined by the
same shares. What divided the customers may not: no analysis could compare them any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from upliftlab.errors import Diagnostic
from upliftlab.ledger.difference import differences
from upliftlab.ledger.records import Manifest

Content = Mapping[str, Any]
"""A plan in its canonical form."""
_WORDS = ("title", "owner", "hypothesis")
_DRAWN = ("observed", "unit", "method", "strata", "salt")


def shares_on(plan: Content, day: date) -> dict[str, Fraction] | None:
    """Each arm's share by which a plan assigns on a day; None for equal ones."""
    begun = [
        period["arms"]
        for period in plan["experiment"].get("shares", ())
        if date.fromisoformat(period["from"]) <= day
    ]
    if begun:
        return {name: Fraction(share) for name, share in begun[-1].items()}
    shares = {name: arm["share"] for name, arm in plan["arms"]}
    if all(share is None for share in shares.values()):
        return None
    return {name: Fraction(share or 0) for name, share in shares.items()}


def same_division(shares: Sequence[Mapping[str, Fraction] | None]) -> bool:
    """Whether every assignment was by the same shares."""
    return all(each == shares[0] for each in shares[1:])


def changed_since(before: Content, after: str) -> tuple[str, ...]:
    """What differs from the plan by which customers were first assigned, but for mere words."""
    canonical = json.dumps(before, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return tuple(str(d) for d in differences(canonical, after) if not is_wording(d.path))


def is_wording(path: str) -> bool:
    """Whether a value of the plan is words that no number depends on."""
    return path.rpartition(".")[2] in _WORDS


def refusals(before: Content, after: Content, past: Sequence[Manifest]) -> Iterator[Diagnostic]:
    """Why a plan cannot be amended so after customers were assigned; nothing where it can.

    Args:
        before: The plan in force.
        after: The amended plan.
        past: The generations that were assigned.
    """
    if not any(sum(each.arms.values()) for each in past):
        return
    yield from _arms(before, after, past)
    yield from _drawing(before, after)
    yield from _waves(after, past)
    if _division(before) != _division(after):
        yield from _shares(after)


def _arms(before: Content, after: Content, past: Sequence[Manifest]) -> Iterator[Diagnostic]:
    old, new = ([name for name, _ in plan["arms"]] for plan in (before, after))
    for name in [name for name in new if name not in old]:
        message = f"arm '{name}' cannot be added after customers were assigned: whoever started"
        message += " before it cannot be compared with it"
        remedy = "give it an experiment of its own, with a control of its own"
        yield Diagnostic("UL475", message, remedy)
    for name in [name for name in old if name not in new]:
        held = sum(each.arms.get(name, 0) for each in past)
        message = f"arm '{name}' cannot be removed or renamed: it holds {held:,} customers"
        remedy = "leave it in the plan; 'title' is what it is called on the page"
        yield Diagnostic("UL475", message, remedy)
    if set(old) == set(new) and old != new:
        message = "the order of the arms decides who gets which, and customers hold theirs"
        yield Diagnostic("UL475", message, f"restore the order: {', '.join(old)}")


def _drawing(before: Content, after: Content) -> Iterator[Diagnostic]:
    """What customers were drawn by."""
    old, new = (plan["experiment"]["assignment"] for plan in (before, after))
    changed = [f"assignment.{key}" for key in _DRAWN if old[key] != new[key]]
    if before["customers"]["id"] != after["customers"]["id"]:
        changed.append("the customers' id")
    for what in changed:
        message = f"{what} cannot change after customers were assigned by it"
        yield Diagnostic("UL476", message, "restore it, or start a new experiment")


def _waves(after: Content, past: Sequence[Manifest]) -> Iterator[Diagnostic]:
    number = len(after["experiment"]["waves"])
    held = [part.wave for each in past for part in each.parts if part.arm and part.wave]
    last = max(held, default=0)
    if last > max(number, 1) or (number == 0 and last > 1):
        message = f"wave {last} cannot be removed: customers are in it"
        yield Diagnostic("UL477", message, "leave it in the plan; its day may change")


def _division(plan: Content) -> tuple[Any, ...]:
    shares = {name: arm["share"] for name, arm in plan["arms"]}
    return shares, plan["experiment"].get("shares")


def _shares(after: Content) -> Iterator[Diagnostic]:
    """Where changed shares could not be analysed."""
    asked = after["experiment"]["assignment"]
    if asked["method"] == "blocked":
        message = "a blocked assignment is complete, so that its shares cannot change"
        yield Diagnostic("UL478", message, "restore the shares, or start a new experiment")
    elif asked["unit"] not in (None, after["customers"]["id"]):
        message = f"'{asked['unit']}' is randomised: by other shares, who joins would be in another"
        message += " arm than the rest of their household"
        yield Diagnostic("UL478", message, "restore the shares, or start a new experiment")
