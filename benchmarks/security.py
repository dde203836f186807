"""How much slower is `upliftlab run` in one source tree than in another?

Whole processes as a user starts them, the trees taking turns; medians over the rounds and their
ratio are printed. `benchmarks/README.md` says how to run it and what is compared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

# A hash of the row number is the source of chance, so that any machine makes the same table.
_CUSTOMERS = """
copy (
  select i as customer_id,
    ['none', 'mail', 'sms'][1 + (hash(5 * i) % 3)::int] as arm,
    ['north', 'east', 'south', 'west'][1 + (hash(5 * i + 1) % 4)::int] as region,
    ['low', 'middle', 'high'][1 + (hash(5 * i + 2) % 3)::int] as value_band,
    (hash(5 * i + 3) % 10 = 0)::int as visit,
    case when hash(5 * i + 3) % 50 = 0 then ((hash(5 * i + 4) % 20000) / 100.0)::double
      else 0.0 end as spend
  from range({rows}) as numbers(i)
) to '{file}' (format parquet, compression zstd, compression_level 1)
"""
_EXPERIMENT = """
schema: 1
experiment: ten_million
customers: {file: customers.parquet, id: customer_id, known_after: [visit, spend]}
assignment: {observed: arm}
arms:
  none: {control: true}
  mail: {channel: email, cost_per_contact: 0.10}
  sms:  {channel: sms, cost_per_contact: 0.20}
currency: EUR
metrics: {primary: spend, secondary: [visit]}
money: {revenue: spend, margin: 40%}
segments: [region, value_band]
"""


def customers(folder: Path, rows: int) -> tuple[Path, Path]:
    """An experiment on so many customers and the folder of its data; made once for a number."""
    import duckdb  # noqa: PLC0415 - only what makes the data needs it

    data = folder / f"customers-{rows}"
    data.mkdir(parents=True, exist_ok=True)
    file = data / "customers.parquet"
    if not file.exists():
        duckdb.sql(_CUSTOMERS.format(rows=rows, file=file.with_suffix(".part")))
        file.with_suffix(".part").rename(file)
    experiment = data / "ten_million.yaml"
    experiment.write_text(_EXPERIMENT, encoding="utf-8")
    return experiment, data


def run(tree: Path, experiment: Path, data: Path) -> tuple[float, float]:
    """Seconds of one run, from the start of its process to its end: on the clock, of processors."""
    with tempfile.TemporaryDirectory() as out, tempfile.TemporaryFile() as said:
        command = [sys.executable, "-m", "upliftlab", "run", experiment, "--data", data]
        # An installed package's modules are compiled; those of a tree are by the first run.
        usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        start = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--out", out, "--quiet"],
            stdout=said,
            stderr=said,
            env={**usual, "PYTHONPATH": str(tree / "src")},
        )
        _, state, usage = os.wait4(process.pid, 0)
        taken = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(state)
        if process.returncode != 0:
            said.seek(0)
            raise SystemExit(f"{tree} failed on {experiment}:\n{said.read().decode()}")
    return taken, usage.ru_utime + usage.ru_stime


def compare(name: str, trees: dict[str, Path], case: tuple[Path, Path], rounds: int) -> None:
    """Let the trees take turns, who begins changing from round to round, and print two lines."""
    for tree in trees.values():
        run(tree, *case)  # compiles the modules and fills the page cache
    taken: dict[str, list[tuple[float, float]]] = {which: [] for which in trees}
    for number in range(rounds):
        for which in sorted(trees, reverse=bool(number % 2)):
            taken[which].append(run(trees[which], *case))
    for at, clock in enumerate(("seconds", "CPU seconds")):
        first, second = ([times[at] for times in taken[which]] for which in ("before", "after"))
        before, after = statistics.median(first), statistics.median(second)
        print(
            f"{name:<16} {clock:<12} before {before:7.2f} ({min(first):.2f}-{max(first):.2f})  "
            f"after {after:7.2f} ({min(second):.2f}-{max(second):.2f})  ratio {after / before:.3f}",
            flush=True,
        )


def main() -> None:
    """Compare two trees on each case."""
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--before", type=Path, required=True, help="a checkout, with src/ in it")
    parser.add_argument("--after", type=Path, default=root, help="another; this one unless told")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "security")
    parser.add_argument("--hillstrom", type=Path, help="the folder with hillstrom.csv.gz")
    chosen = parser.parse_args()
    trees = {"before": chosen.before.resolve(), "after": chosen.after.resolve()}
    print(f"{date.today()}: upliftlab run, {chosen.rounds} rounds")  # noqa: DTZ011 - a heading
    if chosen.hillstrom is not None:
        case = root / "experiments" / "hillstrom_email.yaml", chosen.hillstrom.resolve()
        compare("hillstrom", trees, case, chosen.rounds)
    case = customers(chosen.folder.resolve(), chosen.rows)
    compare(f"{chosen.rows:,} rows", trees, case, chosen.rounds)


if __name__ == "__main__":
    main()
