"""Events out of CSV files as people have them, on the embedded engine and on Spark."""

from __future__ import annotations

import zipfile

import pytest
from shops import Shop, each_own_arm

from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError

TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 7 days\nmetrics: {primary: revenue}\n"
)
SALES = "  revenue: {from: orders, sum: amount}\n"
GOOD = {"id": [1], "at": ["2026-03-03"], "amount": [1.0]}
BROKEN = 'id,at,"amount\nin EUR"\r\n1,2026-03-03,5\r\n2,2026-03-03,7\r\n'
"""The header holds a line break in quotes that is not the file's, as Excel writes it."""


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def store(request, tmp_path, shop):
    """A shop on the two engines that read files."""
    if request.param == "duckdb":
        yield shop
    else:
        request.getfixturevalue("spark")
        with Spark(lambda file: tmp_path / "data" / file) as engine:
            yield Shop(tmp_path, engine)


def revenue(store, file, column="amount", form=None):
    customers, arms = each_own_arm([1, 2])
    store.table("customers", customers)
    store.table("orders", GOOD, time="at")
    plan = store.plan(TEXT + arms, SALES)
    source = plan.sources["orders"].model_validate(
        plan.sources["orders"].model_dump() | {"file": file, "format": form}
    )
    metrics = {"revenue": plan.metrics["revenue"].model_copy(update={"sum": column})}
    moved = plan.model_copy(update={"sources": {"orders": source}, "metrics": metrics})
    return {arm: row["revenue"] for arm, row in store.units(moved).items()}


def test_a_line_break_in_the_header_takes_no_row_with_it(store):
    store.locate("orders.csv").write_bytes(BROKEN.encode())
    assert revenue(store, "orders.csv", "amount\nin EUR") == {"arm 1": 5.0, "arm 2": 7.0}


@pytest.mark.parametrize("content", ["id,at,amount\n", "id,at,amount", 'id,at,"amount"\r\n\r\n'])
def test_a_table_of_no_rows_is_an_empty_table(store, content):
    store.locate("orders.csv").write_bytes(content.encode())
    assert revenue(store, "orders.csv") == {"arm 1": 0.0, "arm 2": 0.0}


def test_tabs_zips_and_encodings(store):
    rows = "id\tat\tamount\twhere\n1\t2026-03-03\t5\tKöln\n2\t-\t7\t-\n"
    store.locate("orders.tsv").write_bytes(rows.encode("cp1252"))
    with pytest.raises(DataError, match=r"UL261 line 2 of orders.tsv .*encoding: windows-1252"):
        revenue(store, "orders.tsv")
    form = {"encoding": "windows-1252", "missing": ["-"]}
    with pytest.raises(DataError, match="UL218 1 event of orders has no time in 'at'"):
        revenue(store, "orders.tsv", form=form)
    with zipfile.ZipFile(store.locate("orders.zip"), "w") as archive:
        archive.writestr("orders.tsv", rows.replace("\t-\t7", "\t2026-03-04\t7").encode("utf-16"))
    assert revenue(store, "orders.zip") == {"arm 1": 5.0, "arm 2": 7.0}
