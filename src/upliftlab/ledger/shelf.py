"""Where one experiment's records lie in the ledger, and how they are read.

    plan.json                     the plan as it was locked
    amendments/0001.json          each change since
    outcomes_read.json            when outcomes were first read
    assignments/0001-<sha256>/    one generation: manifest.json and its Parquet parts

Nothing here is ever rewritten. A generation's folder is named by its manifest's digest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from upliftlab.ledger.faults import refuse
from upliftlab.ledger.names import file_name
from upliftlab.ledger.records import (
    Amendment,
    Entry,
    Lock,
    Manifest,
    OutcomesRead,
    Part,
    PlanEntry,
)

_GENERATION = re.compile(r"(\d{4,})-[0-9a-f]{64}")
_AMENDMENT = re.compile(r"(\d{4,})\.json")
_Entry = TypeVar("_Entry", bound=Entry)


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of an assignment: its folder and its figures."""

    folder: Path
    manifest: Manifest

    @property
    def files(self) -> tuple[Path, ...]:
        """The parts of customers who hold an arm."""
        return tuple(self.path(part) for part in self.manifest.parts if part.arm is not None)

    def path(self, part: Part) -> Path:
        """Where a part lies."""
        return self.folder / part.file


@dataclass(frozen=True, slots=True)
class Shelf:
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

    def generation_folder(self, manifest: Manifest) -> Path:
        """The folder of a generation."""
        return self.folder / "assignments" / f"{manifest.generation:04}-{manifest.sha256}"

    def lock(self) -> Lock | None:
        """The plan as it was locked, if it was."""
        return self._read(self.plan_file, Lock)

    def amendments(self) -> tuple[Amendment, ...]:
        """Every change since, oldest first."""
        files = _numbered(self.folder / "amendments", _AMENDMENT)
        return tuple(found for file in files if (found := self._read(file, Amendment)))

    def plan_in_force(self) -> PlanEntry | None:
        """The last amendment, else the lock, if there is one."""
        changes = self.amendments()
        return changes[-1] if changes else self.lock()

    def outcomes_read(self) -> OutcomesRead | None:
        """When outcomes were first read, if they were."""
        return self._read(self.marker_file, OutcomesRead)

    def generation_folders(self) -> tuple[Path, ...]:
        """The folders of all generations, oldest first."""
        return _numbered(self.folder / "assignments", _GENERATION)

    def generations(self) -> tuple[Generation, ...]:
        """Every generation of the assignment, oldest first."""
        return tuple(
            Generation(folder, found)
            for folder in self.generation_folders()
            if (found := self._read(folder / "manifest.json", Manifest))
        )

    def _read(self, file: Path, kind: type[_Entry]) -> _Entry | None:
        """A record, None where there is none.

        Raises:
            LedgerError: UL459 it cannot be read, UL460 it is of another experiment.
        """
        try:
            entry = kind.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise refuse(
                "UL459", "this record is damaged", "bring it back from a backup", file
            ) from error
        name = getattr(entry, "experiment", None)
        if name != self.experiment:
            raise refuse(
                "UL460",
                f"this is the record of '{name}', not of '{self.experiment}'",
                "give experiments names that differ in more than case",
                file,
            )
        return entry


def _numbered(folder: Path, pattern: re.Pattern[str]) -> tuple[Path, ...]:
    """The entries of a folder whose names fit, in the order of their numbers."""
    if not folder.is_dir():
        return ()
    fits = [(int(found[1]), path) for path in folder.iterdir() if (found := _fit(pattern, path))]
    return tuple(path for _, path in sorted(fits))


def _fit(pattern: re.Pattern[str], path: Path) -> re.Match[str] | None:
    return pattern.fullmatch(path.name)
