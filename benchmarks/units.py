"""How long does it take to make one row per customer out of 100 million orders?

Each contender is a process of its own over the same Parquet files; contenders take turns, and
medians over the rounds are printed. `benchmarks/README.md` says how to run it and what is compared.
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
from datetime import date
from pathlib import Path

THREADS, MEMORY = 2, "3GB"
ORDERS_EACH = 10

# A hash of the row number is the source of chance, so that any machine makes the same tables.
# Half a year of orders, of which the window and the time before take a third each.
_ORDERS = """
copy (
  select (hash(3 * i) % {customers})::bigint as customer_id,
    timestamp '2026-01-01' + interval 1 second * (hash(3 * i + 1) % 7257600)::int as ordered_at,
    ((hash(3 * i + 2) % 20000) / 100.0)::decimal(10, 2) as amount
  from range({orders}) as numbers(i)
) to '{file}' (format parquet, compression zstd, compression_level 1)
"""
_CUSTOMERS = """
copy (
  select i as customer_id, ['north', 'east', 'south', 'west'][1 + (hash(5 * i) % 4)::int] as region,
    ['holdout', 'email', 'sms'][1 + (hash(5 * i + 1) % 3)::int] as arm,
    date '2026-02-01' + (7 * (hash(5 * i + 2) % {waves}))::int as start
  from range({customers}) as numbers(i)
) to '{file}' (format parquet, compression zstd, compression_level 1)
"""
_GROUPED = """
create temp table grouped as
select customer_id, sum(amount::double) as revenue, count(*) as orders from '{orders}' group by 1
"""


def group_by(folder: Path) -> None:
    """The floor: a bare GROUP BY customer, with a sum and a count."""
    import duckdb  # noqa: PLC0415 - a contender's own library

    settings = {"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(folder / "spill")}
    settings |= {"preserve_insertion_order": False}
    with duckdb.connect(":memory:", config=settings) as connection:
        connection.execute(_GROUPED.format(orders=folder / "orders.parquet"))


def units(folder: Path) -> None:
    """The unit table and its Moments, as the product makes them."""
    from upliftlab.analysis.aggregation import cells_of, unit_table  # noqa: PLC0415
    from upliftlab.analysis.population import population_of, timed  # noqa: PLC0415 - as above
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415
    from upliftlab.queries.moments import MomentsQuery  # noqa: PLC0415

    plan = _plan()
    with DuckDB(lambda name: folder / name, plan.engine, folder / "spill") as engine:
        table, _ = unit_table(plan, timed(plan, population_of(plan, engine, None), engine), engine)
        engine.keep("units", table.sql())
        query = MomentsQuery("units", table.columns, tuple(plan.segments))
        cells = cells_of(query, engine)
    total = sum(cell.moments.n for cell in next(iter(cells.values())))
    if total == 0:
        raise SystemExit("no units were made")


def whole(folder: Path) -> None:
    """All that an analysis does, checks of the events included."""
    from datetime import UTC, datetime  # noqa: PLC0415 - as above

    from upliftlab.analysis.analyze import AnalysisContext, analyze  # noqa: PLC0415
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415

    plan = _plan()
    with DuckDB(lambda name: folder / name, plan.engine, folder / "spill") as engine:
        analyze(plan, AnalysisContext(engine, datetime(2026, 9, 1, tzinfo=UTC)))


def _plan():  # noqa: ANN202 - a type of the product's, imported only by contenders that use it
    """Revenue, orders and buyers in 28 days, two covariates of the 28 days before, one segment."""
    from upliftlab.config.models import EngineSettings, Metric, Segment, Source  # noqa: PLC0415
    from upliftlab.config.models.experiment import ExperimentFile, Plan  # noqa: PLC0415

    window = {"during": ["0 days", "28 days"], "from": "orders"}
    kinds = {"revenue": {"sum": "amount"}, "orders": {"count": True}, "bought": {"any": True}}
    metrics = {name: Metric.model_validate(window | kind) for name, kind in kinds.items()}
    before = {"during": ["-28 days", "0 days"], "from": "orders"}
    source = {"file": "customers.parquet", "id": "customer_id"}
    experiment = ExperimentFile.model_validate(
        {
            "schema": "1",
            "experiment": "benchmark",
            "customers": source,
            "assignment": {"observed": "arm", "start": "start"},
            "arms": {"holdout": {"control": True}, "email": {}, "sms": {}},
            "metrics": {"primary": "revenue", "secondary": ["orders", "bought"]},
            "segments": ["region"],
            "outcome_window": "28 days",
            "analysis": {"covariates": ["revenue_before", "orders_before"]},
        }
    )
    return Plan(
        experiment=experiment,
        customers=Source.model_validate(source),
        currency=None,
        engine=EngineSettings(threads=THREADS, memory_limit=MEMORY),
        arms=experiment.arms,
        channels={},
        metrics=metrics,
        covariates={
            f"{name}_before": Metric.model_validate(before | kinds[name])
            for name in ("revenue", "orders")
        },
        segments={"region": Segment(column="region")},
        sources={"orders": Source(file="orders.parquet", id="customer_id", time="ordered_at")},
    )


LIBRARIES = ("duckdb", "upliftlab.analysis.analyze", "upliftlab.engines.duckdb")
"""Imported before the clock runs."""
CONTENDERS: dict[str, Callable[[Path], None]] = {
    "group_by": group_by,
    "units": units,
    "whole": whole,
}


def make(folder: Path, customers: int, waves: int) -> None:
    """The two tables, made once per number of customers."""
    import duckdb  # noqa: PLC0415 - as above

    folder.mkdir(parents=True, exist_ok=True)
    orders = {"customers": customers, "orders": customers * ORDERS_EACH}
    for name, sql, values in (
        ("orders", _ORDERS, orders),
        ("customers", _CUSTOMERS, {"customers": customers, "waves": waves}),
    ):
        file = folder / f"{name}.parquet"
        if not file.exists():
            duckdb.sql(sql.format(file=file, **values))


def run(name: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one contender in a process of its own."""
    asked = [sys.executable, __file__, "--contender", name, "--folder", str(folder)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["megabytes"]


def main() -> None:
    """Run the contenders in turn, or one of them alone in this process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="customers; ten orders each")
    parser.add_argument("--waves", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.contender:
        for module in LIBRARIES:
            importlib.import_module(module)
        start = time.perf_counter()
        CONTENDERS[chosen.contender](chosen.folder)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "megabytes": peak}))
        return
    folder = chosen.folder / f"upliftlab-units-{chosen.rows}-{chosen.waves}"
    make(folder, chosen.rows, chosen.waves)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen.only}
    for _ in range(chosen.rounds):
        for name in chosen.only:
            found[name].append(run(name, folder))
    floor = statistics.median(seconds for seconds, _ in found[chosen.only[0]])
    print(f"{date.today()}: {chosen.rows:,} customers, {chosen.rows * ORDERS_EACH:,} orders")  # noqa: DTZ011 - a heading
    for name, runs in found.items():
        seconds = statistics.median(each for each, _ in runs)
        megabytes = max(each for _, each in runs)
        print(f"{name:<10} {seconds:8.2f} s {seconds / floor:6.2f} x {megabytes:8,.0f} MB")


if __name__ == "__main__":
    main()
