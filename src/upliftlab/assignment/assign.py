"""Who gets what: a whole table through an engine, or one customer in a service.

`prepare` makes the query that decides over every customer: eligibility, universal holdout, layer,
contact policy and arm. `assign_one` answers for one customer in microseconds, from the same
`Allocation` and so with the same arm; it knows no attributes and no contacts.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from upliftlab.assignment.allocation import Reason, allocation
from upliftlab.assignment.customers_sql import check_population
from upliftlab.assignment.decision_sql import assignment_sql
from upliftlab.assignment.eligibility import CUSTOMERS, request_of
from upliftlab.assignment.hashing import choose, digest
from upliftlab.assignment.vectors import require_hashes, verify
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import ConfigError, DataError, Diagnostic
from upliftlab.queries.naming import naming_fault
from upliftlab.util.sql import literal

__all__ = [
    "CUSTOMERS",
    "ArmDecision",
    "Assigner",
    "AssignmentQuery",
    "assign_one",
    "prepare",
    "start_day",
    "summary_sql",
    "verify",
]


@dataclass(frozen=True, slots=True)
class AssignmentQuery:
    """The query that decides, in DuckDB's dialect, for `engine.write`."""

    sql: str
    columns: tuple[str, ...]
    """The result's columns: id, household where that is randomised, and what was decided."""
    population: int
    """Customers in the table, and so rows in the result."""


@dataclass(frozen=True, slots=True)
class ArmDecision:
    """What was decided for one customer."""

    arm: str | None
    reason: Reason | None
    """Why there is no arm; None where there is one."""
    wave: int | None
    h: str
    """The place of the customer (or household) in this experiment."""


class Assigner:
    """One plan's answers for single customers, with everything worked out beforehand."""

    def __init__(self, plan: Plan, start: date | None = None) -> None:
        """Work out salts and cut points.

        Raises:
            ConfigError: UL309 there are no shares on the day, UL401 to UL408 the plan assigns
                nobody, UL412 it is `blocked`: exact
                shares need all customers at once.
        """
        self._allocation = chosen = allocation(plan, start)
        if chosen.blocked:
            remedy = "look the customer up in the ledger, or use 'method: hash'"
            raise ConfigError(
                Diagnostic("UL412", "'blocked' cannot assign one customer alone", remedy)
            )
        self._ends = tuple(arm.end for arm in chosen.arms)
        self._waves = tuple(wave.end for wave in chosen.waves)

    def decide(self, customer: int | str, household: int | str | None = None) -> ArmDecision:
        """What hashing decides for a customer; eligibility and contacts are not looked at.

        Args:
            customer: The customer's id.
            household: The household's id, where households are randomised.

        Raises:
            DataError: UL413, an id is neither a whole number nor a text.
        """
        chosen = self._allocation
        unit = household if chosen.household else customer
        if unit is None:
            raise DataError(
                Diagnostic(
                    "UL413", f"'{chosen.unit}' is randomised", "give the household's id as well"
                )
            )
        h = digest(chosen.salt, unit)
        wave = self._wave(unit)
        if reason := self._barred(customer, wave):
            return ArmDecision(None, reason, wave, h)
        index = choose(h, self._ends)
        if index is None:
            return ArmDecision(None, Reason.no_arm, wave, h)
        return ArmDecision(chosen.arms[index].name, None, wave, h)

    def _wave(self, unit: int | str) -> int | None:
        chosen = self._allocation
        if not chosen.drawn:
            return 1
        index = choose(digest(f"{chosen.salt}:wave", unit), self._waves)
        return None if index is None else chosen.waves[index].number

    def _barred(self, customer: int | str, wave: int | None) -> Reason | None:
        holdout, layer = self._allocation.holdout, self._allocation.layer
        held = holdout and (holdout.always or wave in holdout.waves)
        if holdout and held and digest(holdout.salt, customer) < holdout.end:
            return Reason.universal_holdout
        if layer and not layer.low <= digest(layer.salt, customer) < layer.high:
            return Reason.other_experiment
        return Reason.no_wave if wave is None else None


def assign_one(
    plan: Plan,
    customer_id: int | str,
    household_id: int | str | None = None,
    day: date | None = None,
) -> str | None:
    """The arm of one customer, None for a customer in no arm.

    Universal holdout, layer, wave and arm are those of the SQL engines. Whether the customer is
    eligible and may be contacted is the caller's to know. The first call for a plan works out its
    cut points, later ones take microseconds. Where the plan has `shares` by date, `day` is the one
    on which the customer is assigned; whoever was assigned before keeps the arm on record.

    Raises:
        ConfigError: UL309 the day is needed, or there are no shares on it; UL401 to UL408 the plan
            assigns nobody, UL412 it is `blocked`.
        DataError: UL413, the id is neither a whole number nor a text.
    """
    return _assigner(_Same(plan), day).decide(customer_id, household_id).arm


class _Same:
    """A plan as a key: the same object, not an equal one, whose comparison would cost more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __hash__(self) -> int:
        return id(self.plan)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.plan is self.plan


@lru_cache(maxsize=64)
def _assigner(key: _Same, day: date | None) -> Assigner:
    return Assigner(key.plan, day)


def prepare(
    plan: Plan,
    engine: Engine,
    *,
    prior_contacts: Sequence[Path] = (),
    start: date | None = None,
) -> AssignmentQuery:
    """Attach what an assignment reads, examine it, and make the query.

    Args:
        plan: The resolved experiment.
        engine: Where the customers' table lies.
        prior_contacts: Parquet files with the contacts of earlier assignments, `id` as text
            and `day`.
        start: The day customers are contacted, where the plan declares no waves.

    Raises:
        ConfigError: UL401 to UL411, the plan does not assign anybody or does not fit the table.
        DataError: UL404 to UL406, ids are missing or repeated; UL2xx, a table cannot be read;
            UL240, a stratum says who customers are.
        EngineError: UL515, the engine hashes differently.
    """
    chosen = allocation(plan, start)
    require_hashes(engine)
    request = request_of(plan, chosen, engine, prior_contacts)
    population = check_population(request, engine.columns(CUSTOMERS), engine)
    named = (
        naming_fault("stratum", column, CUSTOMERS, engine, plan.smallest_cell)
        for column in chosen.strata
    )
    if faults := [fault for fault in named if fault is not None]:
        raise DataError(faults)
    return AssignmentQuery(assignment_sql(request), request.columns, population)


def start_day(plan: Plan, now: datetime) -> date | None:
    """The day of contact where no wave declares one, in the program's time zone."""
    if plan.experiment.waves:
        return None
    return now.astimezone(ZoneInfo(plan.program.time_zone)).date()


def summary_sql(parquet: Path) -> str:
    """Counts of a written assignment by arm, stratum, wave and reason, in DuckDB's dialect."""
    return (  # the path passes through literal()
        "SELECT arm, stratum, wave, reason, COUNT(*) AS customers,"
        " COUNT(*) FILTER (WHERE ghost) AS ghosts"
        f" FROM read_parquet({literal(str(parquet))})"
        " GROUP BY arm, stratum, wave, reason ORDER BY arm, stratum, wave, reason"
    )
