"""What the parts of a condition are: numbers, texts, times, or true and false.

Parts that are compared with each other, and those that `coalesce` puts in each other's place, are
of one kind. What a literal or an operator asks for says which; else the columns' types and what
their texts mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlglot import exp

from upliftlab.config.models.formats import FileFormat
from upliftlab.engines.base import ColumnType
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.meanings import KINDS, Kind, Meaning

ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Abs, exp.Round)
ORDERING: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_COMPARING: Final = (*ORDERING, exp.EQ, exp.NEQ, exp.In)
_DAY: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
)
_NUMBER: Final = re.compile(r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?")
_EXACT: Final = 15
"""Digits that a double holds whatever they are."""
_SAID: Final[Mapping[Kind, str]] = {
    "number": "numbers",
    "text": "texts",
    "time": "times",
    "boolean": "true and false",
}


@dataclass(frozen=True, slots=True)
class ConditionTable:
    """A table as conditions look at it.

    Attributes:
        name: What messages call it.
        relation: Its rows, as a FROM clause.
        types: The columns' types.
        form: How values are written in it.
        meanings: What texts mean, of the columns of which a condition does not say it.
    """

    name: str
    relation: str
    types: Mapping[str, ColumnType]
    form: FileFormat | None = None
    meanings: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])

    def is_text(self, name: str) -> bool:
        """Whether a column holds text, whatever that means."""
        return self.types[name] == "text"


@dataclass(slots=True, eq=False)
class Group:
    """Parts of a condition that are of one kind.

    Attributes:
        names: Its columns.
        quoted: Its literals in quotes.
        said: What its other literals, and the operators its parts stand beside, say it is.
        computed: How many of its parts are results, such as `lower(city)`.
        compared: Whether its parts are compared with each other.
        ordered: Whether they are asked which is larger.
        flag: Whether it is used as true or false.
        exact: Whether whole numbers must stay what they are beyond what a double holds.
    """

    names: list[str] = field(default_factory=list[str])
    quoted: list[str] = field(default_factory=list[str])
    said: set[Kind] = field(default_factory=set[Kind])
    computed: int = 0
    compared: bool = False
    ordered: bool = False
    flag: bool = False
    exact: bool = False
    _into: Group | None = None

    @property
    def root(self) -> Group:
        """The group that this one has become a part of."""
        return self if self._into is None else self._into.root

    def join(self, other: Group) -> None:
        """Make another group a part of this one."""
        if other is self:
            return
        self.names += other.names
        self.quoted += other.quoted
        self.said |= other.said
        self.computed += other.computed
        self.compared |= other.compared
        self.ordered |= other.ordered
        self.flag |= other.flag
        self.exact |= other.exact
        other._into = self

    def texts(self, table: ConditionTable) -> list[str]:
        """Its columns of text, each once."""
        return [name for name in dict.fromkeys(self.names) if table.is_text(name)]

    def open(self, table: ConditionTable) -> list[str]:
        """The columns of text of which the condition does not say what they mean."""
        texts = self.texts(table)
        if self.said:
            return texts if self.exact and self.said == {"number"} else []
        if len(texts) < len(set(self.names)):
            return texts
        if self.quoted and len(texts) == 1:
            days = all(is_time(text) for text in self.quoted)
            return texts if self.ordered or (self.compared and days) else []
        return texts if self.compared else []


class Groups:
    """The groups of a condition's parts."""

    def __init__(
        self, tree: exp.Expr, types: Mapping[str, ColumnType], *, flag: bool = True
    ) -> None:
        """Find them.

        Args:
            tree: The condition, or a value.
            types: The types of the table's columns.
            flag: Whether the whole is used as true or false.
        """
        self._types = types
        self._of: dict[int, Group] = {}
        self._read(tree).flag |= flag

    def of(self, node: exp.Expr) -> Group:
        """The group that a part is in."""
        return self._of[id(node)].root

    def __iter__(self) -> Iterator[Group]:
        """Each group once."""
        return iter(dict.fromkeys(group.root for group in self._of.values()))

    def is_dated(self, node: exp.Expr) -> bool:
        """Whether `+` or `-` stands beside a time, as in `opened + 7`: engines know how to."""
        return isinstance(node, exp.Add | exp.Sub) and (
            self._is_time(node.this) or self._is_time(node.expression)
        )

    def _is_time(self, node: exp.Expr) -> bool:
        inner = node.unnest()
        if isinstance(inner, exp.Column):
            return KINDS[self._types[inner.name]] == "time"
        return isinstance(inner, exp.Cast) or self.is_dated(inner)

    def _read(self, node: exp.Expr) -> Group:
        found = self._group(node).root
        self._of[id(node)] = found
        return found

    def _group(self, node: exp.Expr) -> Group:
        if isinstance(node, exp.Paren):
            return self._read(node.this)
        if isinstance(node, exp.Column):
            return Group(names=[node.name])
        if isinstance(node, exp.Literal | exp.Boolean | exp.Cast):
            return _literal(node)
        if isinstance(node, exp.Neg) and is_number(node):
            return _literal(node.this)
        if isinstance(node, exp.Coalesce):
            return self._joined([node.this, *node.expressions])
        if isinstance(node, ARITHMETIC):
            return self._arithmetic(node)
        if isinstance(node, exp.Lower | exp.Upper | exp.Length):
            self._read(node.this).said.add("text")
            return _result("number" if isinstance(node, exp.Length) else "text")
        if isinstance(node, exp.Case):
            self._choice(node)
        else:
            self._predicate(node)
        return _result("number" if isinstance(node, exp.Case) else "boolean")

    def _choice(self, node: exp.Case) -> None:
        """Numbers by the values of a column, or by days."""
        branches: list[exp.Expr] = node.args["ifs"]
        asked = [branch.this for branch in branches]
        if (by := node.args.get("this")) is not None:
            self._joined([by, *asked]).compared = True
        for part in (*(asked if by is None else ()), *(each.args["true"] for each in branches)):
            self._read(part)

    def _predicate(self, node: exp.Expr) -> None:
        if isinstance(node, exp.And | exp.Or | exp.Not):
            for part in operands(node):
                self._read(part).flag = True
        elif isinstance(node, exp.Is):
            group = self._read(node.this)
            if isinstance(node.expression, exp.Boolean):
                group.said.add("boolean")
        elif isinstance(node, _COMPARING):
            group = self._joined(list(node.iter_expressions()))
            group.compared = True
            group.ordered |= isinstance(node, ORDERING)
        else:  # like
            for part in node.iter_expressions():
                self._read(part).said.add("text")

    def _arithmetic(self, node: exp.Expr) -> Group:
        dated = self.is_dated(node)
        for part in operands(node):
            group = self._read(part)
            if not (dated and self._is_time(part)):
                group.said.add("number")
            group.exact |= isinstance(node, exp.Mod)
        times = dated and isinstance(node, exp.Sub) and self._is_time(node.expression)
        return _result("time" if dated and not times else "number")

    def _joined(self, parts: list[exp.Expr]) -> Group:
        first = self._read(parts[0])
        for part in parts[1:]:
            first.join(self._read(part))
        return first


