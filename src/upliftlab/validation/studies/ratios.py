"""Ratios of few: the mean value of an order where an arm has but a handful of orders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import log
from typing import Final

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import SimulatedUnits
from upliftlab.validation.scenario import CONTROL, TREATED

ORDERS: Final = (1, 3, 5, 10, 15, 20, 30)
"""Expected in each arm."""
VALUE: Final = "order_value"
AMOUNT: Final = 60.0
SPREADS: Final = {"even": 0.35, "skewed": 1.0}
"""Standard deviation of the logarithm of an order's value."""
SPEC: Final = EstimationSpec(
    metrics=(VALUE,),
    columns=("spend", "orders"),
    ratios={VALUE: (0, 1)},
    control=CONTROL,
    treatments=(TREATED,),
    channels={},
    roles=None,
    terms={},
    hurdle=0.0,
    confidence=0.95,
)


@dataclass(frozen=True, slots=True)
class FewOrders:
    """Customers of whom few order, some of them several times; orders are alike in both arms.

    Attributes:
        expected: Orders of an arm.
        spread: Standard deviation of the logarithm of an order's value.
        units: Treated and control.
        confidence: Level of the intervals.
    """

    expected: float
    spread: float
    units: tuple[int, int] = (2_000, 2_000)
    confidence: float = SPEC.confidence

    def arm(self, rng: np.random.Generator, n: int) -> SimulatedUnits:
        """Customers by kind: those who order, and all others as one."""
        orders = rng.poisson(self.expected / n, n)
        orders = orders[orders > 0]
        centre = log(AMOUNT) - self.spread**2 / 2
        amounts = rng.lognormal(centre, self.spread, int(orders.sum()))
        spend = np.zeros(len(orders))
        np.add.at(spend, np.repeat(np.arange(len(orders)), orders), amounts)
        values = np.vstack([np.column_stack([spend, orders.astype(np.float64)]), np.zeros((1, 2))])
        return SimulatedUnits(values, np.append(np.ones(len(orders)), float(n - len(orders))))


def trial(rng: np.random.Generator, world: FewOrders) -> Replication:
    """Draw an experiment and analyse it: the difference of order values, and the relative one."""
    treated, control = (world.arm(rng, n) for n in world.units)
    (contrast,) = analysed(rng, SPEC, {TREATED: treated, CONTROL: control})
    measured = (
        Measurement("difference", contrast.difference(VALUE), 0.0, null=True),
        Measurement("lift", contrast.relative_lift(VALUE), 0.0, null=True),
    )
    return Replication(measured, contrast.calibrated)


def cells() -> Iterator[NamedScenario]:
    """Every number of orders, of even and of skewed values."""
    for outcome, orders in product(SPREADS, ORDERS):
        name = {"study": "ratios", "outcome": outcome, "orders": str(orders)}
        yield NamedScenario(name, FewOrders(orders, SPREADS[outcome]), trial)
