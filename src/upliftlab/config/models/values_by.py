"""Computed columns that follow from another column's values by a table: margins, rates, worths."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    PlainSerializer,
    Tag,
    model_validator,
)

from upliftlab.config.models.model import Declaration
from upliftlab.config.models.values import (
    NUMBER,
    PERCENT,
    Date,
    FormulaText,
    Label,
    Name,
    matched,
    schema_of,
    text_of,
)
from upliftlab.util.sql import literal, quote

_MOST: Final = 5_000
"""Values that a table may hold: three currencies on every day of four years and more."""


def factor(value: object) -> Decimal:
    """A number or a percentage, exactly as it is written.

    >>> factor("25%"), factor("11.62"), factor("-1")
    (Decimal('0.25'), Decimal('11.62'), Decimal('-1'))
    """
    if isinstance(value, Decimal):
        return value
    written = text_of(value)
    found = matched(PERCENT, "" if written is None else written, "a number or a percentage")
    number = Decimal(found[1].replace("_", ""))
    return number / 100 if found[2] else number


Factor = Annotated[
    Decimal,
    BeforeValidator(factor),
    PlainSerializer(str),
    schema_of(
        rf"{NUMBER}(\s*%)?", "A number or a percentage: 0.0851 or 25%", "number or percentage", {}
    ),
]
"""What an amount is multiplied with, or what stands for a value."""


def _is_mapping(value: object) -> str:
    return "(table)" if isinstance(value, dict) else "(value)"


Dated = Annotated[
    Annotated[Factor, Tag("(value)")] | Annotated[dict[Date, Factor], Tag("(table)")],
    Discriminator(_is_mapping),
]
"""One number, or several, each from its day on."""


class ValuesBy(Declaration):
    """A column by a table: what stands for each value of another column."""

    by: Name
    """The column whose value decides, such as a category or a currency."""
    values: dict[Label, Dated]
    """What stands for each of its values: a number or a percentage; or several by day, each from
    its day on until the next: {NOK: {2026-01-01: 0.0851, 2026-03-10: 0.0872}}. Rows of any other
    value, and of an earlier day, have no value, and are refused where they count."""
    of: Name | None = None
    """The column that is multiplied with it, such as an amount; by default it stands alone."""
    day: Name | None = None
    """The column of the day or time by which values with days are looked up."""

    @model_validator(mode="after")
    def _with_days(self) -> ValuesBy:
        if not self.values:
            raise ValueError("'values' is empty; write what stands for each value of 'by'")
        dated = [label for label, each in self.values.items() if isinstance(each, dict)]
        if dated and self.day is None:
            raise ValueError(f"'{dated[0]}' has values by day; add 'day': the column of the day")
        if self.day is not None and not dated:
            raise ValueError("'day' needs values by day; write them as {2026-01-01: 0.0851}")
        if any(not each for each in self.values.values() if isinstance(each, dict)):
            raise ValueError("'values' has an entry without a day; write {2026-01-01: 0.0851}")
        if sum(len(each) if isinstance(each, dict) else 1 for each in self.values.values()) > _MOST:
            raise ValueError(f"'values' holds at most {_MOST:,} numbers; join it in a view")
        return self

    @property
    def text(self) -> str:
        r"""The same as a computed column's text.

        >>> ValuesBy(by="kind", of="paid", values={"a": "25%"}).text
        '"paid" * case "kind" when \'a\' then 0.25 end'
        """
        chosen = " ".join(f"when {literal(k)} then {self._one(v)}" for k, v in self.values.items())
        table = f"case {quote(self.by)} {chosen} end"
        return table if self.of is None else f"{quote(self.of)} * {table}"

    def _one(self, value: Decimal | dict[date, Decimal]) -> str:
        if isinstance(value, Decimal):
            return f"{value:f}"
        day = quote(self.day or "")
        latest = sorted(value.items(), reverse=True)
        steps = (f"when {day} >= date '{since}' then {number:f}" for since, number in latest)
        return f"case {' '.join(steps)} end"


if TYPE_CHECKING:
    Formula = str  # what both become
else:
    Formula = Annotated[
        Annotated[FormulaText, Tag("(value)")]
        | Annotated[Annotated[ValuesBy, AfterValidator(lambda table: table.text)], Tag("(table)")],
        Discriminator(_is_mapping),
        PlainSerializer(str),
    ]
"""A computed column: its text, or a table of values by another column, which becomes its text."""
