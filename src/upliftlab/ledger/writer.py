"""What changes the ledger, and only while its lock is held.

Every change is made aside, synced, and appears by one rename: a reader, and whoever comes after a
crash, finds the old state or the whole new one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from upliftlab import __version__
from upliftlab.config.models.experiment import Plan
from upliftlab.ledger.difference import differences, listed
from upliftlab.ledger.faults import LedgerError, refuse
from upliftlab.ledger.journal import COMING, JOURNAL, Journal, Line, seen
from upliftlab.ledger.kept_design import refusals, same_division, shares_on
from upliftlab.ledger.record_store import (
    MANIFEST,
    Contents,
    Generation,
    RecordStore,
    digests,
    joint_digest,
    records_in,
)
from upliftlab.ledger.records import (
    Amendment,
    Lock,
    Manifest,
    OutcomesRead,
    PlanChange,
    PlanEntry,
    Promise,
    RecordEntry,
    SourceOrigin,
    frozen,
    pooled,
)
from upliftlab.ledger.scratch import scratch
from upliftlab.ledger.staged import Staged
from upliftlab.ledger.trust import trusted
from upliftlab.util.durable import make_folder, names_in, publish, sync, sync_tree, write_file

_Entry = TypeVar("_Entry", bound=RecordEntry)


@dataclass(frozen=True, slots=True)
class AssignmentDraft:
    """An assignment about to be recorded, and what it was made of."""

    plan: Plan
    id: str
    """The column that identifies a customer."""
    population: int
    """Customers in the table, counted apart from the assignment."""
    sources: Mapping[str, SourceOrigin]
    """The tables that were read."""
    engine: str
    """Name and version of the engine."""
    write: Callable[[Path], object]
    """Writes the assignment as one Parquet file."""


@dataclass(frozen=True, slots=True)
class Locked:
    """The plan in force, and whether this call froze it."""

    entry: PlanEntry
    new: bool


@dataclass(frozen=True, slots=True)
class Recorded:
    """A generation of an assignment, and whether this call made it."""

    generation: Generation
    new: bool

    @property
    def manifest(self) -> Manifest:
        """The generation's figures."""
        return self.generation.manifest


