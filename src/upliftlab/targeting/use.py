"""Use: which arms are worth their fixed cost in the next campaign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.targeting.spending import BudgetAllocation, Prospects, spend

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
