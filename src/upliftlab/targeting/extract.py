"""Extract: a query's rows as arrays, read a batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.engines.base import Engine
from upliftlab.stats.moments import Array
from upliftlab.targeting.coding import encode, looked_up
from upliftlab.targeting.identity import from_places
from upliftlab.targeting.known import OWN, PLACE, STRATUM, TODAY

BATCH = 100_000
"""Rows that are held twice while they are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """What was read, in no particular order.

    Attributes:
        arms: Customers by arm as the data name it.
        arm: The number of each customer's arm, −1 for one that is not known; shape (n,), int64.
        counted: What is counted of them, NaN where it is missing; shape (n, counted).
        features: Doubles or texts, one column per feature.
        place: The unit's place as a number, shape (n,); None without ids.
        own: The customer's own, where units are households.
        stratum: The stratum of a recorded assignment.
        today: Whether today's rule holds.
    """

    arms: Mapping[str | None, int]
    arm: np.ndarray
    counted: Array
    features: Sequence[pa.ChunkedArray[Any]]
    place: np.ndarray | None
    own: np.ndarray | None
    stratum: pa.ChunkedArray[Any] | None
    today: np.ndarray | None


def extract(sql: str, arms: Sequence[str], engine: Engine) -> Extract:
    """Read a query with the columns `arm`, features `f0` …, numbers `x0` … and those of `known`."""
    numbers = {arm: number for number, arm in enumerate(arms)}
    named, arrays, kept = Counter[str | None](), _Arrays(), list[pa.Table]()
    for batch in engine.batches(sql, BATCH):
        table = pa.Table.from_batches([batch])
        named += _counted(table["arm"])
        arrays.add("arm", looked_up(table["arm"], numbers, -1))
        counted = [name for name in table.column_names if name[:1] == "x"]
        arrays.add("x", np.column_stack([_numbers(table[name]) for name in counted]))
        for name in {PLACE, OWN} & {*table.column_names}:
            arrays.add(name, from_places(table[name]))
        if TODAY in table.column_names:
            arrays.add(TODAY, _numbers(table[TODAY]) > 0)
        kept.append(_texts(table))
    if not kept:
        return Extract(named, np.empty(0, np.int64), np.empty((0, 0)), (), None, None, None, None)
    whole = pa.concat_tables(kept)
    features = tuple(whole[name] for name in whole.column_names if name != STRATUM)
    return Extract(
        arms=named,
        arm=arrays.joined["arm"],
        counted=arrays.joined["x"],
        features=features,
        place=arrays.joined.get(PLACE),
        own=arrays.joined.get(OWN),
        stratum=whole[STRATUM] if STRATUM in whole.column_names else None,
        today=arrays.joined.get(TODAY),
    )


@dataclass(slots=True)
class _Arrays:
    """Arrays in parts."""

    parts: dict[str, list[np.ndarray]] = field(default_factory=dict[str, list[np.ndarray]])

    def add(self, name: str, part: np.ndarray) -> None:
        self.parts.setdefault(name, []).append(part)

    @property
    def joined(self) -> dict[str, np.ndarray]:
        return {name: np.concatenate(parts) for name, parts in self.parts.items()}


def _counted(arms: Any) -> Counter[str | None]:  # noqa: ANN401 - Arrow's arrays are untyped
    levels, codes = encode(arms)
    counts = np.bincount(codes + 1, minlength=len(levels) + 1)
    found = zip([None, *levels], counts.tolist(), strict=True)
    return Counter({name: count for name, count in found if count})


def _numbers(column: Any) -> Array:  # noqa: ANN401 - as above
    """Numbers or flags as doubles, NaN where there is none."""
    values = column.cast(pa.float64()) if not pa.types.is_boolean(column.type) else column
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(table: pa.Table) -> pa.Table:
    """Features as doubles or texts, and the stratum."""
    found = dict[str, Any]()
    for name in table.column_names:
        column: Any = table[name]
        if name == STRATUM or (name[:1] == "f" and name[1:].isdigit()):
            words = name == STRATUM or pa.types.is_string(column.type)
            found[name] = column.cast(pa.string() if words else pa.float64())
    return pa.Table.from_pydict(found)
