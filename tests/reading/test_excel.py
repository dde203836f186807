"""Workbooks: what a cell is, which sheet is meant, and what must not be read as empty."""
# ruff: noqa: DTZ001 - cells know no zone

from __future__ import annotations

import struct
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.styles import Font

from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.frames import TableOverrides
from upliftlab.errors import DataError

HEAD = ["id", "day", "at", "amount", "share", "flag", "mixed", "word"]
ROWS = [
    [17, date(2026, 3, 2), datetime(2026, 3, 2, 10, 30), 1234.5, 0.25, True, 17, "17"],
    [18, date(2026, 3, 3), datetime(2026, 3, 3), 3, 0.5, False, "A17", "0017"],
    [19, None, None, None, None, None, 17.5, None],
]
FORMATS = {"amount": "#,##0.00 [$€-407]", "share": "0.00%"}


def workbook(path, rows=ROWS, head=HEAD, before=0, sheets=("Orders",)):
    """A workbook as a person makes it: amounts in euros, shares in percent, a bold head."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = sheets[0]
    for _ in range(before):
        sheet.append([])
    sheet.append(head)
    for cell in sheet[before + 1]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append(row)
    for at, name in enumerate(head, 1):
        for line in range(before + 2, before + 2 + len(rows)):
            sheet.cell(line, at).number_format = FORMATS.get(
                name, sheet.cell(line, at).number_format
            )
    for name in sheets[1:]:
        book.create_sheet(name)
    book.save(path)
    return path


def read(path, query="*", **named):
    with DuckDB(Path) as engine:
        engine.attach("t", Source(file=str(path), **named))
        return engine.columns("t"), engine.query(f"SELECT {query} FROM t").to_pylist()


def refusal(path, query="*", **named):
    with pytest.raises(DataError) as caught:
        read(path, query, **named)
    return str(caught.value)


def test_cells_keep_their_types(tmp_path):
    kinds, rows = read(workbook(tmp_path / "orders.xlsx"))
    assert kinds == {
        "id": "number", "day": "date", "at": "time", "amount": "number", "share": "number",
        "flag": "boolean", "mixed": "text", "word": "text",
    }  # fmt: skip
    assert [list(row.values()) for row in rows] == [
        [17, date(2026, 3, 2), datetime(2026, 3, 2, 10, 30), 1234.5, 0.25, True, "17", "17"],
        [18, date(2026, 3, 3), datetime(2026, 3, 3), 3.0, 0.5, False, "A17", "0017"],
        [19, None, None, None, None, None, "17.5", None],
    ]
    assert isinstance(rows[0]["id"], int)


def test_whole_numbers_are_whole_and_those_no_double_tells_apart_are_not(tmp_path):
    rows = [[1, 0.5, 2**53, 2**60], [2, 2, 1, 1], [None, 3, 2, 2]]
    _, found = read(workbook(tmp_path / "a.xlsx", rows, ["a", "b", "c", "d"]))
    assert [[type(value) for value in row.values()] for row in found] == [
        [int, float, int, float],
        [int, float, int, float],
        [type(None), float, int, float],
    ]


def test_times_of_day_and_durations_are_neither_numbers_nor_times(tmp_path):
    rows = [[time(10, 5), timedelta(hours=30)], [time(11, 5, 7), timedelta(hours=1)]]
    kinds, found = read(workbook(tmp_path / "a.xlsx", rows, ["clock", "long"]), "clock")
    assert kinds == {"clock": "other", "long": "other"}
    assert found == [{"clock": time(10, 5)}, {"clock": time(11, 5, 7)}]


def test_lines_and_columns_without_values_are_left_out(tmp_path):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    sheet.write_row(3, 2, ["id", "", "spend"])
    sheet.write_row(4, 2, [1, 5, 2.5])
    sheet.write_row(6, 2, [2, 6, 3.5])
    sheet.write_formula(8, 4, '=""', None, "")
    sheet.write_blank(50, 2, None, bold)
    sheet.merge_range("C60:E60", None)
    book.close()
    kinds, rows = read(path, "COUNT(*) AS n, SUM(id) AS ids")
    assert kinds == {"id": "number", "spend": "number"}
    assert rows == [{"n": 2, "ids": 3}]


def test_lines_above_the_names_of_the_columns_are_skipped(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [["Report Q1"], [], ["id", "spend"], [1, 2.5]], ["Shop"])
    kinds, rows = read(path, format={"skip": 3})
    assert kinds == {"id": "number", "spend": "number"}
    assert rows == [{"id": 1, "spend": 2.5}]


def test_a_sheet_is_named_where_there_are_several(tmp_path):
    path = workbook(tmp_path / "a.xlsx", sheets=("Orders", "Notes"))
    assert "UL267 a.xlsx has 2 sheets: Orders, Notes; name one: 'sheet: Orders'" in refusal(path)
    assert "UL267 a.xlsx has no sheet 'orders'; there are" in refusal(path, sheet="orders")
    assert len(read(path, sheet="Orders")[1]) == 3
    assert "UL202 the sheet 'Notes' of a.xlsx is empty" in refusal(path, sheet="Notes")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (["id", "spend", "id"], "UL202 a.xlsx has two columns 'id'"),
        (["id", "ID"], "UL202 a.xlsx has two columns 'id'"),
        (["4711", "none", "0", "0"], "UL202 a.xlsx begins with values"),
    ],
)
def test_columns_are_told_apart(tmp_path, head, message):
    assert message in refusal(workbook(tmp_path / "a.xlsx", [[1, 2, 3, 4]], head))


def test_a_name_that_looks_numbered_is_a_name(tmp_path):
    kinds, _ = read(workbook(tmp_path / "a.xlsx", [[1, 2]], ["spend", "spend_1"]))
    assert list(kinds) == ["spend", "spend_1"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("rate", "UL268 the cell C5 and 1 more of the sheet 'Orders' of a.xlsx (column 'rate')"),
        (
            "gone",
            "UL268 the cell D7 of the sheet 'Orders' of a.xlsx (column 'gone') holds an error",
        ),
        ("open", "(column 'open') holds a formula that was never computed; open the file in"),
    ],
)
def test_a_column_with_cells_without_a_value_fails_where_it_is_asked_for(tmp_path, column, message):
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Orders")
    sheet.write_row("B3", ["id", "rate", "gone", "open", "spend"])
    for line in range(4, 8):
        sheet.write_row(f"B{line}", [line, 0.5, "x", 1, 10])
    sheet.write_formula("C5", "=1/0", None, "#DIV/0!")
    sheet.write_formula("C6", "=1/0", None, "#DIV/0!")
    sheet.write_formula("D7", "=NA()", None, "#N/A")
    sheet.write_formula("E6", "=B6*2", None, "")
    sheet.write_formula("F4", "=5*2", None, 10)
    book.close()
    kinds, rows = read(path, "COUNT(*) AS n, SUM(spend) AS spend")
    assert kinds["rate"] == "number"
    assert rows == [{"n": 4, "spend": 40}]
    for query in (f"COUNT({column}) AS n", f"COUNT(*) FILTER ({column} IS NULL) AS n", column):
        assert message in refusal(path, query)


def test_formulas_that_openpyxl_wrote_were_never_computed(tmp_path):
    path = workbook(tmp_path / "a.xlsx", [[1, "=A2*2"], [2, 4]], ["id", "spend"])
    assert "UL268 the cell B2 of the sheet 'Orders'" in refusal(path)
    assert len(read(path, "id")[1]) == 2


def encrypted():
    """What Excel makes of a workbook under a password: a compound file with one stream."""
    no, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = struct.pack("<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
                       0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0)  # fmt: skip
    table = struct.pack("<128I", fat, end, *range(3, 10), end, *[no] * 118)

    def entry(name, kind, child, start, size):
        text = name.encode("utf-16-le") + b"\0\0"
        links = struct.pack("<HBBIII36xIQ", len(text), kind, 1, no, no, child, start, size)
        return text.ljust(64, b"\0") + links

    listed = entry("Root Entry", 5, 1, end, 0) + entry("EncryptedPackage", 2, no, 2, 4096)
    return head.ljust(512, b"\xff") + table + listed.ljust(512, b"\0") + bytes(4096)


def test_a_workbook_under_a_password(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(encrypted())
    assert "UL269 a.xlsx is under a password; save it without one" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"<html><table>", b"PK\x03\x04" + b"\0" * 40])
@pytest.mark.parametrize("suffix", [".xlsx", ".xls", ".ods", ".xlsb"])
def test_what_is_no_workbook(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    assert f"UL202 a{suffix} cannot be read: it is damaged, or no workbook" in refusal(path)


def test_months_in_a_workbook_each(tmp_path):
    workbook(tmp_path / "jan.xlsx", [[1, 2.5, None]], ["id", "spend", "code"])
    workbook(tmp_path / "feb.xlsx", [[7, 2, 5]], ["code", "id", "spend"])
    with DuckDB(lambda name: tmp_path / name) as engine:
        engine.attach("t", Source(file="*.xlsx"))
        rows = engine.query("SELECT id, spend, code FROM t ORDER BY id").to_pylist()
    assert rows == [{"id": 1, "spend": 2.5, "code": None}, {"id": 2, "spend": 5.0, "code": 7}]


def test_a_file_in_place_of_a_sheet_has_none(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    source = Source(file="orders.xlsx", sheet="Orders")
    place = (source.file, source.table, source.sheet)
    given = TableOverrides(files={place: tmp_path / "a.csv"})
    with DuckDB(Path, overrides=given) as engine:
        engine.attach("t", source)
        assert engine.query("SELECT * FROM t").to_pylist() == [{"id": "1"}]


def test_two_sheets_of_a_workbook_are_two_tables(tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("One", "Two"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["id", name])
            sheet.write_row(1, 0, [1, 2])
    with DuckDB(Path) as engine, engine.reading():
        for name in ("One", "Two"):
            engine.attach(name, Source(file=str(path), sheet=name))
            assert list(engine.columns(name)) == ["id", name]


def test_what_reads_workbooks_is_imported_where_one_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from upliftlab.config.models import Source; from upliftlab.engines.duckdb import DuckDB\n"
        f"engine = DuckDB(Path); engine.attach('t', Source(file={str(tmp_path / 'a.csv')!r}))\n"
        "assert 'fastexcel' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
