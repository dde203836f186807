"""Is a row of the customers' table a customer, or a day, a city or a store?"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Final, Literal

from upliftlab.analysis.checks.definition import (
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
)
from upliftlab.results.analysis import Severity
from upliftlab.text.language import N_
from upliftlab.util.column_names import DAY, PLACE, names_customer
from upliftlab.util.sql import quote

_MOST_ROWS: Final = 4_000
"""Ten years of days; who has more rows has customers."""
_FEW_ROWS: Final = 50
"""From so many on, cities and stores are many enough to be units of their own."""
_SHORTEST: Final = 7
"""Days in a row that are no accident."""
_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d")
_STEPS: Final = ({1}, {7}, {28, 29, 30, 31})
"""Days from one day, week or month to the next."""
_AGGREGATED: Final = "customers: {aggregated: {n: COLUMN, sum: {…}, sum_sq: {…}}}"
_DAYS = N_(
    "A row of the customers' table is a day ({column}), not a customer. Days are not drawn by lot"
    " as customers are, and neighbouring days are alike, so that intervals are too narrow. If its"
    " numbers are totals of customers who were assigned, say of how many: {line}"
)
_PLACES = N_(
    "A row of the customers' table is one {column}, not a customer: {count:count} of them are all"
    " there is, and every number is per {column}. That is right where whole ones were assigned by"
    " lot. If its numbers are totals of customers who were assigned, say of how many: {line}"
)


@dataclass(frozen=True, slots=True)
class RowUnit:
    """What a row seems to be instead of a customer.

    Attributes:
        kind: A day (or week, or month), or a place.
        column: The column that says so.
        rows: How many there are.
    """

    kind: Literal["day", "place"]
    column: str
    rows: int


@Fact
def row_unit(data: FactInputs) -> RowUnit | None:
    """What a row is instead of a customer; None where nothing says that it is no customer."""
    plan, own = data.plan, data.plan.customers
    if data.grouped or plan.households is not None:
        return None
    rows = data.number(f"SELECT COUNT(*) AS n FROM {data.population.relation}")
    names = [own.id] if own.id else list(data.population.columns)
    if not 0 < rows <= _MOST_ROWS or (own.id is None and any(map(names_customer, names))):
        return None
    for name in names:
        day, place = DAY.search(name.casefold()), PLACE.search(name.casefold())
        if not (day or place or own.id):
            continue
        values = _once_an_arm(name, data)
        if values and (own.id or day) and _are_days(values, run=own.id is None):
            return RowUnit("day", name, rows)
        if values and place and rows < _FEW_ROWS:
            return RowUnit("place", name, rows)
    return None


def _once_an_arm(name: str, data: FactInputs) -> list[str]:
    """The values of a column as texts; none where one is missing, or twice in an arm."""
    value, arm = f"CAST(c.{quote(name)} AS VARCHAR)", data.population.own["arm"]
    found = data.engine.query(
        f"SELECT {value} AS v, CAST({arm} AS VARCHAR) AS arm, COUNT(*) AS n"
        f" FROM {data.population.relation} GROUP BY 1, 2"
    ).to_pylist()
    if any(row["v"] is None or row["n"] > 1 for row in found):
        return []
    return sorted({row["v"] for row in found})


def _are_days(values: Sequence[str], *, run: bool) -> bool:
    """Whether all are days; in a run, day after day, week after week or month after month."""
    days = [_day(value) for value in values]
    known = sorted({day for day in days if day is not None})
    if None in days or not run:
        return None not in days
    steps = {(later - day).days for day, later in pairwise(known)}
    return len(known) >= _SHORTEST and any(steps <= each for each in _STEPS)


def _day(text: str) -> date | None:
    """The day that a text is, in the usual forms."""
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _judged(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Rows that are days or places."""
    found = inputs.facts.of(row_unit)
    if found is not None:
        text = _DAYS if found.kind == "day" else _PLACES
        values = {"column": found.column, "count": found.rows, "line": _AGGREGATED}
        yield CheckAnswer(passed=False, text=text, values=values, subjects=(found.column,))


ROWS_OF = CheckDefinition(
    name="rows_of",
    title=N_("Rows are customers"),
    severity=Severity.warning,
    judge=_judged,
    facts=(row_unit,),
    tells="counts",
)
