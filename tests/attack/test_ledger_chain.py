"""Edits, removals and replays of records are seen, by verify and by whoever would use them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flips import flips, judged
from ledgers import NOW, assignment_sql, files, make_draft, make_plan, record

from upliftlab.errors import UpliftLabError
from upliftlab.ledger import Ledger, LedgerError, campaign
from upliftlab.ledger.heads import require_head, signed

CHANGED = make_plan(owner="b")
LATER = NOW + timedelta(days=30)
SECRET = b"wq8Zr1Vn5Tc0Lx7kPq3s"


def full(folder: Path) -> Ledger:
    """Lock, assignment, amendment, note of outcomes, deviation, and a generation of joiners."""
    ledger = Ledger(folder)
    record(ledger, make_draft(make_plan(), 60))
    ledger.amend(CHANGED, "owner", NOW)
    ledger.mark_outcomes_read("spring", NOW)
    ledger.amend(make_plan(owner="c"), "owner again", NOW)
    record(ledger, make_draft(make_plan(owner="c"), 90, assignment_sql(90), data="b"))
    return ledger


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return full(tmp_path_factory.mktemp("whole") / "ledger")


@pytest.fixture
def ledger(whole: Ledger, tmp_path: Path) -> Ledger:
    shutil.copytree(whole.folder, tmp_path / "ledger")
    return Ledger(tmp_path / "ledger")


def records(ledger: Ledger) -> list[str]:
    found = (path for path in ledger.folder.rglob("*.json") if path.parent.name != ".journal")
    return sorted(str(path.relative_to(ledger.folder)) for path in found)


def refused(ledger: Ledger) -> None:
    """Every verb refuses, and changes nothing."""
    plan = make_plan(owner="c")
    acts: dict[str, Callable[[], object]] = {
        "lock": lambda: ledger.lock(plan, LATER),
        "amend": lambda: ledger.amend(make_plan(owner="d"), "why", LATER),
        "assign": lambda: record(ledger, make_draft(plan, 120, assignment_sql(120), data="c")),
        "export": lambda: campaign.export(ledger, "spring", ledger.folder.parent / "lists"),
        "analyze": lambda: campaign.open_record(ledger, plan),
        "note": lambda: campaign.note_outcomes(ledger, plan, LATER),
        "contacts of another": lambda: ledger.contacts("other"),
    }
    before = files(ledger.folder)
    assert ledger.verify("spring")
    for name, act in acts.items():
        with pytest.raises(UpliftLabError) as refusal:
            act()
        assert {f.code for f in refusal.value.faults} <= {"UL459", "UL460"}, name
    assert files(ledger.folder) == before
    assert not (ledger.folder.parent / "lists").exists()


def edit(path: Path, change: Callable[[dict], object]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n")


def test_it_is_well_as_it_was_written(ledger: Ledger) -> None:
    assert campaign.verify(ledger) == ()
    assert [entry.kind for entry in ledger.amendments("spring")] == ["amendment", "deviation"]


@pytest.mark.parametrize("key", ["time", "upliftlab", "before"])
@pytest.mark.parametrize("index", range(6))
def test_an_edit_of_any_record_is_seen(ledger: Ledger, index: int, key: str) -> None:
    path = ledger.folder / records(ledger)[index]
    value = {"time": "2020-01-01T00:00:00Z", "upliftlab": "0.0.0", "before": "0" * 64}[key]
    if key in json.loads(path.read_text()):
        edit(path, lambda content: content.update({key: value}))
        refused(ledger)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("plan.json", {"after_outcomes": True}),
        ("amendments/0001.json", {"why": "something else"}),
        ("amendments/0002.json", {"kind": "amendment"}),
        ("outcomes_read.json", {"plan_sha256": None}),
    ],
)
def test_an_edit_of_a_word_is_seen(ledger: Ledger, name: str, change: dict) -> None:
    edit(ledger.folder / "spring" / name, lambda content: content.update(change))
    refused(ledger)


def test_a_byte_that_means_nothing_is_seen(ledger: Ledger) -> None:
    path = ledger.folder / "spring" / "plan.json"
    path.write_bytes(path.read_bytes() + b"\n")
    refused(ledger)


@pytest.mark.parametrize("index", range(6))
def test_a_removal_of_any_record_is_seen(ledger: Ledger, index: int) -> None:
    path = ledger.folder / records(ledger)[index]
    if path.name == "manifest.json":
        shutil.rmtree(path.parent)
    else:
        path.unlink()
    refused(ledger)


def test_the_note_of_outcomes_cannot_be_taken_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.lock(make_plan(), NOW)
    ledger.mark_outcomes_read("spring", NOW)
    (ledger.folder / "spring" / "outcomes_read.json").unlink()
    with pytest.raises(LedgerError, match=r"UL459.*removed"):
        ledger.amend(CHANGED, "owner", NOW)


@pytest.mark.parametrize("what", ["channel", "offer"])
def test_swapped_channels_and_offers_are_never_sent(ledger: Ledger, what: str) -> None:
    """Not even where the manifest's folder is renamed to fit."""
    import hashlib

    folder = max((ledger.folder / "spring" / "assignments").iterdir())

    def swap(content: dict) -> None:
        for part in content["parts"]:
            if part[what]:
                part[what] = {"email": "sms", "sms": "email"}.get(part[what], "voucher99")

    edit(folder / "manifest.json", swap)
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    folder.rename(folder.with_name(f"0002-{digest}"))
    refused(ledger)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_entry_of_the_journal_changed_or_removed_is_seen(ledger: Ledger, index: int) -> None:
    entry = sorted((ledger.folder / ".journal").iterdir())[index]
    content = entry.read_bytes()
    entry.write_bytes(content.replace(b"2026", b"2025", 1))
    refused(ledger)
    entry.unlink()
    refused(ledger)


