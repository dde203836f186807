"""How long does it take to assign 50 million customers, and how much memory?

Each contender writes Parquet from the same Parquet file in a process of its own; contenders take
turns, and medians over the rounds are printed. `benchmarks/README.md` says what is compared.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from upliftlab.config.models.experiment import Plan
    from upliftlab.engines.duckdb import DuckDB

SHARE_SCALED = 10
"""Contenders in Python get one row in so many; their time is multiplied."""
CUT = "333333333333334"
"""Where 20 % end."""
ARMS = {"holdout": {"control": True, "share": "20%"}, "email": {"share": "80%"}}


class Measure(NamedTuple):
    """What one run took."""

    seconds: float
    cpu_seconds: float
    """Of all threads, start and imports included: what a busy machine distorts less."""
    peak_mb: float
    size_mb: float


def constant(folder: Path, out: Path) -> float:
    """The ids with one arm for all, by the engine's own writer: the floor."""
    return _written(folder, out, "SELECT id, 'holdout' AS arm FROM customers")


def constant_record(folder: Path, out: Path) -> float:
    """The whole record with everything in it constant: what its columns cost to write."""
    fixed = (
        "'holdout' AS arm, '000000000000000' AS h, 0 AS bucket, CAST(NULL AS VARCHAR) AS stratum,"
        " 1 AS wave, CAST(NULL AS DATE) AS start, CAST(NULL AS VARCHAR) AS reason,"
        " 'email' AS channel, FALSE AS ghost"
    )
    return _written(folder, out, f"SELECT id, {fixed} FROM customers")


def arm(folder: Path, out: Path) -> float:
    """The ids with the arm that hashing gives, and nothing else."""
    from upliftlab.assignment.places_sql import hash_sql, text_sql  # noqa: PLC0415 - its own libraries

    h = hash_sql("spring", text_sql("id"))
    decided = f"CASE WHEN h < '{CUT}' THEN 'holdout' WHEN h < 'g' THEN 'email' END"
    source = f"SELECT id, {h} AS h FROM customers"
    return _written(folder, out, f"SELECT id, {decided} AS arm FROM ({source}) AS hashed")


def record(folder: Path, out: Path) -> float:
    """The whole record of a `hash` assignment: arm, h, bucket, wave, reason, channel, ghost."""
    return _assigned(folder, out, _plan("ids.parquet", {}))


def check(folder: Path, out: Path) -> float:
    """What `prepare` examines before: missing and repeated ids."""
    from upliftlab.assignment.assign import prepare  # noqa: PLC0415 - a contender loads its own libraries only

    with _engine(folder, out) as engine:
        begin = time.perf_counter()
        prepare(_plan("ids.parquet", {}), engine)
        return time.perf_counter() - begin


def hash_strata(folder: Path, out: Path) -> float:
    """The whole record of a `hash` assignment, of the rows `blocked` gets."""
    return _assigned(folder, out, _plan("strata.parquet", {}))


def blocked(folder: Path, out: Path) -> float:
    """The whole record of a `blocked` assignment within 100 strata."""
    return _assigned(folder, out, _plan("strata.parquet", {"method": "blocked", "strata": "band"}))


def hashlib(folder: Path, out: Path) -> float:
    """Python's own md5 in a loop over Arrow batches: id and arm."""
    import pyarrow as pa  # noqa: PLC0415 - a contender loads its own libraries only
    import pyarrow.parquet as pq  # noqa: PLC0415 - the same

    begin = time.perf_counter()
    schema = pa.schema([("id", pa.int64()), ("arm", pa.string())])
    file = pq.ParquetFile(folder / "few.parquet")
    with pq.ParquetWriter(out / "out.parquet", schema, compression="zstd") as writer:
        for batch in file.iter_batches(columns=["id"]):
            arms = pa.array(list(_arms(batch.column(0).to_pylist())))
            writer.write_batch(pa.record_batch([batch.column(0), arms], schema=schema))
    return time.perf_counter() - begin


def polars(folder: Path, out: Path) -> float:
    """Polars, which has no md5 of its own, with Python's: id and arm."""
    import polars as pl  # noqa: PLC0415 - a contender loads its own libraries only

    begin = time.perf_counter()
    arms = pl.col("id").map_batches(
        lambda ids: pl.Series(_arms(ids.to_list())), return_dtype=pl.String, is_elementwise=True
    )
    pl.scan_parquet(folder / "few.parquet").with_columns(arms.alias("arm")).sink_parquet(
        out / "out.parquet"
    )
    return time.perf_counter() - begin


def _arms(ids: list[int]) -> Iterator[str]:
    for number in ids:
        h = md5(f"spring:{number}".encode(), usedforsecurity=False).hexdigest()
        yield "holdout" if h < CUT else "email"


