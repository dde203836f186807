"""Conditions over columns whose types are only the engine's to know.

A CSV file's columns are read as text. Where a condition compares such a column with a number, a
day or a truth value, the column takes that type; a text that is none stops the query rather than
counting as missing.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from upliftlab.engines.base import ColumnType

_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Abs, exp.Round)
_JOINED = (exp.And, exp.Or, exp.Not)


def typed(condition: str, columns: Mapping[str, ColumnType]) -> str:
    """A condition of DuckDB's dialect with columns of text cast to what they are compared with.

    Args:
        condition: The condition, already held to the language's allow-list.
        columns: The family of every column's type.

    >>> typed("age >= 18 AND city = 'Ulm'", {"age": "text", "city": "text"})
    'CAST("age" AS DOUBLE) >= 18 AND "city" = \\'Ulm\\''
    >>> typed("age >= 18", {"age": "number"})
    '"age" >= 18'
    """
    texts = {name.lower() for name, family in columns.items() if family == "text"}
    tree = sqlglot.parse_one(condition, dialect="duckdb", into=exp.Condition)
    casts = {
        id(column): kind
        for column in tree.find_all(exp.Column)
        if column.name.lower() in texts and (kind := _wanted(column))
    }
    return tree.transform(lambda node: _cast(node, casts), copy=False).sql(
        dialect="duckdb", identify=True, comments=False
    )


def _cast(node: exp.Expr, casts: Mapping[int, str]) -> exp.Expr:
    kind = casts.get(id(node))
    return exp.cast(node.copy(), kind) if kind else node


def _wanted(column: exp.Column) -> str | None:
    """The type a column of text needs where it stands; None where text will do."""
    parent = column.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, _ARITHMETIC):
        return "DOUBLE"
    if parent is None or isinstance(parent, _JOINED):
        return "BOOLEAN"
    if not isinstance(parent, _COMPARED):
        return None
    kinds = {_kind(part.unnest()) for part in parent.iter_expressions()} - {None}
    return kinds.pop() if len(kinds) == 1 else None


def _kind(part: exp.Expr) -> str | None:
    """The type a constant or a calculation has, None for texts and columns."""
    if isinstance(part, _ARITHMETIC) or (isinstance(part, exp.Literal) and not part.is_string):
        return "DOUBLE"
    if isinstance(part, exp.Boolean):
        return "BOOLEAN"
    if isinstance(part, exp.Cast) and part.is_type("date"):
        return "DATE"
    return None
