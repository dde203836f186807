"""How long does the analysis of a data frame take, and how much memory, beside tea-tasting?

Each contender makes the same frame from one Parquet file in a process of its own and analyses it;
contenders take turns, and medians over the rounds are printed. Making the frame, imports and a
first analysis of a few rows are not timed. `benchmarks/README.md` says what is compared.
"""

from __future__ import annotations

import argparse
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

METRICS = ("revenue", "conversion", "visits", "margin")
AGREEMENT = 1e-9
"""Relative difference up to which two effects count as the same."""
_FEW = 1_000
_MAKE = """
copy (
  with chance as (
    select i,
      (hash(16 * i + 1) >> 11) / 9007199254740992.0 as u1,
      1 - (hash(16 * i + 2) >> 11) / 9007199254740992.0 as u2
    from range({rows}) as numbers(i)
  )
  select
    (hash(16 * i + 4) % 2)::int as variant,
    case when variant = 1 then 'email' else 'holdout' end as arm,
    case when u1 < 0.1 + 0.002 * variant then round(60 * exp(0.8 * sqrt(-2 * ln(u2))), 2) else 0.0
    end as revenue,
    (u1 < 0.1 + 0.002 * variant)::double as conversion,
    (hash(16 * i + 7) % 6)::double as visits,
    round(revenue * (0.3 + 0.1 * u2), 2) as margin
  from chance
) to '{file}' (format parquet, compression zstd)
"""
_EXPERIMENT: dict[str, Any] = {
    "schema": 1,
    "experiment": "frames",
    "customers": {"table": "customers"},
    "metrics": {"primary": METRICS[0], "secondary": list(METRICS[1:])},
}
_ARMS = {"variant": ("0", "1"), "arm": ("holdout", "email")}
"""The column that holds the arm as a number, and as a text, with control and treatment."""
Analyze = Callable[[Any], dict[str, float]]


class Measure(NamedTuple):
    """What one run of one contender took, and the effects that it found."""

    seconds: float
    frame_mb: float
    """The process's peak before the analysis that is timed."""
    peak_mb: float
    found: dict[str, float]


def make(file: Path, rows: int) -> None:
    """Write the customers, once: a finished file is kept."""
    import duckdb  # noqa: PLC0415 - the process that starts the contenders stays small

    aside = file.with_suffix(".part")
    with duckdb.connect() as connection:
        connection.execute(_MAKE.format(rows=rows, file=aside))
    aside.rename(file)


def frame(library: str, file: Path, column: str) -> Any:  # noqa: ANN401 - any library's frame
    """The file's arm and metrics as a frame."""
    columns = [column, *METRICS]
    if library == "polars":
        import polars as pl  # noqa: PLC0415 - a contender loads its own libraries only

        return pl.read_parquet(file, columns=columns)
    import pyarrow.parquet as pq  # noqa: PLC0415 - the same

    table = pq.read_table(file, columns=columns)
    return table if library == "pyarrow" else table.to_pandas(split_blocks=True)


def upliftlab(column: str) -> Analyze:
    """The whole analysis: effects with intervals, checks of the data, verdict, fingerprint."""
    from upliftlab import Experiment  # noqa: PLC0415 - a contender loads its own libraries only

    control, treated = _ARMS[column]
    arms = {control: {"control": True}, treated: {}}
    asked = _EXPERIMENT | {"assignment": {"observed": column}, "arms": arms}
    experiment = Experiment.from_dict(asked, folder=tempfile.gettempdir())

    def analyze(given: Any) -> dict[str, float]:  # noqa: ANN401 - any library's frame
        found = experiment.analyze(given).find(kind="difference", dimension=None)
        return {each.metric: each.estimate or 0.0 for each in found}

    return analyze


def tea_tasting(column: str) -> Analyze:
    """Its experiment with a mean for each metric."""
    import tea_tasting as tt  # noqa: PLC0415 - a contender loads its own libraries only

    means = {name: tt.Mean(name) for name in METRICS}
    experiment = tt.Experiment(means, variant=column)
    control = _ARMS[column][0]

    def analyze(given: Any) -> dict[str, float]:  # noqa: ANN401 - any library's frame
        first = int(control) if column == "variant" else control
        found = experiment.analyze(given, control=first)
        return {name: float(found[name].effect_size) for name in METRICS}

    return analyze


CONTENDERS: dict[str, tuple[Callable[[str], Analyze], str, str]] = {
    f"{name} {library} {kind}": (made, library, column)
    for kind, column in (("number", "variant"), ("text", "arm"))
    for library in ("polars", "pandas", "pyarrow")
    for name, made in (("upliftlab", upliftlab), ("tea_tasting", tea_tasting))
}
"""Who analyses a frame of which library, with the arm as what."""


def run_here(name: str, file: Path) -> None:
    """Run one contender in this process and print its measure as JSON."""
    made, library, column = CONTENDERS[name]
    analyze, given = made(column), frame(library, file, column)
    analyze(given[:_FEW])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    found = analyze(given)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(Measure(seconds, before, peak, found)))


def run_apart(name: str, file: Path) -> Measure | str:
    """Run one contender in a process of its own; on failure, the last line of its complaint."""
    command = [sys.executable, __file__, "--contender", name, "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return Measure(*json.loads(done.stdout.splitlines()[-1]))


def compete(file: Path, names: list[str], rounds: int) -> dict[str, list[Measure] | str]:
    """Let contenders take turns; one that fails is not asked again."""
    results: dict[str, list[Measure] | str] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name, measures in results.items():
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
    """Medians, and upliftlab's time as a multiple of tea-tasting's on the same frame."""
    heads = ("median s", "fastest", "slowest", "x tea", "frame MB", "peak MB")
    lines = [f"{'contender':<28}" + "".join(f"{head:>10}" for head in heads)]
    for name, measures in results.items():
        if isinstance(measures, str) or not measures:
            lines.append(f"{name:<28}not measured: {measures}")
            continue
        seconds = [measure.seconds for measure in measures]
        median = statistics.median(seconds)
        other = results.get(name.replace("upliftlab", "tea_tasting"), [])
        beside = [m.seconds for m in other if isinstance(m, Measure)]
        ratio = f"{median / statistics.median(beside):.2f}" if beside else "-"
        memory = [max(m[at] for m in measures) for at in (1, 2)]
        figures = [*(f"{value:.3f}" for value in (median, min(seconds), max(seconds))), ratio]
        cells = [*figures, *(f"{value:.0f}" for value in memory)]
        lines.append(f"{name:<28}" + "".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines)


def disagreements(results: dict[str, list[Measure] | str]) -> list[str]:
    """Where contenders found different effects."""
    found = {
        name: measures[-1].found
        for name, measures in results.items()
        if not isinstance(measures, str) and measures
    }
    if not found:
        return []
    first, reference = next(iter(found.items()))
    return [
        f"{name} finds {metric} = {effects[metric]!r}, {first} finds {reference[metric]!r}"
        for name, effects in found.items()
        for metric in reference
        if abs(effects[metric] - reference[metric]) > AGREEMENT * max(1, abs(reference[metric]))
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
    chosen = parser.parse_args()
    if chosen.contender:
        run_here(chosen.contender, chosen.file)
        return 0
    file = chosen.folder / f"upliftlab-frames-{chosen.rows}.parquet"
    if not file.exists():
        make(file, chosen.rows)
    results = compete(file, chosen.only, chosen.rounds)
    print(table(results))
    for line in (found := disagreements(results)):
        print(f"failed: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
