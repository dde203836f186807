"""What is refused, with its code; and names that would break out of a query if they could."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from assigning import TWO_ARMS, make_plan

from upliftlab.assignment.allocation import Reason, allocation
from upliftlab.assignment.assign import Assigner, assign_one, prepare, summary_sql
from upliftlab.assignment.decision_sql import OWN_COLUMNS
from upliftlab.config.models import EngineSettings, Source
from upliftlab.engines.open import open_engine
from upliftlab.errors import ConfigError, DataError, EngineError

HOSTILE = 'x"; DROP TABLE "t"; --\'\\'


def table(folder: Path, **columns: object) -> str:
    path = folder / "customers.parquet"
    pq.write_table(pa.table(columns), path)
    return str(path)


def decide(engine, path: str, **more):
    source = {"file": path, "id": "id", **more.pop("source", {})}
    return engine.query(prepare(make_plan(customers=source, **more), engine).sql)


@pytest.mark.parametrize(
    "ids",
    [
        [1.0, 2.0],
        np.array([1, 2], dtype="float32"),
        [True, False],
        [date(2026, 1, 1)],
        [b"a"],
        pa.array([1, 2], pa.int8()).cast(pa.decimal128(10, 2)),
    ],
)
def test_inexact_ids_are_refused(duck, tmp_path, ids):
    with pytest.raises(ConfigError, match="UL403"):
        decide(duck, table(tmp_path, id=ids))


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, None, None], "UL404 2 rows have no 'id'"),
        (["a", "a", "b", "b", "c"], "UL405 2 values of 'id' occur more than once"),
        (pa.array([], pa.int64()), "UL416"),
    ],
)
def test_missing_and_repeated_ids_are_counted(duck, tmp_path, ids, message):
    with pytest.raises(DataError, match=message):
        decide(duck, table(tmp_path, id=ids))


def test_a_missing_household_is_refused(duck, tmp_path):
    path = table(tmp_path, id=[1, 2], house=["a", None])
    with pytest.raises(DataError, match="UL406 1 row has no 'house'"):
        decide(duck, path, assignment={"unit": "house"})


def test_columns_must_exist(duck, tmp_path):
    path = table(tmp_path, id=[1])
    with pytest.raises(ConfigError, match=r"UL402 .*'band'"):
        decide(duck, path, assignment={"method": "blocked", "strata": "band"})


@pytest.mark.parametrize("name", ["arm", "Reason", "H"])
def test_the_assignments_own_names_are_taken(duck, tmp_path, name):
    path = table(tmp_path, **{name: [1]})
    with pytest.raises(ConfigError, match="UL410"):
        decide(duck, path, source={"id": name})


def test_strata_of_inexact_types_are_refused(duck, tmp_path):
    path = table(tmp_path, id=[1], value=[0.5])
    with pytest.raises(ConfigError, match="UL411"):
        decide(duck, path, assignment={"method": "blocked", "strata": "value"})


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("UL401", {"assignment": {"observed": "arm"}}),
        ("UL402", {"customers": {"file": "x"}}),
        ("UL407", {"arms": {"a": {"control": True, "share": "10%"}, "b": {}}}),
        ("UL408", {"assignment": {"layer": "nowhere"}}),
        (
            "UL408",
            {
                "assignment": {"layer": "l"},
                "program": {"layers": {"l": {"experiments": {"spring": ["50%", "50%"]}}}},
            },
        ),
        (
            "UL407",
            {
                "assignment": {"method": "blocked"},
                "arms": {
                    "a": {"control": True, "share": "33.33333333331%"},
                    "b": {"share": "12%"},
                },
            },
        ),
    ],
)
def test_plans_that_assign_nobody_are_refused(code, more):
    with pytest.raises(ConfigError, match=code):
        allocation(make_plan(**more))


def test_one_customer_cannot_be_blocked_or_lack_a_household():
    with pytest.raises(ConfigError, match="UL412"):
        Assigner(make_plan(assignment={"method": "blocked"}))
    with pytest.raises(DataError, match="UL413"):
        assign_one(make_plan(assignment={"unit": "house"}), 1)


def test_names_and_values_cannot_break_out(duck, tmp_path):
    columns = {HOSTILE: [1, 2, 3], "lev'el": [HOSTILE, None, "b"], "key": ["1", "2", "x"]}
    plan = make_plan(
        HOSTILE,
        arms={HOSTILE: {"control": True}, "it's": {"channel": HOSTILE}, "--": {"channel": "b'"}},
        customers={"file": table(tmp_path, **columns), "id": HOSTILE},
        assignment={"salt": HOSTILE, "method": "blocked", "strata": ["lev'el"]},
        eligible="key <> 'x'",
    )
    rows = duck.query(prepare(plan, duck).sql).to_pylist()
    assert [row["reason"] for row in sorted(rows, key=lambda row: row[HOSTILE])] == [
        None,
        None,
        Reason.not_eligible,
    ]
    assert {row["stratum"] for row in rows} == {HOSTILE, "|null|", "b"}


@pytest.mark.parametrize("name", ["key", "unit_key", "id", "h", "eligible", "wave", "reason"])
def test_a_customers_column_is_not_taken_for_one_of_the_querys(duck, tmp_path, name):
    path = table(tmp_path, **{"customer": [1, 2], name: [10, 30]})
    found = decide(duck, path, source={"id": "customer"}, eligible=f'"{name}" > 18')
    reasons = {row["customer"]: row["reason"] for row in found.to_pylist()}
    assert reasons[1] == "not_eligible"
    assert reasons[2] != "not_eligible"


def test_csv_columns_take_the_type_they_are_compared_with(duck, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("id,age,ok\n007,9,true\n7,18,true\n8,40,false\n9,,true\n")
    found = decide(duck, str(path), eligible="age >= 18 and ok")
    kept = [row["id"] for row in found.to_pylist() if row["reason"] != "not_eligible"]
    assert kept == ["7"]


def test_the_holdout_ends_with_its_period(duck, tmp_path):
    path = table(tmp_path, id=range(200))
    program = {"universal_holdout": {"share": "50%", "salt": "u", "end": "2026-03-05"}}
    waves = [{"start": "2026-03-02", "share": "50%"}, {"start": "2026-03-09", "share": "50%"}]
    plan = make_plan(customers={"file": path, "id": "id"}, program=program, waves=waves)
    rows = duck.query(prepare(plan, duck).sql).to_pylist()
    held = {row["wave"] for row in rows if row["reason"] == "universal_holdout"}
    assert held == {1}
    assert all(assign_one(plan, row["id"]) == row["arm"] for row in rows)


def test_ghosts_are_control_customers_with_the_channel_they_were_spared(duck, tmp_path):
    arms = {
        "none": {"control": True, "share": "50%"},
        "usual": {"business_as_usual": True, "channel": "post", "share": "10%"},
        "mail": {"channel": "email", "share": "30%"},
        "text": {"channel": "sms", "share": "10%"},
    }
    rows = decide(duck, table(tmp_path, id=range(4_000)), arms=arms).to_pylist()
    ghosts = [row["channel"] for row in rows if row["ghost"]]
    assert {row["arm"] for row in rows if row["ghost"]} == {"none"}
    assert len(ghosts) == sum(row["arm"] == "none" for row in rows)
    assert 0.70 < ghosts.count("email") / len(ghosts) < 0.80
    assert set(ghosts) == {"email", "sms"}


def test_an_experiment_without_channels_has_no_ghosts(duck, tmp_path):
    found = decide(
        duck, table(tmp_path, id=range(50)), arms={"a": {"control": True}, "b": {}}
    ).to_pylist()
    assert not any(row["ghost"] for row in found)
    assert {row["channel"] for row in found} == {None}


def test_the_summary_counts_everybody(duck, tmp_path):
    plan = make_plan(customers={"file": table(tmp_path, id=range(500)), "id": "id"})
    written = tmp_path / "it's.parquet"
    prepared = prepare(plan, duck)
    duck.write(prepared.sql, written)
    counts = duck.query(summary_sql(written)).to_pylist()
    assert sum(row["customers"] for row in counts) == prepared.population == 500
    assert {row["arm"] for row in counts} == set(TWO_ARMS)
    assert prepared.columns == ("id", *OWN_COLUMNS)


def test_one_customer_takes_microseconds():
    plan = make_plan(program={"universal_holdout": {"share": "5%", "salt": "u"}})
    assign_one(plan, 0)
    begin = time.perf_counter()
    for customer in range(5_000):
        assign_one(plan, customer)
    assert (time.perf_counter() - begin) / 5_000 < 100e-6


@pytest.mark.postgres
def test_a_password_is_never_repeated(monkeypatch):
    monkeypatch.setenv("LAB_PASSWORD", "hun'ter2")
    monkeypatch.setenv("UPLIFTLAB_ENV", "LAB_PASSWORD")
    for setting in (
        "host=/nowhere user=lab password='${env:LAB_PASSWORD}' dbname=postgres",
        "host=/nowhere user=lab password=hunter2 dbname=hunter2",
        "postgresql://lab:hunter2@127.0.0.1:1/postgres",
        "host=/nowhere hunter2 oops",
        "host=/nowhere password=x hunter2=oops",
    ):
        with pytest.raises((EngineError, ConfigError), match=r"UL513|UL025") as caught:
            open_engine(EngineSettings(name="postgres", connection=setting), Path)
        assert "ter2" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


@pytest.mark.postgres
def test_an_unset_variable_is_named(monkeypatch):
    monkeypatch.delenv("LAB_PASSWORD", raising=False)
    monkeypatch.setenv("UPLIFTLAB_ENV", "OTHER, LAB_PASSWORD")
    setting = EngineSettings(name="postgres", connection="password=${env:LAB_PASSWORD}")
    with pytest.raises(ConfigError, match="LAB_PASSWORD is not set"):
        open_engine(setting, Path)


@pytest.mark.postgres
def test_a_server_reads_no_files_and_knows_its_tables(postgres, tmp_path):
    with pytest.raises(DataError, match="UL205"):
        decide(postgres, table(tmp_path, id=[1]))
    plan = make_plan(customers={"table": "nowhere.at_all", "id": "id"})
    with pytest.raises(DataError, match="UL204"):
        prepare(plan, postgres)


@pytest.mark.postgres
def test_a_table_of_a_server_has_a_fingerprint(postgres, desk):
    desk.run("DROP TABLE IF EXISTS marked; CREATE TABLE marked AS SELECT 1 AS id, NULL::text AS v")
    source = Source(table="marked", id="id")
    first = postgres.fingerprint(source)
    assert postgres.fingerprint(source) == first
    assert first[0] == "public.marked"
    desk.run("UPDATE marked SET v = 'x'")
    assert postgres.fingerprint(source) != first
    postgres.attach("customers", source)
    assert postgres.columns("customers") == {"id": "number", "v": "text"}


@pytest.mark.spark
def test_spark_reads_csv_as_the_embedded_engine_does(spark, duck, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(
        'id;note;"odd ""name"""\n007;"a;b";1\n7;"two\nlines";\n'
        '8;"say ""hi""";x\n9;back\\slash; y\n',
        encoding="utf-8",
    )
    for engine in (spark, duck):
        engine.attach("customers", Source(file=str(path), id="id"))
    assert spark.columns("customers") == duck.columns("customers")
    sql = "SELECT * FROM customers ORDER BY id"
    assert spark.query(sql).to_pylist() == duck.query(sql).to_pylist()
    assert spark.fingerprint(Source(file=str(path))) == duck.fingerprint(Source(file=str(path)))


@pytest.mark.spark
def test_spark_refuses_in_one_line(spark, tmp_path):
    with pytest.raises(EngineError, match="UL502"):
        spark.query("SELECT nothing FROM nowhere")
    with pytest.raises(DataError, match="UL201"):
        decide(spark, str(tmp_path / "none.parquet"))
