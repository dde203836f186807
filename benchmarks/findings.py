"""How long does it take from sums to findings, and to divide the units of a skewed difference anew?

`benchmarks/README.md` says what is compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice
from upliftlab.analysis.contrasts import InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.findings import find
from upliftlab.config.models import EngineSettings, Metric, Source
from upliftlab.config.models.experiment import ExperimentFile, Plan
from upliftlab.money import ArmTerms, Roles
from upliftlab.results.costs import CostStep
from upliftlab.stats.calibration import Measure, Measured, Units
from upliftlab.stats.moments import Moments
from upliftlab.stats.permutation import Precision

METRICS, LEVELS = 100, 99
ARMS = ("holdout", "email", "sms")


def findings() -> Callable[[], object]:
    """All findings of 100 metrics and money, three arms in 99 levels and overall: 300 cells."""
    plan, spec = _plan(), _spec()
    aggregates = _aggregates()
    return lambda: find(
        plan, spec, contrasts_of(spec, spec.projected(aggregates), InferenceSettings())
    )


def _aggregates() -> Aggregates:
    rng = np.random.default_rng(1)
    slopes = rng.normal(size=(METRICS, METRICS)) / 10 + np.eye(METRICS)
    places = [OVERALL, *(Slice("region", f"{number:02}") for number in range(LEVELS))]
    return {
        place: {arm: Moments.of(5 + rng.normal(size=(200, METRICS)) @ slopes) for arm in ARMS}
        for place in places
    }


def _spec() -> EstimationSpec:
    names = tuple(f"metric_{number:02}" for number in range(METRICS))
    terms = {
        arm: ArmTerms(0.4, {CostStep.contact_cost: 0.1 if arm != "holdout" else 0.0})
        for arm in ARMS
    }
    return EstimationSpec(
        metrics=names,
        columns=names,
        ratios={},
        control="holdout",
        treatments=ARMS[1:],
        channels={},
        roles=Roles(revenue=0),
        terms=terms,
        hurdle=0.0,
        confidence=0.95,
        segments=("region",),
    )


def _plan() -> Plan:
    source = {"file": "customers.parquet", "id": "customer_id"}
    names = _spec().metrics
    experiment = ExperimentFile.model_validate(
        {
            "schema": "1",
            "experiment": "benchmark",
            "customers": source,
            "assignment": {"observed": "arm"},
            "arms": {"holdout": {"control": True}, "email": {}, "sms": {}},
            "metrics": {"primary": names[0], "secondary": names[1:]},
        }
    )
    return Plan(
        experiment=experiment,
        customers=Source.model_validate(source),
        currency=None,
        engine=EngineSettings(),
        arms=experiment.arms,
        channels={},
        metrics={name: Metric(column=name) for name in names},
        covariates={},
        segments={},
        sources={},
    )


def permutation(buyers: int, share: float) -> Callable[[], object]:
    """Divisions of units of which so many spent, all differently, and 50 times as many."""
    rng = np.random.default_rng(1)
    spent = np.append(0.0, rng.lognormal(3, 1.5, buyers))[:, None]
    treated = np.append(round(49 * buyers * share), rng.random(buyers) < share)
    everybody = np.append(49 * buyers, np.ones(buyers))
    counts = np.stack([treated, everybody - treated]).astype(np.int64)
    group, kind = np.nonzero(counts)
    units = Units(spent[kind], group, counts[group, kind], np.array([True, False]))
    return lambda: Measured.of(units, Measure(np.ones((2, 1)))).draws(Precision())


def main() -> None:
    """Run each contender some times and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=200_000, help="units that spent something")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    contenders = {
        "findings": findings(),
        "permutation 50/50": permutation(chosen.rows, 0.5),
        "permutation 95/5": permutation(chosen.rows, 0.95),
    }
    print(f"{date.today()}: {chosen.rows:,} units that spent something")  # noqa: DTZ011 - a heading
    for name, contender in contenders.items():
        seconds: list[float] = []
        for _ in range(chosen.rounds):
            start = time.perf_counter()
            contender()
            seconds.append(time.perf_counter() - start)
        print(f"{name:<18} {statistics.median(seconds):8.2f} s")


if __name__ == "__main__":
    main()
