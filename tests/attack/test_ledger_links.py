"""Whatever lies in the place of a folder or file of ours: nothing elsewhere is touched."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ledgers import NOW, assignment_sql, make_draft, make_plan, record

from upliftlab.errors import OutputError, UpliftLabError
from upliftlab.ledger import Ledger, LedgerError, campaign
from upliftlab.ledger.exports import export
from upliftlab.simulate import simulate
from upliftlab.util.durable import entered, publish, remove
from upliftlab.util.files import atomic_write, write_together
from upliftlab.util.temporary import temporary

REFUSED = {"UL459", "UL463", "UL464", "UL465"}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Another's folder, which must stay as it is."""
    folder = tmp_path / "victim"
    (folder / "inner").mkdir(parents=True)
    (folder / "precious").write_text("precious")
    (folder / "inner" / "more").write_text("more")
    return folder


def untouched(victim: Path) -> bool:
    texts = [(victim / "precious").read_text(), (victim / "inner" / "more").read_text()]
    return texts == ["precious", "more"] and len(list(victim.rglob("*"))) == 3


def assigned(folder: Path) -> Ledger:
    ledger = Ledger(folder / "ledger")
    record(ledger, make_draft(make_plan(), 60))
    return ledger


def join(ledger: Ledger) -> object:
    return record(ledger, make_draft(make_plan(), 90, assignment_sql(90), data="b"))


def amend(ledger: Ledger) -> object:
    return ledger.amend(make_plan(owner="b"), "owner", NOW)


def lists(ledger: Ledger) -> object:
    return campaign.export(ledger, "spring", ledger.folder.parent / "lists")


def other(ledger: Ledger) -> object:
    return ledger.lock(make_plan("other"), NOW)


ACTS = {"join": join, "amend": amend, "lock": other, "export": lists}


@pytest.mark.parametrize("act", ["join", "amend", "lock"])
@pytest.mark.parametrize("name", [".aside", ".journal", ".lock"])
def test_a_link_in_the_place_of_the_ledgers_own(
    tmp_path: Path, victim: Path, name: str, act: str
) -> None:
    ledger = assigned(tmp_path)
    own = ledger.folder / name
    own.rename(tmp_path / "moved")
    own.symlink_to(victim / "precious" if name == ".lock" else victim)
    with pytest.raises(UpliftLabError) as refusal:
        ACTS[act](ledger)
    assert {fault.code for fault in refusal.value.faults} == {"UL463"}
    assert name in str(refusal.value)
    assert untouched(victim)


@pytest.mark.parametrize("act", ["join", "amend", "export"])
@pytest.mark.parametrize("name", ["spring", "spring/assignments", "spring/assignments/*"])
def test_a_link_in_the_place_of_an_experiments_folder(
    tmp_path: Path, victim: Path, name: str, act: str
) -> None:
    ledger = assigned(tmp_path)
    (own,) = ledger.folder.glob(name)
    own.rename(tmp_path / "moved")
    own.symlink_to(tmp_path / "moved")
    before = {p: p.read_bytes() for p in (tmp_path / "moved").rglob("*") if p.is_file()}
    with pytest.raises(UpliftLabError) as refusal:
        ACTS[act](ledger)
    assert {fault.code for fault in refusal.value.faults} <= REFUSED
    assert {p: p.read_bytes() for p in (tmp_path / "moved").rglob("*") if p.is_file()} == before
    assert ledger.verify("spring")
    assert untouched(victim)


def test_amendments_that_are_a_link(tmp_path: Path, victim: Path) -> None:
    ledger = assigned(tmp_path)
    (ledger.folder / "spring" / "amendments").symlink_to(victim)
    with pytest.raises(OutputError, match="UL463"):
        amend(ledger)
    assert untouched(victim)


def test_links_below_what_is_cleaned_are_removed_and_not_followed(
    tmp_path: Path, victim: Path
) -> None:
    ledger = assigned(tmp_path)
    left = ledger.folder / ".aside" / "left"
    left.mkdir()
    (left / "folder").symlink_to(victim)
    (left / "file").symlink_to(victim / "precious")
    os.link(victim / "precious", left / "hard")
    os.mkfifo(left / "pipe")
    amend(ledger)
    assert untouched(victim)
    assert list((ledger.folder / ".aside").iterdir()) == []


@pytest.mark.parametrize("kind", ["hard link", "fifo", "folder"])
def test_a_lock_that_is_no_file_of_its_own(tmp_path: Path, victim: Path, kind: str) -> None:
    ledger = assigned(tmp_path)
    own = ledger.folder / ".lock"
    own.unlink()
    {
        "hard link": lambda: os.link(victim / "precious", own),
        "fifo": lambda: os.mkfifo(own),
        "folder": own.mkdir,
    }[kind]()
    start = time.monotonic()
    with pytest.raises(LedgerError, match="UL465"):
        amend(ledger)
    assert time.monotonic() - start < 1
    assert untouched(victim)


