"""Lists for senders: the treated and nobody else, private, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import assignment_sql, make_draft, make_plan, record

from upliftlab.ledger import Ledger, LedgerError
from upliftlab.ledger.exports import export, neutralised, pseudonym, read_secret

ROOT = Path(__file__).parents[2]
SECRET = b"0123456789abcdef"
EXPORT = """
    import re, sys
    from pathlib import Path
    from upliftlab.ledger.exports import export
    from upliftlab.ledger import Ledger

    def peak():
        # getrusage would hand on the peak of the process that started this one
        return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

    generation = Ledger(Path(sys.argv[1])).generations("spring")[-1]
    before = peak()
    done = export(generation, Path(sys.argv[2]))
    print(sum(file.rows for file in done.lists), peak() - before)
"""


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def decided(customers: int, where: str) -> list[str]:
    with duckdb.connect(":memory:") as connection:
        sql = f"SELECT customer_id::VARCHAR FROM ({assignment_sql(customers)}) WHERE {where}"
        return sorted(row[0] for row in connection.execute(sql).fetchall())


def with_ids(ids: list[str]) -> str:
    """Customers with these ids, all of them in the e-mail arm's first wave."""
    values = ", ".join("('" + text.replace("'", "''") + "')" for text in ids)
    return (
        "SELECT id AS customer_id, 'email' AS arm, 'f' AS h, 1 AS bucket, 's' AS stratum,"
        f" 1 AS wave, NULL::VARCHAR AS reason, 'email' AS channel, false AS ghost"
        f" FROM (VALUES {values}) AS t(id)"
    )


def test_each_list_holds_the_customers_of_its_channel_and_wave(ledger: Ledger, tmp_path) -> None:
    done = export(record(ledger, make_draft(make_plan())).generation, tmp_path / "out")
    assert [(file.path.name, file.channel, file.wave) for file in done.lists] == [
        ("wave-1.email.csv", "email", 1),
        ("wave-2.email.csv", "email", 2),
        ("wave-1.sms.csv", "sms", 1),
        ("wave-2.sms.csv", "sms", 2),
    ]
    for file in done.lists:
        rows = read(file.path)
        assert list(rows[0]) == ["customer_id", "arm", "offer"]
        wanted = decided(1000, f"arm = '{file.channel}' AND wave = {file.wave}")
        assert sorted(row["customer_id"] for row in rows) == wanted
        assert {row["arm"] for row in rows} == {file.channel}
        assert file.rows == len(rows)


def test_nobody_of_the_control_and_nobody_excluded_is_in_any_list(ledger: Ledger, tmp_path) -> None:
    export(record(ledger, make_draft(make_plan(), 5000)).generation, tmp_path / "out")
    sent = {row["customer_id"] for file in (tmp_path / "out").glob("*.csv") for row in read(file)}
    assert not sent & set(decided(5000, "arm = 'holdout' OR arm IS NULL"))
    assert sent == set(decided(5000, "arm IN ('email', 'sms')"))


def test_a_control_with_a_channel_is_not_sent_either(ledger: Ledger, tmp_path) -> None:
    arms = {
        "holdout": {"share": "20%", "control": "true", "channel": "email"},
        "email": {"share": "40%", "channel": "email"},
        "sms": {"share": "40%", "business_as_usual": "true"},
    }
    done = record(ledger, make_draft(make_plan(arms=arms), 500))
    lists = export(done.generation, tmp_path / "out").lists
    assert {file.channel for file in lists} == {"email"}
    assert {row["arm"] for file in lists for row in read(file.path)} == {"email"}


def test_the_ghost_log_lies_apart_from_the_lists(ledger: Ledger, tmp_path) -> None:
    done = export(record(ledger, make_draft(make_plan())).generation, tmp_path / "out")
    path = done.ghost_log.path
    assert path.parent.name == "not-for-senders"
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(f"FROM read_parquet('{path}')").fetchall()
    assert sorted(str(row[0]) for row in rows) == decided(1000, "ghost")
    assert {row[1] for row in rows} == {"holdout"}
    assert done.ghost_log.rows == len(rows)


def test_every_file_is_private_from_its_first_byte(ledger: Ledger, tmp_path, monkeypatch) -> None:
    modes: list[int] = []
    true_open = os.open

    def watched(path: object, flags: int, mode: int = 0o777, **options: object) -> int:
        descriptor = true_open(path, flags, mode, **options)
        if flags & os.O_CREAT and ".aside" in str(path):
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    generation = record(ledger, make_draft(make_plan())).generation
    old = os.umask(0)
    try:
        monkeypatch.setattr(os, "open", watched)
        export(generation, tmp_path / "out")
    finally:
        os.umask(old)
    assert modes == [0o600] * 5
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert len(written) == 5
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_spreadsheet_finds_no_formula(ledger: Ledger, tmp_path) -> None:
    hostile = [
        "=1+1",
        "+a",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\uff1d1",
        'a"b,c\nd',
        "0042",
        "-7",
    ]
    draft = make_draft(make_plan(), len(hostile), with_ids(hostile))
    (file,) = export(record(ledger, draft).generation, tmp_path / "out").lists
    found = [row["customer_id"] for row in read(file.path)]
    assert sorted(found) == sorted(
        [f"'{text}".replace("\t=", "\t'=").replace("\r=", "\r'=") for text in hostile[:7]]
        + ['a"b,c\nd', "0042", "-7"]
    )
    assert file.neutralised == 7


