"""A campaign's verbs from the lock to the senders' lists; each returns what there is to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from upliftlab.engines.base import Engine
from upliftlab.errors import Fault
from upliftlab.experiment import Plan
from upliftlab.exports import Exported
from upliftlab.exports import export as export_generation
from upliftlab.ledger import Amendment, Draft, Ledger, Locked, Origin, Recorded
from upliftlab.ledger.faults import refuse

CUSTOMERS = "customers"
"""The name under which an engine knows the customers' table."""


class AssignmentQuery(Protocol):
    """The decision over every customer, ready to run."""

    @property
    def sql(self) -> str:
        """The query in the engine's dialect or DuckDB's."""
        ...

    @property
    def id(self) -> str:
        """The column that identifies a customer."""
        ...


Prepare = Callable[[Plan, Engine, Path], AssignmentQuery]
"""Makes the query from a plan, an engine that knows `customers`, and a Parquet file of contacts.

The file holds `id` (text), `day` and `experiment`: who is contacted when by other experiments.
"""


def lock(ledger: Ledger, plan: Plan, now: datetime) -> Locked:
    """Freeze a plan before anybody is assigned.

    Raises:
        LedgerError: UL450 another process writes, UL451 the plan differs from the locked one,
            UL461 the arms were assigned elsewhere.
    """
    _assigned_here(plan)
    return ledger.lock(plan, now)


def amend(ledger: Ledger, plan: Plan, why: str, now: datetime) -> Amendment:
    """Record a changed plan and the reason: a deviation once outcomes were read.

    Raises:
        LedgerError: UL450, UL452 nothing is locked, UL453 no reason or no change.
    """
    return ledger.amend(plan, why, now)


def assign(ledger: Ledger, plan: Plan, engine: Engine, prepare: Prepare, now: datetime) -> Recorded:
    """Decide for every customer and put it on the record, with the plan if it is not locked yet.

    The ledger stays locked from reading others' contacts to recording these, so that two
    experiments never count on the same free day of a customer.

    Raises:
        LedgerError: UL450 another process writes, UL451 the plan changed, UL454–UL458 the
            assignment is refused, UL461 the arms were assigned elsewhere, UL470 the disk refuses.
    """
    _assigned_here(plan)
    name = plan.experiment.experiment
    with ledger.exclusive(f"assign {name}") as writer:
        sources = _origins(plan, engine)
        if same := writer.recorded(plan, sources):
            return same
        engine.attach(CUSTOMERS, plan.customers)
        query = prepare(plan, engine, writer.contacts_file(ledger.contacts(name)))
        draft = Draft(
            plan=plan,
            id=query.id,
            population=_population(engine),
            sources=sources,
            engine=engine.description,
            write=lambda path: engine.write(query.sql, path),
        )
        return writer.record(draft, now)


def export(
    ledger: Ledger,
    experiment: str,
    folder: Path,
    secret: bytes | None = None,
    generation: int | None = None,
) -> Exported:
    """Write the senders' lists of one generation, the last by default.

    Raises:
        LedgerError: UL457 there is no such generation; else as `exports.export`.
    """
    found = ledger.generations(experiment)
    number = len(found) if generation is None else generation
    if not 1 <= number <= len(found):
        which = "nobody is assigned" if generation is None else f"no generation {number}"
        raise refuse("UL457", f"{which} in '{experiment}'", "run assign first")
    return export_generation(found[number - 1], folder, secret)


def verify(ledger: Ledger, experiment: str | None = None) -> tuple[Fault, ...]:
    """What is no longer as it was written, in one experiment's records or in all."""
    names = ledger.experiments() if experiment is None else (experiment,)
    return tuple(fault for name in names for fault in ledger.verify(name))


def _assigned_here(plan: Plan) -> None:
    if plan.experiment.assignment.observed is not None:
        raise refuse(
            "UL461",
            f"'{plan.experiment.experiment}' reads its arms from a column: they were assigned"
            " elsewhere",
            "remove 'assignment: observed' to have them assigned here",
        )


def _origins(plan: Plan, engine: Engine) -> dict[str, Origin]:
    """Every table that the assignment depends on, as it is now."""
    policy = plan.program.contact_policy
    names = (policy.contacts, policy.complaints) if policy else ()
    tables = {CUSTOMERS: plan.customers}
    tables |= {name: plan.sources[name] for name in names if name in plan.sources}
    found: dict[str, Origin] = {}
    for name, source in tables.items():
        place, digest = engine.fingerprint(source)
        found[name] = Origin(place=place, sha256=digest)
    return found


def _population(engine: Engine) -> int:
    return int(engine.query(f'SELECT count(*) AS n FROM "{CUSTOMERS}"')["n"][0].as_py())  # noqa: S608 - a name of our own
