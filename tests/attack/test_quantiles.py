"""Quantiles are values of single customers: none of them gets out, whoever asks for which."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.render import render
from upliftlab.results.analysis import Note
from upliftlab.stats.quantiles import quantile_of, ranks_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)
AMOUNT = 61.8374
TELLING = re.compile(r"61[.,]8[34]|618374")
FIVE = "time_zone: UTC\nsmallest_cell: 5"
SHARES = [f"p{share}" for share in (1, 5, 10, 25, "25.1", 50, 75, 90, "98.5", 99, "99.5", "99.9")]
TEXT = f"""\
assignment: {{observed: arm}}
arms: {{none: {{control: true}}, mail: {{channel: email}}}}
currency: EUR
metrics: {{primary: spent, quantiles: {{spent: [{", ".join(SHARES)}]}}}}
"""
AMOUNTS = {
    "cents": lambda rng, n: np.round(rng.lognormal(4, 1, n), 2),
    "most buy nothing": lambda rng, n: np.round(rng.lognormal(4, 2, n) * (rng.random(n) < 0.1), 2),
    "prices": lambda rng, n: rng.choice([0, 9.99, 19.99, 49.99], n) + (rng.random(n) < 0.02) * 0.37,
    "refunds": lambda rng, n: np.round(rng.normal(0, 1_000, n), 2),
    "far from nothing": lambda rng, n: 1e9 + np.round(rng.random(n), 3),
    "tiny": lambda rng, n: rng.random(n) * 1e-6,
}


def sharing(spent, told):
    """How many round to what is told."""
    reach = told.rounded_to / 2 + 1e-9 * abs(told.value) * (told.rounded_to > 0)
    return int((np.abs(spent - told.value) <= reach).sum())


@pytest.mark.parametrize("audience", ["internal", "public"])
@pytest.mark.parametrize("kind", AMOUNTS)
def test_as_many_as_a_cell_round_to_what_is_told(shop, kind, audience):
    rng = np.random.default_rng(len(kind))
    least = {"internal": 5, "public": 10}[audience]
    for n in (61, 200, 1_999):
        table = {"arm": np.repeat(["none", "mail"], n), "spent": AMOUNTS[kind](rng, 2 * n)}
        shop.table("customers", {"id": np.arange(2 * n), **table})
        plan = shop.plan(TEXT, program=FIVE)
        found = analyze(plan, AnalysisContext(shop.engine, NOW, audience=audience))
        told = [each for each in found.distribution if each.value is not None]
        assert len(told) > 8
        for each in told:
            spent = table["spent"][table["arm"] == each.arm]
            assert sharing(spent, each) >= least, (kind, n, each)
            assert n * min(each.share, 1 - each.share) >= 10 - 1e-9
        steps = {(each.arm, each.share): each.rounded_to for each in told}
        for each in (q for q in found.quantiles if q.estimate is not None):
            step = max(steps[arm, each.share] for arm in (each.arm, each.control))
            for number in (each.estimate, each.low, each.high):
                if number is not None and step:
                    assert number / step == pytest.approx(round(number / step), abs=1e-6)


def test_one_amount_that_is_the_quantile_is_in_no_file(shop):
    """The median of 197 in either arm is one that nobody else has; of two above, nothing is."""
    below, above = np.linspace(10, 50, 98), np.linspace(70, 120, 98)
    spent = np.concatenate([below, [AMOUNT], above])
    table = {"arm": np.repeat(["none", "mail"], 197), "spent": np.concatenate([spent, spent])}
    assert np.median(spent) == AMOUNT
    found = shop.analysed(table, TEXT, FIVE)
    middle = {q.share: q for q in found.distribution if q.arm == "mail"}
    assert middle[0.5].value is not None
    assert abs(middle[0.5].value - AMOUNT) > 0.5
    assert {middle[share].note for share in (0.01, 0.99, 0.995)} == {Note.few_beyond}
    pages = [render(found), render(found, lang="zh")]
    for text in (to_json(found).decode(), to_csv(found).decode("utf-8-sig"), *pages):
        shown = re.sub(r"base64,[^\"]*", "", text)
        assert TELLING.findall(shown) == []
    assert not {spent.min(), spent.max()} & {q.value for q in found.distribution}


@given(
    st.lists(st.integers(-50, 400).map(lambda v: v / 4) | st.floats(-1e6, 1e6), min_size=20),
    st.floats(0.02, 0.98),
    st.integers(2, 9),
)
def test_whatever_the_amounts(values, share, cell):
    ordered = np.sort(np.array(values))
    ranks = ranks_of(share, len(ordered), 0.95, cell)
    if ranks is None:
        assert len(ordered) * min(share, 1 - share) < max(10, cell) or len(ordered) < 40
        return
    assert 1 <= min(ranks.whole) <= max(ranks.whole) <= len(ordered)
    held = {r: (float(ordered[r - 1]), int((ordered == ordered[r - 1]).sum())) for r in ranks.whole}
    found = quantile_of(ranks, held)
    near = np.abs(ordered - found.told) <= found.step / 2 + 1e-9 * max(1, abs(found.told))
    assert near.sum() >= cell
    assert abs(found.told - found.value) <= found.step / 2 * (1 + 1e-9)
    assert held[floor(ranks.at)][0] <= found.value <= held[ceil(ranks.at)][0]
