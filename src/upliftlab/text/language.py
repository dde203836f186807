"""How numbers and sentences are said in a language: the only module that formats them.

English is the source of every text; `locale/<code>/LC_MESSAGES/messages.po` holds the others and
is read when first asked for. A `Message` names its values and their kind, so the same finding is
said in any language, and the page can mark every value it shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, Literal, get_args

from upliftlab.errors.agreement import agreeing
from upliftlab.results import N_ as N_  # noqa: PLC0414 - callers mark texts with what says them
from upliftlab.results.analysis import Message
from upliftlab.text.placeholders import Field, Kind, bounded, pieces, scale
from upliftlab.text.precision import (
    finite,
    money_digits,
    needed_digits,
    number_digits,
    percent_digits,
    points_digits,
)
from upliftlab.text.translations import catalogue

Code = Literal["en", "zh"]

CODES: Final[tuple[Code, ...]] = get_args(Code)
ABSENT: Final = "—"
_LOCALES: Final[dict[Code, str]] = {"en": "en_US", "zh": "zh_Hans_CN"}
_TAGS: Final[dict[Code, str]] = {"en": "en", "zh": "zh-Hans"}
_SMALLEST_P: Final = 0.0001
_COMPACT: Final[dict[Code, float]] = {"en": 1_000, "zh": 10_000}
"""From here on a language has a short form for thousands: `5K`, `1.2万`."""
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
"""A Chinese character."""
_SHORT_DIGITS: Final = 3
"""Decimals that a number in short has at most, as many as a scale's steps need."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A stretch of a sentence: its own words, or a value that was put in (then it has a name)."""

    text: str
    name: str | None = None
    kind: Kind | None = None
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """Texts, numbers and dates of one language.

    >>> english = Language("en")
    >>> english.money(-4429.85, "USD"), english.percent(0.1234), english.p(0.00001)
    ('-$4,430', '12.3%', '< 0.0001')
    """

    code: Code

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"language {self.code!r} is not known; choose {' or '.join(CODES)}")

    @property
    def tag(self) -> str:
        """The BCP 47 tag of the page."""
        return _TAGS[self.code]

    def gettext(self, text: str) -> str:
        """The text in this language; as it is where the catalogue does not hold it."""
        return catalogue(self.code).get(text, text)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The singular for one thing, else the plural, in this language."""
        return self.gettext(singular if n == 1 else plural)

    def money(
        self,
        value: float | None,
        currency: str | None,
        *,
        signed: bool = False,
        compact: bool = False,
        digits: int | None = None,
    ) -> str:
        """An amount; a plain number where no currency was declared."""
        if value is None:
            return ABSENT
        if currency is None:
            return self.number(value, signed=signed, compact=compact, digits=digits)
        if compact:
            return self._short(value, currency)
        digits = money_digits(currency, value) if digits is None else digits
        return self._decimal(value, digits, signed=signed, currency=currency)

    def percent(
        self, value: float | None, *, signed: bool = False, digits: int | None = None
    ) -> str:
        """A share or a relative change: 0.25 is 25%."""
        if value is None:
            return ABSENT
        digits = percent_digits(value) if digits is None else digits
        return self._decimal(value, digits, signed=signed, shift=2) + "%"

    def points(
        self, value: float | None, *, signed: bool = False, digits: int | None = None
    ) -> str:
        """A difference of two shares: 0.0068 is 0.68 percentage points."""
        if value is None:
            return ABSENT
        digits = points_digits(value) if digits is None else digits
        shown = self._decimal(value, digits, signed=signed, shift=2)
        return f"{shown} {self.gettext('pp')}"

    def number(
        self,
        value: float | None,
        *,
        signed: bool = False,
        compact: bool = False,
        digits: int | None = None,
    ) -> str:
        """A number with three significant digits, or as many as its whole part has."""
        if value is None:
            return ABSENT
        if compact:
            return self._short(value, None)
        digits = number_digits(value) if digits is None else digits
        return self._decimal(value, digits, signed=signed)

    def count(self, value: float | None) -> str:
        """A whole number of things."""
        return ABSENT if value is None else self._decimal(value, 0)

    def p(self, value: float | None) -> str:
        """A p-value."""
        if value is None:
            return ABSENT
        if finite(value) < _SMALLEST_P:
            return f"< {_SMALLEST_P}"
        return self._decimal(value, 4)

    def date(self, value: date | str) -> str:
        """A day, or a moment in UTC; text is read as ISO 8601."""
        from babel.dates import format_date, format_time  # noqa: PLC0415 - costs start-up

        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        is_day = isinstance(value, str) and len(value) == len("2026-01-01")
        if not isinstance(moment, datetime) or is_day:
            return format_date(moment, "long", locale=self._locale)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        day = format_date(moment, "long", locale=self._locale)
        return f"{day} {format_time(moment, 'HH:mm', locale=self._locale)} UTC"

    def show(
        self,
        kind: Kind,
        value: float | None,
        currency: str | None = None,
        *,
        digits: int | None = None,
        signed: bool = False,
    ) -> str:
        """A number in the form its kind asks for."""
        if kind == "money":
            return self.money(value, currency, signed=signed, digits=digits)
        if kind in ("count", "p"):
            return self.count(value) if kind == "count" else self.p(value)
        if kind == "percent":
            return self.percent(value, signed=signed, digits=digits)
        if kind == "points":
            return self.points(value, signed=signed, digits=digits)
        if kind == "number":
            return self.number(value, signed=signed, digits=digits)
        raise ValueError(f"a number cannot be shown as {kind!r}")

    def parts(self, message: Message, currency: str | None) -> tuple[TextPart, ...]:
        """A message in this language, cut where a value was put in."""
        template = bounded(self.gettext(message.template), message, self.gettext)
        cut = pieces(template, message)
        fields = [field for _, field in cut if field is not None]
        said: list[TextPart] = []
        for literal, field in cut:
            if literal:
                said.append(TextPart(literal))
            if field is not None:
                said.append(self._part(field, currency, scale(field, fields)))
        words = self.agreeing((part.text, part.name is not None) for part in said)
        return tuple(replace(part, text=text) for part, text in zip(said, words, strict=True))

    def agreeing(self, pieces: Iterable[tuple[str, bool]]) -> Iterator[str]:
        """Words and the values put in between them, as many as the values say they are."""
        if self.code == "en":
            return agreeing(pieces)
        return iter(self.closed_up([text for text, _ in pieces]))

    def closed_up(self, texts: Sequence[str]) -> list[str]:
        """Stretches of a sentence with no space between two Chinese characters.

        Catalogues have one around every value put in, which names and numbers in Latin script ask
        for.

        >>> Language("zh").closed_up(["采用 ", "短信券", " 触达"])
        ['采用', '短信券', '触达']
        >>> Language("zh").closed_up(["采用 ", "SMS", " 触达"])
        ['采用 ', 'SMS', ' 触达']
        """
        said = list(texts)
        if self.code != "zh":
            return said
        for i in range(len(said) - 1):
            before, after = said[i].rstrip(" "), said[i + 1].lstrip(" ")
            if _HAN.match(before[-1:]) and _HAN.match(after[:1]):
                said[i : i + 2] = [before, after]
        return said

    def say(
        self,
        message: Message,
        currency: str | None,
        mark: Callable[[str, str], str] | None = None,
    ) -> str:
        """A message in this language; `mark(name, text)` may wrap each value."""
        return "".join(
            part.text if part.name is None or mark is None else mark(part.name, part.text)
            for part in self.parts(message, currency)
        )

    @property
    def _locale(self) -> str:
        return _LOCALES[self.code]

    def _part(self, field: Field, currency: str | None, shared: tuple[float, ...]) -> TextPart:
        if field.value is None or field.kind is None:
            text = ABSENT if field.value is None else str(field.value)
            # A reason is one of the house's own notes; every other text is a user's.
            text = self.gettext(text) if field.name == "reason" else text
            return TextPart(text, field.name, field.kind)
        if field.kind == "date":
            return TextPart(self.date(str(field.value)), field.name, field.kind)
        if isinstance(field.value, str):
            raise ValueError(  # noqa: TRY004 - a template's fault, as the others are
                f"the value of {{{field.name}:{field.kind}}} is not a number"
            )
        digits = digits_of(field.kind, shared, currency)
        text = self.show(field.kind, field.value, currency, digits=digits)
        return TextPart(text, field.name, field.kind, digits)

    def _short(self, value: float, currency: str | None) -> str:
        """A number or an amount in short, with no digit that it does not need."""
        # Imported here, as it costs start-up.
        from babel.numbers import format_compact_currency, format_compact_decimal  # noqa: PLC0415

        if abs(finite(value)) < _COMPACT[self.code]:
            digits = needed_digits(value, max(_SHORT_DIGITS, number_digits(value)))
            if digits and currency is not None:
                digits = max(digits, money_digits(currency, value))
            return self._decimal(value, digits, currency=currency)
        if currency is None:
            return format_compact_decimal(value, locale=self._locale, fraction_digits=_SHORT_DIGITS)
        return format_compact_currency(
            value, currency, locale=self._locale, fraction_digits=_SHORT_DIGITS
        )

    def _decimal(
        self,
        value: float,
        digits: int,
        *,
        signed: bool = False,
        shift: int = 0,
        currency: str | None = None,
    ) -> str:
        from decimal import ROUND_HALF_EVEN, Decimal, localcontext  # noqa: PLC0415 - start-up

        from babel.numbers import format_currency, format_decimal  # noqa: PLC0415 - start-up

        with localcontext(prec=400):
            exact = Decimal(repr(float(finite(value)))).scaleb(shift)
            rounded = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN) + 0
            form = ("#,##0" if currency is None else "¤#,##0") + (
                "." + "0" * digits if digits else ""
            )
            if rounded == 0:
                rounded, signed = abs(rounded), False
            form = f"+{form};-{form}" if signed else form
            if currency is None:
                return format_decimal(rounded, form, locale=self._locale)
            return format_currency(
                rounded, currency, form, locale=self._locale, currency_digits=False
            )


def digits_of(kind: Kind, scale: tuple[float, ...], currency: str | None) -> int | None:
    """Decimals for values that stand together: an estimate and the ends of its interval."""
    if kind == "money":
        return money_digits(currency, *scale)
    if kind in ("percent", "points", "number"):
        chosen = {"percent": percent_digits, "points": points_digits, "number": number_digits}
        return chosen[kind](*scale)
    return None
