"""The ledger: one folder, one record of what was planned and who was assigned to what."""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from upliftlab.config.models.experiment import Plan
from upliftlab.errors import Diagnostic, Place, UpliftLabError
from upliftlab.ledger import journal
from upliftlab.ledger.contacts import contacts_sql
from upliftlab.ledger.faults import LedgerError, reading, refuse, unwritable
from upliftlab.ledger.guard import only_writer
from upliftlab.ledger.journal import ASIDE, JOURNAL, Journal
from upliftlab.ledger.names import file_name
from upliftlab.ledger.record_store import PROMISES, Generation
from upliftlab.ledger.records import Amendment, Lock, OutcomesRead, PlanEntry, Promise
from upliftlab.ledger.scratch import parquet
from upliftlab.ledger.trust import snapshot, trusted
from upliftlab.ledger.verification import verify
from upliftlab.ledger.writer import Locked, Writer, changed
from upliftlab.util.durable import make_folder, names_in, publish, read_file, remove

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class RecordedAssignment:
    """Who is in which arm: every generation's customers, each once."""

    id: str
    """The column that identifies a customer."""
    generations: tuple[Generation, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The Parquet files of customers who hold an arm."""
        return tuple(file for generation in self.generations for file in generation.files)

    @property
    def sql(self) -> str:
        """All columns of those files as a query in DuckDB's dialect."""
        return f"SELECT * FROM {parquet(self.files)}"


class Ledger:
    """Records of experiments in a folder, which is made when first written to.

    Reading needs no lock: what is on the record does not change any more.
    """

    def __init__(self, folder: Path) -> None:
        """The folder may not exist yet.

        Raises:
            LedgerError: UL472, its path would be read as a pattern.
        """
        if any(sign in str(folder) for sign in "*?[]{}"):
            raise refuse("UL472", f"the path {folder} holds one of * ? [ ] {{ }}", "rename it")
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where the records lie."""
        return self._folder

    @classmethod
    def within(cls, workspace: Path) -> Ledger:
        """The ledger of a workspace, where none is named.

        Raises:
            LedgerError: UL464, its folder is a link that leaves the workspace; UL472.
        """
        folder = workspace / "ledger"
        if folder.is_symlink():
            inside = workspace.resolve()
            if not os.path.realpath(folder).startswith(f"{inside}{os.sep}"):
                message = "the workspace's ledger is a link that leaves the workspace"
                raise refuse("UL464", message, "name the ledger on the command line", folder)
        return cls(folder)

    def experiments(self) -> tuple[str, ...]:
        """Names of all locked experiments, sorted; those whose records are gone among them.

        Raises:
            LedgerError: UL459 a record cannot be read, UL460 it lies in another's folder, UL466 it
                may not be read.
        """
        with reading(self._folder):
            here = {name for folder in self._folders() if (name := self._name(folder))}
            return tuple(sorted(here | journal.seen(self._folder).experiments))

    def orphans(self) -> tuple[Diagnostic, ...]:
        """Folders of records whose plan is gone."""
        with reading(self._folder):
            folders = self._folders()
            lacking = {folder for folder in folders if self._planless(folder)}
            gone = {self._folder / name for name in journal.seen(self._folder).old} - set(folders)
        return tuple(
            Diagnostic("UL459", "the plan is gone", "bring it back", Place(str(path / "plan.json")))
            for path in sorted(lacking | gone)
        )

    def require(self, plan: Plan) -> None:
        """Refuse a plan that is not the one in force.

        Raises:
            LedgerError: UL451, with the differences.
        """
        entry = self.plan_in_force(plan.experiment.experiment)
        if entry is not None and entry.plan_sha256 != plan.sha256:
            raise changed(entry, plan)

    def plan_in_force(self, experiment: str) -> PlanEntry | None:
        """The last amendment, else the lock, if there is one."""
        return trusted(self._folder, experiment).plan_in_force()

    def locked(self, experiment: str) -> Lock | None:
        """The plan as it was first locked, if it was."""
        return trusted(self._folder, experiment).lock()

    def amendments(self, experiment: str) -> tuple[Amendment, ...]:
        """Every change of the plan since, oldest first."""
        return trusted(self._folder, experiment).amendments()

    def outcomes_read(self, experiment: str) -> OutcomesRead | None:
        """When outcomes were first read, if they were."""
        return trusted(self._folder, experiment).outcomes_read()

    def generations(self, experiment: str) -> tuple[Generation, ...]:
        """Every generation of the assignment, oldest first; none where nothing was assigned."""
        return trusted(self._folder, experiment).generations()

    def promisers(self) -> tuple[str, ...]:
        """Experiments from which lists were made that something was promised for, sorted.

        Raises:
            LedgerError: UL459, the journal was changed.
        """
        return tuple(sorted(set(self.head().promises.values())))

    def promise(self, list_sha256: str) -> Promise | None:
        """What was promised for a list, if anything was.

        Raises:
            LedgerError: UL459 its record, or another of the same experiment, was changed.
        """
        experiment = self.head().promises.get(list_sha256)
        if experiment is None:
            return None
        kept = trusted(self._folder, experiment).promises()
        return next(each for each in kept if each.list_sha256 == list_sha256)

    def head(self) -> Journal:
        """The journal of all that is on the record; its last entry is the ledger's head.

        Raises:
            LedgerError: UL459, the journal was changed.
        """
        with reading(self._folder):
            return journal.seen(self._folder)

    def read(self, experiment: str) -> RecordedAssignment:
        """Who is in which arm.

        Raises:
            LedgerError: UL457, nobody was assigned yet.
        """
        generations = self.generations(experiment)
        found = RecordedAssignment(generations[-1].manifest.id if generations else "", generations)
        if not found.files:
            raise refuse("UL457", f"nobody is assigned in '{experiment}'", "run assign first")
        return found

    def contacts(self, excluding: str | None = None) -> str:
        """Contacts of all experiments but one, as a query in DuckDB's dialect: id, day, experiment.

        While the lock is held (`exclusive`), no other assignment can slip in after it.

        Raises:
            LedgerError: UL459, records or parts of one of them were changed or are gone.
        """
        if faults := self.orphans():
            raise LedgerError(faults)
        names = [name for name in self.experiments() if name != excluding]
        found = [each for name in names for each in self.generations(name)]
        for generation in found:
            for part in generation.manifest.parts:
                if part.channel is not None:
                    generation.check(part)
        return contacts_sql(found)

    def verify(self, experiment: str) -> tuple[Diagnostic, ...]:
        """What is no longer as it was written; empty where all is well."""
        try:
            with reading(self._folder):
                return tuple(verify(*snapshot(self._folder, experiment)))
        except UpliftLabError as error:
            return error.faults

    @contextmanager
    def exclusive(self, purpose: str, patience: float = 0) -> Generator[Writer]:
        """Be the only writer for the time of a block.

        Args:
            purpose: What the block does, for a process that finds the ledger locked.
            patience: Seconds to wait for another process before giving up.

        Raises:
            LedgerError: UL450 another process writes, UL470 the disk refuses.
        """
        try:
            make_folder(self._folder)
            with only_writer(self._folder / ".lock", purpose, patience):
                self._finish()
                aside = self._clean_aside()
                try:
                    yield Writer(self._folder, aside)
                finally:
                    with suppress(OSError):  # whoever comes next finishes and removes it
                        self._finish()
                        remove(aside, self._folder)
        except OSError as error:
            raise unwritable(error, self._folder) from error

    def lock(self, plan: Plan, now: datetime) -> Locked:
        """Freeze a plan; see `Writer.lock`."""
        with self.exclusive(f"lock {plan.experiment.experiment}") as writer:
            return writer.lock(plan, now)

    def amend(self, plan: Plan, why: str, now: datetime) -> Amendment:
        """Put a changed plan in force; see `Writer.amend`."""
        with self.exclusive(f"amend {plan.experiment.experiment}") as writer:
            return writer.amend(plan, why, now)

    def keep_promise(self, promise: Promise) -> Promise:
        """Keep what was promised for a list; waits for another process for ten seconds."""
        with self.exclusive(f"target {promise.experiment}", _PATIENCE) as writer:
            return writer.promise(promise)

    def mark_outcomes_read(self, experiment: str, now: datetime) -> OutcomesRead:
        """Note when outcomes were first read; waits for another process for ten seconds."""
        found = self.outcomes_read(experiment)
        if found and not journal.announced(self._folder):  # else a dead writer's work is finished
            return found
        with self.exclusive(f"analyze {experiment}", _PATIENCE) as writer:
            return writer.mark_outcomes_read(experiment, now)

    def _finish(self) -> None:
        """Enter into the journal what a writer placed who died before it could."""
        known = journal.read_journal(self._folder)
        for path, line in journal.unfinished(self._folder, known):
            make_folder(self._folder / JOURNAL, self._folder)
            publish(path, self._folder / JOURNAL / line.name, self._folder)

    def _clean_aside(self) -> Path:
        """An empty folder aside; what dead processes left there is removed."""
        folder = self._folder / ASIDE
        make_folder(folder, self._folder)
        for left in names_in(folder, self._folder):
            remove(folder / left, self._folder)
        aside = folder / secrets.token_hex(8)
        make_folder(aside, self._folder)
        return aside

    def _folders(self) -> list[Path]:
        """The folders of experiments; a link in the place of one is refused."""
        shown = (name for name in names_in(self._folder, self._folder) if not name.startswith("."))
        paths = (self._folder / name for name in shown)
        return [path for path in paths if path.is_symlink() or path.is_dir()]

    def _names(self, folder: Path) -> list[str]:
        return names_in(folder, self._folder)

    def _planless(self, folder: Path) -> bool:
        """Whether the plan of an experiment's records is gone; promises alone need none."""
        names = self._names(folder)
        return "plan.json" not in names and names != [PROMISES]

    def _name(self, folder: Path) -> str | None:
        """The experiment whose records a folder holds; None without a plan."""
        where = folder / "plan.json"
        try:
            lock = Lock.model_validate_json(read_file(where, self._folder))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise refuse("UL459", "this record is damaged", "bring it back", where) from error
        if file_name(lock.experiment) != folder.name:
            message = f"these are the records of '{lock.experiment}'"
            raise refuse("UL460", message, f"name the folder {file_name(lock.experiment)}", folder)
        return lock.experiment


__all__ = ["Ledger", "LedgerError", "RecordedAssignment"]
