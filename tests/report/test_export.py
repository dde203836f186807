import csv
import io
import json

import pytest

from upliftlab.report.export import rounded, to_csv, to_json
from upliftlab.results.analysis import Analysis


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_json_is_the_rounded_analysis_and_the_same_bytes_again(make_analysis):
    analysis = make_analysis()
    content = to_json(analysis)
    assert Analysis.model_validate_json(content) == rounded(analysis)
    assert content == to_json(Analysis.model_validate_json(content))
    assert json.loads(content)["findings"][0]["estimate"] == 0.7698271559


def test_rounding_keeps_ten_significant_digits(make_analysis):
    analysis = make_analysis()
    one = analysis.findings[0].model_copy(update={"estimate": 1234.5678901234})
    changed = rounded(analysis.model_copy(update={"findings": (one,)}))
    assert changed.findings[0].estimate == 1234.56789


def test_what_is_not_a_number_is_not_written(make_analysis):
    analysis = make_analysis()
    one = analysis.findings[0].model_copy(update={"estimate": float("nan")})
    with pytest.raises(ValueError, match="not a number"):
        to_json(analysis.model_copy(update={"findings": (one,)}))


def test_csv_holds_every_finding_with_numbers_as_numbers(make_analysis):
    analysis = make_analysis(nothing=True)
    read = rows(to_csv(analysis))
    findings = rounded(analysis).findings
    for row, finding in zip(read[: len(findings)], findings, strict=True):
        assert row["kind"] == finding.kind.value
        shown = None if row["estimate"] == "" else float(row["estimate"])
        assert shown == finding.estimate
    assert any(row["low"].startswith("-") for row in read)


def test_csv_holds_the_way_from_revenue_to_profit(make_analysis):
    analysis = make_analysis()
    read = rows(to_csv(analysis))[len(analysis.findings) :]
    lines = [line for bridge in rounded(analysis).bridges for line in bridge.lines]
    for row, line in zip(read, lines, strict=True):
        assert row["kind"] == f"bridge_{line.kind}"
        assert float(row["estimate"]) == line.estimate
        assert (row["control"], row["confidence"]) == ("No E-Mail", "0.95")
    assert {row["n_treated"] for row in read} == {"21307", "21387"}


def test_in_csv_money_is_no_difference_of_revenue(make_analysis):
    read = reversed(rows(to_csv(make_analysis())))
    named = {row["kind"]: row["metric"] for row in read}
    assert named["difference"] == "spend"
    assert (named["incremental_profit"], named["roi"], named["iroas"]) == ("profit", "roi", "iroas")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_no_cell_is_a_formula(make_analysis, start):
    analysis = make_analysis()
    one = analysis.findings[0].model_copy(update={"level": f"{start}SUM(A1)", "dimension": "x"})
    read = rows(to_csv(analysis.model_copy(update={"findings": (one,), "bridges": ()})))
    assert read[0]["level"] == f"'{start}SUM(A1)"
