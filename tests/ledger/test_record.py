"""An assignment goes on the record whole, reconciled, once, and is never rewritten."""

from __future__ import annotations

import json
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import NOW, assignment_sql, files, make_draft, make_plan, record, writer_of

from upliftlab.ledger import Ledger, LedgerError
from upliftlab.ledger.staged import COLUMNS


def rows(sql: str) -> list[tuple]:
    with duckdb.connect(":memory:") as connection:
        return connection.execute(sql).fetchall()


def refused(ledger: Ledger, draft) -> list[str]:
    before = files(ledger.folder)
    with pytest.raises(LedgerError) as refusal:
        record(ledger, draft)
    assert files(ledger.folder) == before
    return [fault.code for fault in refusal.value.faults]


def changed(plan, change: str, customers: int = 100):
    """A draft whose rows have some columns replaced."""
    return make_draft(
        plan, customers, f"SELECT * REPLACE ({change}) FROM ({assignment_sql(customers)})"
    )


def test_what_is_recorded_is_what_was_decided(ledger: Ledger) -> None:
    manifest = record(ledger, make_draft(make_plan())).manifest
    decided = rows(
        "SELECT coalesce(arm, reason), count(*) FROM"
        f" ({assignment_sql(1000)}) GROUP BY ALL ORDER BY ALL"
    )
    assert sorted((manifest.arms | manifest.excluded).items()) == decided
    assert manifest.reconciles
    assert manifest.population == 1000
    kept = sorted(rows(ledger.read("spring").sql))
    assert kept == sorted(rows(f"SELECT * FROM ({assignment_sql(1000)}) WHERE arm IS NOT NULL"))
    assert ledger.verify("spring") == ()


def test_each_part_holds_one_arm_and_wave(ledger: Ledger) -> None:
    done = record(ledger, make_draft(make_plan()))
    for part in done.manifest.parts:
        path = done.generation.path(part)
        found = rows(f"SELECT DISTINCT arm, wave FROM read_parquet('{path}')")
        assert found == [(part.arm, part.wave)]
        columns = rows(f"DESCRIBE SELECT * FROM read_parquet('{path}')")
        assert [column[0] for column in columns] == ["customer_id", *COLUMNS]


def test_the_manifest_names_no_customer(ledger: Ledger) -> None:
    sql = f"SELECT * REPLACE ('secret-' || customer_id AS customer_id) FROM ({assignment_sql(50)})"
    done = record(ledger, make_draft(make_plan(), 50, sql))
    content = (done.generation.folder / "manifest.json").read_text(encoding="utf-8")
    assert "secret-" not in content
    keys = list(json.loads(content))
    assert keys == sorted(keys)


def test_the_same_plan_and_data_change_nothing(ledger: Ledger) -> None:
    first = record(ledger, make_draft(make_plan()))
    before = files(ledger.folder)

    def never(path: object) -> None:
        raise AssertionError(path)

    second = record(ledger, replace(make_draft(make_plan()), write=never))
    assert (first.new, second.new) == (True, False)
    assert second.manifest == first.manifest
    assert files(ledger.folder) == before


def test_a_plan_that_is_not_locked_is_locked_with_its_assignment(ledger: Ledger) -> None:
    record(ledger, make_draft(make_plan()))
    assert ledger.locked("spring").plan_sha256 == make_plan().sha256


def test_another_plan_than_the_locked_one_is_refused(ledger: Ledger) -> None:
    ledger.lock(make_plan(), NOW)
    assert refused(ledger, make_draft(make_plan(owner="someone"))) == ["UL451"]


def test_customers_who_join_get_a_generation_of_their_own(ledger: Ledger) -> None:
    plan = make_plan()
    first = record(ledger, make_draft(plan, 1000))
    before = files(ledger.folder)
    second = record(ledger, make_draft(plan, 1500, assignment_sql(1500), data="b"))
    assert before.items() <= files(ledger.folder).items()
    assert second.manifest.generation == 2
    assert second.manifest.kept == sum(first.manifest.arms.values())
    assert second.manifest.previous == first.manifest.sha256
    whole = rows(f"SELECT * FROM ({assignment_sql(1500)}) WHERE arm IS NOT NULL")
    assert sorted(rows(ledger.read("spring").sql)) == sorted(whole)
    assert ledger.verify("spring") == ()


