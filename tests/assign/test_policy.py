"""The contact policy over overlapping campaigns, checked apart from the query that keeps it."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from assigning import make_plan

from upliftlab.assignment.assign import prepare
from upliftlab.errors import ConfigError
from upliftlab.util.sql import literal

MOST, WITHIN, REST = 3, 21, 4
POLICY = {
    "contact_policy": {
        "max_contacts": str(MOST),
        "per": f"{WITHIN} days",
        "cool_down": f"{REST} days",
    }
}


def campaign(number: int, draw: random.Random, path: str):
    first = date(2026, 1, 1) + timedelta(days=draw.randrange(200))
    second = first + timedelta(days=draw.randrange(1, 14))
    return make_plan(
        f"campaign {number}",
        arms={
            "none": {"control": True, "share": "5%"},
            "mail": {"share": "60%", "channel": "email"},
            "text": {"share": "35%", "channel": "sms"},
        },
        customers={"file": path, "id": "id"},
        program=POLICY,
        waves=[{"start": first, "share": "50%"}, {"start": second, "share": "50%"}],
    )


def test_no_violation_in_a_million_contacts_of_twenty_overlapping_campaigns(duck, tmp_path):
    people = tmp_path / "customers.parquet"
    pq.write_table(pa.table({"id": range(80_000)}), people)
    draw, contacts = random.Random(3), list[str]()
    for number in range(20):
        prepared = prepare(
            campaign(number, draw, str(people)),
            duck,
            prior_contacts=[tmp_path / name for name in contacts],
        )
        made = tmp_path / "assignment.parquet"
        duck.write(prepared.sql, made)
        contacts.append(f"contacts{number}.parquet")
        duck.write(
            "SELECT CAST(id AS VARCHAR) AS id, start AS day"
            f" FROM read_parquet({literal(str(made))}) WHERE channel IS NOT NULL AND NOT ghost",
            tmp_path / contacts[-1],
        )
    duck.load("done", [tmp_path / name for name in contacts])
    assert duck.query("SELECT count(*) AS n FROM done")["n"][0].as_py() >= 1_000_000
    violations = duck.query(
        f"""SELECT count(*) FILTER (day - before < {REST}) AS restless,
                   count(*) FILTER (day - earlier < {WITHIN}) AS crowded
            FROM (SELECT day, lag(day) OVER w AS before, lag(day, {MOST}) OVER w AS earlier
                  FROM done WINDOW w AS (PARTITION BY id ORDER BY day))"""
    )
    assert violations.to_pylist() == [{"restless": 0, "crowded": 0}]


@pytest.fixture
def one(tmp_path):
    """One customer and a function that says why a policy with an event keeps them out."""
    people, events = tmp_path / "customers.parquet", tmp_path / "events.parquet"
    pq.write_table(pa.table({"id": ["007"]}), people)

    def reason(engine, policy: dict[str, str], days: list[date], role: str = "contacts"):
        pq.write_table(pa.table({"who": ["007"] * len(days), "day": days}), events)
        plan = make_plan(
            customers={"file": str(people), "id": "id"},
            sources={"log": {"file": str(events), "id": "who", "time": "day"}},
            program={"contact_policy": {**policy, role: "log"}},
        )
        prepared = prepare(plan, engine, start=date(2026, 3, 10))
        return engine.query(prepared.sql)["reason"][0].as_py()

    return reason


@pytest.mark.parametrize(
    ("day", "expected"),
    [(2, None), (3, None), (4, "cool_down"), (10, "cool_down"), (16, "cool_down"), (17, None)],
)
def test_a_cool_down_of_seven_days_ends_on_the_seventh(duck, one, day, expected):
    assert one(duck, {"cool_down": "7 days"}, [date(2026, 3, day)]) == expected


@pytest.mark.parametrize(("day", "expected"), [(3, None), (4, "cool_down"), (11, None)])
def test_a_complaint_that_is_still_to_come_bars_nobody(duck, one, day, expected):
    policy = {"cool_down": "7 days"}
    assert one(duck, policy, [date(2026, 3, day)], "complaints") == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [([1, 2], "max_contacts"), ([1], None), ([8, 14], "max_contacts"), ([1, 17], None)],
)
def test_two_contacts_in_ten_days_are_enough_whichever_day_they_are(duck, one, days, expected):
    policy = {"max_contacts": "2", "per": "10 days"}
    assert one(duck, policy, [date(2026, 3, day) for day in days]) == expected


def test_no_contacts_at_all_may_be_allowed(duck, one):
    assert one(duck, {"max_contacts": "0", "per": "1 day"}, []) == "max_contacts"


def test_a_policy_needs_the_day_of_the_contact(duck, tmp_path):
    people, prior = tmp_path / "customers.parquet", tmp_path / "prior.parquet"
    pq.write_table(pa.table({"id": [1]}), people)
    pq.write_table(pa.table({"id": ["1"], "day": [date(2026, 1, 1)]}), prior)
    plan = make_plan(customers={"file": str(people), "id": "id"}, program=POLICY)
    with pytest.raises(ConfigError, match="UL409"):
        prepare(plan, duck, prior_contacts=[prior])
