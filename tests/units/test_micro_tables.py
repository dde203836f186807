"""Unit tables worked out by hand, from a few events each, on every engine."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from shops import each_own_arm

WAVE = "waves: [{start: 2026-03-02, share: 100%}]\noutcome_window: 7 days\n"
OBSERVED = "assignment: {observed: arm}\n"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def orders(shop, rows, *, zone_of_type=None, **declared):
    """A table of orders from (customer, time, amount)."""
    whose, when, amounts = zip(*rows, strict=True)
    times = [at(time) if isinstance(time, str) else time for time in when]
    columns = {
        "id": list(whose),
        "at": pa.array(times, pa.timestamp("us", zone_of_type)),
        "amount": pa.array(amounts, pa.float64()),
    }
    shop.table("orders", columns, time="at", **declared)


def customers(shop, ids, more=None, **declared):
    columns, arms = each_own_arm(ids)
    shop.table("customers", columns | (more or {}), **declared)
    return arms


def metrics(*names):
    first, *rest = names
    return f"metrics: {{primary: {first}, secondary: [{', '.join(rest)}]}}\n"


def values(units, name):
    return {arm.removeprefix("arm "): row[name] for arm, row in units.items()}


SALES = """
  revenue: {from: orders, sum: amount}
  orders: {from: orders, count: true}
  bought: {from: orders, any: true}
