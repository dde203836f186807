"""Ids as tables hold them: the same customer is found, or it is said why not, on every engine."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from shops import ARMS, NOW, each_own_arm

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.errors import DataError
from upliftlab.results.analysis import VerdictCode

TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 7 days\nmetrics: {primary: revenue}\n"
)
SALES = "  revenue: {from: orders, sum: amount}\n"
DAY = date(2026, 3, 3)


def revenue(shop, customers, orders):
    """What each customer spent, the first 1, the second 2 …, by arm."""
    columns, arms = each_own_arm(range(1, len(customers) + 1))
    shop.table("customers", columns | {"id": customers})
    amounts = [float(n) for n in range(1, len(orders) + 1)]
    shop.table("orders", {"id": orders, "at": [DAY] * len(orders), "amount": amounts}, time="at")
    units = shop.units(shop.plan(TEXT + arms, SALES))
    return [row["revenue"] for _, row in sorted(units.items())]


WHOLE = pa.array([17, 12_345_678], pa.int64())
FLOATS = pa.array([17.0, 12_345_678.0], pa.float64())
TEXTS = pa.array(["17", "12345678"])


@pytest.mark.parametrize("orders", [WHOLE, FLOATS, TEXTS], ids=["whole", "floats", "texts"])
@pytest.mark.parametrize("customers", [WHOLE, FLOATS, TEXTS], ids=["whole", "floats", "texts"])
def test_exact_floats_are_the_whole_numbers_they_stand_for(anywhere, customers, orders):
    assert revenue(anywhere, customers, orders) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("ids", "count", "limit"),
    [
        (pa.array([1.0, 2.0**53]), 1, "below 9,007,199,254,740,992"),
        (pa.array([1.5, 2.0]), 1, "no whole number"),
        (pa.array([float("nan"), float("inf")]), 2, "no whole number"),
        (pa.array([-1.0, -(2.0**60)]), 1, "no whole number"),
    ],
    ids=["2^53", "fraction", "no numbers", "negative"],
)
@pytest.mark.parametrize("table", ["customers", "orders"])
def test_floats_that_are_several_ids_or_none_are_refused(anywhere, table, ids, count, limit):
    given = {"customers": pa.array([1, 2]), "orders": pa.array([1, 2]), table: ids}
    with pytest.raises(DataError) as caught:
        revenue(anywhere, **given)
    (fault,) = caught.value.faults
    role = "id of orders" if table == "orders" else "id"
    rows = "1 row" if count == 1 else f"{count} rows"
    assert fault.code == "UL273"
    assert fault.message.startswith(f"in {rows} 'id' ({role}) is no whole number")
    assert limit in fault.message
    assert "as text or as whole numbers" in fault.remedy


def test_floats_of_four_bytes_are_exact_for_fewer_numbers_still(shop):
    with pytest.raises(DataError, match=r"UL273 in 1 row 'id' .*below 16,777,216"):
        revenue(shop, pa.array([1, 2]), pa.array([1.0, 2.0**24], pa.float32()))


def test_an_order_without_a_customer_does_no_harm(shop):
    """pandas makes floats of whole numbers with a gap: the gap itself is an order of a guest."""
    assert revenue(shop, WHOLE, pa.array([17.0, None])) == [1.0, 0.0]


def test_keys_and_households_are_held_to_it_as_well(shop):
    columns, arms = each_own_arm([1, 2])
    orders = {"id": [1, 2], "at": [DAY] * 2, "amount": [1.0, 2.0], "number": [2.0**53, 2.0**53]}
    shop.table("customers", columns | {"house": [2.0**60, 2.0**60]}, household="house")
    shop.table("orders", orders, time="at", key="number")
    plan = shop.plan(TEXT + arms, SALES)
    with pytest.raises(DataError, match=r"UL273.*'house' \(household\)"):
        shop.units(plan)
    shop.table("customers", columns)
    with pytest.raises(DataError, match=r"UL273.*'number' \(key of orders\)"):
        shop.units(shop.plan(TEXT + arms, SALES))


PEOPLE = [f"ann{n}@shop.example" for n in range(40)]
PADDED = [f"{n:05}" for n in range(1, 41)]
UUIDS = [f"00000000-0000-4000-8000-{n:012}" for n in range(40)]


def checked(shop, customers, orders, source="orders"):
    """The answer to whether orders are of known customers, and the verdict."""
    shop.table("customers", {"id": customers, "arm": ["none", "mail"] * (len(customers) // 2)})
    rows = {"id": orders, "at": [DAY] * len(orders), "amount": [1.0] * len(orders)}
    shop.table("orders", rows, time="at")
    found = analyze(shop.plan(TEXT + ARMS, SALES), AnalysisContext(shop.engine, NOW))
    (check,) = (c for c in found.checks if c.name == f"unknown_customers:{source}")
    return check, found.verdict.code


def some(ids, changed, share=4):
    """The ids, every fourth written in another way."""
    return [changed(one) if at % share == 0 else one for at, one in enumerate(ids)]


@pytest.mark.parametrize(
    ("customers", "orders", "said"),
    [
        (PEOPLE, some(PEOPLE, lambda p: p.upper()), "did not differ in capital letters"),
        (PEOPLE, some(PEOPLE, lambda p: f" {p}"), "without the spaces around the id"),
        (PADDED, some(PADDED, lambda p: p.lstrip("0")), "that ids of orders have lost"),
        (range(1, 41), some(PADDED, lambda p: p, 4), "that ids of customers have lost"),
        (range(1, 41), [f"{n}.0" for n in range(1, 41)], "the '.0' behind ids of orders"),
        (UUIDS, some(UUIDS, lambda u: u.replace("-", "")), "dashes or braces in ids of customers"),
        (UUIDS, some(UUIDS, lambda u: f"{{{u}}}"), "dashes or braces in ids of"),
        (UUIDS, [f"{{{u}}} ".replace("-", "") for u in UUIDS], "if ids were written alike"),
    ],
    ids=["case", "spaces", "zeros lost", "zeros kept", "decimals", "dashes", "braces", "several"],
)
def test_ids_that_nearly_match_void_the_analysis_and_say_why(anywhere, customers, orders, said):
    check, verdict = checked(anywhere, list(customers), orders)
    assert (check.passed, check.severity, verdict) == (False, "critical", VerdictCode.invalid)
    assert said in check.message
    many = sum(one not in [str(each) for each in customers] for one in orders)
    assert check.message.startswith(f"{many} events of orders are of nobody")


def test_guests_are_no_near_match(shop):
    check, _ = checked(shop, PEOPLE, [*PEOPLE, *(f"guest{n}@shop.example" for n in range(4))])
    assert (check.passed, check.severity) == (False, "warning")


def test_an_id_that_could_be_two_customers_is_nobodys(shop):
    """'007' and '07' are two customers here, so '7' is neither."""
    customers = [*PADDED[:38], "007", "07"]
    check, _ = checked(shop, customers, [*PADDED[9:38], "7"])
    assert check.severity == "warning"
