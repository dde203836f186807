"""A campaign's verbs from the lock to the senders' lists; each returns what there is to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from upliftlab.analysis.record import Record
from upliftlab.assign import CUSTOMERS, prepare
from upliftlab.engines.base import Engine
from upliftlab.errors import Fault
from upliftlab.experiment import Plan
from upliftlab.exports import Exported
from upliftlab.exports import export as export_generation
from upliftlab.ledger import Amendment, Draft, Ledger, Locked, Origin, Recorded, Writer
from upliftlab.ledger.faults import refuse


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


def assign(ledger: Ledger, plan: Plan, engine: Engine, now: datetime) -> Recorded:
    """Decide for every customer and put it on the record, with the plan if it is not locked yet.

    The ledger stays locked from reading others' contacts to recording these, so that two
    experiments never count on the same free day of a customer.

    Raises:
        ConfigError, DataError, EngineError: as `upliftlab.assign.prepare`.
        LedgerError: UL450 another process writes, UL451 the plan changed, UL454 to UL458 the
            assignment is refused, UL461 the arms were assigned elsewhere, UL470 the disk refuses.
    """
    _assigned_here(plan)
    name = plan.experiment.experiment
    with ledger.exclusive(f"assign {name}") as writer:
        sources = _origins(plan, engine)
        if same := writer.recorded(plan, sources):
            return same
        contacts = _contacts(ledger, plan, writer)
        query = prepare(plan, engine, prior_contacts=contacts, start=_start(plan, now))
        draft = Draft(
            plan=plan,
            id=query.columns[0],
            population=query.population,
            sources=sources,
            engine=engine.description,
            write=lambda path: engine.write(query.sql, path),
        )
        return writer.record(draft, now)


def read_outcomes(ledger: Ledger, plan: Plan, now: datetime) -> Record:
    """Open the record for an analysis, and note that outcomes are read from now on.

    Raises:
        LedgerError: UL451 the plan differs from the one in force, UL457 nobody is assigned.
    """
    name = plan.experiment.experiment
    assignment = ledger.read(name)
    locked, changes = ledger.locked(name), ledger.amendments(name)
    ledger.lock(plan, now)  # refuses a plan that differs from the one in force
    ledger.mark_outcomes_read(name, now)
    days = [
        entry.time.astimezone(ZoneInfo(plan.program.time_zone)).date()
        for entry in (locked,)
        if entry
    ]
    return Record(
        id=assignment.id,
        files=assignment.files,
        locked=days[0] if days else now.date(),
        amendments=tuple(c.why for c in changes if c.kind == "amendment"),
        deviations=tuple(c.why for c in changes if c.kind == "deviation"),
    )


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


def _contacts(ledger: Ledger, plan: Plan, writer: Writer) -> Sequence[Path]:
    """Contacts of the ledger's other experiments, where a policy asks for them."""
    others = set(ledger.experiments()) - {plan.experiment.experiment}
    if plan.program.contact_policy is None or not others:
        return ()
    return (writer.contacts_file(ledger.contacts(plan.experiment.experiment)),)


def _start(plan: Plan, now: datetime) -> date | None:
    """The day of contact where no wave declares one."""
    if plan.experiment.waves:
        return None
    return now.astimezone(ZoneInfo(plan.program.time_zone)).date()
