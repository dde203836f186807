"""The bundled demonstration: a retailer's win-back campaign whose truth is known.

Every customer has an expected outcome under each arm, written down below as a formula. The data
are one draw from it; the truth is the formula itself, averaged over the customers drawn, so that
a report can be held against it. Random numbers come from PCG64 in a fixed order: the same seed
and number of customers give the same table.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from upliftlab.errors import DataError, Fault
from upliftlab.files import atomic_write
from upliftlab.resources import shipped

NAME = "simulated_winback"
MARGIN = 0.40
COST_PER_REDEMPTION = 10.0
FEWEST = 100
"""Below this many customers an arm of a segment may be empty."""

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]
_Mask = NDArray[np.bool_]


_METRICS = """\
# How the campaign's metrics are called. This folder also makes the campaign a workspace of its own.
schema: 1
metrics:
  revenue:      {column: revenue, unit: money, title: Revenue}
  conversion:   {column: conversion, unit: share, title: Bought}
  redeemed:     {column: redeemed, unit: share, title: Redeemed the voucher}
  unsubscribed: {column: unsubscribed, unit: share, better: lower, title: Unsubscribed}
"""


@dataclass(frozen=True, slots=True)
class Simulated:
    """The three files of a simulated campaign."""

    experiment: Path
    data: Path
    truth: Path


@dataclass(frozen=True, slots=True)
class _Trait:
    """An attribute of customers: its levels and the share of customers at each."""

    levels: tuple[str, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Arm:
    """What an arm does to a customer; triples go by lifecycle: active, declining, lapsed."""

    name: str
    share: float
    lift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Added to the probability of buying."""
    redeems: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """The share of buyers who redeem the voucher."""
    unsubscribes: float = 0.004
    cost_per_contact: float = 0.0
    fixed_cost: float = 0.0


# Active customers buy anyway and redeem gladly: a subsidy. Declining customers can be won back,
# by e-mail more than by SMS, which also costs more and drives more of them to unsubscribe.
ARMS = (
    _Arm("holdout", 0.2),
    _Arm("email_voucher", 0.4, (0.005, 0.070, 0.035), (0.50, 0.35, 0.40), 0.006, 0.02),
    _Arm("sms_voucher", 0.4, (0.005, 0.035, 0.020), (0.75, 0.50, 0.50), 0.014, 0.08, 2000.0),
)
_CONTROL = 0
TRAITS = {
    "value_band": _Trait(("low", "middle", "high"), (0.50, 0.35, 0.15)),
    "lifecycle": _Trait(("active", "declining", "lapsed"), (0.25, 0.50, 0.25)),
    "region": _Trait(("north", "east", "south", "west"), (0.30, 0.15, 0.35, 0.20)),
    "channel": _Trait(("shop", "web", "app"), (0.50, 0.30, 0.20)),
}
_BUYS = np.array([0.20, 0.08, 0.03])
"""Probability of buying without a voucher, by lifecycle, for an average channel."""
_BUYS_BY_CHANNEL = np.array([0.90, 1.00, 1.25])
"""Multiplies the above, by the customer's own purchase channel; 1 on average."""
_ORDER = np.array([40.0, 70.0, 120.0])
"""Mean order in EUR, by value band."""
_ORDERS_BEFORE = np.array([4.0, 3.0, 1.5])
"""Orders in the year before, by lifecycle."""
_LAST_PURCHASE = np.array([[1, 60], [61, 180], [181, 365]])
"""Days since the last purchase, by lifecycle: first and last."""
_SPREAD = 0.4
"""Sigma of the lognormal factors (between customers, and between a customer's orders)."""


@dataclass(frozen=True, slots=True)
class _Population:
    """Customers before anything is done to them: level numbers, and each one's mean order."""

    codes: Mapping[str, _Integers]
    mean_order: _Floats

    def buys(self, arm: _Arm) -> _Floats:
        """Each customer's probability of buying under an arm."""
        lifecycle = self.codes["lifecycle"]
        without = _BUYS[lifecycle] * _BUYS_BY_CHANNEL[self.codes["channel"]]
        return without + np.array(arm.lift)[lifecycle]

    def redeems(self, arm: _Arm) -> _Floats:
        """Each customer's probability of redeeming, given a purchase."""
        return np.array(arm.redeems)[self.codes["lifecycle"]]


def simulate(folder: Path, *, seed: int = 7, customers: int = 40_000) -> Simulated:
    """Write a simulated campaign: experiment, customers and truth.

    Args:
        folder: Where the files go; made if it is missing.
        seed: Chooses the draw. The same seed gives the same table.
        customers: How many customers to draw.

    Returns:
        The places of the three files.

    Raises:
        DataError: With fewer than 100 customers, or a negative seed.
        OutputError: Where a file cannot be written.
    """
    if customers < FEWEST or seed < 0:
        wrong = f"cannot simulate {customers} customers from seed {seed}"
        raise DataError(
            Fault("UL290", wrong, f"ask for at least {FEWEST} customers and a seed of 0 or more")
        )
    made = Simulated(folder / f"{NAME}.yaml", folder / f"{NAME}.parquet", folder / "truth.json")
    table, truth = draw(seed, customers)
    atomic_write(made.data, _parquet(table))
    atomic_write(made.truth, (json.dumps(truth, indent=2) + "\n").encode())
    atomic_write(folder / "configs" / "metrics.yaml", _METRICS.encode())
    atomic_write(made.experiment, (shipped("experiments") / f"{NAME}.yaml").read_bytes())
    return made