def test_an_offer_and_a_channel_are_harmless_too(ledger: Ledger, tmp_path) -> None:
    arms = {
        "holdout": {"share": "20%", "control": "true"},
        "email": {"share": "40%", "channel": "../=cmd|x", "offer": "@offer"},
        "sms": {"share": "40%", "channel": ".", "offer": "10%"},
    }
    done = record(ledger, make_draft(make_plan(arms=arms), 300))
    files = export(done.generation, tmp_path / "out").lists
    assert {row["offer"] for file in files for row in read(file.path)} == {"'@offer", "10%"}
    assert {file.path.parent for file in files} == {tmp_path / "out"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "ledger"}
    assert files[0].path.name == "wave-1.%2E.%2F%3Dcmd%7Cx.csv"


@given(st.text(max_size=20))
def test_no_text_starts_a_formula(text: str) -> None:
    safe = neutralised(text)
    assert safe.replace("'", "") == text.replace("'", "")
    assert safe[:1] not in ("=", "@", "\t", "\r", "\n")
    if safe[:1] in ("+", "-"):
        assert safe[1:].isdigit()


def test_pseudonyms_are_keyed_and_the_ids_stay_at_home(ledger: Ledger, tmp_path) -> None:
    ids = ["anna@example.com", "=bert"]
    done = record(ledger, make_draft(make_plan(), 2, with_ids(ids)))
    (file,) = export(done.generation, tmp_path / "out", SECRET).lists
    rows = read(file.path)
    expected = {hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest() for text in ids}
    assert {row["pseudonym"] for row in rows} == expected
    assert b"example.com" not in file.path.read_bytes()
    assert pseudonym(SECRET, "a") != pseudonym(SECRET + b"x", "a")


def test_the_secret_comes_from_the_environment_and_is_never_shown() -> None:
    assert read_secret({"KEY": "wq8Zr1Vn5Tc0Lx7k"}, "KEY") == b"wq8Zr1Vn5Tc0Lx7k"
    for environment in ({}, {"KEY": "hunter2"}):
        with pytest.raises(LedgerError, match="UL480") as refusal:
            read_secret(environment, "KEY")
        assert "hunter2" not in str(refusal.value)


def test_exporting_again_gives_the_same_bytes(ledger: Ledger, tmp_path) -> None:
    generation = record(ledger, make_draft(make_plan())).generation
    first = export(generation, tmp_path / "out")
    before = {file.path: file.path.read_bytes() for file in first.lists}
    assert export(generation, tmp_path / "out") == first
    assert {path: path.read_bytes() for path in before} == before


def test_a_later_generation_lists_only_who_joined(ledger: Ledger, tmp_path) -> None:
    plan = make_plan()
    record(ledger, make_draft(plan, 100))
    second = record(ledger, make_draft(plan, 150, assignment_sql(150), data="b"))
    files = export(second.generation, tmp_path / "out").lists
    assert all(file.path.name.startswith("generation-2.wave-") for file in files)
    sent = {row["customer_id"] for file in files for row in read(file.path)}
    assert sent == set(decided(150, "customer_id >= 100 AND arm IN ('email', 'sms')"))


def test_a_part_changed_since_is_not_sent(ledger: Ledger, tmp_path) -> None:
    generation = record(ledger, make_draft(make_plan())).generation
    part = next(part for part in generation.manifest.parts if part.arm == "email")
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            f"COPY ({assignment_sql(9)}) TO '{generation.path(part)}' (FORMAT parquet)"
        )
    with pytest.raises(LedgerError, match="UL459"):
        export(generation, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_dead_export_left_is_removed(ledger: Ledger, tmp_path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".upliftlab-0123456789abcdef.aside").touch()
    (out / "notes.txt").touch()
    export(record(ledger, make_draft(make_plan())).generation, out)
    assert not list(out.glob(".upliftlab-*"))
    assert (out / "notes.txt").exists()


def test_channels_that_differ_in_case_only_are_refused(ledger: Ledger, tmp_path) -> None:
    arms = {
        "holdout": {"share": "20%", "control": "true"},
        "email": {"share": "40%", "channel": "Mail"},
        "sms": {"share": "40%", "channel": "mail"},
    }
    done = record(ledger, make_draft(make_plan(arms=arms), 300))
    with pytest.raises(LedgerError, match="UL482"):
        export(done.generation, tmp_path / "out")


def test_a_million_rows_take_bounded_memory(ledger: Ledger, tmp_path) -> None:
    """Resident memory is bounded by DuckDB's own buffers, not by the rows."""
    customers = 1_400_000
    record(ledger, make_draft(make_plan(), customers))
    paths = str(ROOT / "src")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(EXPORT), ledger.folder, tmp_path / "out"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    rows, megabytes = map(int, done.stdout.split())
    assert rows > 1_000_000
    assert megabytes < 150
