"""Kill -9 at random moments of every verb that writes: `python tests/support/killing.py 200`.

A process that has never opened DuckDB forks one child a kill, so that it lands inside the verb.
What is left must be the old state or the whole new one, and running again must complete it.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ledgers import NOW, assignment_sql, files, make_draft, make_plan, record

from upliftlab.ledger import Ledger, campaign
from upliftlab.util.files import write_together

PLAN, CHANGED = make_plan(), make_plan(owner="b")


class Case(NamedTuple):
    """A verb: what is there before, what it does, and whether what is there is whole."""

    before: Callable[[Path], object]
    act: Callable[[Path], object]
    whole: Callable[[Path], bool]


def ledger_of(folder: Path) -> Ledger:
    return Ledger(folder / "ledger")


def lock(folder: Path) -> object:
    return ledger_of(folder).lock(PLAN, NOW)


def assign(folder: Path) -> object:
    return record(ledger_of(folder), make_draft(PLAN, 2000))


def join(folder: Path) -> object:
    return record(ledger_of(folder), make_draft(PLAN, 3000, assignment_sql(3000), data="b"))


def amend(folder: Path) -> object:
    return ledger_of(folder).amend(CHANGED, "owner", NOW)


def note(folder: Path) -> object:
    return ledger_of(folder).mark_outcomes_read("spring", NOW)


def export(folder: Path) -> object:
    return campaign.export(ledger_of(folder), "spring", folder / "lists")


def write_list(folder: Path) -> object:
    import pyarrow as pa

    from upliftlab.targeting import list_file

    schema = pa.schema([("customer", pa.int64())])
    tables = (pa.table({"customer": range(20_000)}, schema) for _ in range(10))
    return list_file.write_list(folder / "list.parquet", schema, tables, {})


def report(folder: Path) -> object:
    old = (folder / "analysis.json").exists()
    text = b"2" * 2_000_000 if old else b"1"
    write_together({folder / "analysis.json": text, folder / "report.html": text})
    return None


def nothing(_folder: Path) -> object:
    return None


def intact(folder: Path) -> bool:
    return not campaign.verify(ledger_of(folder)) if files(folder / "ledger") else True


def whole_lists(folder: Path) -> bool:
    lists = list((folder / "lists").glob("*.csv"))
    return all(file.read_bytes().endswith(b"\r\n") for file in lists)


def whole_list(folder: Path) -> bool:
    import pyarrow.parquet as pq

    file = folder / "list.parquet"
    return not file.exists() or pq.read_metadata(file).num_rows == 200_000


def pair(folder: Path) -> bool:
    return (folder / "analysis.json").read_bytes() == (folder / "report.html").read_bytes()


CASES: Mapping[str, Case] = {
    "lock": Case(nothing, lock, intact),
    "assign": Case(nothing, assign, intact),
    "assign, locked": Case(lock, assign, intact),
    "assign, joining": Case(assign, join, intact),
    "amend": Case(lock, amend, intact),
    "note of outcomes": Case(lock, note, intact),
    "export": Case(assign, export, whole_lists),
    "target's list": Case(nothing, write_list, whole_list),
    "report": Case(report, report, pair),
}


def fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    status = 99
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def done(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def asked(work: Callable[[], bool]) -> bool:
    """The answer of a child: this process must never open DuckDB."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return done(child) == 0


def strays(folder: Path) -> int:
    """How many files are left aside once the verb was run again."""
    aside = folder / "ledger" / ".aside"
    inside = [path for path in aside.rglob("*") if path.is_file()]
    return len(inside) + sum(path.name.endswith(".aside") for path in folder.rglob(".?*.aside"))


def trial(base: Path, case: Case, delay: float) -> tuple[bool, str]:
    """Kill one verb after a time; whether it hit, and what was wrong afterwards."""
    folder = base.with_name("trial")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, folder, symlinks=True)
    child = fork(lambda: case.act(folder))
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    killed = done(child) == -signal.SIGKILL
    if not asked(lambda: case.whole(folder)):
        return killed, "torn"
    if done(fork(lambda: case.act(folder))) != 0 or not asked(lambda: case.whole(folder)):
        return killed, "not completed"
    return killed, "strays" if strays(folder) else "held"


def main(kills: int, seed: int = 13) -> Counter[str]:
    """Kill so many verbs in turn, and print what each left."""
    draw, total = random.Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        for index, (title, case) in enumerate(CASES.items()):
            base = Path(name) / str(index) / "base"
            base.mkdir(parents=True)
            assert done(fork(lambda case=case, base=base: case.before(base))) == 0
            found, longest, tries = Counter[str](), 0.5, 0
            share = kills // len(CASES) + (index < kills % len(CASES))
            while sum(found.values()) < share and tries < 5 * share:
                tries += 1
                delay = draw.uniform(0, longest)
                killed, what = trial(base, case, delay)
                found[what] += killed
                total["failed without a kill"] += not killed and what != "held"
                longest = longest * 1.1 if killed else max(0.01, min(longest, delay))
            total += found
            sys.stdout.write(f"{title}: {dict(found)}\n")
            sys.stdout.flush()
    sys.stdout.write(f"{total['held']} of {sum(total.values())} held\n")
    return total


if __name__ == "__main__":
    counted = main(int(sys.argv[1]))
    sys.exit(counted["held"] != sum(counted.values()))
