"""What of revenue is margin: one share of it, a metric, or a share by a column's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Discriminator, Tag, WithJsonSchema

from upliftlab.config.models.values import Label, Name, ProperRate
from upliftlab.config.models.values_by import ValuesBy, factor

BY: Final = "by"
"""The key behind which a table of margins names its column."""


def _checked(table: dict[str, str]) -> dict[str, str]:
    if not table.get(BY):
        raise ValueError("'by' is missing; name the column: {by: category, equipment: 25%}")
    if len(table) == 1:
        raise ValueError("no margin is given; add a line for each value of 'by': equipment: 25%")
    for label, written in table.items():
        if label != BY and (share := factor(written)) > 1:
            percent = f"; did you mean {written}%?" if share <= _ALL and "%" not in written else ""
            raise ValueError(f"'{label}': {written} is more than all of revenue{percent}")
    return table


_ALL: Final = 100
"""All of revenue, as a number that was to be a percentage says it."""
_NO_NUMBERS: Final = {"nan", "inf", "infinity"}
"""How a number that is none is written; no metric is called so."""


def _form(value: object) -> str:
    """Whether a share, a metric's name or a table is written."""
    if isinstance(value, dict):
        return "(table)"
    text = str(value).strip()
    named = text[:1].isalpha() and "%" not in text and " " not in text
    return "(metric)" if named and text.casefold() not in _NO_NUMBERS else "(value)"


_METRIC: Final = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"^\s*[^0-9%\s.,+/-][^%\s]*\s*$",
        "maxLength": 120,
        "description": "A metric",
    }
)
"""A name that nobody takes for a share."""

if TYPE_CHECKING:
    Margin = float | str | dict[str, str]
else:
    Margin = Annotated[
        Annotated[ProperRate, Tag("(value)")]
        | Annotated[Name, _METRIC, Tag("(metric)")]
        | Annotated[Annotated[dict[Label, Label], AfterValidator(_checked)], Tag("(table)")],
        Discriminator(_form),
    ]
"""40%; the metric that is margin; or a table: {by: category, equipment: 25%, subscription: 60%}."""


def margin_table(table: dict[str, str], of: Name) -> ValuesBy:
    r"""A table of margins as a computed column.

    >>> margin_table({"by": "kind", "a": "25%"}, "paid").text
    '"paid" * case "kind" when \'a\' then 0.25 end'
    """
    values: dict[str, Any] = {label: written for label, written in table.items() if label != BY}
    return ValuesBy(by=table[BY], of=of, values=values)


def shares(table: dict[str, str]) -> dict[str, float]:
    """The share of revenue that stands for each value.

    >>> shares({"by": "kind", "a": "25%"})
    {'a': 0.25}
    """
    return {label: float(factor(written)) for label, written in table.items() if label != BY}
