"""Margins by a column's values: profit, bridge, what if and page are those of the metric itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import upliftlab as ul
from upliftlab.errors import ConfigError

SHOP = {
    "schema": 1,
    "experiment": "spring",
    "customers": {"table": "customers", "id": "customer_id"},
    "assignment": {"observed": "arm"},
    "arms": {"none": {"control": True}, "mail": {"cost_per_contact": 0.4}},
    "currency": "EUR",
    "metrics": {"primary": "spend"},
}
TABLE = {"by": "category", "equipment": "25%", "subscription": "60%"}


@pytest.fixture(scope="module")
def customers():
    draw = np.random.default_rng(5)
    mail = draw.random(800) < 0.5
    category = np.where(draw.random(800) < 0.4 + 0.2 * mail, "subscription", "equipment")
    spend = np.round(draw.normal(20.0, 5.0, 800) + 2.0 * mail, 2)
    share = np.where(category == "equipment", 0.25, 0.6)
    return pd.DataFrame(
        {
            "customer_id": range(800),
            "arm": np.where(mail, "mail", "none"),
            "spend": spend,
            "category": category,
            "earned": spend * share,
            "thin": spend * share / 2,
        }
    )


def found(customers, **money):
    return ul.Experiment.from_dict({**SHOP, "money": money}).analyze(customers)


def of_money(analysis):
    """Profit, return and the bridge without revenue, as numbers."""
    profit = [f for f in analysis.findings if f.kind.value in ("incremental_profit", "roi")]
    assert len(profit) == 2
    numbers = [(f.estimate, f.low, f.high) for f in profit]
    (bridge,) = [b for b in analysis.bridges if b.dimension is None]
    return numbers + [(line.estimate, line.low, line.high) for line in bridge.lines[1:]]


def test_a_table_is_the_metric_that_it_stands_for(customers):
    table = found(customers, revenue="spend", margin=TABLE)
    metric = found(customers, revenue="spend", margin="earned")
    alone = found(customers, revenue="earned", margin="100%")
    assert np.array(of_money(table)) == pytest.approx(np.array(of_money(metric)))
    assert np.array(of_money(table)) == pytest.approx(np.array(of_money(alone)))
    terms = table.terms
    assert (terms.margin, terms.margin_metric, terms.margin_by) == (1, "spend (margin)", "category")
    assert terms.margins == {"equipment": 0.25, "subscription": 0.6}


def test_one_share_for_all_is_that_share(customers):
    alike = found(customers, revenue="spend", margin={**TABLE, "equipment": "60%"})
    assert np.array(of_money(alike)) == pytest.approx(
        np.array(of_money(found(customers, revenue="spend", margin="60%")))
    )


def test_what_if_asks_of_all_margins_together(customers):
    analysis = found(customers, revenue="spend", margin=TABLE)
    (place,) = [p for p in analysis.what_if(margin=0.5).places if p.dimension is None]
    thin = of_money(found(customers, revenue="spend", margin="thin"))
    profit = (place.profit.estimate, place.profit.low, place.profit.high)
    assert np.array(profit) == pytest.approx(np.array(thin[0]))
    (even,) = [b for b in analysis.money_sums.break_evens if b.term == "margin"]
    assert even.now == 1
    (there,) = [p for p in analysis.what_if(margin=even.pays).places if p.dimension is None]
    assert there.profit.estimate == pytest.approx(0, abs=1e-9)
    assert analysis.what_if(margin=1.5).places


def test_the_page_tells_the_table_and_no_share_of_revenue(customers, tmp_path):
    made = found(customers, revenue="spend", margin=TABLE).report(tmp_path / "report.html")
    page = made.read_text(encoding="utf-8")
    assert "(category: equipment)" in page
    assert "Spend (margin)" in page
    assert "Margin, as a share of what it was measured to be" in page
    assert "of revenue, before marketing" not in page
    made = found(customers, revenue="spend", margin=TABLE).report(tmp_path / "zh.html", lang="zh")
    page = made.read_text(encoding="utf-8")
    assert "消费\uff08毛利\uff09" in page
    assert "(margin)" not in page.partition("<script")[0]


@pytest.mark.parametrize(
    ("margin", "said"),
    [
        ({"equipment": "25%"}, "'by' is missing"),
        ({"by": "category"}, "no margin is given"),
        ({"by": "category", "equipment": "25"}, "did you mean 25%?"),
        ({"by": "category", "equipment": "250"}, "250 is more than all of revenue"),
        ({"by": "category", "equipment": "a quarter"}, "a quarter"),
        ("0,4", "0.4"),
        ("40 percent", "40%"),
    ],
)
def test_a_margin_that_is_none_is_refused(customers, margin, said):
    with pytest.raises(ConfigError) as caught:
        found(customers, revenue="spend", margin=margin)
    assert said in str(caught.value)


@pytest.mark.parametrize("missing", [None, "zero"])
def test_what_is_not_in_the_table_is_refused(customers, tmp_path, missing):
    """Also where an empty number is declared to be 0."""
    spend = {"column": "spend", "unit": "money", "better": "higher"}
    spend |= {"missing": missing} if missing else {}
    asked = {**SHOP, "metrics": {"primary": "spend", "define": {"spend": spend}}}
    asked["money"] = {"revenue": "spend", "margin": {"by": "category", "equipment": "25%"}}
    unspent = customers.assign(spend=customers["spend"].where(customers["customer_id"] % 4 > 0))
    given = unspent if missing else customers
    outside = given["spend"].notna() & (given["category"] == "subscription")
    with pytest.raises(ul.DataError) as caught:
        ul.Experiment.from_dict(asked, folder=tmp_path).analyze(given)
    (fault,) = caught.value.faults
    told = f"{outside.sum()} customers have no value in the table of 'spend (margin)'"
    assert fault.message.startswith(told)
    assert "under 'margin' of 'money', such as 'other: 40%'" in fault.remedy
    assert "subscription" not in str(fault), "a value may be a person's"


def test_nothing_spent_has_no_margin_whatever_its_category(customers, tmp_path):
    spend = {"column": "spend", "unit": "money", "better": "higher", "missing": "zero"}
    asked = {**SHOP, "metrics": {"primary": "spend", "define": {"spend": spend}}}
    asked["money"] = {"revenue": "spend", "margin": TABLE}
    rest = customers["customer_id"] % 4 > 0
    given = customers.assign(
        spend=customers["spend"].where(rest), category=customers["category"].where(rest)
    )
    found = ul.Experiment.from_dict(asked, folder=tmp_path).analyze(given)
    as_zero = customers.assign(earned=customers["earned"].where(rest, 0.0))
    as_zero = as_zero.assign(spend=customers["spend"].where(rest, 0.0))
    asked["money"] = {"revenue": "spend", "margin": "earned"}
    other = ul.Experiment.from_dict(asked, folder=tmp_path).analyze(as_zero)
    assert np.array(of_money(found)) == pytest.approx(np.array(of_money(other)))
