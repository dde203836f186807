"""Columns that are computed: right on every engine, as if they stood in the table, or refused."""

from __future__ import annotations

import csv
import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import NOW
from shops import Shop, each_own_arm
from spaces import Space

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.cli import commands
from upliftlab.config import load
from upliftlab.config.expressions import ExpressionError, parse_value
from upliftlab.config.models import Source
from upliftlab.conformance.bench import rows_of
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError
from upliftlab.queries.computed import attach_table

CUSTOMERS = {
    "paid": [10.0, 20.0, 5.0, 8.0],
    "refunded": [None, 4.0, None, 8.0],
    "items": pa.array([200, 3, 0, 2], pa.uint8()),
    "visits": pa.array([250, 4, 2, 0], pa.uint8()),
    "city": ["Bonn", None, "bonn", "Ulm"],
}
COLUMNS = {
    "net": "paid - coalesce(refunded, 0)",
    "product": "items * visits",
    "place": "lower(coalesce(city, 'none'))",
    "worth": "net * 2 + 1",
    "known": "items + visits > 1",
    "each": "round(worth / coalesce(items, 1), 1)",
}
RIGHT = {
    "net": [10.0, 16.0, 5.0, 0.0],
    "product": [50_000.0, 12.0, 0.0, 0.0],
    "worth": [21.0, 33.0, 11.0, 1.0],
}
EXPERIMENT = (
    f"columns: {json.dumps(COLUMNS)}\n"
    "assignment: {observed: arm}\n"
    "eligible: known\n"
    "metrics: {primary: net, secondary: [product, worth]}\nsegments: [place]\n"
)


def test_a_customer_s_columns_on_each_engine(anywhere):
    """Small integers hold their product, and one column is built on another."""
    customers, arms = each_own_arm([1, 2, 3, 4])
    anywhere.table("customers", {**customers, **CUSTOMERS})
    units = anywhere.units(anywhere.plan(EXPERIMENT + arms))
    found = [units[f"arm {key}"] for key in (1, 2, 3, 4)]
    for name, right in RIGHT.items():
        assert [row[name] for row in found] == right
    assert [row["place"] for row in found] == ["bonn", "none", "bonn", "ulm"]


def test_an_event_s_columns_on_each_engine(anywhere):
    """A sum, a condition and an amount over what a source computes."""
    customers, arms = each_own_arm([1, 2])
    anywhere.table("customers", customers)
    orders = {
        "id": [1, 1, 2],
        "at": [date(2026, 3, 3)] * 3,
        "gross": pa.array([255, 100, 40], pa.uint8()),
        "vat": pa.array([55, 200, 10], pa.uint8()),
    }
    columns = {"net": "gross - vat", "good": "net > 0"}
    anywhere.table("orders", orders, time="at", columns=columns, amounts={"net": "EUR"})
    text = (
        "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
        "currency: EUR\noutcome_window: 7 days\n"
        "metrics: {primary: revenue, secondary: [kept]}\n"
    )
    metrics = "  revenue: {from: orders, sum: net}\n"
    metrics += "  kept: {from: orders, sum: net, where: good}\n"
    units = anywhere.units(anywhere.plan(text + arms, metrics))
    assert [units[f"arm {key}"]["revenue"] for key in (1, 2)] == [100.0, 30.0]
    assert [units[f"arm {key}"]["kept"] for key in (1, 2)] == [200.0, 30.0]


def asked(folder, rows, columns, **declared):
    """The rows of a CSV file with computed columns, and the types of those."""
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    with DuckDB(lambda name: folder / name) as engine:
        source = Source(file="t.csv", columns=columns, **declared)
        kinds = attach_table("t", source, engine)
        listed = ", ".join(f'"{name}"' for name in columns)
        found = rows_of(engine.query(f"SELECT {listed} FROM t ORDER BY CAST(id AS INTEGER)"))
    return found, [kinds[name] for name in columns]


