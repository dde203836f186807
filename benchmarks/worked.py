"""How often the reports of the five worked examples hold the truth: docs/questions.md.

Each seed draws a world as `upliftlab simulate --world NAME --seed SEED` does, analyses it by the
public API and compares every interval with truth.json. An interval that is withheld counts neither
way; one without an end cannot err there.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from upliftlab import Experiment
from upliftlab.results.analysis import Analysis
from upliftlab.results.uplift import UpliftResult
from upliftlab.simulate.worked import WORLDS, draw_example

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
Truth = dict[str, Any]
"""What truth.json holds."""
MEASURES = ("incremental_profit", "roi", "cost_per_conversion")


class Held(NamedTuple):
    """An interval beside the truth."""

    measure: str
    low: float | None
    high: float | None
    truth: float

    @property
    def side(self) -> str:
        """Whether the truth is inside, or on which side the interval lies of it."""
        if self.low is None and self.high is None:
            return "withheld"
        if self.high is not None and self.high < self.truth:
            return "below"
        return "above" if self.low is not None and self.low > self.truth else "holds"


def findings(analysis: Analysis, truth: Truth) -> Iterator[Held]:
    """Intervals of the report whose truth is known."""
    known = {(r["arm"], r["control"], r["dimension"], r["level"]): r for r in truth["effects"]}
    for found in (*analysis.findings, *analysis.compared):
        record = known.get((found.arm, found.control, found.dimension, found.level))
        if found.kind not in MEASURES or record is None or not record.get(found.kind):
            continue
        if found.dimension == "contact_channel":
            continue
        where = "levels" if found.dimension else "arms"
        if found.dimension is None and found.control != analysis.arms[0].arm:
            where = "steps"
        yield Held(f"{found.kind}, {where}", found.low, found.high, record[found.kind])
    for bridge in analysis.bridges:
        record = known.get((bridge.arm, analysis.arms[0].arm, bridge.dimension, bridge.level))
        if bridge.subsidy is not None and record and "redeemed_beyond_conversions" in record:
            told = bridge.subsidy
            yield Held(
                "redeemed anyway", told.low, told.high, record["redeemed_beyond_conversions"]
            )


def policies(found: UpliftResult, truth: Truth) -> Iterator[Held]:
    """What choosing by risk is worth, and contacting everybody."""
    rules = {each["rule"]: each["profit_per_customer"] for each in truth["answers"]["rules"]}
    names = {"today": "by_risk", "treat_all": "everybody"}
    for policy in found.policies:
        if policy.name in names:
            value = policy.value
            yield Held(
                f"policy {names[policy.name]}", value.low, value.high, rules[names[policy.name]]
            )


def tried(name: str, seed: int, customers: int | None, *, learn: bool) -> list[Held]:
    """One draw of a world, analysed."""
    example = WORLDS[name]
    experiment = Experiment.from_yaml(EXPERIMENTS / example.file)
    many = customers or example.customers
    tables, truth = draw_example(example, experiment.resolved, seed=seed, customers=many)
    given = {"customers" if table == "media" else table: each for table, each in tables.items()}
    held = list(findings(experiment.analyze(given), truth))
    if learn and experiment.resolved.experiment.uplift is not None:
        held += policies(experiment.learn(given), truth)
    return held


def told(name: str, seeds: int, held: list[Held]) -> Iterator[str]:
    """A line for each measure."""
    by_measure: dict[str, list[str]] = defaultdict(list)
    for each in held:
        by_measure[each.measure].append(each.side)
    for measure, sides in by_measure.items():
        given = [side for side in sides if side != "withheld"]
        holds, below, above = (
            100 * given.count(side) / max(1, len(given)) for side in ("holds", "below", "above")
        )
        error = 100 * math.sqrt(0.95 * 0.05 / seeds)
        yield (
            f"{name:<12} {measure:<32} {len(given):>6} {len(sides) - len(given):>5} "
            f"{holds:6.1f} ({below:.1f} / {above:.1f}) ±{error:.1f}"
        )


def main() -> None:
    """Try the worlds that are named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    asked.add_argument("--seeds", type=int, default=200)
    asked.add_argument("--first", type=int, default=1, help="the first seed")
    asked.add_argument("--customers", type=int, help="of each world; its own number by default")
    asked.add_argument("--no-learn", action="store_true", help="no models of who responds")
    asked.add_argument("--save", type=Path, help="add intervals to this file, as JSON lines")
    given = asked.parse_args()
    print(f"{'world':<12} {'intervals of':<32} {'given':>6} {'none':>5}  holds (below / above) %")
    for name in given.worlds:
        started, held = time.monotonic(), []
        for seed in range(given.first, given.first + given.seeds):
            found = tried(name, seed, given.customers, learn=not given.no_learn)
            held += found
            if given.save is not None:
                with given.save.open("a", encoding="utf-8") as file:
                    file.write(
                        json.dumps([name, seed, [[*each, each.side] for each in found]]) + "\n"
                    )
        for line in told(name, given.seeds, held):
            print(line, flush=True)
        print(f"{name:<12} {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
