"""What leaves: lists that run nowhere, secrets that cannot be guessed, and nothing left behind."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest
from commands import upliftlab
from hypothesis import given
from hypothesis import strategies as st
from ledgers import NOW, make_plan

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.models import Channel, Metric, Segment
from upliftlab.engines.duckdb import DuckDB
from upliftlab.ledger import Ledger, LedgerError, campaign
from upliftlab.ledger.scratch import _translated
from upliftlab.ledger.secret import secret_of
from upliftlab.report.export import spreadsheet
from upliftlab.util.durable import reason
from upliftlab.util.spreadsheet import neutralised, row

ROOT = Path(__file__).parents[2]
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
HOSTILE = [
    "=1+1", ";=1+1", "a;=1+1", "a;b;@x", "a,=1", "a\n=1", "a\r\n+1x", "a\t@x", 'a";=1', 'a;"=1',
    "; =cmd", " =1", "\ufeff=1", "a;\u200b=1", "\uff1d1", "a;-x", "\x0b=1",
    "a\u2028=1", "\t=1", "\r=1",
]  # fmt: skip
pieces = st.sampled_from([*";,\t\n\r\"'=+-@ ", "a", "1", "\uff1d", "\u200b"])


def formulas(content: str) -> list[str]:
    """Cells that a spreadsheet would run, whichever separator it reads by."""
    found = []
    for separator in (",", ";", "\t"):
        for cells in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            for cell in cells:
                text = cell.lstrip(" \u200b\ufeff")
                if text[:1] in tuple(SIGNS) and not re.match(r"[+-]?[\d.]+(e[+-]?\d+)?(,|$)", text):
                    found.append(cell)
    return found


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_runs_by_any_separator(text: str) -> None:
    for cells in ([text, "email"], ["7", text], ["7", text, "-5"], ["-5", text], [text, text]):
        assert formulas(spreadsheet(range(9), [dict(enumerate(cells))]).decode("utf-8-sig")) == []
    assert neutralised(text) != text


@given(st.lists(st.lists(pieces, max_size=8).map("".join), min_size=2, max_size=3))
def test_no_text_made_of_what_is_dangerous_runs(cells: list[str]) -> None:
    sheet = io.StringIO(newline="")
    csv.writer(sheet).writerow(row(["id", *cells]))
    assert formulas(sheet.getvalue()) == []


@pytest.mark.parametrize("text", ["-5", "+49301234", "a; b", "Fr\u00fch, bald", "a-b", "x=1", ""])
def test_what_is_harmless_stays(text: str) -> None:
    assert neutralised(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "", "short", "s" * 32, "ab" * 20, "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz",
        "password12345678", "Passwort-2026!!!", "changemechangeme1", "9876543210987654",
        "secretsecret1234", "qwertyuiop-qwerty-1", "P4$$w0rd1234567890", "1234567890123456",
        "aaaaaaaabbbbbbbbccccccc", "my_pseudonyms_secret", "test-test-test-2026",
    ],
)  # fmt: skip
def test_a_secret_that_is_guessed_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(LedgerError, match="UL480") as refusal:
        secret_of({"KEY": secret}, "KEY")
    assert len(secret) < 6 or secret not in str(refusal.value)
    assert "openssl rand -hex 32" in str(refusal.value)


def test_a_random_secret_is_accepted() -> None:
    for _ in range(200):
        for text in (os.urandom(32).hex(), os.urandom(16).hex()):
            assert secret_of({"KEY": text}, "KEY") == text.encode()
    assert secret_of({"KEY": "correct horse battery staple"}, "KEY")


def test_a_full_disk_is_called_full() -> None:
    assert reason(OSError(28, "No space left on device")).startswith("the disk is full")
    assert reason(OSError(5, "Input/output error")) == "Input/output error"
    assert reason(ValueError("IOError: [errno 28] No space left on device")).startswith("the disk")
    with pytest.raises(LedgerError, match="the disk is full"), _translated():
        raise duckdb.IOException("Could not write file: No space left on device")


TARGET = """
    import sys, time
    from upliftlab.util.temporary import temporary

    with temporary() as folder:
        (folder / "contacts.parquet").write_text("ids")
        print(folder, flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_temporary_folders_vanish_however_their_process_ends(tmp_path: Path, end: int) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(TARGET)]

    def start() -> tuple[subprocess.Popen[str], Path]:
        pipe = subprocess.PIPE
        begun = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)
        return begun, Path(begun.stdout.readline().strip())

    dead, folder = start()
    living, kept = start()
    dead.send_signal(end)
    dead.communicate(timeout=20)
    assert folder.exists() == (end == signal.SIGKILL)
    other, _ = start()
    assert not folder.exists()
    assert kept.exists()
    for process in (living, other):
        process.terminate()
        process.communicate(timeout=20)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_changed_since_it_was_assigned_is_told(tmp_path: Path) -> None:
    ledger, plan = Ledger(tmp_path / "ledger"), make_plan(outcome_window="7 days")
    plan = plan.model_copy(
        update={
            "channels": {name: Channel() for name in ("email", "sms")},
            "metrics": {"n": Metric(column="customer_id")},
            "segments": {"parity": Segment(column="parity")},
        }
    )
    plan = plan.model_copy(
        update={
            "experiment": plan.experiment.model_copy(
                update={
                    "metrics": plan.experiment.metrics.model_copy(update={"primary": "n"}),
                    "segments": ("parity",),
                }
            )
        }
    )

    def customers(count: int) -> None:
        with duckdb.connect(":memory:") as connection:
            sql = f"SELECT range AS customer_id, range % 2 AS parity FROM range({count})"
            connection.execute(f"COPY ({sql}) TO '{tmp_path / 'customers.parquet'}'")

    def told() -> tuple[bool, str, str]:
        with DuckDB(lambda file: tmp_path / file) as engine:
            record = campaign.open_record(ledger, plan)
            found = analyze(
                plan, AnalysisContext(engine, NOW.replace(month=6), record=record)
            ).checks
        (check,) = [check for check in found if check.name == "same_customers"]
        return check.passed, check.severity.value, check.message

    customers(400)
    with DuckDB(lambda file: tmp_path / file) as engine:
        campaign.assign(ledger, plan, engine, NOW)
    assert told()[0] is True
    customers(500)
    passed, severity, message = told()
    assert (passed, severity) == (False, "info")  # its outcomes lie in the table itself
    assert "changed since it was assigned on March 1, 2026" in message


