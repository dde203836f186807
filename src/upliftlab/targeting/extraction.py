"""What is known of each customer, read as arrays: columns needed, encoding, and the unit's number.

A frame must tell some columns of every customer before models can learn from it. Rows come a batch
at a time, texts become numbers by the levels that occur, and every randomised unit gets a number
that no engine and no order of rows changes.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import md5
from math import isqrt
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.analysis.population import CUSTOMERS
from upliftlab.assignment.hashing import DIGITS, cuts
from upliftlab.assignment.places_sql import hash_sql
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.condition_kinds import ConditionTable
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.queries.features import Features
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.stats.moments import Array
from upliftlab.uplift.folds import mixed
from upliftlab.util.sql import literal

PLACE, OWN, DRAWN, TODAY = "place", "own_place", "drawn", "today"
STRATUM = "stratum"
"""Columns of the frame: the unit's place, the customer's within a household, the sample's, and
whether today's rule holds."""
_SPARE = 8
"""Standard deviations by which more is looked at than the sample takes."""


@dataclass(frozen=True, slots=True)
class RequiredColumns:
    """A frame that tells what is learned from.

    Attributes:
        frame: Who is analysed, with features, places and today's rule.
        columns: Their names in the frame.
        total: Customers in the frame.
        below: The sample holds units with a place `drawn` below this; None for all.
    """

    frame: AnalysisPopulation
    columns: tuple[str, ...]
    total: int
    below: str | None


def known_of(
    plan: Plan, frame: AnalysisPopulation, features: Features, engine: Engine
) -> RequiredColumns:
    """Add features, places and today's rule to a frame, and draw the sample.

    Raises:
        DataError: UL205 a column of today's rule is not there, UL612 no id to draw a sample by.
    """
    own = features.sql("c.")
    own |= _places(plan, frame)
    table = customers_table(CUSTOMERS, plan.customers, engine)
    if (rule := today_sql(plan, table, engine, "c")) is not None:
        own[TODAY] = rule
    (row,) = engine.query(f"SELECT COUNT(*) AS n FROM {frame.relation}").to_pylist()
    total, asked = int(row["n"]), plan.experiment.uplift
    wanted = asked.sample if asked else None
    kept = [name for name in own if name != DRAWN]
    kept += [STRATUM] if STRATUM in frame.own else []
    whole = replace(frame, own={**frame.own, **own})
    below = None if wanted is None or wanted >= total else _below(whole, (wanted, total), engine)
    return RequiredColumns(whole, tuple(kept), total, below)


def today_sql(plan: Plan, table: ConditionTable, engine: Engine, prefix: str | None) -> str | None:
    """Today's rule over an attached table of customers as SQL, false where it is not known.

    Raises:
        DataError: UL205 a column is not there, UL214 and UL251 the rule does not fit the data.
    """
    asked = plan.experiment.uplift
    if asked is None or asked.today is None:
        return None
    rule = sound_condition("today's rule", asked.today.where, table, engine, prefix)
    return f"COALESCE(({rule}), FALSE)"


def _places(plan: Plan, frame: AnalysisPopulation) -> dict[str, str]:
    """Places by salts of their own: those of the arms would tell the arm."""
    salt = plan.experiment.assignment.salt or plan.experiment.experiment
    key, unit = frame.own.get("id"), frame.own.get("house", frame.own.get("id"))
    if unit is None:
        return {}
    found = {PLACE: _place(f"{salt}:learn", unit), DRAWN: _place(f"{salt}:sample", unit)}
    if "house" in frame.own and key is not None:
        found[OWN] = _place(f"{salt}:learn", key)
    return found


def _place(salt: str, value: str) -> str:
    return hash_sql(salt, f'CAST({value} AS VARCHAR) COLLATE "C"')