def test_who_left_the_table_or_may_no_longer_take_part_stays_on_the_record(ledger: Ledger) -> None:
    plan = make_plan()
    record(ledger, make_draft(plan, 100))
    now_out = (
        f"SELECT * REPLACE (CASE WHEN customer_id < 60 THEN NULL ELSE arm END AS arm,"
        " CASE WHEN customer_id < 60 THEN 'opted out' ELSE reason END AS reason,"
        f" CASE WHEN customer_id < 60 THEN false ELSE ghost END AS ghost)"
        f" FROM ({assignment_sql(90, first=20)})"
    )
    before = sorted(rows(ledger.read("spring").sql))
    second = record(ledger, make_draft(plan, 90, now_out, data="b"))
    after = sorted(rows(ledger.read("spring").sql))
    assert set(before) <= set(after)
    assert second.manifest.reconciles
    assert "opted out" not in second.manifest.arms


def test_nobody_moves(ledger: Ledger) -> None:
    plan = make_plan()
    record(ledger, make_draft(plan, 200))
    other = make_draft(plan, 300, assignment_sql(300, salt="other"), data="b")
    assert refused(ledger, other) == ["UL455"]


def test_an_amended_plan_with_the_same_arms_keeps_everybody(ledger: Ledger) -> None:
    record(ledger, make_draft(make_plan(), 200))
    ledger.amend(make_plan(owner="b"), "the owner left", NOW)
    second = record(ledger, make_draft(make_plan(owner="b"), 200))
    assert second.new
    assert sum(second.manifest.arms.values()) == 0
    assert ledger.verify("spring") == ()


def test_nobody_joins_a_blocked_assignment(ledger: Ledger) -> None:
    plan = make_plan(assignment={"method": "blocked", "strata": ["region"]})
    record(ledger, make_draft(plan, 200))
    assert refused(ledger, make_draft(plan, 300, assignment_sql(300), data="b")) == ["UL456"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("CASE customer_id WHEN 7 THEN 8 ELSE customer_id END AS customer_id", "UL458"),
        ("nullif(customer_id, 7) AS customer_id", "UL458"),
        ("coalesce(reason, 'late') AS reason", "UL454"),
        ("nullif(arm, 'sms') AS arm", "UL454"),
        ("replace(arm, 'sms', 'fax') AS arm", "UL454"),
        ("wave + 1 AS wave", "UL454"),
        ("NULL::INTEGER AS wave", "UL454"),
        ("true AS ghost", "UL454"),
    ],
)
def test_what_does_not_reconcile_is_refused(ledger: Ledger, change: str, code: str) -> None:
    assert refused(ledger, changed(make_plan(), change)) == [code]


def test_a_customer_without_a_decision_is_noticed(ledger: Ledger) -> None:
    assert refused(ledger, make_draft(make_plan(), 101, assignment_sql(100))) == ["UL454"]


def test_a_missing_column_is_named(ledger: Ledger) -> None:
    sql = f"SELECT * EXCLUDE (h) FROM ({assignment_sql(10)})"
    with pytest.raises(LedgerError, match="lacks the column h"):
        record(ledger, make_draft(make_plan(), 10, sql))


def test_ids_do_not_turn_from_numbers_into_text(ledger: Ledger) -> None:
    plan = make_plan()
    record(ledger, make_draft(plan, 100))
    text = f"SELECT * REPLACE ('0' || customer_id AS customer_id) FROM ({assignment_sql(100)})"
    assert refused(ledger, make_draft(plan, 100, text, data="b")) == ["UL458"]


def test_nobody_is_assigned_yet(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="UL457"):
        ledger.read("spring")


