"""A value over columns as SQL, of a type that is known on every engine.

Numbers are computed as doubles, so that no engine's small integers overflow, and a division by zero
gives nothing. A text column is read as a number where one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Final

from sqlglot import exp

from upliftlab.config.expressions import ColumnValue
from upliftlab.config.models import FileFormat
from upliftlab.engines.base import ColumnType
from upliftlab.queries.numbers import number_sql
from upliftlab.util.sql import quote

_SIGNS: Final[Mapping[type[exp.Expr], str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}
_SAID: Final[Mapping[ColumnType, str]] = {
    "number": "numbers",
    "text": "texts",
    "boolean": "true and false",
    "date": "days",
    "time": "times",
    "instant": "times",
    "other": "values of a type that is not known",
}
_MOST_DIGITS: Final = 15


class KindError(ValueError):
    """Values of a kind that cannot be computed with; the text says why, and the way on."""


@dataclass(frozen=True, slots=True)
class TypedSql:
    """SQL in DuckDB's dialect, and the family of its type.

    Attributes:
        sql: Every identifier is quoted.
        kind: What it is.
        column: The name, where it is nothing but a column.
    """

    sql: str
    kind: ColumnType
    column: str | None = None


@dataclass(slots=True)
class ValueSql:
    """Values over one table's columns.

    Attributes:
        kinds: The columns and their types.
        condition: Makes SQL of a condition over them.
        form: How the file writes texts, where that is declared.
        read: The text columns that were read as numbers.
    """

    kinds: Mapping[str, ColumnType]
    condition: Callable[[str], str]
    form: FileFormat | None = None
    read: dict[str, None] = field(default_factory=dict[str, None])

    def of(self, value: ColumnValue) -> TypedSql:
        """A value as SQL.

        Raises:
            KindError: a part of it cannot be computed with what it is given.
        """
        found = self._typed(value.tree)
        if found.kind == "other":
            raise KindError(f"{_named(found)} holds {_SAID['other']}; cast it in a view")
        return found

    def _typed(self, node: exp.Expr) -> TypedSql:
        for kinds, make in _MADE.items():
            if isinstance(node, kinds):
                return make(self, node)
        return TypedSql(f"({self.condition(node.sql(dialect='duckdb', identify=True))})", "boolean")

    def column(self, node: exp.Expr) -> TypedSql:
        """A column as it is."""
        return TypedSql(quote(node.name), self.kinds[node.name], node.name)

    def constant(self, node: exp.Expr) -> TypedSql:
        """A number, a text, true, false or a day."""
        sql = node.sql(dialect="duckdb")
        if isinstance(node, exp.Boolean):
            return TypedSql(sql, "boolean")
        if isinstance(node, exp.Cast):
            return TypedSql(sql, "date")
        return TypedSql(sql, "text") if node.is_string else TypedSql(_double(sql), "number")

    def within(self, node: exp.Expr) -> TypedSql:
        """What stands in parentheses."""
        return self._typed(node.this)

    def sign(self, node: exp.Expr) -> TypedSql:
        """Two numbers, added, subtracted or multiplied."""
        left, right = self._number(node.this), self._number(node.expression)
        return TypedSql(f"({left} {_SIGNS[type(node)]} {right})", "number")

    def quotient(self, node: exp.Expr) -> TypedSql:
        """Two numbers, divided, or what remains; nothing where the second is zero."""
        left, right = self._number(node.this), f"NULLIF({self._number(node.expression)}, 0)"
        if isinstance(node, exp.Mod):
            return TypedSql(_double(f"({left} % {right})"), "number")
        return TypedSql(f"({left} / {right})", "number")

    def negative(self, node: exp.Expr) -> TypedSql:
        """A number with the other sign."""
        return TypedSql(f"(- {self._number(node.this)})", "number")

    def absolute(self, node: exp.Expr) -> TypedSql:
        """A number without its sign."""
        return TypedSql(f"ABS({self._number(node.this)})", "number")

    def rounded(self, node: exp.Expr) -> TypedSql:
        """A number with fewer digits."""
        asked = node.args.get("decimals")
        digits = "0" if asked is None else asked.sql(dialect="duckdb")
        if not digits.isdecimal() or int(digits) > _MOST_DIGITS:
            raise KindError(f"round() keeps 0 to {_MOST_DIGITS} digits; write round(x, 2)")
        rounded = f"ROUND({self._number(node.this)}, {int(digits)})"
        return TypedSql(_double(rounded), "number")  # PostgreSQL rounds decimals

    def length(self, node: exp.Expr) -> TypedSql:
        """The number of letters of a text."""
        return TypedSql(_double(f"LENGTH({self._text(node.this)})"), "number")

    def cased(self, node: exp.Expr) -> TypedSql:
        """A text in small or capital letters."""
        name = "LOWER" if isinstance(node, exp.Lower) else "UPPER"
        return TypedSql(f"{name}({self._text(node.this)})", "text")

    def first(self, node: exp.Expr) -> TypedSql:
        """The first of several values that is there; all are of one kind."""
        parts = [self._typed(part) for part in (node.this, *node.expressions)]
        firm: list[ColumnType] = [
            part.kind for part in parts if part.column is None or part.kind != "text"
        ]
        kind = reduce(_joined, firm) if firm else "text"
        sql = ", ".join(self._as(part, kind) for part in parts)
        return TypedSql(f"COALESCE({sql})", kind)

    def _number(self, node: exp.Expr) -> str:
        return self._as(self._typed(node), "number")

    def _text(self, node: exp.Expr) -> str:
        return self._as(self._typed(node), "text")

    def _as(self, part: TypedSql, kind: ColumnType) -> str:
        """A part as a kind of value; a text column may be read as another."""
        if kind == "number" and part.kind in ("number", "boolean"):
            return part.sql if part.column is None and part.kind == kind else _numeric(part)
        if kind == part.kind:
            return f"CAST({part.sql} AS VARCHAR)" if kind == "text" else part.sql
        if part.kind == "text" and part.column is not None:
            if kind == "number":
                self.read.setdefault(part.column)
                return number_sql(part.sql, "text", self.form)
            if kind in ("boolean", "date"):
                return f"CAST({part.sql} AS {kind.upper()})"
        wanted, found = _SAID[kind], _SAID[part.kind]
        raise KindError(f"{_named(part)} holds {found} where {wanted} are needed; use others")


def _joined(one: ColumnType, other: ColumnType) -> ColumnType:
    """The kind of values of which some are of one and some of another kind."""
    if one == other:
        return one
    if {one, other} == {"number", "boolean"}:
        return "number"
    raise KindError(
        f"coalesce() has {_SAID[one]} and {_SAID[other]}; give it values of one kind only"
    )


def _numeric(part: TypedSql) -> str:
    """A number or a truth as a double: the constants of a truth would be decimals."""
    number = number_sql(part.sql, part.kind)
    return _double(number) if part.kind == "boolean" else number


def _double(sql: str) -> str:
    return f"CAST({sql} AS DOUBLE)"


def _named(part: TypedSql) -> str:
    return "a part of it" if part.column is None else f"'{part.column}'"


_MADE: Final[Mapping[tuple[type[exp.Expr], ...], Callable[[ValueSql, exp.Expr], TypedSql]]] = {
    (exp.Column,): ValueSql.column,
    (exp.Literal, exp.Boolean, exp.Cast): ValueSql.constant,
    (exp.Paren,): ValueSql.within,
    (exp.Add, exp.Sub, exp.Mul): ValueSql.sign,
    (exp.Div, exp.Mod): ValueSql.quotient,
    (exp.Neg,): ValueSql.negative,
    (exp.Abs,): ValueSql.absolute,
    (exp.Round,): ValueSql.rounded,
    (exp.Length,): ValueSql.length,
    (exp.Lower, exp.Upper): ValueSql.cased,
    (exp.Coalesce,): ValueSql.first,
}
