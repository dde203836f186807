"""Which arms are worth their fixed cost, and which customers a budget reaches.

Each customer's arms become steps of falling return: the upper hull of (expected cost, expected
value before cost), from nobody contacted to the dearest arm worth its price. Taking the steps of
all customers by their return until the money ends is the best there is, but for the one step that
no longer fits (Sinha & Zoltners 1979, the multiple-choice knapsack; Sverdrup, Wu, Athey & Wager
2023, for policies). Here it is done for more customers than could be held as a table: a step is
8 bytes, its return and its cost as float32 in one whole number that sorts by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.stats.moments import Array
from upliftlab.uplift.hull import hull

NOBODY = 0
"""The choice of a customer who is not contacted: the control's number."""
_CHUNK = 1 << 20
_COST = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Prospects:
    """Customers who may be contacted, as compactly as they can be kept.

    Attributes:
        value: What each arm is expected to add, before its cost; shape (n, arms), float32.
        cost: What each arm is expected to cost, not below 0; shape (n, arms), float32.
        place: Each customer's place by hash, which orders equals; shape (n,), uint64.
        held: Who is left alone so that the next campaign can be measured; shape (n,), bool.
        alike: The return that every step is taken to have, where a rule chooses and none of those
            whom it chooses is put before another; None where each has its own.
    """

    value: np.ndarray
    cost: np.ndarray
    place: np.ndarray
    held: np.ndarray
    alike: float | None = None

    def __post_init__(self) -> None:
        for name, numbers in (("values", self.value), ("costs", self.cost)):
            if bad := int(np.count_nonzero(~np.isfinite(numbers))):
                raise ValueError(f"{bad} expected {name} are not finite")
        if self.cost.size and float(self.cost.min()) < 0:
            raise ValueError("an expected cost is below 0")

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True, slots=True, eq=False)
class BudgetAllocation:
    """What a budget buys.

    Attributes:
        choice: Per batch of prospects the number of each customer's arm, from 1, or `NOBODY`; those
            who are held out have the arm they would have got; uint8.
        cost: Expected cost of those who are not held out, without fixed costs.
        profit: Their expected value less that cost.
        slope: Value of the last unit of money that was spent; None where nothing was.
        exhausted: Whether the budget ended before the customers did who are worth their cost.
    """

    choice: tuple[np.ndarray, ...]
    cost: float
    profit: float
    slope: float | None
    exhausted: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Steps of a batch: `row` in it, `arm` from 1, return, and what is spent; float32."""

    row: np.ndarray
    arm: np.ndarray
    slope: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True, slots=True)
class _Limit:
    """Steps above `slope` are taken, those at it as far as `left` goes; all where it is None."""

    slope: np.float32
    left: float | None


def spend(
    batches: Sequence[Prospects], budget: float, at_least: float, arms: Sequence[bool]
) -> BudgetAllocation:
    """Take steps by their return until the budget ends, or the return falls below `at_least`.

    Args:
        batches: Who may be contacted.
        budget: What may be spent on those who are not held out, without fixed costs.
        at_least: The smallest value of a unit of money that is still spent; 1 gains nothing.
        arms: Which arms may be used; shape (arms,).

    Customers with equal returns at the budget's end are taken by hash, so that the result does
    not depend on the order in which they come.
    """
    usable = np.flatnonzero(np.asarray(arms))
    limit = _limit(batches, budget, at_least, usable)
    choice = tuple(np.full(len(batch), NOBODY, np.uint8) for batch in batches)
    if limit is not None:
        _choose(batches, choice, limit, (at_least, usable))
    cost, profit = _totals(batches, choice)
    return BudgetAllocation(
        choice,
        cost,
        profit,
        _last(limit, choice),
        limit is not None and limit.left is not None,
    )


def _last(limit: _Limit | None, choice: Sequence[np.ndarray]) -> float | None:
    if limit is None or not any(chosen.any() for chosen in choice):
        return None
    return float(limit.slope) if np.isfinite(limit.slope) else None


def first_return(batch: Prospects, arms: Sequence[bool]) -> np.ndarray:
    """The return of each customer's first step, which orders them; 0 without a step.

    Shape (n,), float32.
    """
    steps = _steps(batch, 0.0, np.flatnonzero(np.asarray(arms)))
    found = np.zeros(len(batch), np.float32)
    found[steps.row[::-1]] = steps.slope[::-1]  # the first step is the last to be written
    return found


def _steps(batch: Prospects, at_least: float, usable: np.ndarray) -> _Steps:
    """The steps worth their cost along every customer's hull; a customer's own in their order."""
    found = hull(batch.cost[:, usable], batch.value[:, usable])
    found = found.take(np.flatnonzero(found.slope >= at_least))
    cost = found.cost.astype(np.float32)
    # Rounded up, so that added up they are never less than what the arms cost.
    cost = np.where(cost < found.cost, np.nextafter(cost, np.float32(np.inf)), cost)
    arm = (usable[found.arm - 1] + 1).astype(np.uint8)
    spared = np.where(batch.held[found.customer], np.float32(0), cost)
    slope = found.slope.astype(np.float32)
    if batch.alike is not None:
        slope = np.full_like(slope, batch.alike)
    return _Steps(found.customer, arm, slope, spared)


def _limit(
    batches: Sequence[Prospects], budget: float, at_least: float, usable: np.ndarray
) -> _Limit | None:
    """Where the budget ends; None where no step is worth its cost, or none can be paid."""
    keys = np.empty(sum(map(len, batches)) * max(1, len(usable)), np.uint64)
    count = 0
    for batch in batches:
        steps = _steps(batch, at_least, usable)
        keys[count : count + len(steps.row)] = _packed(steps.slope, steps.cost)
        count += len(steps.row)
    keys = keys[:count]
    keys.sort()
    spent = 0.0
    for start in range(0, count, _CHUNK):
        running = spent + np.cumsum(_costs(keys[start : start + _CHUNK]))
        if running[-1] > budget:
            place = start + int(np.searchsorted(running, budget, side="right"))
            return _at(keys, place, budget)
        spent = float(running[-1])
    return _Limit(_slopes(keys[-1:])[0], None) if count else None


def _at(keys: np.ndarray, place: int, budget: float) -> _Limit:
    """The limit where the step at `place` is the first not to fit."""
    head: np.uint64 = keys[place] >> np.uint64(32)
    first = int(np.searchsorted(keys, head << np.uint64(32)))
    before = sum(
        float(_costs(keys[start : min(start + _CHUNK, first)]).sum())
        for start in range(0, first, _CHUNK)
    )
    return _Limit(_slopes(keys[place : place + 1])[0], budget - before)


def _packed(slope: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return and cost as one number, the greatest return first: bits of floats sort as they do."""
    head = ~slope.view(np.uint32)
    return (head.astype(np.uint64) << np.uint64(32)) | cost.view(np.uint32)


