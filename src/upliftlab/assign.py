"""Who gets what: a whole table through an engine, or one customer in a service.

`prepare` makes the query that decides over every customer: eligibility, universal holdout, layer,
contact policy and arm. `assign_one` answers for one customer in microseconds, from the same
`Allocation` and so with the same arm; it knows no attributes and no contacts.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from upliftlab.allocation import Reason, allocation
from upliftlab.config.expressions import parse
from upliftlab.declarations import ContactPolicy
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import ConfigError, DataError, EngineError, Fault
from upliftlab.experiment import Plan
from upliftlab.hashing import choose, digest
from upliftlab.queries.assignment import Request, assignment_sql
from upliftlab.queries.policy import Events
from upliftlab.queries.population import check_population
from upliftlab.queries.vectors import verify
from upliftlab.sql import literal

__all__ = [
    "Assigner",
    "AssignmentQuery",
    "Decision",
    "assign_one",
    "prepare",
    "summary_sql",
    "verify",
]

CUSTOMERS = "customers"
LEDGER_CONTACTS = "ledger_contacts"
"""Contacts of earlier assignments, as the ledger hands them on: `id` as text and `day`."""
_CONTACTS, _COMPLAINTS = "policy_contacts", "policy_complaints"


@dataclass(frozen=True, slots=True)
class AssignmentQuery:
    """The query that decides, in DuckDB's dialect, for `engine.write`."""

    sql: str
    columns: tuple[str, ...]
    """The result's columns: id, household where that is randomised, and what was decided."""
    population: int
    """Customers in the table, and so rows in the result."""


@dataclass(frozen=True, slots=True)
class Decision:
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
            ConfigError: UL401 to UL408 the plan assigns nobody, UL412 it is `blocked`: exact
                shares need all customers at once.
        """
        self._allocation = chosen = allocation(plan, start)
        if chosen.blocked:
            remedy = "look the customer up in the ledger, or use 'method: hash'"
            raise ConfigError(Fault("UL412", "'blocked' cannot assign one customer alone", remedy))
        self._ends = tuple(arm.end for arm in chosen.arms)
        self._waves = tuple(wave.end for wave in chosen.waves)

    def decide(self, customer: int | str, household: int | str | None = None) -> Decision:
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
                Fault("UL413", f"'{chosen.unit}' is randomised", "give the household's id as well")
            )
        h = digest(chosen.salt, unit)
        wave = self._wave(unit)
        if reason := self._barred(customer, wave):
            return Decision(None, reason, wave, h)
        index = choose(h, self._ends)
        if index is None:
            return Decision(None, Reason.no_arm, wave, h)
        return Decision(chosen.arms[index].name, None, wave, h)

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
    plan: Plan, customer_id: int | str, household_id: int | str | None = None
) -> str | None:
    """The arm of one customer, None for a customer in no arm.

    Universal holdout, layer, wave and arm are those of the SQL engines. Whether the customer is
    eligible and may be contacted is the caller's to know. The first call for a plan works out its
    cut points, later ones take microseconds.

    Raises:
        ConfigError: UL401 to UL408 the plan assigns nobody, UL412 it is `blocked`.
        DataError: UL413, the id is neither a whole number nor a text.
    """
    return _assigner(_Same(plan)).decide(customer_id, household_id).arm


class _Same:
    """A plan as a key: the same object, not an equal one, whose comparison would cost more."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __hash__(self) -> int:
        return id(self.plan)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.plan is self.plan


@lru_cache(maxsize=64)
def _assigner(key: _Same) -> Assigner:
    return Assigner(key.plan)


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
        DataError: UL404 to UL406, ids are missing or repeated; UL2xx, a table cannot be read.
        EngineError: UL515, the engine hashes differently.
    """
    chosen = allocation(plan, start)
    if engine.dialect != "duckdb" and (faults := verify(engine)):
        raise EngineError(faults)
    engine.attach(CUSTOMERS, plan.customers)
    columns = engine.columns(CUSTOMERS)
    policy = plan.program.contact_policy
    request = Request(
        chosen,
        CUSTOMERS,
        eligible=_condition(plan.experiment.eligible, columns),
        opt_out=_condition(policy.opt_out if policy else None, columns),
        events=_events(plan, policy, engine, prior_contacts) if chosen.limits.reach else (),
    )
    if request.events and any(wave.day is None for wave in chosen.waves):
        message = "the contact policy needs the day on which customers are contacted"
        raise ConfigError(Fault("UL409", message, "declare 'waves', or name the day"))
    population = check_population(request, columns, engine)
    return AssignmentQuery(assignment_sql(request), request.columns, population)


def summary_sql(parquet: Path) -> str:
    """Counts of a written assignment by arm, stratum, wave and reason, in DuckDB's dialect."""
    return (  # the path passes through literal()
        "SELECT arm, stratum, wave, reason, COUNT(*) AS customers,"
        " COUNT(*) FILTER (WHERE ghost) AS ghosts"
        f" FROM read_parquet({literal(str(parquet))})"
        " GROUP BY arm, stratum, wave, reason ORDER BY arm, stratum, wave, reason"
    )


def _condition(text: str | None, columns: dict[str, ColumnType]) -> str | None:
    """A condition of the language in SQL; the columns of a CSV file take the types it implies."""
    if text is None:
        return None
    texts = [name for name, family in columns.items() if family == "text"]
    return parse(text).sql(text_columns=texts)


def _events(
    plan: Plan, policy: ContactPolicy | None, engine: Engine, prior: Sequence[Path]
) -> tuple[Events, ...]:
    """Attach the tables of contacts and complaints the policy looks at."""
    found = list[Events]()
    if prior:
        engine.load(LEDGER_CONTACTS, prior)
        found.append(Events(LEDGER_CONTACTS, "id", "day"))
    named = ((_CONTACTS, policy.contacts), (_COMPLAINTS, policy.complaints)) if policy else ()
    for table, name in named:
        if name is not None:
            found.append(_attached(plan, name, table, engine))
    return tuple(found)


def _attached(plan: Plan, name: str, table: str, engine: Engine) -> Events:
    source = plan.sources.get(name)
    id_column = source and (source.id or plan.customers.id)
    if source is None or source.time is None or id_column is None:
        message = f"the contact policy reads '{name}', which is no table of events"
        raise ConfigError(Fault("UL402", message, "declare it with 'id' and 'time' as a source"))
    engine.attach(table, source)
    if lacking := [c for c in (id_column, source.time) if c not in engine.columns(table)]:
        raise ConfigError(Fault("UL402", f"'{name}' has no column '{lacking[0]}'", "mend its name"))
    return Events(table, id_column, source.time, contact=table == _CONTACTS)