def _result(kind: Kind) -> Group:
    return Group(said={kind}, computed=1)


def _literal(node: exp.Expr) -> Group:
    if isinstance(node, exp.Boolean):
        return Group(said={"boolean"})
    if isinstance(node, exp.Cast):
        return Group(said={"time"})
    text = str(node.this)
    if node.is_string:
        return Group(quoted=[text])
    return Group(said={"number"}, exact=len(re.sub(r"[^0-9]", "", text)) > _EXACT)


def operands(node: exp.Expr) -> list[exp.Expr]:
    """The operands of and, or, not, or of arithmetic; those of a chain of `and` are one list."""
    if isinstance(node, exp.And | exp.Or):
        return list(node.flatten(unnest=False))
    return [node.this, *([node.expression] if node.args.get("expression") else [])]


def is_number(node: exp.Expr) -> bool:
    """Whether a part is a number as it is written, perhaps with its sign."""
    inner = node.this if isinstance(node, exp.Neg) else node
    return isinstance(inner, exp.Literal) and not inner.is_string


def is_time(text: str) -> bool:
    """Whether a text is a day or a time.

    >>> is_time("2026-03-02"), is_time("2026-03-02 10:30"), is_time("2026-02-30")
    (True, True, False)
    """
    if _DAY.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_numeral(text: str) -> bool:
    """Whether a text is a number.

    >>> is_numeral("-1.5"), is_numeral("1,5")
    (True, False)
    """
    return _NUMBER.fullmatch(text) is not None


