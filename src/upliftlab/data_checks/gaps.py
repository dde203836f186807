"""Rows without a value: of every column that an experiment uses, in one scan of its table."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.config.models.values_by import is_raised
from upliftlab.config.scope import Scope
from upliftlab.data_checks.fit import Named, source_place
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import Diagnostic
from upliftlab.queries.numbers import missing_sql
from upliftlab.util.sql import quote

MANY: Final = 0.2
"""From this share of rows on, a column without values has a note of its own: one row in five."""
_ROLES: Final = 2
"""What a column is used for is told of so many uses."""


@dataclass(frozen=True, slots=True)
class UsedColumn:
    """A column that the YAML names, once.

    Attributes:
        name: Its name.
        roles: What for, as the YAML names it.
        first: Where it is named first.
    """

    name: str
    roles: tuple[str, ...]
    first: Named


def used_columns(named: Iterable[Named], columns: Mapping[str, ColumnType]) -> list[UsedColumn]:
    """The columns of a table that are used, each once, in the order of the YAML.

    What only declares a column (`attributes`, `known_after`) does not use it.
    """
    found = dict[str, UsedColumn]()
    for each in named:
        name = each.column
        if name is None or name not in columns or each.role == "attributes" or is_raised(name):
            continue
        known = found.get(name, UsedColumn(name, (), each))
        roles = tuple(dict.fromkeys((*known.roles, each.role)))
        found[name] = replace(known, roles=roles)
    return list(found.values())


def missing_shares(
    relation: str, used: Iterable[str], columns: Mapping[str, ColumnType], engine: Engine
) -> tuple[int, dict[str, float]]:
    """How many rows a table has, and the share of them without a value, of each column.

    A value is missing as `missing_sql` says. Words that a file declares for it are NULL by then.

    Args:
        relation: The table's name as it is attached.
        used: The columns.
        columns: The types of the table's columns.
        engine: Where it lies; it is read once.

    Returns:
        Rows, and shares from 0 to 1 in the order of `used`; of a table without rows all are 0.
    """
    names = list(used)
    asked = [
        f"COUNT(CASE WHEN {missing_sql(f't.{quote(name)}', columns[name])} THEN 1 END) AS m{at}"
        for at, name in enumerate(names)
    ]
    query = f"SELECT {', '.join(('COUNT(*) AS n', *asked))} FROM {quote(relation)} AS t"
    row = engine.query(query).to_pylist()[0]
    rows = int(row["n"])
    return rows, {name: int(row[f"m{at}"]) / max(rows, 1) for at, name in enumerate(names)}


def gaps(
    scope: Scope, source: str | None, relation: str, named: Iterable[Named], engine: Engine
) -> Iterator[Diagnostic]:
    """What is missing in a table: one notice of all its columns, and one of each that lacks many.

    Args:
        scope: The experiment.
        source: The table's name; the customers' where there is none.
        relation: What it is attached as.
        named: Where the YAML names its columns.
        engine: Where it lies.
    """
    columns = engine.columns(relation)
    used = used_columns(named, columns)
    if not used:
        return
    rows, shares = missing_shares(relation, (each.name for each in used), columns, engine)
    if not rows:
        return
    called = source or "customers"
    yield Diagnostic(
        "UL283",
        f"{called}: {rows:,} rows; {_listed(used, shares)}",
        place=source_place(scope, source),
        severity="notice",
        shares=shares,
    )
    for each in used:
        if (share := shares[each.name]) >= MANY:
            message = f"{_percent(share)} of the rows of {called} have no '{each.name}'"
            remedy = "find out why, and whether it was known of every customer alike"
            yield Diagnostic(
                "UL284",
                f"{message} ({_used_for(each)})",
                remedy,
                each.first.place,
                "notice",
                shares={each.name: share},
            )


def _listed(used: Iterable[UsedColumn], shares: Mapping[str, float]) -> str:
    """Columns that lack values, most of them first, and then those that lack none."""
    whole = [each.name for each in used if not shares[each.name]]
    lacking = sorted(
        (each for each in used if shares[each.name]), key=lambda each: -shares[each.name]
    )
    told = [f"{each.name} {_percent(shares[each.name])} ({_used_for(each)})" for each in lacking]
    parts = [f"without a value: {', '.join(told)}"] if told else []
    parts += [f"every row has a value of {', '.join(whole)}"] if whole else []
    return "; ".join(parts)


def _used_for(column: UsedColumn) -> str:
    further = len(column.roles) - _ROLES
    more = f" and {further} more" if further > 0 else ""
    return ", ".join(column.roles[:_ROLES]) + more


def _percent(share: float) -> str:
    """A share above nothing, which is never said to be nothing.

    >>> _percent(0.4123), _percent(0.00001), _percent(1.0), _percent(0.9999)
    ('41.2%', 'less than 0.1%', '100.0%', '99.9%')
    """
    if share < 0.0005:  # noqa: PLR2004 - what would be rounded to nothing
        return "less than 0.1%"
    return "99.9%" if 0.9995 <= share < 1 else f"{share:.1%}"  # noqa: PLR2004 - nor to everything
