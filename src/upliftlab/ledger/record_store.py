"""Where one experiment's records lie in the ledger, and how they are read.

    plan.json                     the plan as it was locked
    amendments/0001.json          each change since
    outcomes_read.json            when outcomes were first read
    assignments/0001-<sha256>/    one generation: manifest.json and its Parquet parts
    promises/<sha256>.json        what was promised for the list of this digest

Nothing here is ever rewritten. A generation's folder is named by its manifest's digest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from upliftlab.ledger.faults import refuse
from upliftlab.ledger.names import file_name
from upliftlab.ledger.records import (
    Amendment,
    AssignmentPart,
    Lock,
    Manifest,
    OutcomesRead,
    PlanEntry,
    Promise,
    RecordEntry,
)
from upliftlab.util.durable import digest_of, names_in, read_file

MANIFEST = "manifest.json"
_GENERATION = re.compile(r"(\d{4,})-[0-9a-f]{64}")
_AMENDMENT = re.compile(r"(\d{4,})\.json")
_PROMISE = re.compile(r"[0-9a-f]{64}\.json")
PROMISES = "promises"
_Entry = TypeVar("_Entry", bound=RecordEntry)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of an assignment: its folder and its figures."""

    folder: Path
    manifest: Manifest

    @property
    def files(self) -> tuple[Path, ...]:
        """The parts of customers who hold an arm."""
        return tuple(self.path(part) for part in self.manifest.parts if part.arm is not None)

    def path(self, part: AssignmentPart) -> Path:
        """Where a part lies."""
        return self.folder / part.file

    def check(self, part: AssignmentPart) -> None:
        """Refuse a part that is not the one on the record.

        Raises:
            LedgerError: UL459, it was changed or is missing.
            OutputError: UL463 to UL465, it is no plain file.
        """
        path = self.path(part)
        try:
            digest = digest_of(path, self.folder)
        except FileNotFoundError as error:
            remedy = "bring it back from a backup"
            raise refuse("UL459", "a part of the assignment is missing", remedy, path) from error
        if digest != part.sha256:
            raise refuse("UL459", "a part of the assignment was changed", "run verify", path)

    def check_all(self) -> None:
        """Refuse parts that are not those on the record; see `check`."""
        for part in self.manifest.parts:
            self.check(part)


@dataclass(frozen=True, slots=True)
class RecordStore:
    """One experiment's folder."""

    ledger: Path
    experiment: str

    @property
    def folder(self) -> Path:
        """The experiment's folder, whether it exists or not."""
        return self.ledger / file_name(self.experiment)

    @property
    def plan_file(self) -> Path:
        """The file of the locked plan."""
        return self.folder / "plan.json"

    @property
    def marker_file(self) -> Path:
        """The file that says that outcomes were read."""
        return self.folder / "outcomes_read.json"

    def amendment_file(self, number: int) -> Path:
        """The file of an amendment."""
        return self.folder / "amendments" / f"{number:04}.json"

    def promise_file(self, list_sha256: str) -> Path:
        """The file of what was promised for a list."""
        return self.folder / PROMISES / f"{list_sha256}.json"

    def generation_folder(self, manifest: Manifest) -> Path:
        """The folder of a generation."""
        return self.folder / "assignments" / f"{manifest.generation:04}-{manifest.sha256}"

    def generation_folders(self) -> tuple[Path, ...]:
        """The folders of all generations, oldest first."""
        return _numbered(self.folder / "assignments", _GENERATION, self.ledger)

    def contents(self) -> Contents:
        """Every record, read once.

        Raises:
            OutputError: UL463 to UL465, a folder or file is none of the ledger's own.
        """
        return Contents(self, records_in(self.folder, self.ledger))


def records_in(folder: Path, ledger: Path) -> dict[Path, bytes]:
    """The files of all records of an experiment: plan, amendments, note, manifests, promises."""
    manifests = (each / MANIFEST for each in _numbered(folder / "assignments", _GENERATION, ledger))
    changes = _numbered(folder / "amendments", _AMENDMENT, ledger)
    names = (name for name in names_in(folder / PROMISES, ledger) if _PROMISE.fullmatch(name))
    promises = (folder / PROMISES / name for name in names)
    single = (folder / "plan.json", *changes, folder / "outcomes_read.json")
    found: dict[Path, bytes] = {}
    for file in (*single, *manifests, *promises):
        try:
            found[file] = read_file(file, ledger)
        except FileNotFoundError:
            continue
    return found


