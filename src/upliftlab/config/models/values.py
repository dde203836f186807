"""The scalar types of the experiment language: text in, one typed value out.

YAML scalars arrive as text (`config/document.py`) and are typed only here, so that `no`, `010`
and `1:30` mean what their reader sees. Each type also accepts the Python value it produces.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from upliftlab.config.models.decimals import two_ways
from upliftlab.config.models.patterns import CONDITION, DATE, MONEY, PROPER, RATE, VALUE, whole
from upliftlab.config.models.usual_forms import MisreadError, is_month, usual_date, usual_form

NUMBER = r"[+-]?(?:[0-9]{1,21}|[0-9]{1,3}(?:_[0-9]{3}){1,6})(?:\.[0-9]{1,15})?"
"""A number; `_` may part its thousands, and nothing else."""
PERCENT = re.compile(rf"({NUMBER})\s*(%?)")
_FRACTION = re.compile(r"([0-9]{1,15})\s*/\s*([0-9]{1,15})")
_MONEY = re.compile(rf"({NUMBER})(?:\s*([A-Z]{{3}}))?")
_DURATION = re.compile(r"([0-9]{1,5})\s*(hour|day|week)s?")
_OFFSET = re.compile(r"-?\s*[0-9]{1,5}\s*(hour|day|week)s?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST = timedelta(days=36_500)
_DAYS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


def text_of(value: object) -> str | None:
    """The stripped text of a scalar, None where it is not text."""
    return value.strip() if isinstance(value, str) else None


def matched(pattern: re.Pattern[str], value: str, hint: str) -> re.Match[str]:
    """The match of a whole text, which is refused where there is none."""
    found = pattern.fullmatch(value)
    if not found:
        right = usual_form(value, pattern)
        raise MisreadError(f"'{value}' is not {hint}", right, sure=not is_month(value))
    return found


def parse_fraction(value: object) -> Fraction:
    """A share or rate as an exact fraction.

    >>> parse_fraction("33.3%"), parse_fraction("0.4"), parse_fraction("1/3")
    (Fraction(333, 1000), Fraction(2, 5), Fraction(1, 3))
    """
    text = text_of(value)
    if text is None:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
            raise ValueError("a percentage is written like 40% or 0.4")
        return Fraction(str(value))
    if found := _FRACTION.fullmatch(text):
        if int(found[2]) == 0:
            raise ValueError(f"'{text}' divides by zero")
        return Fraction(int(found[1]), int(found[2]))
    found = matched(PERCENT, text, "a percentage such as 40% or 0.4")
    return Fraction(found[1].replace("_", "")) / (100 if found[2] else 1)


def _share(value: object) -> Fraction:
    share = parse_fraction(value)
    if not 0 <= share <= 1:
        plain = "%" not in str(value) and 1 < share <= 100  # noqa: PLR2004 - as in per cent
        right = f"{value}%" if plain else None
        raise MisreadError(f"{value} is not between 0% and 100%", right, asked=True)
    return share


def _rate(value: object) -> float:
    rate = parse_fraction(value)
    if isinstance(value, str) and abs(rate) > 1 and "%" not in value:
        raise ValueError(f"{value} is {value}00%; write {value}%, or {value}00% if it is meant")
    return float(rate)


def _proper_rate(value: object) -> float:
    return float(_share(value))


class Money(BaseModel):
    """An amount and its currency; None where the experiment's own currency is meant."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    amount: Decimal
    currency: str | None = None

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}" if self.currency else str(self.amount)


def parse_money(value: object) -> Money:
    """Money as `500 EUR` or a bare number.

    >>> str(parse_money("500 EUR")), str(parse_money("0.10"))
    ('500 EUR', '0.10')
    """
    if isinstance(value, Money):
        return value
    text = text_of(value)
    if text is None:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ValueError("an amount is written like 500 EUR or 0.10")
        text = str(value)
    elif right := two_ways(text):
        raise ValueError(f"'{text}' can be read in two ways; write {right}")
    found = matched(_MONEY, text, "an amount such as 500 EUR or 0.10")
    try:
        return Money(amount=Decimal(found[1].replace("_", "")), currency=found[2])
    except InvalidOperation as error:  # pragma: no cover - the pattern admits numbers only
        raise ValueError(f"'{text}' is not an amount") from error


def budget_in(money: Money, currency: str | None) -> float:
    """A budget as a number, in the currency of a plan.

    Raises:
        ValueError: It is in another one.

    >>> budget_in(parse_money("20 EUR"), "EUR"), budget_in(parse_money("20"), "EUR")
    (20.0, 20.0)
    """
    if money.currency is not None and currency not in (None, money.currency):
        raise ValueError(f"the budget is in {money.currency}, the plan in {currency}")
    return float(money.amount)


