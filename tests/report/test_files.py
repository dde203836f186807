"""The summary in Markdown and the workbook: what the page says, and nothing that runs."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from openpyxl import load_workbook

from upliftlab.report.export import rounded, to_json
from upliftlab.report.formats import output_format
from upliftlab.report.markdown import markdown
from upliftlab.report.workbook import workbook
from upliftlab.results.analysis import Note, Subsidy, VerdictCode
from upliftlab.text.language import Language
from upliftlab.util.markdown import escaped

HOSTILE = {
    "Mens E-Mail": '=HYPERLINK("http://x"|"y")',
    "Do the two e-mails pay?": "](javascript:alert(1)) <img src=x> | # *",
    "Web": "@SUM(1+1)*cmd|' /C calc'!A0",
    "Phone": "-2+3\r\n# head",
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_summary_says_what_the_first_screen_says(make_analysis, lang):
    text = markdown(make_analysis(), lang)
    language = Language(lang)
    assert text.startswith(f"## {language.gettext('SHIP')}: Do the two e\\-mails pay?\n")
    assert "$4,430" in text
    assert f"**{language.gettext('What next')}**" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 1 + 7 + 2 + 3
    assert {line.count(" | ") for line in table if "---" not in line} == {2}
    assert text == markdown(make_analysis(), lang)


def test_the_summary_of_invalid_data_shows_no_effect(make_analysis):
    text = markdown(make_analysis(VerdictCode.invalid), "en")
    assert text.startswith("## INVALID")
    assert "$" not in text
    assert "|" not in text
    assert "- Failed: " in text


def subsidised(analysis):
    """The first arm's vouchers are told, those of the second cannot be."""
    told = {"rate": 10.0, "redemptions": 600.0, "conversions": 150.0}
    known = Subsidy(**told, estimate=450.0, se=30.0, low=391.2, high=508.8, cost=4500.0)
    nothing = dict.fromkeys(("estimate", "se", "low", "high", "cost"))
    found = (known, Subsidy(**told, **nothing, note=Note.few_purchases))
    bridges = zip(analysis.bridges, found, strict=True)
    return analysis.model_copy(
        update={"bridges": tuple(one.model_copy(update={"subsidy": of}) for one, of in bridges)}
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_summary_says_which_vouchers_were_not_needed(make_analysis, lang):
    text = markdown(subsidised(make_analysis()), lang)
    first, second = (line for line in text.splitlines() if "600" in line)
    assert first.startswith(r"- Mens E\-Mail")
    assert "450" in first
    assert "391" in first
    assert "450" not in second
    assert Language(lang).gettext(Note.few_purchases.value) in second
    assert "600" not in markdown(make_analysis(), lang)


def test_the_workbook_holds_what_vouchers_cost_in_vain(make_analysis):
    analysis = subsidised(make_analysis())
    rows = list(sheets(workbook(analysis, "en"))["subsidy"].values)
    assert rows[0] == ("arm", *Subsidy.model_fields)
    assert [row[0] for row in rows[1:]] == [one.arm for one in analysis.bridges]
    assert rows[1][1:] == (*analysis.bridges[0].subsidy.model_dump().values(),)
    assert "subsidy" not in sheets(workbook(make_analysis(), "en")).sheetnames


def test_names_in_the_summary_stay_text(make_analysis, rename):
    text = markdown(rename(make_analysis(), HOSTILE), "en")
    assert not re.search(r"(?<!\\)<img", text)
    assert "](" not in text.replace(r"\]\(", "")
    assert not [line for line in text.splitlines() if line.startswith("# ")]
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {4}
    assert escaped("a\n# b") == r"a \# b"


def sheets(content: bytes):
    return load_workbook(io.BytesIO(content), data_only=False)


def test_the_workbook_holds_the_published_numbers(make_analysis):
    analysis = rounded(make_analysis())
    book = sheets(workbook(analysis, "en"))
    assert book.sheetnames[:2] == ["summary", "findings"]
    rows = list(book["findings"].values)
    assert rows[0] == tuple(type(analysis.findings[0]).model_fields)
    told = json.loads(to_json(analysis))["findings"]
    assert [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] == told
    assert book["summary"]["B3"].value == "SHIP"
    lines = sum(len(bridge.lines) for bridge in analysis.bridges)
    assert book["bridges"].max_row == 1 + lines
    assert workbook(analysis, "en") == workbook(analysis, "en")


def test_no_text_of_a_workbook_is_a_formula(make_analysis, rename):
    book = sheets(workbook(rename(make_analysis(), HOSTILE), "en"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert HOSTILE["Web"] in {cell.value for cell in cells}
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}
    assert not [cell for cell in cells if cell.hyperlink]


def test_another_program_opens_the_workbook(make_analysis, rename, libreoffice, tmp_path):
    analysis = rounded(rename(make_analysis(), HOSTILE))
    (tmp_path / "found.xlsx").write_bytes(output_format("xlsx").write(analysis, "en"))
    every = "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,true,false,false,false,-1"
    libreoffice(tmp_path / "found.xlsx", every, tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*findings.csv")
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(analysis.findings)
    for row, finding in zip(rows, analysis.findings, strict=True):
        assert row["arm"] == (finding.arm or "")
        number = row["estimate"].replace(",", ".")  # as the program's language writes it
        shown = None if number == "" else float(number)
        assert shown == finding.estimate
