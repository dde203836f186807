"""Kinds of file: the same table gives the same findings, whatever program wrote it as whatever."""
# ruff: noqa: DTZ001 - times of day without a zone

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather
from written import DATABASES, WRITERS

import upliftlab as ul
from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config import load
from upliftlab.config.models import Source, Uplift
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError
from upliftlab.queries.features import features_of
from upliftlab.report.export import to_json

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CUSTOMERS = pa.table(
    {
        "customer": pa.array(range(1000, 1400)),
        "arm": ["none", "e-mail"] * 200,
        "start": [date(2026, 3, 2) + timedelta(days=n % 3) for n in range(400)],
        "code": pa.array([None if n % 9 == 0 else n % 4 for n in range(400)], pa.int64()),
        "region": [None if n % 11 == 0 else ("Nord", "Süd")[n // 2 % 2] for n in range(400)],
        "vip": [n % 5 == 0 for n in range(400)],
        "visits": [n * 7 % 12 for n in range(400)],
        "score": [None if n % 13 == 0 else n % 10 / 4 for n in range(400)],
    }
)
ORDERS = pa.table(
    {
        "customer": [1000 + n * 7 % 400 for n in range(900)],
        "at": [datetime(2026, 3, 2, 8) + timedelta(hours=n % 200, minutes=n) for n in range(900)],
        "amount": [float(n * 37 % 900) / 10 for n in range(900)],
        "returned": [n % 8 == 0 for n in range(900)],
    }
)
EXPERIMENT = """\
schema: 1
experiment: spring
customers: customers
eligible: "score >= 0.5 or vip"
assignment: {observed: arm, start: start}
arms: {none: {control: true}, e-mail: {channel: email, cost_per_contact: 0.10}}
currency: EUR
outcome_window: 7 days
metrics: {primary: revenue, secondary: [bought]}
money: {revenue: revenue, margin: 40%}
segments: [code, region, vip]
analysis: {covariates: [visits]}
"""
FLAGS = {"True": "true", "False": "false", "1": "true", "0": "false"}
"""What pandas writes in CSV, and what SQLite keeps, which has no flags."""
CONFIGS = {
    "metrics": """\
metrics:
  revenue: {from: orders, sum: amount, where: not returned, unit: money}
  bought: {from: orders, any: true, where: amount > 0, unit: share}
""",
    "segments": "segments: {code: {column: code}, region: {column: region}, vip: {column: vip}}\n",
    "program": "time_zone: Europe/Berlin\n",
}


def workspace(root, suffix, writer):
    (root / "data").mkdir(parents=True)
    (root / "configs").mkdir()
    inside = ", table: shop" if suffix in DATABASES else ""
    writer(CUSTOMERS, root / "data" / f"customers{suffix}")
    writer(ORDERS, root / "data" / f"orders{suffix}")
    sources = f"""\
sources:
  customers: {{file: customers{suffix}, id: customer{inside}}}
  orders: {{file: orders{suffix}, id: customer, time: at, amounts: {{amount: EUR}}{inside}}}
"""
    for name, text in {**CONFIGS, "sources": sources}.items():
        (root / "configs" / f"{name}.yaml").write_text(text, encoding="utf-8")
    path = root / "spring.yaml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return load(path).plan


def found(root, suffix, writer):
    plan = workspace(root, suffix, writer)
    with DuckDB(lambda file: root / "data" / file) as engine:
        analysis = analyze(plan, AnalysisContext(engine, NOW))
    told = json.loads(to_json(analysis))
    for source in told["data"]:
        assert len(source.pop("sha256")) == 64
        source.pop("file")
    told.pop("plan_sha256")
    return flags_alike(told)


def flags_alike(told):
    """Levels of a flag as they are said in Parquet; a file's own word for yes stays its word."""
    for entries in told.values():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("dimension") == "vip" and "level" in entry:
                entry |= {k: FLAGS.get(v, v) for k, v in entry.items() if k == "level"}
    return told


def differences(ours, theirs, place=""):
    """Where two values differ; numbers may by the order in which they were added up."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            yield from differences(value, theirs[key], f"{place}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for at, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{place}[{at}]")
    elif isinstance(ours, float) and isinstance(theirs, float):
        if ours != pytest.approx(theirs, rel=1e-9, abs=1e-9):
            yield place, ours, theirs
    elif ours != theirs:
        yield place, ours, theirs


@pytest.fixture(scope="module")
def from_parquet(tmp_path_factory):
    return found(tmp_path_factory.mktemp("parquet"), *WRITERS["pyarrow parquet"])


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "pyarrow parquet"])
def test_the_same_table_gives_the_same_findings(name, tmp_path, from_parquet):
    assert [*differences(found(tmp_path / "shop", *WRITERS[name]), from_parquet)] == []


def test_files_of_any_kind_stand_in_for_tables(tmp_path, from_parquet):
    root = tmp_path / "shop"
    workspace(root, *WRITERS["pyarrow parquet"])
    for file in (root / "data").iterdir():
        file.unlink()
    for name, table in (("customers", CUSTOMERS), ("orders", ORDERS)):
        WRITERS["polars xlsx"][1](table, tmp_path / f"{name}.xlsx")
        WRITERS["sqlite as db"][1](table, tmp_path / f"{name}.db")
        WRITERS["json lines"][1](table, tmp_path / f"{name}.jsonl")
    experiment = ul.Experiment.from_yaml(root / "spring.yaml")
    given = {"customers": tmp_path / "customers.xlsx", "orders": tmp_path / "orders.jsonl"}
    assert not [each for each in experiment.check(given) if each.severity == "error"]
    told = json.loads(experiment.analyze(given).to_json())
    assert [*differences(told["findings"], from_parquet["findings"])] == []
    with pytest.raises(DataError, match=r"UL204 customers\.db holds several tables; name one by"):
        experiment.analyze({**given, "customers": tmp_path / "customers.db"})


@pytest.mark.parametrize(
    ("name", "kind"),
    [("pandas csv", "numeric"), ("pandas xlsx", "numeric"), ("sqlite", "numeric"),
     ("json lines", "categorical"), ("pyarrow feather", "categorical")],
)  # fmt: skip
def test_a_text_of_digits_is_a_number_where_nobody_said_that_it_is_text(name, kind, tmp_path):
    suffix, writer = WRITERS[name]
    writer(pa.table({"id": [1, 2], "age": ["30", "41"]}), tmp_path / f"a{suffix}")
    source = Source(file=f"a{suffix}", table="shop" if suffix in DATABASES else None)
    with DuckDB(lambda file: tmp_path / file) as engine:
        engine.attach("t", source)
        assert features_of(Uplift(features=("age",)), "t", source, engine).kinds == {"age": kind}


def test_what_is_found_is_not_nothing(from_parquet):
    levels = {(f["dimension"], f["level"]) for f in from_parquet["findings"]}
    assert {("code", "0"), ("code", "3"), ("region", "Süd"), ("vip", "true")} <= levels


def columns(path, query="*", **named):
    with DuckDB(Path) as engine:
        engine.attach("t", Source(file=str(path), **named))
        kinds = engine.columns("t")
        return kinds, engine.query(f"SELECT {query} FROM t").to_pylist()


def refusal(path, query="*", **named):
    with pytest.raises(DataError) as caught:
        columns(path, query, **named)
    (fault,) = caught.value.faults
    return fault


# JSON


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_json_has_the_types_of_all_rows_and_texts_stay_texts(tmp_path):
    lines = ['{"id": "001", "n": 1, "day": "03-02-2026"}'] * 30_000
    lines.append('{"id": "002", "n": 2.5, "late": true, "day": "2026-03-02"}')
    path = written(tmp_path, "orders.jsonl", "\n".join(lines))
    kinds, (row,) = columns(
        path, "MAX(id) AS id, SUM(n) AS n, COUNT(late) AS known, MAX(day) AS day"
    )
    assert kinds == {"id": "text", "n": "number", "day": "text", "late": "boolean"}
    assert row == {"id": "002", "n": 30_002.5, "known": 1, "day": "2026-03-02"}


def test_json_of_numbers_and_texts_in_one_column_is_text(tmp_path):
    path = written(tmp_path, "a.ndjson", '{"id": 17}\n\n{"id": "A17"}\n{"id": null}\n')
    kinds, rows = columns(path)
    assert kinds == {"id": "text"}
    assert [row["id"] for row in rows] == ["17", "A17", None]


def test_what_is_nested_in_json_is_neither_number_nor_text(tmp_path):
    path = written(tmp_path, "a.jsonl", '{"id": 1, "items": [{"n": 2}], "more": {"a": 1}}\n')
    kinds, rows = columns(path, "id")
    assert kinds == {"id": "number", "items": "other", "more": "other"}
    assert rows == [{"id": 1}]


@pytest.mark.parametrize(
    ("name", "text", "code", "message"),
    [
        ("a.json", '{"data": [{"id": 1}]}', "UL270", "holds no rows of named values"),
        ("b.jsonl", "1\n2\n", "UL270", "holds no rows of named values"),
        ("c.jsonl", '{"id": 1}\n{"id": "alice@example.com\n', "UL202", "in line 3"),
        ("d.json", '[{"id": 1}, {"id": 2}', "UL202", "unexpected"),
        ("e.jsonl", "", "UL202", "holds no rows"),
        ("f.jsonl", '{"id": 1, "ID": 2}\n', "UL202", "two columns 'id'"),
        ("g.jsonl", '{"id": 1}\n{"id": 2, "id": 3}\n', "UL202", "in line 2"),
        ("h.json", '{"id":\n 1}\n', "UL202", "write an object a line"),
    ],
)
def test_json_that_is_no_table(tmp_path, name, text, code, message):
    fault = refusal(written(tmp_path, name, text))
    assert fault.code == code
    assert message in str(fault)
    assert "alice" not in str(fault)


def test_json_that_is_not_compressed_although_its_name_says_so(tmp_path):
    assert refusal(written(tmp_path, "a.jsonl.gz", '{"id": 1}\n')).code == "UL226"


def test_compressed_json_may_be_one_long_line(tmp_path):
    rows = [{"id": n, "note": "x" * 500} for n in range(6000)]
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    with DuckDB(Path) as engine, engine.reading():
        engine.attach("t", Source(file=str(path)))
        assert engine.query("SELECT COUNT(*) AS n FROM t").to_pylist() == [{"n": 6000}]


@pytest.mark.spark
@pytest.mark.parametrize("name", ["json lines", "json list", "duckdb ndjson.gz"])
def test_spark_reads_json_as_the_embedded_engine_does(name, tmp_path, spark, from_parquet):
    root = tmp_path / "shop"
    plan = workspace(root, *WRITERS[name])
    spark_of = type(spark)
    with spark_of(lambda file: root / "data" / file) as engine:
        analysis = analyze(plan, AnalysisContext(engine, NOW))
    told = json.loads(to_json(analysis))
    assert [*differences(told["findings"], from_parquet["findings"])] == []


@pytest.mark.spark
@pytest.mark.parametrize("name", ["pandas xlsx", "pandas feather", "sqlite", "duckdb as db"])
def test_spark_names_the_kinds_that_it_reads(name, tmp_path, spark):
    suffix, writer = WRITERS[name]
    path = tmp_path / f"orders{suffix}"
    writer(ORDERS, path)
    with pytest.raises(DataError, match=r"UL203.*use \.csv, \.parquet or \.jsonl"):
        spark.attach("orders", Source(file=str(path)))


# Arrow


def test_an_arrow_file_that_was_forged_is_refused(tmp_path):
    path = tmp_path / "a.feather"
    feather.write_feather(pa.table({"id": ["a", "b"] * 50}), path, compression="uncompressed")
    content = bytearray(path.read_bytes())
    offsets = b"".join(n.to_bytes(4, "little") for n in range(1, 9))
    at = content.index(offsets)
    content[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(content)
    fault = refusal(path)
    assert (fault.code, "damaged" in fault.message) == ("UL202", True)


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"id,arm\n1,none\n"])
def test_what_is_no_arrow_file(tmp_path, content):
    path = tmp_path / "a.arrow"
    path.write_bytes(content)
    assert refusal(path).code == "UL202"


def test_files_of_a_source_in_memory_are_one_table(tmp_path):
    feather.write_feather(pa.table({"id": [1], "x": [1]}), tmp_path / "a.feather")
    feather.write_feather(pa.table({"x": [0.5], "id": [2]}), tmp_path / "b.feather")
    with DuckDB(lambda name: tmp_path / name) as engine:
        engine.attach("t", Source(file="*.feather"))
        assert engine.query("SELECT SUM(x) AS x FROM t").to_pylist() == [{"x": 1.5}]
    feather.write_feather(pa.table({"id": [1], "y": [1]}), tmp_path / "c.feather")
    with (
        DuckDB(lambda name: tmp_path / name) as engine,
        pytest.raises(DataError, match=r"UL202 c.feather and a.feather differ in the column 'x'"),
    ):
        engine.attach("t", Source(file="*.feather"))
    feather.write_feather(pa.table({"id": [1], "x": ["1"]}), tmp_path / "c.feather")
    with (
        DuckDB(lambda name: tmp_path / name) as engine,
        pytest.raises(DataError, match="UL202 the column 'x' is not of one type"),
    ):
        engine.attach("t", Source(file="*.feather"))


def test_a_file_in_memory_is_read_again_once_it_was_written_to(tmp_path):
    path = tmp_path / "a.feather"
    feather.write_feather(pa.table({"id": [1]}), path)
    with DuckDB(lambda name: tmp_path / name) as engine:
        source = Source(file="a.feather")
        engine.attach("t", source)
        engine.attach("again", source)
        feather.write_feather(pa.table({"id": [1, 2]}), tmp_path / "b.feather")
        (tmp_path / "b.feather").replace(path)
        engine.attach("t", source)
        assert engine.query("SELECT COUNT(*) AS n FROM t").to_pylist() == [{"n": 2}]


def test_a_parquet_file_without_rows_is_no_damaged_one(tmp_path):
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), tmp_path / "a.parquet")
    with DuckDB(lambda name: tmp_path / name) as engine, engine.reading():
        engine.attach("t", Source(file="a.parquet"))
        assert engine.query("SELECT COUNT(*) AS n FROM t").to_pylist() == [{"n": 0}]


# SQLite


def database(tmp_path, *statements, name="shop.sqlite"):
    path = tmp_path / name
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_a_column_of_sqlite_has_the_type_of_its_values(tmp_path):
    path = database(
        tmp_path,
        "CREATE TABLE orders (id, amount NUMERIC, code, note TEXT, empty)",
        "INSERT INTO orders VALUES (17, 1.5, 3, 'ü', NULL), ('A17', 2, 4, NULL, NULL)",
        "INSERT INTO orders VALUES (18.0, 1e3, NULL, 'x', NULL)",
    )
    kinds, rows = columns(path, table="Orders")
    assert kinds == {
        "id": "text", "amount": "number", "code": "number", "note": "text", "empty": "text",
    }  # fmt: skip
    assert [row["id"] for row in rows] == ["17", "A17", "18"]
    assert [row["amount"] for row in rows] == [1.5, 2, 1000]
    assert [row["code"] for row in rows] == [3, 4, None]


@pytest.mark.parametrize(
    ("table", "code", "message"),
    [
        (None, "UL204", "name one by 'table': orders, made"),
        ("nobody", "UL204", "has no table 'nobody'"),
        ("seen", "UL233", "'seen' of shop.sqlite is a view"),
        ("made", "UL233", "the column 'twice' of 'made'"),
    ],
)
def test_what_a_sqlite_file_computes_is_not_run(tmp_path, table, code, message):
    path = database(
        tmp_path,
        "CREATE TABLE orders (id)",
        "CREATE TABLE made (id, twice AS (id * 2))",
        "CREATE VIEW seen AS SELECT * FROM orders",
    )
    fault = refusal(path, table=table)
    assert fault.code == code
    assert message in str(fault)


def test_a_sqlite_file_that_was_not_closed(tmp_path):
    path = database(tmp_path, "CREATE TABLE orders (id)")
    path.with_name("shop.sqlite-wal").write_bytes(b"x")
    assert refusal(path, table="orders").code == "UL234"


def test_a_sqlite_file_that_is_damaged(tmp_path):
    path = database(tmp_path, "CREATE TABLE orders (id)", "INSERT INTO orders VALUES (1)")
    path.write_bytes(path.read_bytes()[:-4000])
    assert refusal(path, table="orders").code == "UL202"


def test_a_source_has_one_kind_of_file_and_only_workbooks_have_sheets(tmp_path):
    for name in ("a.csv", "a.jsonl", "b.sav"):
        (tmp_path / name).write_text('{"id": 1}\n', encoding="utf-8")
    with DuckDB(lambda name: tmp_path / name) as engine:
        with pytest.raises(DataError, match="UL203 the files of a source are of several kinds"):
            engine.attach("t", Source(file="a.*"))
        kinds = r"use \.csv, \.parquet, \.xlsx, \.jsonl, \.feather, \.sqlite or \.duckdb"
        with pytest.raises(DataError, match=rf"UL203 b\.sav is of no known kind; {kinds}"):
            engine.attach("t", Source(file="b.sav"))
        with pytest.raises(DataError, match=r"UL267 a\.csv is no workbook"):
            engine.attach("t", Source(file="a.csv", sheet="Orders"))
