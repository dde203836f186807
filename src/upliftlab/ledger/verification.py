"""Whether the records are still what was written: every digest is taken again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from upliftlab.errors import Diagnostic, Place, UpliftLabError
from upliftlab.ledger.journal import REMEDY, Journal
from upliftlab.ledger.names import file_name
from upliftlab.ledger.record_store import MANIFEST, Contents, Generation, joint_digest
from upliftlab.ledger.records import Manifest, PlanEntry, RecordEntry
from upliftlab.util.durable import names_in


def verify(contents: Contents, journal: Journal) -> Iterator[Diagnostic]:
    """Everything about one experiment's records that is not as it was written."""
    try:
        promised = contents.store.experiment in journal.promises.values()
        if contents.lock() is None and not promised:
            yield _fault("there is no locked plan", contents.store.folder)
            return
        yield from record_faults(contents, journal)
        generations = contents.generations()
    except UpliftLabError as error:
        yield from error.faults
        return
    known = {each.folder for each in generations}
    for folder in contents.store.generation_folders():
        if folder not in known:
            yield _fault("this generation has no manifest", folder)
    for found in generations:
        yield from _parts(found)


def record_faults(contents: Contents, journal: Journal) -> Iterator[Diagnostic]:
    """What is not as it was written in an experiment's records, its parts not looked at.

    Raises:
        LedgerError: UL459 a record cannot be read, UL460 it is of another experiment.
    """
    entries = contents.entries()
    yield from _journaled(contents, entries, journal)
    lock, amendments = contents.lock(), contents.amendments()
    plans: list[PlanEntry] = [entry for entry in (lock, *amendments) if entry]
    yield from _plans(contents, plans)
    for promise in contents.promises():
        file = contents.store.promise_file(promise.list_sha256)
        if file not in contents.files:
            yield _fault("a promise lies under another list's name", file)
    arms = {entry.plan_sha256: _arms(entry) for entry in plans}
    previous: Manifest | None = None
    for number, found in enumerate(contents.generations(), start=1):
        content = contents.files[found.folder / MANIFEST]
        name = f"{found.manifest.generation:04}-{hashlib.sha256(content).hexdigest()}"
        if found.folder.name != name:
            message = "the manifest is not the one its folder is named by"
            yield _fault(message, found.folder / MANIFEST)
        yield from _generation(found, arms, previous, number)
        previous = found.manifest


def _journaled(
    contents: Contents, entries: Mapping[str, RecordEntry], journal: Journal
) -> Iterator[Diagnostic]:
    """The records against the journal: none changed, removed, or put there from elsewhere."""
    ledger, found = contents.store.ledger, contents.digests()
    lines = {line.file: line for line in journal.of(contents.store.experiment)}
    for file, line in lines.items():
        if file not in found:
            yield _fault("this record was removed", ledger / file)
        elif found[file] != line.sha256 or entries[file].before != line.before:
            yield _fault("this record was changed", ledger / file)
    new = {file for file, entry in entries.items() if entry.format > 1 and file not in lines}
    for file in sorted(new):
        yield _fault("this record is not in the journal: it was put here", ledger / file)
    old = {file: digest for file, digest in found.items() if file not in lines and file not in new}
    if journal.lines:
        known = journal.old.get(file_name(contents.store.experiment))
        if (joint_digest(old) if old else None) != known:
            message = "records older than the journal were changed, removed or put here"
            yield _fault(message, contents.store.folder)
    yield from _kinds(contents, list(lines))


def _kinds(contents: Contents, order: list[str]) -> Iterator[Diagnostic]:
    """Whether what was made after outcomes were read says so, and nothing else does."""
    ledger = contents.store.ledger
    marker = contents.store.marker_file.relative_to(ledger).as_posix()
    after = order[order.index(marker) :] if marker in order else []
    for change in contents.amendments():
        file = contents.store.amendment_file(change.number).relative_to(ledger).as_posix()
        if marker in order and file in order and (change.kind == "deviation") != (file in after):
            yield _fault("this is not the kind of change that it was", ledger / file)


def _plans(contents: Contents, entries: list[PlanEntry]) -> Iterator[Diagnostic]:
    """Each plan against its digest, and each amendment against the record before it."""
    before: PlanEntry | None = None
    for number, entry in enumerate(entries):
        store = contents.store
        file = store.amendment_file(number) if number else store.plan_file
        if not entry.intact:
            yield _fault("the plan is not the one whose sha256 stands beside it", file)
        if before and getattr(entry, "previous", None) != before.sha256:
            yield _fault("the record before this one was changed or removed", file)
        before = entry


def _arms(entry: PlanEntry) -> dict[str, tuple[object, object]]:
    """Each arm's channel and offer, as the plan has them."""
    found: dict[str, tuple[object, object]] = {}
    for name, arm in entry.plan.get("arms", []):
        nobody = bool(arm.get("control"))
        found[name] = (None, None) if nobody else (arm.get("channel"), arm.get("offer"))
    return found


def _generation(
    found: Generation,
    plans: Mapping[str, Mapping[str, tuple[object, object]]],
    previous: Manifest | None,
    number: int,
) -> Iterator[Diagnostic]:
    manifest, file = found.manifest, found.folder / MANIFEST
    if manifest.generation != number or manifest.previous != (previous and previous.sha256):
        yield _fault("the generation before this one was changed or removed", file)
    if manifest.plan_sha256 not in plans:
        yield _fault("it was made from a plan that is not on the record", file)
    if not manifest.reconciles:
        yield _fault("its counts do not add up", file)
    arms = plans.get(manifest.plan_sha256, {})
    for part in manifest.parts:
        if part.arm and (part.channel, part.offer) != arms.get(part.arm):
            yield _fault(f"channel and offer of '{part.arm}' are not the plan's", file)
        if part.file != Path(part.file).name:
            yield _fault("a part does not lie in its generation's folder", file)


def _parts(found: Generation) -> Iterator[Diagnostic]:
    for part in found.manifest.parts:
        try:
            found.check(part)
        except UpliftLabError as error:
            yield from error.faults
    listed = {part.file for part in found.manifest.parts} | {MANIFEST}
    for name in names_in(found.folder, found.folder):
        if name not in listed:
            yield _fault("this file is not in the manifest", found.folder / name)


def _fault(message: str, where: Path) -> Diagnostic:
    return Diagnostic("UL459", message, REMEDY, Place(str(where)))
