"""Caps: values above what the plan declares count as the cap, in a column of their own.

The limit is the declared amount, or a percentile of what is not zero, over all arms together: of
sparse spend a percentile over everybody may be zero. It is the nearest rank, a value that occurs.
"""
# ruff: noqa: S608 - names are of the house's own, every number passes through repr()

from __future__ import annotations

from collections.abc import Mapping, Sequence

from upliftlab.engines.base import Engine
from upliftlab.experiment import Plan

Caps = Mapping[str, float | None]
"""What each capped metric is capped at; None where nothing but zeros is there."""


def limits(plan: Plan, columns: Sequence[str], units: str, engine: Engine) -> Caps:
    """What each capped metric is capped at.

    Args:
        plan: Which metrics are capped.
        columns: The numbers of the unit table, in order.
        units: The unit table as a relation.
        engine: Where it lies.
    """
    found: dict[str, float | None] = {}
    for name, cap in plan.experiment.analysis.winsorize.items():
        number = f"x{columns.index(name)}"
        found[name] = cap.value if cap.kind == "amount" else _rank(cap.value, number, units, engine)
    return found


def _rank(share: float, number: str, units: str, engine: Engine) -> float | None:
    ranked = (
        f"SELECT {number} AS x, ROW_NUMBER() OVER (ORDER BY {number}) AS place,"
        f" COUNT(*) OVER () AS n FROM {units} WHERE {number} <> 0"
    )
    query = f"SELECT MIN(x) AS x FROM ({ranked}) AS ranked WHERE place >= n * {share!r}"
    value = engine.query(query).to_pylist()[0]["x"]
    return None if value is None else float(value)


def with_caps(units: str, columns: Sequence[str], caps: Caps) -> str:
    """The unit table with the capped metrics behind the others, as a relation."""
    numbers = [
        f"{_capped(f'x{columns.index(name)}', limit)} AS x{len(columns) + place}"
        for place, (name, limit) in enumerate(caps.items())
    ]
    return f"(SELECT kept.*, {', '.join(numbers)} FROM {units} AS kept) AS capped"


def _capped(number: str, limit: float | None) -> str:
    if limit is None:
        return number
    return f"CASE WHEN {number} > {limit!r} THEN {limit!r} ELSE {number} END"
