"""Wall clocks in SQL against Python's own, over many zones and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.queries.clock import Span, converted, moved, time_literal

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Asia/Kolkata",
    "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia",
)  # fmt: skip
YEARS = Span(datetime.fromisoformat("2011-01-01"), datetime.fromisoformat("2027-01-01"))
WIDE = YEARS.widened(timedelta(0), timedelta(0))
TIMES = st.datetimes(YEARS.first, YEARS.last).map(lambda t: t.replace(microsecond=0))


@pytest.fixture(scope="module")
def ask():
    with duckdb.connect() as connection:
        yield lambda sql: connection.execute(f"SELECT {sql}").fetchone()[0]


def shown(moment: datetime, zone: str) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@given(TIMES, st.sampled_from(ZONES))
def test_instants_are_shown_as_python_shows_them(ask, moment, zone):
    assert ask(converted(time_literal(moment), "UTC", zone, WIDE)) == shown(moment, zone)


@given(TIMES, st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_a_clock_read_in_another_zone(ask, time, source, target):
    """Ambiguous times are the first; times that do not exist are counted from before the change."""
    read = time.replace(tzinfo=ZoneInfo(source))
    expected = shown(read.astimezone(UTC).replace(tzinfo=None), target)
    assert ask(converted(time_literal(time), source, target, WIDE)) == expected


@given(TIMES, st.sampled_from(ZONES), st.integers(-2_000, 2_000))
def test_hours_that_passed(ask, moment, zone, hours):
    start = shown(moment, zone)
    if start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) != moment:
        return  # the second of two equal times, which no clock without a zone can tell
    by = timedelta(hours=hours)
    span = Span(start, start).widened(by, by)
    expected = start + by if hours % 24 == 0 else shown(moment + by, zone)
    assert ask(moved(time_literal(start), by, zone, span)) == expected


def test_a_day_that_begins_without_a_midnight_begins_at_the_change(ask):
    """In Cairo clocks went from 23:59:59 of 25 April 2024 to 01:00 of the 26th."""
    midnight = datetime.fromisoformat("2024-04-26")
    found = ask(converted(time_literal(midnight), "Africa/Cairo", "UTC", WIDE))
    assert found == datetime.fromisoformat("2024-04-25 22:00")
