"""Quantiles of a metric: the shares of units below them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from upliftlab.config.models.patterns import PROPER
from upliftlab.config.models.values import parse_fraction, schema_of, text_of

_PERCENTILE = re.compile(r"[pP]([0-9]{1,2}(?:\.[0-9]{1,4})?)")


def parse_quantile(value: object) -> Fraction:
    """The share of units below a quantile: `median`, `p90`, `99%` or `0.99`.

    >>> parse_quantile("median"), parse_quantile("p99.9"), parse_quantile("0.9")
    (Fraction(1, 2), Fraction(999, 1000), Fraction(9, 10))
    """
    text = text_of(value) or ""
    if text.lower() == "median":
        return Fraction(1, 2)
    found = _PERCENTILE.fullmatch(text)
    share = Fraction(found[1]) / 100 if found else parse_fraction(value)
    if not 0 < share < 1:
        meant = f"; did you mean p{share}?" if 1 < share < 100 and "%" not in text else ""  # noqa: PLR2004 - as in per cent
        raise ValueError(f"{value} is no share above 0 and below 1, such as p90 or 0.99{meant}")
    return share


QuantileShare = Annotated[
    Fraction,
    BeforeValidator(parse_quantile),
    PlainSerializer(str),
    schema_of(
        rf"(median|{_PERCENTILE.pattern}|{PROPER})",
        "A quantile: median, p90, 0.99",
        "quantile",
        {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    ),
]
"""The share of units below a quantile, above 0 and below 1."""
