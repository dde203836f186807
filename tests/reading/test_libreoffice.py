"""What LibreOffice writes in a German locale: workbooks of any kind, and CSV as Germans have it."""
# ruff: noqa: DTZ001 - cells know no zone

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
import yaml

import upliftlab as ul
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB

NAMES = ["Kunde", "Tag", "Zeit", "Umsatz", "Menge", "Ort", "aktiv"]
ROWS = [
    [
        1000 + n,
        date(2026, 3, 10 + n),
        datetime(2026, 3, 10 + n, 9, 30),
        1234.5 + n,
        n,
        "Köln" if n % 2 else "Straße",
        n % 2 == 0,
    ]
    for n in range(12)
]
FORMATS = {"B": "DD.MM.YYYY", "C": "DD.MM.YYYY HH:MM", "D": "#,##0.00"}
GERMAN = "59,34,76,1,,1031"
"""Semicolons, double quotes, UTF-8, from the first line on, in the language of Germany."""


@pytest.fixture(scope="module")
def made(tmp_path_factory, libreoffice):
    """A workbook, and what LibreOffice makes of it and of a German CSV file."""
    folder = tmp_path_factory.mktemp("libreoffice")
    book = openpyxl.Workbook()
    book.active.append(NAMES)
    for row in ROWS:
        book.active.append(row)
    for column, form in FORMATS.items():
        for cell in book.active[column][1:]:
            cell.number_format = form
    book.save(folder / "in.xlsx")
    for kind in ("xlsx", "ods", "xls"):
        libreoffice(folder / "in.xlsx", kind, folder / "out")
    as_shown = f"csv:Text - txt - csv (StarCalc):{GERMAN},false,true"
    libreoffice(folder / "in.xlsx", as_shown, folder / "out")
    lines = ["Kunde;Tag;Umsatz;Ort", "1;02.03.2026;1.234,50;Köln", "2;13.03.2026;3,25;Ulm"]
    (folder / "de.csv").write_text("\n".join(lines), encoding="utf-8")
    libreoffice(folder / "de.csv", "xlsx", folder / "out", f"--infilter=CSV:{GERMAN}")
    return folder / "out"


def rows(path):
    with DuckDB(Path) as engine:
        engine.attach("t", Source(file=str(path)))
        return engine.columns("t"), engine.query("SELECT * FROM t").to_pylist()


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_a_workbook_is_read_as_it_was_made(made, kind):
    types, found = rows(made / f"in.{kind}")
    assert [[*row.values()] for row in found] == ROWS
    flag = "number" if kind == "ods" else "boolean"  # it keeps them as numbers that look like flags
    assert [*types.values()] == ["number", "date", "time", "number", "number", "text", flag]


def test_a_german_csv_file_that_was_saved_as_a_workbook(made):
    _, found = rows(made / "de.xlsx")
    assert found == [
        {"Kunde": 1, "Tag": date(2026, 3, 2), "Umsatz": 1234.5, "Ort": "Köln"},
        {"Kunde": 2, "Tag": date(2026, 3, 13), "Umsatz": 3.25, "Ort": "Ulm"},
    ]


def test_inspect_tells_how_a_german_csv_file_is_written(made):
    assert (made / "in.csv").read_text(encoding="utf-8").splitlines()[1] == (
        "1000;10.03.2026;10.03.2026 09:30;1.234,50;0;Straße;WAHR"
    )
    (file,) = ul.inspect(made / "in.csv").files
    columns = {column.name: column for column in file.columns}
    assert (file.delimiter, columns["Umsatz"].meaning) == (";", "number")
    assert (columns["Umsatz"].least, columns["Umsatz"].greatest) == ("1234.5", "1245.5")
    assert yaml.safe_load(file.suggestion)["sources"]["in"]["format"] == {
        "thousands": ".",
        "date": "DD.MM.YYYY",
        "datetime": "DD.MM.YYYY HH:mm[:ss]",
        True: ["WAHR"],
        False: ["FALSCH"],
    }
