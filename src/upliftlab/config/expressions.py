"""Conditions and values over columns: parsed to a tree and held to a short allow-list.

The tree, never the text, becomes SQL, with every identifier quoted. This is the only module of
`config` that needs sqlglot; import it when a file holds a condition (75 ms).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from upliftlab.config.foreign_signs import foreign

MAX_DEPTH = 60
_DIALECT = "duckdb"
_DIGITS = re.compile("-?(1[0-5]|[0-9])")

_PREDICATES: tuple[type[exp.Expr], ...] = (
    *(exp.And, exp.Or, exp.Not),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.In, exp.Between, exp.Like, exp.ILike, exp.Is),
)
_ALLOWED = frozenset[type[exp.Expr]](
    {
        *_PREDICATES,
        *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren),
        *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg),
        *(exp.Abs, exp.Lower, exp.Upper, exp.Coalesce, exp.Length, exp.Round),
    }
)
_NAMES: dict[type[exp.Expr], str] = {
    exp.Subquery: "a subquery",
    exp.Select: "a subquery",
    exp.Lambda: "a lambda",
    exp.Placeholder: "a placeholder",
    exp.Parameter: "a placeholder",
    exp.Star: "the star '*'",
    exp.Alias: "a text behind it",
    exp.Case: "'case'",
    exp.Escape: "'escape'",
    exp.Window: "a window",
    exp.Interval: "an interval",
    exp.Bracket: "a position in brackets",
    exp.DPipe: "joining texts with '||'",
    exp.Cast: "a change of type",
    exp.TryCast: "a change of type",
}


@dataclass(frozen=True, slots=True)
class _Form:
    """What a text is to be, as messages call it."""

    name: str
    example: str


_CONDITION = _Form("condition", '"age >= 18 and opt_in"')
_VALUE = _Form("value", '"paid - coalesce(refunded, 0)"')


class ExpressionError(ValueError):
    """A condition or a value that is refused; the text says why, the caller knows where."""

    def __init__(self, reason: str, instead: str | None = None) -> None:
        super().__init__(reason)
        self.instead = instead
        """The whole text as it is to be, where that is known."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that holds nothing but what the allow-list knows."""

    text: str
    columns: frozenset[str]
    _tree: exp.Expr = field(repr=False, compare=False)

    @property
    def tree(self) -> exp.Expr:
        """The syntax tree, which is not to be changed: `parse` hands out the same one again."""
        return self._tree

    def sql(self, dialect: str = _DIALECT) -> str:
        """The condition as it is written, in a dialect of SQL, every identifier quoted.

        What its columns are taken for is decided where their table is known, in
        `queries.conditions`.

        Args:
            dialect: As sqlglot names it.

        >>> parse("recency between 90 and 365 and opt_in").sql()
        '"recency" BETWEEN 90 AND 365 AND "opt_in"'
        """
        return self._tree.sql(dialect=dialect, identify=True, comments=False)


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A value that holds nothing but what the allow-list knows.

    Attributes:
        text: As it was written.
        columns: The columns that it is computed from.
        tree: Its syntax tree, which nobody changes.
    """

    text: str
    columns: frozenset[str]
    tree: exp.Expr = field(repr=False, compare=False)


@lru_cache(maxsize=256)
def parse(text: str) -> Condition:
    """The condition in `text`.

    Raises:
        ExpressionError: it is not a condition, or holds what is not allowed.

    >>> sorted(parse("lower(city) in ('bonn', 'ulm') or age >= 18").columns)
    ['age', 'city']
    """
    tree, columns = _held(text, _CONDITION)
    if not isinstance(tree.unnest(), (*_PREDICATES, exp.Column, exp.Boolean)):
        raise ExpressionError('the condition must be true or false, such as "age >= 18"')
    return Condition(text, columns, tree)


@lru_cache(maxsize=256)
def parse_value(text: str) -> ColumnValue:
    """The value in `text`, by the same rules: a number, a text, or what is true or false.

    Raises:
        ExpressionError: it is not a value, or holds what is not allowed.

    >>> sorted(parse_value("paid - coalesce(refunded, 0)").columns)
    ['paid', 'refunded']
    """
    tree, columns = _held(text, _VALUE)
    return ColumnValue(text, columns, tree)


def _held(text: str, form: _Form) -> tuple[exp.Expr, frozenset[str]]:
    """The tree of a text that holds only what is allowed, and the columns in it."""
    try:
        tree = _tree(text, form)
        _hold_to_list(tree, form)
        _hold_to_columns(tree)
        tree.sql(dialect=_DIALECT)
    except RecursionError:
        raise ExpressionError(f"the {form.name} is nested too deeply") from None
    columns = frozenset(column.name for column in tree.find_all(exp.Column))
    if not columns:
        raise ExpressionError(f"the {form.name} names no column, so it is always the same")
    return tree, columns


def _tree(text: str, form: _Form) -> exp.Expr:
    if found := foreign(text):
        reason = f"{found.sign} is no part of a {form.name} here; {found.remedy}"
        raise ExpressionError(reason, found.instead)
    try:
        trees = sqlglot.parse(text, dialect=_DIALECT)
    except SqlglotError:
        outside = _outside_quotes(text)
        if missing := outside.count("(") - outside.count(")"):
            which, what = ("(", "is not closed") if missing > 0 else (")", "closes nothing")
            remedy = "every '(' has its ')'"
            raise ExpressionError(f"a parenthesis '{which}' {what}; {remedy}") from None
        raise ExpressionError(f"this is not a {form.name} such as {form.example}") from None
    if len(trees) > 1 or ";" in _outside_quotes(text):
        raise ExpressionError(f"a semicolon is not allowed in a {form.name}")
    tree = trees[0] if trees else None
    if not isinstance(tree, exp.Expr):
        raise ExpressionError(f"the {form.name} is empty")
    return tree


def _outside_quotes(text: str) -> str:
    """The parts of `text` that are in no quotes."""
    kept: list[str] = []
    quote = ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            kept.append(char)
    return "".join(kept)


def _hold_to_list(tree: exp.Expr, form: _Form) -> None:
    for node in tree.walk():
        if node.comments:
            raise ExpressionError(f"a comment is not allowed in a {form.name}")
        if _depth(node) > MAX_DEPTH:
            raise ExpressionError(f"the {form.name} is nested too deeply")
        if type(node) in _ALLOWED or _is_date(node) or _is_table(node):
            continue
        if isinstance(node, exp.DataType) and _is_date(node.parent):
            continue
        raise ExpressionError(f"{_name(node)} is not allowed in a {form.name}")


def _depth(node: exp.Expr) -> int:
    """How deep a node lies, not counting chains of the same operator (`a and b and c …`)."""
    depth, here = 0, node
    while (parent := here.parent) is not None and depth <= MAX_DEPTH:
        depth += type(parent) is not type(here) or not isinstance(here, exp.And | exp.Or)
        here = parent
    return depth


def _name(node: exp.Expr) -> str:
    """What the writer would call a node."""
    if type(node) in _NAMES:
        return _NAMES[type(node)]
    if isinstance(node, exp.Anonymous):
        return f"the function '{node.name.lower()}'"
    if isinstance(node, exp.Query | exp.DDL | exp.Command):
        return "a statement"
    if isinstance(node, exp.Func):
        return f"the function '{node.sql_name().lower()}'"
    return f"'{type(node).__name__.lower()}'"


def _is_date(node: exp.Expr | None) -> bool:
    """A date written as `date '2026-03-02'`."""
    if type(node) is not exp.Cast or not isinstance(node.this, exp.Literal):
        return False
    if str(node.to) != "DATE" or not node.this.is_string:
        return False
    try:
        date.fromisoformat(str(node.this.this))
    except ValueError:
        raise ExpressionError(f"'{node.this.this}' is not a date such as 2026-03-02") from None
    return True


def _is_table(node: exp.Expr) -> bool:
    """A table of numbers by a column's values or by days, as `ValuesBy` writes it."""
    if isinstance(node, exp.If):
        return isinstance(node.parent, exp.Case)  # which has been looked at before
    if not isinstance(node, exp.Case) or node.args.get("default") is not None:
        return False
    by = node.args.get("this")
    return (by is None or isinstance(by, exp.Column)) and all(
        _chooses(branch.this, by) and _is_entry(branch.args["true"]) for branch in node.args["ifs"]
    )


