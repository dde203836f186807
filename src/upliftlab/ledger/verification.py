"""Whether the records are still what was written: every digest is taken again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from upliftlab.errors import Fault, Place
from upliftlab.ledger.faults import LedgerError
from upliftlab.ledger.records import Manifest, Part, PlanEntry
from upliftlab.ledger.shelf import Generation, Shelf

_REMEDY = "bring it back from a backup, and find out who changed it"


def verify(shelf: Shelf) -> Iterator[Fault]:
    """Everything about one experiment's records that is not as it was written."""
    try:
        lock, amendments, generations = shelf.lock(), shelf.amendments(), shelf.generations()
    except LedgerError as error:
        yield from error.faults
        return
    if lock is None:
        yield _fault("there is no locked plan", shelf.folder)
        return
    yield from _plans(shelf, [lock, *amendments])
    known = {entry.plan_sha256 for entry in (lock, *amendments)}
    previous: Manifest | None = None
    for number, folder in enumerate(shelf.generation_folders(), start=1):
        found = next((each for each in generations if each.folder == folder), None)
        if found is None:
            yield _fault("this generation has no manifest", folder)
            continue
        yield from _generation(found, known, previous, number)
        previous = found.manifest


def _plans(shelf: Shelf, entries: list[PlanEntry]) -> Iterator[Fault]:
    """Each plan against its digest, and each amendment against the record before it."""
    before: PlanEntry | None = None
    for number, entry in enumerate(entries):
        file = shelf.amendment_file(number) if number else shelf.plan_file
        if not entry.intact:
            yield _fault("the plan is not the one whose sha256 stands beside it", file)
        if before and getattr(entry, "previous", None) != before.sha256:
            yield _fault("the record before this one was changed or removed", file)
        before = entry


def _generation(
    found: Generation, plans: set[str], previous: Manifest | None, number: int
) -> Iterator[Fault]:
    manifest, file = found.manifest, found.folder / "manifest.json"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if found.folder.name != f"{manifest.generation:04}-{digest}":
        yield _fault("the manifest is not the one its folder is named by", file)
    if manifest.generation != number or manifest.previous != (previous and previous.sha256):
        yield _fault("the generation before this one was changed or removed", file)
    if manifest.plan_sha256 not in plans:
        yield _fault("it was made from a plan that is not on the record", file)
    if not manifest.reconciles:
        yield _fault("its counts do not add up", file)
    for part in manifest.parts:
        yield from _part(found.path(part), part)
    listed = {part.file for part in manifest.parts} | {file.name}
    for stray in sorted(found.folder.iterdir()):
        if stray.name not in listed:
            yield _fault("this file is not in the manifest", stray)


def _part(path: Path, part: Part) -> Iterator[Fault]:
    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        yield _fault("a part of the assignment is missing", path)
        return
    if digest != part.sha256:
        yield _fault("a part of the assignment was changed", path)


def _fault(message: str, where: Path) -> Fault:
    return Fault("UL459", message, _REMEDY, Place(str(where)))