def test_texts_of_a_csv_file_are_read_as_what_is_asked(tmp_path):
    rows = [
        ("id", "paid", "back", "zip", "opted"),
        ("1", "10.5", "", "01067", "true"),
        ("2", "9", "9.00", "", "false"),
    ]
    columns = {
        "net": "paid - coalesce(back, 0)",
        "share": "back / (paid - 9)",
        "area": "coalesce(zip, 'none')",
        "same": "zip",
        "long": "length(zip)",
        "rest": "paid % 4",
    }
    found, kinds = asked(tmp_path, rows, columns)
    assert found == [
        (10.5, None, "01067", "01067", 5.0, 2.5),
        (0.0, None, "none", None, None, 1.0),
    ]
    assert kinds == ["number", "number", "text", "text", "number", "number"]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"PAID": "id + 1"}, "UL285 computed column 'PAID': the table has a column of that name"),
        ({"x": "lower(paid) - 1"}, "UL286 computed column 'x': it asks for numbers and texts"),
        ({"x": "coalesce(lower(zip), 0)"}, "UL286 computed column 'x': it asks for numbers and"),
        (
            {"y": "zip", "x": "y * 2"},
            "UL214 2 values of 'y' (computed column 'x') are not a number, such as '-'",
        ),
        ({"x": "zip - paid"}, "UL214 2 values of 'zip' (computed column 'x') are not a number"),
        ({"x": "coalesce(zip, 0)"}, "UL214 2 values of 'zip' (computed column 'x') are not a"),
        ({"x": "piad * 2"}, "UL205 the data have no column 'piad' (computed column 'x'); did you"),
    ],
)
def test_what_cannot_be_computed_is_refused(tmp_path, columns, fault):
    """A fallback of 0 must not stand for a text that is no number; no value is repeated."""
    rows = [("id", "paid", "zip"), ("1", "2", "secret"), ("2", "3", "-"), ("3", "4", "")]
    with pytest.raises(DataError) as caught:
        asked(tmp_path, rows, columns)
    (said,) = (str(each) for each in caught.value.faults)
    assert said.startswith(fault)
    assert "secret" not in said


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        (pa.array([1, 2]), "lower(x)", "'x' holds numbers, it asks for texts"),
        (pa.array([date(2026, 1, 1)] * 2), "x + 1", "days and times are not computed with"),
        (pa.array([[1], [2]]), "x", "it holds values of a type that is not known"),
    ],
)
def test_kinds_of_a_parquet_file(tmp_path, kind, column, expected):
    pq.write_table(pa.table({"id": [1, 2], "x": kind}), tmp_path / "t.parquet")
    with DuckDB(lambda name: tmp_path / name) as engine, pytest.raises(DataError) as caught:
        attach_table("t", Source(file="t.parquet", columns={"y": column}), engine)
    assert expected in str(caught.value)
    assert caught.value.faults[0].code == "UL286"


HOSTILE = [
    *("(select 1)", "id in (select 1)", "id; drop table t", "id -- and", "id /* x */ + 1"),
    *("read_text('/etc/passwd')", "getenv(id)", "id::int", "cast(id as int)", "id || 'x'"),
    *("case when id then 1 end", "random() + id", "sum(id)", "max(id) over ()", "t.id", "id[1]"),
    *("id + ?", "id + $1", "id as x", "x y", "1", "'a'", "true", "null", "coalesce(id, null)"),
    *("(" * 500 + "id" + ")" * 500, "id" + " + 1" * 450, "-" * 900 + "id", "id +", ";"),
    *(
        "concat(id, 'x')",
        "repeat(id, 1000000)",
        "id // 2",
        "id ** 2",
        "struct_pack(a := id)",
        "round(id, arm)",
    ),
    "age" + " " * 1_990 + "* (",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_more_than_a_value_is_refused_at_its_line(tmp_path, monkeypatch, text):
    with pytest.raises(ExpressionError) as caught:
        parse_value(text)
    assert len(str(caught.value)) < 300
    monkeypatch.chdir(tmp_path)
    space = Space(tmp_path)
    quoted = json.dumps(text)
    (fault,) = space.check(f"columns:\n  good: age * 2\n  bad: {quoted}\n")
    assert fault.startswith("experiments/example.yaml:9:8: UL036 ")
    space.write("experiments/example.yaml", space.experiment())
    sources = f"sources:\n  orders:\n    file: o.csv\n    columns:\n      bad: {quoted}\n"
    (fault,) = space.check(sources=sources)
    assert fault.startswith("configs/sources.yaml:5:12: UL036 ")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            "columns: {a: b + 1, b: c, c: a * 2}",
            "UL037 the computed column 'a' is made of itself",
        ),
        ("columns: {a: a + 1}", "is made of itself: a → a; build it on columns of the table"),
        (f"columns: {{x: '{'a' * 2001}'}}", "UL014 column 'x': a computed column has between 1"),
        ("columns: {net: age, NET: age}", "UL038 the computed column 'NET' has the name of anot"),
        (
            "columns: {twice: spent * 2}\nsegments: [twice]",
            "UL112 the segment 'twice' uses 'spent', which is an outcome of this experiment",
        ),
        (
            "columns: {twice: spent * 2, more: twice + 1}\neligible: more > 2",
            "UL112 'eligible' uses 'more', which uses 'spent', which is an outcome",
        ),
        (
            "customers: {file: data.csv, id: id, columns: {a: x + 1}}\ncolumns: {A: x}",
            "UL038 the computed column 'A' has the name of another of the table's source",
        ),
        (
            "customers: {file: data.csv, id: id, columns: {a: x + f(1)}}",
            "6:50: UL036 the function 'f' is not allowed in a value",
        ),
    ],
)
def test_rules(tmp_path, monkeypatch, part, expected):
    monkeypatch.chdir(tmp_path)
    assert any(expected in fault for fault in Space(tmp_path).check(part))


