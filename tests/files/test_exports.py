"""Files as the programs of marketers export them, beside the plain forms of their kinds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from runpy import run_path
from typing import Any

import openpyxl
import pytest
from corpus import (
    ORDERS,
    TABLES,
    Case,
    as_csv,
    both,
    column,
    edited,
    families,
    one,
    plain,
    rewritten,
    said,
    words,
)
from corpus_runs import hold

SEMICOLON = {"delimiter": ";"}
FIVE_HOURS = timedelta(hours=5)


def german(value: Decimal) -> str:
    return f"{value:,.2f}".replace(",", "\0").replace(".", ",").replace("\0", ".")


def american(value: Decimal) -> str:
    return f"{value:,.2f}"


def written(pattern: str):
    return lambda value: value.strftime(pattern)


def orders(form: Mapping[str, Any] | None = None, **columns):
    """The orders, some of whose columns are written in words of their own."""
    content = as_csv(said("orders", plain, **columns))
    return one("orders", "orders.csv", content, form)


def below(say: Callable[[Decimal], str]):
    """Orders with what was given back as a negative number, which a metric takes off."""

    def write(folder: Path) -> Mapping[str, Any]:
        content = as_csv(said("orders", plain, refunded=lambda value: say(-value)))
        return one("orders", "orders.csv", content)(folder)

    return write


GIVEN_BACK = {"revenue": {"from": "orders", "sum": "paid", "where": "paid + refunded > 0"}}


def minus_first(value: Decimal) -> str:
    return f"{value}"


def minus_last(value: Decimal) -> str:
    return f"{-value}-" if value < 0 else f"{value}"


def in_brackets(value: Decimal) -> str:
    return f"({-value})" if value < 0 else f"{value}"


def with_sign(value: Decimal) -> str:
    return f"-€{-value}" if value < 0 else f"€{value}"


def in_brackets_with_code(value: Decimal) -> str:
    return f"({-value} EUR)" if value < 0 else f"{value} EUR"


def of_typographers(value: Decimal) -> str:
    return f"{value}".replace("-", "\u2212")


BELOW_NOTHING = [
    Case("below nothing", say.__name__.replace("_", " "), below(say), metrics=GIVEN_BACK)
    for say in (
        minus_first,
        minus_last,
        in_brackets,
        with_sign,
        in_brackets_with_code,
        of_typographers,
    )
]
SHOPS = [
    Case("Shopify", "offset behind a space", orders(at=lambda v: f"{v - FIVE_HOURS} -0500")),
    Case("Salesforce", "+0000", orders(at=lambda v: f"{v.isoformat()}.000+0000")),
    Case("BigQuery", "UTC behind", orders(at=lambda v: f"{v} UTC")),
    Case(
        "Mailchimp",
        "month first, AM and PM",
        orders({"datetime": "MM/DD/YY h:mmA"}, at=written("%m/%d/%y %I:%M%p")),
    ),
    Case(
        "Google Ads",
        "title, dashes for nothing",
        one(
            "customers",
            "customers.csv",
            b'Customer report\n"March 1, 2026 - March 31, 2026"\n'
            + rewritten("customers", "spent", lambda _, text: "--" if text == "0" else text),
            {"skip": "2", "missing": ["--"]},
        ),
        metrics={"spent": {"column": "spent", "missing": "zero"}},
    ),
    Case(
        "Google Ads",
        "title, nothing declared",
        one("customers", "customers.csv", b"Customer report\n\n" + as_csv(said("customers"))),
        code="UL264",
    ),
    Case(
        "SAP",
        "thousands, minus last, days with points",
        one(
            "orders",
            "orders.csv",
            as_csv(
                said(
                    "orders",
                    words(number=german, time=written("%d.%m.%Y %H:%M:%S")),
                    refunded=lambda v: f"{german(v)}-" if v else "0,00",
                ),
                **SEMICOLON,
            ),
            {"thousands": ".", "datetime": "DD.MM.YYYY HH:mm:ss"},
        ),
        metrics=GIVEN_BACK,
    ),
    Case(
        "GA4",
        "fourteen digits",
        orders({"datetime": "YYYYMMDDHHmmss"}, at=written("%Y%m%d%H%M%S")),
    ),
    Case(
        "Oracle",
        "months in capitals",
        orders(
            {"datetime": "DD-MMM-YY HH:mm:ss"}, at=lambda v: v.strftime("%d-%b-%y %H:%M:%S").upper()
        ),
    ),
    Case(
        "Access",
        "-1 for yes",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "voted", lambda _, text: "-1" if text == "true" else "0"),
        ),
        code="UL206",
    ),
    Case(
        "SQL Server",
        "rows counted below",
        one("orders", "orders.csv", as_csv(said("orders")) + b"\n(179 rows affected)\n"),
        code="UL262",
    ),
    Case(
        "Hive",
        "backslash N",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "spent", lambda _, text: "\\N" if text == "0" else text),
            {"missing": ["\\N"]},
        ),
        metrics={"spent": {"column": "spent", "missing": "zero"}},
    ),
]
EXCEL_CSV = [
    Case(
        "Excel's CSV",
        "German",
        both(
            words(
                number=german,
                day=written("%d.%m.%Y"),
                time=written("%d.%m.%Y %H:%M:%S"),
                flag=lambda v: "WAHR" if v else "FALSCH",
            ),
            encoding="cp1252",
            lineterminator="\r\n",
            form={
                "encoding": "windows-1252",
                "thousands": ".",
                "date": "DD.MM.YYYY",
                "datetime": "DD.MM.YYYY HH:mm:ss",
                "true": ["WAHR"],
                "false": ["FALSCH"],
            },
            **SEMICOLON,
        ),
    ),
    Case(
        "Excel's CSV",
        "French",
        both(
            words(
                number=lambda v: american(v).replace(",", "\u202f").replace(".", ","),
                day=written("%d/%m/%Y"),
                time=written("%d/%m/%Y %H:%M:%S"),
                flag=lambda v: "VRAI" if v else "FAUX",
            ),
            encoding="utf-8-sig",
            form={
                "thousands": " ",
                "decimal": ",",
                "date": "DD/MM/YYYY",
                "datetime": "DD/MM/YYYY HH:mm:ss",
                "true": ["VRAI"],
                "false": ["FAUX"],
            },
            **SEMICOLON,
        ),
    ),
    Case(
        "Excel's CSV",
        "American",
        both(
            words(
                number=lambda v: f"${american(v)}",
                day=lambda v: f"{v.month}/{v.day}/{v.year}",
                time=lambda v: f"{v.month}/{v.day}/{v.year} {v.hour}:{v.minute:02}:{v.second:02}",
                flag=lambda v: str(v).upper(),
            ),
            form={"thousands": ",", "date": "M/D/YYYY", "datetime": "M/D/YYYY H:mm:ss"},
        ),
    ),
    Case("Excel's CSV", "Unicode text", both(encoding="utf-16", suffix="tsv", delimiter="\t")),
    Case(
        "Excel's CSV",
        "long ids as exponents",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "id", lambda _, text: f"{int(text) * 10**12:.2E}"),
        ),
        code="UL213",
    ),
    Case(
        "Excel's CSV",
        "empty columns behind",
        one(
            "orders",
            "orders.csv",
            edited("orders", lambda rows: [r.extend(("", "")) for r in rows]),
        ),
    ),
]


def totalled(rows: list[list[str]]) -> None:
    at = column(rows, "paid")
    total = str(sum(Decimal(row[at]) for row in rows[1:]))
    rows.append(["Total", *(total if i == at else "" for i in range(1, len(rows[0])))])


def labelled(rows: list[list[str]]) -> None:
    rows.insert(1, [f"The {name}" for name in rows[0]])


def grouped(rows: list[list[str]]) -> None:
    rows.insert(0, ["Order", *[""] * (len(rows[0]) - 2), "Note"])


TOTALS = [
    Case("totals and titles", "a total below", one("orders", "o.csv", edited("orders", totalled)),
         code="UL218"),
    Case("totals and titles", "labels below the names",
         one("orders", "o.csv", edited("orders", labelled)), code="UL251"),
    Case("totals and titles", "labels below the names, of customers",
         one("customers", "c.csv", edited("customers", labelled)), code="UL214"),
    Case("totals and titles", "groups of columns above",
         one("orders", "o.csv", edited("orders", grouped)), code="UL266"),
    Case("totals and titles", "groups of columns above, skipped",
         one("orders", "o.csv", edited("orders", grouped), {"skip": "1"})),
]  # fmt: skip


def flagged(yes: str, no: str, form: Mapping[str, Any] | None = None):
    content = rewritten("customers", "voted", lambda _, text: yes if text == "true" else no)
    return one("customers", "customers.csv", content, form)


SURVEYS = [
    case
    for yes, no in (("Y", "N"), ("t", "f"), ("on", "off"), ("oui", "non"), ("✓", "✗"))
    for case in (
        Case("surveys", f"{yes} and {no}", flagged(yes, no), code="UL206"),
        Case(
            "surveys", f"{yes} and {no}, declared", flagged(yes, no, {"true": [yes], "false": [no]})
        ),
    )
]
UNDECLARED = [
    Case(
        "words for nothing",
        f"{word}, not declared",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "spent", lambda _, text, w=word: w if text == "0" else text),
        ),
        code="UL206",
        metrics={"spent": {"column": "spent", "missing": "zero"}},
    )
    for word in ("#N/A", "NULL", "None", "(null)", "(not set)", "#DIV/0!")
]


def with_labels(first: str, second: str):
    labels = {"none": first, "mail": second}
    content = rewritten("customers", "arm", lambda _, text: labels[text])
    return one("customers", "customers.csv", content)


def arms(first: list[str], second: list[str]) -> dict[str, Any]:
    return {"arms": {"none": {"control": True, "observed": first}, "mail": {"observed": second}}}


LABELS = [
    Case("labels of arms", "A and B", with_labels("A", "B"), experiment=arms(["A"], ["B"])),
    Case("labels of arms", "0 and 1", with_labels("0", "1"), experiment=arms(["0"], ["1"])),
    Case("labels of arms", "with spaces", with_labels(" none ", "mail"),
         experiment=arms(["none", " none "], ["mail"])),
    Case("labels of arms", "in capitals, not said", with_labels("None", "mail"), code="UL209"),
    Case("labels of arms", "not declared", with_labels("A", "mail"), code="UL209"),
]  # fmt: skip


def with_others(folder: Path) -> Mapping[str, Any]:
    """Three customers of an arm that is not compared, and two without any."""
    rows = said("customers")
    at, key = column(rows, "arm"), column(rows, "id")
    for number, arm in enumerate(("sms", "sms", "sms", "", "")):
        rows.append([*rows[1 + number]])
        rows[-1][at], rows[-1][key] = arm, str(900_000 + number)
    (folder / "customers.csv").write_bytes(as_csv(rows))
    return {"customers": {"file": "customers.csv"}}


LEFT_OUT = [
    Case("left out", "ignored and excluded", with_others, experiment={
        "assignment": {"observed": "arm", "ignore_arms": ["sms"]}, "exclude": "arm is null"}),
    Case("left out", "not said", with_others, code="UL208"),
]  # fmt: skip


def doubled(folder: Path) -> Mapping[str, Any]:
    """Every fifth order is in the file twice."""
    rows = said("orders")
    rows += rows[1::5]
    (folder / "orders.csv").write_bytes(as_csv(rows))
    return {"orders": {"file": "orders.csv", "key": "number", "repeats": "once"}}


def lines_of_orders(folder: Path) -> Mapping[str, Any]:
    """Each order in two equal lines, which both count."""
    rows = said("orders")
    at = column(rows, "paid"), column(rows, "refunded")
    for row in rows[1:]:
        for place in at:
            row[place] = str(Decimal(row[place]) / 2)
    rows += rows[1:]
    (folder / "orders.csv").write_bytes(as_csv(rows))
    return {"orders": {"file": "orders.csv", "key": "number", "repeats": "each"}}


REPEATS = [
    Case("repeats", "loaded twice, said", doubled),
    Case("repeats", "lines, said", lines_of_orders),
    Case("repeats", "loaded twice, not said",
         lambda folder: {"orders": {"file": doubled(folder)["orders"]["file"], "key": "number"}},
         check="duplicates"),
    Case("repeats", "key of one column",
         one("orders", "orders.csv", as_csv(said("orders")), key="number")),
]  # fmt: skip
COMPUTED = [
    Case(
        "computed columns",
        "of orders",
        one("orders", "orders.csv", as_csv(said("orders")), columns={"net": "paid - 0"}),
        metrics={"revenue": {"from": "orders", "sum": "net", "where": "net > refunded"}},
    ),
    Case(
        "computed columns",
        "of customers",
        one(
            "customers",
            "customers.csv",
            rewritten("customers", "spent", lambda _, text: str(Decimal(text) / 2)),
        ),
        experiment={"columns": {"whole": "spent * 2"}},
        metrics={"spent": {"column": "whole"}},
    ),
    Case(
        "inline metrics",
        "defined where they are named",
        both(),
        experiment={
            "metrics": {
                "primary": "revenue",
                "secondary": ["spent", "voted"],
                "define": {"spent": {"column": "spent"}},
            }
        },
    ),
]


def amount(value: Decimal) -> str:
    return f"{value} CHF"


CURRENCIES = [
    Case("currencies", "one, declared",
         one("orders", "orders.csv", as_csv(said("orders", words(number=amount)))),
         experiment={"currency": "CHF"}),
    Case("currencies", "another than declared",
         one("orders", "orders.csv", as_csv(said("orders", words(number=amount)))),
         experiment={"currency": "EUR"}, code="UL223"),
]  # fmt: skip


def sheet(edit: Callable[[str, list[list[Any]]], None], **declared: Any):
    """Both tables as a workbook each."""

    def write(folder: Path) -> Mapping[str, Any]:
        for name, rows in TABLES.items():
            cells: list[list[Any]] = [list(rows[0]), *([*row.values()] for row in rows)]
            edit(name, cells)
            workbook = openpyxl.Workbook()
            assert workbook.active is not None
            for row in cells:
                workbook.active.append(row)
            workbook.save(folder / f"{name}.xlsx")
        return {name: {"file": f"{name}.xlsx", **declared} for name in TABLES}

    return write


def each_cell(change: Callable[[Any], Any]):
    def edit(_: str, cells: list[list[Any]]) -> None:
        cells[1:] = [[change(cell) for cell in row] for row in cells[1:]]

    return edit


def put_right(_: str, cells: list[list[Any]]) -> None:
    cells[:] = [[None, *row] for row in cells]


def add_total(name: str, cells: list[list[Any]]) -> None:
    if name == "orders":
        cells.append(["Total", None, None, 99, None, None])


def add_title(_: str, cells: list[list[Any]]) -> None:
    cells[:0] = [["A report"], []]


WORKBOOKS = [
    Case("workbooks of exports", "Yes and No",
         sheet(each_cell(lambda v: ("Yes" if v else "No") if isinstance(v, bool) else v))),
    Case("workbooks of exports", "ids as texts",
         sheet(each_cell(lambda v: str(v) if type(v) is int and v > 1000 else v))),
    Case("workbooks of exports", "amounts as texts with a currency",
         sheet(each_cell(lambda v: f"{american(v)} €" if isinstance(v, Decimal) else v),
               format={"thousands": ","})),
    Case("workbooks of exports", "times as German texts",
         sheet(each_cell(lambda v: f"{v:%d.%m.%Y %H:%M:%S}" if isinstance(v, datetime) else v),
               format={"datetime": "DD.MM.YYYY HH:mm:ss"})),
    Case("workbooks of exports", "an empty column before", sheet(put_right)),
    Case("workbooks of exports", "a total below", sheet(add_total), code="UL218"),
    Case("workbooks of exports", "a title above", sheet(add_title), code="UL205"),
    Case("workbooks of exports", "a title above, skipped", sheet(add_title, format={"skip": "1"})),
]  # fmt: skip


def lines(change: Callable[[dict[str, Any]], dict[str, Any]], prefix: bytes = b""):
    """The orders as JSON, an object a line."""

    def write(folder: Path) -> Mapping[str, Any]:
        rows = [change({**row, "at": row["at"].isoformat(), "paid": float(row["paid"]),
                        "refunded": float(row["refunded"])}) for row in ORDERS]  # fmt: skip
        content = prefix + "".join(f"{json.dumps(row)}\n" for row in rows).encode()
        (folder / "orders.jsonl").write_bytes(content)
        return {"orders": {"file": "orders.jsonl"}}

    return write


JSON = [
    Case("JSON of programs", "numbers as texts",
         lines(lambda row: {**row, "paid": str(row["paid"]), "customer": str(row["customer"])})),
    Case("JSON of programs", "some numbers as texts",
         lines(lambda row: {**row, "paid": (str if row["number"] % 3 else float)(row["paid"])})),
    Case("JSON of programs", "Z behind times", lines(lambda row: {**row, "at": f"{row['at']}Z"})),
    Case("JSON of programs", "amounts with their currency within",
         lines(lambda row: {**row, "paid": {"value": row["paid"], "currency": "EUR"}}),
         code="UL206"),
    Case("JSON of programs", "a mark before", lines(dict, b"\xef\xbb\xbf"), code="UL202"),
]  # fmt: skip
OFFSETS = [
    Case(
        "conditions on times",
        f"with {name}",
        orders(at=lambda v, say=say: say(v - FIVE_HOURS)),
        metrics={
            "revenue": {
                "from": "orders",
                "sum": "paid",
                "where": "paid > refunded and at >= date '2026-03-02'",
            }
        },
    )
    for name, say in (
        ("an offset", lambda v: f"{v.isoformat()}-05:00"),
        ("an offset behind a space", lambda v: f"{v} -0500"),
    )
]
ALL = [
    *BELOW_NOTHING,
    *SHOPS,
    *EXCEL_CSV,
    *TOTALS,
    *SURVEYS,
    *UNDECLARED,
    *LABELS,
    *LEFT_OUT,
    *REPEATS,
    *COMPUTED,
    *CURRENCIES,
    *WORKBOOKS,
    *JSON,
    *OFFSETS,
]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_read_right_or_refused(case: Case, tmp_path: Path):
    hold(case, tmp_path)


def test_the_corpus_is_as_large_as_is_said():
    files = (Path(__file__).with_name(f"test_{kind}_files.py") for kind in ("text", "typed"))
    cases = [*(case for file in files for case in run_path(str(file))["ALL"]), *ALL]
    assert len({str(case) for case in cases}) == len(cases) >= 220
    assert len([*families(cases)]) >= 45
