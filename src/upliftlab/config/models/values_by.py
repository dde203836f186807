"""Computed columns that follow from another column's values by a table: margins, rates, worths."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

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


def _form(value: object) -> str:
    if isinstance(value, Uncertain):
        return "(uncertain)"
    if not isinstance(value, dict):
        return "(value)"
    written = cast("dict[Any, Any]", value)
    return "(uncertain)" if {"value", "se"} & written.keys() else "(table)"


class Uncertain(Declaration):
    """A number that is known with a standard error."""

    value: Factor
    """The number, or a percentage."""
    se: Factor
    """Its standard error: how far such a number is typically off, in the same unit."""

    @model_validator(mode="after")
    def _above_nothing(self) -> Uncertain:
        if self.se <= 0:
            raise ValueError("'se' is above 0; a number that is known exactly stands alone")
        return self


Dated = Annotated[
    Annotated[Factor, Tag("(value)")]
    | Annotated[dict[Date, Factor], Tag("(table)")]
    | Annotated[Uncertain, Tag("(uncertain)")],
    Discriminator(_form),
]
"""One number, one with its standard error, or several, each from its day on."""
MOST_UNCERTAIN: Final = 12
"""Numbers of a table that may have a standard error: each is a column of its own in the scan."""
_RAISED: Final = " +1 se #"


class _TableText(str):
    """A table's text, and the same with each uncertain number one standard error higher."""

    __slots__ = ("raised",)
    raised: tuple[str, ...]


def with_raised(columns: dict[str, str]) -> dict[str, str]:
    r"""Computed columns; behind those of tables, what each is with an uncertain number raised.

    >>> table = ValuesBy(by="kind", values={"a": {"value": "20", "se": "4"}, "b": "3"})
    >>> with_raised({"worth": table.text})["worth +1 se #0"]
    'case "kind" when \'a\' then 24 when \'b\' then 3 end'
    """
    found = dict(columns)
    for name, text in columns.items():
        if isinstance(text, _TableText):
            found |= {f"{name}{_RAISED}{at}": each for at, each in enumerate(text.raised)}
    return found


def is_raised(column: str) -> bool:
    """Whether a computed column is another's with an uncertain number raised."""
    return _RAISED in column


def raised_of(columns: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """The columns of tables with uncertain numbers, each with its raised ones.

    >>> raised_of({"worth": "x", "worth +1 se #0": "y", "net": "z"})
    {'worth': ('worth +1 se #0',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in columns:
        base, mark, _ = name.rpartition(_RAISED)
        if mark:
            found[base] = (*found.get(base, ()), name)
    return found


class ValuesBy(Declaration):
    """A column by a table: what stands for each value of another column."""

    by: Name
    """The column whose value decides, such as a category or a currency."""
    values: dict[Label, Dated]
    """What stands for each of its values: a number or a percentage; or several by day, each from
    its day on until the next: {NOK: {2026-01-01: 0.0851, 2026-03-10: 0.0872}}; or one that is not
    known exactly with its standard error: {monthly: {value: 90, se: 8}}, which intervals carry.
    Rows of any other value, and of an earlier day, have no value, and are refused where they
    count."""
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
        if sum(isinstance(each, Uncertain) for each in self.values.values()) > MOST_UNCERTAIN:
            most = f"at most {MOST_UNCERTAIN} numbers of a table have a standard error"
            raise ValueError(f"{most}; write it of those that matter most")
        return self

    @property
    def text(self) -> _TableText:
        r"""The same as a computed column's text.

        >>> ValuesBy(by="kind", of="paid", values={"a": "25%"}).text
        '"paid" * case "kind" when \'a\' then 0.25 end'
        """
        found = _TableText(self._text(self.values))
        uncertain = {k: v for k, v in self.values.items() if isinstance(v, Uncertain)}
        found.raised = tuple(
            self._text({**self.values, k: v.value + v.se}) for k, v in uncertain.items()
        )
        return found

    def _text(self, values: dict[str, Decimal | dict[date, Decimal] | Uncertain]) -> str:
        chosen = " ".join(f"when {literal(k)} then {self._one(v)}" for k, v in values.items())
        table = f"case {quote(self.by)} {chosen} end"
        return table if self.of is None else f"{quote(self.of)} * {table}"

    def _one(self, value: Decimal | dict[date, Decimal] | Uncertain) -> str:
        if isinstance(value, Uncertain):
            return f"{value.value:f}"
        if isinstance(value, Decimal):
            return f"{value:f}"
        day = quote(self.day or "")
        latest = sorted(value.items(), reverse=True)
        steps = (f"when {day} >= date '{since}' then {number:f}" for since, number in latest)
        return f"case {' '.join(steps)} end"


if TYPE_CHECKING:
    Formula = str  # what both become
    Columns = dict[str, str]
else:
    Formula = Annotated[
        Annotated[FormulaText, Tag("(value)")]
        | Annotated[Annotated[ValuesBy, AfterValidator(lambda table: table.text)], Tag("(table)")],
        Discriminator(_is_mapping),
        PlainSerializer(str),
    ]
    Columns = Annotated[dict[Name, Formula], AfterValidator(with_raised)]
"""A computed column: its text, or a table of values by another column, which becomes its text."""
