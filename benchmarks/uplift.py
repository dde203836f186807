"""How long does it take to choose among five arms for a million customers, with bands?

Each contender is a process of its own over the same numbers; contenders take turns, and medians
over the rounds are printed. `benchmarks/README.md` says how to run it and what is compared.
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
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

ARMS, FOLDS, POINTS = 5, 5, 50
"""Treatments beside the control; parts of the cross-fitting; budgets on a curve."""

Timed = Callable[[], object]


def argsort(rows: int, folder: Path) -> Timed:  # noqa: ARG001 - as all contenders
    """The floor: one argsort of the slopes of all steps."""
    from upliftlab.uplift.hull import hull  # noqa: PLC0415 - a contender's own library

    slopes = hull(*_predicted(rows)).slope
    return lambda: np.argsort(slopes)


def cost_curve(rows: int, folder: Path) -> Timed:  # noqa: ARG001
    """Hulls of all customers, and their steps in order."""
    from upliftlab.uplift.cost_curve import CostCurve  # noqa: PLC0415 - as above

    costs, rewards = _predicted(rows)
    return lambda: CostCurve.fit(costs, rewards)


def bands(rows: int, folder: Path) -> Timed:  # noqa: ARG001
    """A curve per fold, spend, gain and profit at each budget, and 1,000 draws of all three."""
    from upliftlab.uplift.cost_band import evaluated  # noqa: PLC0415 - as above
    from upliftlab.uplift.cost_folds import CostFolds  # noqa: PLC0415

    costs, rewards = _predicted(rows)
    rng = np.random.default_rng(2)
    fold, cluster = rng.integers(0, FOLDS, rows), np.arange(rows)
    cost, value = (
        np.hstack([np.zeros((rows, 1)), each + rng.normal(size=each.shape)])
        for each in (costs, rewards)
    )

    def timed() -> None:
        folds = CostFolds.fit(costs, rewards, fold)
        moves = folds.moves(np.linspace(0, folds.most(), POINTS))
        evaluated(moves, (value, cost), cluster, rng, 0.95)

    return timed


def _predicted(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Costs and rewards of each arm: dearer arms bring more, to some customers nothing does."""
    rng = np.random.default_rng(1)
    costs = rng.lognormal(0, 0.5, (rows, ARMS))
    return costs, 0.5 * costs + rng.normal(0.5, 1, (rows, ARMS))


@dataclass(frozen=True)
class Contender:
    """What is timed.

    Attributes:
        prepare: Makes what it needs, off the clock, and gives what is timed. It gets the number of
            rows and a folder in which to keep files.
        against: The contender whose time its own is told as a multiple of.
    """

    prepare: Callable[[int, Path], Timed]
    against: str


CONTENDERS = {
    "argsort": Contender(argsort, "argsort"),
    "cost_curve": Contender(cost_curve, "argsort"),
    "bands": Contender(bands, "argsort"),
}


def run(name: str, rows: int, folder: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one contender in a process of its own."""
    asked = [sys.executable, __file__, "--contender", name, "--rows", str(rows)]
    done = subprocess.run(
        [*asked, "--folder", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["megabytes"]


def alone(name: str, rows: int, folder: Path) -> None:
    """Run one contender in this process."""
    timed = CONTENDERS[name].prepare(rows, folder)
    start = time.perf_counter()
    timed()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak}))


def main() -> None:
    """Run the contenders in turn, or one of them alone in this process."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="customers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=CONTENDERS)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.contender:
        alone(chosen.contender, chosen.rows, chosen.folder)
        return
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen.only}
    for _ in range(chosen.rounds):
        for name in chosen.only:
            found[name].append(run(name, chosen.rows, chosen.folder))
    print(f"{date.today()}: {chosen.rows:,} customers, {chosen.rounds} rounds")  # noqa: DTZ011 - a heading
    medians = {name: statistics.median(each for each, _ in runs) for name, runs in found.items()}
    for name, seconds in medians.items():
        floor = CONTENDERS[name].against
        times = f"{seconds / medians[floor]:6.2f} x {floor}" if floor in medians else ""
        megabytes = max(each for _, each in found[name])
        print(f"{name:<14} {seconds:8.2f} s {megabytes:8,.0f} MB {times}")


if __name__ == "__main__":
    main()
