"""The contact policy knows a customer by an id, however the log of contacts holds it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from assigning import make_plan

from upliftlab.assignment.assign import prepare
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError

DAYS = [date(2026, 3, 9)]


@pytest.fixture(params=["duckdb", "spark"])
def engine(request):
    if request.param == "duckdb":
        with DuckDB(Path) as opened:
            yield opened
    else:
        request.getfixturevalue("spark")
        with Spark(Path) as opened:
            yield opened


def reason(engine, folder, customer, contact):
    """Why one customer, contacted yesterday, is in no arm."""
    people, events = folder / "customers.parquet", folder / "events.parquet"
    pq.write_table(pa.table({"id": customer}), people)
    pq.write_table(pa.table({"who": contact, "day": DAYS * len(contact)}), events)
    plan = make_plan(
        customers={"file": str(people), "id": "id"},
        sources={"log": {"file": str(events), "id": "who", "time": "day"}},
        program={"contact_policy": {"cool_down": "7 days", "contacts": "log"}},
    )
    prepared = prepare(plan, engine, start=date(2026, 3, 10))
    return engine.query(prepared.sql)["reason"][0].as_py()


@pytest.mark.parametrize("customer", [[12_345_678], ["12345678"]], ids=["whole", "text"])
def test_a_float_is_the_whole_number_it_stands_for(engine, tmp_path, customer):
    assert reason(engine, tmp_path, customer, [12_345_678.0]) == "cool_down"


def test_a_float_that_is_several_ids_is_refused(engine, tmp_path):
    with pytest.raises(DataError, match=r"UL273 in 1 row 'who' \(id of log\)"):
        reason(engine, tmp_path, [1], [2.0**53])


@pytest.mark.parametrize(
    ("customer", "contact"),
    [("007", "7"), ("ann@shop.example", "Ann@Shop.example"), ("7", "7.0"), ("7", " 7")],
    ids=["zeros", "case", "decimals", "spaces"],
)
def test_contacts_that_nearly_match_are_refused(engine, tmp_path, customer, contact):
    with pytest.raises(DataError, match="UL274 1 row of 'log' is of nobody, but would be"):
        reason(engine, tmp_path, [customer], [contact])


def test_contacts_of_others_do_no_harm(engine, tmp_path):
    assert reason(engine, tmp_path, ["007"], ["8"]) is None
