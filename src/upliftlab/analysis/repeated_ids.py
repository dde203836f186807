"""Why an id stands in several rows: it is that of a household, or rows were loaded twice."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import Diagnostic
from upliftlab.util.column_names import names_customer, names_group
from upliftlab.util.sql import quote

_ONE_ROW: Final = "the table needs one row per customer"
_MOST: Final = 2 / 3
"""From fewer different ids than this share of the rows on, they may be those of groups."""


@dataclass(frozen=True, slots=True)
class IdCounts:
    """How often ids are there.

    Attributes:
        name: Their column.
        rows: Of the table.
        again: Rows whose id stands in another row as well.
        torn: Ids in several arms; None where arms are not known.
    """

    name: str
    rows: int
    again: int
    torn: int | None = None


def repeated_ids(
    ids: IdCounts, relation: str, columns: Mapping[str, ColumnType], engine: Engine
) -> Diagnostic:
    """UL213 with its cause, where a column tells it.

    Args:
        ids: What was counted of them.
        relation: The FROM clause with its WHERE; the customers' table is `c` in it.
        columns: The columns of that table.
        engine: Where it lies.
    """
    message = f"'{ids.name}' repeats in {ids.again:,} of {ids.rows:,} rows"
    message += f"; {ids.torn:,} customers are in several arms" if ids.torn else ""
    customer = _telling_apart(ids, relation, columns, engine)
    grouped = names_group(ids.name) and ids.rows - ids.again <= _MOST * ids.rows
    if customer is None and not grouped:
        return Diagnostic("UL213", message, _ONE_ROW)
    unit = f"'assignment: {{unit: {ids.name}}}'"
    if customer is None:
        remedy = f"{_ONE_ROW}: where '{ids.name}' is what was assigned, leave 'id' out and write"
        return Diagnostic("UL213", message, f"{remedy} {unit}")
    message += f", each with another '{customer}': it is what several customers have in common"
    remedy = f"name customers by their own: 'id: {customer}'"
    if not ids.torn:
        remedy += f"; where whole groups of one '{ids.name}' were assigned, write {unit} as well"
    return Diagnostic("UL213", message, remedy)


def _telling_apart(
    ids: IdCounts, relation: str, columns: Mapping[str, ColumnType], engine: Engine
) -> str | None:
    """A column named like a customer's whose value is another in every row."""
    named = [
        name
        for name, kind in columns.items()
        if name != ids.name and kind in ("text", "number") and names_customer(name)
    ]
    if not named:
        return None
    counts = ", ".join(f"COUNT(DISTINCT c.{quote(name)}) AS n{at}" for at, name in enumerate(named))
    row = engine.query(f"SELECT {counts} FROM {relation}").to_pylist()[0]
    return next((name for at, name in enumerate(named) if row[f"n{at}"] == ids.rows), None)
