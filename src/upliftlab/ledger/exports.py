"""Lists for the sending tools: one CSV per wave and channel, and nobody of the control in any.

Files hold customers' ids: they are made private from their first byte, written aside, and appear
under their name only when whole.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

import csv
import fcntl
import hmac
import os
import re
import secrets
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from upliftlab.ledger.faults import refuse, unwritable
from upliftlab.ledger.names import file_name
from upliftlab.ledger.record_store import Generation
from upliftlab.ledger.records import AssignmentPart
from upliftlab.ledger.scratch import parquet, scratch
from upliftlab.ledger.secret import secret_of
from upliftlab.util.durable import create_private, make_folder, names_in, publish, remove, sync
from upliftlab.util.spreadsheet import neutralised, row
from upliftlab.util.sql import literal, quote

__all__ = [
    "Exported",
    "ExportedFile",
    "export",
    "neutralised",
    "pseudonym",
    "read_secret",
]
_BATCH = 10_000
_ASIDE = re.compile(r"\.upliftlab-[0-9a-f]{16}\.aside")


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file written."""

    path: Path
    channel: str | None
    """None for the ghost log."""
    wave: int | None
    rows: int
    neutralised: int = 0
    """Ids that a spreadsheet would have run as a formula, written with a leading apostrophe."""


@dataclass(frozen=True, slots=True)
class Exported:
    """Every file written for one generation."""

    lists: tuple[ExportedFile, ...]
    ghost_log: ExportedFile | None
    """Customers of the control who would have been contacted; None where there are none."""


def pseudonym(secret: bytes, identity: str) -> str:
    """What stands for an id: its HMAC-SHA256, the same in every list made with one secret."""
    return hmac.digest(secret, identity.encode(), "sha256").hex()


def read_secret(environment: Mapping[str, str], name: str) -> bytes:
    """The secret of pseudonyms from an environment variable; no message ever shows it.

    Raises:
        LedgerError: UL480, it is not set, or so weak that it could be guessed.
    """
    return secret_of(environment, name)


def export(generation: Generation, folder: Path, secret: bytes | None = None) -> Exported:
    """Write a generation's lists, and its ghost log apart from them.

    Args:
        generation: Whose customers; a later generation holds only those who joined.
        folder: Where the files go; made private where it does not exist.
        secret: Pseudonyms instead of ids, keyed by it.

    Raises:
        LedgerError: UL459 a part was changed since it was recorded, UL470 the disk refuses,
            UL482 two channels would share a file, UL483 another export writes there.
    """
    try:
        make_folder(folder)
        with _alone(folder):
            return _export(generation, folder, secret)
    except OSError as error:
        raise unwritable(error, folder) from error


def _export(generation: Generation, folder: Path, secret: bytes | None) -> Exported:
    groups = _groups(generation)
    written: list[tuple[Path, ExportedFile]] = []
    for (channel, wave), parts in groups.items():
        aside = _aside(folder)
        counts = _write_list(aside, generation, parts, secret)
        target = folder / _list_name(generation, channel, wave)
        written.append((aside, ExportedFile(target, channel, wave, *counts)))
    ghosts = _write_ghosts(generation, folder)
    for aside, file in [*written, *ghosts]:
        make_folder(file.path.parent, folder)
        publish(aside, file.path, folder)
    return Exported(tuple(file for _, file in written), ghosts[0][1] if ghosts else None)


def _groups(generation: Generation) -> dict[tuple[str, int | None], list[AssignmentPart]]:
    """The parts of each list, checked against the digests on the record."""
    groups: dict[tuple[str, int | None], list[AssignmentPart]] = {}
    generation.check_all()
    for part in generation.manifest.parts:
        if part.channel is not None:
            groups.setdefault((part.channel, part.wave), []).append(part)
    names = [_list_name(generation, *group).casefold() for group in groups]
    if twice := [name for name in names if names.count(name) > 1]:
        raise refuse("UL482", f"two channels share the file {twice[0]}", "rename one of them")
    return groups


def _list_name(generation: Generation, channel: str, wave: int | None) -> str:
    """The name of a list; its first words leave no doubt where the channel begins."""
    number = generation.manifest.generation
    joined = f"generation-{number}." if number > 1 else ""
    return f"{joined}{'no-wave' if wave is None else f'wave-{wave}'}.{file_name(channel)}.csv"


def _write_list(
    aside: Path, generation: Generation, parts: list[AssignmentPart], secret: bytes | None
) -> tuple[int, int]:
    """Write one list and count its rows and the ids it had to neutralise."""
    name = "pseudonym" if secret else generation.manifest.id
    rows = changed = 0
    with os.fdopen(create_private(aside), "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(row((name, "arm", "offer")))
        for part in parts:
            for batch in _ids(generation, part):
                shown = [pseudonym(secret, x) for x in batch] if secret else list(batch)
                safe = [row((x, part.arm, part.offer)) for x in shown]
                out.writerows(safe)
                rows += len(safe)
                changed += sum(x[0] != y for x, y in zip(safe, shown, strict=True))
        file.flush()
        os.fsync(file.fileno())
    return rows, changed


def _ids(generation: Generation, part: AssignmentPart) -> Iterator[list[str]]:
    """A part's customers in the part's order, in batches; never one of another arm."""
    with scratch(None, within=[generation.folder]) as session:
        sql = (
            f"SELECT CAST({quote(generation.manifest.id)} AS VARCHAR)"
            f" FROM {parquet([generation.path(part)])}"
            f" WHERE arm = {literal(part.arm or '')} AND NOT coalesce(ghost, false)"
        )
        for batch in session.batches(sql, _BATCH):
            yield [row[0] for row in batch]


def _write_ghosts(generation: Generation, folder: Path) -> list[tuple[Path, ExportedFile]]:
    """Write the ghost log in a folder of its own, so that no upload takes it along."""
    manifest = generation.manifest
    if not manifest.ghosts:
        return []
    files = [generation.path(part) for part in manifest.parts if part.arm is not None]
    aside = _aside(folder)
    columns = f"{quote(manifest.id)}, arm, channel, wave, stratum"
    with scratch(None, within=[generation.folder, folder]) as session:
        rows = session.copy(f"SELECT {columns} FROM {parquet(files)} WHERE ghost", aside)
    sync(aside)
    name = f"generation-{manifest.generation}.ghosts.parquet"
    return [(aside, ExportedFile(folder / "not-for-senders" / name, None, None, rows))]


def _aside(folder: Path) -> Path:
    return folder / f".upliftlab-{secrets.token_hex(8)}.aside"


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Be the only export into a folder; what is left aside, also by dead processes, is removed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise refuse(
                "UL483", "another export is writing here", "wait until it is done", folder
            ) from error
        _clean(folder)
        try:
            yield
        finally:
            _clean(folder)
    finally:
        os.close(descriptor)


def _clean(folder: Path) -> None:
    for name in names_in(folder, folder):
        if _ASIDE.fullmatch(name):
            remove(folder / name, folder)