"""


def test_a_window_holds_its_first_moment_and_not_its_last(anywhere):
    arms = customers(anywhere, [1, 2, 3])
    orders(
        anywhere,
        [
            (1, "2026-03-01 23:59:59.999999", 1),  # before it begins
            (1, "2026-03-02 00:00:00", 10),
            (1, "2026-03-08 23:59:59.999999", 100),
            (1, "2026-03-09 00:00:00", 1000),  # when it ends
            (2, "2026-03-09 00:00:00", 5),
        ],
    )
    asked = metrics("revenue", "orders", "bought")
    units = anywhere.units(anywhere.plan(OBSERVED + arms + WAVE + asked, SALES))
    assert values(units, "revenue") == {"1": 110.0, "2": 0.0, "3": 0.0}
    assert values(units, "orders") == {"1": 2.0, "2": 0.0, "3": 0.0}
    assert values(units, "bought") == {"1": 1.0, "2": 0.0, "3": 0.0}


@pytest.mark.parametrize("named", [True, False])
def test_windows_are_of_days_on_the_clock_of_the_shop(anywhere, named):
    """In Berlin clocks go forward on 29 March: the last of 28 days has 23 hours."""
    arms = customers(anywhere, [1, 2])
    rows = [
        (1, datetime(2026, 3, 1, 22, 59, 59, tzinfo=UTC), 1),
        (1, datetime(2026, 3, 1, 23, tzinfo=UTC), 10),  # midnight in Berlin, in winter
        (1, datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), 100),
        (1, datetime(2026, 3, 29, 22, tzinfo=UTC), 1000),  # midnight in Berlin, in summer
    ]
    if named:
        orders(anywhere, rows, zone_of_type="UTC")
    else:  # the same moments on a clock in Shanghai, eight hours ahead of UTC
        moved = [
            (1, "2026-03-02 06:59:59", 1),
            (1, "2026-03-02 07:00:00", 10),
            (1, "2026-03-30 05:59:59", 100),
            (1, "2026-03-30 06:00:00", 1000),
        ]
        orders(anywhere, moved, zone="Asia/Shanghai")
    asked = WAVE.replace("7 days", "28 days") + metrics("revenue")
    plan = anywhere.plan(OBSERVED + arms + asked, SALES, program="time_zone: Europe/Berlin")
    assert values(anywhere.units(plan), "revenue") == {"1": 110.0, "2": 0.0}


def test_hours_are_hours_whatever_the_clock_shows(anywhere):
    """From midnight of 28 March, 36 hours end at 13:00: clocks went forward in between."""
    arms = customers(anywhere, [1, 2])
    rows = [(1, "2026-03-29 12:59:59", 1), (1, "2026-03-29 13:00:00", 10)]
    orders(anywhere, rows)
    first = WAVE.replace("03-02", "03-28") + metrics("early")
    early = "  early: {from: orders, sum: amount, during: [0 hours, 36 hours]}\n"
    plan = anywhere.plan(OBSERVED + arms + first, early, program="time_zone: Europe/Berlin")
    assert values(anywhere.units(plan), "early") == {"1": 1.0, "2": 0.0}


def test_the_first_and_last_of_several_at_once(anywhere):
    arms = customers(anywhere, [1, 2])
    rows = [
        (1, "2026-03-03 10:00:00", 30),
        (1, "2026-03-03 10:00:00", 20),
        (1, "2026-03-05 09:00:00", -5),
        (1, "2026-03-06 12:00:00", 7),
        (1, "2026-03-06 12:00:00", 8),
        (1, "2026-03-20 12:00:00", 99),
    ]
    orders(anywhere, rows)
    kinds = "\n  first: {from: orders, first: amount}\n  last: {from: orders, last: amount}\n"
    plan = anywhere.plan(OBSERVED + arms + WAVE + metrics("first", "last"), kinds)
    units = anywhere.units(plan)
    assert values(units, "first") == {"1": 20.0, "2": 0.0}
    assert values(units, "last") == {"1": 8.0, "2": 0.0}


def test_refunds_are_taken_off_and_are_events_themselves(anywhere):
    arms = customers(anywhere, [1, 2])
    rows = [
        (1, "2026-03-03 10:00:00", 50.25),
        (1, "2026-03-04 10:00:00", -50.25),
        (2, "2026-03-03 10:00:00", 20),
        (2, "2026-03-04 10:00:00", -30),
    ]
    orders(anywhere, rows)
    sold = "\n  sold: {from: orders, count: true, where: 'amount > 0'}\n"
    asked = metrics("revenue", "orders", "sold")
    units = anywhere.units(anywhere.plan(OBSERVED + arms + WAVE + asked, SALES + sold))
    assert values(units, "revenue") == {"1": 0.0, "2": -10.0}
    assert values(units, "orders") == {"1": 2.0, "2": 2.0}
    assert values(units, "sold") == {"1": 1.0, "2": 1.0}


def test_the_time_before_is_as_long_as_the_window_and_ends_with_the_start(anywhere):
    arms = customers(anywhere, [1, 2])
    rows = [
        (1, "2026-02-22 23:59:59", 1),
        (1, "2026-02-23 00:00:00", 10),
        (1, "2026-03-01 23:59:59", 100),
        (1, "2026-03-02 00:00:00", 1000),
        (2, "2025-01-01 00:00:00", 5),
    ]
    orders(anywhere, rows)
    asked = metrics("revenue", "new") + "analysis: {covariates: [revenue_before, orders_before]}\n"
    kinds = (
        "\n  ever: {from: orders, any: true, during: [-3650 days, 0 days]}"
        "\n  new: {from: orders, any: true, unless: ever}\n"
    )
    units = anywhere.units(anywhere.plan(OBSERVED + arms + WAVE + asked, SALES + kinds))
    assert values(units, "revenue") == {"1": 1000.0, "2": 0.0}
    assert values(units, "revenue_before") == {"1": 110.0, "2": 0.0}
    assert values(units, "orders_before") == {"1": 2.0, "2": 0.0}
    assert values(units, "new") == {"1": 0.0, "2": 0.0}


def test_counts_of_every_kind_and_of_nothing(anywhere):
    arms = customers(anywhere, ["a", "b", "c"])
    columns = {
        "id": ["a", "a", "a", "a", "b"],
        "at": [date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 3), date(2026, 3, 9), None],
        "amount": [10.0, 20.0, 30.0, 40.0, 50.0],
        "category": ["shoes", "shoes", None, "hats", "hats"],
    }
    columns["at"][-1] = date(2026, 3, 8)  # a day is its whole day
    anywhere.table("orders", columns, time="at")
    kinds = """
  mean: {from: orders, mean: amount}
  none: {from: orders, none: true}
  twice: {from: orders, at_least: 2}
  shoes: {from: orders, count: true, where: "category = 'shoes'"}
  categories: {from: orders, distinct: category}
