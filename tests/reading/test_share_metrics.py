"""A share is what holds nothing but 0 and 1, told by its values: then few events have intervals."""

from __future__ import annotations

import pytest
from plans import pick
from shops import ARMS, NOW

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.errors import DataError
from upliftlab.results.analysis import Note

ASKED = f"assignment: {{observed: arm}}\n{ARMS}\nmetrics: {{primary: bought}}\nsegments: [area]\n"
SHARE = "  bought: {column: bought, unit: share}\n"
TWO_HUNDRED = ["none"] * 200 + ["mail"] * 200
NEWCOMBE = 0.01885
"""z²/(200 + z²), z = 1.96: Wilson's upper bound of 0 of 200, and so both ends' size."""


def analysed(shop, bought, metrics=SHARE, arms=TWO_HUNDRED):
    columns = {"id": list(range(len(arms))), "arm": arms, "bought": bought}
    columns["area"] = (["north", "south"] * len(arms))[: len(arms)]
    shop.table("customers", columns)
    return analyze(shop.plan(ASKED, metrics), AnalysisContext(shop.engine, NOW))


def test_squares_that_sum_to_the_sum_are_no_share(anywhere):
    """2 and eight times 0.5: the squares 4 + 8 · 0.25 are the sum 2 + 8 · 0.5, yet nothing is 1."""
    found = analysed(anywhere, [2.0, *[0.5] * 8] * 4, "", ["none"] * 18 + ["mail"] * 18)
    (metric,) = found.metrics
    assert metric.unit == "number"
    difference = pick(found, "difference")
    assert difference.method == "welch"
    # Two groups of 18: Σx² = 12, 18 · (2/3)² = 8.
    assert difference.se == pytest.approx((2 * (12 - 8) / 17 / 18) ** 0.5)


def of_households(shop, bought):
    asked = f"assignment: {{observed: arm, unit: home}}\n{ARMS}\nmetrics: {{primary: bought}}\n"
    columns = {"id": list(range(36)), "home": [n // 3 for n in range(36)], "bought": bought}
    shop.table("customers", {**columns, "arm": ["none"] * 18 + ["mail"] * 18})
    return analyze(shop.plan(asked, SHARE), AnalysisContext(shop.engine, NOW))


def test_a_households_shares_add_up_to_its_size(anywhere):
    """All three of a home may have bought: its total of 3 is no share above 1."""
    found = of_households(anywhere, [1, 1, 1, 1, 0, 0] * 3 + [1] * 18)
    assert pick(found, "difference").estimate == pytest.approx(1 - 12 / 18)


def test_a_households_total_above_its_size_holds_what_is_no_share(anywhere):
    with pytest.raises(DataError, match="UL206 'bought' is declared to be a share"):
        of_households(anywhere, [4, 0, 0, 1, 0, 0] * 3 + [1] * 18)


@pytest.mark.parametrize("value", [0, 1], ids=["nobody", "everybody"])
def test_a_declared_share_without_variation_has_its_interval(anywhere, value):
    found = analysed(anywhere, [value] * 400)
    difference = pick(found, "difference")
    assert (difference.estimate, difference.method, difference.note) == (0.0, "newcombe", None)
    assert (difference.low, difference.high) == pytest.approx((-NEWCOMBE, NEWCOMBE), abs=5e-6)
    assert difference.p == 1.0
    lift = pick(found, "relative_lift")
    assert (lift.low, lift.note) == (None, Note.zero_control if not value else Note.no_variation)


def test_small_cells_have_theirs_as_well(shop):
    """0 of 100 in each area: z²/(100 + z²) = 3.70 points."""
    found = analysed(shop, [0] * 400)
    cell = pick(found, "difference", dimension="area", level="north")
    assert (cell.low, cell.high) == pytest.approx((-0.03699, 0.03699), abs=5e-6)


def test_a_boolean_column_is_a_share_by_its_type(shop):
    found = analysed(shop, [False] * 400, "")
    assert found.metrics[0].unit == "share"
    assert pick(found, "difference").high == pytest.approx(NEWCOMBE, abs=5e-6)


def test_nothing_but_zeros_is_no_share_unless_declared(shop):
    found = analysed(shop, [0] * 400, "")
    assert found.metrics[0].unit == "number"
    assert pick(found, "difference").note is Note.no_variation


def test_a_share_of_something_else_is_compared_as_the_number_it_is(shop):
    """A customer's own share of discounted items is shown in points, but no count of customers."""
    found = analysed(shop, [0.0, 0.5] * 200)
    assert pick(found, "difference").method == "welch"


def test_a_late_value_beyond_the_sample_is_seen(shop, monkeypatch):
    """What looks like a share in the first rows is held against all of them."""
    monkeypatch.setattr("upliftlab.queries.moments.SAMPLE", 100)
    found = analysed(shop, [0, 1] * 190 + [2.0] + [0.5] * 8 + [0] * 11, "")
    assert (found.metrics[0].unit, pick(found, "difference").method) == ("number", "welch")


def test_a_guardrail_of_nobody_is_kept(shop):
    """0 of 200 against 0 of 200 complain: at most 1.88 points more, within a limit of 2."""
    columns = {"id": list(range(400)), "arm": TWO_HUNDRED, "spend": list(range(400))}
    shop.table("customers", columns | {"complained": [0] * 400})
    text = ASKED.replace("primary: bought}", "primary: spend, guardrails: {complained: ")
    text = text.replace("segments: [area]\n", "")
    text = text.replace("complained: ", "complained: {max_increase: 2 points}}}")
    metrics = "  complained: {column: complained, unit: share, better: lower}\n"
    metrics += "  spend: {column: spend}\n"
    found = analyze(shop.plan(text, metrics), AnalysisContext(shop.engine, NOW))
    (check,) = (c for c in found.checks if c.name == "guardrail:complained:mail")
    assert check.passed is True