def _below(frame: AnalysisPopulation, sizes: tuple[int, int], engine: Engine) -> str:
    """The place below which whole units hold the wanted number of customers, or fewer."""
    wanted, total = sizes
    if DRAWN not in frame.own:
        message = "a sample is drawn by the customers' id, but none is named"
        raise DataError(Diagnostic("UL612", message, "name it: 'customers: {id: …}'"))
    looked = Fraction(min(total, wanted + _SPARE * (isqrt(wanted) + 1)), total)
    (end,) = cuts([looked])
    drawn = f"SELECT {frame.own[DRAWN]} AS h FROM {frame.relation}"
    units = f"SELECT h, COUNT(*) AS n FROM ({drawn}) AS d WHERE h < {literal(end)} GROUP BY h"
    summed = f"SELECT h, SUM(n) OVER (ORDER BY h) AS upto FROM ({units}) AS u"
    rows = engine.query(
        f"SELECT MIN(h) AS h FROM ({summed}) AS s WHERE upto > {wanted}"
    ).to_pylist()
    return str(rows[0]["h"]) if rows[0]["h"] is not None else end


def encode(column: Any) -> tuple[list[str], np.ndarray]:  # noqa: ANN401 - Arrow's arrays are untyped
    """The levels of a column of texts in no order, and each row's; −1 where there is none.

    >>> encode(pa.array(["b", None, "a", "b"]))
    (['b', 'a'], array([ 0, -1,  1,  0]))
    """
    whole: Any = getattr(column, "combine_chunks", lambda: column)()
    coded = whole.cast(pa.string()).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return list(coded.dictionary.to_pylist()), codes.astype(np.int64)


def looked_up(column: Any, numbers: Mapping[str, int], other: int) -> np.ndarray:  # noqa: ANN401 - as above
    """Texts as the numbers they stand for, `other` where that is not known; shape (n,), int64.

    >>> looked_up(pa.array(["b", None, "a"]), {"a": 7}, -1)
    array([-1, -1,  7])
    """
    levels, codes = encode(column)
    return np.array([*(numbers.get(level, other) for level in levels), other])[codes]


_GOLDEN = 0x9E3779B97F4A7C15
_MISSING = 0x5851F42D4C957F2D


def from_places(places: pa.Array[Any] | pa.ChunkedArray[Any]) -> np.ndarray:
    """Places of `hashing.digest` as numbers below 2^60, in the places' order; int64.

    >>> int(from_places(pa.array(["00000000000000a", "fff000000000000"]))[0])
    10
    """
    texts = np.asarray(places.to_pylist(), dtype=f"S{DIGITS}")
    codes = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), DIGITS)
    digits = np.where(codes > ord("9"), codes - (ord("a") - 10), codes - ord("0"))
    value = np.zeros(len(texts), dtype=np.int64)
    for column in digits.T:
        value = value * 16 + column
    return value


def from_content(columns: Sequence[np.ndarray | pa.ChunkedArray[Any]]) -> np.ndarray:
    """Numbers below 2^60 for rows that nothing names, from all that they hold; int64.

    Rows that are alike are counted, and each gets another number: which of them gets which makes
    no difference, as they are alike. So what is drawn by these numbers is the same in any order.

    Args:
        columns: Doubles or whole numbers, shape (n,), or texts.
    """
    state = np.full(len(columns[0]), _GOLDEN, dtype=np.uint64)
    for column in columns:
        state = mixed(state ^ _bits(column))
    order = np.argsort(state, kind="stable")
    alike = state[order]
    first = np.flatnonzero(np.r_[True, alike[1:] != alike[:-1]])
    counts = np.diff(np.r_[first, len(alike)])
    again = np.arange(len(alike)) - np.repeat(first, counts)
    found = np.empty_like(state)
    found[order] = mixed(alike + again.astype(np.uint64) * np.uint64(_GOLDEN))
    return (found >> np.uint64(4)).astype(np.int64)


def _bits(column: np.ndarray | pa.ChunkedArray[Any]) -> np.ndarray:
    """64 bits per value: a number's own, of a text the beginning of its md5."""
    if isinstance(column, np.ndarray):
        numbers = column.astype(np.float64) + 0.0  # -0.0 becomes 0.0
        numbers[np.isnan(numbers)] = np.nan
        return mixed(numbers.view(np.uint64))
    levels, codes = encode(column)
    hashes = [
        int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:8], "big")
        for text in levels
    ]
    return np.array([*hashes, _MISSING], dtype=np.uint64)[codes]


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
