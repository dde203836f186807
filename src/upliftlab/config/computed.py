"""Computed columns: what each is made of, and in which order they can be computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.config.mending import mending
from upliftlab.errors import Diagnostic, Place

DEEPEST = 20
"""How far computed columns may be built one on another: each is a query around the ones below."""


def formula_fault(text: str, place: Place) -> Diagnostic | None:
    """Why a computed column's text is refused, None where it is not."""
    from upliftlab.config.expressions import ExpressionError, parse_value  # noqa: PLC0415 - sqlglot only where it is needed

    try:
        parse_value(text)
    except ExpressionError as error:
        message, _, remedy = str(error).partition("; ")
        remedy = remedy or "see 'Computed columns' in docs/yaml.md"
        return mending(Diagnostic("UL036", message, remedy, place), error.instead)
    return None


def parts_of(text: str) -> frozenset[str]:
    """The columns that a computed column names; none where its text is refused."""
    from upliftlab.config.expressions import ExpressionError, parse_value  # noqa: PLC0415 - as above

    try:
        return parse_value(text).columns
    except ExpressionError:
        return frozenset()


def bases_of(name: str, computed: Mapping[str, str]) -> frozenset[str]:
    """The real columns that a column is computed from in the end; itself where it is one.

    >>> sorted(bases_of("b", {"a": "x - y", "b": "a * 2 + z"}))
    ['x', 'y', 'z']
    """
    return frozenset(_within(name, computed) - computed.keys())


def built_of(name: str, computed: Mapping[str, str]) -> frozenset[str]:
    """The computed columns that a column is made of, itself among them where it is one.

    >>> sorted(built_of("b", {"a": "x - y", "b": "a * 2 + z", "c": "x + 1"}))
    ['a', 'b']
    """
    return frozenset(_within(name, computed) & computed.keys())


def _within(name: str, computed: Mapping[str, str]) -> set[str]:
    """A column and all that it is made of, real or computed."""
    seen, todo = set[str](), [name]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo.extend(parts_of(computed[here]) if here in computed else ())
    return seen


def circle(name: str, computed: Mapping[str, str]) -> tuple[str, ...] | None:
    """The way on which a computed column comes back to itself, None where there is none.

    >>> circle("a", {"a": "b + 1", "b": "a * x"})
    ('a', 'b', 'a')
    """
    ways: list[tuple[str, ...]] = [(name,)]
    seen = set[str]()
    while ways:
        way = ways.pop()
        for part in sorted(parts_of(computed[way[-1]]) & computed.keys()):
            if part == name:
                return (*way, name)
            if part not in seen:
                seen.add(part)
                ways.append((*way, part))
    return None


def layers_of(computed: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Computed columns in the order in which they can be computed, those of one step together.

    Such as are part of a circle, or built on one, come in none.

    >>> list(layers_of({"b": "a * 2", "a": "x - y", "c": "x + 1"}))
    [('a', 'c'), ('b',)]
    """
    open_ = {name: parts_of(text) & computed.keys() for name, text in computed.items()}
    while ready := tuple(name for name, parts in open_.items() if not parts & open_.keys()):
        yield ready
        for name in ready:
            del open_[name]
