"""How groups of customers, such as households, lie among the arms."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from upliftlab.engines.base import Engine
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.util.sql import quote

FEWER: Final = 0.2
"""With fewer mixed groups than this share of what chance makes, they were assigned whole."""


class GroupsOfSize(NamedTuple):
    """Groups of as many customers.

    Attributes:
        size: Customers of each, two at least.
        groups: How many there are.
        mixed: Those whose customers are in several arms.
    """

    size: int
    groups: int
    mixed: int


def groups_of(
    column: str, population: AnalysisPopulation, engine: Engine
) -> tuple[GroupsOfSize, ...]:
    """Groups of several customers by their size, smallest first; nobody without a value is in one.

    Args:
        column: The column of the customers' table that names groups.
        population: Who is analysed.
        engine: Where the data lie.
    """
    name = f"c.{quote(column)}"
    inner = (
        f"SELECT COUNT(*) AS size, COUNT(DISTINCT {population.own['arm']}) AS arms"
        f" FROM {population.relation} GROUP BY {name} HAVING {name} IS NOT NULL AND COUNT(*) > 1"
    )
    rows = engine.query(
        "SELECT size, COUNT(*) AS n, SUM(CASE WHEN arms > 1 THEN 1 ELSE 0 END) AS mixed"
        f" FROM ({inner}) AS found GROUP BY size ORDER BY size"
    ).to_pylist()
    return tuple(GroupsOfSize(int(r["size"]), int(r["n"]), int(r["mixed"])) for r in rows)


def totals_of(found: Sequence[GroupsOfSize]) -> tuple[int, int]:
    """How many groups of several customers there are, and how many are in several arms."""
    return sum(each.groups for each in found), sum(each.mixed for each in found)
