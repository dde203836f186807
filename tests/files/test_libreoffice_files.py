"""The corpus as LibreOffice writes it in German: workbooks, and CSV with decimal commas."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from corpus import TABLES, Case
from corpus_runs import hold

GERMAN = "csv:Text - txt - csv (StarCalc):59,34,76,1,,1031,false,true"
"""Semicolons, double quotes, UTF-8, from the first line on, German, cells as shown."""
FORM = {
    "delimiter": ";",
    "decimal": ",",
    "thousands": ".",
    "date": "DD.MM.YYYY",
    "datetime": "DD.MM.YYYY HH:mm:ss",
    "true": ["WAHR"],
    "false": ["FALSCH"],
}
SHOWN = {Decimal: "#,##0.00", date: "DD.MM.YYYY", datetime: "DD.MM.YYYY HH:MM:SS"}


@pytest.fixture(scope="module")
def written(tmp_path_factory, libreoffice):
    folder = tmp_path_factory.mktemp("german")
    for name, rows in TABLES.items():
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append([*row.values()])
            for cell, value in zip(sheet[sheet.max_row], row.values(), strict=True):
                cell.number_format = SHOWN.get(type(value), "General")
        book.save(folder / f"{name}.xlsx")
        for kind in ("xlsx", "ods", GERMAN):
            libreoffice(folder / f"{name}.xlsx", kind, folder / "out")
    return folder / "out"


@pytest.mark.parametrize("kind", ["xlsx", "ods", "csv"])
def test_read_right(kind: str, written: Path, tmp_path: Path):
    def copy(folder: Path):
        for name in TABLES:
            (folder / f"{name}.{kind}").write_bytes((written / f"{name}.{kind}").read_bytes())
        form = {"format": FORM} if kind == "csv" else {}
        return {name: {"file": f"{name}.{kind}", **form} for name in TABLES}

    hold(Case("LibreOffice", f".{kind} in German", copy), tmp_path)
