"""What the exports of shops, ledgers and survey tools hold is read, or refused with its line."""

from __future__ import annotations

import pytest

import upliftlab
from upliftlab import Experiment
from upliftlab.config.models import FileFormat
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError
from upliftlab.queries.numbers import (
    currency_sql,
    has_currency_sql,
    iso_sql,
    number_sql,
    readable_time_sql,
)
from upliftlab.util.sql import literal

AMOUNTS = {
    "12.50-": -12.5,
    "(12.50)": -12.5,
    "($12.50)": -12.5,
    "(12.50 EUR)": -12.5,
    "-$12": -12.0,
    "-€ 12": -12.0,
    "€-12": -12.0,
    "EUR 12.5-": -12.5,
    "12.5- EUR": -12.5,
    "\u22123.5": -3.5,
    "- 3": -3.0,
    "$12.50": 12.5,
    "--3": None,
    "(-3)": None,
    "(3": None,
    "5-5": None,
    "-5-": None,
    "EUR 12 EUR": None,
    "12.50 %": None,
    "-": None,
    "()": None,
}
"""What a text is as an amount; None where it is none."""


@pytest.fixture(params=["duckdb", "spark", "postgres"])
def engine(request):
    if request.param == "postgres":
        yield request.getfixturevalue("postgres")
    elif request.param == "duckdb":
        with DuckDB(str) as found:
            yield found
    else:
        request.getfixturevalue("spark")
        with Spark(str) as found:
            yield found


def asked(engine, sql: str, texts) -> list:
    rows = " UNION ALL ".join(f"SELECT {at} AS n, {literal(t)} AS v" for at, t in enumerate(texts))
    table = engine.query(f"SELECT n, {sql} AS x FROM ({rows}) AS given ORDER BY n")
    return table.column("x").to_pylist()


def test_amounts_below_nothing_are_read_on_every_engine(engine):
    assert asked(engine, number_sql("v", "text"), AMOUNTS) == [*AMOUNTS.values()]


def test_they_are_read_as_the_file_writes_numbers():
    texts = {"1.234,50-": -1234.5, "(1.234,50)": -1234.5, "-€ 1.234,50": -1234.5, "1.5": None}
    with DuckDB(str) as duck:
        found = asked(duck, number_sql("v", "text", FileFormat(thousands=".")), texts)
        assert found == [*texts.values()]
        named = f"CASE WHEN {has_currency_sql('v')} THEN {currency_sql('v')} END"
        texts = {"(12.50 €)": "€", "-$12": "$", "12.5- EUR": "EUR", "(12.50)": None}
        assert asked(duck, named, texts) == [*texts.values()]


def test_an_offset_may_stand_apart_on_every_engine(engine):
    texts = ("2026-03-02 10:00:00 -0500", "2026-03-02 15:00:00 UTC", "2026-03-02T10:00-05:00")
    assert asked(engine, readable_time_sql("v", zoned=True), texts) == [True] * 3
    found = asked(engine, iso_sql("v", zoned=True), texts)
    assert [f"{each:%H:%M}" for each in found] == ["15:00"] * 3


TIMES = {
    "05-Mar-26": 'format: {date: "D-MMM-YY"}',
    "Mar 5, 2026 10:15 PM": 'format: {datetime: "MMM D, YYYY h:mm A"}',
    "2026-03-05 10:15 AM": 'format: {datetime: "YYYY-MM-DD h:mm A"}',
    "2026-03-05 9:15": 'format: {datetime: "YYYY-MM-DD H:mm[:ss]"}',
    "20260305": 'format: {date: "YYYYMMDD"}',
    "20260305101500": 'format: {datetime: "YYYYMMDDHHmmss"}',
    "25.3.26 10:15": 'format: {datetime: "D.M.YY HH:mm[:ss]"}',
    "3/25/2026 1:15:00 PM": 'format: {datetime: "M/D/YYYY h:mm:ss A"}',
}


