"""`inspect`: what a file holds, what to write of it, and no value of a customer."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from written import DATABASES, WRITERS

import upliftlab as ul
from upliftlab.cli import commands
from upliftlab.config.checking import check

ROWS = 120


def csv(tmp_path, columns, name="orders.csv", sign=";"):
    """A CSV file of columns, each a function of the row's number or its texts."""
    cells = [[c(n) for n in range(ROWS)] if callable(c) else c for c in columns.values()]
    lines = [sign.join(columns), *(sign.join(map(str, row)) for row in zip(*cells, strict=True))]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def inspected(path, **inside):
    (file,) = ul.inspect(path, **inside).files
    assert file.fault is None
    return file, {column.name: column for column in file.columns}


def entry(file):
    ((_, found),) = yaml.safe_load(file.suggestion)["sources"].items()
    return found


def run(*arguments):
    return CliRunner().invoke(commands, ["inspect", *map(str, arguments)])


DAY = date(2026, 3, 1)
ORDERS = {
    "order_id": lambda n: f"R-{n:05}",
    "customer_id": lambda n: 4000 + n % 70,
    "ordered_at": lambda n: f"{DAY + timedelta(days=n % 40)} 1{n % 10}:30:00",
    "amount": lambda n: f"{n / 4}" if n % 10 else "",
    "returned": lambda n: ("Yes", "no")[n % 2],
    "region": lambda n: ("Nord", "Süd", "West")[n % 3],
    "zip": lambda n: f"0{n % 7}123",
    "note": lambda n: f"{('Erna', 'Emil')[n % 2]} {n % 9} M.",
}


def test_a_table_of_events(tmp_path):
    file, columns = inspected(csv(tmp_path, ORDERS))
    assert (file.kind, file.encoding, file.delimiter, file.rows) == ("csv", "UTF-8", ";", ROWS)
    assert {name: column.meaning for name, column in columns.items()} == {
        "order_id": "text", "customer_id": "whole number", "ordered_at": "time",
        "amount": "number", "returned": "flag", "region": "text", "zip": "text", "note": "text",
    }  # fmt: skip
    assert columns["amount"].missing == 12
    assert (columns["amount"].least, columns["amount"].greatest) == ("0.25", "29.75")
    assert columns["ordered_at"].least == "2026-03-01 10:30:00"
    assert columns["order_id"].unique
    assert columns["order_id"].shape == "A-99999"
    assert columns["region"].levels == {"Nord": 40, "Süd": 40, "West": 40}
    assert {n: c.roles for n, c in columns.items() if c.roles} == {
        "order_id": ("key",), "customer_id": ("id",), "ordered_at": ("time",),
        "amount": ("amount",), "returned": ("flag",),
    }  # fmt: skip
    assert entry(file) == {
        "file": "orders.csv", "id": "customer_id", "key": "order_id", "time": "ordered_at",
    }  # fmt: skip


def test_a_table_of_customers(tmp_path):
    columns = {
        "email": lambda n: f"person{n}@example.com",
        "signed_up": lambda n: DAY + timedelta(days=n),
        "variant": lambda n: ("control", "mail")[n % 2],
    }
    file, found = inspected(csv(tmp_path, columns, "people.csv", ","))
    assert found["email"].roles == ("id",)
    assert found["variant"].roles == ("arm",)
    assert found["signed_up"].meaning == "day"
    assert entry(file) == {"file": "people.csv", "id": "email"}


