"""Rows of several customers beside the single customers that they are of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from upliftlab import Experiment
from upliftlab.results.analysis import Analysis

NUMBERS = ("estimate", "se", "low", "high", "p", "p_adjusted", "shrunken")
EXACT = ("kind", "metric", "arm", "dimension", "level", "n_treated", "n_control", "method", "note")
FOLDER = Path(__file__).parent
"""A workspace without configs."""
BASE: Mapping[str, object] = {
    "schema": 1,
    "experiment": "grouped",
    "assignment": {"observed": "arm"},
    "arms": {"none": {"control": True}, "mail": {}, "push": {}},
}


def experiment(
    customers: Mapping[str, object],
    configs: Mapping[str, Mapping[str, object]] | None = None,
    **asked: object,
) -> Experiment:
    """An experiment on a table of customers that is given as a frame."""
    place = {} if "table" in customers else {"file": "customers.csv"}
    values = {**BASE, "customers": {**place, **customers}, **asked}
    return Experiment.from_dict(values, configs, folder=FOLDER)


def crowd(n: int = 6_000, seed: int = 7) -> pd.DataFrame:
    """Customers one by one: arm, region, day of joining, and what they did."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "arm": rng.choice(["none", "mail", "push"], n),
            "region": rng.choice(["north", "south"], n),
            "day": rng.integers(1, 8, n),
            "before": rng.poisson(3, n),
            "visited": rng.integers(0, 2, n),
        }
    )
    rows["orders"] = rng.poisson(1.2, n) * rows["visited"]
    spent = rng.gamma(2, 10, n) * rows["visited"] + rows["before"]
    rows["spent"] = (spent * (1 + 0.1 * (rows["arm"] == "mail"))).round(2)
    return rows


def totals(rows: pd.DataFrame, by: list[str], numbers: list[str]) -> pd.DataFrame:
    """Rows added up: `n`, and of each number its sum, squares, mean, variance and products."""
    found = rows.assign(n=1)
    columns = {"n": "sum"}
    for at, name in enumerate(numbers):
        found[f"{name}_sum"] = found[name]
        found[f"{name}_sq"] = found[name] ** 2
        found[f"{name}_mean"] = found[name]
        found[f"{name}_var"] = found[name]
        found[f"{name}_sd"] = found[name]
        columns |= {f"{name}_sum": "sum", f"{name}_sq": "sum", f"{name}_mean": "mean"}
        columns |= {f"{name}_var": "var", f"{name}_sd": "std"}
        for other in numbers[:at]:
            found[f"{other}_{name}"] = found[other] * found[name]
            columns[f"{other}_{name}"] = "sum"
    return found.groupby(by, as_index=False).agg(columns)


def differences(one: Analysis, other: Analysis, close: float = 1e-9) -> list[tuple[object, ...]]:
    """Where the findings of two analyses differ."""
    assert len(one.findings) == len(other.findings) > 0
    return [
        (left.kind, left.metric, left.arm, left.level, key, getattr(left, key), getattr(right, key))
        for left, right in zip(one.findings, other.findings, strict=True)
        for key in (*EXACT, *NUMBERS)
        if not _alike(getattr(left, key), getattr(right, key), close if key in NUMBERS else 0)
    ]


def _alike(one: object, other: object, close: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=close, abs_tol=1e-13)
    return one == other