def _cost(value: object) -> Money:
    money = parse_money(value)
    if money.amount < 0:
        raise ValueError(f"a cost cannot be negative, got {money}")
    return money


class Hours(timedelta):
    """A length that is written in hours: so much time passes, whatever clocks do meanwhile.

    Any other length is one of calendar days, after which clocks show the same hour. So 168 hours
    are as long as 7 days and yet another length; what is reckoned with hours is in hours again.

    >>> Hours(hours=168) == timedelta(days=7), -2 * Hours(hours=84) == -Hours(hours=168)
    (False, True)
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hours) and timedelta.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((Hours, timedelta.__hash__(self)))

    def __neg__(self) -> timedelta:
        return _hours(-_plain(self))

    def __add__(self, other: timedelta) -> timedelta:
        return _hours(_plain(self) + _plain(other))

    __radd__ = __add__

    def __sub__(self, other: timedelta) -> timedelta:
        return _hours(_plain(self) - _plain(other))

    def __rsub__(self, other: timedelta) -> timedelta:
        return _hours(_plain(other) - _plain(self))

    def __mul__(self, other: float) -> timedelta:
        return _hours(_plain(self) * other)

    __rmul__ = __mul__


def _plain(length: timedelta) -> timedelta:
    return timedelta(length.days, length.seconds, length.microseconds)


def _hours(length: timedelta) -> timedelta:
    """A length in hours; no time is no time, in whatever unit."""
    return Hours(length.days, length.seconds, length.microseconds) if length else length


def parse_duration(value: object) -> timedelta:
    """A length of time in hours, days or weeks (months differ in length and are refused).

    >>> parse_duration("28 days"), parse_duration("168 hours")
    (datetime.timedelta(days=28), Hours(days=7))
    """
    if isinstance(value, timedelta):
        return value
    text = text_of(value)
    if text is None:
        raise ValueError("a duration is written like 28 days")
    found = matched(_DURATION, text, "a duration such as 28 days, 4 weeks or 12 hours")
    length = int(found[1]) * _DAYS[found[2]]
    if length > _LONGEST:
        raise ValueError(f"{text} is longer than {_LONGEST.days:,} days")
    return _hours(length) if found[2] == "hour" else length


def parse_offset(value: object) -> timedelta:
    """A time counted from a start, before it where it is negative.

    >>> parse_offset("-28 days").days
    -28
    """
    text = text_of(value)
    if text is None or not text.startswith("-"):
        return parse_duration(value)
    return -parse_duration(text.removeprefix("-"))


def format_duration(value: timedelta) -> str:
    """The inverse of `parse_offset`, in the largest unit that is exact.

    >>> format_duration(timedelta(days=-1)), format_duration(timedelta(hours=36))
    ('-1 day', '36 hours')
    """
    hours = round(value.total_seconds() / 3600)
    count, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}{'' if abs(count) == 1 else 's'}"


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    text = text_of(value) or ""
    if found := _as_date(text):
        return found
    right = usual_date(text)
    offered = right if right and right != text and _as_date(right) else None
    whole = re.fullmatch(r"[0-9./-]+([T ][0:]+Z?)?", text) is not None  # else an hour would be lost
    raise MisreadError(f"'{value}' is not a date such as 2026-03-02", offered, sure=whole)


def _as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = (text_of(value) or "").lower()
    if text in ("true", "false"):
        return text == "true"
    hint = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(text)
    raise MisreadError(f"'{value}' is neither true nor false", hint)


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = text_of(value) or ""
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", text):
        raise ValueError(f"'{value}' is not a whole number")
    return int(text)


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return float(matched(re.compile(NUMBER), text_of(value) or "", "a number")[0].replace("_", ""))


def named(value: object) -> str:
    """A name as it is meant: printable, at most 120 characters, without spaces around it."""
    text = text_of(value)
    if text is None:
        raise ValueError("one name is expected here")
    if not text:
        raise ValueError("a name cannot be empty")
    if len(text) > 120 or not text.isprintable():  # noqa: PLR2004 - named in the message
        raise ValueError("a name has at most 120 printable characters")
    return text


def _label(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("one label is expected here")  # noqa: TRY004 - pydantic's way
    if len(value) > 120 or any(character in value for character in "\0\n\r"):  # noqa: PLR2004 - named in the message
        raise ValueError("a label has at most 120 characters in one line")
    return value


def _expression(value: object) -> str:
    if type(value) is list:
        joined = " and ".join(map(str, cast("list[object]", value)))
        raise ValueError(f"a condition is one text; join them by 'and' or 'or': {joined}")
    text = text_of(value)
    if text is None or not 0 < len(text) <= 2000:  # noqa: PLR2004 - named in the message
        raise ValueError("a condition has between 1 and 2,000 characters")
    return text


def _formula(value: object) -> str:
    text = text_of(value)
    if text is None or not 0 < len(text) <= 2000:  # noqa: PLR2004 - named in the message
        raise ValueError("a computed column has between 1 and 2,000 characters")
    return text


def schema_of(
    pattern: str, description: str, kind: str, number: dict[str, float] | None
) -> WithJsonSchema:
    """The JSON Schema of a scalar: text of a pattern, or also a bare number.

    Args:
        pattern: Of the whole text.
        description: What it is, with an example.
        kind: What it is in a word, for the reference; editors know no such format.
        number: Bounds of a bare number; None where none is read.
    """
    text: dict[str, Any] = {"type": "string", "pattern": whole(pattern), "format": kind}
    kinds = [text] if number is None else [{"type": "number", **number}, text]
    return WithJsonSchema({"description": description, "anyOf": kinds})


_PERCENTAGE = "A percentage: 40% or 0.4"
_PROPER_SCHEMA = schema_of(PROPER, _PERCENTAGE, "percentage", {"minimum": 0, "maximum": 1})
_RATE_SCHEMA = schema_of(RATE, _PERCENTAGE, "percentage", {"minimum": -1, "maximum": 1})
_MONEY_SCHEMA = schema_of(MONEY, "An amount: 500 EUR, or a bare number", "money", {"minimum": 0})

Share = Annotated[Fraction, BeforeValidator(_share), PlainSerializer(str), _PROPER_SCHEMA]
"""An exact fraction between 0 and 1."""
Rate = Annotated[float, BeforeValidator(_rate), _RATE_SCHEMA]
"""A percentage that may exceed 100 % or be negative."""
ProperRate = Annotated[float, BeforeValidator(_proper_rate), _PROPER_SCHEMA]
"""A percentage between 0 and 100 %."""
Cost = Annotated[Money, BeforeValidator(_cost), PlainSerializer(str), _MONEY_SCHEMA]
"""A non-negative amount of money."""
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    schema_of(_DURATION.pattern, "A duration: 28 days", "duration", None),
]
Offset = Annotated[
    timedelta,
    BeforeValidator(parse_offset),
    PlainSerializer(format_duration),
    schema_of(_OFFSET.pattern, "A time from the start: 30 days", "duration", None),
]
"""A length of time, negative where it lies before what it is counted from."""
Date = Annotated[
    date,
    BeforeValidator(_date),
    WithJsonSchema(
        {"type": "string", "pattern": whole(DATE), "format": "date", "description": "2026-03-02"}
    ),
]
Flag = Annotated[
    bool,
    BeforeValidator(_flag),
    WithJsonSchema({"description": "true or false", "enum": [True, False, "true", "false"]}),
]
Count = Annotated[
    int,
    BeforeValidator(_count),
    schema_of(
        "(0|[1-9][0-9]{0,17})", "A whole number", "whole number", {"minimum": 0, "multipleOf": 1}
    ),
]
Number = Annotated[
    float, BeforeValidator(_number), schema_of(NUMBER, "A number such as 2.5", "number", {})
]
Name = Annotated[
    str,
    BeforeValidator(named),
    WithJsonSchema({"type": ["string", "number"], "description": "A name", "maxLength": 120}),
]
"""A name, column or label: printable, at most 120 characters."""
Label = Annotated[
    str,
    BeforeValidator(_label),
    WithJsonSchema(
        {"type": ["string", "number", "boolean"], "description": "A label", "maxLength": 120}
    ),
]
"""A value as the data write it, with its spaces: at most 120 characters."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""A currency's three-letter code."""
Expression = Annotated[
    str,
    BeforeValidator(_expression),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": CONDITION,
            "format": "text",
            "maxLength": 2000,
            "description": "A condition over columns",
        }
    ),
]
"""A condition over columns; its syntax tree is held to an allow-list in `config/expressions.py`."""
FormulaText = Annotated[
    str,
    BeforeValidator(_formula),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": VALUE,
            "format": "text",
            "maxLength": 2000,
            "description": "A value computed from columns",
        }
    ),
]
"""A value over columns, held to the same allow-list."""
