"""Of two processes one writes; the other says who does, and changes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from ledgers import NOW, files, make_draft, make_plan, record

from upliftlab.ledger import Ledger, LedgerError

ROOT = Path(__file__).parents[2]
RACERS = 4
RACE = """
    import json, sys, time
    from dataclasses import replace
    from pathlib import Path
    from ledgers import assignment_sql, make_draft, make_plan, record
    from upliftlab.ledger import Ledger, LedgerError

    folder, number = Path(sys.argv[1]), sys.argv[2]
    draft = make_draft(make_plan(f"experiment {number}"), 500)

    def slowly(path):
        draft.write(path)
        time.sleep(0.5)

    (folder / f"ready {number}").touch()
    while not (folder / "go").exists():
        time.sleep(0.001)
    try:
        record(Ledger(folder / "ledger"), replace(draft, write=slowly))
        print(json.dumps("won"))
    except LedgerError as error:
        print(json.dumps(str(error)))
"""
HOLD = """
    import sys, time
    from pathlib import Path
    from upliftlab.ledger import Ledger

    with Ledger(Path(sys.argv[1])).exclusive("assign spring"):
        print("held", flush=True)
        time.sleep(60)
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "support")])
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )


def test_one_wins_and_the_others_name_it(tmp_path: Path) -> None:
    racers = [start(RACE, tmp_path, number) for number in range(RACERS)]
    while len(list(tmp_path.glob("ready *"))) < RACERS:
        assert all(racer.poll() is None for racer in racers)
    (tmp_path / "go").touch()
    said = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    assert said.count("won") == 1
    winner = racers[said.index("won")].pid
    for text in said:
        assert text == "won" or ("UL450" in text and f"process {winner} " in text)
    ledger = Ledger(tmp_path / "ledger")
    (name,) = ledger.experiments()
    assert name == f"experiment {said.index('won')}"
    assert ledger.verify(name) == ()
    assert {path.name for path in ledger.folder.iterdir()} == {
        ".lock",
        ".aside",
        ".journal",
        f"experiment%20{said.index('won')}",
    }


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with start(HOLD, ledger.folder) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LedgerError, match=f"UL450.*process {holder.pid} .*assign spring"):
            ledger.lock(make_plan(), NOW)
        assert files(ledger.folder) == {}
        holder.kill()
    assert ledger.lock(make_plan(), NOW).new
    assert list((ledger.folder / ".aside").iterdir()) == []


def test_reading_needs_no_lock(ledger: Ledger) -> None:
    record(ledger, make_draft(make_plan(), 100))
    with Ledger(ledger.folder).exclusive("assign"):
        assert ledger.read("spring").files
        assert ledger.verify("spring") == ()


def test_a_second_writer_in_one_process_is_refused_too(ledger: Ledger) -> None:
    with ledger.exclusive("assign spring"), pytest.raises(LedgerError, match="UL450"):
        ledger.lock(make_plan(), NOW)


def test_a_lock_file_signed_by_a_dead_process_names_nobody(ledger: Ledger) -> None:
    with ledger.exclusive("assign"):
        dead = subprocess.Popen([sys.executable, "-c", ""])
        dead.wait()
        host = json.loads((ledger.folder / ".lock").read_text())["host"]
        sign = {"pid": dead.pid, "host": host, "purpose": "assign"}
        (ledger.folder / ".lock").write_text(json.dumps(sign))
        with pytest.raises(LedgerError, match="written by another process"):
            ledger.lock(make_plan(), NOW)


def test_an_analysis_waits_for_a_writer(ledger: Ledger, monkeypatch) -> None:
    monkeypatch.setattr("upliftlab.ledger.ledger._PATIENCE", 0.2)
    with Ledger(ledger.folder).exclusive("assign"), pytest.raises(LedgerError, match="UL450"):
        ledger.mark_outcomes_read("spring", NOW)
    assert ledger.mark_outcomes_read("spring", NOW).experiment == "spring"
