"""Hostile names stay inside the ledger and apart from each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import NOW, make_draft, make_plan, record

from upliftlab.ledger import Ledger, LedgerError
from upliftlab.ledger.names import file_name

HOSTILE = [
    "..",
    ".",
    "../../etc/passwd",
    "/etc/passwd",
    ".lock",
    ".aside",
    "a/b\\c",
    "year=2026",
    "*",
    "früh \U0001f600",
    "con",
    "x" * 120,
    "\u4e2d" * 120,
    "it's; DROP TABLE x --",
    'say "hi"',
    "%2E",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_gets_a_folder_inside(ledger: Ledger, name: str) -> None:
    plan = make_plan(name)
    ledger.lock(plan, NOW)
    done = record(ledger, make_draft(plan, 50))
    assert ledger.experiments() == (name,)
    assert done.generation.folder.resolve().is_relative_to(ledger.folder.resolve())
    inside = {path.name for path in ledger.folder.iterdir()}
    assert inside == {".lock", ".aside", ".journal", file_name(name)}
    assert ledger.verify(name) == ()
    assert len(ledger.read(name).files) > 0


@given(st.text(min_size=1, max_size=120), st.text(min_size=1, max_size=120))
def test_different_names_have_different_safe_files(one: str, other: str) -> None:
    for text in (one, other):
        try:
            text.encode()
        except UnicodeEncodeError:
            return
    first, second = file_name(one), file_name(other)
    assert (first == second) == (one == other)
    assert len(first.encode()) <= 120
    assert first not in ("", ".", "..")
    assert not set(first) & set("/\\\0*?[]{}=:' \"")
    assert not first.startswith(".")


def test_records_of_another_experiment_are_not_taken_for_ones_own(ledger: Ledger) -> None:
    ledger.lock(make_plan("Spring"), NOW)
    (ledger.folder / "Spring").rename(ledger.folder / "spring")  # as on a disk blind to case
    with pytest.raises(LedgerError, match="UL460"):
        ledger.lock(make_plan("spring"), NOW)


@pytest.mark.parametrize("name", ["a*b", "a[1]", "{a}"])
def test_a_folder_that_reads_as_a_pattern_is_refused(tmp_path, name: str) -> None:
    with pytest.raises(LedgerError, match="UL472"):
        Ledger(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": 2}', b"[" * 100_000])
def test_a_damaged_record_is_a_fault_and_no_traceback(ledger: Ledger, content: bytes) -> None:
    ledger.lock(make_plan(), NOW)
    (ledger.folder / "spring" / "plan.json").write_bytes(content)
    for act in (ledger.locked, ledger.read, lambda name: ledger.lock(make_plan(name), NOW)):
        if act != ledger.read:
            with pytest.raises(LedgerError, match="UL459"):
                act("spring")
    assert [fault.code for fault in ledger.verify("spring")] == ["UL459"]
    with pytest.raises(LedgerError, match="UL459"):
        ledger.experiments()
