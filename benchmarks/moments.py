"""How long do the moments of 10 million customers take, and how much memory?

Each contender reads the same Parquet file in a process of its own; contenders take turns, and
medians over the rounds are printed. `benchmarks/README.md` says how to run it and what is
compared.
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
from collections.abc import Callable, Iterable
from itertools import combinations_with_replacement
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from upliftlab.config.models.experiment import Plan
    from upliftlab.engines.duckdb import DuckDB
    from upliftlab.queries.moments import MomentsQuery

KEYS = ("arm", "segment", "channel")
METRICS = ("revenue", "conversion", "visits", "revenue_before")
PAIRS = tuple(combinations_with_replacement(METRICS, 2))
AGREEMENT = 1e-9
"""Relative difference up to which two contenders count as having found the same."""

# A hash of the row number serves as the source of chance, so that any number of threads makes
# the same customers. The uniform u1 decides on a purchase, the others make lognormal amounts.
_MAKE = """
copy (
  with chance as (
    select i,
      (hash(16 * i + 1) >> 11) / 9007199254740992.0 as u1,
      1 - (hash(16 * i + 2) >> 11) / 9007199254740992.0 as u2,
      (hash(16 * i + 3) >> 11) / 9007199254740992.0 as u3
    from range({rows}) as numbers(i)
  )
  select
    ['holdout', 'email', 'sms', 'letter'][1 + (hash(16 * i + 4) % 4)::int] as arm,
    ['active', 'declining', 'lapsed'][1 + (hash(16 * i + 5) % 3)::int] as segment,
    ['shop', 'web', 'app', 'phone'][1 + (hash(16 * i + 6) % 4)::int] as channel,
    case when u1 < 0.1 then round(60 * exp(0.8 * sqrt(-2 * ln(u2)) * cos(2 * pi() * u3)), 2)
         else 0.0 end as revenue,
    (u1 < 0.1)::double as conversion,
    (hash(16 * i + 7) % 6)::double as visits,
    round(100 * exp(0.5 * sqrt(-2 * ln(1 - u1)) * sin(2 * pi() * u3)), 2) as revenue_before
  from chance
) to '{file}' (format parquet, compression zstd)
"""


class Measure(NamedTuple):
    """What one run of one contender took, and a digest of what it found."""

    seconds: float
    """From opening the file to the finished numbers, without interpreter start and imports."""
    peak_mb: float
    found: dict[str, float]


def make(file: Path, rows: int) -> None:
    """Write the customers, once: a finished file is kept."""
    import duckdb  # noqa: PLC0415 - the process that starts the contenders stays small

    aside = file.with_suffix(".part")
    with duckdb.connect() as connection:
        connection.execute(_MAKE.format(rows=rows, file=aside))
    aside.rename(file)


def scan(file: Path) -> dict[str, float]:
    """Read the same columns in DuckDB and do next to nothing with them: the floor."""
    import duckdb  # noqa: PLC0415 - a contender loads its own libraries only

    sums = ", ".join(f"sum({metric})" for metric in METRICS)
    highest = ", ".join(f"max({key})" for key in KEYS)
    with duckdb.connect() as connection:
        connection.sql(f"select {sums}, {highest} from '{file}'").fetchall()
    return {}


def upliftlab(file: Path) -> dict[str, float]:
    """The Moments query as the product runs it: a sample, one scan, rows read into Moments."""
    from upliftlab.analysis.aggregation import cells_of  # noqa: PLC0415 - a contender's own libraries
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415 - the same

    with DuckDB(lambda name: file.parent / name) as engine:
        cells = cells_of(_query(engine, file), engine)
    found = [cell.moments for cell in cells[KEYS[1:]]]
    return _digest(
        sum(cell.n for cell in found),
        [cell.m2[0, 0] for cell in found],
        [cell.m2[0, 1] for cell in found],
    )


def _query(engine: DuckDB, file: Path) -> MomentsQuery:
    from upliftlab.config.models import Metric, Segment, Source  # noqa: PLC0415 - as above
    from upliftlab.queries.moments import MomentsQuery  # noqa: PLC0415
    from upliftlab.queries.population import AnalysisPopulation  # noqa: PLC0415
    from upliftlab.queries.units import UnitColumns, UnitTable  # noqa: PLC0415

    engine.attach("customers", Source(file=file.name))
    frame = AnalysisPopulation(
        "customers AS c", engine.columns("customers"), {"arm": f"c.{KEYS[0]}"}
    )
    metrics = {name: Metric(column=name) for name in METRICS}
    asked = UnitColumns(metrics, METRICS, {name: Segment(column=name) for name in KEYS[1:]})
    units = f"({UnitTable(frame, asked).sql()}) AS units"
    return MomentsQuery(units, METRICS, KEYS[1:])


def statistics_after(file: Path) -> dict[str, float]:
    """What follows the query: roll-ups, money, every finding, checks and the verdict."""
    from upliftlab.analysis import aggregates, contrasts, estimation, findings, verdict  # noqa: PLC0415 - a contender's own libraries
    from upliftlab.analysis.aggregation import cells_of  # noqa: PLC0415
    from upliftlab.analysis.checks import definition, registry  # noqa: PLC0415
    from upliftlab.analysis.look import LookSchedule  # noqa: PLC0415
    from upliftlab.engines.duckdb import DuckDB  # noqa: PLC0415

    plan = _plan(file)
    asked = estimation.estimation_spec(plan)
    with DuckDB(lambda name: file.parent / name) as engine:
        cells = cells_of(_query(engine, file), engine)
    start = time.perf_counter()
    cells_by_place = aggregates.roll_up(cells, tuple(plan.segments))
    projected = asked.projected(cells_by_place)
    compared = contrasts.contrasts_of(asked, projected, contrasts.InferenceSettings())
    found = findings.find(plan, asked, compared)
    asking = registry.own_checks()
    unknown = definition.Facts({fact: None for check in asking for fact in check.facts})
    inputs = definition.CheckInputs(plan, asked, LookSchedule(), unknown, cells_by_place)
    judged = registry.asked(asking, inputs)
    verdict.decide(verdict.VerdictInputs(plan, asked, compared, judged, found, ()))
    return {"seconds": time.perf_counter() - start}


def _plan(file: Path) -> Plan:
    """Three arms against a holdout, all four metrics, both segments and money."""
    from upliftlab.config.models import Channel, Metric, Segment, Source  # noqa: PLC0415 - as above
    from upliftlab.config.models.experiment import ExperimentFile, Plan  # noqa: PLC0415

    source = Source(file=file.name)
    names = ("email", "sms", "letter")
    arms = {name: {"channel": name, "cost_per_contact": "0.1"} for name in names}
    experiment = ExperimentFile.model_validate(
        {
            "schema": "1",
            "experiment": "benchmark",
            "customers": {"file": file.name},
            "assignment": {"observed": KEYS[0]},
            "arms": {"holdout": {"control": "true"}, **arms},
            "metrics": {"primary": METRICS[0], "secondary": list(METRICS[1:])},
            "money": {"revenue": METRICS[0], "margin": "40%"},
            "segments": list(KEYS[1:]),
        }
    )
    return Plan(
        experiment=experiment,
        customers=source,
        currency=None,
        arms=experiment.arms,
        channels={name: Channel() for name in names},
        metrics={name: Metric(column=name) for name in METRICS},
        segments={name: Segment(column=name) for name in KEYS[1:]},
        sources={},
    )


def pandas(file: Path) -> dict[str, float]:
    """The same moments with a groupby over centred products, keys read as categories."""
    import pandas as pd  # noqa: PLC0415 - a contender loads its own libraries only
    import pyarrow.parquet as pq  # noqa: PLC0415 - the same

    frame = pq.read_table(file, read_dictionary=list(KEYS)).to_pandas()
    metrics = list(METRICS)
    groups = frame.groupby(list(KEYS), observed=True)
    counts = groups.size()
    centred = frame[metrics] - groups[metrics].transform("mean")
    products = {f"{a}*{b}": centred[a] * centred[b] for a, b in PAIRS}
    aggregates_by = {f"{a}^3": products[f"{a}*{a}"] * centred[a] for a in METRICS}
    keys = [frame[key] for key in KEYS]
    sums = pd.DataFrame(products | aggregates_by).groupby(keys, observed=True).sum()
    return _digest(int(counts.sum()), sums["revenue*revenue"], sums["revenue*conversion"])


def tea_tasting(file: Path) -> dict[str, float]:
    """tea-tasting's own aggregation over Polars: no third moments, and one key column."""
    import polars as pl  # noqa: PLC0415 - a contender loads its own libraries only
    from tea_tasting.aggr import read_aggregates  # noqa: PLC0415 - the same

    cell = pl.concat_str(KEYS, separator="|").alias("cell")
    found = read_aggregates(
        pl.scan_parquet(file).with_columns(cell),
        "cell",
        has_count=True,
        mean_cols=METRICS,
        var_cols=METRICS,
        cov_cols=[(a, b) for a, b in PAIRS if a != b],
    ).values()
    return _digest(
        sum(cell.count() for cell in found),
        [cell.var("revenue") * (cell.count() - 1) for cell in found],
        [cell.cov("revenue", "conversion") * (cell.count() - 1) for cell in found],
    )