def test_contacts_are_those_of_all_other_experiments(ledger: Ledger) -> None:
    one, two = make_plan("one"), make_plan("two", waves=[])
    record(ledger, make_draft(one, 300))
    two_sql = f"SELECT * REPLACE (NULL::INTEGER AS wave) FROM ({assignment_sql(300)})"
    record(ledger, make_draft(two, 300, two_sql))
    treated = "arm IN ('email', 'sms')"
    expected = rows(
        "SELECT customer_id::VARCHAR, CASE wave WHEN 1 THEN DATE '2026-03-02' ELSE '2026-03-09' END"
        f" FROM ({assignment_sql(300)}) WHERE {treated} ORDER BY ALL"
    )
    assert rows(f"SELECT id, day FROM ({ledger.contacts('two')}) ORDER BY ALL") == expected
    days = rows(f"SELECT DISTINCT day FROM ({ledger.contacts('one')})")
    assert [day.isoformat() for (day,) in days] == ["2026-03-01"]
    both = rows(f"SELECT count(*), count(DISTINCT experiment) FROM ({ledger.contacts()})")
    assert both == [(2 * len(expected), 2)]


def test_an_empty_ledger_has_no_contacts(ledger: Ledger) -> None:
    assert rows(f"SELECT id, day, experiment FROM ({ledger.contacts('one')})") == []


@pytest.mark.parametrize("name", ["part-0003.parquet", "manifest.json", "../../plan.json"])
def test_a_changed_byte_is_noticed(ledger: Ledger, name: str) -> None:
    done = record(ledger, make_draft(make_plan()))
    path = done.generation.folder / name
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b"e", b"f", 1)
        if b"email" not in content
        else content.replace(b"email", b"sms  ", 1)
    )
    faults = ledger.verify("spring")
    assert faults
    assert {fault.code for fault in faults} == {"UL459"}
    assert any(str(path.name) in str(fault.place) for fault in faults)


def test_a_removed_and_an_added_file_are_noticed(ledger: Ledger) -> None:
    folder = record(ledger, make_draft(make_plan())).generation.folder
    (folder / "part-0002.parquet").rename(folder / "part-9999.parquet")
    assert {fault.place.file.rsplit("/", 1)[1] for fault in ledger.verify("spring")} == {
        "part-0002.parquet",
        "part-9999.parquet",
    }


def test_a_removed_generation_or_amendment_is_noticed(ledger: Ledger) -> None:
    plan = make_plan()
    first = record(ledger, make_draft(plan, 100))
    record(ledger, make_draft(plan, 150, assignment_sql(150), data="b"))
    first.generation.folder.rename(ledger.folder / "elsewhere")
    assert any("before this one" in fault.message for fault in ledger.verify("spring"))
    other = make_plan("other")
    ledger.lock(other, NOW)
    for owner in ("a", "b"):
        ledger.amend(make_plan("other", owner=owner), "owner", NOW)
    (ledger.folder / "other" / "amendments" / "0001.json").unlink()
    assert any("before this one" in fault.message for fault in ledger.verify("other"))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["holdout", "email", "sms", None]),
            st.sampled_from([1, 2]),
            st.sampled_from(["a", "b", None]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_customer_is_counted_exactly_once(tmp_path_factory, decisions) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger"))
    values = ", ".join(
        f"({number}, {_sql(arm)}, 'f', 1, {_sql(stratum)}, {wave if arm else 'NULL'},"
        f" {_sql(None if arm else 'out')}, 'email', {arm == 'holdout'})"
        for number, (arm, wave, stratum) in enumerate(decisions)
    )
    sql = f"SELECT * FROM (VALUES {values}) AS t(customer_id, {', '.join(COLUMNS)})"
    manifest = record(ledger, make_draft(make_plan(), len(decisions), sql)).manifest
    assert manifest.reconciles
    assert sum(manifest.arms.values()) == sum(arm is not None for arm, _, _ in decisions)
    assert ledger.verify("spring") == ()


def _sql(text: str | None) -> str:
    return "NULL" if text is None else f"'{text}'"


def test_the_writer_may_be_any_engine(ledger: Ledger) -> None:
    draft = replace(make_draft(make_plan(), 10), write=writer_of(assignment_sql(10)))
    assert record(ledger, draft).new
