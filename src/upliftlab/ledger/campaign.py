"""A campaign's verbs from the lock to the senders' lists; each returns what there is to say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from upliftlab.analysis.record import Assigned, Record
from upliftlab.assignment.assign import CUSTOMERS, prepare, start_day
from upliftlab.assignment.decided import Decided, empty_places, held
from upliftlab.assignment.given_arms import given_arms, observing
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import Diagnostic, UpliftLabError
from upliftlab.ledger import (
    Amendment,
    AssignmentDraft,
    Ledger,
    Locked,
    Recorded,
    SourceOrigin,
    Writer,
)
from upliftlab.ledger.exports import Exported
from upliftlab.ledger.exports import export as export_generation
from upliftlab.ledger.faults import LedgerError, refuse
from upliftlab.ledger.heads import Head
from upliftlab.ledger.heads import heads as heads_of
from upliftlab.ledger.heads import require_head as require
from upliftlab.ledger.kept_design import changed_since, is_wording, shares_on
from upliftlab.ledger.record_store import Generation
from upliftlab.ledger.scratch import scratch
from upliftlab.queries.computed import attach_table
from upliftlab.util.visible import visible


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
        LedgerError: UL450, UL452 nothing is locked, UL453 no reason or no change, UL475 to UL478
            customers hold arms, and could not be analysed under the changed plan.
    """
    return ledger.amend(plan, why, now)


def assign(ledger: Ledger, plan: Plan, engine: Engine, now: datetime) -> Recorded:
    """Decide for every customer and put it on the record, with the plan if it is not locked yet.

    The ledger stays locked from reading others' contacts to recording these, so that two
    experiments never count on the same free day of a customer.

    Raises:
        ConfigError, DataError, EngineError: as `upliftlab.assignment.assign.prepare`.
        LedgerError: UL414 nobody gets an arm, UL450 another process writes, UL451 the plan changed,
            UL454 to UL458 the assignment is refused, UL461 the arms were assigned elsewhere, UL470
            the disk refuses.
    """
    _assigned_here(plan)
    name = plan.experiment.experiment
    with ledger.exclusive(f"assign {name}") as writer, engine.reading():
        return _recorded(ledger, plan, engine, (writer, now))


def _recorded(
    ledger: Ledger, plan: Plan, engine: Engine, into: tuple[Writer, datetime]
) -> Recorded:
    writer, now = into
    sources = _origins(plan, engine)
    if same := writer.recorded(plan, sources):
        return same
    contacts = _contacts(ledger, plan, writer)
    query = prepare(plan, engine, prior_contacts=contacts, start=start_day(plan, now))
    draft = AssignmentDraft(
        plan=plan,
        id=query.columns[0],
        population=query.population,
        sources=sources,
        engine=engine.description,
        write=lambda path: _written(engine, query.sql, path),
    )
    try:
        return writer.record(draft, now)
    except LedgerError as error:
        raise LedgerError([_told(fault, plan, engine) for fault in error.faults]) from error


def _told(fault: Diagnostic, plan: Plan, engine: Engine) -> Diagnostic:
    """Of an assignment of nobody also what the columns of `eligible` hold."""
    if fault.code != "UL414":
        return fault
    return replace(fault, message=fault.message + held(plan, engine))


def came_to(plan: Plan, recorded: Recorded) -> tuple[Diagnostic, ...]:
    """What there is to say of a first assignment: arms and waves of nobody, customers left over."""
    manifest = recorded.manifest
    if manifest.kept or not recorded.new:
        return ()
    waves = Counter[int | None]()
    for part in manifest.parts:
        if part.arm is not None:
            waves[part.wave] += part.rows
    return tuple(empty_places(plan, Decided(manifest.arms, waves, manifest.excluded)))


