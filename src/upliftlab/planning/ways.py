"""What would make a question answerable that this campaign cannot answer, with its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from upliftlab.planning.power import DetectableEffects
from upliftlab.planning.returns import roi_needed
from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.plan import Answer
from upliftlab.text.language import N_

_WORTH: Final = 0.95
"""Another division is told of where it takes at most this share of the customers."""
_MORE: Final = N_(
    "Reach {needed:count} customers instead of {n:count}, in more waves or a longer campaign."
)
_WEEKS: Final = N_(
    "Let it run: at {per_week:count} customers a week, {needed:count} have come after "
    "{weeks:count} weeks."
)
_ALONE: Final = {
    True: N_(
        "Test {arm} alone, with half of the customers in the control: that takes {needed:count} "
        "customers, and there are {n:count}."
    ),
    False: N_(
        "Even {arm} alone, with half of the customers in the control, takes {needed:count} "
        "customers."
    ),
}
_EVENLY: Final = {
    True: N_(
        "Divide the customers evenly among all arms: that takes {needed:count}, and there are "
        "{n:count}."
    ),
    False: N_("Divided evenly among all arms, it takes {needed:count} customers."),
}

Takes = Callable[[DetectableEffects], int | None]
"""How many customers a question takes in all arms together, in a given design."""
Design = Callable[[Mapping[str, float]], DetectableEffects]
"""The same experiment with other shares; arms that are not named are left out."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What else the campaign could be.

    Attributes:
        customers: In all arms together.
        per_week: Customers who arrive in a week; None where all are there.
        shares: The arms and their shares, the control's among them.
        control: Its name.
        design: The experiment with other shares.
    """

    customers: int
    per_week: int | None
    shares: Mapping[str, float]
    control: str
    design: Design


def with_ways(
    answer: Answer, other: Alternatives | None, needed: int | None, takes: Takes
) -> Answer:
    """An answer that cannot be had with each way to have it, those that are enough first.

    Args:
        answer: What was found of the campaign as declared.
        other: What else it could be; None where it is not known how many customers there are.
        needed: Customers that the question takes as declared; None where no number would do.
        takes: How many it takes in another design.
    """
    if other is None or answer.state != "cannot":
        return answer
    found = [*_divided(other, needed, takes, answer.arm)]
    ways = [way for enough, way in found if enough]
    if needed is not None:
        ways.append(_more(other, needed))
    ways += [way for enough, way in found if not enough]
    return answer.model_copy(update={"ways": tuple(ways)})


def effect_takes(effect: float) -> Takes:
    """Customers for the wanted power in every arm."""

    def takes(reach: DetectableEffects) -> int | None:
        sizes = [reach.needed(arm, effect) for arm in reach.expectation.spec.treatments]
        known = [size for size in sizes if size is not None]
        return max(known) if len(known) == len(sizes) else None

    return takes


def ships_takes(arm: str, effect: float) -> Takes:
    """Customers for the wanted chance of SHIP."""
    return lambda reach: reach.ships_needed(arm, effect)


def roi_takes(arm: str, effect: float, within: float) -> Takes:
    """Customers for ROI's interval to be as narrow as wanted."""
    return lambda reach: roi_needed(reach, arm, effect, within)


def _more(other: Alternatives, needed: int) -> Message:
    values: dict[str, Scalar] = {"needed": needed, "n": other.customers}
    if other.per_week is None:
        return Message(template=_MORE, values=values)
    values = {"needed": needed, "per_week": other.per_week}
    return Message(template=_WEEKS, values={**values, "weeks": math.ceil(needed / other.per_week)})


def _divided(
    other: Alternatives, needed: int | None, takes: Takes, arm: str | None
) -> Iterator[tuple[bool, Message]]:
    """Other divisions that take fewer customers, and whether there are enough for them."""

    def told(texts: Mapping[bool, str], size: int, **more: Scalar) -> tuple[bool, Message]:
        enough = size <= other.customers
        values: dict[str, Scalar] = {**more, "needed": size}
        if enough:
            values["n"] = other.customers
        return enough, Message(template=texts[enough], values=values)

    def fewer(size: int | None) -> bool:
        return size is not None and (needed is None or size <= _WORTH * needed)

    even = takes(other.design(dict.fromkeys(other.shares, 1 / len(other.shares))))
    if even is not None and fewer(even):
        yield told(_EVENLY, even)
    treated = [name for name in other.shares if name != other.control]
    if len(treated) < 2:  # noqa: PLR2004 - an arm is alone already
        return
    sizes = {
        name: takes(other.design({other.control: 0.5, name: 0.5}))
        for name in (treated if arm is None else [arm])
    }
    known = {name: size for name, size in sizes.items() if size is not None}
    if known and fewer(known[least := min(known, key=known.__getitem__)]):
        yield told(_ALONE, known[least], arm=least)
