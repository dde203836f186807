"""Before the first campaign: who would have been eligible a window earlier, as events tell it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plans import make_plan
from shops import Shop

from upliftlab import Experiment
from upliftlab.config.models.limits import Tolerance
from upliftlab.engines.duckdb import DuckDB
from upliftlab.planning.assumptions import Assumptions, assumptions_of
from upliftlab.planning.earlier import EARLIER, earlier_customers
from upliftlab.planning.plan import PlanningContext, plan
from upliftlab.planning.pre_period import CUSTOMERS
from upliftlab.queries.computed import attach_table
from upliftlab.text.language import Language

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
WINBACK = """\
arms: {none: {share: 25%, control: true}, mail: {share: 75%, channel: email, cost_per_contact: 0.1}}
assignment: {salt: s}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics: {primary: revenue}
money: {revenue: revenue, margin: 40%}
eligible: "recency >= 10 and opt_in"
"""
SALES = "  revenue: {from: orders, sum: amount, unit: money}\n"
AS_OF = date(2026, 3, 1)


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def fill(shop, *, recency=(19, 4, 9, None, 28, 1), declared=True):
    """Six customers as of 1 March; a week earlier 1, 2, 5 and 6 had not bought for ten days.

    Of these, 2 spends 30 in the week between, 6 spends 20 but did not opt in.
    """
    people = {
        "id": [1, 2, 3, 4, 5, 6],
        "recency": list(recency),
        "opt_in": [True, True, True, True, True, False],
    }
    as_of = {"as_of": [AS_OF] * 6} if declared else {}
    shop.table("customers", people | as_of, **({"as_of": "as_of"} if declared else {}))
    days = {1: ["02-10"], 2: ["02-05", "02-25"], 3: ["02-20"], 5: ["02-01", "03-03"]}
    days[6] = ["02-11", "02-28"]
    rows = [(who, date.fromisoformat(f"2026-{day}")) for who, each in days.items() for day in each]
    amounts = {date(2026, 2, 25): 30.0, date(2026, 2, 28): 20.0}
    shop.table(
        "orders",
        {
            "id": [who for who, _ in rows],
            "at": [day for _, day in rows],
            "amount": [amounts.get(day, 5.0) for _, day in rows],
        },
        time="at",
    )


def planned(shop, text=WINBACK, program=""):
    asked = shop.plan(text, SALES, program=program)
    return plan(asked, Assumptions(), PlanningContext(NOW, shop.engine))


def notes(found):
    return [Language("en").say(note, found.currency) for note in found.notes]


def held(found):
    """1, 2 and 5 rehearse with 0, 30 and 0; 1 and 5 would take part today."""
    base = found.baseline
    assert (base.customers, found.customers) == (3, 2)
    assert (base.mean, base.sd) == pytest.approx((10.0, 300**0.5))
    assert notes(found)[0] == (
        "'recency' is the days since the last of orders (for 100% of customers), and was told anew "
        "as of 7 days earlier."
    )
    assert notes(found)[1].startswith("Taken as of today: opt_in.")


def test_who_would_have_been_eligible_a_window_earlier_is_the_baseline(shop):
    fill(shop)
    held(planned(shop))


def test_the_table_itself_tells_the_day_it_is_of(shop):
    fill(shop, declared=False)
    held(planned(shop))


def test_a_server_rolls_back_alike(tmp_path, postgres, desk):
    other = Shop(tmp_path, postgres, desk)
    fill(other)
    held(planned(other, WINBACK + "engine: {name: postgres, connection: dbname=x}\n"))


def test_what_events_do_not_tell_is_as_of_today_and_said_so(shop):
    fill(shop, recency=(19, 11, 9, None, 28, 40))
    found = planned(shop)
    assert found.baseline.customers == found.customers == 3
    assert any(note.startswith("Customers were chosen as they are now.") for note in notes(found))


def test_no_table_of_contacts_is_no_hindrance(shop):
    fill(shop)
    shop.table("contacts", {"id": [1], "at": [AS_OF]}, time="at")
    shop.locate("contacts.parquet").unlink()
    metrics = SALES + "  contacts: {from: contacts, count: true}\n"
    program = "time_zone: UTC\nsmallest_cell: 2\ncontact_policy: {max_contacts: 2, per: 28 days, "
    asked = shop.plan(WINBACK, metrics, program=program + "contacts: contacts}")
    assert asked.experiment.money.contacts == "contacts"
    found = plan(asked, Assumptions(), PlanningContext(NOW, shop.engine))
    assert (found.baseline.customers, found.customers) == (3, 2)
    assert (found.money_absent, found.money[0].arm) == (None, "mail")
    assert notes(found)[0].startswith("There is no table contacts yet")


def test_tables_drawn_some_days_ago_end_before_today(shop):
    fill(shop)
    found = planned(shop, WINBACK.replace("waves: [{start: 2026-03-02, share: 100%}]\n", ""))
    assert found.baseline.described.values["date"] == "2026-02-25"


ORDERS = st.lists(
    st.tuples(st.integers(1, 8), st.integers(0, 60), st.integers(1, 9)), min_size=12, max_size=40
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(orders=ORDERS, end=st.sampled_from([0, 1]), lag=st.sampled_from([7, 28]))
def test_columns_told_anew_are_those_of_an_earlier_table(tmp_path, orders, end, lag):
    """A table is made from orders by hand for two days; the later one rolled back is the earlier.

    Orders count up to the day's beginning or to its end, whichever the table's maker chose; one of
    that day tells which.
    """
    orders = [*orders, (1, 0, 5)]
    day = AS_OF - timedelta(days=1 - end)
    when = [(who, AS_OF - timedelta(days=ago), amount) for who, ago, amount in orders]

    def table(last):
        rows = []
        for who in range(1, 11):
            mine = [(at, amount) for i, at, amount in when if i == who and at <= last]
            latest = max((at for at, _ in mine), default=None)
            stamp = last + timedelta(days=1 - end)
            since = None if latest is None else (stamp - latest).days
            rows.append((since, len(mine), float(sum(amount for _, amount in mine)), latest))
        return rows

    now, before = table(day), table(day - timedelta(days=lag))
    if any(len({row[at] for row in now} - {None, 0}) < 3 for at in range(4)):
        return  # too few different values to tell how they came about
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        shop = Shop(tmp_path, engine)
        since, number, total, latest = map(list, zip(*now, strict=True))
        columns = {"since": since, "number": number, "total": total, "latest": latest}
        shop.table(
            "customers", {"id": list(range(1, 11)), **columns, "as_of": [AS_OF] * 10}, as_of="as_of"
        )
        whose, at, amounts = map(list, zip(*when, strict=True))
        shop.table("orders", {"id": whose, "at": at, "amount": amounts}, time="at")
        text = WINBACK.replace(
            "recency >= 10 and opt_in",
            "since > 1 or number > 1 or total > 1 or latest > '2026-01-01'",
        )
        asked = shop.plan(text, SALES)
        attach_table(CUSTOMERS, asked.customers, engine)
        found = earlier_customers(asked, engine, timedelta(days=lag))
        assert {column.name for column in found.told} == set(columns)
        query = f"SELECT since, number, total, latest FROM {EARLIER} ORDER BY id"
        told = [tuple(row.values()) for row in engine.query(query).to_pylist()]
        # A number of orders and their total may be told by the same events: None is none.
        assert [(a, b or 0, c or 0.0, d) for a, b, c, d in told] == before


def test_what_is_taken_for_granted_can_stand_in_the_experiment(tmp_path):
    """Options go first, then the experiment; the plan on record is the same with and without."""
    values = {
        "schema": 1,
        "experiment": "spring",
        "customers": {"file": "c.csv", "id": "id"},
        "assignment": {"salt": "s"},
        "arms": {"none": {"control": True}, "mail": {"cost_per_contact": 0.5}},
        "outcome_window": "28 days",
        "currency": "EUR",
        "metrics": {"primary": "spend"},
        "money": {"revenue": "spend", "margin": "40%"},
    }
    declared = {
        "effect": "10%",
        "power": "90%",
        "baseline": {"mean": 10, "sd": 30},
        "customers": 4_000,
    }
    bare = Experiment.from_dict(values, folder=tmp_path)
    said = Experiment.from_dict({**values, "planning": declared}, folder=tmp_path)
    assert bare.resolved.sha256 == said.resolved.sha256
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "c.csv").write_text("id\n" + "\n".join(map(str, range(4_000))))
    found = json.loads(said.plan().to_json())
    assert (found["baseline"]["mean"], found["customers"]) == (10, 4_000)
    assert (found["assumed"]["lift"], found["assumed"]["power"]) == (pytest.approx(0.1), 0.9)
    other = said.plan(effect="20%", baseline_mean=5.0, baseline_sd=9.0)
    assert (other.baseline.mean, other.assumed.lift) == (5.0, pytest.approx(0.2))
    plain = make_plan()
    assert assumptions_of(plain, {}).effect == Tolerance(value=0.05, kind="relative")
    assert plain.experiment.planning is None
