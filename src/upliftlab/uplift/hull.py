"""The hull: which arms are worth their cost to a customer at some price of money, in order.

Drawn over cost and reward, a customer's arms that can ever be best under a budget are the corners
of the upper left convex hull that begins at the control (0, 0): from corner to corner the next bit
of money buys less (Sinha & Zoltners 1979; Sverdrup, Wu, Athey & Wager 2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from upliftlab.stats.moments import Array

_ROWS = 16_384
"""Customers walked at a time, few enough for their numbers to stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Moves of customers from an arm to a dearer and better one; all of shape (steps,).

    Attributes:
        customer: Who moves, by row, int64.
        origin: The arm moved from, 0 the control, int16.
        arm: The arm moved to, int16.
        cost: What it costs more; negative only in a step from the control.
        reward: What it brings more, > 0.
        slope: Reward per cost, infinite where nothing is paid.
    """

    customer: np.ndarray
    origin: np.ndarray
    arm: np.ndarray
    cost: Array
    reward: Array
    slope: Array

    def __len__(self) -> int:
        return len(self.slope)

    def take(self, chosen: np.ndarray) -> Steps:
        """Some of the steps, by number."""
        return Steps(*(np.take(getattr(self, each.name), chosen) for each in fields(self)))


def joined(parts: list[Steps]) -> Steps:
    """Several lists of steps as one, in their order."""
    return Steps(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Steps))
    )


def hull(costs: Array, rewards: Array) -> Steps:
    """The steps along each customer's hull: slopes never rise within a customer.

    All first steps come first, then all second ones, each by row. Of arms on one line the farthest
    is moved to, of equal ones the lower number. An arm whose reward is not positive is never moved
    to, even where it saves cost. A cost ≤ 0 with a positive reward is taken before all else, the
    least such cost first: this is where a customer's hull begins.

    Args:
        costs: Predicted cost of each treatment beyond the control's, shape (n, arms − 1).
        rewards: Predicted reward beyond the control's, shape (n, arms − 1).

    Raises:
        ValueError: Shapes differ, or a number is not finite.

    >>> steps = hull(np.array([[5, 0.5, 3, 1, 4]]), np.array([[3, 2, 4, 2, 3.9]]))
    >>> steps.arm.tolist(), steps.slope.tolist()
    ([2, 3], [4.0, 0.8])
    """
    costs, rewards = np.asarray(costs, dtype=np.float64), np.asarray(rewards, dtype=np.float64)
    _examine(costs, rewards)
    if not costs.size:
        return _none()
    rounds: list[list[Steps]] = [[_none()] for _ in range(costs.shape[1])]
    for start in range(0, len(costs), _ROWS):
        place = slice(start, start + _ROWS)
        part = np.ascontiguousarray(costs[place].T), np.ascontiguousarray(rewards[place].T)
        for number, steps in enumerate(_walk(*part, start)):
            rounds[number].append(steps)
    return joined([_none(), *(steps for each in rounds for steps in each)])


def _examine(costs: Array, rewards: Array) -> None:
    if costs.ndim != 2 or costs.shape != rewards.shape:  # noqa: PLR2004 - rows and columns
        raise ValueError(f"costs {costs.shape} and rewards {rewards.shape} must be (n, arms - 1)")
    for name, values in (("costs", costs), ("rewards", rewards)):
        if bad := values.size - int(np.isfinite(values).sum()):
            raise ValueError(f"{bad} of {values.size} {name} are not finite numbers")


def _none() -> Steps:
    arm, number = np.zeros(0, dtype=np.int16), np.zeros(0)
    return Steps(np.zeros(0, dtype=np.int64), arm, arm, number, number, number)


def _walk(costs: Array, rewards: Array, start: int) -> Iterator[Steps]:
    """One step of each customer who has one left, until nobody has; costs are (arms − 1, n)."""
    size = costs.shape[1]
    customer = np.arange(start, start + size, dtype=np.int64)
    origin = np.zeros(size, dtype=np.int16)
    cost = reward = np.zeros(size)
    limit = np.full(size, np.inf)
    first = True
    while True:
        arm, slope = _steepest(costs - cost, rewards - reward)
        if first:
            _free(costs, rewards, arm, slope)
            first = False
        moved = np.flatnonzero(arm)
        if len(moved) == 0:
            return
        if len(moved) < len(arm):
            costs, rewards = np.take(costs, moved, axis=1), np.take(rewards, moved, axis=1)
            customer, origin, limit = customer[moved], origin[moved], limit[moved]
            arm, slope, cost, reward = arm[moved], slope[moved], cost[moved], reward[moved]
        place = (arm - 1) * np.int64(len(moved)) + np.arange(len(moved))
        to_cost, to_reward = np.take(costs, place), np.take(rewards, place)
        limit = np.minimum(slope, limit)  # corners nearly on a line must not seem to rise
        yield Steps(customer, origin, arm, to_cost - cost, to_reward - reward, limit)
        origin, cost, reward = arm, to_cost, to_reward


def _steepest(costs: Array, rewards: Array) -> tuple[np.ndarray, Array]:
    """The arm of the greatest slope, the farthest if several, and the slope; 0 where there is none.

    Args:
        costs: Cost of each arm beyond where the customer stands, shape (arms − 1, n).
        rewards: The same of rewards.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slopes = rewards / costs
    np.copyto(slopes, 0.0, where=costs <= 0)
    best = slopes.max(axis=0)
    hit = (slopes == best) & (best > 0)
    tied = np.flatnonzero(hit.sum(axis=0, dtype=np.int16) > 1)
    if len(tied):
        reach = np.where(hit[:, tied], costs[:, tied], 0.0)
        hit[:, tied] = np.arange(len(costs))[:, None] == np.argmax(reach, axis=0)
    arm = np.zeros(costs.shape[1], dtype=np.int16)
    for number, each in enumerate(hit, start=1):
        np.copyto(arm, number, where=each)
    return arm, best


def _free(costs: Array, rewards: Array, arm: np.ndarray, slope: Array) -> None:
    """Puts the first step of those to whom an arm pays at no cost: of the least cost, the best."""
    free = (costs <= 0) & (rewards > 0)
    if not free.any():
        return
    least = np.where(free, costs, np.inf).min(axis=0)
    best = np.where(free & (costs == least), rewards, -np.inf)
    has = free.any(axis=0)
    arm[has] = 1 + np.argmax(best[:, has], axis=0)
    slope[has] = np.inf
