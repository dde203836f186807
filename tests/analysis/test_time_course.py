"""Effects by the days after the customers' starts, worked out by hand and anew by rows."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isclose, sqrt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import SMALL

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.time_course import told_points
from upliftlab.results.estimands import EstimandKind
from upliftlab.stats.by_day import DailySums, moments_by_day
from upliftlab.stats.moments import Moments

PLAN = """
assignment: {observed: arm}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics: {primary: revenue}
money: {revenue: revenue, margin: 50%}
arms: {none: {control: true}, mail: {cost_per_contact: 1 EUR}}
"""
METRICS = "\n  revenue: {from: orders, sum: amount, better: higher}\n"
ORDERS = [
    (1, "2026-03-02 00:00:00", 10),
    (2, "2026-03-02 23:59:59", 6),
    (5, "2026-03-02 09:00:00", 20),
    (6, "2026-03-02 10:00:00", 8),
    (1, "2026-03-04 00:00:00", 4),
    (3, "2026-03-04 23:59:59", 2),
    (5, "2026-03-04 11:00:00", 10),
    (7, "2026-03-04 12:00:00", 6),
    (2, "2026-03-08 12:00:00", 2),
    (4, "2026-03-08 23:59:59", 8),
    (6, "2026-03-08 12:00:00", 4),
    (8, "2026-03-08 12:00:00", 4),
    (8, "2026-03-09 00:00:00", 99),  # the window has closed
    (8, "2026-03-01 23:59:59", 99),  # it has not begun
]


def course_of(shop, *, now=datetime(2026, 6, 1, tzinfo=UTC), plan=PLAN, orders=ORDERS):
    whose, when, amounts = zip(*orders, strict=True)
    shop.table("customers", {"id": list(range(1, 9)), "arm": ["none"] * 4 + ["mail"] * 4})
    times = pa.array([datetime.fromisoformat(each) for each in when], pa.timestamp("us"))
    amount = pa.array(amounts, pa.float64())
    shop.table("orders", {"id": list(whose), "at": times, "amount": amount}, time="at")
    asked = shop.plan(plan, metrics=METRICS, program=SMALL)
    return analyze(asked, AnalysisContext(shop.engine, now))


def curve(found, kind):
    return next(c for c in found.time_course.curves if c.kind is kind)


def test_days_worked_out_by_hand(anywhere):
    found = course_of(anywhere)
    difference = curve(found, EstimandKind.difference)
    told = {point.day: point for point in difference.points}
    assert {day: point.estimate for day, point in told.items()} == pytest.approx(
        {0: 0, 1: 3, 2: 3, 3: 5.5, 4: 5.5, 5: 5.5, 6: 5.5, 7: 5}
    )
    assert told[3].se == pytest.approx(sqrt((115 / 3 + 516 / 3) / 4))
    profit = curve(found, EstimandKind.incremental_profit)
    assert [p.estimate for p in profit.points] == pytest.approx([-4, 2, 2, 7, 7, 7, 7, 6])
    assert (profit.positive_from, profit.certain_from) == (1, None)
    assert (found.time_course.days, found.time_course.final) == (7, True)


def test_the_last_day_is_the_finding(anywhere):
    found = course_of(anywhere)
    for made in found.time_course.curves:
        last = made.points[-1]
        (finding,) = (f for f in found.findings if (f.kind, f.arm) == (made.kind, made.arm))
        for name in ("estimate", "se", "low", "high"):
            one, other = getattr(last, name), getattr(finding, name)
            assert one is other or isclose(one, other, rel_tol=1e-9), name


def test_read_early_it_ends_with_the_last_day_of_all(shop):
    found = course_of(shop, now=datetime(2026, 3, 5, 12, tzinfo=UTC))
    assert (found.time_course.days, found.time_course.window) == (3, 7)
    assert not found.time_course.final
    last = curve(found, EstimandKind.difference).points[-1]
    assert (last.day, last.estimate) == (3, pytest.approx(5.5))
    assert last.low is None
    assert found.time_course.curves[0].points[-1].high is None


def test_a_column_has_no_course(shop):
    plan = "assignment: {observed: arm}\nmetrics: {primary: spend}\narms: {none: {control: true}, "
    columns = {"arm": ["none", "mail"] * 10, "spend": np.arange(20.0)}
    found = shop.analysed(columns, plan + "mail: {}}\n", program=SMALL)
    assert found.time_course.curves == ()
    assert "nothing is counted from events" in found.time_course.absent[0].template


def test_days_of_few_are_told_together():
    assert told_points({"a": [0, 1, 4, 0, 7], "b": [0, 5, 0, 2, 3]}, 5, 4) == (0, 2, 3 + 1)
    assert told_points({"a": [0, 1, 0, 0]}, 5, 3) == (0, 3)
    assert told_points({"a": [3, 0, 0]}, 5, 2) == (0, 1, 2)


@given(
    st.integers(1, 30),
    st.integers(1, 6),
    st.integers(0, 2**32),
)
def test_moments_of_days_are_those_of_rows(units, days, seed):
    rng = np.random.default_rng(seed)
    steps = rng.poisson(0.4, (units, days, 2)) * rng.lognormal(1, 1, (units, days, 2))
    path, known = steps.cumsum(axis=1), rng.normal(50, 9, (units, 1))
    rows = [np.column_stack([path[:, day], known]) for day in range(days)]
    whole = Moments.of(rows[-1])
    centre = np.array([0.0, 0.0, 50.0])
    full = np.concatenate([path, np.repeat(known[:, None] - 50, days, axis=1)], axis=2)
    sums = DailySums.of(full)
    sums.second[:, 2, 2] = 0.0  # those that stay the same are told by the whole
    before = np.concatenate([np.zeros((units, 1, 2)), path[:, :-1]], axis=1)
    cross = np.einsum("udp,u->dp", path - before, known[:, 0] - 50)
    sums.second[:, :2, 2] = sums.second[:, 2, :2] = cross
    sums.first[:, 2] = sums.third[:, 2] = 0.0
    made = moments_by_day(whole, sums, np.zeros(3), (2,), centre)
    for found, table in zip(made, rows, strict=True):
        expected = Moments.of(table)
        np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9)
        scale = np.sqrt(np.outer(np.diag(expected.m2), np.diag(expected.m2))) + 1e-6
        assert (np.abs(found.m2 - expected.m2) <= 1e-8 * scale + 1e-8).all()
