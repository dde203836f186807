"""Grouped rows: each stands for several units, and tells their number and their own moments.

A row of `weight` equal units varies in nothing. A row of totals tells the mean of its units, and
how they vary about it, as far as it was told. Either way a cell's moments are those of its rows
pooled (Chan, Golub & LeVeque 1983), in one statement: rows are moved to the smallest row mean of
their own cell, so that a cell whose rows are alike is exactly so.
"""
# ruff: noqa: S608 - names are of the house's own

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

WEIGHT: Final = "weight"
"""The column of the unit table that says for how many units a row stands."""
UNKNOWN: Final = "CAST(NULL AS DOUBLE)"


@dataclass(frozen=True, slots=True)
class RowMoments:
    """What a row of several units tells of how they vary within it.

    Attributes:
        alike: Whether they do not vary at all: everything is known of them.
        products: Otherwise the pairs of numbers (the later first) of which the centred products
            within the row are known, by the column of the unit table that holds them.
        cubes: The same of a number's centred cubes.
        flags: Otherwise the numbers that are 0 or 1 for every unit.
    """

    alike: bool = True
    products: Mapping[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    cubes: Mapping[int, str] = field(default_factory=dict[int, str])
    flags: frozenset[int] = frozenset()

    def knows(self, one: int, other: int) -> bool:
        """Whether it is known how two numbers vary together, the later first."""
        return self.alike or (one, other) in self.products

    def knows_cubes(self, number: int) -> bool:
        """Whether a number's third moment is known."""
        return self.alike or number in self.cubes


def grouped_sql(
    units: str,
    size: int,
    levels: Sequence[str],
    groupings: Sequence[Sequence[str]],
    rows: RowMoments,
) -> str:
    """SQL for one row per arm and combination of levels, as `moments_sql` gives it.

    Args:
        units: The unit table as a relation, with `weight`.
        size: How many numbers it has.
        levels: The columns of all segments.
        groupings: The sets of these that are grouped by.
        rows: What each row tells.
    """
    sums = _sums(size, rows)
    found: list[str] = []
    for grouping in groupings:
        keys = ", ".join(("arm", *grouping))
        least = [f"MIN(x{i}) OVER (PARTITION BY {keys}) AS c{i}" for i in range(size)]
        moved = [f"x{i} - c{i} AS y{i}" for i in range(size)]
        inner = f"SELECT *, {', '.join(least)} FROM {units}"
        middle = f"SELECT own.*, {', '.join(moved)} FROM ({inner}) AS own"
        text = {name: f"CAST({name} AS VARCHAR)" for name in ("arm", *grouping)}
        shown = [
            f"{text.get(name, 'CAST(NULL AS VARCHAR)')} AS {name}" for name in ("arm", *levels)
        ]
        shown += [f"{0 if level in grouping else 1} AS g_{level}" for level in levels]
        shown += [f"{sql} AS {name}" for name, sql in sums.items()]
        found.append(f"SELECT {', '.join(shown)} FROM ({middle}) AS moved GROUP BY {keys}")
    return " UNION ALL ".join(found)


def _sums(size: int, rows: RowMoments) -> dict[str, str]:
    """n, and per number its count, centre, sum, cubes, products, and values other than 0 and 1."""
    result = {"n": f"SUM({WEIGHT})"}
    for i in range(size):
        result |= {
            f"n{i}": f"SUM(CASE WHEN x{i} IS NULL THEN 0 ELSE {WEIGHT} END)",
            f"c{i}": f"MIN(c{i})",
            f"a{i}": f"SUM({WEIGHT} * y{i})",
            f"t{i}": _cubes(i, rows),
            f"o{i}": _others(i, rows),
        }
        for j in range(i + 1):
            between = f"{WEIGHT} * y{i} * y{j}"
            within = "" if rows.alike else f"{rows.products.get((i, j))} + "
            result[f"b{i}_{j}"] = f"SUM({within}{between})" if rows.knows(i, j) else UNKNOWN
    return result


def _others(i: int, rows: RowMoments) -> str:
    """How many rows hold anything but 0 and 1."""
    if rows.alike:
        return f"COUNT(CASE WHEN x{i} NOT IN (0, 1) THEN 1 END)"
    return "COUNT(*) - COUNT(*)" if i in rows.flags else "COUNT(*)"


def _cubes(i: int, rows: RowMoments) -> str:
    between = f"{WEIGHT} * y{i} * y{i} * y{i}"
    if rows.alike:
        return f"SUM({between})"
    if i not in rows.cubes:
        return UNKNOWN
    return f"SUM({rows.cubes[i]} + 3 * y{i} * {rows.products[i, i]} + {between})"