def _costs(keys: np.ndarray) -> Array:
    return (keys & _COST).astype(np.uint32).view(np.float32).astype(np.float64)


def _slopes(keys: np.ndarray) -> np.ndarray:
    return (~(keys >> np.uint64(32)).astype(np.uint32)).view(np.float32)


def _choose(
    batches: Sequence[Prospects],
    choice: Sequence[np.ndarray],
    limit: _Limit,
    asked: tuple[float, np.ndarray],
) -> None:
    """Give each customer the arm of the last step that is taken."""
    equals: list[tuple[np.ndarray, ...]] = []
    for number, (batch, chosen) in enumerate(zip(batches, choice, strict=True)):
        steps = _steps(batch, *asked)
        at = steps.slope == limit.slope
        taken = steps.slope > limit.slope if limit.left is not None else steps.slope >= limit.slope
        chosen[steps.row[taken]] = steps.arm[taken]
        if limit.left is not None and at.any():
            row = steps.row[at]
            which = np.full(len(row), number, np.int32)
            equals.append((batch.place[row], which, row, steps.arm[at], steps.cost[at]))
    if limit.left is not None and equals:
        _choose_equals(choice, equals, limit.left)


def _choose_equals(
    choice: Sequence[np.ndarray], equals: Sequence[tuple[np.ndarray, ...]], left: float
) -> None:
    """Of the steps with the return at which the budget ends, the first by hash that fit."""
    place, number, row, arm, cost = (np.concatenate(each) for each in zip(*equals, strict=True))
    # The lower half of the place leads: the upper one has decided who is held out.
    turned = (place << np.uint64(32)) | (place >> np.uint64(32))
    first = np.argsort(turned, kind="stable")  # a customer's own steps keep their order
    fit = int(np.searchsorted(np.cumsum(cost[first], dtype=np.float64), left, side="right"))
    for taken in np.array_split(first[:fit], max(1, fit // _CHUNK)):
        for each in np.unique(number[taken]):
            mine = taken[number[taken] == each]
            choice[each][row[mine]] = arm[mine]


def _totals(batches: Sequence[Prospects], choice: Sequence[np.ndarray]) -> tuple[float, float]:
    cost = value = 0.0
    for batch, chosen in zip(batches, choice, strict=True):
        row = np.flatnonzero((chosen != NOBODY) & ~batch.held)
        arm = chosen[row].astype(np.intp) - 1
        cost += float(batch.cost[row, arm].sum(dtype=np.float64))
        value += float(batch.value[row, arm].sum(dtype=np.float64))
    return cost, value - cost


MOST = 8
"""Arms with a fixed cost: every set of them is tried."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What there is to spend.

    Attributes:
        budget: In all, fixed costs included.
        at_least: The smallest return of a unit of money that is still spent on customers.
        fixed: Each treatment's fixed cost, paid once it is used.
    """

    budget: float
    at_least: float
    fixed: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ArmSelection:
    """The arms in use, and what is spent on them.

    Attributes:
        arms: Whether each treatment is in use.
        spending: What is bought with what fixed costs leave of the budget.
    """

    arms: tuple[bool, ...]
    spending: BudgetAllocation


def use(batches: Sequence[Prospects], purse: Budget) -> ArmSelection:
    """The arms that earn most together beyond their fixed costs, which the budget pays first.

    Every set of arms with a fixed cost is tried, as the customers of an arm that is left out may
    get another; of equal ones that with fewer such arms.

    Raises:
        ConfigError: UL636, more than 8 arms have a fixed cost.
    """
    best: ArmSelection | None = None
    most = 0.0
    for arms in sets_of(purse.fixed):
        fixed = sum(cost for cost, used in zip(purse.fixed, arms, strict=True) if used)
        if fixed > purse.budget:
            continue
        found = spend(batches, purse.budget - fixed, purse.at_least, arms)
        if best is None or found.profit - fixed > most:
            best, most = ArmSelection(arms, found), found.profit - fixed
    assert best is not None  # noqa: S101 - the first set costs nothing
    return best


def sets_of(fixed: Sequence[float]) -> Iterator[tuple[bool, ...]]:
    """Arms without a fixed cost, with every set of the others, the smaller sets first.

    Raises:
        ConfigError: UL636, more than 8 arms have a fixed cost.
    """
    costly = [arm for arm, cost in enumerate(fixed) if cost > 0]
    if len(costly) > MOST:
        raise ConfigError(
            Diagnostic("UL636", f"more than {MOST} arms have a fixed cost", "leave some arms out")
        )
    for size in range(len(costly) + 1):
        for chosen in combinations(costly, size):
            yield tuple(cost <= 0 or arm in chosen for arm, cost in enumerate(fixed))
