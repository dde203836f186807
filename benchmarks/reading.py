"""How long does it take to read a CSV file as text, beside DuckDB's reader that knows the types?

Each contender is a process of its own over the same file; contenders take turns, and medians over
the rounds are printed. `benchmarks/README.md` says what is compared.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

THREADS = 2
AGREEMENT = 1e-9
"""Relative difference up to which two sums count as the same."""
_MAKE = """
copy (
  select i as id, ['none', 'mail'][1 + (hash(5 * i) % 2)::int] as arm,
    (hash(5 * i + 1) % 100000)::int / 977.0 as spend, (hash(5 * i + 2) % 9)::int as visits,
    timestamp '2026-01-01' + interval 1 second * (hash(5 * i + 3) % 7257600)::int as ordered_at,
    ['north', 'east', 'south'][1 + (hash(5 * i + 4) % 3)::int] as region
  from range({rows}) as numbers(i)
) to '{file}' (format csv, header)
"""
_SUMS = """
select region, count(*) as n, sum({spend}) as spend, sum({visits}) as visits from {table}
group by region order by region
"""
_TYPES = {
    "id": "bigint",
    "arm": "varchar",
    "spend": "double",
    "visits": "bigint",
    "ordered_at": "timestamp",
    "region": "varchar",
}
Rows = list[tuple[str, int, float, float]]


def typed(file: Path) -> Rows:
    """The floor: DuckDB's own reader, told every column's type."""
    import duckdb  # noqa: PLC0415 - a contender's own library

    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _TYPES.items())
    table = f"read_csv('{file}', auto_detect = false, header = true, columns = {{{columns}}})"
    settings = {"threads": THREADS, "preserve_insertion_order": False}
    with duckdb.connect(":memory:", config=settings) as connection:
        sql = _SUMS.format(spend="spend", visits="visits", table=table)
        return connection.execute(sql).fetchall()


def upliftlab(file: Path) -> Rows:
    """The file as a source: as text, hashed and checked, each number read as a metric's is first.

    Only where one is missing then, words, currencies and signs are looked for in a second pass.
    """
    from upliftlab.config.models import EngineSettings, Source  # noqa: PLC0415 - as above
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415
    from upliftlab.queries.numbers import plain_sql  # noqa: PLC0415

    with DuckDB(Path, EngineSettings(threads=THREADS)) as engine, engine.reading():
        engine.attach("orders", Source(file=str(file)))
        numbers = {name: plain_sql(name) for name in ("spend", "visits")}
        found = engine.query(_SUMS.format(**numbers, table="orders"))
        return [tuple(row.values()) for row in found.to_pylist()]


LIBRARIES = ("duckdb", "upliftlab.engines.duckdb", "upliftlab.queries.numbers")
"""Imported before the clock runs."""
CONTENDERS: dict[str, Callable[[Path], Rows]] = {"typed": typed, "upliftlab": upliftlab}


def measure(contender: str, file: Path) -> None:
    """Run one contender in this process and print what it took."""
    for library in LIBRARIES:
        importlib.import_module(library)
    begun, busy = time.perf_counter(), time.process_time()
    rows = CONTENDERS[contender](file)
    took = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - busy}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**took, "megabytes": peak, "rows": rows}))


class Measure(NamedTuple):
    """What one run of one contender took, and the sums it found."""

    seconds: float
    cpu: float
    megabytes: float
    rows: list[list[Any]]


def run(contender: str, file: Path) -> Measure:
    """What one contender took in a process of its own."""
    command = [sys.executable, __file__, "--contender", contender, "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Measure(**json.loads(done.stdout))


def compare(file: Path, rounds: int, contenders: list[str]) -> None:
    """Let contenders take turns, hold their sums against each other, and print medians."""
    taken: dict[str, list[Measure]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in contenders:
            taken[name].append(run(name, file))
    floor = taken[contenders[0]]
    print(f"{file.stat().st_size / 1e6:.0f} MB, medians of {rounds}")
    for name, runs in taken.items():
        pairs = list(zip(runs, floor, strict=True))
        for row, right in zip(runs[0].rows, floor[0].rows, strict=True):
            if row[:2] != right[:2] or abs(row[2] - right[2]) > AGREEMENT * right[2]:
                raise SystemExit(f"{name} differs from {contenders[0]}")
        print(
            f"{name:10}{statistics.median(each.seconds for each in runs):8.2f} s"
            f"{statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs):6.2f} x"
            f"{statistics.median(each.cpu for each in runs):8.2f} CPU s"
            f"{statistics.median(mine.cpu / theirs.cpu for mine, theirs in pairs):6.2f} x"
            f"{max(each.megabytes for each in runs):8.0f} MB"
        )


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "upliftlab")
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.contender:
        measure(asked.contender, asked.file)
        return
    import duckdb  # noqa: PLC0415 - as above

    file = asked.folder / f"reading-{asked.rows}.csv"
    if not file.exists():
        asked.folder.mkdir(parents=True, exist_ok=True)
        duckdb.sql(_MAKE.format(rows=asked.rows, file=file))
    compare(file, asked.rounds, asked.only)


if __name__ == "__main__":
    main()
