"""A package's kinds of metrics reach servers translated."""

from __future__ import annotations

from datetime import datetime

import pytest
from shops import Shop, each_own_arm

from upliftlab.engines.spark import Spark

TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 7 days\nmetrics: {primary: typical, secondary: [span]}\n"
)
KINDS = "  typical: {from: orders, median: amount}\n  span: {from: orders, days_active: true}\n"


@pytest.fixture(params=["spark", "postgres"])
def shop(request, tmp_path):
    if request.param == "postgres":
        yield Shop(tmp_path, *map(request.getfixturevalue, ("postgres", "desk")))
        return
    request.getfixturevalue("spark")
    with Spark(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


@pytest.mark.usefixtures("lake")
def test_a_median_and_days_between_events(shop):
    customers, arms = each_own_arm([1, 2, 3])
    shop.table("customers", customers)
    days = (3, 5, 8, 4)
    at = [datetime(2026, 3, day, 9) for day in days]  # noqa: DTZ001 - times without zone
    orders = {"id": [1, 1, 1, 2], "at": at, "amount": [10.0, 50.0, 20.0, 7.0]}
    shop.table("orders", orders, time="at")
    found = shop.units(shop.plan(TEXT + arms, KINDS))
    names = ("typical", "span (total)", "span (customers)")
    assert {arm: [row[name] for name in names] for arm, row in found.items()} == {
        "arm 1": [20.0, 5.0, 1.0],
        "arm 2": [7.0, 0.0, 1.0],
        "arm 3": [0.0, 0.0, 0.0],
    }
