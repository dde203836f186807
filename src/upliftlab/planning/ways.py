"""What would make a question answerable that this campaign cannot answer, with its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

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

_POOL: Final = N_(
    "Pool {count:count} campaigns of this size: if the effect is the same in each, their "
    "{needed:count} customers are enough together."
)
_MEASURED: Final = {
    ("covariates", True): N_(
        "Write {line}: as that explains what customers do anyway, {needed:count} customers are "
        "enough, and there are {n:count}."
    ),
    ("covariates", False): N_("Even with {line}, it takes {needed:count} customers."),
    ("window", True): N_(
        "Count outcomes for {days:count} days: if the change is as large over that time, "
        "{needed:count} customers are enough, and there are {n:count}."
    ),
    ("window", False): N_(
        "Counted for {days:count} days, it takes {needed:count} customers, if the change is as "
        "large over that time."
    ),
    ("metric", True): N_(
        "Ask it of {metric}: the same change of it takes {needed:count} customers, and there are "
        "{n:count}."
    ),
    ("metric", False): N_("Asked of {metric}, the same change takes {needed:count} customers."),
}
_POOLED: Final = 12
"""So many campaigns at most are told of as a pool."""
_FAR: Final = 50
"""So many times the customers there are, a number is nothing to reach."""

Takes = Callable[[DetectableEffects], int | None]
"""How many customers a question takes in all arms together, in a given design."""
Asks = Callable[[float], Takes]
"""A question about an effect of a given size."""
Design = Callable[[Mapping[str, float]], DetectableEffects]
"""The same experiment with other shares; arms that are not named are left out."""
VariantKind = Literal["covariates", "window", "metric"]


@dataclass(frozen=True, slots=True)
class Variant:
    """The same campaign with something else measured.

    Attributes:
        kind: What is different.
        values: What names it.
        reach: What it can find.
        effect: The expected effect in it.
    """

    kind: VariantKind
    values: Mapping[str, Scalar]
    reach: DetectableEffects
    effect: float


Variants = Callable[[], Sequence[Variant]]
"""What else could be measured; it takes time to find out."""


@dataclass(frozen=True, slots=True)
class Alternatives:
    """What else the campaign could be.

    Attributes:
        customers: In all arms together.
        per_week: Customers who arrive in a week; None where all are there.
        shares: The arms and their shares, the control's among them.
        control: Its name.
        effect: The expected effect.
        design: The experiment with other shares.
        variants: What else it could measure.
    """

    customers: int
    per_week: int | None
    shares: Mapping[str, float]
    control: str
    effect: float
    design: Design
    variants: Variants = tuple


def with_ways(answer: Answer, other: Alternatives | None, needed: int | None, asks: Asks) -> Answer:
    """An answer that cannot be had with each way to have it, those that are enough first.

    Args:
        answer: What was found of the campaign as declared.
        other: What else it could be; None where it is not known how many customers there are.
        needed: Customers that the question takes as declared; None where no number would do.
        asks: The question, of an effect.
    """
    if other is None or answer.state != "cannot":
        return answer
    found = [
        *_divided(other, needed, asks(other.effect), answer.arm),
        *_measured(other, needed, asks, answer),
    ]
    ways = [way for enough, way in found if enough]
    if needed is not None:
        ways += _larger(other, needed)
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


def roi_takes(arm: str, within: float, effect: float) -> Takes:
    """Customers for ROI's interval to be as narrow as wanted."""
    return lambda reach: roi_needed(reach, arm, effect, within)


def _told(
    other: Alternatives, texts: Mapping[bool, str], size: int, **more: Scalar
) -> tuple[bool, Message]:
    """A way that takes so many customers, and whether there are enough of them."""
    enough = size <= other.customers
    values: dict[str, Scalar] = {**more, "needed": size}
    if enough:
        values["n"] = other.customers
    return enough, Message(template=texts[enough], values=values)


def _fewer(size: int | None, needed: int | None) -> bool:
    """Whether a way is worth telling."""
    return size is not None and (needed is None or size <= _WORTH * needed)


def _measured(
    other: Alternatives, needed: int | None, asks: Asks, answer: Answer
) -> Iterator[tuple[bool, Message]]:
    """What else could be measured; of several metrics, the one that takes fewest customers."""
    sizes = [
        (size, each)
        for each in other.variants()
        if (each.kind != "metric" or answer.name == "effect")
        and (size := asks(each.effect)(each.reach)) is not None
        and _fewer(size, needed)
    ]
    best = {each.kind: (size, each) for size, each in sorted(sizes, key=lambda e: -e[0])}
    for kind in ("covariates", "window", "metric"):
        if kind in best:
            size, each = best[kind]
            texts = {enough: _MEASURED[kind, enough] for enough in (True, False)}
            yield _told(other, texts, size, **each.values)


def _larger(other: Alternatives, needed: int) -> Iterator[Message]:
    """More customers, in one campaign or in several, where so many are within reach."""
    values: dict[str, Scalar] = {"needed": needed}
    if other.per_week is not None:
        weeks = math.ceil(needed / other.per_week)
        values |= {"per_week": other.per_week, "weeks": weeks}
        yield Message(template=_WEEKS, values=values)
        return
    if needed <= _FAR * other.customers:
        yield Message(template=_MORE, values={**values, "n": other.customers})
    if 1 < (count := math.ceil(needed / other.customers)) <= _POOLED:
        yield Message(template=_POOL, values={**values, "count": count})


def _divided(
    other: Alternatives, needed: int | None, takes: Takes, arm: str | None
) -> Iterator[tuple[bool, Message]]:
    """Other divisions that take fewer customers, and whether there are enough for them."""
    even = takes(other.design(dict.fromkeys(other.shares, 1 / len(other.shares))))
    if even is not None and _fewer(even, needed):
        yield _told(other, _EVENLY, even)
    treated = [name for name in other.shares if name != other.control]
    if len(treated) < 2:  # noqa: PLR2004 - an arm is alone already
        return
    sizes = {
        name: takes(other.design({other.control: 0.5, name: 0.5}))
        for name in (treated if arm is None else [arm])
    }
    known = {name: size for name, size in sizes.items() if size is not None}
    if known and _fewer(known[least := min(known, key=known.__getitem__)], needed):
        yield _told(other, _ALONE, known[least], arm=least)
