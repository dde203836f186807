"""Conditions and values as SQL: every column is read as what they or its values take it for.

This is the one place where an expression of the language becomes SQL. Numbers are computed with as
doubles, which hold what small integers overflow at, and compared as they are.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlglot import exp

from upliftlab.config.expressions import parse, parse_value
from upliftlab.config.models import Source
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.condition_kinds import (
    ARITHMETIC,
    ORDERING,
    ConditionTable,
    Group,
    Groups,
    is_number,
    is_numeral,
    is_time,
    kind_of,
    mismatch,
    operands,
)
from upliftlab.queries.meanings import Kind, meanings_of, text_sql, unreadable_sql, words
from upliftlab.queries.numbers import number_sql
from upliftlab.queries.population import missing_column
from upliftlab.queries.text_forms import NUMBERS, forms_of, times
from upliftlab.queries.words import line_of, words_of
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote

_DIALECT = "duckdb"
NOUNS: Mapping[Kind, str] = {"number": "number", "time": "time", "boolean": "true or false"}
"""What a value is asked to be."""


def customers_table(attached: str, source: Source, engine: Engine) -> ConditionTable:
    """An attached table of customers as conditions look at it."""
    return ConditionTable("the customers", quote(attached), engine.columns(attached), source.format)


def sound_condition(
    role: str, text: str, table: ConditionTable, engine: Engine, prefix: str | None = None
) -> str:
    """A condition over an attached table as SQL, its columns and their values examined.

    Args:
        role: What it decides, such as `eligible`.
        text: The condition.
        table: The table.
        engine: Where it lies.
        prefix: The table's name in the query, where there are several.

    Raises:
        DataError: UL205 a column is not there, UL214 values are not what the condition takes
            them for, UL251 columns do not compare.
    """
    for column in sorted(parse(text).columns - set(table.types)):
        raise missing_column(column, role, table.types)
    table = informed(table, [text], engine)
    sql = condition_sql(text, table, prefix)
    refuse_unreadable([(role, *each) for each in read_columns(text, table)], table, engine)
    return sql


@dataclass(frozen=True, slots=True)
class ValueSql:
    """A value of the language in SQL.

    Attributes:
        sql: In DuckDB's dialect, every identifier quoted.
        kind: The family of its type.
        read: Columns of text that it takes for something else.
    """

    sql: str
    kind: ColumnType
    read: tuple[tuple[str, Kind], ...]


def value_sql(text: str, table: ConditionTable, engine: Engine) -> ValueSql:
    """A value of the language as SQL, of a type that is known on every engine.

    Args:
        text: The value, of columns that are there.
        table: The table that it looks at.
        engine: Where it lies.

    Raises:
        DataError: UL251 columns do not go together, UL286 its type is not known.
    """
    tree = parse_value(text).tree
    groups = Groups(tree, table.types, flag=False)
    if any(groups.is_dated(node) for node in tree.walk()):
        raise _unknown("days and times are not computed with", "compute the days in a view")
    names = dict.fromkeys(name for group in groups for name in group.open(table))
    known = meanings_of(list(names), table.relation, table.form, engine)
    table = replace(table, meanings=known)
    written = _Writer(tree, groups, table, None).value()
    sql = written.sql(dialect=_DIALECT, identify=True, comments=False)
    return ValueSql(sql, _type_of(groups.of(tree), table), tuple(_read_as(groups, table)))


def _type_of(group: Group, table: ConditionTable) -> ColumnType:
    kind = kind_of(group, table)
    if kind is None:
        raise _unknown("it holds values of a type that is not known", "cast it in a view")
    if kind != "time":
        return kind
    types: set[ColumnType] = {table.types[name] for name in group.names if not table.is_text(name)}
    return types.pop() if len(types) == 1 else "time"


def _unknown(why: str, remedy: str) -> DataError:
    return DataError(Diagnostic("UL286", why, remedy))


def informed(table: ConditionTable, texts: Iterable[str], engine: Engine) -> ConditionTable:
    """The table with what its texts mean where one of some conditions does not say it.

    Nothing is asked of the engine where the conditions say it all.
    """
    names = dict.fromkeys(
        name
        for text in texts
        for group in Groups(parse(text).tree, table.types)
        for name in group.open(table)
    )
    return replace(table, meanings=meanings_of(list(names), table.relation, table.form, engine))


def condition_sql(text: str, table: ConditionTable, prefix: str | None = None) -> str:
    r"""A condition of the language as SQL.

    Args:
        text: The condition, of columns that are there.
        table: The table that it looks at, as `informed` of this condition.
        prefix: The table's name in the query, where there are several.

    Raises:
        DataError: UL251, columns do not compare.

    >>> types = {"age": "text", "gross": "number", "zip": "text"}
    >>> condition_sql("gross >= 18 and zip = '010'", ConditionTable("t", "t", types))
    '"gross" >= 18 AND "zip" = \'010\''
    >>> condition_sql("gross - 1 > 5", ConditionTable("t", "t", types))
    'CAST("gross" AS DOUBLE) - CAST(1 AS DOUBLE) > 5'
    """
    tree = parse(text).tree
    tree = _Writer(tree, Groups(tree, table.types), table, prefix).condition()
    return tree.sql(dialect=_DIALECT, identify=True, comments=False)


def read_columns(text: str, table: ConditionTable) -> Iterator[tuple[str, Kind]]:
    """Columns of text that a condition takes for something else, whatever their values mean.

    Raises:
        DataError: UL251, columns do not compare.
    """
    yield from _read_as(Groups(parse(text).tree, table.types), table)


def _read_as(groups: Groups, table: ConditionTable) -> Iterator[tuple[str, Kind]]:
    found = dict[tuple[str, Kind], None]()
    for group in groups:
        kind = kind_of(group, table)
        for name in group.texts(table):
            meaning = table.meanings.get(name)
            sure = meaning is not None and meaning.kind in (kind, None)
            if kind is not None and kind != "text" and not sure:
                found[name, kind] = None
    yield from found


def refuse_unreadable(
    asked: Sequence[tuple[str, str, Kind]], table: ConditionTable, engine: Engine
) -> None:
    """Refuse values that are not what a condition takes them for: they would count as missing.

    Args:
        asked: Columns of text, each with who asks before it, and with what it is taken for.
        table: Where they are.
        engine: Where that lies.

    Raises:
        DataError: UL214.
    """
    if not asked:
        return
    columns = list[str]()
    for at, (_, name, kind) in enumerate(asked):
        bad = unreadable_sql(name, kind, table.form)
        columns.append(f"COUNT(CASE WHEN {bad} THEN 1 END) AS n{at}")
        columns.append(f"MIN(CASE WHEN {bad} THEN CAST({quote(name)} AS VARCHAR) END) AS v{at}")
    query = f"SELECT {', '.join(columns)} FROM {table.relation}"
    (row,) = engine.query(query).to_pylist()
    faults = list[Diagnostic]()
    for at, (role, name, kind) in enumerate(asked):
        if count := int(row[f"n{at}"]):
            line = declaring(name, kind, table, engine)
            named, example = f"'{name}' ({role})", str(row[f"v{at}"])
            faults.append(unreadable(named, kind, count, example, line))
    if faults:
        raise DataError(faults)


def declaring(column: str, kind: Kind, table: ConditionTable, engine: Engine) -> str | None:
    """The lines of which one makes all texts of a column what a condition takes them for.

    Args:
        column: A column of texts.
        kind: What they are taken for.
        table: Where it is.
        engine: Where that lies.
    """
    if engine.dialect == "postgres" or kind not in ("number", "time"):
        return None
    numbers = kind == "number"
    if table.form is None or (numbers and not table.form.numbers_declared):
        looked = NUMBERS if numbers else times()
        found = forms_of(column, table.relation, engine, looked)
        if forms := [form for form in found if not form.plain]:
            return ", or ".join(f"'{form.choice.write}' where {form.meaning}" for form in forms)
    text = quote(column)
    words = words_of(text, unreadable_sql(column, kind, table.form), table.relation, engine)
    return f"'{line_of(words)}'" if words else None


def unreadable(
    column: str, kind: Kind, count: int, example: str, line: str | None = None
) -> Diagnostic:
    """The fault of values that are not what a condition takes them for.

    Args:
        column: What the column is called in a message.
        kind: What it is taken for.
        count: How many values are not.
        example: One of them, whose form is told.
        line: What makes them so, where that is known.
    """
    message = f"{count:,} values of {column} are not a {NOUNS[kind]}, such as '{shape(example)}'"
    remedy = f"write under its source: {line}" if line else _REMEDY
    return Diagnostic("UL214", message, remedy)


_REMEDY = "check the condition; name what stands for no value as 'format: {missing: [\"…\"]}'"


class _Writer:
    """A condition's tree made anew, each column as what its group is."""

    def __init__(
        self, tree: exp.Expr, groups: Groups, table: ConditionTable, prefix: str | None
    ) -> None:
        self._tree = tree
        self._table = table
        self._prefix = prefix
        self._groups = groups
        self._kinds: dict[Group, Kind | None] = {
            group: kind_of(group, table) for group in self._groups
        }

    def condition(self) -> exp.Expr:
        return self._flag(self._tree)

    def value(self) -> exp.Expr:
        return self._write(self._tree)

    def _write(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.And | exp.Or):
            written, *others = map(self._flag, operands(node))
            for other in others:
                written = type(node)(this=written, expression=other)
            return written
        if isinstance(node, exp.Not):
            return exp.Not(this=self._flag(node.this))
        if is_number(node):
            return node.copy()
        if isinstance(node, ARITHMETIC) and not self._groups.is_dated(node):
            return self._arithmetic(node)
        if isinstance(node, exp.Column):
            return self._column(node)
        if isinstance(node, exp.Literal):
            return self._literal(node)
        if isinstance(node, exp.Boolean | exp.Cast):
            return node.copy()
        written = self._choice(node) if isinstance(node, exp.Case) else self._anew(node)
        return self._collated(written, node)

    def _choice(self, node: exp.Case) -> exp.Expr:
        """Numbers by the values of a column, or by days, as doubles."""
        branches = [
            exp.If(this=self._write(branch.this), true=self._wide(branch.args["true"]))
            for branch in node.args["ifs"]
        ]
        by = node.args.get("this")
        return exp.Case(this=None if by is None else self._write(by), ifs=branches)

    def _anew(self, node: exp.Expr) -> exp.Expr:
        """The same node over parts that are written anew."""

        def made(part: Any) -> Any:  # noqa: ANN401 - a node's arguments are nodes, lists or flags
            if isinstance(part, list):
                return [made(each) for each in cast("list[Any]", part)]
            return self._write(part) if isinstance(part, exp.Expr) else part

        return type(node)(**{key: made(part) for key, part in node.args.items()})

    def _collated(self, written: exp.Expr, node: exp.Expr) -> exp.Expr:
        """Texts that are ordered are so byte by byte on every engine."""
        if isinstance(node, ORDERING) and self._kind(node.this) == "text":
            name = exp.to_identifier("C", quoted=True)
            written.set("this", exp.Collate(this=written.this, expression=name))
        return written

    def _kind(self, node: exp.Expr) -> Kind | None:
        return self._kinds[self._groups.of(node)]

    def _flag(self, node: exp.Expr) -> exp.Expr:
        """A part that is used as true or false; of numbers, all but zero are true."""
        written, kind = self._write(node), self._kind(node)
        if kind in ("boolean", None):
            return written
        if kind == "number":
            return exp.Paren(this=exp.NEQ(this=written, expression=exp.Literal.number(0)))
        raise mismatch(self._groups.of(node), self._table)

    def _arithmetic(self, node: exp.Expr) -> exp.Expr:
        """Doubles, but the rest of a division, which is exact for whole numbers of any size.

        Dividing by zero gives nothing, on every engine.
        """
        whole = isinstance(node, exp.Mod)
        args = dict(node.args)
        for key in ("this", "expression"):
            if (part := node.args.get(key)) is not None:
                args[key] = self._write(part) if whole else self._wide(part)
        if isinstance(node, exp.Div | exp.Mod):
            zero = exp.Literal.number(0)
            args["expression"] = exp.Nullif(this=args["expression"], expression=zero)
        return type(node)(**args)

    def _wide(self, node: exp.Expr) -> exp.Expr:
        written, inner = self._write(node), node.unnest()
        computed = isinstance(inner, ARITHMETIC) and not isinstance(inner, exp.Mod)
        if (computed and not is_number(inner)) or isinstance(written, exp.TryCast):
            return written
        return exp.cast(written, "DOUBLE", dialect=_DIALECT)

    def _column(self, node: exp.Column) -> exp.Expr:
        table = "" if self._prefix is None else f"{self._prefix}."
        return _parsed(self._read(node, table))

    def _read(self, node: exp.Column, table: str) -> str:
        """A column as what its group is."""
        name, kind, value = node.name, self._kind(node), f"{table}{quote(node.name)}"
        if kind == "number" and self._table.types[name] == "boolean":
            return number_sql(value, "boolean")
        if self._table.types[name] == "instant" and self._groups.of(node).texts(self._table):
            return f"CAST({value} AS TIMESTAMP)"
        if not self._table.is_text(name) or kind in (None, "text"):
            return value
        meaning = self._table.meanings.get(name)
        if kind == "number" and meaning is not None and meaning.whole:
            return f"TRY_CAST({value} AS BIGINT)"
        return text_sql(name, kind, self._table.form, table)

    def _literal(self, node: exp.Literal) -> exp.Expr:
        """A literal in quotes as what it is compared with."""
        kind, text = self._kind(node), str(node.this).strip()
        true, false = words(self._table.form)
        if kind in ("text", None):
            return node.copy()
        if kind == "number" and is_numeral(text):
            return _parsed(text)
        if kind == "time" and is_time(text):
            return exp.cast(node.copy(), "DATE" if len(text) == len("2026-03-02") else "TIMESTAMP")
        if kind == "boolean" and text.lower() in (*true, *false):
            return exp.Boolean(this=text.lower() in true)
        raise mismatch(self._groups.of(node), self._table)


def _parsed(sql: str) -> exp.Expr:
    return exp.maybe_parse(sql, dialect=_DIALECT)