def _not_locked(plan: Plan, engine: Engine | None) -> LedgerError:
    """UL452: nothing was assigned here; the arms may stand in a column that the plan leaves out."""
    message = f"'{plan.experiment.experiment}' has no locked plan"
    given = () if engine is None else _given(plan, engine)
    if not given:
        return refuse("UL452", message, "run assign first")
    message += f", and '{visible(given[0])}' of the customers holds the names of its arms"
    remedy = f"write {observing(given[0])} if that tells who got what; else run assign first"
    return refuse("UL452", message, remedy)


def _given(plan: Plan, engine: Engine) -> tuple[str, ...]:
    """The columns that hold the arms; none where the table cannot be read, which `assign` tells."""
    try:
        attach_table(CUSTOMERS, plan.customers, engine)
        return given_arms(plan, engine)
    except UpliftLabError:
        return ()


def open_record(ledger: Ledger, plan: Plan, engine: Engine | None = None) -> Record:
    """Open the record for an analysis; call `note_outcomes` once there are numbers.

    Args:
        ledger: Where the record lies.
        plan: The experiment, whose arms are drawn here.
        engine: Where its customers lie; if nothing is locked, a column of arms is named from there.

    Raises:
        LedgerError: UL451 the plan differs from the one in force, UL452 nothing is locked,
            UL457 nobody is assigned, UL459 a record was changed, UL462 customers were
            assigned when there were other arms.
    """
    name = plan.experiment.experiment
    locked = ledger.locked(name)
    if locked is None:
        raise _not_locked(plan, engine)
    if faults := ledger.verify(name):
        raise LedgerError(faults)
    ledger.require(plan)
    assignment, changes = ledger.read(name), ledger.amendments(name)
    plans = {e.plan_sha256: e.plan for e in (locked, *changes)}
    _same_arms(plan, [plans[each.manifest.plan_sha256] for each in assignment.generations])
    first = plans[assignment.generations[0].manifest.plan_sha256]
    told = tuple(c for c in changes if not all(is_wording(change.path) for change in c.changes))
    zone = ZoneInfo(plan.program.time_zone)
    late = ("the plan was locked after outcomes had been read",) if locked.after_outcomes else ()
    return Record(
        id=assignment.id,
        generations=tuple(
            _assigned(each, plans[each.manifest.plan_sha256], zone)
            for each in assignment.generations
            if each.files
        ),
        locked=locked.time.astimezone(zone).date(),
        settled=(told[-1] if told else locked).time.astimezone(zone).date(),
        customers=assignment.generations[-1].manifest.sources[CUSTOMERS].sha256,
        assigned=assignment.generations[-1].manifest.time.astimezone(zone).date(),
        amendments=tuple(c.why for c in told if c.kind == "amendment"),
        deviations=(*late, *(c.why for c in told if c.kind == "deviation")),
        since=changed_since(first, plan.canonical()),
        population=assignment.generations[-1].manifest.population,
        excluded=assignment.generations[-1].manifest.excluded,
    )


def note_outcomes(ledger: Ledger, plan: Plan, now: datetime) -> None:
    """Note that outcomes were read: whatever is amended from now on is a deviation."""
    ledger.mark_outcomes_read(plan.experiment.experiment, now)


def _assigned(generation: Generation, plan: Mapping[str, Any], zone: ZoneInfo) -> Assigned:
    """A generation with the shares by which it was assigned."""
    day = generation.manifest.time.astimezone(zone).date()
    return Assigned(day, generation.files, shares=shares_on(plan, day))


def _same_arms(plan: Plan, assigned_under: Sequence[Mapping[str, Any]]) -> None:
    """Refuse arms other than those that customers were assigned to."""
    for content in assigned_under:
        arms = [name for name, _ in content["arms"]]
        if set(arms) != set(plan.arms):
            message = f"customers were assigned when the arms were {', '.join(arms)}: whoever"
            message += " started in another time than an arm cannot be compared with it"
            remedy = "start a new experiment for the arms that came later"
            raise refuse("UL462", message, remedy)


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