def experiment(folder, customers: str, orders: str | None = None, form=None, unit=None, **more):
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data/customers.csv").write_text(customers)
    sources = {"customers": {"file": "customers.csv", "id": "id", **(form or {})}}
    metrics = {"spent": {"column": "spent", **({"unit": unit} if unit else {})}}
    asked = {"schema": 1, "experiment": "x", "customers": "customers",
             "assignment": {"observed": "arm"}, "metrics": {"primary": "spent"},
             "arms": {"none": {"control": True}, "mail": {}}}  # fmt: skip
    if orders is not None:
        (folder / "data/orders.csv").write_text(orders)
        sources["orders"] = {
            "file": more.pop("orders_file", "orders.csv"),
            "id": "id",
            "time": "at",
        }
        metrics = {"sales": {"from": "orders", "sum": "paid"}}
        asked |= {"metrics": {"primary": "sales"}, "outcome_window": "7 days",
                  "waves": [{"start": "2026-03-02", "share": "100%"}]}  # fmt: skip
    configs = {"sources": {"sources": sources}, "metrics": {"metrics": metrics},
               "program": {"smallest_cell": "2"}}  # fmt: skip
    return Experiment.from_dict({**asked, **more}, configs, folder=folder)


def people(values) -> str:
    rows = [f'{at},{("none", "mail")[at % 2]},"{each}"' for at, each in enumerate(values)]
    return "\n".join(["id,arm,spent", *rows]) + "\n"


def refused(made: Experiment) -> str:
    with pytest.raises(DataError) as caught:
        made.analyze()
    return str(caught.value)


@pytest.mark.parametrize("text", TIMES)
def test_times_that_cannot_be_read_name_the_pattern_that_inspect_finds(text, tmp_path):
    orders = "id,at,paid\n" + "".join(f'{at},"{text}",5\n' for at in range(4))
    said = refused(experiment(tmp_path, people([1, 2, 3, 4]), orders))
    assert "UL218" in said
    assert TIMES[text] in said
    assert text not in said
    (file,) = upliftlab.inspect(tmp_path / "data/orders.csv").files
    assert TIMES[text] in [choice.write for choice in file.columns[1].choices]


def test_two_patterns_that_fit_are_both_named(tmp_path):
    said = refused(
        experiment(tmp_path, people([1, 2, 3, 4]), "id,at,paid\n0,03/04/2026,5\n1,05/04/2026,5\n")
    )
    assert '{date: "DD/MM/YYYY"}' in said
    assert '{date: "MM/DD/YYYY"}' in said


def test_a_row_of_totals_is_told_from_a_time_that_is_none(tmp_path):
    orders = "id,at,paid\n0,2026-03-03,5\nTotal,,5\n"
    assert "delete rows that are none, such as totals" in refused(
        experiment(tmp_path, people([1, 2, 3, 4]), orders)
    )


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("#N/A", 'missing: ["#N/A"]'),
        ("#DIV/0!", 'missing: ["#DIV/0!"]'),
        ("\\N", 'missing: ["\\\\N"]'),
        ("(not set)", 'missing: ["(not set)"]'),
    ],
)
def test_words_for_nothing_are_named_and_found_by_inspect(word, line, tmp_path):
    made = experiment(tmp_path, people([word, "2.5", "3.5", "4.25", word, "9.5"]))
    assert line in refused(made)
    (file,) = upliftlab.inspect(tmp_path / "data/customers.csv").files
    assert [choice.write for choice in file.columns[2].choices] == [f"format: {{{line}}}"]
    assert file.columns[2].meaning == "number"
    assert not file.columns[2].currency


def test_words_among_numbers_of_a_form_are_declared_with_it(tmp_path):
    experiment(tmp_path, people(["-", "2,5", "3,25", "4,5"]))
    (file,) = upliftlab.inspect(tmp_path / "data/customers.csv").files
    assert file.columns[2].choices[0].write == 'format: {decimal: ",", missing: ["-"]}'


def test_words_of_customers_are_not_shown(tmp_path):
    said = refused(experiment(tmp_path, people(["Erna", "NA", "3", "4"])))
    assert "Erna" not in said
    assert "what the words mean" not in said


