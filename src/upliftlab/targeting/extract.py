"""Extract: a query's rows as arrays, read a batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from upliftlab.engines.base import Engine
from upliftlab.stats.moments import Array
from upliftlab.targeting.identity import from_places
from upliftlab.targeting.known import OWN, PLACE, TODAY

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
    features: Sequence[pa.ChunkedArray]
    place: np.ndarray | None
    own: np.ndarray | None
    stratum: pa.ChunkedArray | None
    today: np.ndarray | None


def extract(sql: str, arms: Sequence[str], engine: Engine) -> Extract:
    """Read a query with the columns `arm`, features `f0` …, numbers `x0` … and those of `known`."""
    parts = _Parts(pa.array(arms, pa.string()))
    for batch in engine.batches(sql, BATCH):
        parts.add(batch)
    return parts.joined()


@dataclass(slots=True)
class _Parts:
    """Columns of every batch, already in the form they will have."""

    names: pa.Array
    arms: Counter[str | None] = field(default_factory=Counter[str | None])
    columns: dict[str, list[np.ndarray | pa.Array]] = field(
        default_factory=dict[str, list[np.ndarray | pa.Array]]
    )

    def add(self, batch: pa.RecordBatch) -> None:
        counts = batch["arm"].cast(pa.string()).value_counts()
        for row in counts.to_pylist():
            self.arms[row["values"]] += row["counts"]
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            self.columns.setdefault(name, []).append(self._formed(name, column))

    def _formed(self, name: str, column: pa.Array) -> np.ndarray | pa.Array:
        if name == "arm":
            codes = pc.index_in(column.cast(pa.string()), value_set=self.names)
            return codes.fill_null(-1).cast(pa.int64()).to_numpy()
        if name in (PLACE, OWN):
            return from_places(column)
        if name == TODAY:
            return np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)
        if name == "stratum":
            return column.cast(pa.string())
        if name.startswith("x"):
            numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
            return np.asarray(numbers, dtype=np.float64)
        words = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        return column.cast(pa.string() if words else pa.float64())

    def joined(self) -> Extract:
        features = [name for name in self.columns if name[:1] == "f" and name[1:].isdigit()]
        counted = [name for name in self.columns if name[:1] == "x"]
        stratum = self.columns.pop("stratum", None)
        return Extract(
            arms=self.arms,
            arm=self._array("arm", np.int64),
            counted=np.column_stack([self._array(name) for name in counted])
            if counted
            else np.empty((0, 0)),
            features=[pa.chunked_array(self.columns.pop(name)) for name in features],
            place=self._array(PLACE, np.int64) if PLACE in self.columns else None,
            own=self._array(OWN, np.int64) if OWN in self.columns else None,
            stratum=None if stratum is None else pa.chunked_array(stratum),
            today=self._array(TODAY, bool) if TODAY in self.columns else None,
        )

    def _array(self, name: str, kind: type = np.float64) -> np.ndarray:
        return np.concatenate(self.columns.pop(name, [np.empty(0, kind)]))
