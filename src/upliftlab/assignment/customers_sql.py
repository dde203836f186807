"""Whether a table of customers can be assigned: names, types, and one row per id."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from upliftlab.assignment.eligibility_sql import OWN_COLUMNS, Request
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import ConfigError, DataError, Diagnostic
from upliftlab.util.sql import quote


def check_population(request: Request, columns: Mapping[str, ColumnType], engine: Engine) -> int:
    """The number of customers, after making sure that each is one row and known by an id.

    Args:
        request: What the assignment's query is made from.
        columns: The columns of the customers' table.
        engine: Where the table lies, attached.

    Raises:
        ConfigError: UL402 a column does not exist, UL403 the id's type is not exact, UL410 the
            id's name is taken, UL411 a stratum's type is not exact.
        DataError: UL404 ids are missing, UL405 ids repeat, UL406 households are missing,
            UL416 there are no customers.
    """
    if faults := [*_name_faults(request, columns)]:
        raise ConfigError(faults)
    if faults := [*_type_faults(request, engine)]:
        raise ConfigError(faults)
    counts = engine.query(_counts(request)).to_pylist()[0]
    if faults := [*_row_faults(request, counts)]:
        raise DataError(faults)
    return int(counts["customers"])


def _name_faults(request: Request, columns: Mapping[str, ColumnType]) -> Iterator[Diagnostic]:
    chosen = request.allocation
    for name in dict.fromkeys((chosen.id, chosen.unit, *chosen.strata)):
        if name not in columns:
            yield Diagnostic(
                "UL402", f"the customers' table has no column '{name}'", "mend its name"
            )
    for name in dict.fromkeys((chosen.id, chosen.unit)):
        if name.lower() in OWN_COLUMNS:
            message = f"the column '{name}' has the name of a column of the assignment"
            yield Diagnostic("UL410", message, "rename it in a view")


def _type_faults(request: Request, engine: Engine) -> Iterator[Diagnostic]:
    """Types whose text differs from engine to engine, such as that of 1.0."""
    chosen = request.allocation
    names = list(dict.fromkeys((chosen.id, chosen.unit, *chosen.strata)))
    listed = ", ".join(map(quote, names))
    schema = engine.query(f"SELECT {listed} FROM {quote(request.customers)} LIMIT 0").schema
    for name, kind in zip(names, schema.types, strict=True):
        if name in (chosen.id, chosen.unit):
            if not _is_id(kind):
                message = f"ids of the type {kind} are not exact, in the column '{name}'"
                yield Diagnostic("UL403", message, "cast them to whole numbers or texts in a view")
        elif not (_is_id(kind) or _is_level(kind)):
            message = f"the stratum '{name}' has the type {kind}, of which equal values differ"
            yield Diagnostic("UL411", message, "use a column of bands, texts or whole numbers")


def _is_id(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    whole = pa.types.is_decimal(kind) and kind.scale == 0
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return pa.types.is_integer(kind) or text or whole


def _is_level(kind: pa.DataType) -> bool:
    exact = (pa.types.is_boolean, pa.types.is_date, pa.types.is_decimal, pa.types.is_null)
    return any(of(kind) for of in exact)


def _counts(request: Request) -> str:
    """Rows, rows without id, ids that repeat and rows without household, in one row."""
    chosen = request.allocation
    sums = {
        "customers": "n",
        "nameless": "CASE WHEN id IS NULL THEN n ELSE 0 END",
        "repeated": "CASE WHEN id IS NOT NULL AND n > 1 THEN 1 ELSE 0 END",
        "homeless": "n - housed",
    }
    listed = ", ".join(
        f"CAST(COALESCE(SUM({what}), 0) AS BIGINT) AS {name}" for name, what in sums.items()
    )
    return (
        f"SELECT {listed} FROM (SELECT {quote(chosen.id)} AS id, COUNT(*) AS n,"
        f" COUNT({quote(chosen.unit)}) AS housed FROM {quote(request.customers)}"
        " GROUP BY 1) AS ids"
    )


def _row_faults(request: Request, counts: Mapping[str, Any]) -> Iterator[Diagnostic]:
    chosen = request.allocation
    if not counts["customers"]:
        yield Diagnostic("UL416", "the customers' table is empty")
    if number := counts["nameless"]:
        message = f"{number} rows have no '{chosen.id}'"
        yield Diagnostic("UL404", message, "remove them or give them an id")
    if number := counts["repeated"]:
        message = f"{number} values of '{chosen.id}' occur more than once"
        yield Diagnostic("UL405", message, "keep one row per customer")
    if chosen.household and (number := counts["homeless"]):
        message = f"{number} rows have no '{chosen.unit}'"
        yield Diagnostic("UL406", message, "fill it, with the customer's id for who lives alone")