@pytest.mark.parametrize(("yes", "no"), [("Y", "N"), ("oui", "non"), ("WAHR", "FALSCH")])
def test_words_for_yes_and_no_are_named_and_found_by_inspect(yes, no, tmp_path):
    line = f'format: {{true: ["{yes}"], false: ["{no}"]}}'
    assert line in refused(experiment(tmp_path, people([yes, no] * 10)))
    (file,) = upliftlab.inspect(tmp_path / "data/customers.csv").files
    assert [choice.write for choice in file.columns[2].choices] == [line]
    form = {"format": {"true": [yes], "false": [no]}}
    found = experiment(tmp_path, people([yes, no] * 10), form=form).analyze()
    assert [f.estimate for f in found.findings if f.kind == "difference"] == [-1.0]


@pytest.mark.parametrize("values", [("-1", "0"), ("100", "0"), ("0.5", "2")])
def test_a_share_lies_between_0_and_1(values, tmp_path):
    made = experiment(tmp_path, people([*values, *values, *values[::-1]]), unit="share")
    assert "'spent' is declared to be a share, and has numbers below 0 or above 1" in refused(made)
    assert [fault.code for fault in made.check(data={}) if fault.severity == "error"] == ["UL206"]


@pytest.mark.parametrize("values", [("1", "0"), ("1", "1"), ("0.25", "0.75"), ("0.1", "1")])
def test_what_is_a_share_is_taken(values, tmp_path):
    experiment(tmp_path, people([*values, *values, *values[::-1]]), unit="share").analyze()


def test_a_workbook_may_have_blank_lines_below_its_title(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["Report"], [], ["id", "paid"], [1, 2.5]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    with DuckDB(lambda file: tmp_path / file) as duck:
        source = upliftlab.config.models.Source(file="x.xlsx", format=FileFormat(skip=1))
        duck.attach("x", source)
        assert duck.query("SELECT paid FROM x").to_pylist() == [{"paid": 2.5}]


@pytest.mark.parametrize(
    ("values", "condition", "line"),
    [
        (["05.03.2026", "25.03.2026"], "since < date '2026-04-01'", 'date: "DD.MM.YYYY"'),
        (["1,5", "2,5"], "since < 9", 'decimal: ","'),
        (["NULL", "2.5"], "since < 9", 'missing: ["NULL"]'),
    ],
)
def test_conditions_name_the_line_that_makes_them_readable(values, condition, line, tmp_path):
    rows = [f'{at},{("none", "mail")[at % 2]},1,"{values[at % 2]}"' for at in range(8)]
    table = "\n".join(["id,arm,spent,since", *rows]) + "\n"
    said = refused(experiment(tmp_path, table, eligible=condition))
    assert "UL214" in said
    assert f"format: {{{line}}}" in said


@pytest.mark.parametrize("content", ["\ufeff", "utf-16"])
def test_json_with_a_mark_is_told_how_to_be_saved(content, tmp_path):
    text = '{"id": 1, "paid": 2.5}\n{"id": 2, "paid": 3.5}\n'
    data = text.encode("utf-16") if content == "utf-16" else (content + text).encode()
    (tmp_path / "x.jsonl").write_bytes(data)
    (file,) = upliftlab.inspect(tmp_path / "x.jsonl").files
    assert "save it as UTF-8 without a byte order mark" in str(file.fault)


def test_seconds_since_1970_are_no_times_and_say_what_to_write(tmp_path):
    (tmp_path / "data").mkdir()
    rows = "".join(f'{{"id": {at}, "at": {1772500000 + at}, "paid": 5}}\n' for at in range(4))
    (tmp_path / "data/orders.jsonl").write_text(rows)
    made = experiment(tmp_path, people([1, 2, 3, 4]), "id,at,paid\n", orders_file="orders.jsonl")
    assert "count seconds since 1970" in refused(made)


def test_ends_of_whole_numbers_are_whole(tmp_path):
    experiment(tmp_path, people(["7", "12", "7", "9"]))
    (file,) = upliftlab.inspect(tmp_path / "data/customers.csv").files
    assert (file.columns[2].least, file.columns[2].greatest) == ("7", "12")
