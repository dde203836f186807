"""The house's SQL, written in DuckDB's dialect, in the words of another engine."""

from __future__ import annotations

import re
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


_LEAP: Final = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29"
_DAY: Final = (
    "(([0-9]{4})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    f"|02-(0[1-9]|1[0-9]|2[0-8]))|{_LEAP})"
)
_TIME: Final = (
    f"^(?!0000){_DAY}([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
    "(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)?)?$"
)
_NUMBER: Final = "^ *[+-]?([0-9]{1,200}([.][0-9]*)?|[.][0-9]{1,200})([eE][+-]?[0-9]{1,2})? *$"
_READABLE: Final = {
    ("postgres", exp.DataType.Type.DOUBLE): _NUMBER,
    ("postgres", exp.DataType.Type.TIMESTAMPNTZ): _TIME,
    ("postgres", exp.DataType.Type.TIMESTAMPTZ): _TIME,
    ("spark", exp.DataType.Type.DOUBLE): "[^dDfF]$",
}
"""What texts are tried: PostgreSQL refuses a query for one that it cannot read, Spark takes the
letters by which Java marks its types of numbers."""
_JAVA: Final = {
    "%Y": "yyyy",
    "%y": "yy",
    "%m": "M",
    "%b": "MMM",
    "%d": "d",
    "%H": "H",
    "%I": "h",
    "%M": "m",
    "%S": "s",
    "%p": "a",
}
"""Parts of a time as Java writes them, of as many digits as there are."""


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
        _replace_functions(tree, dialect)
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


def _replace_functions(tree: exp.Expr, dialect: str) -> None:
    """What sqlglot does not know how to say."""
    for node in list(tree.find_all(exp.Anonymous)):
        if node.name.upper() == "ISFINITE":
            node.replace(_finite(node.expressions[0]))
        if node.name.upper() == "TRY_STRPTIME" and dialect == "spark":
            node.replace(_spark_time(*node.expressions))
    for node in list(tree.find_all(exp.TryCast)):
        if (shape := _READABLE.get((dialect, node.to.this))) is not None:
            node.replace(_only(shape, node))


def converts_texts(dialect: str) -> bool:
    """Whether a dialect can read a text as a number and give NULL where it is none.

    >>> converts_texts("duckdb"), converts_texts("spark"), converts_texts("postgres")
    (True, True, True)
    >>> converts_texts("sqlite")
    False
    """
    return "SELECT CAST(" not in transpile("SELECT TRY_CAST(x AS DOUBLE)", dialect)


def _as_postgres(tree: exp.Expr) -> None:
    """Say what PostgreSQL has no words for: `%` and `ROUND` of doubles."""
    for node in list(tree.find_all(exp.Mod, exp.Round)):
        if isinstance(node, exp.Mod):
            for key in ("this", "expression"):
                node.set(key, exp.cast(exp.Paren(this=node.args[key]), "DECIMAL"))
        else:
            node.set("this", exp.cast(node.this, "DECIMAL"))


def _finite(value: exp.Expr) -> exp.Expr:
    """Whether a double is finite: NaN counts as larger than every number, as on DuckDB.

    There it is not said so, because DuckDB trusts the limits that Parquet files give for a column,
    which leave out NaN.
    """
    largest = exp.Literal.number("1.7976931348623157e308")
    return exp.LTE(this=exp.Abs(this=value.copy()), expression=largest)


def _only(shape: str, node: exp.TryCast) -> exp.Expr:
    """A text that is converted only where it has a shape."""
    matches = exp.RegexpLike(this=node.this.copy(), expression=exp.Literal.string(shape))
    return exp.Case(ifs=[exp.If(this=matches, true=node.copy())])


def _spark_time(value: exp.Expr, directives: exp.Expr) -> exp.Expr:
    """A text as a time of a pattern; digits beside others are as many as Java's letters."""
    parts = re.findall(r"%.|[^%]+", directives.name)
    pattern = ""
    for at, part in enumerate(parts):
        beside = parts[max(at - 1, 0) : at] + parts[at + 1 : at + 2]
        letters = _JAVA.get(part)
        if letters is None:
            pattern += f"'{part}'"
        elif len(letters) == 1 and part != "%p" and any(each in _JAVA for each in beside):
            pattern += letters * 2
        else:
            pattern += letters
    made = exp.Anonymous(
        this="TRY_TO_TIMESTAMP", expressions=[value.copy(), exp.Literal.string(pattern)]
    )
    return exp.Cast(this=made, to=exp.DataType.build("TIMESTAMP", dialect="duckdb"))


def _hex_digits(node: exp.Cast) -> exp.Expr | None:
    """What is read as hex digits: `d` in `CAST('0x' || d AS INTEGER)`, the only such form."""
    joined = node.this
    if isinstance(joined, exp.DPipe) and isinstance(joined.this, exp.Literal):
        return joined.expression if joined.this.name == "0x" else None
    return None
