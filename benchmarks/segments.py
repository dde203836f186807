"""How long do many segments take: a million customers, five arms, ten segments, ten metrics?

`upliftlab run` as a user starts it, beside tea-tasting and gbstats at their (simpler) intervals of
the same cells. `benchmarks/README.md` says what is compared.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ARMS = ("none", "mail", "sms", "letter", "call")
SEGMENTS = tuple(f"segment_{number}" for number in range(10))
METRICS = tuple(f"spend_{number}" for number in range(10))
LEVELS, BUYERS = 8, 0.05
_EXPERIMENT = """
schema: 1
experiment: segments
customers: {{file: {file}, id: customer_id, known_after: [{metrics}]}}
assignment: {{observed: arm}}
arms:
  none: {{control: true, share: {holdout}%}}
  mail: {{channel: email, share: {others}%, cost_per_contact: 0.02}}
  sms:  {{channel: sms, share: {others}%, cost_per_contact: 0.03}}
  letter: {{channel: letter, share: {others}%, cost_per_contact: 0.04}}
  call: {{channel: call, share: {others}%, cost_per_contact: 0.05}}
currency: EUR
metrics: {{primary: {primary}, secondary: [{secondary}]}}
money: {{revenue: {primary}, margin: 40%}}
segments: [{segments}]
"""


def make(file: Path, rows: int, sigma: float, holdout: float) -> None:
    """Write the customers: a twentieth of them buy, of each metric by itself, lognormal amounts."""
    import numpy as np  # noqa: PLC0415 - the process that starts the contenders stays small
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    rng = np.random.default_rng(1)
    others = (1 - holdout) / (len(ARMS) - 1)
    arm = rng.choice(len(ARMS), rows, p=[holdout, *[others] * (len(ARMS) - 1)]).astype(np.int8)
    table: dict[str, Any] = {
        "customer_id": np.arange(rows),
        "arm": pa.DictionaryArray.from_arrays(arm, list(ARMS)),
    }
    for name in SEGMENTS:
        level = rng.integers(LEVELS, size=rows, dtype=np.int8)
        levels = [f"level {number}" for number in range(LEVELS)]
        table[name] = pa.DictionaryArray.from_arrays(level, levels)
    for name in METRICS:
        amount = np.round(rng.lognormal(0, sigma, rows), 2)
        table[name] = np.where(rng.random(rows) < BUYERS, amount, 0.0)
    aside = file.with_suffix(".part")
    pq.write_table(pa.table(table), aside, compression="zstd")
    aside.rename(file)


def upliftlab(file: Path) -> dict[str, float]:
    """`upliftlab run`: check, analysis, JSON, page; how large they are, how much is dealt."""
    holdout = float(file.stem.rpartition("-")[2])
    others = (1 - holdout) / (len(ARMS) - 1)
    experiment = file.with_suffix(".yaml")
    experiment.write_text(
        _EXPERIMENT.format(
            file=file.name,
            metrics=", ".join(METRICS),
            primary=METRICS[0],
            secondary=", ".join(METRICS[1:]),
            segments=", ".join(SEGMENTS),
            holdout=100 * holdout,
            others=100 * others,
        ),
        encoding="utf-8",
    )
    with tempfile.TemporaryDirectory() as out:
        command = ["run", str(experiment), "--data", str(file.parent), "--out", out, "--quiet"]
        command = [sys.executable, "-m", "upliftlab", *command]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, state, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(state)
        if process.returncode:
            raise SystemExit(f"exit code {process.returncode}")
        pages = {path.suffix: path.stat().st_size for path in Path(out).rglob("*.*")}
        (published,) = Path(out).rglob("analysis.json")
        methods = [f["method"] for f in json.loads(published.read_text("utf-8"))["findings"]]
    return {
        "seconds": taken,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
        "page": pages[".html"] / 1e6,
        "json": pages[".json"] / 1e6,
        "findings": len(methods),
        "dealt": sum("permutation" in method for method in methods),
    }


def _places() -> list[str | None]:
    return [None, *SEGMENTS]


def tea_tasting(file: Path) -> dict[str, float]:
    """Welch's difference and relative change of every metric, arm and level, arm by arm."""
    import polars as pl  # noqa: PLC0415 - a contender loads its own libraries only
    import tea_tasting as tt  # noqa: PLC0415

    experiment = tt.Experiment(
        {name: tt.Mean(name, use_t=True, equal_var=False) for name in METRICS}, variant="arm"
    )
    found = 0
    frame = pl.read_parquet(file).with_columns(pl.col("arm").cast(pl.String))
    for segment in _places():
        parts = [frame] if segment is None else frame.partition_by(segment)
        for part in parts:
            for result in experiment.analyze(part, control="none", all_variants=True).values():
                found += len(result)
    return {"findings": found}


