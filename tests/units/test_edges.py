"""Where a number could be wrong in silence: open windows, ids that never meet, the unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from shops import each_own_arm

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.errors import ConfigError, DataError

ARMS = "arms: {none: {control: true}, mail: {channel: email}}\n"
WAVE = "waves: [{start: 2026-03-02, share: 100%}]\n"
WINDOW = "outcome_window: 28 days\nmetrics: {primary: revenue}\n"
SALES = "  revenue: {from: orders, sum: amount}\n"
TEXT = "assignment: {observed: arm}\n" + WAVE + WINDOW + ARMS
BEFORE = "analysis: {covariates: [revenue_before]}\n"
SIZE = 400


def fill(shop, *, last=28, ids=None, people=None, **declared):
    """400 customers, half treated, and an order a day each for a fortnight before and after."""
    columns = {"id": list(range(SIZE)), "arm": ["mail", "none"] * (SIZE // 2)}
    shop.table("customers", columns | (people or {}))
    days = [date(2026, 3, 2) + timedelta(days=k) for k in range(-14, last)]
    whose = [k for k in range(SIZE) for _ in days]
    rows = {
        "id": whose if ids is None else [ids(k) for k in whose],
        "at": days * SIZE,
        "amount": [1.0 + k % 7 for k in range(len(whose))],
    }
    shop.table("orders", rows, **({"time": "at"} | declared))


def found(shop, text=TEXT, metrics=SALES, now=datetime(2026, 6, 1, tzinfo=UTC), **more):
    return analyze(shop.plan(text, metrics, **more), AnalysisContext(shop.engine, now))


def check(analysis, name):
    return next(each for each in analysis.checks if each.name == name)


def test_an_open_window_is_not_final_whatever_the_tables_hold(shop):
    fill(shop, last=14)
    half = datetime(2026, 3, 16, 12, tzinfo=UTC)
    early = found(shop, now=half)
    assert early.verdict.code == "NOT FINAL"
    assert "March 30, 2026" in early.verdict.sentence
    assert not [each for each in early.checks if each.name.startswith("completeness")]
    assert next(iter(early.findings)).estimate is not None
    cut = found(shop)
    assert cut.verdict.code == "INVALID"
    assert check(cut, "completeness:orders").passed is False


def test_maturity_of_everybody_s_own_start(shop):
    days = ["2026-03-02 00:00"] * (SIZE - 1) + ["2026-03-20 18:00"]
    starts = pa.array([datetime.fromisoformat(day) for day in days], pa.timestamp("us"))
    fill(shop, last=60, people={"seen": starts})
    text = TEXT.replace(WAVE, "").replace("observed: arm", "observed: arm, start: seen")
    for day, code in ((16, "NOT FINAL"), (17, "NOT FINAL"), (18, "INCONCLUSIVE")):
        now = datetime(2026, 4, day, 12, tzinfo=UTC)
        assert (found(shop, text, now=now).verdict.code == "NOT FINAL") == (code == "NOT FINAL")
    later = datetime(2026, 4, 17, 18, 0, 1, tzinfo=UTC)
    assert found(shop, text, now=later).verdict.code != "NOT FINAL"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (lambda k: f"{k:06}", "with the leading zeros that ids of customers have lost"),
        (lambda k: k + 10_000, "No event of orders is of a known customer"),
    ],
    ids=["padded", "others"],
)
def test_ids_that_never_meet_void_the_result(shop, ids, said):
    fill(shop, ids=ids)
    analysis = found(shop)
    assert analysis.verdict.code == "INVALID"
    assert said in analysis.verdict.sentence


def test_spaces_around_the_customers_own_ids(shop):
    fill(shop, ids=str)
    columns = {"id": [f"{k} " for k in range(SIZE)], "arm": ["mail", "none"] * (SIZE // 2)}
    shop.table("customers", columns)
    analysis = found(shop)
    assert check(analysis, "unknown_customers:orders").severity == "critical"
    assert "without the spaces" in check(analysis, "unknown_customers:orders").message


def test_each_table_s_ids_are_compared_in_their_own_way(shop):
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    at = [date(2026, 3, 3)] * 2
    orders = {"id": pa.array([1.0, 2.0]), "at": at, "amount": [5.0, 6.0]}
    shop.table("orders", orders, time="at")
    shop.table("surveys", {"id": ["1", "2"], "at": at, "score": [9, 3]}, time="at")
    more = SALES + "  score: {from: surveys, last: score}\n"
    text = "assignment: {observed: arm}\n" + WAVE + WINDOW.replace("}", ", secondary: [score]}")
    units = shop.units(shop.plan(text + arms, more))
    assert [(row["revenue"], row["score"]) for _, row in sorted(units.items())] == [(5, 9), (6, 3)]


def test_what_a_condition_does_not_know_is_no_zero(shop):
    fill(shop, people={"flag": [1.0, None] * (SIZE // 2)})
    for word in ("only", "unless"):
        metrics = SALES.replace("amount}", f"amount, {word}: flag}}")
        with pytest.raises(DataError, match=r"UL206 column 'flag' .* 200 are empty"):
            found(shop, metrics=metrics)


@pytest.mark.parametrize(
    ("values", "bad"),
    [
        (pa.array([date(2026, 3, 1)] * SIZE), 0),
        (pa.array([date(2026, 3, 2)] * SIZE), SIZE),
        (pa.array(["2026-03-01"] * SIZE), 0),
        (pa.array(["2026-03-02"] * 7 + ["2026-03-01"] * (SIZE - 7)), 7),
        (pa.array([None] * 5 + [date(2026, 3, 1)] * (SIZE - 5)), 5),
        # 23:30 in UTC is 00:30 on the day itself in Berlin.
        (pa.array([datetime(2026, 3, 1, 23, 30, tzinfo=UTC)] * SIZE), SIZE),
        (pa.array([datetime(2026, 3, 1, 22, 30, tzinfo=UTC)] * SIZE), 0),
    ],
)  # fmt: skip
def test_attributes_of_the_day_itself(shop, values, bad):
    fill(shop)
    columns = {"id": list(range(SIZE)), "arm": ["mail", "none"] * (SIZE // 2), "as_of": values}
    shop.table("customers", columns, as_of="as_of")
    analysis = found(shop, program="time_zone: Europe/Berlin")
    assert check(analysis, "known_before").value == bad
    assert check(analysis, "known_before").passed is (bad == 0)


def test_starts_as_instants_close_when_they_close(shop):
    instants = pa.array([datetime(2026, 3, 2, tzinfo=UTC)] * SIZE, pa.timestamp("us", "UTC"))
    fill(shop, people={"seen": instants})
    text = TEXT.replace(WAVE, "").replace("observed: arm", "observed: arm, start: seen")
    analysis = found(shop, text, program="time_zone: Europe/Berlin")
    assert check(analysis, "completeness:orders").passed
    assert "March 30" in check(analysis, "maturity").message


def test_days_of_a_source_in_another_zone_are_days(shop):
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    days = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 29), date(2026, 3, 30)]
    rows = {"id": [1] * 4, "at": days, "amount": [1.0, 10.0, 100.0, 1000.0]}
    shop.table("orders", rows, time="at", zone="Asia/Shanghai")
    text = "assignment: {observed: arm}\n" + WAVE + WINDOW + arms
    units = shop.units(shop.plan(text, SALES, program="time_zone: Europe/Berlin"))
    assert units["arm 1"]["revenue"] == 110.0


def test_events_loaded_twice_without_a_key(shop):
    fill(shop)
    rows = {"id": [1, 1, 2, 2] * 50, "at": [date(2026, 3, 25)] * 200, "amount": [5.0] * 200}
    shop.table("orders", rows, time="at")
    twice = check(found(shop), "duplicates:orders")
    assert (twice.passed, twice.value) == (False, 0.99)


def test_what_the_campaign_sends_comes_in_bursts(shop):
    fill(shop)
    sent = {"id": list(range(0, SIZE, 2)), "at": [date(2026, 3, 2)] * (SIZE // 2)}
    shop.table("contacts", sent, time="at")
    money = "money: {revenue: revenue, margin: 50%, contacts: contacts}\ncurrency: EUR\n"
    analysis = found(shop, TEXT + money, SALES + "  contacts: {from: contacts, count: true}\n")
    assert analysis.verdict.code != "INVALID"


def test_currencies_where_none_is_declared(shop):
    fill(shop)
    rows = {"id": [1, 2, 3] * 100, "at": [date(2026, 3, 29)] * 300, "amount": [5.0] * 300}
    for names, other in ((["EUR"] * 300, 0), (["EUR"] * 290 + ["USD"] * 10, 10)):
        shop.table("orders", rows | {"money": names}, time="at", currency="money")
        assert check(found(shop), "currency:orders").value == other


@pytest.mark.parametrize(
    ("text", "metrics", "code"),
    [
        (TEXT.replace(WINDOW, "metrics: {primary: arm}\n" + BEFORE),
         SALES, "UL140"),
        (TEXT + BEFORE,
         SALES + "  revenue_before: {from: orders, count: true}\n"
         "  x: {from: orders, any: true, unless: revenue_before}\n", "UL142"),
        (TEXT.replace("revenue}", "aov}") + "decision: {metric: revenue}\n",
         SALES + "  n: {from: orders, count: true}\n  aov: {ratio: [revenue, n]}\n", "UL120"),
        (TEXT.replace("28 days", "9999 weeks"), SALES, "UL014"),
    ],
)  # fmt: skip
def test_yaml_that_would_have_failed_later(shop, text, metrics, code):
    fill(shop)
    text = text.replace("primary: revenue}", "primary: x}") if "x:" in metrics else text
    with pytest.raises(ConfigError, match=code):
        shop.plan(text, metrics)
