"""Limits of the experiment language: how far a guardrail may move, and where values are cut."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from upliftlab.config.models.patterns import NOT_NEGATIVE
from upliftlab.config.models.usual_forms import MisreadError
from upliftlab.config.models.values import NUMBER, PERCENT, matched, schema_of, text_of

_TOLERANCE = re.compile(rf"({NUMBER})\s*(points?|%)?")


class Tolerance(BaseModel):
    """How much a guardrail may move: points of a share, % of the control's mean, or units."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: float
    kind: Literal["points", "relative", "absolute"]


def parse_tolerance(value: object) -> Tolerance:
    """`0.5 points` (of a share), `5%` (of the control's mean) or a bare number of units.

    >>> parse_tolerance("0.5 points")
    Tolerance(value=0.005, kind='points')
    """
    if isinstance(value, Tolerance):
        return value
    if isinstance(value, dict):
        return Tolerance.model_validate(value)
    text = text_of(value) or ""
    found = matched(_TOLERANCE, text, "a tolerance such as 0.5 points, 5% or 2")
    number = Fraction(found[1].replace("_", ""))
    if number < 0:
        raise ValueError(f"a tolerance cannot be negative, got {text}")
    if not found[2]:
        return Tolerance(value=float(number), kind="absolute")
    kind = "relative" if found[2] == "%" else "points"
    return Tolerance(value=float(number / 100), kind=kind)


class Cap(BaseModel):
    """Where large values are cut: at an amount, or at a percentile of what is not zero."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: float
    kind: Literal["amount", "percentile"]


def parse_cap(value: object) -> Cap:
    """`99.9%` (of the values that are not zero) or a bare number in the metric's own unit.

    >>> parse_cap("99.9%")
    Cap(value=0.999, kind='percentile')
    """
    if isinstance(value, Cap):
        return value
    if isinstance(value, dict):
        return Cap.model_validate(value)
    text = text_of(value) or str(value)
    if re.fullmatch(r"\.[0-9]{1,15}", text):
        share = f"{float(text) * 100:g}%"
        raise MisreadError(f"'{text}' is not a cap such as 99.9% or 500", share)
    found = matched(PERCENT, text, "a cap such as 99.9% or 500")
    number = Fraction(found[1].replace("_", ""))
    if not found[2]:
        if number <= 0:
            raise ValueError(f"a cap lies above 0, got {found[0]}")
        return Cap(value=float(number), kind="amount")
    if not 50 <= number < 100:  # noqa: PLR2004 - named in the message
        raise ValueError(f"a percentile lies between 50% and below 100%, got {found[0]}")
    return Cap(value=float(number / 100), kind="percentile")


CapAt = Annotated[
    Cap,
    BeforeValidator(parse_cap),
    schema_of(rf"{NUMBER}\s*%?", "99.9%, or a number such as 500", "percentage", {}),
]
AtMost = Annotated[
    Tolerance,
    BeforeValidator(parse_tolerance),
    schema_of(
        rf"{NOT_NEGATIVE}\s*(points?|%)?",
        "0.5 points, 5% or a number",
        "tolerance",
        {"minimum": 0},
    ),
]
