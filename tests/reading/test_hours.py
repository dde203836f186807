"""Hours are hours that pass and days are calendar days, also where clocks change within them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from shops import Shop, each_own_arm

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.models.values import format_duration, parse_duration, parse_offset
from upliftlab.engines.duckdb import DuckDB

METRICS = """
  hours: {from: orders, count: true, during: [0 hours, 168 hours]}
  days: {from: orders, count: true, during: [0 days, 7 days]}
  hours_ago: {from: orders, count: true, during: [-168 hours, 0 hours]}
  days_ago: {from: orders, count: true, during: [-7 days, 0 days]}
"""


def counted(shop, zone, start, events, *, instants):
    """What is counted of one customer who starts on a day, by metric."""
    times = [datetime.fromisoformat(time) for time in events]
    if instants:
        times = [time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for time in times]
    kind = pa.timestamp("us", "UTC" if instants else None)
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    shop.table("orders", {"id": [1] * len(times), "at": pa.array(times, kind)}, time="at")
    text = (
        f"assignment: {{observed: arm}}\nwaves: [{{start: {start}, share: 100%}}]\n"
        "metrics: {primary: hours, secondary: [days, hours_ago, days_ago]}\n"
    )
    program = f"time_zone: {zone}\nsmallest_cell: 2"
    return shop.units(shop.plan(text + arms, METRICS, program=program))["arm 1"]


@pytest.mark.parametrize("instants", [False, True], ids=["clock", "instants"])
@pytest.mark.parametrize(
    ("zone", "start", "event"),
    [
        # An hour is left out of the week: the 168th hour ends at 1 o'clock of the eighth day.
        ("Europe/Berlin", "2026-03-25", "2026-04-01 00:59:59"),
        ("America/New_York", "2026-03-04", "2026-03-11 00:59:59"),
    ],
    ids=["Berlin", "New York"],
)
def test_a_week_with_an_hour_less(anywhere, zone, start, event, instants):
    beyond = event.replace("00:59:59", "01:00:00")
    found = counted(anywhere, zone, start, [event, beyond], instants=instants)
    assert (found["hours"], found["days"]) == (1, 0)


@pytest.mark.parametrize("instants", [False, True], ids=["clock", "instants"])
@pytest.mark.parametrize(
    ("zone", "start", "event"),
    [
        # An hour comes twice: 168 hours have passed at 23 o'clock of the seventh day.
        ("Europe/Berlin", "2026-10-21", "2026-10-27 23:00:00"),
        ("America/New_York", "2026-10-28", "2026-11-03 23:00:00"),
    ],
    ids=["Berlin", "New York"],
)
def test_a_week_with_an_hour_more(anywhere, zone, start, event, instants):
    before = event.replace("23:00:00", "22:59:59")
    found = counted(anywhere, zone, start, [event, before], instants=instants)
    assert (found["hours"], found["days"]) == (1, 2)


@pytest.mark.parametrize(
    ("zone", "start", "event", "hours"),
    [
        ("Europe/Berlin", "2026-04-01", "2026-03-24 23:00:00", 1),
        ("America/New_York", "2026-03-11", "2026-03-03 23:00:00", 1),
        ("Europe/Berlin", "2026-10-28", "2026-10-21 00:59:59", 0),
        ("America/New_York", "2026-11-04", "2026-10-28 00:59:59", 0),
    ],
)
def test_the_time_before(anywhere, zone, start, event, hours):
    found = counted(anywhere, zone, start, [event], instants=False)
    assert (found["hours_ago"], found["days_ago"]) == (hours, 1 - hours)


@pytest.mark.parametrize(
    ("window", "closed"),
    [("168 hours", "2026-04-01 01:00:00"), ("7 days", "2026-04-01 00:00:00")],
)
def test_a_window_closes_when_it_has_passed(tmp_path, window, closed):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        shop = Shop(tmp_path, engine)
        arms = ["none", "mail"] * 20
        shop.table("customers", {"id": list(range(40)), "arm": arms})
        at = pa.array([datetime(2026, 3, 31)] * 40, pa.timestamp("us"))  # noqa: DTZ001
        shop.table("orders", {"id": list(range(40)), "at": at}, time="at")
        text = (
            "assignment: {observed: arm}\narms: {none: {control: true}, mail: {channel: email}}\n"
            f"waves: [{{start: 2026-03-25, share: 100%}}]\noutcome_window: {window}\n"
            "metrics: {primary: orders}\n"
        )
        metrics = "  orders: {from: orders, count: true}\n"
        plan = shop.plan(text, metrics, program="time_zone: Europe/Berlin\nsmallest_cell: 2")
        moment = datetime.fromisoformat(closed).replace(tzinfo=ZoneInfo("Europe/Berlin"))
        for now, early in ((moment.timestamp() - 1, True), (moment.timestamp(), False)):
            setting = AnalysisContext(engine, datetime.fromtimestamp(now, UTC))
            assert (analyze(plan, setting).look is not None) is early


def test_a_covariate_is_of_as_many_hours(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        shop = Shop(tmp_path, engine)
        customers, arms = each_own_arm([1, 2])
        shop.table("customers", customers)
        at = pa.array([datetime(2026, 3, 24, 23)], pa.timestamp("us"))  # noqa: DTZ001
        shop.table("orders", {"id": [1], "at": at}, time="at")
        text = (
            "assignment: {observed: arm}\nwaves: [{start: 2026-04-01, share: 100%}]\n"
            "metrics: {primary: hours}\nanalysis: {covariates: [hours_before]}\n"
        )
        plan = shop.plan(text + arms, METRICS, program="time_zone: Europe/Berlin\nsmallest_cell: 2")
        assert shop.units(plan)["arm 1"]["hours_before"] == 1


def test_a_plan_is_written_as_before():
    """What was locked stays what it was: lengths are written down in the largest exact unit."""
    assert format_duration(parse_duration("168 hours")) == "7 days"
    assert format_duration(parse_offset("-168 hours")) == "-7 days"
    assert parse_duration("0 hours") == parse_duration("0 days")
