"""Ordered values: what stands at a few ranks of a column in each group, one row a group.

Units are counted by value and these counts added up in order, so that the values at any ranks, and
how many units have them, come of one statement; no unit is fetched, and values that many units
share, such as 0, are counted once.
"""
# ruff: noqa: S608 - names are of the house's own, texts pass through literal()

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from upliftlab.queries.grouped import WEIGHT
from upliftlab.util.sql import literal


@dataclass(frozen=True, slots=True)
class OrderedQuery:
    """Which values are asked for.

    Attributes:
        units: The unit table as a relation: `arm`, and numbers `x0` ….
        column: The place of the number.
        ranks: By arm, the ranks that are asked for; the smallest value has 1.
        weighted: Whether a row stands for as many equal units as its `weight` says.
    """

    units: str
    column: int
    ranks: Mapping[str, Sequence[int]]
    weighted: bool = False

    @property
    def places(self) -> int:
        """How many ranks are asked for in one arm, at most."""
        return max(map(len, self.ranks.values()), default=0)


def ordered_sql(query: OrderedQuery) -> str:
    """SQL for one row per arm: of each rank asked for, its value and the units that have it.

    Args:
        query: What is asked; at least one rank of one arm.
    """
    number, many = f"x{query.column}", f"SUM({WEIGHT})" if query.weighted else "COUNT(*)"
    arms = ", ".join(map(literal, query.ranks))
    counted = (
        f"SELECT CAST(arm AS VARCHAR) AS arm, {number} AS v, {many} AS n FROM {query.units}"
        f" WHERE CAST(arm AS VARCHAR) IN ({arms}) GROUP BY CAST(arm AS VARCHAR), {number}"
    )
    upto = "SUM(n) OVER (PARTITION BY arm ORDER BY v) AS upto"
    ordered = f"SELECT arm, v, n, {upto} FROM ({counted}) AS counted"
    shown: list[str] = []
    for place in range(query.places):
        rank = _rank(query, place)
        here = f"upto >= {rank} AND upto - n < {rank}"
        shown += [f"MAX(CASE WHEN {here} THEN {name} END) AS {name}{place}" for name in ("v", "n")]
    return f"SELECT arm, {', '.join(shown)} FROM ({ordered}) AS ordered GROUP BY arm"


def _rank(query: OrderedQuery, place: int) -> str:
    """The rank that is asked for at a place, by arm; none where fewer are."""
    found = " ".join(
        f"WHEN {literal(arm)} THEN {ranks[place]}"
        for arm, ranks in query.ranks.items()
        if place < len(ranks)
    )
    return f"CASE arm {found} END"


def read_ordered(query: OrderedQuery, result: pa.Table) -> dict[str, dict[int, tuple[float, int]]]:
    """By arm and rank, the value there and how many units have it.

    Args:
        query: What was asked.
        result: What came of it.
    """
    return {
        row["arm"]: {
            rank: (float(row[f"v{place}"]), int(row[f"n{place}"]))
            for place, rank in enumerate(query.ranks[row["arm"]])
        }
        for row in result.to_pylist()
    }
