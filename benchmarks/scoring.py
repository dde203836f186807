"""How long does it take to choose whom to contact among ten million customers, in which memory?

A plan of three treatments is learned from with boosted trees, and next month's customers lie in a
Parquet file. What is measured is all that follows: reading and screening them in batches, scoring,
spending the budget, and writing the list. `benchmarks/README.md` says how to run it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from upliftlab.analysis.analyze import AnalysisContext
from upliftlab.config import load
from upliftlab.config.models import EngineSettings as Settings
from upliftlab.config.models import Source
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.duckdb import DuckDB
from upliftlab.results.analysis import DataFile
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.model import FittedModel
from upliftlab.targeting.request import TargetRequest
from upliftlab.targeting.target import target
from upliftlab.targeting.training_data import learning_rows
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import learner
from upliftlab.uplift.sample import TrainingSample

YAML = """\
schema: 1
experiment: spring
customers: {file: people.parquet, id: id}
assignment: {observed: arm}
arms:
  none: {share: 25%, control: true}
  mail: {share: 25%, channel: email, cost_per_contact: 0.02}
  sms:  {share: 25%, channel: sms, cost_per_contact: 0.08}
  call: {share: 25%, channel: phone, cost_per_contact: 2}
currency: EUR
metrics: {primary: profit}
money: {revenue: spend, margin: 40%}
uplift:
  features: [x0, x1, x2, x3, x4, x5, x6, x7, city, band]
  learners: [two_models]
"""
KNOWN = (
    ", ".join(f"(hash(i * 16 + {j}) % 1000000) / 1e6 AS x{j}" for j in range(8))
    + ", 'city ' || hash(i * 16 + 8) % 40 AS city, 'band ' || hash(i * 16 + 9) % 5 AS band"
)
PEOPLE = f"""
    COPY (SELECT *, (hash(id * 16 + 11) % 1000) / 50.0
        + CASE arm WHEN 'mail' THEN 8 * x0 - 3 WHEN 'sms' THEN 10 * x1 - 4
          WHEN 'call' THEN 20 * x0 * x1 - 2 ELSE 0 END AS spend
      FROM (SELECT i AS id, {KNOWN},
              ['none', 'mail', 'sms', 'call'][(1 + hash(i * 16 + 10) % 4)::INT] AS arm
            FROM range({{rows}}) AS t(i)))
    TO '{{file}}' (FORMAT parquet)"""
IDS = {"number": "i", "text": "md5(i::VARCHAR)"}
NEXT = f"""
    COPY (SELECT {{id}} AS id, {KNOWN} FROM range({{rows}}) AS t(i))
    TO '{{file}}' (FORMAT parquet)"""
LEARNED = 40_000
MEMORY = "500MB"


def prepare(rows: int, ids: str, folder: Path) -> Path:
    """Write the experiment and next month's customers, unless they are there."""
    (folder / "spring.yaml").write_text(YAML)
    duckdb.sql(PEOPLE.format(rows=LEARNED, file=folder / "people.parquet"))
    file = folder / f"{ids}_{rows}.parquet"
    if not file.exists():
        duckdb.sql(NEXT.format(rows=rows, file=file, id=IDS[ids]))
    return file


def learned(plan: Plan, engine: DuckDB) -> FittedModel:
    """A fitted model, its gates taken to be open."""
    rows = learning_rows(plan, engine)
    encoding = Encoding.fit(rows.table)
    encoded, fold = encoding.encode(rows.table), fold_of(rows.cluster, 5, 1)
    known = (rows.arm, rows.outcomes, rows.propensity, rows.cluster)
    return FittedModel(
        sample=TrainingSample(encoded.values, *known, fold),
        judged=learner("two_models", "boosting", encoding, 1),
        data=(DataFile(source="customers", file="people.parquet", sha256="0" * 64, rows=LEARNED),),
        opened=(True,) * 3,
        gain=Estimate(estimate=1.0, low=0.5, high=1.5),
    )


def alone(file: Path, folder: Path) -> None:
    """Write one list in this process, and say what it took."""
    loaded = load(folder / "spring.yaml", data=folder)
    settings = Settings(name="duckdb", threads=2, memory_limit=MEMORY)
    rows = file.stem.partition("_")[2]
    with DuckDB(loaded.workspace.locate, settings, folder) as engine:
        steps: list[tuple[float, str]] = []
        setting = AnalysisContext(
            engine, datetime.now(UTC), lambda step: steps.append((time.perf_counter(), step))
        )
        basis = learned(loaded.plan, engine)
        order = TargetRequest(
            "next",
            Source(file=file.name, id="id"),
            0.05 * int(rows),
            date(2026, 4, 1),
            folder / "list.parquet",
        )
        start = time.perf_counter()
        told = target(loaded.plan, order, basis, setting)
        end = time.perf_counter()
    scored = next(at for at, step in steps if step == "Spending the budget")
    written = next(at for at, step in steps if step == "Writing the list")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "fit and score": round(scored - start, 1),
                "spend": round(written - scored, 1),
                "write": round(end - written, 1),
                "megabytes": round(peak),
                "chosen": told.targeted + told.held_out,
                "cost": round(told.expected_cost, 2),
                "budget": told.budget,
            }
        )
    )


def main() -> None:
    """Prepare, and run in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="customers")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "scoring")
    parser.add_argument("--ids", choices=IDS, default="number", help="what customers are called")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        alone(chosen.alone, chosen.folder)
        return
    chosen.folder.mkdir(parents=True, exist_ok=True)
    file = prepare(chosen.rows, chosen.ids, chosen.folder)
    print(f"{date.today()}: {chosen.rows:,} customers, engine within {MEMORY}")  # noqa: DTZ011 - a heading
    asked = [sys.executable, __file__, "--folder", str(chosen.folder), "--alone", str(file)]
    for _ in range(chosen.rounds):
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"failed:\n{done.stderr}")
        print(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
