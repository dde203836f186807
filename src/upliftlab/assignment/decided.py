"""What an assignment comes to: nobody in any arm, an arm or a wave of nobody, customers left over.

An assignment of nobody is refused. What is empty or left over may be meant, and is said.
"""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from upliftlab.assignment.allocation import Reason
from upliftlab.assignment.eligibility import CUSTOMERS
from upliftlab.config.expressions import parse
from upliftlab.config.models.experiment import Plan
from upliftlab.config.rules.arms import LEFT_OVER
from upliftlab.engines.base import Engine
from upliftlab.errors import Diagnostic
from upliftlab.util.personal import names_people
from upliftlab.util.sql import quote

_FEW = 6
"""A column of at most so many values is told by them."""
_LONG = 20
_REASONS: Mapping[str, str] = {
    Reason.not_eligible: "do not meet 'eligible'",
    Reason.opted_out: "have opted out",
    Reason.universal_holdout: "belong to the universal holdout",
    Reason.other_experiment: "are outside this experiment's range of its layer",
    Reason.no_wave: "are in no wave",
    Reason.cool_down: "were contacted too short a time ago",
    Reason.max_contacts: "have had as many contacts as the policy allows",
    Reason.no_arm: "are beyond the last arm's share",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """How many customers got what.

    Attributes:
        arms: Customers by arm; an arm of nobody may be absent.
        waves: Customers in an arm by wave; a wave of nobody may be absent.
        excluded: Customers in no arm, by reason.
    """

    arms: Mapping[str, int]
    waves: Mapping[int | None, int]
    excluded: Mapping[str, int]

    @property
    def customers(self) -> int:
        """All that were decided about."""
        return sum(self.arms.values()) + sum(self.excluded.values())


def counted(sql: str, engine: Engine) -> Decided:
    """What the query of an assignment comes to.

    Args:
        sql: As `prepare` makes it.
        engine: Where its tables are attached.
    """
    arms, waves, excluded = dict[str, int](), dict[int | None, int](), dict[str, int]()
    rows = engine.query(
        "SELECT arm, wave, reason, COUNT(*) AS n"
        f" FROM ({sql}) AS decided GROUP BY arm, wave, reason"
    )
    for row in rows.to_pylist():
        if row["arm"] is None:
            excluded[row["reason"]] = excluded.get(row["reason"], 0) + row["n"]
            continue
        arms[row["arm"]] = arms.get(row["arm"], 0) + row["n"]
        waves[row["wave"]] = waves.get(row["wave"], 0) + row["n"]
    return Decided(arms, waves, excluded)


def nobody(excluded: Mapping[str, int]) -> Diagnostic:
    """UL414: an assignment in which nobody gets an arm, and why nobody does."""
    most = sorted(excluded.items(), key=lambda each: (-each[1], each[0]))
    listed = ", ".join(f"{n:,} {_REASONS.get(reason, reason)}" for reason, n in most)
    first = most[0][0] if most else None
    remedy = "mend 'eligible', or the table"
    if first != Reason.not_eligible:
        remedy = "mend the plan, or what keeps them out"
    return Diagnostic("UL414", f"nobody gets an arm: {listed}", remedy)


def empty_places(plan: Plan, found: Decided) -> Iterator[Diagnostic]:
    """UL415: arms and waves that nobody is in; UL156: customers beyond the arms' shares."""
    here = f"among {found.customers:,} customers"
    for name in plan.arms:
        if not found.arms.get(name):
            message = f"nobody is in the arm '{name}' {here}"
            yield Diagnostic(
                "UL415", message, "there are too few customers for it", None, "warning"
            )
    for number, wave in enumerate(plan.experiment.waves, 1):
        if not found.waves.get(number):
            message = f"nobody is in wave {number}, of {wave.start:%Y-%m-%d}, {here}"
            yield Diagnostic(
                "UL415", message, "there are too few customers for it", None, "warning"
            )
    if left := found.excluded.get(Reason.no_arm, 0):
        total = float(sum(arm.share or 0 for arm in plan.arms.values()) * 100)
        message = f"{left:,} of {found.customers:,} customers get no arm, as the arms' shares sum"
        yield Diagnostic("UL156", f"{message} to {total:g} %", LEFT_OVER, None, "warning")


def held(plan: Plan, engine: Engine) -> str:
    """What the columns of `eligible` hold, where that is a few values that many have.

    Args:
        plan: The experiment.
        engine: Where its customers are attached.

    Returns:
        Such as `; 'newsletter' holds 0, 1`; nothing where there is nothing to tell.
    """
    types = engine.columns(CUSTOMERS)
    names = sorted(parse(plan.experiment.eligible).columns) if plan.experiment.eligible else []
    told = ((name, _values(name, plan, engine)) for name in names if name in types)
    return "".join(f"; '{name}' holds {values}" for name, values in told if values)


def _values(column: str, plan: Plan, engine: Engine) -> str:
    rows = engine.query(
        f"SELECT CAST({quote(column)} AS VARCHAR) AS value, COUNT(*) AS n FROM {CUSTOMERS}"
        f" GROUP BY 1 ORDER BY n DESC LIMIT {_FEW + 1}"
    ).to_pylist()
    levels = {"nothing" if row["value"] is None else row["value"]: row["n"] for row in rows}
    small = any(n < plan.smallest_cell for n in levels.values())
    long = any(len(value) > _LONG for value in levels)
    if len(rows) > _FEW or small or long or names_people(levels, plan.smallest_cell):
        return ""
    return ", ".join(sorted(levels))
