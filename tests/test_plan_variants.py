"""What else a campaign could measure: each number is that of an experiment declared so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from shops import Shop

from upliftlab.config.models.limits import Tolerance
from upliftlab.engines.duckdb import DuckDB
from upliftlab.planning.assumptions import Assumptions
from upliftlab.planning.plan import PlanningContext, plan

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CAMPAIGN = """\
arms: {none: {share: 50%, control: true}, mail: {share: 50%, channel: email, cost_per_contact: 0.1}}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics: {primary: revenue, secondary: [bought]}
money: {revenue: revenue, margin: 40%, fixed_cost: {mail: 2}}
"""
METRICS = (
    "  revenue: {from: orders, sum: amount, unit: money, better: higher}\n"
    "  bought: {from: orders, any: true, unit: share, better: higher}\n"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """600 customers of whom some buy often and some never, always for about as much."""
    root, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(3)
    with DuckDB(lambda file: root / "data" / file) as engine:
        made = Shop(root, engine)
        made.table("customers", {"id": np.arange(600)})
        whose = rng.choice(600, 4_000, p=(weights := rng.gamma(0.5, size=600)) / weights.sum())
        days = rng.integers(0, 60, 4_000)
        orders = {
            "id": whose,
            "at": [date(2026, 3, 1) - timedelta(days=int(day)) for day in days],
            "amount": rng.gamma(2.0, 10.0, 4_000),
        }
        made.table("orders", orders, time="at")
        yield made


def planned(shop, text=CAMPAIGN):
    assumed = Assumptions(effect=Tolerance(value=0.2, kind="relative"))
    return plan(shop.plan(text, METRICS), assumed, PlanningContext(NOW, shop.engine))


@pytest.fixture(scope="module")
def told(shop):
    found = planned(shop)
    answer = found.answers[0]
    assert (answer.name, answer.state) == ("effect", "cannot")
    return found, {way.template.split(",")[0]: way.values for way in answer.ways}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Even with {line}", CAMPAIGN + "analysis: {covariates: [revenue_before]}\n"),
        ("Counted for {days:count} days", CAMPAIGN.replace("7 days", "14 days")),
        ("Asked of {metric}", CAMPAIGN.replace("primary: revenue", "primary: bought")),
    ],
)
def test_a_measured_way_is_that_of_an_experiment_declared_so(shop, told, name, text):
    _, ways = told
    text = text.replace("secondary: [bought]", "secondary: []")
    assert ways[name]["needed"] == planned(shop, text).needed


def test_several_campaigns_are_pooled_where_one_is_too_small(told):
    found, ways = told
    count = ways["Pool {count:count} campaigns of this size: if the effect is the same in each"]
    assert count == {"count": -(-found.needed // 600), "needed": found.needed}


def test_roi_is_asked_for_as_a_campaign_tells_it_that_finds_the_effect(shop):
    """With the customers needed, the answer is yes; what is wanted is not much more than that."""
    found = planned(shop)
    assumed = Assumptions(effect=Tolerance(value=0.2, kind="relative"), customers=found.needed)
    large = plan(shop.plan(CAMPAIGN, METRICS), assumed, PlanningContext(NOW, shop.engine))
    roi = large.answers[-1]
    assert (roi.name, roi.state) == ("roi", "yes")
    assert large.assumed.roi_within == found.assumed.roi_within
    assert large.money[0].roi_half <= large.assumed.roi_within <= 1.1 * large.money[0].roi_half
