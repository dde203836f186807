"""How many rows lack a value: what `check --data` tells, and `inspect` of the same file."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
from click.testing import CliRunner

import upliftlab as ul
from upliftlab.cli import commands
from upliftlab.data_checks.gaps import MANY, missing_shares
from upliftlab.queries.computed import attach_table

NAN = float("nan")
ROWS = {
    "id": list(range(10)),
    "age": pa.array([31, None, 45, None, 28, 39, None, 50, 61, 22]),
    "score": pa.array([1.5, NAN, None, 4.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0]),
    "region": ["north", "", None, " ", "NaN", "south", "south", "north", "east", "east"],
    "loyal": pa.array([True, None, False, True, True, False, False, True, True, True]),
    "since": pa.array([date(2026, 1, 2)] * 9 + [None], pa.date32()),
}
SHARES = {"id": 0.0, "age": 0.3, "score": 0.2, "region": 0.4, "loyal": 0.1, "since": 0.1}
"""Counted by hand: NaN is no number, and a text of blanks or of pandas' NaN is none either."""


def test_every_engine_counts_what_is_counted_by_hand(anywhere, monkeypatch):
    anywhere.table("customers", ROWS)
    plan = anywhere.plan(
        "assignment: {observed: region}\narms: {a: {control: true}, b: {channel: email}}\n"
        "metrics: {primary: age}\n"
    )
    columns = attach_table("customers", plan.customers, anywhere.engine)
    asked, query = [], type(anywhere.engine).query
    monkeypatch.setattr(
        type(anywhere.engine), "query", lambda self, sql: asked.append(sql) or query(self, sql)
    )
    assert missing_shares("customers", SHARES, columns, anywhere.engine) == (10, SHARES)
    assert len(asked) == 1  # one pass, however many columns


def space(tmp_path, missing=""):
    """A campaign on CSV files whose program writes NA for no value."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "experiments").mkdir()
    (tmp_path / "data").mkdir()
    rows = [
        f"{n},{'ab'[n % 2]},{'NA' if n % 4 == 0 else 20 + n},{'' if n == 1 else 'north'},{n % 3}"
        for n in range(40)
    ]
    text = "\n".join(["customer_id,arm,age,region,unused", *rows]) + "\n"
    (tmp_path / "data" / "customers.csv").write_text(text)
    orders = ["customer_id,at,amount,coupon"]
    orders += [f"{n},2026-03-0{1 + n % 9},{n}.5,{'X' if n == 3 else ''}" for n in range(20)]
    (tmp_path / "data" / "orders.csv").write_text("\n".join(orders) + "\n")
    (tmp_path / "configs" / "sources.yaml").write_text(
        f"sources:\n  people: {{file: customers.csv, id: customer_id{missing}}}\n"
        "  orders: {file: orders.csv, id: customer_id, time: at, complete_until: 2026-05-31}\n"
    )
    (tmp_path / "configs" / "metrics.yaml").write_text(
        "metrics:\n  revenue: {from: orders, sum: amount, better: higher, unit: money}\n"
        "  with_coupon: {from: orders, count: true, where: coupon = 'X', better: higher}\n"
    )
    (tmp_path / "experiments" / "spring.yaml").write_text(
        "schema: 1\nexperiment: spring\ncustomers: people\nassignment: {observed: arm}\n"
        "arms: {a: {control: true}, b: {channel: email}}\ncurrency: EUR\n"
        "waves: [{start: 2026-03-01, share: 100%}]\noutcome_window: 28 days\n"
        "metrics: {primary: revenue, secondary: [with_coupon]}\nsegments: [age, region]\n"
    )
    return tmp_path


def told(folder, *more):
    said = CliRunner().invoke(
        commands,
        ["check", f"{folder}/experiments", "--data", f"{folder}/data", *more],
    )
    assert said.exit_code in (0, 1), said.output
    return said.output


WORD = ', format: {missing: ["NA"]}'


def test_check_tells_the_share_of_every_column_used(tmp_path):
    found = json.loads(told(space(tmp_path, WORD), "--format", "json"))
    notices = [each for each in found if each["code"] in ("UL283", "UL284")]
    assert {each["severity"] for each in notices} == {"notice"}
    assert [each["shares"] for each in notices if each["code"] == "UL283"] == [
        {"customer_id": 0, "arm": 0, "age": 0.25, "region": 0.025},
        {"customer_id": 0, "at": 0, "amount": 0, "coupon": 0.95},
    ]
    assert [each["shares"] for each in notices if each["code"] == "UL284"] == [
        {"coupon": 0.95},
        {"age": 0.25},
    ]
    (whole,) = (each for each in notices if "customers: 40 rows" in each["message"])
    said = "age 25.0% (segment), region 2.5% (segment); every row has a value of customer_id, arm"
    assert said in whole["message"]
    assert whole["file"].endswith("configs/sources.yaml")


def test_a_value_that_is_counted_twice_is_one_column(tmp_path):
    """Uncertain values of a table are counted once more a standard error higher, out of sight."""
    folder = space(tmp_path, ", columns: {worth: {by: region, values: {north: {value: 3, se: 1}}}}")
    spring = folder / "experiments" / "spring.yaml"
    text = spring.read_text().replace("secondary: [with_coupon]", "secondary: [worth]")
    spring.write_text(text.replace("segments: [age, region]", "segments: [age]"))
    notices = [each for each in json.loads(told(folder, "--format", "json")) if each.get("shares")]
    named = [name for each in notices for name in each["shares"] if name.startswith("worth")]
    assert named == ["worth"]


def test_a_column_of_many_gaps_is_told_where_it_is_named(tmp_path):
    lines = told(space(tmp_path, WORD)).splitlines()
    (age,) = (line for line in lines if "UL284 25.0% of the rows of customers" in line)
    assert "experiments/spring.yaml:10:12: " in age
    assert MANY == 0.2
    quiet = told(tmp_path, "--quiet")
    assert "UL283" not in quiet
    assert "UL284" not in quiet


def test_inspect_and_check_agree_once_the_word_is_declared(tmp_path):
    folder = space(tmp_path)
    (before,) = ul.inspect(folder / "data" / "customers.csv").files
    gaps = {column.name: column.missing for column in before.columns}
    assert gaps == {"customer_id": 0, "arm": 0, "age": 10, "region": 1, "unused": 0}
    assert 'missing: ["NA"]' in before.suggestion.replace("- NA", 'missing: ["NA"]') or any(
        "NA" in choice.write for column in before.columns for choice in column.choices
    )
    sources = folder / "configs" / "sources.yaml"
    sources.write_text(sources.read_text().replace("customer_id}", f"customer_id{WORD}}}"))
    found = json.loads(told(folder, "--format", "json"))
    shares = next(each["shares"] for each in found if "customers: " in each["message"])
    assert {name: share * before.rows for name, share in shares.items()} == {
        name: gaps[name] for name in shares
    }


def test_blanks_and_not_a_number_have_no_value_for_inspect_either(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table(ROWS), tmp_path / "customers.parquet")
    (file,) = ul.inspect(tmp_path / "customers.parquet").files
    assert {each.name: each.missing / file.rows for each in file.columns} == SHARES
