"""How many vouchers at least went to customers who would have bought anyway."""

from html import unescape

import numpy as np
import pytest
from shops import Shop

from upliftlab.engines.duckdb import DuckDB
from upliftlab.report.render import render
from upliftlab.results.analysis import Note

ASKED = """
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email, cost_per_redemption: 3}}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 40%, redemptions: redeemed, conversions: bought}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    with DuckDB(lambda file: root / "data" / file) as engine:
        yield Shop(root, engine)


def world(rng, n, anyway=0.1, persuaded=0.05):
    """Customers of two equal groups: who buys anyway redeems in half of the cases, others always.

    Returns:
        The table, and how many of the treated redeem though they would have bought anyway.
    """
    arm = np.repeat(["none", "mail"], n)
    mail = arm == "mail"
    u = rng.random(2 * n)
    loyal, won = u < anyway, mail & (u >= anyway) & (u < anyway + persuaded)
    gift = mail & loyal & (rng.random(2 * n) < 0.5)
    bought = loyal | won
    table = {
        "arm": arm,
        "spend": np.where(bought, 20.0, 0.0),
        "redeemed": (gift | won).astype(int),
        "bought": bought.astype(int),
    }
    return table, int(gift.sum())


def of(shop, columns, asked=ASKED):
    analysis = shop.analysed(columns, asked)
    (bridge,) = (one for one in analysis.bridges if one.arm is not None)
    return bridge.subsidy, analysis


def test_by_hand(shop):
    """Eight of ten redeem and six buy more than the control's two would: two redeemed anyway."""
    columns = {
        "arm": ["mail"] * 10 + ["none"] * 10,
        "spend": [5.0] * 8 + [0.0] * 2 + [5.0] * 2 + [0.0] * 8,
        "redeemed": [1] * 8 + [0] * 12,
        "bought": [1] * 8 + [0] * 2 + [1] * 2 + [0] * 8,
    }
    found, _ = of(shop, columns)
    assert (found.redemptions, found.conversions) == pytest.approx((8, 6))
    assert (found.estimate, found.cost) == pytest.approx((2, 6))
    # redeemed less bought is 0 for every treated, and −1 for two of ten in the control
    assert found.se == pytest.approx(10 * (0.2 * 0.8 / 9) ** 0.5)


def test_the_interval_holds_and_the_truth_is_no_less(shop):
    """Of 120 campaigns; the bound is known here: .5·.1 + .05 redeem, .05 of them are won."""
    rng, n = np.random.default_rng(12), 1_500
    held = below = 0
    for _ in range(120):
        table, gifts = world(rng, n)
        found, _ = of(shop, table)
        held += found.low <= 0.05 * n <= found.high
        below += found.low <= gifts
    assert 107 <= held <= 119
    assert below >= 114


def test_the_page_says_it(shop):
    table, _ = world(np.random.default_rng(3), 4_000)
    found, analysis = of(shop, table)
    assert found.low > 0
    html = unescape(render(analysis))
    assert "were by customers who would have bought anyway, for" in html
    assert 'data-key="/bridges/0/subsidy/cost"' in html
    assert "优惠券" in render(analysis, lang="zh")


def test_what_cannot_be_told_is_not(shop):
    table, _ = world(np.random.default_rng(4), 400, anyway=0.02, persuaded=0.2)
    found, analysis = of(shop, table)
    assert found.low < 0
    assert "would have bought anyway cannot be told" in unescape(render(analysis))
    often = {**table, "redeemed": np.asarray(table["redeemed"]) * 2}
    found, analysis = of(shop, often)
    assert (found.estimate, found.cost, found.note) == (None, None, Note.several_redemptions)
    assert Note.several_redemptions.value in unescape(render(analysis))
    orders = {**often, "bought": np.asarray(table["bought"]) * 2}
    assert of(shop, orders)[0].note is None, "orders are counted as often as they are redeemed"


@pytest.mark.parametrize(
    "asked",
    [
        ASKED.replace("cost_per_redemption: 3", "cost_per_contact: 3"),
        ASKED.replace(", conversions: bought", ""),
    ],
)
def test_without_vouchers_or_conversions_there_is_none(shop, asked):
    table, _ = world(np.random.default_rng(5), 200)
    assert of(shop, table, asked)[0] is None
