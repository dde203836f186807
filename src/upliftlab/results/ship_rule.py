"""The answer in one word, and the rule by which a treatment is adopted: `lower > 0`."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol, TypeVar, cast

PATTERN = r"\s*(lower|estimate)\s*(>=?)\s*([+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*"
_RULE = re.compile(PATTERN)


class VerdictCode(StrEnum):
    """The answer in one word."""

    ship = "SHIP"
    stop = "STOP"
    inconclusive = "INCONCLUSIVE"
    not_final = "NOT FINAL"
    invalid = "INVALID"


@dataclass(frozen=True, slots=True)
class ShipRule:
    """What must exceed what."""

    what: Literal["lower", "estimate"]
    strict: bool
    threshold: float

    def __str__(self) -> str:
        return f"{self.what} {'>' if self.strict else '>='} {self.threshold:g}"

    def holds(self, *, lower: float, estimate: float) -> bool:
        """Whether an interval's lower end and its estimate meet the rule.

        >>> parse_ship_if("lower > 0").holds(lower=0.1, estimate=0.4)
        True
        """
        value = lower if self.what == "lower" else estimate
        return value > self.threshold if self.strict else value >= self.threshold

    def code(self, value: float | None, *, settled: bool) -> VerdictCode:
        """SHIP above the threshold, STOP below it.

        Args:
            value: The estimate, in the metric's good direction.
            settled: Whether its interval leaves the threshold out.
        """
        if value is None:
            return VerdictCode.inconclusive
        if self.what == "estimate":
            holds = self.holds(lower=value, estimate=value)
            return VerdictCode.ship if holds else VerdictCode.stop
        if not settled:
            return VerdictCode.inconclusive
        return VerdictCode.ship if value > self.threshold else VerdictCode.stop

    def so_far(self, code: VerdictCode, *, money: bool) -> VerdictCode:
        """What a look before the last may say: no STOP by profit, as costs come before revenue.

        A rule about the estimate waits for the last look, as it allows for no chance.
        """
        costs_first = money and code is VerdictCode.stop
        return VerdictCode.inconclusive if costs_first or self.what == "estimate" else code


class Answered(Protocol):
    """An arm with its answer."""

    @property
    def code(self) -> VerdictCode:
        """In one word."""
        ...

    @property
    def value(self) -> float | None:
        """The estimate."""
        ...


A = TypeVar("A", bound=Answered)
_RANK: Final = {VerdictCode.ship: 2, VerdictCode.inconclusive: 1, VerdictCode.stop: 0}


def foremost(arms: Sequence[A], sign: float = 1.0) -> A:
    """The arm that a verdict is about: of the best answer, that of the best estimate.

    Args:
        arms: All that could be adopted, at least one.
        sign: 1 where more is good, −1 where less is.
    """
    return max(
        arms, key=lambda a: (_RANK[a.code], -math.inf if a.value is None else sign * a.value)
    )


def final(codes: Collection[VerdictCode]) -> bool:
    """Whether looking again is of no use: some arm may be adopted, or none."""
    return VerdictCode.ship in codes or set(codes) == {VerdictCode.stop}


def parse_ship_if(text: str) -> ShipRule:
    """The rule in `text`.

    Raises:
        ValueError: it is no comparison of `lower` or `estimate` with a number.

    >>> parse_ship_if("estimate >= 0.5")
    ShipRule(what='estimate', strict=False, threshold=0.5)
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text[:60]}' is not a rule such as 'lower > 0'")
    what = cast("Literal['lower', 'estimate']", found[1])
    return ShipRule(what, found[2] == ">", float(found[3]))