def _digest(n: int, squares: Iterable[float], products: Iterable[float]) -> dict[str, float]:
    """Totals over the cells that contenders must agree on."""
    return {"n": n, "revenue²": float(sum(squares)), "revenue·conversion": float(sum(products))}


CONTENDERS: dict[str, Callable[[Path], dict[str, float]]] = {
    "scan": scan,
    "upliftlab": upliftlab,
    "statistics": statistics_after,
    "pandas": pandas,
    "tea_tasting": tea_tasting,
}
_LOADS = {
    "scan": ("duckdb",),
    "upliftlab": ("upliftlab.analysis.aggregation", "upliftlab.engines.duckdb"),
    "statistics": ("upliftlab.analysis.verdict", "upliftlab.engines.duckdb"),
    "pandas": ("pandas", "pyarrow.parquet"),
    "tea_tasting": ("polars", "tea_tasting.aggr"),
}


def run_here(name: str, file: Path) -> None:
    """Run one contender in this process and print its measure as JSON."""
    for module in _LOADS[name]:
        importlib.import_module(module)
    start = time.perf_counter()
    found = CONTENDERS[name](file)
    seconds = found.pop("seconds", time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(Measure(seconds, peak, found)))


def run_apart(name: str, file: Path) -> Measure | str:
    """Run one contender in a process of its own; on failure, the last line of its complaint.

    On Linux a child's peak starts from its parent's, which is why this process imports nothing big.
    """
    command = [sys.executable, __file__, "--contender", name, "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return Measure(*json.loads(done.stdout.splitlines()[-1]))


def compete(file: Path, names: list[str], rounds: int) -> dict[str, list[Measure] | str]:
    """Let contenders take turns; one that fails is not asked again."""
    run_apart("scan", file)  # brings the file into the page cache; not counted
    results: dict[str, list[Measure] | str] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name in names:
            measures = results[name]
            if isinstance(measures, str):
                continue
            print(f"round {number} of {rounds}: {name} …", file=sys.stderr)
            measure = run_apart(name, file)
            if isinstance(measure, str):
                results[name] = measure
            else:
                measures.append(measure)
    return results


def table(results: dict[str, list[Measure] | str]) -> str:
    """Medians, and each contender's time as a multiple of the scan's."""
    floor = _median(results.get("scan", []))
    heads = ("median s", "fastest", "slowest", "x scan", "peak MB")
    lines = [f"{'contender':<12}" + "".join(f"{head:>10}" for head in heads)]
    for name, measures in results.items():
        median = _median(measures)
        if isinstance(measures, str) or median is None:
            lines.append(f"{name:<12} not measured: {measures}")
            continue
        seconds = [measure.seconds for measure in measures]
        ratio = f"{median / floor:.2f}" if floor else "-"
        peak = max(measure.peak_mb for measure in measures)
        figures = [f"{value:.3f}" for value in (median, min(seconds), max(seconds))]
        cells = [*figures, ratio, f"{peak:.0f}"]
        lines.append(f"{name:<12}" + "".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines)


def _median(measures: list[Measure] | str) -> float | None:
    if isinstance(measures, str) or not measures:
        return None
    return statistics.median(measure.seconds for measure in measures)


def disagreements(results: dict[str, list[Measure] | str]) -> list[str]:
    """Where contenders found different totals."""
    found = {
        name: measures[-1].found
        for name, measures in results.items()
        if not isinstance(measures, str) and measures and measures[-1].found
    }
    if not found:
        return []
    first, reference = next(iter(found.items()))
    return [
        f"{name} finds {key} = {digest[key]!r}, {first} finds {reference[key]!r}"
        for name, digest in found.items()
        for key in reference
        if abs(digest[key] - reference[key]) > AGREEMENT * abs(reference[key])
    ]


def main() -> int:
    """Parse the command line, make the data, compete, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        make(chosen.file, chosen.rows)
        return 0
    if chosen.contender:
        run_here(chosen.contender, chosen.file)
        return 0
    file = chosen.folder / f"upliftlab-benchmark-{chosen.rows}.parquet"
    if not file.exists():
        print(f"making {file} …", file=sys.stderr)
        # In a process of its own, as the contenders: see run_apart.
        command = [sys.executable, __file__, "--make", "--file", str(file)]
        subprocess.run([*command, "--rows", str(chosen.rows)], check=True)
    results = compete(file, chosen.only, chosen.rounds)
    print(f"{chosen.rows:,} customers, {file.stat().st_size / 2**20:.0f} MB of Parquet\n")
    print(table(results))
    faults = [
        *(f"{name} failed" for name, got in results.items() if isinstance(got, str)),
        *disagreements(results),
    ]
    print("\n" + "\n".join(faults or ["All contenders found the same."]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
