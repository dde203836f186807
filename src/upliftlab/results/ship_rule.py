"""The rule by which a treatment is adopted: `lower > 0`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

_RULE = re.compile(r"\s*(lower|estimate)\s*(>=?)\s*([+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*")


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