def draw(seed: int, customers: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw the campaign: the customers' table, and the truth about those customers."""
    random = np.random.Generator(np.random.PCG64(seed))
    population = _population(random, customers)
    assigned = random.choice(len(ARMS), size=customers, p=[arm.share for arm in ARMS])
    table = pd.DataFrame(
        {
            "customer_id": np.arange(1, customers + 1),
            **{name: _labels(TRAITS[name].levels, code) for name, code in population.codes.items()},
            **_history(random, population),
            "arm": _labels([arm.name for arm in ARMS], assigned),
            **_outcomes(random, population, assigned),
        }
    )
    truth = {
        "schema": 1,
        "experiment": NAME,
        "seed": seed,
        "customers": customers,
        "about": (
            "Expected values of the generating model over the customers drawn (both arms of a "
            "comparison), times the treated customers of the level. Fixed cost is shared out "
            "over a level by its treated customers. Level null is the whole campaign."
        ),
        "effects": _truth(population, assigned),
    }
    return table, truth


def _labels(levels: Sequence[str], code: _Integers) -> NDArray[np.object_]:
    return np.array(levels, dtype=np.object_)[code]


def _factor(random: np.random.Generator, size: int) -> _Floats:
    """Lognormal factors with mean 1."""
    return random.lognormal(-(_SPREAD**2) / 2, _SPREAD, size)


def _population(random: np.random.Generator, customers: int) -> _Population:
    codes = {
        name: random.choice(len(trait.levels), size=customers, p=trait.shares)
        for name, trait in TRAITS.items()
    }
    return _Population(codes, _ORDER[codes["value_band"]] * _factor(random, customers))


def _history(random: np.random.Generator, population: _Population) -> dict[str, NDArray[Any]]:
    """What is known before assignment and depends on lifecycle and mean order."""
    lifecycle = population.codes["lifecycle"]
    first, last = _LAST_PURCHASE[lifecycle].T
    orders = random.poisson(_ORDERS_BEFORE[lifecycle] - 1) + 1
    return {
        "recency_days": random.integers(first, last, endpoint=True),
        "orders_before": orders,
        "revenue_before": np.round(
            orders * population.mean_order * _factor(random, len(lifecycle)), 2
        ),
    }


def _outcomes(
    random: np.random.Generator, population: _Population, assigned: _Integers
) -> dict[str, NDArray[Any]]:
    """One draw of every outcome under the arm each customer is in."""
    size = len(assigned)
    buys = np.choose(assigned, [population.buys(arm) for arm in ARMS])
    redeems = np.choose(assigned, [population.redeems(arm) for arm in ARMS])
    leaves = np.array([arm.unsubscribes for arm in ARMS])[assigned]
    bought = random.random(size) < buys
    order = np.round(population.mean_order * _factor(random, size), 2)
    return {
        "conversion": bought.astype(np.int32),
        "revenue": np.where(bought, order, 0.0),
        "redeemed": (bought & (random.random(size) < redeems)).astype(np.int32),
        "unsubscribed": (random.random(size) < leaves).astype(np.int32),
    }


def _truth(population: _Population, assigned: _Integers) -> list[dict[str, Any]]:
    """One record per treated arm and level, the whole campaign first."""
    records: list[dict[str, Any]] = []
    for number, arm in enumerate(ARMS):
        if number == _CONTROL:
            continue
        gains, in_arm = _gains(population, arm), assigned == number
        for dimension, level, here in _cuts(population, len(assigned)):
            n = int(np.count_nonzero(in_arm & here))
            if n:
                place = {"arm": arm.name, "dimension": dimension, "level": level, "n_treated": n}
                gain = {key: float(values[here].mean()) for key, values in gains.items()}
                fixed_cost = arm.fixed_cost * n / int(np.count_nonzero(in_arm))
                records.append(place | _money(gain, n, arm, fixed_cost))
    return records


def _cuts(
    population: _Population, customers: int
) -> Iterator[tuple[str | None, str | None, _Mask]]:
    """The customers of the whole campaign, then of every level of every trait."""
    yield None, None, np.ones(customers, dtype=np.bool_)
    for dimension, code in population.codes.items():
        for number, level in enumerate(TRAITS[dimension].levels):
            yield dimension, level, code == number


def _gains(population: _Population, arm: _Arm) -> dict[str, _Floats]:
    """What each customer is expected to do more under an arm than under control."""
    control = ARMS[_CONTROL]
    more = population.buys(arm) - population.buys(control)
    return {
        "conversion": more,
        "revenue": more * population.mean_order,
        "redeemed": population.buys(arm) * population.redeems(arm),
        "unsubscribed": np.full(len(more), arm.unsubscribes - control.unsubscribes),
    }


def _money(gain: Mapping[str, float], n: int, arm: _Arm, fixed_cost: float) -> dict[str, Any]:
    """What effects per customer mean in money, for n treated customers."""
    revenue = n * gain["revenue"]
    variable = n * (arm.cost_per_contact + COST_PER_REDEMPTION * gain["redeemed"])
    cost = variable + fixed_cost
    profit = MARGIN * revenue - cost
    values = {
        "incremental_revenue": revenue,
        "incremental_conversions": n * gain["conversion"],
        "cost": cost,
        "incremental_profit": profit,
        "roi": profit / cost,
        "iroas": revenue / cost,
        "cost_per_conversion": cost / (n * gain["conversion"]),
    }
    rounded = {key: _rounded(value) for key, value in values.items()}
    return {"difference": {key: _rounded(value) for key, value in gain.items()}} | rounded


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")


def _parquet(table: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    table.to_parquet(content, engine="pyarrow", compression="zstd", index=False)
    return content.getvalue()
