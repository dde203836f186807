"""The unit table of rows that tell totals: a row's number of units, their means and products.

Every total is turned into the row's mean and what its units vary about it, once and where the data
lie; from there on a row is pooled as any group of units is (`queries.grouped`).
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.config.models import Aggregated
from upliftlab.queries.grouped import WEIGHT, RowMoments
from upliftlab.queries.units import UnitTable

LOST: Final = "1e-11"
"""Squares about the mean that are a smaller part of the squares than this are rounding."""


@dataclass(frozen=True, slots=True)
class Total:
    """A number of each unit as a row tells it, in SQL.

    Attributes:
        name: What it is called.
        mean: Over the row's units.
        squares: Σ(x−x̄)² over them.
        cubes: Σ(x−x̄)³; None where it is not told.
        given: The columns that it rests on, as numbers.
    """

    name: str
    mean: str
    squares: str
    cubes: str | None
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AggregatedTable(UnitTable):
    """The unit table of rows that tell totals."""

    @property
    def rows(self) -> RowMoments:
        """What each row tells of how its units vary."""
        totals, size = self.totals, range(len(self.asked.columns))
        products = {
            (i, j): f"q{i}_{j}"
            for i in size
            for j in range(i + 1)
            if self.sums.relates(totals[i].name, totals[j].name)
        }
        cubes = {i: f"k{i}" for i in size if totals[i].cubes is not None}
        flags = frozenset(i for i in size if totals[i].name in self.sums.units_with)
        return RowMoments(alike=False, products=products, cubes=cubes, flags=flags)

    @property
    def sums(self) -> Aggregated:
        """What the columns are totals of."""
        assert self.asked.sums is not None  # noqa: S101 - the table is made for it
        return self.asked.sums

    @property
    def totals(self) -> tuple[Total, ...]:
        """The numbers of the columns, in order."""
        named = (self.asked.metrics[name].column or "" for name in self.asked.columns)
        return tuple(self.total(name) for name in named)

    def total(self, name: str) -> Total:
        """A number of each unit.

        Raises:
            DataError: UL205 a column is not there, UL206 it cannot hold numbers.
        """
        sums, n = self.sums, f"f.{WEIGHT}"
        if name in sums.units_with:
            count = self.given(sums.units_with[name], f"number with {name}")
            others = f"(1 - {count} / {n})"
            cubes = f"{count} * {others} * (1 - 2 * {count} / {n})"
            return Total(name, f"{count} / {n}", f"{count} * {others}", cubes, (count,))
        if name in sums.sum:
            total = self.given(sums.sum[name], f"sum of {name}")
            squares = self.given(sums.sum_sq[name], f"squares of {name}")
            left = f"({squares} - {total} / {n} * {total})"
            clear = f"CASE WHEN {n} = 1 OR {left} < {LOST} * {squares} THEN 0.0 ELSE {left} END"
            return Total(name, f"{total} / {n}", clear, None, (total, squares))
        mean = self.given(sums.mean[name], f"mean of {name}")
        kind = "variance" if name in sums.variance else "sd"
        spread = self.given(getattr(sums, kind)[name], f"{kind} of {name}")
        square = spread if kind == "variance" else f"{spread} * {spread}"
        varying = f"CASE WHEN {n} = 1 THEN 0.0 ELSE ({n} - 1) * {square} END"
        return Total(name, mean, varying, None, (mean, spread))

    def product(self, one: Total, other: Total) -> str:
        """Σ(x−x̄)(y−ȳ) over a row's units."""
        if one.name == other.name:
            return one.squares
        total = self.given(self.sums.product(one.name, other.name) or "", "product")
        return f"{total} - f.{WEIGHT} * ({one.mean}) * ({other.mean})"

    def metric(self, name: str) -> str:
        """A metric's mean over a row's units.

        Raises:
            DataError: UL205 a column is not there, UL206 it cannot hold numbers.
        """
        return self.total(self.asked.metrics[name].column or "").mean

    def sql(self) -> str:
        """The unit table: `arm`, `weight`, levels, means, and what varies within rows.

        Rows of nobody are left out.
        """
        own = ["f.arm AS arm", f"f.{WEIGHT} AS {WEIGHT}"]
        levels = [f"{self.segment(s)} AS s{i}" for i, s in enumerate(self.asked.segments.values())]
        shown = ", ".join([*own, *levels, *self._numbers()])
        return f"SELECT {shown} FROM {self.source} WHERE f.{WEIGHT} > 0"

    def _numbers(self) -> Iterator[str]:
        totals, rows = self.totals, self.rows
        yield from (f"{total.mean} AS x{i}" for i, total in enumerate(totals))
        for (i, j), name in rows.products.items():
            yield f"{self.product(totals[i], totals[j])} AS {name}"
        for i, name in rows.cubes.items():
            yield f"{totals[i].cubes} AS {name}"

    def given(self, column: str, role: str) -> str:
        """A column of the table as a number."""
        return self._number(column, role)