def kind_of(group: Group, table: ConditionTable) -> Kind | None:
    """What the parts of a group are; None where a column has a type that only the engine knows.

    Raises:
        DataError: UL251, they are of kinds that do not compare.
    """
    held: list[Kind | None] = [
        KINDS[table.types[name]] for name in group.names if not table.is_text(name)
    ]
    if None in held:
        return None
    told = group.said or _meant(group, table)
    kinds: set[Kind] = {*told, *(kind for kind in held if kind is not None)}
    if kinds == {"number", "boolean"} and "boolean" not in told:
        kinds = {"number"}  # true counts as 1
    if not kinds:
        return "boolean" if group.flag and not group.compared else "text"
    if len(kinds) > 1 or ("text" in kinds and _undecided(group)):
        raise mismatch(group, table)
    return kinds.pop()


def _meant(group: Group, table: ConditionTable) -> set[Kind]:
    """What the values of the columns of text mean, where the condition does not say it."""
    texts = group.texts(table)
    known: list[Kind | None] = [
        table.meanings[name].kind for name in texts if name in table.meanings
    ]
    kinds: set[Kind] = {kind for kind in known if kind is not None}
    if not group.quoted or not texts or len(set(group.names)) > 1:
        return kinds
    if kinds == {"time"} and all(is_time(text) for text in group.quoted):
        return kinds
    return {"number"} if group.ordered and kinds == {"number"} else {"text"}


def _undecided(group: Group) -> bool:
    """Whether texts are asked which is larger, and not of one column and literals only."""
    return group.ordered and len(set(group.names)) + group.computed > 1


def mismatch(group: Group, table: ConditionTable) -> DataError:
    """The fault of parts that do not compare: what each column holds, and no value of it."""
    parts = [f"'{name}' holds {_held(name, table)}" for name in dict.fromkeys(group.names)]
    beside: set[Kind] = {*group.said, *(("text",) if group.quoted else ())}
    if beside:
        listed = " and ".join(_SAID[kind] for kind in _SAID if kind in beside)
        parts.append(f"the condition asks for {listed}")
    message = f"a condition on {table.name} compares what does not compare: {', '.join(parts)}"
    return DataError(Diagnostic("UL251", message, _remedy(group, table)))


def _held(name: str, table: ConditionTable) -> str:
    if not table.is_text(name):
        kind = KINDS[table.types[name]]
        return "values of another type" if kind is None else _SAID[kind]
    meaning = table.meanings.get(name)
    if meaning is None:
        return "texts"
    if meaning.kind is None:
        return "nothing"
    if meaning.kind == "text" and meaning.numbers:
        odd = meaning.known - meaning.numbers
        return f"texts ({odd:,} of {meaning.known:,} values cannot be read as numbers)"
    return _SAID[meaning.kind]


def _remedy(group: Group, table: ConditionTable) -> str:
    texts = group.texts(table)
    meanings = [table.meanings[name] for name in texts if name in table.meanings]
    if any(meaning.kind == "text" and meaning.commas == meaning.known for meaning in meanings):
        return "write under its source: 'format: {decimal: \",\"}'"
    if any(meaning.kind == "text" and meaning.numbers for meaning in meanings):
        return (
            "mend the values that are no numbers, or name them under the source as"
            " 'format: {missing: [\"…\"]}'; texts are compared by lower(a) = lower(b)"
        )
    if group.ordered and meanings:
        return "texts have no order to rely on: compare numbers or times, or ask for '='"
    return "write numbers without quotes, texts in quotes and days as date '2026-03-02'"
