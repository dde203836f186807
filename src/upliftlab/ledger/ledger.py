"""The ledger: one folder, one record of what was planned and who was assigned to what."""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from upliftlab.durable import make_folder, remove
from upliftlab.errors import Fault, Place
from upliftlab.experiment import Plan
from upliftlab.ledger.contacts import contacts_sql
from upliftlab.ledger.faults import LedgerError, refuse, unwritable
from upliftlab.ledger.guard import only_writer
from upliftlab.ledger.names import file_name
from upliftlab.ledger.records import Amendment, Lock, OutcomesRead, PlanEntry
from upliftlab.ledger.scratch import parquet
from upliftlab.ledger.shelf import Generation, Shelf
from upliftlab.ledger.verification import verify
from upliftlab.ledger.writer import Locked, Writer, changed

_ASIDE = ".aside"
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Assignment:
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

    def experiments(self) -> tuple[str, ...]:
        """Names of all locked experiments, sorted.

        Raises:
            LedgerError: UL459 a record cannot be read, UL460 it lies in another's folder.
        """
        if not self._folder.is_dir():
            return ()
        folders = [path for path in self._folder.iterdir() if (path / "plan.json").is_file()]
        names = {_name(path) for path in folders if not path.name.startswith(".")}
        return tuple(sorted(names))

    def orphans(self) -> tuple[Fault, ...]:
        """Folders of records whose plan is gone."""
        if not self._folder.is_dir():
            return ()
        folders = sorted(path for path in self._folder.iterdir() if path.is_dir())
        return tuple(
            Fault("UL459", "the plan is gone", "bring it back", Place(str(path / "plan.json")))
            for path in folders
            if not path.name.startswith(".") and not (path / "plan.json").is_file()
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
        return self._shelf(experiment).plan_in_force()

    def locked(self, experiment: str) -> Lock | None:
        """The plan as it was first locked, if it was."""
        return self._shelf(experiment).lock()

    def amendments(self, experiment: str) -> tuple[Amendment, ...]:
        """Every change of the plan since, oldest first."""
        return self._shelf(experiment).amendments()

    def outcomes_read(self, experiment: str) -> OutcomesRead | None:
        """When outcomes were first read, if they were."""
        return self._shelf(experiment).outcomes_read()

    def generations(self, experiment: str) -> tuple[Generation, ...]:
        """Every generation of the assignment, oldest first; none where nothing was assigned."""
        return self._shelf(experiment).generations()

    def read(self, experiment: str) -> Assignment:
        """Who is in which arm.

        Raises:
            LedgerError: UL457, nobody was assigned yet.
        """
        generations = self.generations(experiment)
        found = Assignment(generations[-1].manifest.id if generations else "", generations)
        if not found.files:
            raise refuse("UL457", f"nobody is assigned in '{experiment}'", "run assign first")
        return found

    def contacts(self, excluding: str | None = None) -> str:
        """Contacts of all experiments but one, as a query in DuckDB's dialect: id, day, experiment.

        While the lock is held (`exclusive`), no other assignment can slip in after it.
        """
        names = [name for name in self.experiments() if name != excluding]
        return contacts_sql(each for name in names for each in self.generations(name))

    def verify(self, experiment: str) -> tuple[Fault, ...]:
        """What is no longer as it was written; empty where all is well."""
        return tuple(verify(self._shelf(experiment)))

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
                aside = self._clean_aside()
                try:
                    yield Writer(self._folder, aside)
                finally:
                    with suppress(OSError):  # whoever comes next removes it
                        remove(aside)
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

    def mark_outcomes_read(self, experiment: str, now: datetime) -> OutcomesRead:
        """Note when outcomes were first read; waits for another process for ten seconds."""
        if found := self.outcomes_read(experiment):
            return found
        with self.exclusive(f"analyze {experiment}", _PATIENCE) as writer:
            return writer.mark_outcomes_read(experiment, now)

    def _clean_aside(self) -> Path:
        """An empty folder aside; what dead processes left there is removed."""
        folder = self._folder / _ASIDE
        make_folder(folder)
        for left in folder.iterdir():
            remove(left)
        aside = folder / secrets.token_hex(8)
        aside.mkdir(mode=0o700)
        return aside

    def _shelf(self, experiment: str) -> Shelf:
        return Shelf(self._folder, experiment)


def _name(folder: Path) -> str:
    """The experiment whose records a folder holds."""
    try:
        lock = Lock.model_validate_json((folder / "plan.json").read_bytes())
    except (OSError, ValueError) as error:
        where = folder / "plan.json"
        raise refuse("UL459", "this record is damaged", "bring it back", where) from error
    if file_name(lock.experiment) != folder.name:
        message = f"these are the records of '{lock.experiment}'"
        raise refuse("UL460", message, f"name the folder {file_name(lock.experiment)}", folder)
    return lock.experiment


__all__ = ["Assignment", "Ledger", "LedgerError"]