"""
    asked = metrics("mean", "none", "twice", "shoes", "categories")
    units = anywhere.units(anywhere.plan(OBSERVED + arms + WAVE + asked, kinds))
    assert values(units, "mean") == {"a": 20.0, "b": 50.0, "c": 0.0}
    assert values(units, "none") == {"a": 0.0, "b": 0.0, "c": 1.0}
    assert values(units, "twice") == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert values(units, "shoes") == {"a": 2.0, "b": 0.0, "c": 0.0}
    assert values(units, "categories") == {"a": 1.0, "b": 1.0, "c": 0.0}


def test_metrics_made_of_metrics(anywhere):
    """Net promoters, and own spend of those alone who declared their total spend."""
    arms = customers(anywhere, [1, 2, 3])
    orders(anywhere, [(1, "2026-03-03", 40), (2, "2026-03-03", 60), (3, "2026-03-03", 80)])
    answers = {
        "id": [1, 1, 2],
        "at": [at("2026-03-02"), at("2026-03-04"), at("2026-03-05")],
        "score": [9, 10, 6],
        "total": [100.0, 200.0, 0.0],
    }
    anywhere.table("surveys", answers, time="at")
    kinds = """
  promoters: {from: surveys, count: true, where: "score >= 9"}
  detractors: {from: surveys, count: true, where: "score <= 6"}
  answers: {from: surveys, count: true}
  net: {minus: [promoters, detractors]}
  nps: {ratio: [net, answers]}
  declared: {from: surveys, last: total}
  own: {from: orders, sum: amount, only: declared}
  wallet: {ratio: [own, declared]}