def _chooses(node: exp.Expr, by: exp.Expr | None) -> bool:
    if by is not None:
        return isinstance(node, exp.Literal) and node.is_string
    since = isinstance(node, exp.GTE) and isinstance(node.this, exp.Column)
    return since and _is_date(node.expression)


def _is_entry(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Case) or (isinstance(inner, exp.Literal) and not inner.is_string)


def decided_by(text: str) -> str | None:
    """The column by whose values a table gives a computed column its number; None without a table.

    >>> decided_by("paid * case kind when 'a' then 0.25 end"), decided_by("paid * 2")
    ('kind', None)
    """
    found = parse_value(text).tree.find(exp.Case)
    return None if found is None or found.args.get("this") is None else found.this.name


def beside_table(text: str) -> tuple[str, ...]:
    """The columns that are multiplied with what a table gives.

    >>> beside_table("paid * case kind when 'a' then 0.25 end")
    ('paid',)
    """
    tree = parse_value(text).tree
    within = {id(each) for case in tree.find_all(exp.Case) for each in case.find_all(exp.Column)}
    names = (each.name for each in tree.find_all(exp.Column) if id(each) not in within)
    return tuple(dict.fromkeys(names))


def _hold_to_columns(tree: exp.Expr) -> None:
    """Tables are not named, nothing is compared with null."""
    for node in tree.find_all(exp.Column):
        if node.args.get("table") is not None:
            remedy = "name the column alone, or put a name with a dot in double quotes"
            raise ExpressionError(f"'{node.sql(_DIALECT)}' names a table; {remedy}")
    for node in tree.find_all(exp.In):
        if node.args.get("field") is not None:
            raise ExpressionError("the values after 'in' belong in parentheses: in ('a', 'b')")
    for node in tree.find_all(exp.Round):
        digits = node.args.get("decimals")
        if digits is not None and not _DIGITS.fullmatch(digits.sql(_DIALECT)):
            raise ExpressionError("round() keeps a number of digits; write it as in round(x, 2)")
    for null in tree.find_all(exp.Null):
        if not isinstance(null.parent, exp.Is):
            raise ExpressionError("nothing equals null; write 'is null' or 'is not null'")
