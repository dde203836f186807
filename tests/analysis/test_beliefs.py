"""The Bayesian view of an analysis: beside its numbers, and in agreement with them."""

import numpy as np
import pytest
from page_reader import Reader
from plans import make_plan, pick, run

from upliftlab.report.render import render
from upliftlab.results.analysis import Note, VerdictCode


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("beliefs"), np.random.default_rng(4)
    rows = [
        f"{arm},{spend:.2f}"
        for arm, mean in (("none", 50), ("mail", 53))
        for spend in rng.normal(mean, 20, 800)
    ]
    (folder / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    return folder


def analysed(table, **changes):
    terms = {
        "arms": {"none": {"control": True}, "mail": {"channel": "email", "cost_per_contact": 1}},
        "money": {"revenue": "spend", "margin": "50%", "hurdle": "10%"},
        "currency": "EUR",
    }
    return run(make_plan(**{**terms, **changes}), table)


def test_without_a_prior_it_is_the_interval_and_the_p_value(table):
    found = analysed(table)
    (belief,), profit, roi = found.beliefs, pick(found, "incremental_profit"), pick(found, "roi")
    assert (belief.low, belief.high) == pytest.approx((profit.low, profit.high), rel=2e-3)
    assert belief.mean == pytest.approx(profit.estimate, rel=2e-3)
    assert belief.pays == pytest.approx(1 - profit.p / 2, abs=2e-3)
    assert belief.clears_hurdle == pytest.approx(1 - roi.p / 2, abs=2e-3)
    assert (belief.prior_mean, belief.prior_sd, belief.note) == (None, None, None)


def test_a_sceptics_prior_draws_towards_it_and_changes_nothing_else(table):
    plain = analysed(table)
    sceptical = analysed(table, analysis={"prior": {"mean": "0", "sd": "0.10"}})
    one, other = plain.beliefs[0], sceptical.beliefs[0]
    se = pick(plain, "incremental_profit").se
    weight = (0.10 * 800) ** 2 / ((0.10 * 800) ** 2 + se**2)
    assert other.mean == pytest.approx(weight * one.mean, rel=0.02)
    assert other.high - other.low < one.high - one.low
    assert (plain.findings, plain.verdict) == (sceptical.findings, sceptical.verdict)
    assert plain.plan_sha256 != sceptical.plan_sha256


@pytest.mark.parametrize(
    ("lang", "title"), [("en", "A Bayesian view of profit"), ("zh", "利润的贝叶斯视角")]
)
def test_the_page_states_the_prior_and_shows_it(table, lang, title):
    found = analysed(table, analysis={"prior": {"mean": "0.50", "sd": "1"}})
    reader = Reader(render(found, lang=lang))
    keys = {attributes["data-key"] for attributes, _ in reader.figures}
    wanted = ("mean", "low", "high", "pays", "clears_hurdle", "loss_adopted", "loss_declined")
    assert {f"/beliefs/0/{name}" for name in (*wanted, "prior_mean", "prior_sd")} <= keys
    assert title in reader.visible


def test_without_money_there_is_none(table):
    found = analysed(table, money=None, arms={"none": {"control": True}, "mail": {}})
    assert found.beliefs == ()
    assert 'id="beliefs"' not in render(found)


def test_few_purchases_tell_no_belief(tmp_path):
    rows = ["none,0"] * 60 + ["mail,0"] * 57 + ["mail,30", "mail,20", "none,50"]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    (belief,) = analysed(tmp_path).beliefs
    assert (belief.mean, belief.pays, belief.note) == (None, None, Note.few_expected)
    assert "no interval holds" in Reader(render(analysed(tmp_path))).visible


def test_invalid_data_are_believed_nothing(tmp_path):
    rows = ["none,10"] * 30 + ["none,12"] * 30 + ["mail,10"] * 300 + ["mail,11"] * 300
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows))
    found = analysed(tmp_path)
    assert found.verdict.code is VerdictCode.invalid
    assert found.beliefs == ()
