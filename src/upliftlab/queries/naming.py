"""Columns that say who customers are, found where they lie: two aggregates and no row."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from upliftlab.engines.base import Engine
from upliftlab.errors import Diagnostic
from upliftlab.util.personal import names_people, near_unique
from upliftlab.util.sql import quote

_MOST = 200
"""Values that are looked at, the most frequent first."""


def naming(role: str, column: str, why: str) -> Diagnostic:
    """What is said of a column that says who customers are; it holds no value of it."""
    message = f"the {role} '{column}' {why}: it says who customers are"
    remedy = "use what customers have in common, such as a region, or bands of a number"
    return Diagnostic("UL240", message, remedy)


def naming_fault(
    role: str, column: str, table: str, engine: Engine, smallest: int
) -> Diagnostic | None:
    """Why a column must not divide customers; None where it may.

    Args:
        role: What it is used as, such as `stratum`.
        column: Its name.
        table: What its table is attached as.
        engine: Where that lies.
        smallest: Values of fewer customers are not shown.
    """
    levels = (
        f"SELECT CAST({quote(column)} AS VARCHAR) AS level, COUNT(*) AS n FROM {quote(table)}"
        f" WHERE {quote(column)} IS NOT NULL GROUP BY 1"
    )
    few = f"CASE WHEN n < {smallest} THEN"
    sums = {"customers": "n", "rare": f"{few} 1 ELSE 0 END", "theirs": f"{few} n ELSE 0 END"}
    listed = (f"CAST(COALESCE(SUM({what}), 0) AS BIGINT) AS {name}" for name, what in sums.items())
    (row,) = engine.query(f"SELECT {', '.join(listed)} FROM ({levels}) AS levels").to_pylist()
    if near_unique(row["rare"], row["theirs"], row["customers"]):
        return naming(role, column, "has a value of its own for most customers")
    first = f"SELECT level, n FROM ({levels}) AS levels ORDER BY n DESC, level LIMIT {_MOST}"
    known = {row["level"]: int(row["n"]) for row in engine.query(first).to_pylist()}
    why = names_people(known, smallest)
    return None if why is None else naming(role, column, why)