@pytest.mark.parametrize(
    ("texts", "meaning", "written"),
    [
        (["12.5", "3"], "number", []),
        (["12,5", "3,25"], "number", ['format: {decimal: ","}']),
        (["1.234,50", "3,25"], "number", ['format: {thousands: "."}']),
        (["1 234", "3"], "number", ['format: {thousands: " "}']),
        (["1 234,5", "3"], "number", ['format: {decimal: ",", thousands: " "}']),
        (["1'234.5", "3"], "number", ['format: {thousands: "\'"}']),
        (["1.234", "3"], "number", ['format: {decimal: "."}', 'format: {thousands: "."}']),
        (["1,234", "3"], "number", ['format: {decimal: ","}', 'format: {thousands: ","}']),
        (["17", "3"], "whole number", []),
        (["0017", "0003"], "text", []),
        (["17", "A3"], "text", []),
        (["02.03.2026", "13.03.2026"], "day", ['format: {date: "DD.MM.YYYY"}']),
        (["3/13/2026", "12/1/2026"], "day", ['format: {date: "M/D/YYYY"}']),
        (["2026/03/13", "2026/03/02"], "day", ['format: {date: "YYYY/MM/DD"}']),
        (
            ["02/03/2026", "04/05/2026"],
            "day",
            ['format: {date: "DD/MM/YYYY"}', 'format: {date: "MM/DD/YYYY"}'],
        ),
        (
            ["02.03.2026 10:30", "13.03.2026 10:30:15"],
            "time",
            ['format: {datetime: "DD.MM.YYYY HH:mm[:ss]"}'],
        ),
        (["2026-03-02T10:30:00Z", "2026-03-02T10:30:00+02:00"], "instant", []),
        (["2026-03-02", "2026-03-03"], "day", []),
        (["13.13.2026", "02.03.2026"], "text", []),
    ],
)
def test_how_texts_are_written(tmp_path, texts, meaning, written):
    file, columns = inspected(csv(tmp_path, {"id": range(ROWS), "x": texts * (ROWS // 2)}))
    assert columns["x"].meaning == meaning
    assert [choice.write for choice in columns["x"].choices] == written
    declared = entry(file).get("format")
    if len(written) == 1:
        assert {"format": declared} == yaml.safe_load(written[0])
    else:
        assert declared is None
        assert all(f"    #   {line}" in file.suggestion for line in written)


@pytest.mark.parametrize(
    ("texts", "ends"),
    [
        (["1.234,50", "3,25"], ("3.25", "1234.5")),
        (["1 234 EUR", "-3 EUR"], ("-3.0", "1234.0")),
        (["02.03.2026", "13.01.2026"], ("2026-01-13", "2026-03-02")),
        (
            ["13.03.2026 9:30", "02.03.2026 10:30:15"],
            ("2026-03-02 10:30:15", "2026-03-13 09:30:00"),
        ),
    ],
)
def test_ranges_are_those_of_what_is_written(tmp_path, texts, ends):
    _, columns = inspected(csv(tmp_path, {"id": range(ROWS), "x": texts * (ROWS // 2)}))
    assert (columns["x"].least, columns["x"].greatest) == ends


def test_columns_of_one_file_are_written_alike(tmp_path):
    columns = {"id": range(ROWS), "price": ["12,5", "3,75"] * 60, "total": ["1.234", "5"] * 60}
    file, found = inspected(csv(tmp_path, columns))
    assert [choice.write for choice in found["total"].choices] == ['format: {thousands: "."}']
    assert entry(file)["format"] == {"decimal": ",", "thousands": "."}
    columns["price"] = ["12.5", "3.75"] * 60
    file, found = inspected(csv(tmp_path, columns))
    assert entry(file)["format"] == {"decimal": "."}


def test_a_currency_beside_amounts(tmp_path):
    file, columns = inspected(csv(tmp_path, {"id": range(ROWS), "net": ["12,50 €", "3,00 €"] * 60}))
    assert columns["net"].currency == "EUR"
    assert entry(file)["amounts"] == {"net": "EUR"}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file(name, tmp_path):
    suffix, writer = WRITERS[name]
    table = pa.table(
        {
            "customer": range(1000, 1100),
            "at": [datetime(2026, 3, 2, 8, n % 60) for n in range(100)],  # noqa: DTZ001
            "amount": [n / 4 for n in range(100)],
            "arm": ["none", "mail"] * 50,
        }
    )
    path = tmp_path / f"shop{suffix}"
    writer(table, path)
    file, columns = inspected(path, table="shop" if suffix in DATABASES else None)
    assert file.rows == 100
    meanings = [column.meaning for column in columns.values()]
    assert meanings == ["whole number", "time", "number", "text"]
    assert (columns["amount"].least, columns["amount"].greatest) == ("0.0", "24.75")
    assert columns["customer"].roles == ("id",)
    assert columns["customer"].least is None
    assert columns["arm"].levels == {"mail": 50, "none": 50}


def test_the_sheets_of_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Orders"
    for n in range(ROWS):
        book.active.append(["id", "spend", "rate"] if not n else [n, n / 2, "#DIV/0!"])
    notes = book.create_sheet("Other rows")
    for row in (["name"], ["a"], ["b"]):
        notes.append(row)
    book.save(tmp_path / "shop.xlsx")
    orders, other = ul.inspect(tmp_path / "shop.xlsx").files
    assert [column.meaning for column in orders.columns] == ["whole number", "number", "text"]
    assert "UL268 the cell C2 and 118 more" in orders.columns[2].fault
    assert entry(orders) == {"file": "shop.xlsx", "sheet": "Orders", "id": "id"}
    assert yaml.safe_load(other.suggestion)["sources"].keys() == {"other_rows"}
    (one,) = ul.inspect(tmp_path / "shop.xlsx", sheet="Orders").files
    assert one == orders


def test_what_is_suggested_passes_the_check(tmp_path):
    (tmp_path / "data" / "2026").mkdir(parents=True)
    (tmp_path / "configs").mkdir()
    columns = {"customer: id": lambda n: f"K{n}", "#": range(ROWS), "x, y": ["1,5", "2,5"] * 60}
    path = csv(tmp_path / "data" / "2026", columns, "yes.csv")
    file, _ = inspected(path)
    assert entry(file) == {
        "file": "2026/yes.csv", "id": "customer: id", "format": {"decimal": ","},
    }  # fmt: skip
    config = tmp_path / "configs" / "sources.yaml"
    config.write_text(file.suggestion, encoding="utf-8")
    assert check([config]) == ()


def test_a_pattern_is_one_table(tmp_path):
    (tmp_path / "visits").mkdir()
    for n in range(3):
        table = pa.table({"user_id": range(n * 50, n * 50 + 50), "n": [n] * 50})
        pq.write_table(table, tmp_path / "visits" / f"{n}.parquet")
    file, columns = inspected(tmp_path / "visits" / "*.parquet")
    assert file.rows == 150
    assert columns["user_id"].unique
    assert yaml.safe_load(file.suggestion)["sources"].keys() == {"visits"}


def test_no_value_of_a_customer_is_shown(tmp_path):
    columns = {
        "name": lambda n: f"Zacharias{n}",
        "mail": lambda n: f"zach{n % 9}@example.com",
        "rare": lambda n: "Zacharias" if n == 7 else "none",
        "card": lambda n: 4111111111111111 + n,
    }
    path = csv(tmp_path, columns, "people.csv")
    for arguments in ([path], [path, "--format", "json"]):
        shown = run(*arguments).output
        assert "zach" not in shown.casefold()
        assert "41111" not in shown


def test_the_command_prints_a_table_and_an_entry(tmp_path):
    done = run(csv(tmp_path, ORDERS))
    assert done.exit_code == 0
    assert "CSV, UTF-8, columns parted by ;, 120 rows" in done.output
    assert "For configs/sources.yaml:\nsources:\n  orders:\n    file: orders.csv\n" in done.output
    assert "0.25 to 29.75" in done.output
    assert "\x1b" not in done.output


def test_the_command_names_what_can_be_read_in_several_ways(tmp_path):
    done = run(csv(tmp_path, {"id": range(ROWS), "x": ["1.234", "3.456"] * 60}))
    assert done.exit_code == 0
    assert "x can be read in several ways: choose below" in done.output
    assert "    #   format: {thousands: \".\"}  # '.' stands between thousands" in done.output


def test_json_is_the_value_of_python(tmp_path):
    path = csv(tmp_path, ORDERS)
    done = run(path, "--format", "json")
    assert json.loads(done.output) == ul.inspect(path).to_dict()


def test_a_file_that_cannot_be_read_stops_no_other(tmp_path):
    good = csv(tmp_path, ORDERS)
    bad = tmp_path / "bad.xlsx"
    bad.write_text("<html>", encoding="utf-8")
    done = run(bad, good, tmp_path / "nowhere.csv", tmp_path / "a.sav")
    assert done.exit_code == 1
    assert "UL202 bad.xlsx cannot be read" in done.output
    assert "UL201" in done.output
    assert "file: orders.csv" in done.output
    assert run().exit_code == 2


def test_a_file_in_another_encoding_is_shown_with_the_line_that_says_so(tmp_path):
    path = tmp_path / "kunden.csv"
    path.write_bytes("Kunde;Umsatz;Ort\n1;1.234,50;Köln\n2;3,25;Ulm\n".encode("cp1252"))
    (file,) = ul.inspect(path).files
    assert (file.encoding, file.rows, file.fault) == ("CP1252", 2, None)
    assert yaml.safe_load(file.suggestion)["sources"]["kunden"]["format"] == {
        "encoding": "windows-1252",
        "thousands": ".",
    }
    path.write_bytes("a;b\n1;ö\n".encode("cp1252") + b"\x81\n")  # no letter of that encoding
    (file,) = ul.inspect(path).files
    assert file.fault is not None
    assert "UL261" in file.fault


def test_a_long_path_is_no_fault(tmp_path):
    folder = tmp_path.joinpath(*["a" * 60] * 4)
    folder.mkdir(parents=True)
    file, _ = inspected(csv(folder, ORDERS))
    assert file.rows == ROWS


def test_a_table_without_rows_and_columns_without_values(tmp_path):
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), tmp_path / "none.parquet")
    file, columns = inspected(tmp_path / "none.parquet")
    assert (file.rows, columns["id"].meaning) == (0, "empty")
    _, columns = inspected(csv(tmp_path, {"id": range(ROWS), "gone": [""] * ROWS}))
    assert (columns["gone"].meaning, columns["gone"].missing) == ("empty", ROWS)


def test_the_value_is_a_table_in_a_notebook(tmp_path):
    found = ul.inspect(csv(tmp_path, ORDERS))
    assert found.to_frame().shape[0] == len(ORDERS)
    assert "1 of 1 files can be read" in repr(found)
    assert [column.name for column in found.find(meaning="flag")] == ["returned"]
    assert Path(found.to_frame("files")["file"][0]).name == "orders.csv"
