"""Rows of one key: lines of an order, or an order that was loaded twice; nobody guesses which."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from plans import pick
from shops import ARMS, NOW

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.models import Source
from upliftlab.errors import ConfigError
from upliftlab.results.analysis import VerdictCode

TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    f"outcome_window: 7 days\nmetrics: {{primary: revenue}}\n{ARMS}\n"
)
SALES = "  revenue: {from: orders, sum: amount}\n"
WHO = list(range(40))
LINES = {
    "order": [n for n in WHO for _ in range(2)],
    "id": [n for n in WHO for _ in range(2)],
    "at": [date(2026, 3, 7)] * 80,
    "amount": [float(n % 4 + 2 * (n % 2)) for n in WHO for _ in range(2)],
    "line": [1, 2] * 40,
}
"""Forty customers with an order of two lines of one price each: 0, 3, 2 or 5."""
ORDERS = {name: values for name, values in LINES.items() if name != "line"}


def found(shop, orders, **declared):
    """The analysis, and its answer on events that are there twice."""
    shop.table("customers", {"id": WHO, "arm": ["none", "mail"] * 20})
    shop.table("orders", orders, time="at", **declared)
    analysis = analyze(shop.plan(TEXT, SALES), AnalysisContext(shop.engine, NOW))
    (check,) = (c for c in analysis.checks if c.name == "duplicates:orders")
    return analysis, check


def test_lines_of_one_price_need_a_key_of_the_line(anywhere):
    analysis, check = found(anywhere, LINES, key="order")
    assert analysis.verdict.code is VerdictCode.invalid
    assert (check.passed, check.severity, check.value) == (False, "critical", 40)
    assert "40 rows of orders have the 'order' of another and differ from it" in check.message
    assert "key: [order, COLUMN]" in check.message


def test_with_it_every_line_counts(anywhere):
    """Two lines each: of the controls 0 or 4, 2 on average; of the others 6 or 10, 8."""
    analysis, check = found(anywhere, LINES, key=["order", "line"])
    assert check.passed is True
    assert pick(analysis, "difference").estimate == pytest.approx(6.0)


@pytest.mark.parametrize(("repeats", "estimate"), [("once", 3.0), ("each", 6.0)])
def test_rows_alike_in_every_column_are_what_is_declared(anywhere, repeats, estimate):
    analysis, check = found(anywhere, ORDERS, key="order")
    assert analysis.verdict.code is VerdictCode.invalid
    assert check.severity == "critical"
    assert "40 rows of orders" in check.message
    assert "'repeats: once' or 'repeats: each'" in check.message
    analysis, check = found(anywhere, ORDERS, key="order", repeats=repeats)
    assert check.severity == {"once": "warning", "each": "info"}[repeats]
    assert pick(analysis, "difference").estimate == pytest.approx(estimate)


def test_loaded_once_more_on_another_day_is_once(shop):
    """What nothing looks at, such as when a row was loaded, may then differ."""
    again = ORDERS | {"loaded": [date(2026, 4, 1), date(2026, 4, 2)] * 40}
    analysis, check = found(shop, again, key="order", repeats="once")
    assert (check.passed, check.severity) == (False, "warning")
    assert pick(analysis, "difference").estimate == pytest.approx(3.0)


def test_what_contradicts_is_critical_whatever_is_declared(shop):
    lines = ORDERS | {"amount": [float(n) for n in range(80)]}
    analysis, check = found(shop, lines, key="order", repeats="once")
    assert analysis.verdict.code is VerdictCode.invalid
    assert check.value == 40


def test_rows_without_a_whole_key_are_events_of_their_own(shop):
    lines = LINES | {"line": pa.array([None, None] * 40, pa.int64())}
    analysis, check = found(shop, lines, key=["order", "line"])
    assert check.passed is True
    assert pick(analysis, "difference").estimate == pytest.approx(6.0)


def test_repeats_are_of_a_key(shop):
    with pytest.raises(ConfigError, match=r"'repeats' says what rows of one 'key' are"):
        found(shop, LINES, repeats="once")


def test_a_key_is_written_down_as_before():
    """A plan that was locked with one column as its key stays what it was."""
    given = {"file": "orders.csv", "key": "order"}
    written = Source.model_validate(given).model_dump(mode="json")
    assert written["key"] == "order"
    assert "repeats" not in written
    several = Source.model_validate(given | {"key": ["order", "line"]}).model_dump(mode="json")
    assert several["key"] == ["order", "line"]
