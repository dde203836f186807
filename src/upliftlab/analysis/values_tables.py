"""Rows for which a table of values has nothing: refused, whatever an empty number means.

Of customers an empty number may be declared to be 0, or to leave them out; a category that nobody
thought of is neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from upliftlab.config.expressions import beside_table, decided_by
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.values_by import is_raised
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.numbers import missing_sql
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.util.personal import code_or_shape
from upliftlab.util.sql import quote


def outside(rows: str, column: str, deciding: tuple[str, object], earned: str | None) -> Diagnostic:
    """The fault of rows for which a table has nothing, on their day if it has days.

    Args:
        rows: How many of what, such as `3 events of orders`.
        column: The computed column.
        deciding: The column by whose values it goes, and one that the table lacks.
        earned: The column that is the table under `money`, if there is one.
    """
    by, found = deciding
    value = code_or_shape(None if found is None else str(found))
    message = f"{rows} have no value in the table of '{column}'"
    example = f"{value}: 0.5" if value.isupper() else "other: 0.5"
    under = f"'values' of '{column}'"
    if column == earned:
        under, example = "'margin' of 'money'", example.replace("0.5", "40%")
    remedy = (
        f"add its line under {under}, such as '{example}'; values by day begin with"
        " the first event's, and what is multiplied is a number in each row"
    )
    return Diagnostic("UL206", f"{message}, such as one with '{value}' in '{by}'", remedy)


def refuse_outside(
    plan: Plan, frame: AnalysisPopulation, columns: Iterable[str], engine: Engine
) -> None:
    """Refuse customers for whom a table of values has nothing, where there is what it multiplies.

    Args:
        plan: What was asked.
        frame: Who is analysed.
        columns: The columns of the customers' table that are read as numbers.
        engine: Where the data lie.

    Raises:
        DataError: UL206.
    """
    if faults := [*_faults(plan, frame, columns, engine)]:
        raise DataError(faults)


def _faults(
    plan: Plan, frame: AnalysisPopulation, columns: Iterable[str], engine: Engine
) -> Iterator[Diagnostic]:
    money = plan.experiment.money
    for column in columns:
        formula = plan.customers.columns.get(column)
        by = None if formula is None else decided_by(formula)
        if formula is None or by is None or is_raised(column):
            continue
        there = [
            f"NOT {missing_sql(f'c.{quote(name)}', frame.type_of(name, 'computed column'))}"
            for name in beside_table(formula)
        ]
        lacks = " AND ".join([f"c.{quote(column)} IS NULL", *there])
        odd = f"CASE WHEN {lacks} THEN CAST(c.{quote(by)} AS VARCHAR) END"
        counted = f"COUNT(CASE WHEN {lacks} THEN 1 END) AS n, MIN({odd}) AS v"
        row = engine.query(f"SELECT {counted} FROM {frame.relation}").to_pylist()[0]  # noqa: S608 - quoted
        if row["n"]:
            earned = money.earned if money else None
            yield outside(f"{row['n']:,} customers", column, (by, row["v"]), earned)