def test_a_journal_that_ends_early_or_is_gone_is_seen(ledger: Ledger) -> None:
    max((ledger.folder / ".journal").iterdir()).unlink()
    refused(ledger)
    shutil.rmtree(ledger.folder / ".journal")
    refused(ledger)


def test_a_replay_is_seen(ledger: Ledger, tmp_path: Path) -> None:
    twin = full(tmp_path / "twin")
    assert twin.head().head != ledger.head().head
    for name in records(ledger):
        kept = (ledger.folder / name).read_bytes()
        if "assignments" in name or kept == (twin.folder / name).read_bytes():
            continue  # the first plan of two ledgers, locked at one moment, is the same
        shutil.copy(twin.folder / name, ledger.folder / name)
        assert ledger.verify("spring"), name
        (ledger.folder / name).write_bytes(kept)
    assert ledger.verify("spring") == ()
    shutil.rmtree(ledger.folder / "spring")
    shutil.copytree(twin.folder / "spring", ledger.folder / "spring")
    refused(ledger)


def test_an_old_generation_copied_back_is_seen(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    record(ledger, make_draft(make_plan(), 60))
    shutil.copytree(ledger.folder / "spring", tmp_path / "old")
    ledger.amend(CHANGED, "owner", NOW)
    record(ledger, make_draft(CHANGED, 90, assignment_sql(90), data="b"))
    shutil.rmtree(ledger.folder / "spring")
    shutil.copytree(tmp_path / "old", ledger.folder / "spring")
    with pytest.raises(LedgerError, match="UL459"):
        ledger.generations("spring")


def test_an_experiment_that_is_gone_is_missed_where_its_contacts_count(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    record(ledger, make_draft(make_plan("one"), 60))
    shutil.rmtree(ledger.folder / "one")
    for act in (lambda: ledger.contacts("two"), lambda: ledger.generations("one")):
        with pytest.raises(LedgerError, match="UL459"):
            act()
    assert campaign.verify(ledger)


def test_a_head_that_was_kept_tells_what_the_ledger_cannot(ledger: Ledger, tmp_path: Path) -> None:
    shutil.copytree(ledger.folder, tmp_path / "earlier")
    early = ledger.head()
    ledger.amend(make_plan(owner="d"), "why", LATER)
    assert require_head(ledger.head(), early.head or "") == 1
    late = ledger.head().head or ""
    with pytest.raises(LedgerError, match="UL467"):
        require_head(early, late)
    for head in campaign.heads(ledger):
        assert campaign.require_head(ledger, head.digest) == 0
        assert campaign.require_head(ledger, signed(head.digest, SECRET), SECRET) == 0
    for wrong in (late, signed(late, SECRET + b"x"), f"{late}:{'0' * 64}"):
        with pytest.raises(LedgerError, match="UL468"):
            campaign.require_head(ledger, wrong, SECRET)
    with pytest.raises(LedgerError, match="UL468"):
        campaign.require_head(ledger, "head")


def older(ledger: Ledger) -> None:
    """Turn a ledger into one of the time before the journal."""
    shutil.rmtree(ledger.folder / ".journal")
    folder = ledger.folder / "spring"
    for name in ("plan.json", "outcomes_read.json"):
        if (folder / name).exists():
            edit(folder / name, lambda content: (content.pop("before"), content.update(format=1)))


def test_records_older_than_the_journal_are_read_and_kept_from_then_on(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.lock(make_plan(), NOW)
    older(ledger)
    assert campaign.verify(ledger) == ()
    assert ledger.locked("spring").format == 1
    with pytest.raises(LedgerError, match="UL469"):
        campaign.heads(ledger)
    ledger.amend(CHANGED, "owner", NOW)
    assert campaign.verify(ledger) == ()
    plan = ledger.folder / "spring" / "plan.json"
    edit(plan, lambda content: content.update(time="2020-01-01T00:00:00Z"))
    assert ledger.verify("spring")


def test_nothing_becomes_older_than_the_journal_later(ledger: Ledger) -> None:
    """A downgrade: a record without its link, with the journal or without it."""
    path = ledger.folder / "spring" / "outcomes_read.json"
    edit(path, lambda content: (content.pop("before"), content.update(format=1)))
    refused(ledger)
    ledger.folder.joinpath("other").mkdir()
    text = path.read_text().replace('"spring"', '"other"')
    (ledger.folder / "other" / "outcomes_read.json").write_text(text)
    with pytest.raises(LedgerError, match="UL459"):
        ledger.outcomes_read("other")
    shutil.rmtree(ledger.folder / ".journal")
    with pytest.raises(LedgerError, match=r"UL459.*journal is gone"):
        ledger.outcomes_read("other")


def test_no_flipped_bit_is_accepted(ledger: Ledger, tmp_path: Path) -> None:
    """The long version: `python tests/support/flips.py 300`."""
    found = sorted(p for p in ledger.folder.rglob("*") if p.is_file() and p.name != ".lock")

    def used() -> list[bytes]:
        if faults := campaign.verify(ledger):
            raise UpliftLabError(faults)
        done = campaign.export(ledger, "spring", tmp_path / "out")
        return [file.path.read_bytes() for file in done.lists]

    assert judged(flips(found, 100, 7), used, UpliftLabError) == {"refused": 100}
