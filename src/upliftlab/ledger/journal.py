"""The journal: one chain over all records of a ledger, in the order in which they were made.

    .journal/000001-<sha256>.json    one entry a record: its file, its digest, the entry before

An entry is named by its own digest and holds that of the entry before it, so the last one stands
for everything on the record: its digest is the ledger's head. A record holds the digest of the
entry that was last when it was written, so that it fits no other ledger and no other place.

An entry is written aside (announced) before its record appears and renamed into the journal
after, so a crash between the two leaves either an entry without a record, which is dropped, or
both, and then the next writer finishes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from upliftlab.ledger.faults import refuse
from upliftlab.util.durable import names_in, read_file

JOURNAL = ".journal"
ASIDE = ".aside"
COMING = "coming"
REMEDY = "bring it back from a backup, and find out who changed it"
_NAME = re.compile(r"(\d{6,})-([0-9a-f]{64})\.json")


class Line(BaseModel):
    """One entry of the journal."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: Literal[1] = 1
    number: int
    """1 for the first."""
    time: AwareDatetime
    before: str | None
    """Hex digest of the entry before; null for the first."""
    experiment: str
    file: str
    """The record, by its path in the ledger."""
    sha256: str
    """Hex digest of the record's file."""
    nonce: str | None = None
    """Random, in the first entry alone: no two ledgers share a head."""
    old: dict[str, str] = {}
    """In the first entry alone: a digest of an experiment's records of format 1, by its folder."""

    def content(self) -> bytes:
        """The entry's file, byte for byte."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    @cached_property
    def digest(self) -> str:
        """Hex digest of the entry's file."""
        return hashlib.sha256(self.content()).hexdigest()

    @property
    def name(self) -> str:
        """The name of the entry's file."""
        return f"{self.number:06}-{self.digest}.json"


@dataclass(frozen=True, slots=True)
class Journal:
    """The entries of a journal, oldest first."""

    lines: tuple[Line, ...] = ()

    @property
    def head(self) -> str | None:
        """The digest of the last entry; None before there is one."""
        return self.lines[-1].digest if self.lines else None

    @property
    def old(self) -> Mapping[str, str]:
        """A digest of an experiment's records of format 1, by its folder."""
        return self.lines[0].old if self.lines else {}

    @property
    def experiments(self) -> frozenset[str]:
        """Every experiment whose plan was locked."""
        locks = (line for line in self.lines if line.file.endswith("/plan.json"))
        return frozenset(line.experiment for line in locks)

    @property
    def promises(self) -> Mapping[str, str]:
        """The experiment that a list was made from, by the list's digest."""
        kept = ((line, Path(line.file)) for line in self.lines)
        return {path.stem: line.experiment for line, path in kept if path.parent.name == "promises"}

    def of(self, experiment: str) -> tuple[Line, ...]:
        """The entries of one experiment, oldest first."""
        return tuple(line for line in self.lines if line.experiment == experiment)

    def follows(self, line: Line) -> bool:
        """Whether an entry comes next."""
        return (line.number, line.before) == (len(self.lines) + 1, self.head)

    def grown(self, line: Line) -> Journal:
        """The journal with one more entry."""
        return Journal((*self.lines, line))


def read_journal(ledger: Path) -> Journal:
    """The journal as it stands, and what a writer has announced whose record is there.

    Raises:
        LedgerError: UL459, an entry was changed or removed.
        OutputError: UL463 to UL465, the journal's folder or an entry is none of the ledger's.
    """
    journal = Journal()
    for name in names_in(ledger / JOURNAL, ledger):
        line = _line(ledger / JOURNAL / name, ledger)
        if line is None or line.name != name or not journal.follows(line):
            message = "this entry of the journal, or the one before it, was changed or removed"
            raise refuse("UL459", message, REMEDY, ledger / JOURNAL / name)
        journal = journal.grown(line)
    return journal


def announced(ledger: Path) -> tuple[tuple[Path, Line], ...]:
    """Entries that writers wrote aside and did not rename into the journal, in their order."""
    found = [
        (folder / name, line)
        for folder in (ledger / ASIDE / each / COMING for each in _folders(ledger / ASIDE, ledger))
        for name in names_in(folder, ledger)
        if _NAME.fullmatch(name) and (line := _line(folder / name, ledger)) and line.name == name
    ]
    return tuple(sorted(found, key=lambda each: each[1].number))


def unfinished(ledger: Path, journal: Journal) -> Iterator[tuple[Path, Line]]:
    """Of those announced, the entries that come next and whose records are there."""
    for path, line in announced(ledger):
        if journal.follows(line) and _there(ledger, line):
            journal = journal.grown(line)
            yield path, line


def seen(ledger: Path) -> Journal:
    """The journal as a reader sees it: with what was announced and has come."""
    journal = read_journal(ledger)
    for _, line in unfinished(ledger, journal):
        journal = journal.grown(line)
    return journal


def names(ledger: Path) -> tuple[str, ...]:
    """What would differ if somebody had written in between."""
    return (*names_in(ledger / JOURNAL, ledger), *(str(path) for path, _ in announced(ledger)))


def _folders(folder: Path, root: Path) -> list[str]:
    return [name for name in names_in(folder, root) if (folder / name).is_dir()]


def _there(ledger: Path, line: Line) -> bool:
    try:
        content = read_file(ledger / line.file, ledger)
    except (FileNotFoundError, ValueError):
        return False
    return hashlib.sha256(content).hexdigest() == line.sha256


def _line(path: Path, root: Path) -> Line | None:
    """An entry, byte for byte as it was written; None where the file is none, or is gone."""
    try:
        content = read_file(path, root)
        line = Line.model_validate_json(content)
    except (FileNotFoundError, ValidationError):
        return None
    return line if line.content() == content else None