def test_a_long_chain_is_refused_and_a_short_one_computed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chain = {f"c{n}": f"c{n - 1} + 1" if n else "age + 0" for n in range(25)}
    faults = Space(tmp_path).check(f"columns: {json.dumps(chain)}")
    assert len(faults) == 5
    assert "'c20' is built on more than 20 others in turn" in faults[0]
    short = dict(list(chain.items())[:20])
    found, _ = asked(tmp_path, [("id", "age"), ("1", "30")], short)
    assert found[0][-1] == 49.0


def test_names_with_quotes_are_names(tmp_path):
    columns = {'a"b; drop': '"x""y" * 2', "it's": '"a""b; drop" + 1'}
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", 'x"y'), ("1", "3")])
    with DuckDB(lambda name: tmp_path / name) as engine:
        attach_table("t", Source(file="t.csv", columns=columns), engine)
        assert engine.query("SELECT * FROM t").to_pylist() == [
            {"id": "1", 'x"y': "3", 'a"b; drop': 6.0, "it's": 7.0}
        ]


def run(*arguments):
    done = CliRunner().invoke(commands, arguments)
    return done.exit_code, done.output


DATA = "id,arm,spent,age\n" + "".join(
    f"{n},{('none', 'email')[n % 2]},{n % 7},{20 + n}\n" for n in range(40)
)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("columns: {age: spent + 1}", "7:16: UL285 computed column 'age'"),
        ("columns: {old: agge + 1}", "7:16: UL205 the data have no column 'agge'"),
        ("columns: {old: lower(age) + 1}", "7:16: UL286 computed column 'old'"),
        (
            "columns: {old: arm + 1}",
            "7:16: UL214 40 values of 'arm' (computed column 'old') are not",
        ),
    ],
)
def test_check_and_analyze_agree(tmp_path, monkeypatch, part, fault):
    monkeypatch.chdir(tmp_path)
    space = Space(tmp_path)
    space.write("data.csv", DATA)
    space.write("experiments/example.yaml", space.experiment(part))
    status, said = run("check", "experiments", "--data", ".")
    assert status == 1
    assert f"\nexperiments/example.yaml:{fault}" in f"\n{said}"
    status, said = run("analyze", "experiments/example.yaml", "--data", ".")
    assert status == 1
    assert fault[6:11] in said


def analysed(folder, text):
    """What is found, without what names the file and the time."""
    path = folder / "experiment.yaml"
    path.write_text(f"schema: 1\nexperiment: example\n{text}", encoding="utf-8")
    with DuckDB(lambda name: folder / name) as engine:
        found = analyze(load(path, data=folder).plan, AnalysisContext(engine, NOW))
    return found.findings, found.checks, found.moments, found.verdict.sentence


NUMBERS = st.one_of(st.none(), st.integers(-50, 200), st.integers(-400, 400).map(lambda n: n / 4))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(-50, 200), NUMBERS), min_size=30, max_size=40))
def test_a_computed_column_is_like_one_of_the_file(tmp_path, kind, pairs):
    """Findings, checks and moments are the same where the file holds what is computed."""
    folder = tmp_path / kind
    folder.mkdir(exist_ok=True)
    computed = {
        "net": [float(a) * 2 - (0.0 if b is None else b) for a, b in pairs],
        "side": ["up" if a > 20 else "down" for a, _ in pairs],
        "size": [a + 1.0 for a, _ in pairs],
    }
    table = {
        "id": list(range(len(pairs))),
        "arm": [("none", "email")[n % 2] for n in range(len(pairs))],
        "a": [float(a) for a, _ in pairs],
        "b": pa.array([b for _, b in pairs], pa.float64()),
        "high": [computed["side"][n].upper() for n in range(len(pairs))],
    }
    for name, columns in (("bare", table), ("whole", table | computed)):
        if kind == "parquet":
            pq.write_table(pa.table(columns), folder / f"{name}.parquet")
            continue
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(
                zip(*(pa.array(each).to_pylist() for each in columns.values()), strict=True)
            )
    text = (
        "assignment: {observed: arm}\narms: {none: {control: true}, email: {channel: email}}\n"
        "metrics: {primary: net}\nsegments: [side]\neligible: size > -40\n"
    )
    own = "columns: {net: 'a * 2 - coalesce(b, 0)', side: lower(high), size: a + 1}\n"
    one = analysed(folder, f"customers: {{file: whole.{kind}, id: id}}\n{text}")
    assert analysed(folder, f"customers: {{file: bare.{kind}, id: id}}\n{own}{text}") == one