def _plan(file: str, assignment: dict[str, str]) -> Plan:
    from upliftlab.config.models import Source  # noqa: PLC0415 - its own libraries
    from upliftlab.config.models.experiment import ExperimentFile, Plan  # noqa: PLC0415 - its own libraries

    asked = ExperimentFile.model_validate(
        {
            "schema": 1,
            "experiment": "spring",
            "customers": {"file": file, "id": "id"},
            "assignment": assignment,
            "arms": {**ARMS, "email": {**ARMS["email"], "channel": "email"}},
            "metrics": {"primary": "spend"},
        }
    )
    return Plan(
        experiment=asked,
        customers=Source(file=file, id="id"),
        currency=None,
        arms=asked.arms,
        channels={},
        metrics={},
        segments={},
        sources={},
    )


def _engine(folder: Path, out: Path) -> DuckDB:
    from upliftlab.config.models import EngineSettings  # noqa: PLC0415 - the same
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415 - its own libraries

    return DuckDB(lambda file: folder / file, EngineSettings(threads=2, memory_limit="1500MB"), out)


def _written(folder: Path, out: Path, sql: str) -> float:
    from upliftlab.config.models import Source  # noqa: PLC0415 - its own libraries

    with _engine(folder, out) as engine:
        engine.attach("customers", Source(file="ids.parquet"))
        begin = time.perf_counter()
        engine.write(sql, out / "out.parquet")
        return time.perf_counter() - begin


def _assigned(folder: Path, out: Path, plan: Plan) -> float:
    """Only the writing is timed; what is examined before has a contender of its own."""
    from upliftlab.assignment.allocation import allocation  # noqa: PLC0415 - its own libraries
    from upliftlab.assignment.decision_sql import Request, assignment_sql  # noqa: PLC0415 - the same

    with _engine(folder, out) as engine:
        engine.attach("customers", plan.customers)
        begin = time.perf_counter()
        engine.write(assignment_sql(Request(allocation(plan))), out / "out.parquet")
        return time.perf_counter() - begin


CONTENDERS: dict[str, Callable[[Path, Path], float]] = {
    f.__name__: f
    for f in (
        *(constant, arm, constant_record, record, check),
        *(hash_strata, blocked, hashlib, polars),
    )
}
SCALED = ("hashlib", "polars")


def make(folder: Path, rows: int) -> None:
    """Write the inputs: integer ids, a tenth of them, and a fifth with one of 100 strata."""
    import duckdb  # noqa: PLC0415 - the process that starts the contenders stays small

    tables = {
        "ids": f"SELECT range AS id FROM range({rows})",
        "few": f"SELECT range AS id FROM range({rows // SHARE_SCALED})",
        "strata": f"SELECT range AS id, 'band ' || (hash(range) % 100) AS band"
        f" FROM range({rows // 5})",
    }
    with duckdb.connect() as connection:
        for name, sql in tables.items():
            connection.execute(
                f"COPY ({sql}) TO '{folder / name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
            )


def run_here(name: str, folder: Path) -> Measure:
    """Run one contender in this process."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        out = Path(place)
        seconds = CONTENDERS[name](folder, out)
        made = out / "out.parquet"
        size = made.stat().st_size / 1e6 if made.exists() else 0.0
    used = resource.getrusage(resource.RUSAGE_SELF)
    scale = SHARE_SCALED if name in SCALED else 1
    cpu = used.ru_utime + used.ru_stime
    return Measure(seconds * scale, cpu * scale, used.ru_maxrss / 1024, size * scale)


def run_aside(name: str, folder: Path) -> Measure:
    """Run one contender in a process of its own."""
    command = [sys.executable, __file__, "--one", name, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measure(*json.loads(done.stdout.splitlines()[-1]))


def report(found: dict[str, list[Measure]]) -> None:
    """Print medians, and each against what it is held to."""
    middle = {
        name: Measure(*(statistics.median(column) for column in zip(*measures, strict=True)))
        for name, measures in found.items()
    }
    floors = {"blocked": "hash_strata", "hash_strata": "hash_strata", "record": "constant_record"}
    for name, measure in middle.items():
        floor = middle.get(floors.get(name, "constant"))
        ratio = f"{measure.seconds / floor.seconds:6.2f} x" if floor else ""
        work = f"{measure.cpu_seconds / floor.cpu_seconds:6.2f} x" if floor else ""
        scaled = f"  (one row in {SHARE_SCALED}, time scaled)" if name in SCALED else ""
        times = " ".join(f"{one.seconds:.2f}" for one in found[name])
        print(
            f"{name:15} {measure.seconds:8.2f} s {ratio:10}"
            f" {measure.cpu_seconds:8.2f} s CPU {work:10}"
            f" {measure.peak_mb:7.0f} MB peak"
            f" {measure.size_mb:7.0f} MB written  [{times}]{scaled}"
        )


def main() -> None:
    """Make the inputs, let the contenders take turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--only", nargs="*", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(run_here(asked.one, asked.folder)))
        return
    folder = Path(tempfile.mkdtemp(prefix="assignment-", dir=asked.folder))
    try:
        make(folder, asked.rows)
        found: dict[str, list[Measure]] = {name: [] for name in asked.only}
        for _ in range(asked.rounds):
            for name, measures in found.items():
                measures.append(run_aside(name, folder))
        report(found)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
