"""The house's SQL, written in DuckDB's dialect, in the words of another engine."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from upliftlab.errors import Diagnostic, EngineError

_HEX: Final = {
    "postgres": "CAST(CAST('x' || {} AS BIT(12)) AS INT)",
    "spark": "CAST(CONV({}, 16, 10) AS INT)",
}
"""Three hex digits as a whole number, where it is said otherwise than on DuckDB; PostgreSQL must
be told how many bits they are."""


_PLAIN: Final = {
    "DOUBLE": "^ *([-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,2})?|[-+]?inf|nan) *$",
    "BIGINT": "^ *[-+]?[0-9]{1,18} *$",
    "TIMESTAMP": (
        "^ *[0-9]{4}-(0?[13578]-(0?[1-9]|[12][0-9]|3[01])|1[02]-(0?[1-9]|[12][0-9]|3[01])"
        "|(0?[469]|11)-(0?[1-9]|[12][0-9]|30)|0?2-(0?[1-9]|1[0-9]|2[0-8]))"
        "([ T]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?)? *$"
    ),
}
"""Texts that PostgreSQL reads as a value of a type: it has no cast that gives NULL for others."""
_LEAP: Final = (
    "^ *([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-0?2-29"
    "([ T]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?)? *$"
)
"""The 29th of February of a leap year."""


@lru_cache(maxsize=64)
def transpile(sql: str, dialect: str) -> str:
    r"""A query of DuckDB's dialect in another one, every name quoted as it was.

    Spark compares texts byte by byte unless told otherwise and knows no collation "C", so that is
    left out there.

    Raises:
        EngineError: UL503, the query cannot be said in that dialect.

    >>> transpile('SELECT "a" || \'b\' COLLATE "C" FROM "t" WHERE "n" // 2 = 1', "spark")
    "SELECT `a` || 'b' FROM `t` WHERE `n` DIV 2 = 1"
    """
    if dialect == "duckdb":
        return sql
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        for node in list(tree.find_all(exp.Cast)):
            if dialect in _HEX and (digits := _hex_digits(node)) is not None:
                text = digits.sql(dialect=dialect)
                number: exp.Expr = exp.maybe_parse(_HEX[dialect].format(text), dialect=dialect)
                node.replace(number)
        for node in list(tree.find_all(exp.Anonymous)):
            if node.name.upper() == "ISFINITE":
                node.replace(_finite(node.expressions[0]))
        if dialect == "postgres":
            _as_postgres(tree)
        if dialect == "spark":
            for node in list(tree.find_all(exp.Collate)):
                node.replace(node.this)
        return tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE, comments=False)
    except SqlglotError as error:
        first = str(error).split("\n")[0]
        raise EngineError(
            Diagnostic("UL503", f"a query cannot be said in {dialect}: {first}")
        ) from error


def converts_texts(dialect: str) -> bool:
    """Whether a dialect can read a text as a number and give NULL where it is none.

    >>> converts_texts("duckdb"), converts_texts("postgres"), converts_texts("mysql")
    (True, True, False)
    """
    return "SELECT CAST(" not in transpile("SELECT TRY_CAST(x AS DOUBLE)", dialect)


def _as_postgres(tree: exp.Expr) -> None:
    """Say what PostgreSQL has no words for: casts that may fail, and `%` and `ROUND` of doubles."""
    for node in list(tree.find_all(exp.TryCast, exp.Mod, exp.Round)):
        if isinstance(node, exp.TryCast):
            node.replace(_tried(node))
        elif isinstance(node, exp.Mod):
            for key in ("this", "expression"):
                node.set(key, exp.cast(exp.Paren(this=node.args[key]), "DECIMAL"))
        else:
            node.set("this", exp.cast(node.this, "DECIMAL"))


def _tried(node: exp.TryCast) -> exp.Expr:
    """A text as a value of a type, NULL where it is none."""
    kind = node.to.sql(dialect="duckdb")
    text = exp.cast(node.this, "TEXT")
    patterns = [_PLAIN[kind], *([_LEAP] if kind == "TIMESTAMP" else [])]
    fits = (
        exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(pattern))
        for pattern in patterns
    )
    return exp.case().when(exp.or_(*fits), exp.cast(text, node.to))


def _finite(value: exp.Expr) -> exp.Expr:
    """Whether a double is finite: NaN counts as larger than every number, as on DuckDB.

    There it is not said so, because DuckDB trusts the limits that Parquet files give for a column,
    which leave out NaN.
    """
    largest = exp.Literal.number("1.7976931348623157e308")
    return exp.LTE(this=exp.Abs(this=value.copy()), expression=largest)


def _hex_digits(node: exp.Cast) -> exp.Expr | None:
    """What is read as hex digits: `d` in `CAST('0x' || d AS INTEGER)`, the only such form."""
    joined = node.this
    if isinstance(joined, exp.DPipe) and isinstance(joined.this, exp.Literal):
        return joined.expression if joined.this.name == "0x" else None
    return None