def test_before_the_outcomes_are_there(tmp_path, monkeypatch):
    """What is computed from outcomes is left out of an assignment, and what strata need is not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ledger").mkdir()
    space = Space(tmp_path)
    rows = "".join(f"{n},{20 + n % 50}\n" for n in range(400))
    space.write("data.csv", "id,age\n" + rows)
    part = (
        "columns: {value: spent * 10, old: age >= 45, tens: 'round(age / 10)'}\n"
        "assignment: {salt: s, method: blocked, strata: [old]}\nmetrics: {primary: value}\n"
        "arms: {none: {control: true, share: 50%}, email: {channel: email, share: 50%}}\n"
    )
    file = "experiments/example.yaml"
    space.write(file, space.experiment(part))
    status, said = run("lock", file)
    assert (status, "UL" in said) == (0, False), said
    status, said = run("assign", file, "--data", ".")
    assert status == 0, said
    space.write(file, space.experiment(part.replace("age >= 45", "aged >= 45")))
    status, said = run("check", file, "--data", ".")
    assert (
        "UL205 the data have no column 'aged' (computed column 'old'); did you mean 'age'?" in said
    )


def test_a_plan_without_them_keeps_its_hash(tmp_path):
    with DuckDB(lambda name: tmp_path / name) as engine:
        shop = Shop(tmp_path, engine)
        shop.table("customers", {"id": [1, 2], "arm": ["none", "mail"], "spent": [1, 2]})
        text = "assignment: {observed: arm}\narms: {none: {control: true}, mail: {}}\n"
        plain = shop.plan(text + "metrics: {primary: spent}\n")
        assert '"columns"' not in plain.canonical()
        assert '"define"' not in plain.canonical()
        with_one = shop.plan(text + "columns: {x: spent * 2}\nmetrics: {primary: x}\n")
        assert '"columns":{"x":"spent * 2"}' in with_one.canonical()


def test_a_value_that_is_not_in_a_customer_s_table_is_refused_on_each_engine(anywhere):
    """Only where there is what the table multiplies; an empty number is told as one."""
    customers, arms = each_own_arm([1, 2, 3, 4])
    kinds = {"paid": [10.0, 20.0, None, 8.0], "kind": ["a", "rare", "rare", None]}
    anywhere.table("customers", {**customers, **kinds})
    yaml = (
        "columns: {worth: {of: paid, by: kind, values: {a: 25%}}}\n"
        "assignment: {observed: arm}\nmetrics: {primary: worth}\n"
    )
    with pytest.raises(DataError) as caught:
        analyze(anywhere.plan(yaml + arms), AnalysisContext(anywhere.engine, NOW))
    (fault,) = caught.value.faults
    assert fault.message.startswith("2 customers have no value in the table of 'worth'")
    assert "rare" not in str(fault)


def test_a_comma_is_told_also_where_something_else_is_declared(tmp_path, monkeypatch):
    """As of a column that is measured itself: an encoding says nothing of decimals."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{i};{'ab'[i % 2]};{i},5\r\n" for i in range(1, 41))
    (tmp_path / "c.csv").write_bytes(f"id;arm;größe\r\n{rows}".encode("cp1252"))
    (tmp_path / "x.yaml").write_text(
        "schema: 1\nexperiment: x\ncustomers: {file: c.csv, id: id,"
        " format: {encoding: windows-1252}, columns: {double: größe * 2}}\n"
        "assignment: {observed: arm}\narms: {a: {control: true}, b: {}}\n"
        "metrics: {primary: double, define: {double: {column: double, better: higher}}}\n",
        encoding="utf-8",
    )
    done = CliRunner().invoke(commands, ["run", "x.yaml", "--data", "."])
    assert (done.exit_code, "UL214" in done.output) == (1, True), done.output
    assert """write under its source: 'format: {decimal: ","}'""" in done.output
