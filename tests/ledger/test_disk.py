"""A disk refuses any one step: the old state stays, the fault is named, rerunning completes."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ledgers import NOW, assignment_sql, files, make_draft, make_plan, record

from upliftlab.ledger import Ledger, LedgerError
from upliftlab.ledger.exports import export

CALLS = ("open", "fsync", "replace", "rename", "mkdir")
MOST_STEPS = 400


class Disk:
    """Counts the calls that touch the disk and fails one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: int, number: int) -> None:
        self.left, self.number, self.failed = step, number, False
        for name in CALLS:
            monkeypatch.setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, call: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **options: object) -> object:
            self.left -= 1
            if self.left == 0:
                self.failed = True
                raise OSError(self.number, os.strerror(self.number))
            return call(*arguments, **options)

        return run


def refusal_of(act: Callable[[], object]) -> LedgerError | None:
    try:
        act()
    except LedgerError as refusal:
        return refusal
    return None


def every_step(
    act: Callable[[Ledger], object], bases: Iterator[Path], number: int
) -> list[tuple[dict[str, bytes], dict[str, bytes]]]:
    """Fail each step in turn until `act` needs no more; what was there before and after a refusal.

    A failure to tidy up is not a refusal: whoever comes next tidies up.
    """
    seen = []
    for step, base in zip(range(1, MOST_STEPS), bases, strict=False):
        before = files(base)
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, step, number)
            refusal = refusal_of(lambda base=base: act(Ledger(base)))
        if not disk.failed:
            return seen
        if refusal:
            assert [fault.code for fault in refusal.faults] == ["UL470"]
            assert os.strerror(number) in str(refusal)
            seen.append((before, files(base)))
    raise AssertionError


def test_an_assignment(tmp_path: Path) -> None:
    one_wave = [{"start": "2026-03-02", "share": "100%"}]
    sql = f"SELECT * REPLACE (wave - wave + 1 AS wave) FROM ({assignment_sql(60)})"
    draft = make_draft(make_plan(waves=one_wave), 60, sql)
    bases = (tmp_path / str(step) for step in itertools.count())
    seen = every_step(lambda ledger: record(ledger, draft), bases, errno.ENOSPC)
    assert len(seen) > 20
    assert sum(after != before for before, after in seen) <= 2  # opening, syncing the folder
    for folder in tmp_path.iterdir():
        again = Ledger(folder)
        record(again, draft)
        assert again.verify("spring") == ()
        assert len(again.generations("spring")) == 1
        assert list((again.folder / ".aside").iterdir()) == []


def test_a_lock_and_an_amendment(tmp_path: Path) -> None:
    for act in (
        lambda ledger: ledger.lock(make_plan(), NOW),
        lambda ledger: ledger.amend(make_plan(owner="b"), "owner", NOW),
        lambda ledger: ledger.mark_outcomes_read("spring", NOW),
    ):
        seen = every_step(act, itertools.repeat(tmp_path), errno.ENOSPC)
        assert len(seen) > 5
        assert sum(after != before for before, after in seen) <= 2
    ledger = Ledger(tmp_path)
    assert ledger.verify("spring") == ()
    assert [entry.number for entry in ledger.amendments("spring")] == [1]


def test_an_export(tmp_path: Path) -> None:
    done = record(Ledger(tmp_path / "ledger"), make_draft(make_plan(), 60))
    out = tmp_path / "out"
    seen = every_step(lambda _: export(done.generation, out), itertools.repeat(out), errno.EIO)
    whole = files(out)
    assert len(seen) > 10
    for _, after in seen:
        written = {name: text for name, text in after.items() if name.endswith(".csv")}
        assert written.items() <= whole.items()
    assert not list(out.glob(".upliftlab-*"))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="UL470"):
        Ledger(tmp_path / "file" / "ledger").lock(make_plan(), NOW)