def digests(files: Mapping[Path, bytes], ledger: Path) -> dict[str, str]:
    """The sha256 of files, by their paths in the ledger."""
    return {
        file.relative_to(ledger).as_posix(): hashlib.sha256(content).hexdigest()
        for file, content in files.items()
    }


def joint_digest(found: Mapping[str, str]) -> str:
    """One digest of several files' digests."""
    listed = "".join(f"{found[file]} {file}\n" for file in sorted(found))
    return hashlib.sha256(listed.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Contents:
    """One experiment's records as they were read, and what they say."""

    store: RecordStore
    files: Mapping[Path, bytes]

    def digests(self) -> dict[str, str]:
        """The sha256 of every record's file, by its path in the ledger."""
        return digests(self.files, self.store.ledger)

    def lock(self) -> Lock | None:
        """The plan as it was locked, if it was."""
        return self._parsed(self.store.plan_file, Lock)

    def amendments(self) -> tuple[Amendment, ...]:
        """Every change since, oldest first."""
        folder = self.store.folder / "amendments"
        files = [file for file in self.files if file.parent == folder]
        return tuple(found for file in files if (found := self._parsed(file, Amendment)))

    def plan_in_force(self) -> PlanEntry | None:
        """The last amendment, else the lock, if there is one."""
        changes = self.amendments()
        return changes[-1] if changes else self.lock()

    def outcomes_read(self) -> OutcomesRead | None:
        """When outcomes were first read, if they were."""
        return self._parsed(self.store.marker_file, OutcomesRead)

    def generations(self) -> tuple[Generation, ...]:
        """Every generation of the assignment, oldest first."""
        return tuple(
            Generation(file.parent, found)
            for file in self.files
            if file.name == MANIFEST and (found := self._parsed(file, Manifest))
        )

    def promises(self) -> tuple[Promise, ...]:
        """What was promised for lists that were made from the experiment."""
        folder = self.store.folder / PROMISES
        files = [file for file in self.files if file.parent == folder]
        return tuple(found for file in files if (found := self._parsed(file, Promise)))

    def entries(self) -> dict[str, RecordEntry]:
        """Every record, by its path in the ledger.

        Raises:
            LedgerError: UL459 one cannot be read, UL460 it is of another experiment.
        """
        found: dict[str, RecordEntry] = {}
        for file in self.files:
            if entry := self._parsed(file, self._kind(file)):
                found[file.relative_to(self.store.ledger).as_posix()] = entry
        return found

    def _kind(self, file: Path) -> type[RecordEntry]:
        """What a record's place says that it is."""
        kinds = {self.store.plan_file: Lock, self.store.marker_file: OutcomesRead}
        if file.parent == self.store.folder / PROMISES:
            return Promise
        return kinds.get(file, Manifest if file.name == MANIFEST else Amendment)

    def _parsed(self, file: Path, kind: type[_Entry]) -> _Entry | None:
        """A record, None where there is none.

        Raises:
            LedgerError: UL459 it cannot be read, UL460 it is of another experiment.
        """
        if file not in self.files:
            return None
        try:
            entry = kind.model_validate_json(self.files[file])
        except ValidationError as error:
            raise refuse(
                "UL459", "this record is damaged", "bring it back from a backup", file
            ) from error
        name = getattr(entry, "experiment", None)
        if name != self.store.experiment:
            raise refuse(
                "UL460",
                f"this is the record of '{name}', not of '{self.store.experiment}'",
                "give experiments names that differ in more than case",
                file,
            )
        return entry


def _numbered(folder: Path, pattern: re.Pattern[str], root: Path) -> tuple[Path, ...]:
    """The entries of a folder whose names fit, in the order of their numbers."""
    fits = [(int(found[1]), n) for n in names_in(folder, root) if (found := pattern.fullmatch(n))]
    return tuple(folder / name for _, name in sorted(fits))