def test_heads_by_the_command_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.lock(make_plan(), NOW)
    ledger.lock(make_plan("other"), NOW)
    key = {"KEY": os.urandom(32).hex()}
    said = upliftlab("ledger", "head", "ledger", "--key-env", "KEY", cwd=tmp_path, **key).stdout
    lines = [line.split("  ") for line in said.splitlines()]
    assert [(name, number) for _, number, name in lines] == [
        ("other", "1"), ("spring", "1"), ("*", "2")
    ]  # fmt: skip
    verify = ("verify", "ledger", "--head", lines[1][0], "--key-env", "KEY")
    assert "with 1 records since" in upliftlab(*verify, cwd=tmp_path, **key).stdout
    forged = upliftlab("verify", "ledger", "--head", "0" * 64, cwd=tmp_path)
    assert (forged.returncode, forged.stderr[:5]) == (1, "UL467")


def test_killed_at_any_moment_the_old_or_the_new_is_there() -> None:
    """The long version: `python tests/support/killing.py 200`."""
    script = ROOT / "tests" / "support" / "killing.py"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(script), "18"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=200, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    held, tried = map(int, re.findall(r"(\d+) of (\d+) held\n\Z", done.stdout)[0])
    assert held == tried > 9  # a command that ended before its kill is not counted


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_what_may_not_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.lock(make_plan(), NOW)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    ledger.folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.seteuid(65534)
        try:
            Ledger(ledger.folder).locked("spring")
        except LedgerError as refusal:
            told = str(refusal)
            named = str(ledger.folder) in told
            os._exit(0 if "UL466" in told and named and "ermission" in told else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
