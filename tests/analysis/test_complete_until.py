"""How far a table of events is filled: what its last event tells, unless it is declared."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from commands import upliftlab

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config import load

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIZE = 400
START = date(2026, 3, 2)
METRICS = "  clicks: {from: clicks, count: true}\n"
TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 28 days\nmetrics: {primary: clicks}\n"
    "arms: {none: {control: true}, ad: {}}\n"
)


def fill(shop, *, last=14, hour=None, **declared):
    """An ad that is clicked for a fortnight, and by nobody afterwards."""
    shop.table("customers", {"id": list(range(SIZE)), "arm": ["ad", "none"] * (SIZE // 2)})
    days = [START + timedelta(days=k) for k in range(-7, last)]
    when = pa.array(days * SIZE, pa.date32())
    if hour is not None:
        when = pa.array(
            [datetime(d.year, d.month, d.day, hour, tzinfo=UTC) for d in days] * SIZE,
            pa.timestamp("us", "UTC"),
        )
    shop.table("clicks", {"id": [k for k in range(SIZE) for _ in days], "at": when}, **declared)


def found(shop, text=TEXT, now=NOW, program="time_zone: UTC\nsmallest_cell: 2", **declared):
    fill(shop, **({"time": "at"} | declared))
    return analyze(shop.plan(text, METRICS, program=program), AnalysisContext(shop.engine, now))


def check(analysis, name="completeness:clicks"):
    return next(each for each in analysis.checks if each.name == name)


def test_a_table_that_ends_early_names_the_way_out(shop):
    cut = found(shop)
    assert cut.verdict.code == "INVALID"
    assert "The last event of clicks is of March 15, 2026" in cut.verdict.sentence
    assert "write 'complete_until: 2026-03-29' under clicks" in cut.verdict.sentence
    assert "complete_until" in upliftlab("explain", "UL222", cwd=shop.root).stdout


def test_the_line_that_is_named_is_the_way_out(anywhere):
    analysis = found(anywhere, complete_until="2026-03-29")
    assert analysis.verdict.code == "INCONCLUSIVE"
    told = check(analysis)
    assert told.passed
    assert "declared complete up to March 29, 2026" in told.message


def test_a_day_less_and_the_window_is_still_open(shop):
    early = found(shop, complete_until="2026-03-28")
    assert early.verdict.code == "NOT FINAL"
    assert "closes on March 30, 2026" in early.verdict.sentence
    assert "complete up to March 28, 2026 only ('complete_until')" in early.verdict.sentence
    assert "move its 'complete_until'" in early.verdict.next_action
    assert early.look.fraction == pytest.approx(27 / 28)
    assert "complete up to March 28" in check(early, "maturity").message


def test_also_where_its_last_event_is_later(shop):
    """A table that was half filled for a day is known only up to the day before."""
    assert found(shop, last=60, complete_until="2026-03-20").verdict.code == "NOT FINAL"


def test_planned_looks_are_due_by_what_is_on_record(shop):
    looks = TEXT + "analysis: {looks: [14 days]}\n"
    first = found(shop, looks, last=60, complete_until="2026-03-20")
    assert (first.look.number, first.look.planned) == (1, 2)
    late = found(shop, looks, last=60, complete_until="2026-04-20")
    assert (late.look.number, late.look.planned) == (2, 2)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("America/New_York", 29), ("UTC", 29), ("Europe/Berlin", 29), ("Asia/Shanghai", 30)],
)
def test_the_day_is_one_of_the_table_s_own_zone(shop, zone, day):
    """The window ends in Berlin's night of 29 March, which is the morning of the 30th in China."""
    berlin = "time_zone: Europe/Berlin\nsmallest_cell: 2"
    declared = {"hour": 12, "zone": zone, "program": berlin}
    analysis = found(shop, **declared, complete_until=f"2026-03-{day}")
    assert analysis.verdict.code == "INCONCLUSIVE"
    assert check(analysis).passed
    day_before = found(shop, **declared, complete_until=f"2026-03-{day - 1}")
    assert day_before.verdict.code == "NOT FINAL"


def test_no_click_at_all_may_be_declared(shop):
    empty = found(shop, last=-6)  # all of it lies before the window
    assert empty.verdict.code == "INVALID"
    declared = found(shop, last=-6, complete_until="2026-03-29")
    assert check(declared, "presence:clicks").severity == "warning"
    assert declared.verdict.code != "INVALID"


def test_check_data_names_the_key(shop):
    fill(shop, time="at")
    shop.plan(TEXT, METRICS)
    done = upliftlab("check", "experiment.yaml", "--data", "data", cwd=shop.root)
    assert "UL222 The last event of clicks" in done.stdout
    assert "'complete_until: 2026-03-29' under clicks" in done.stdout
    fill(shop, time="at", complete_until="2026-03-29")
    shop.plan(TEXT, METRICS)
    done = upliftlab("check", "experiment.yaml", "--data", "data", cwd=shop.root)
    assert "UL222" not in done.stdout


def test_a_plan_is_the_same_however_far_its_tables_were_filled(shop):
    fill(shop, time="at")
    before = shop.plan(TEXT, METRICS)
    fill(shop, time="at", complete_until="2026-03-29")
    after = shop.plan(TEXT, METRICS)
    assert after.sources["clicks"].complete_until == date(2026, 3, 29)
    assert after.sha256 == before.sha256
    assert load(shop.root / "experiment.yaml").plan.sha256 == before.sha256