"""
    units = anywhere.units(anywhere.plan(OBSERVED + arms + WAVE + metrics("nps", "wallet"), kinds))
    assert values(units, "net") == {"1": 2.0, "2": -1.0, "3": 0.0}
    assert values(units, "answers") == {"1": 2.0, "2": 1.0, "3": 0.0}
    assert values(units, "declared") == {"1": 200.0, "2": 0.0, "3": 0.0}
    assert values(units, "own") == {"1": 40.0, "2": 0.0, "3": 0.0}


@pytest.mark.parametrize("instants", [True, False])
def test_everybody_s_own_start(anywhere, instants):
    """Time begins with the exposure; a start at 01:30 UTC is 02:30 in Berlin, in winter."""
    starts = [at("2026-03-02 02:30:00"), at("2026-03-04 02:30:00"), at("2026-03-02 02:30:00")]
    column = pa.array(starts, pa.timestamp("us"))
    if instants:
        utc = [start.replace(hour=1, tzinfo=UTC) for start in starts]
        column = pa.array(utc, pa.timestamp("us", "UTC"))
    arms = customers(anywhere, [1, 2, 3], {"seen": column})
    rows = [
        (whose, time, 10**power)
        for whose in (1, 2)
        for power, time in enumerate(
            (
                "2026-03-02 02:29:59",
                "2026-03-02 02:30:00",
                "2026-03-09 02:29:59",
                "2026-03-11 02:00",
            )
        )
    ]
    orders(anywhere, rows)
    asked = f"assignment: {{observed: arm, start: seen}}\n{arms}outcome_window: 7 days\n"
    plan = anywhere.plan(asked + metrics("revenue"), SALES, program="time_zone: Europe/Berlin")
    assert values(anywhere.units(plan), "revenue") == {"1": 110.0, "2": 1100.0, "3": 0.0}


def test_the_lifecycle_of_the_day_before(anywhere):
    arms = customers(anywhere, [1, 2, 3, 4, 5, 6])
    rows = [
        (1, "2026-02-20", 1),  # new
        (2, "2025-12-20", 1), (2, "2026-02-20", 1),  # active: one in each month before
        (3, "2025-11-20", 1), (3, "2025-11-21", 1), (3, "2025-11-22", 1), (3, "2026-02-20", 1),
        (4, "2025-06-01", 1),  # lapsed
        (5, "2026-03-02", 1),  # on the day itself, which nobody knew
    ]  # fmt: skip
    orders(anywhere, rows)
    life = "  life: {lifecycle: {from: orders, active: 60 days, lapsed: 200 days}}\n"
    text = OBSERVED + arms + WAVE + metrics("revenue") + "segments: [life]\n"
    units = anywhere.units(anywhere.plan(text, SALES, life))
    assert values(units, "life") == {
        "1": "new",
        "2": "active",
        "3": "declining",
        "4": "lapsed",
        "5": "no purchase",
        "6": "no purchase",
    }


def test_fifths_with_ties_from_columns_and_from_purchases(anywhere):
    recency = [1, 2, 3, 4, 5, 6, 7, 8, 8, None]
    more = {"recency": recency, "often": [5, 5, 5, 5, 5, 1, 1, 1, 1, 1], "spent": [9.0] * 10}
    arms = customers(anywhere, list(range(10)), more)
    days = ["2026-02-28", "2026-02-25", "2026-02-20", "2026-02-10", "2026-02-01"]
    orders(anywhere, [(k, day, 10 * (k + 1)) for k, day in enumerate(days)])
    fifths = (
        "  columns: {rfm: {recency: recency, frequency: often, monetary: spent}}\n"
        "  bought: {rfm: {from: orders, amount: amount, show: recency}}\n"
    )
    text = OBSERVED + arms + WAVE + metrics("revenue") + "segments: [columns, bought]\n"
    units = anywhere.units(anywhere.plan(text, SALES, fifths))
    # Recency: unknown is worst, then 8 8 | 7 6 | 5 4 | 3 2 | 1; both 8 share the first's place.
    assert values(units, "columns") == {
        "9": "1-1-1", "8": "1-1-1", "7": "1-1-1", "6": "2-1-1", "5": "3-1-1",
        "4": "3-3-1", "3": "4-3-1", "2": "4-3-1", "1": "5-3-1", "0": "5-3-1",
    }  # fmt: skip
    # Five of ten never bought and share the first place; the others follow by day.
    expected = dict.fromkeys("56789", "1") | {"4": "3", "3": "4", "2": "4", "1": "5", "0": "5"}
    assert values(units, "bought") == expected


def test_households_add_up_their_customers(anywhere):
    columns = {
        "id": [1, 2, 3, 4, 5],
        "home": ["A", "A", "B", "C", "C"],
        "arm": ["arm A", "arm A", "arm B", "arm C", "arm C"],
        "region": ["north", "north", "south", "north", None],
    }
    anywhere.table("customers", columns)
    orders(anywhere, [(1, "2026-03-03", 10), (2, "2026-03-03", 20), (4, "2026-03-04", 5)])
    arms = "arms: {arm A: {control: true}, arm B: {channel: email}, arm C: {channel: sms}}\n"
    text = "assignment: {observed: arm, unit: home}\n" + arms + WAVE
    plan = anywhere.plan(text + metrics("revenue", "bought") + "segments: [region]\n", SALES)
    units = anywhere.units(plan)
    assert values(units, "revenue") == {"A": 30.0, "B": 0.0, "C": 5.0}
    assert values(units, "bought") == {"A": 2.0, "B": 0.0, "C": 1.0}
    assert values(units, "(customers)") == {"A": 2.0, "B": 1.0, "C": 2.0}
    assert values(units, "region") == {"A": "north", "B": "south", "C": "(mixed)"}


def test_an_event_that_is_there_twice_counts_once(anywhere):
    arms = customers(anywhere, [1, 2])
    columns = {
        "id": [1, 1, 1, 2, 2],
        "at": [at("2026-03-03")] * 3 + [at("2026-03-04")] * 2,
        "amount": [10.0, 10.0, 10.0, 7.0, 7.0],
        "number": [1, 1, 2, 3, None],
        "loaded": ["one", "two", "one", "one", "one"],  # not looked at: it may differ
    }
    anywhere.table("orders", columns, time="at", key="number")
    plan = anywhere.plan(OBSERVED + arms + WAVE + metrics("revenue", "orders"), SALES)
    units = anywhere.units(plan)
    assert values(units, "revenue") == {"1": 20.0, "2": 14.0}
    assert values(units, "orders") == {"1": 2.0, "2": 2.0}


def test_ids_as_texts_and_as_numbers_meet(anywhere):
    arms = customers(anywhere, [1, 2])
    columns = {"id": ["1", "1", "02"], "at": [at("2026-03-03")] * 3, "amount": [1.0, 2.0, 4.0]}
    anywhere.table("orders", columns, time="at")
    plan = anywhere.plan(OBSERVED + arms + WAVE + metrics("revenue"), SALES)
    assert values(anywhere.units(plan), "revenue") == {"1": 3.0, "2": 0.0}


def test_other_experiments_events_do_not_count(anywhere):
    arms = customers(anywhere, [1, 2])
    columns = {
        "id": [1, 1, 1],
        "at": [at("2026-03-03")] * 3,
        "campaign": ["spring", "summer", None],
    }
    anywhere.table("contacts", columns, time="at", experiment="campaign")
    kinds = "  contacts: {from: contacts, count: true}\n"
    plan = anywhere.plan(OBSERVED + arms + WAVE + metrics("contacts"), kinds)
    assert values(anywhere.units(plan), "contacts") == {"1": 1.0, "2": 0.0}
