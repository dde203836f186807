"""Where an engine is tried out: its tables, and how answers are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from upliftlab.config.models import Source
from upliftlab.engines.base import Engine, Locate
from upliftlab.errors import DataError, UpliftLabError

Opener = Callable[[Locate, Sequence[Path]], Engine]
"""Opens a fresh engine: how files are found, and the folders it may read and write."""
Publish = Callable[[str, pa.Table], Source]
"""Makes a table in the engine's own world, and says how a source names it. Asked again under a
name, it changes the table's rows without waiting for whoever reads it."""
Row = tuple[object, ...]
_NEAR: Final = 1e-12

NUMBERS: Final = "conformance_numbers"
WORDS: Final = "conformance_words"
TIMES: Final = "conformance_times"
EVENTS: Final = "conformance_events"
EMPTY: Final = "conformance_empty"
ODD: Final = "conformance_odd"
MANY: Final = "conformance_many"
ODD_NAMES: Final = ("select", 'a"b', "it's", "two words", "größe", "a;b -- c", "Case")
"""Columns whose names are words or signs of SQL."""
ODD_TEXTS: Final = (
    "O'Brien",
    'say "no"',
    "back\\slash",
    "x'); DROP TABLE t; --",
    "%_",
    "Zoë",
    "顾客",
    "line\nbreak",
    "",
    " blank ",
)
"""Texts that hold signs of SQL, or letters beyond ASCII."""


def tables() -> dict[str, pa.Table]:
    """The tables of the cases, by name."""
    whole = [1, 2, 3, None]
    return {
        NUMBERS: pa.table(
            {
                "id": pa.array([1, 2, 3, 4], pa.int64()),
                "small": pa.array(whole, pa.int32()),
                "big": pa.array([2**53 + 1, 2**62, 2**62, -1], pa.int64()),
                "real": pa.array([0.1, 0.2, 1e300, None], pa.float64()),
                "wild": pa.array([1.5, math.nan, math.inf, None], pa.float64()),
                "exact": pa.array([Decimal("0.10"), Decimal("0.20"), None, None]),
                "flag": pa.array([True, False, None, True]),
                "grade": pa.array(["1.5", "2", "", "-3e2"]),
            }
        ),
        WORDS: pa.table({"id": list(range(len(ODD_TEXTS))), "word": list(ODD_TEXTS)}),
        TIMES: pa.table(
            {
                "id": [1, 2, 3],
                "day": pa.array([date(2026, 3, 2), date(2024, 2, 29), None], pa.date32()),
                "moment": pa.array(
                    [datetime(2026, 3, 2, 10, 30), datetime(1999, 12, 31, 23, 59, 59), None],  # noqa: DTZ001 - a time without zone
                    pa.timestamp("us"),
                ),
                "instant": pa.array(
                    [datetime(2026, 3, 29, 1, 30, tzinfo=UTC), None, None],
                    pa.timestamp("us", "UTC"),
                ),
                "written": ["2026-03-02 10:30:00", "2026-03-02", None],
            }
        ),
        EVENTS: pa.table(
            {
                "id": pa.array([1, 1, 1, 2, 2, None], pa.int64()),
                "rank": pa.array([3, 1, 1, 5, 5, 9], pa.int64()),
                "amount": pa.array([10.0, 20.0, 30.0, 4.0, None, 99.0], pa.float64()),
                "kind": ["a", "b", "b", "a", None, "a"],
            }
        ),
        EMPTY: pa.table({"id": pa.array([], pa.int64()), "amount": pa.array([], pa.float64())}),
        ODD: pa.table({name: [number] for number, name in enumerate(ODD_NAMES)}),
        MANY: pa.table({"n": list(range(10_000)), "tenth": [0.1] * 10_000}),
    }


@dataclass(frozen=True, slots=True)
class Bench:
    """What a case is given.

    Attributes:
        engine: The engine, open, with the tables of `tables()` loaded.
        open: Opens a further one.
        folder: A folder of its own, in which the engine finds files and may write.
        publish: Makes a table that a source can name; None where the engine reads no files and
            nobody says how else.
    """

    engine: Engine
    open: Callable[[], Engine]
    folder: Path
    publish: Publish | None

    def place(self, name: str, table: pa.Table) -> Source:
        """A table as a source; only in cases that need one."""
        assert self.publish is not None  # noqa: S101 - the suite leaves such cases out
        return self.publish(name, table)

    def asked(self, sql: str, right: Sequence[Row]) -> Iterator[str]:
        """What is wrong with the answer to a query, whose rows have an order."""
        yield from differences(rows_of(self.engine.query(sql)), right)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that an engine must do.

    Attributes:
        name: A short name.
        title: What is right, in a sentence.
        run: Tries it, and yields what is wrong.
        places: Whether tables are needed that a source names, beside those that are loaded.
    """

    name: str
    title: str
    run: Callable[[Bench], Iterator[str]]
    places: bool = False


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How an engine did: what was wrong, or why a case was left out."""

    case: Case
    wrong: tuple[str, ...] = ()
    left_out: str | None = None

    @property
    def status(self) -> str:
        """Ok, failed or left out."""
        return "failed" if self.wrong else "left out" if self.left_out else "ok"


def rows_of(table: pa.Table) -> list[Row]:
    """A result's rows."""
    return [tuple(row.values()) for row in table.to_pylist()]


def differences(found: Sequence[Row], right: Sequence[Row]) -> Iterator[str]:
    """What differs; numbers of any type are compared by value, to twelve digits."""
    if len(found) != len(right):
        yield f"{len(found)} rows instead of {len(right)}"
        return
    for number, (row, wanted) in enumerate(zip(found, right, strict=True), 1):
        if len(row) != len(wanted) or not all(map(_same, row, wanted)):
            yield f"row {number} is {row!r} instead of {wanted!r}"


def _same(found: object, right: object) -> bool:
    if isinstance(right, bool) or right is None or isinstance(found, bool):
        return found is right
    if isinstance(right, float) and isinstance(found, int | float | Decimal):
        return math.isclose(float(found), right, rel_tol=_NEAR)
    return found == right


def write_table(folder: Path, name: str, table: pa.Table) -> Path:
    """A table as a Parquet file."""
    file = folder / f"{name}.parquet"
    pq.write_table(table, file)  # pyright: ignore[reportUnknownMemberType]
    return file


def refusal(act: Callable[[], object], kind: type[UpliftLabError], code: str = "") -> Iterator[str]:
    """What is wrong with how an engine refuses: the class of its error, and the code if any."""
    wanted = f"{kind.__name__} {code}".strip()
    try:
        act()
    except kind as error:
        codes = [fault.code for fault in error.faults]
        if code and code not in codes:
            yield f"is refused by {codes[0]} instead of {wanted}"
    except UpliftLabError as error:
        yield f"is refused by {type(error).__name__} {error.faults[0].code} instead of {wanted}"
    else:
        yield f"is not refused; a {wanted} is right"


def reads_files(engine: Engine, folder: Path) -> bool:
    """Whether the engine reads files at all: servers read their own tables."""
    write_table(folder, "conformance_probe", pa.table({"id": [1]}))
    try:
        engine.attach("conformance_probe", Source(file="conformance_probe.parquet"))
    except DataError:
        return False
    return True