def gbstats(file: Path) -> dict[str, float]:
    """GrowthBook's frequentist test with relative and absolute differences, from its moments."""
    import polars as pl  # noqa: PLC0415
    from gbstats.frequentist.tests import (  # noqa: PLC0415
        FrequentistConfig,
        TwoSidedTTest,
    )
    from gbstats.models.statistics import SampleMeanStatistic  # noqa: PLC0415

    found, frame = 0, pl.scan_parquet(file)
    sums = [pl.len().alias("n")]
    for name in METRICS:
        sums += [
            pl.col(name).sum().alias(f"{name}:1"),
            pl.col(name).pow(2).sum().alias(f"{name}:2"),
        ]
    queries = [frame.group_by(*filter(None, ("arm", s))).agg(sums) for s in _places()]
    for segment, cells in zip(_places(), pl.collect_all(queries), strict=True):
        by_place: dict[Any, dict[str, Any]] = {}
        for row in cells.iter_rows(named=True):
            by_place.setdefault(row.get(segment), {})[row["arm"]] = row
        for arms in by_place.values():
            for arm in ARMS[1:]:
                for name in METRICS:
                    pair = [
                        SampleMeanStatistic(
                            n=arms[a]["n"],
                            sum=arms[a][f"{name}:1"],
                            sum_squares=arms[a][f"{name}:2"],
                        )
                        for a in (ARMS[0], arm)
                    ]
                    for kind in ("absolute", "relative"):
                        config = FrequentistConfig(difference_type=kind)
                        TwoSidedTTest(*pair, config).compute_result()
                        found += 1
    return {"findings": found}


CONTENDERS = {"upliftlab": upliftlab, "tea_tasting": tea_tasting, "gbstats": gbstats}
_LOADS = {
    "upliftlab": (),
    "tea_tasting": ("polars", "tea_tasting"),
    "gbstats": ("polars", "gbstats"),
}


def run_here(name: str, file: Path) -> None:
    """Run one contender in this process and print what it took as JSON."""
    for module in _LOADS[name]:
        importlib.import_module(module)
    start = time.perf_counter()
    found = CONTENDERS[name](file)
    peak = resource.getrusage(resource.RUSAGE_SELF)
    own = {
        "seconds": time.perf_counter() - start,
        "cpu": peak.ru_utime + peak.ru_stime,
        "peak": peak.ru_maxrss / 1024,
    }
    print(json.dumps(own | found))


def run_apart(python: str, name: str, file: Path) -> dict[str, float] | str:
    """Run one contender in a process of its own; on failure, the last line of its complaint."""
    python = sys.executable if name == "upliftlab" else python
    command = [python, __file__, "--contender", name, "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Parse the command line, make the data, let contenders take turns, print medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--sigma", type=float, default=1.0, help="of the lognormal amounts")
    parser.add_argument("--holdout", type=float, default=0.2, help="the control's share")
    parser.add_argument("--python", default=sys.executable, help="has the others' libraries")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        make(chosen.file, chosen.rows, chosen.sigma, chosen.holdout)
        return 0
    if chosen.contender:
        run_here(chosen.contender, chosen.file)
        return 0
    name = f"segments-{chosen.rows}-{chosen.sigma}-{chosen.holdout}.parquet"
    file = (chosen.folder / name).absolute()
    if not file.exists():
        # In a process of its own: on Linux a child's peak starts from its parent's.
        asked = ["--rows", chosen.rows, "--sigma", chosen.sigma, "--holdout", chosen.holdout]
        command = [sys.executable, __file__, "--make", "--file", file, *asked]
        subprocess.run([str(part) for part in command], check=True)
    results: dict[str, list[dict[str, float]]] = {name: [] for name in chosen.only}
    faults: dict[str, str] = {}
    for _ in range(chosen.rounds):
        for name in chosen.only:
            measure = run_apart(chosen.python, name, file)
            if isinstance(measure, str):
                faults[name] = measure
            else:
                results[name].append(measure)
    print(f"{chosen.rows:,} customers, {file.stat().st_size / 2**20:.0f} MB of Parquet\n")
    for name, measures in results.items():
        if measures:
            median = {k: statistics.median(m[k] for m in measures) for k in measures[0]}
            told = "  ".join(f"{key} {value:,.4g}" for key, value in median.items())
            print(f"{name:<12} {told}")
    for name, fault in faults.items():
        print(f"{name} failed: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
