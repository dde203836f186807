"""The truth of the simulated campaign: expected effects, per arm and level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upliftlab.simulate.calendar import Floats, Integers
from upliftlab.simulate.people import TRAITS, People
from upliftlab.simulate.responses import (
    ARMS,
    CONTROL,
    COST_PER_REDEMPTION,
    DELIVERED,
    MARGIN,
    Treatment,
    buys,
    buys_twice,
    extra_orders,
)

CHANNEL = "preferred_channel"
_Mask = NDArray[np.bool_]
_Levels = NDArray[np.str_]


def truth_of(people: People, arms: Integers, levels: Mapping[str, _Levels]) -> list[dict[str, Any]]:
    """One record per treated arm and level, the whole campaign first.

    Expected values are those of all customers who were assigned, whatever their arm; sums are for
    the treated ones. Fixed cost is shared out by treated customers.

    Args:
        people: Customers who were assigned.
        arms: Numbers of their `ARMS`.
        levels: Levels by dimension that are not traits, such as the lifecycle.
    """
    cuts = {name: np.array(TRAITS[name].levels)[code] for name, code in people.codes.items()}
    records: list[dict[str, Any]] = []
    for number, arm in enumerate(ARMS):
        if number == CONTROL:
            continue
        gains, in_arm = _gains(people, arm), arms == number
        for dimension, level, here in _places({**cuts, **levels}, len(people)):
            n = int(np.count_nonzero(in_arm & here))
            if n:
                place = {"arm": arm.name, "channel": arm.channel}
                place |= {"dimension": dimension, "level": level, "n_treated": n}
                gain = {key: float(values[here].mean()) for key, values in gains.items()}
                fixed_cost = arm.fixed_cost * n / int(np.count_nonzero(in_arm))
                records.append(place | _money(gain, n, arm, fixed_cost))
    return records


def _places(
    levels: Mapping[str, _Levels], customers: int
) -> Iterator[tuple[str | None, str | None, _Mask]]:
    """Everybody, then every level of every dimension, then of each with the preferred channel."""
    yield None, None, np.ones(customers, dtype=np.bool_)
    for dimension, values in levels.items():
        for level in sorted(set(values)):
            yield dimension, str(level), values == level
    for dimension, values in levels.items():
        if dimension == CHANNEL:
            continue
        crossed = np.strings.add(np.strings.add(values, " × "), levels[CHANNEL])
        for level in sorted(set(crossed)):
            yield f"{dimension} × {CHANNEL}", str(level), crossed == level


def _gains(people: People, arm: Treatment) -> dict[str, Floats]:
    """What each customer is expected to do more under an arm than under control."""
    control, extra = ARMS[CONTROL], extra_orders(people, arm)
    return {
        "conversion": buys(people, arm) - buys(people, control),
        "repeat_purchase": buys_twice(people, arm) - buys_twice(people, control),
        "orders": extra,
        "revenue": extra * people.mean_order,
        "redemptions": buys(people, arm) * arm.redeems,
        "unsubscribed": np.full(
            len(people), _at_least_once(arm.unsubscribes, control.unsubscribes)
        ),
        "complaints": np.full(len(people), _at_least_once(arm.complains, control.complains)),
    }


def _at_least_once(expected: float, without: float) -> float:
    """How much more probable at least one event becomes."""
    return float(np.exp(-without) - np.exp(-expected))


def _money(gain: Mapping[str, float], n: int, arm: Treatment, fixed_cost: float) -> dict[str, Any]:
    """What effects per customer mean in money, for n treated customers."""
    revenue = n * gain["revenue"]
    variable = n * (arm.cost_per_contact * DELIVERED + COST_PER_REDEMPTION * gain["redemptions"])
    cost = variable + fixed_cost
    profit = MARGIN * revenue - cost
    values = {
        "incremental_revenue": revenue,
        "incremental_conversions": n * gain["conversion"],
        "cost": cost,
        "incremental_profit": profit,
        "roi": profit / cost,
        "iroas": revenue / cost,
    }
    rounded = {key: _rounded(value) for key, value in values.items()}
    return {"difference": {key: _rounded(value) for key, value in gain.items()}} | rounded


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")
