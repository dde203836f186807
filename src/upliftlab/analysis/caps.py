"""Caps: values above what the plan declares count as the cap, in a column of their own.

The limit is the declared amount, or a percentile of what is not zero, over all arms together: of
sparse spend a percentile over everybody may be zero. It is the nearest rank that as many units
reach as a cell must have (`smallest_cell`), to three significant digits: reports name it, and it
is to be nobody's own amount.
"""
# ruff: noqa: S608 - names are of the house's own, every number passes through repr()

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.grouped import WEIGHT
from upliftlab.queries.numbers import capped_sql

_DIGITS = 3
"""Significant digits of a limit that comes from the data."""
Caps = Mapping[str, float | None]
"""What each capped metric is capped at; None where nearly all values are zero."""


def limits(plan: Plan, columns: Sequence[str], units: str, engine: Engine) -> Caps:
    """What each capped metric is capped at.

    Args:
        plan: Which metrics are capped.
        columns: The numbers of the unit table, in order.
        units: The unit table as a relation.
        engine: Where it lies.
    """
    found: dict[str, float | None] = {}
    grouped = plan.customers.group_size is not None
    for name, cap in plan.experiment.analysis.winsorize.items():
        number = f"x{columns.index(name)}"
        found[name] = (
            cap.value
            if cap.kind == "amount"
            else _rank((cap.value, plan.smallest_cell), number, units, engine, grouped=grouped)
        )
    return found


def _rank(
    asked: tuple[float, int], number: str, units: str, engine: Engine, *, grouped: bool
) -> float | None:
    """The value at a share of the ranks, or below it where too few would reach it."""
    share, smallest = asked
    place, n = f"ROW_NUMBER() OVER (ORDER BY {number})", "COUNT(*) OVER ()"
    if grouped:  # a row is that of its last unit
        place = f"SUM({WEIGHT}) OVER (ORDER BY {number} ROWS UNBOUNDED PRECEDING)"
        n = f"SUM({WEIGHT}) OVER ()"
    ranked = f"SELECT {number} AS x, {place} AS place, {n} AS n FROM {units} WHERE {number} <> 0"
    query = (
        f"SELECT MIN(x) AS x FROM ({ranked}) AS ranked"
        f" WHERE n >= {smallest} AND (place >= n * {share!r} OR place > n - {smallest})"
    )
    value = engine.query(query).to_pylist()[0]["x"]
    if value is None or not math.isfinite(value):  # what is no number is refused behind the caps
        return None
    return float(f"{value:.{_DIGITS}g}")


def with_caps(units: str, columns: Sequence[str], caps: Caps) -> str:
    """The unit table with the capped metrics behind the others, as a relation."""
    numbers = [
        f"{capped_sql(f'x{columns.index(name)}', limit)} AS x{len(columns) + place}"
        for place, (name, limit) in enumerate(caps.items())
    ]
    return f"(SELECT kept.*, {', '.join(numbers)} FROM {units} AS kept) AS capped"