class Writer:
    """The hand that writes; `Ledger.exclusive` lends it to one process at a time."""

    def __init__(self, ledger: Path, aside: Path) -> None:
        """Args are the ledger's folder and an empty folder of the same file system."""
        self._ledger = ledger
        self._aside = aside

    def lock(self, plan: Plan, now: datetime) -> Locked:
        """Freeze a plan; the same plan again changes nothing.

        Raises:
            LedgerError: UL451, another plan of this experiment is in force.
        """
        store = self._shelf(plan)
        entry = self._known(plan).plan_in_force()
        if entry is None:
            entry = self._new_lock(plan, now)
            return Locked(self._enter(entry, store.plan_file), new=True)
        if entry.plan_sha256 != plan.sha256:
            raise changed(entry, plan)
        return Locked(entry, new=False)

    def amend(self, plan: Plan, why: str, now: datetime) -> Amendment:
        """Put a changed plan in force and say why; repeating the last amendment changes nothing.

        Raises:
            LedgerError: UL452 nothing is locked, UL453 there is no reason or no change, UL475 to
                UL478 customers hold arms, and could not be analysed under the changed plan.
        """
        store, known = self._shelf(plan), self._known(plan)
        entry = known.plan_in_force()
        if entry is None:
            raise _not_locked(store.experiment)
        if not why.strip():
            raise refuse("UL453", "an amendment needs a reason", "say why with --why")
        if entry.plan_sha256 == plan.sha256:
            if isinstance(entry, Amendment) and entry.why == why.strip():
                return entry
            raise refuse("UL453", f"the plan of '{store.experiment}' has not changed")
        changes = differences(entry.canonical, plan.canonical())
        past = [each.manifest for each in known.generations()]
        if faults := tuple(refusals(entry.plan, json.loads(plan.canonical()), past)):
            raise LedgerError(faults)
        amendment = Amendment(
            time=now,
            upliftlab=__version__,
            number=len(known.amendments()) + 1,
            kind="deviation" if known.outcomes_read() else "amendment",
            why=why.strip(),
            changes=tuple(PlanChange(path=c.path, before=c.before, after=c.after) for c in changes),
            previous=entry.sha256,
            **frozen(plan),
        )
        return self._enter(amendment, store.amendment_file(amendment.number))

    def mark_outcomes_read(self, experiment: str, now: datetime) -> OutcomesRead:
        """Note when outcomes were first read; amendments are deviations from then on."""
        store = RecordStore(self._ledger, experiment)
        known = trusted(self._ledger, experiment, alone=True)
        if found := known.outcomes_read():
            return found
        entry = known.plan_in_force()
        digest = entry.plan_sha256 if entry else None
        marker = OutcomesRead(experiment=experiment, time=now, plan_sha256=digest)
        return self._enter(marker, store.marker_file)

    def promise(self, promise: Promise) -> Promise:
        """Keep what was promised for a list; the first word on a list stays."""
        store = RecordStore(self._ledger, promise.experiment)
        for known in trusted(self._ledger, promise.experiment, alone=True).promises():
            if known.list_sha256 == promise.list_sha256:
                return known
        if store.folder.exists():
            return self._enter(promise, store.promise_file(promise.list_sha256))
        return self._first_promise(promise, store)

    def contacts_file(self, contacts: str) -> Path:
        """Contacts (`Ledger.contacts`) as a Parquet file that lasts as long as the lock."""
        file = self._aside / "contacts.parquet"
        with scratch(self._aside / "spill", within=[self._ledger, self._aside]) as session:
            session.copy(contacts, file)
        return file

    def recorded(self, plan: Plan, sources: Mapping[str, SourceOrigin]) -> Recorded | None:
        """The last generation, where it came from this plan and these tables.

        Raises:
            LedgerError: UL451, another plan of this experiment is in force.
        """
        known = self._known(plan)
        entry = known.plan_in_force()
        if entry and entry.plan_sha256 != plan.sha256:
            raise changed(entry, plan)
        past = known.generations()
        if not past:
            return None
        last = past[-1].manifest
        same = last.plan_sha256 == plan.sha256 and last.sources == dict(sources)
        return Recorded(past[-1], new=False) if same else None

    def record(self, draft: AssignmentDraft, now: datetime) -> Recorded:
        """Put an assignment on the record; the same plan and data again change nothing.

        A plan that is not locked yet is locked with it, in the same step.

        Raises:
            LedgerError: UL451 as `recorded`; UL454 it does not reconcile; UL455 customers would
                move; UL456 a blocked assignment is complete; UL458 ids.
        """
        if same := self.recorded(draft.plan, draft.sources):
            return same
        store, known = self._shelf(draft.plan), self._known(draft.plan)
        folder = self._aside / "generation"
        make_folder(folder, self._ledger)
        manifest = self._examine(draft, known.generations(), now)
        if known.lock() or known.outcomes_read():
            self.lock(draft.plan, now)
            journal = seen(self._ledger)
            manifest = self._finished(manifest, journal)
            target = store.generation_folder(manifest)
            line = self._line(journal, target / MANIFEST, manifest)
            self._put((line,), folder, target)
        else:
            manifest = self._place_first(draft.plan, manifest, now)
        return Recorded(Generation(store.generation_folder(manifest), manifest), new=True)

    def _place_first(self, plan: Plan, manifest: Manifest, now: datetime) -> Manifest:
        """Lock and assign in one rename, that of the experiment's whole folder."""
        store, journal = self._shelf(plan), seen(self._ledger)
        whole = RecordStore(self._aside, store.experiment)
        lock = self._new_lock(plan, now).model_copy(update={"before": journal.head})
        locked = self._line(journal, store.plan_file, lock)
        journal = journal.grown(locked)
        manifest = self._finished(manifest, journal)
        line = self._line(journal, store.generation_folder(manifest) / MANIFEST, manifest)
        self._move(self._aside / "generation", whole.generation_folder(manifest))
        write_file(whole.plan_file, lock.content())
        sync_tree(whole.folder)
        self._put((locked, line), whole.folder, store.folder)
        return manifest

    def _first_promise(self, promise: Promise, store: RecordStore) -> Promise:
        """Keep a promise in one rename, that of the folder of an experiment without a plan here."""
        journal = seen(self._ledger)
        promise = promise.model_copy(update={"before": journal.head})
        file = RecordStore(self._aside, promise.experiment).promise_file(promise.list_sha256)
        make_folder(file.parent, self._aside)
        write_file(file, promise.content())
        whole = file.parent.parent
        sync_tree(whole)
        line = self._line(journal, store.promise_file(promise.list_sha256), promise)
        self._put((line,), whole, store.folder)
        return promise

    def _finished(self, manifest: Manifest, journal: Journal) -> Manifest:
        """The manifest as it goes on the record, written beside its parts."""
        manifest = manifest.model_copy(update={"before": journal.head})
        folder = self._aside / "generation"
        write_file(folder / MANIFEST, manifest.content())
        sync_tree(folder)
        return manifest

    def _examine(
        self, draft: AssignmentDraft, past: tuple[Generation, ...], now: datetime
    ) -> Manifest:
        """Write the parts aside and count them."""
        file = self._aside / "staged.parquet"
        draft.write(file)
        file.chmod(0o600)
        earlier: list[Path] = []
        for each in past:
            for part in each.manifest.parts:
                if part.arm:
                    each.check(part)
                    earlier.append(each.path(part))
        within = [self._ledger, self._aside]
        with scratch(self._aside / "spill", draft.plan.engine, within) as session:
            staged = Staged(session, file, draft.id, earlier)
            faults = staged.faults(draft.plan, draft.population)
            if not faults and self._same_shares(draft.plan, past, now):
                faults = staged.movers()
            if faults := [*faults, *staged.joiners(draft.plan)]:
                raise LedgerError(faults)
            manifest = self._manifest(draft, staged, past, now)
        if not manifest.reconciles:
            raise refuse("UL454", "the parts do not hold every customer exactly once")
        return manifest

    def _same_shares(self, plan: Plan, past: tuple[Generation, ...], now: datetime) -> bool:
        """Whether all were assigned by the shares of today, so that nobody would move."""
        known = self._known(plan)
        locked = known.lock()
        plans = {e.plan_sha256: e.plan for e in (locked, *known.amendments()) if e is not None}
        dated = [(plans.get(each.manifest.plan_sha256), each.manifest.time) for each in past]
        then = [shares_on(content, _day(plan, at)) for content, at in dated if content]
        today = shares_on(json.loads(plan.canonical()), _day(plan, now))
        return same_division([*then, today])

    def _manifest(
        self, draft: AssignmentDraft, staged: Staged, past: tuple[Generation, ...], now: datetime
    ) -> Manifest:
        plan, asked = draft.plan, draft.plan.experiment.assignment
        cells = staged.cells()
        arms = dict.fromkeys(plan.arms, 0)
        excluded: dict[str, int] = {}
        for cell in cells:
            counts, key = (excluded, cell.reason) if cell.arm is None else (arms, cell.arm)
            counts[str(key)] = counts.get(str(key), 0) + cell.customers
        return Manifest(
            experiment=plan.experiment.experiment,
            generation=len(past) + 1,
            time=now,
            plan_sha256=plan.sha256,
            salt=asked.salt or plan.experiment.experiment,
            method=asked.method,
            id=draft.id,
            unit=asked.unit or draft.id,
            sources=dict(draft.sources),
            engine=draft.engine,
            upliftlab=__version__,
            population=draft.population,
            kept=staged.kept(),
            excluded=excluded,
            arms=arms,
            ghosts=staged.ghosts(),
            cells=pooled(cells, plan.smallest_cell),
            parts=staged.split(self._aside / "generation", plan, _day(plan, now)),
            previous=past[-1].manifest.sha256 if past else None,
        )

    def _new_lock(self, plan: Plan, now: datetime) -> Lock:
        late = self._known(plan).outcomes_read() is not None
        return Lock(time=now, upliftlab=__version__, after_outcomes=late, **frozen(plan))

    def _shelf(self, plan: Plan) -> RecordStore:
        return RecordStore(self._ledger, plan.experiment.experiment)

    def _known(self, plan: Plan) -> Contents:
        """What is on the record of a plan's experiment, as it was written."""
        return trusted(self._ledger, plan.experiment.experiment, alone=True)

    def _enter(self, entry: _Entry, target: Path) -> _Entry:
        """Put one record in its place and into the journal."""
        journal = seen(self._ledger)
        entry = entry.model_copy(update={"before": journal.head})
        aside = self._aside / "entry.json"
        write_file(aside, entry.content())
        self._put((self._line(journal, target, entry),), aside, target)
        return entry

    def _line(self, journal: Journal, target: Path, entry: RecordEntry) -> Line:
        """The journal's next entry, for a record."""
        first = not journal.lines
        return Line(
            number=len(journal.lines) + 1,
            time=entry.time,
            before=journal.head,
            experiment=entry.experiment,
            file=target.relative_to(self._ledger).as_posix(),
            sha256=entry.sha256,
            nonce=secrets.token_hex(16) if first else None,
            old=self._old() if first else {},
        )

    def _old(self) -> dict[str, str]:
        """What was on the record before there was a journal."""
        found: dict[str, str] = {}
        for name in names_in(self._ledger, self._ledger):
            folder = self._ledger / name
            if not name.startswith(".") and folder.is_dir():
                files = records_in(folder, self._ledger)
                if files:
                    found[name] = joint_digest(digests(files, self._ledger))
        return found

    def _put(self, lines: tuple[Line, ...], aside: Path, target: Path) -> None:
        """Announce entries of the journal, move their records into place, and enter them."""
        coming, journal = self._aside / COMING, self._ledger / JOURNAL
        make_folder(coming, self._ledger)
        make_folder(journal, self._ledger)
        for line in lines:
            write_file(coming / line.name, line.content())
        sync(coming)
        self._move(aside, target)
        with suppress(OSError):  # announced: `exclusive` enters them, or whoever comes next
            for line in lines:
                publish(coming / line.name, journal / line.name, self._ledger)

    def _move(self, aside: Path, target: Path) -> None:
        make_folder(target.parent, self._ledger)
        publish(aside, target, self._ledger)


def _day(plan: Plan, now: datetime) -> date:
    return now.astimezone(ZoneInfo(plan.program.time_zone)).date()


def changed(entry: PlanEntry, plan: Plan) -> LedgerError:
    """The refusal of a plan that differs from the one in force, with the differences."""
    changes = listed(differences(entry.canonical, plan.canonical()))
    return refuse(
        "UL451",
        f"the plan of '{entry.experiment}' is not the one locked on {entry.time:%Y-%m-%d}:"
        f" {changes}",
        "restore it, or record the change with amend --why",
    )


def _not_locked(experiment: str) -> LedgerError:
    return refuse("UL452", f"'{experiment}' has no locked plan", "lock it first")