@pytest.mark.parametrize("name", ["part-0002.parquet", "manifest.json", "../../plan.json"])
@pytest.mark.parametrize("kind", ["fifo", "link", "device", "folder"])
def test_a_part_or_record_that_is_no_plain_file(tmp_path: Path, name: str, kind: str) -> None:
    ledger = assigned(tmp_path)
    (folder,) = (ledger.folder / "spring" / "assignments").iterdir()
    own = folder / name
    kept = own.rename(tmp_path / "kept")
    {
        "fifo": lambda: os.mkfifo(own),
        "link": lambda: own.symlink_to(kept),
        "device": lambda: own.symlink_to("/dev/zero"),
        "folder": own.mkdir,
    }[kind]()
    start = time.monotonic()
    assert {fault.code for fault in ledger.verify("spring")} <= REFUSED
    assert ledger.verify("spring")
    with pytest.raises(UpliftLabError) as refusal:
        lists(ledger)
    assert {fault.code for fault in refusal.value.faults} <= REFUSED
    assert time.monotonic() - start < 2


def test_the_ledger_that_is_named_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to(tmp_path / "real")
    ledger = Ledger(tmp_path / "named")
    record(ledger, make_draft(make_plan(), 60))
    assert campaign.verify(Ledger(tmp_path / "real")) == ()


@pytest.mark.parametrize("target", ["../outside", "../workspace-2/ledger", "loop"])
def test_a_workspaces_ledger_stays_in_it_unless_it_is_named(tmp_path: Path, target: str) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (tmp_path / "outside").mkdir()
    (workspace / "loop").symlink_to("../outside")
    (workspace / "ledger").symlink_to(target)
    with pytest.raises(LedgerError, match="UL464"):
        Ledger.within(workspace)
    (workspace / "ledger").unlink()
    (workspace / "records").mkdir()
    (workspace / "ledger").symlink_to("records")
    assert Ledger.within(workspace).folder == workspace / "ledger"


def test_a_loop_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for act in (lambda led: led.lock(make_plan(), NOW), campaign.verify):
        with pytest.raises(UpliftLabError, match=r"UL4(66|70)"):
            act(Ledger(tmp_path / "a"))


@pytest.mark.parametrize("name", ["not-for-senders", "wave-1.email.csv"])
def test_lists_never_leave_their_folder(tmp_path: Path, victim: Path, name: str) -> None:
    done = record(Ledger(tmp_path / "ledger"), make_draft(make_plan(), 60))
    out = tmp_path / "out"
    out.mkdir()
    if name.endswith(".csv"):
        (out / name).symlink_to(victim / "precious")
        export(done.generation, out)
        assert not (out / name).is_symlink()
    else:
        (out / name).symlink_to(victim)
        with pytest.raises(OutputError, match="UL463"):
            export(done.generation, out)
    assert untouched(victim)


@pytest.mark.parametrize("name", ["report.html", "analysis.json"])
@pytest.mark.parametrize("kind", ["link", "hard link", "fifo"])
def test_a_reports_file_is_replaced_and_never_written_through(
    tmp_path: Path, victim: Path, name: str, kind: str
) -> None:
    own = tmp_path / name
    {
        "link": lambda: own.symlink_to(victim / "precious"),
        "hard link": lambda: os.link(victim / "precious", own),
        "fifo": lambda: os.mkfifo(own),
    }[kind]()
    write_together({tmp_path / "analysis.json": b"new", tmp_path / "report.html": b"new"})
    assert (tmp_path / "report.html").read_bytes() == own.read_bytes() == b"new"
    assert untouched(victim)


def test_below_a_root_no_link_is_followed(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "reports").symlink_to(victim)
    for path in (tmp_path / "reports" / "a.html", tmp_path / "reports" / "inner" / "a.html"):
        with pytest.raises(OutputError, match="UL463"):
            atomic_write(path, b"new", root=tmp_path)
    with pytest.raises(ValueError, match="below"), entered(tmp_path / ".." / "x", tmp_path):
        pass
    assert untouched(victim)


@pytest.mark.parametrize("name", ["configs", "data", "experiments"])
def test_a_simulated_world_stays_in_its_folder(tmp_path: Path, victim: Path, name: str) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / name).symlink_to(victim)
    with pytest.raises(OutputError, match="UL463"):
        simulate(tmp_path / "demo", customers=1000)
    assert untouched(victim)


@pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="needs another device: /proc")
def test_another_device_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="UL464"), entered(Path("/proc/self"), Path("/")):
        pass
    with pytest.raises(OutputError, match="UL464"):
        remove(Path("/proc"), Path("/"))
    (tmp_path / "aside").write_bytes(b"")
    with pytest.raises(OutputError, match="UL464"):
        publish(Path("/proc/self/x"), tmp_path / "x", Path("/"))


def test_everything_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ledger = assigned(tmp_path)
        join(ledger)
        amend(ledger)
        lists(ledger)
        with temporary() as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert not folder.exists()
    for path in (*ledger.folder.rglob("*"), *(tmp_path / "lists").rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_what_cannot_be_written_together_leaves_the_old_pair(tmp_path: Path) -> None:
    one, two = tmp_path / "analysis.json", tmp_path / "report.html"
    write_together({one: b"old", two: b"old"})
    kept: Callable[..., None] = os.replace
    calls = iter((1, 2))

    def second_fails(*given: object, **options: object) -> None:
        if next(calls, 0) == 2:
            raise OSError(28, "No space left on device")
        kept(*given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", second_fails)
        with pytest.raises(OutputError, match=r"UL601.*the disk is full"):
            write_together({one: b"new", two: b"new"})
    assert (one.read_bytes(), two.read_bytes()) == (b"old", b"old")
    two.unlink()
    two.mkdir()
    with pytest.raises(OutputError, match="UL601"):
        write_together({one: b"new", two: b"new"})
    assert one.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
