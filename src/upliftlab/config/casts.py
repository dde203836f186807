"""Conditions over text columns: what a value is compared with says what it means.

A CSV file holds text only, so `age >= 18` compares a text with a number. The column is then read
as a number, beside a date as a date, and alone as true or false. A value that is none is a fault
of the data, which the engine reports.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Abs, exp.Round)
_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In)
_LOGICAL = (exp.And, exp.Or, exp.Not)


def cast_text(tree: exp.Expr, columns: Collection[str]) -> exp.Expr:
    """The condition with each of the text `columns` cast to the type its use asks for.

    >>> import sqlglot
    >>> tree = sqlglot.parse_one("age >= 18 and zip = '010'", dialect="duckdb")
    >>> cast_text(tree, {"age", "zip"}).sql("duckdb")
    "CAST(age AS DOUBLE) >= 18 AND zip = '010'"
    """
    copy = tree.copy()
    for column in list(copy.find_all(exp.Column)):
        kind = _wanted(column) if column.name in columns else None
        if kind is None:
            continue
        cast = exp.cast(column.copy(), kind)
        if column is copy:
            return cast
        column.replace(cast)
    return copy


def _wanted(column: exp.Expr) -> str | None:
    """The type that a column's surroundings ask for, None for text."""
    parent = column.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if parent is None or isinstance(parent, _LOGICAL):
        return "BOOLEAN"
    if isinstance(parent, _ARITHMETIC):
        return "DOUBLE"
    if not isinstance(parent, _COMPARED):
        return None
    for other in _operands(parent):
        if isinstance(other, exp.Boolean):
            return "BOOLEAN"
        if isinstance(other, _ARITHMETIC) or (
            isinstance(other, exp.Literal) and not other.is_string
        ):
            return "DOUBLE"
        if isinstance(other, exp.Cast):
            return "DATE"
    return None


def _operands(parent: exp.Expr) -> Iterator[exp.Expr]:
    for operand in parent.iter_expressions():
        yield operand.unnest()
