"""How many decimals a number is shown with, so that values that stand together look alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_MOST_DIGITS: Final = 12
_WHOLE_MONEY: Final = 100
_PUBLISHED: Final = 10
"""Significant digits of a number in analysis.json."""
_PERCENT: Final = 2
"""Decimals that a percentage moves to the left of its point."""


def money_digits(currency: str | None, *scale: float) -> int:
    """Decimals of an amount: none from a hundred, then the currency's own, more for small ones."""
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - costs start-up

    usual = 2 if currency is None else get_currency_precision(currency)
    largest = _largest(scale)
    return 0 if largest >= _WHOLE_MONEY else max(usual, _places(largest, 2))


def sum_digits(currency: str | None, *amounts: float) -> int:
    """Decimals to which amounts that add up are published, below 0 for tens and hundreds.

    The currency's own, more where all are small, and no more than a published number holds.
    """
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - costs start-up

    usual = 2 if currency is None else get_currency_precision(currency)
    largest = _largest(amounts)
    if largest == 0:
        return usual
    return min(max(usual, _places(largest, 4)), _places(largest, _PUBLISHED))


def adding_up(parts: Sequence[float], total: float, digits: int) -> tuple[float, ...]:
    """The parts, rounded so that they sum to the rounded total: none is a whole unit off.

    Each is rounded to the nearest; what is then missing is made up unit by unit by the parts that
    were rounded farthest the other way.

    >>> adding_up([1.004, 1.004, 1.004], 3.012, 2)
    (1.01, 1.0, 1.0)
    """
    unit = 10.0**digits
    counts = [round(part * unit) for part in parts]
    missing = round(total * unit) - sum(counts)
    step = 1 if missing > 0 else -1
    order = sorted(range(len(parts)), key=lambda i: step * (counts[i] - parts[i] * unit))
    for i in order[: abs(missing)]:
        counts[i] += step
    return tuple(round(count / unit, digits) for count in counts)


def percent_digits(*scale: float) -> int:
    """Decimals of a percentage: one, none from 100%, more for small ones; as few as tell it all.

    >>> percent_digits(0.2), percent_digits(0.2034), percent_digits(0.2, 0.125)
    (0, 1, 1)
    """
    largest = _largest(scale)
    if largest >= 1:
        return 0
    exact = max((needed_digits(value * 100, _MOST_DIGITS) for value in scale), default=0)
    return min(exact, max(1, _places(largest, 2) - _PERCENT))


def exact_percent_digits(value: float) -> int:
    """Decimals of a percentage that was declared, so that nothing is added or lost."""
    return needed_digits(value * 100, 8)


def needed_digits(value: float, most: int) -> int:
    """Decimals of a number so that no more zeros stand at its end than it needs, at most so many.

    >>> needed_digits(7.500000000000001, 3), needed_digits(2000.0, 3)
    (1, 0)
    """
    return len(f"{finite(value):.{most}f}".rstrip("0").partition(".")[2])


def points_digits(*scale: float) -> int:
    """Decimals of percentage points: two, more for small ones."""
    return max(2, _places(_largest(scale), 2) - _PERCENT)


def number_digits(*scale: float) -> int:
    """Decimals that leave three significant digits."""
    return max(0, _places(_largest(scale), 3))


def interval_scale(*values: float | None) -> tuple[float, ...]:
    """What decides the decimals of an estimate and its interval's ends, given in this order.

    The estimate or the nearer end, so that one far end does not hide the estimate's digits.
    """
    known = [abs(value) for value in values if value is not None]
    return tuple(known[:1]) + ((min(known[1:]),) if known[1:] else ())


def _largest(scale: tuple[float, ...]) -> float:
    return max((abs(finite(value)) for value in scale), default=0.0)


def _places(largest: float, significant: int) -> int:
    if largest == 0:
        return 0
    return min(_MOST_DIGITS, significant - 1 - math.floor(math.log10(largest)))


def finite(value: float) -> float:
    """The value, if it is a number.

    Raises:
        ValueError: for an infinity or a NaN.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number that can be shown")
    return value