def verify(ledger: Ledger, experiment: str | None = None) -> tuple[Diagnostic, ...]:
    """What is no longer as it was written, in one experiment's records or in all.

    Raises:
        LedgerError: UL457, there is no record at all.
    """
    every = sorted({*ledger.experiments(), *ledger.promisers()})
    names = every if experiment is None else (experiment,)
    orphans = ledger.orphans() if experiment is None else ()
    if not names and (not orphans or (ledger.folder / "ledger").is_dir()):
        _refuse_none(ledger)
    return (*orphans, *(fault for name in names for fault in ledger.verify(name)))


def heads(ledger: Ledger, experiment: str | None = None) -> tuple[Head, ...]:
    """The digests to keep elsewhere: each experiment's and, last, the whole ledger's.

    Raises:
        LedgerError: UL457 there is no such record, UL459 the journal was changed, UL469 it was all
            made before there was a journal.
    """
    found = heads_of(ledger.head())
    if not found:
        if not ledger.experiments():
            _refuse_none(ledger)
        message = "these records were made before ledgers had heads"
        raise refuse("UL469", message, "the next lock, amend, assign or run begins one")
    if experiment is None:
        return found
    own = tuple(head for head in found if head.name == experiment)
    if not own:
        raise refuse("UL457", f"there are no records of '{experiment}' here", "", ledger.folder)
    return own


def require_head(ledger: Ledger, kept: str, secret: bytes | None = None) -> int:
    """How many records were made since a head that was kept.

    Raises:
        LedgerError: UL467 it is not this ledger's, UL468 it is not signed with the secret.
    """
    return require(ledger.head(), kept, secret)


def _refuse_none(ledger: Ledger) -> None:
    inner = ledger.folder / "ledger"
    if inner.is_dir():
        raise refuse("UL457", "this is no ledger", f"did you mean '{inner}'?", ledger.folder)
    raise refuse("UL457", "there are no records here", "name the ledger's folder", ledger.folder)


def _assigned_here(plan: Plan) -> None:
    if plan.experiment.assignment.observed is not None:
        raise refuse(
            "UL461",
            f"'{plan.experiment.experiment}' reads its arms from a column: they were assigned"
            " elsewhere",
            "remove 'assignment: observed' to have them assigned here",
        )


def _origins(plan: Plan, engine: Engine) -> dict[str, SourceOrigin]:
    """Every table that the assignment depends on, as it is now."""
    policy = plan.program.contact_policy
    names = (policy.contacts, policy.complaints) if policy else ()
    tables = {CUSTOMERS: plan.customers}
    tables |= {name: plan.sources[name] for name in names if name in plan.sources}
    found: dict[str, SourceOrigin] = {}
    for name, source in tables.items():
        place, digest = engine.fingerprint(source)
        found[name] = SourceOrigin(place=place, sha256=digest)
    return found


def _written(engine: Engine, sql: str, path: Path) -> int:
    """Write an assignment of tables that were the same from their fingerprint to their last row."""
    rows = engine.write(sql, path)
    engine.confirm()
    return rows


def _contacts(ledger: Ledger, plan: Plan, writer: Writer) -> Sequence[Path]:
    """Contacts of the ledger's other experiments, where a policy asks for them."""
    others = set(ledger.experiments()) - {plan.experiment.experiment}
    if plan.program.contact_policy is None or not others:
        return ()
    return (writer.contacts_file(ledger.contacts(plan.experiment.experiment)),)


def contacts_on_record(ledger: Ledger, plan: Plan, folder: Path) -> Sequence[Path]:
    """All contacts that a ledger knows of, as a Parquet file in a folder; none without a policy.

    Raises:
        LedgerError: UL471, the contacts cannot be read.
    """
    if plan.program.contact_policy is None or not ledger.experiments():
        return ()
    file = folder / "contacts.parquet"
    with scratch(folder, within=[ledger.folder, folder]) as session:
        session.copy(ledger.contacts(), file)
    return (file,)
