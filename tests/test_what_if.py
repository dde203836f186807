"""What if: other terms answered from an analysis are what an analysis under these terms finds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from worlds import analysed, assigned

import upliftlab as ul
from upliftlab.analysis.what_if import quartic
from upliftlab.money.what_if import changed, measured, monomials, what_if
from upliftlab.report.export import rounded
from upliftlab.report.published import AnalysisReport, published
from upliftlab.results.analysis import EstimandKind, Message, VerdictCode
from upliftlab.stats.moments import Moments

ARMS = {
    "none": {"control": True},
    "mail": {"cost_per_contact": 0.1, "cost_per_redemption": 2.0, "commission": "1%"},
    "text": {"cost_per_contact": 0.3, "cost_per_redemption": 2.0, "service_cost": 0.05},
}
SHOP = {
    "schema": 1,
    "experiment": "spring",
    "customers": {"table": "customers", "id": "customer_id"},
    "assignment": {"observed": "arm"},
    "arms": ARMS,
    "currency": "EUR",
    "metrics": {"primary": "spend"},
    "money": {
        "revenue": "spend",
        "margin": "40%",
        "contacts": "touches",
        "redemptions": "used",
        "costs": ["service"],
        "hurdle": "20%",
        "fixed_cost": {"mail": 60},
    },
    "segments": ["region"],
}


def customers(n: int = 1_500, seed: int = 3) -> pd.DataFrame:
    """Customers of three arms, some of whom redeem; each treated one is contacted up to twice."""
    draw = np.random.default_rng(seed)
    arm = np.array(list(ARMS))[draw.integers(0, 3, n)]
    before = draw.gamma(2.0, 3.0, n)
    treated = arm != "none"
    used = treated & (draw.random(n) < 0.2)
    spend = before + draw.normal(10.0, 2.0, n) + 3.0 * treated + 2.0 * used
    return pd.DataFrame(
        {
            "customer_id": range(n),
            "arm": arm,
            "region": np.array(["north", "south", "west"])[draw.integers(0, 3, n)],
            "spend": np.round(spend, 2),
            "touches": np.where(treated, draw.integers(1, 3, n), 0),
            "used": used.astype(int),
            "service": np.round(draw.random(n) / 10, 3),
            "before": np.round(before, 2),
        }
    )


def found(shop=SHOP, data: pd.DataFrame | None = None) -> AnalysisReport:
    return ul.Experiment.from_dict(shop).analyze(customers() if data is None else data)


def having(shop, *, money=None, arms=None):
    """The shop with other terms of money and of every treated arm."""
    kept = {
        arm: own if own.get("control") else {**own, **(arms or {})}
        for arm, own in shop["arms"].items()
    }
    return {**shop, "money": {**shop["money"], **(money or {})}, "arms": kept}


def close(one, other, scale):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9 * scale)


def agrees(answer, analysis, digits: float = 1.0) -> None:
    """Profit, ROI and verdict of an answer are those of an analysis.

    To 1e-9 of an estimate and its error; times `digits` where both were rounded to 10 digits, as
    profit is then the difference of rounded sums that are larger.
    """
    kinds = {"profit": EstimandKind.incremental_profit, "roi": EstimandKind.roi}
    told = {(f.kind, f.arm, f.dimension, f.level): f for f in analysis.findings}
    assert len(answer.places) > len(answer.arms)
    for place in answer.places:
        for name, kind in kinds.items():
            was = told[kind, place.arm, place.dimension, place.level]
            now = getattr(place, name)
            scale = digits * (abs(was.estimate or 0.0) + (was.se or 0.0))
            ends = ("estimate", "low", "high")
            assert all(close(getattr(now, e), getattr(was, e), scale) for e in ends), (now, was)
            assert now.note == was.note
    assert (answer.code, answer.arm) == (analysis.verdict.code, analysis.verdict.arm)
    for now, was in zip(answer.arms, analysis.verdict.arms, strict=True):
        assert now.code == was.code
        scale = digits * (abs(was.value) + abs(was.high - was.low))
        ends = ("value", "low", "high")
        assert all(close(getattr(now, e), getattr(was, e), scale) for e in ends), (now, was)


KINDS = {
    "plain": SHOP,
    "adjusted": {**SHOP, "analysis": {"covariates": ["before"]}},
    "one contact each": {
        **SHOP,
        "money": {k: v for k, v in SHOP["money"].items() if k not in ("contacts", "costs")},
    },
}
OTHERS = [
    ({}, {}),
    ({"margin": 0.3}, {}),
    ({"margin": 0.55, "hurdle": 0.0}, {"cost_per_redemption": 3.5}),
    ({"hurdle": 0.7}, {"cost_per_contact": 0.0, "commission": 0.03}),
    ({"margin": 0.05}, {"service_cost": 0.4}),
]


ALIKE = OTHERS[:3]
"""What changes in all treated arms by as much."""


@pytest.mark.parametrize(
    ("kind", "money", "arms"),
    [(kind, *other) for kind in KINDS for other in (ALIKE if kind == "adjusted" else OTHERS)],
)
def test_it_is_what_an_analysis_under_these_terms_finds(kind, money, arms):
    asked = {**money, **arms}
    agrees(found(KINDS[kind]).what_if(**asked), found(having(KINDS[kind], money=money, arms=arms)))


def test_a_rate_of_one_arm_moves_the_slopes_as_if_it_were_of_all():
    """With one slope for all arms an analysis anew differs, by a small part of the error."""
    money, arms = OTHERS[3]
    shop = KINDS["adjusted"]
    analysis, other = found(shop), found(having(shop, money=money, arms=arms))
    answer = analysis.what_if(**money, **arms)
    for place in answer.places:
        if place.dimension is None:
            kind, arm = EstimandKind.incremental_profit, place.arm
            was = other.find(kind=kind, arm=arm, dimension=None)[0]
            assert place.profit.estimate == pytest.approx(was.estimate, abs=0.05 * was.se)


def test_fixed_cost_is_that_of_the_arm():
    fixed = {"mail": 10, "text": 400}
    other = having(SHOP, money={"fixed_cost": fixed})
    agrees(found().what_if(fixed_cost=fixed), found(other))


def test_profit_is_welchs_of_each_customers_own():
    """By hand: each customer's own profit, without any covariance of sums."""
    data = customers()
    answer = found(data=data).what_if(margin=0.3, cost_per_redemption=4.0, hurdle=0.0)
    for arm, contact, commission, each in (("mail", 0.1, 0.01, 0.0), ("text", 0.3, 0.0, 0.05)):
        paid = data.service.to_numpy().astype(float)
        n = int((data.arm == arm).sum())
        treated = (data.arm == arm).to_numpy()
        cost = contact * data.touches + 4.0 * data.used + commission * data.spend + each
        paid = paid + np.where(treated, cost + (60 / n if arm == "mail" else 0.0), 0.0)
        profit = 0.3 * data.spend.to_numpy() - paid
        one, other = profit[treated], profit[(data.arm == "none").to_numpy()]
        parts = one.var(ddof=1) / len(one), other.var(ddof=1) / len(other)
        df = sum(parts) ** 2 / (parts[0] ** 2 / (len(one) - 1) + parts[1] ** 2 / (len(other) - 1))
        half = student.ppf(0.975, df) * math.sqrt(sum(parts))
        mean = one.mean() - other.mean()
        told = next(p for p in answer.places if (p.arm, p.dimension) == (arm, None)).profit
        for shown, expected in ((told.estimate, mean), (told.low, mean - half)):
            assert shown == pytest.approx(n * expected, rel=1e-9)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return assigned(tmp_path_factory.mktemp("what_if"))


def test_of_blocked_adjusted_skewed_arms_the_measured_terms_give_what_was_published(world):
    """Within strata, with one slope, critical values bent by Hall's cubic."""
    analysis = rounded(analysed(world))
    assert any(each.held for each in analysis.money_sums.contrasts)
    agrees(what_if(analysis, measured(analysis)), analysis, 10)


def test_of_blocked_arms_another_margin_is_another_analysis(world):
    """But for the critical values, which are held where they are not Student's."""
    plan = world.plan
    money = plan.experiment.money.model_copy(update={"margin": 0.42})
    experiment = plan.experiment.model_copy(update={"money": money})
    other = analysed(world, plan=plan.model_copy(update={"experiment": experiment}))
    analysis = analysed(world)
    answer = what_if(analysis, changed(analysis, {"margin": 0.42}))
    told = {
        (f.arm, f.dimension, f.level): f for f in other.findings if f.kind == "incremental_profit"
    }
    held = {(c.arm, c.dimension, c.level) for c in analysis.money_sums.contrasts if c.held}
    for place in answer.places:
        was = told[place.arm, place.dimension, place.level]
        key = (place.arm, place.dimension, place.level)
        assert place.profit.estimate == pytest.approx(was.estimate, rel=1e-8, abs=1e-6)
        if place.profit.low is not None and was.low is not None:
            near = 0.05 if key in held else 1e-9
            assert place.profit.low == pytest.approx(was.low, abs=near * (was.high - was.low))


def test_an_arm_that_exceeds_a_guardrail_stays_stopped_whatever_it_earns():
    """Also one that is stopped for its money at first, whose note says nothing of the guardrail."""
    analysis = found()
    arm = next(each for each in analysis.verdict.arms if each.code is VerdictCode.ship)
    parts = Message(template="{metric} {arm}", values={"metric": "Complained", "arm": arm.arm})
    check = analysis.checks[0].model_copy(
        update={"name": f"guardrail:complained:{arm.arm}", "passed": False, "parts": parts}
    )
    guarded = analysis.model_copy(update={"checks": (*analysis.checks, check)})
    codes = {each.arm: each.code for each in guarded.what_if(margin=0.9).arms}
    assert codes[arm.arm] is VerdictCode.stop
    assert {e.arm: e.code for e in analysis.what_if(margin=0.9).arms}[arm.arm] is VerdictCode.ship


def test_a_break_even_is_where_profit_or_its_lower_end_is_nothing():
    analysis = found()
    told = {(each.arm, each.term): each for each in analysis.money_sums.break_evens}
    assert {term for _, term in told} >= {"margin", "cost_per_contact", "cost_per_redemption"}
    assert ("text", "fixed_cost") not in told
    assert ("mail", "fixed_cost") in told
    for (arm, term), each in told.items():
        if each.pays is not None:
            answer = analysis.what_if(**{term: each.pays if term == "margin" else {arm: each.pays}})
            place = next(p for p in answer.places if (p.arm, p.dimension) == (arm, None))
            assert place.profit.estimate == pytest.approx(0.0, abs=1e-7)
    settled = [each for each in told.values() if each.settles is not None]
    assert len(settled) > 3
    for each in settled:
        codes = set[VerdictCode]()
        for value in (each.settles * (1 - 1e-6), each.settles * (1 + 1e-6)):
            asked = value if each.term == "margin" else {each.arm: value}
            answer = analysis.what_if(**{each.term: asked})
            codes.add(next(a.code for a in answer.arms if a.arm == each.arm))
        assert codes == {VerdictCode.ship, VerdictCode.inconclusive}


def test_a_roll_out_pays_the_fixed_cost_once():
    analysis = found()
    small, large = (analysis.what_if(customers=n).arms[0].rollout for n in (1_000, 3_000))
    assert large.estimate - 3 * small.estimate == pytest.approx(2 * 60)
    assert large.high - large.low == pytest.approx(3 * (small.high - small.low))
    n = next(c.customers for c in analysis.money_sums.contrasts if c.arm == "mail")
    profit = analysis.find(kind="incremental_profit", arm="mail", dimension=None)[0]
    again = analysis.what_if(customers=n).arms[0].rollout
    assert again.estimate == pytest.approx(profit.estimate)


@given(margin=st.floats(0, 1), rate=st.floats(0, 20))
def test_profit_is_linear_in_every_term(margin, rate):
    analysis = ANALYSIS
    ends = [analysis.what_if(margin=margin, cost_per_redemption=r) for r in (0.0, 20.0)]
    between = analysis.what_if(margin=margin, cost_per_redemption=rate)
    for low, high, here in zip(ends[0].places, ends[1].places, between.places, strict=True):
        expected = low.profit.estimate + rate / 20 * (high.profit.estimate - low.profit.estimate)
        assert here.profit.estimate == pytest.approx(expected, rel=1e-9, abs=1e-6)


ANALYSIS = found()


@pytest.mark.parametrize(
    ("code", "asked", "said"),
    [
        ("UL671", {"voucher": 4}, "there is no term 'voucher'"),
        ("UL672", {"margin": 40}, "give one number from 0 to 1"),
        ("UL672", {"customers": -1}, "give one number from 0 up"),
        ("UL672", {"cost_per_contact": math.nan}, "'cost_per_contact' cannot be nan"),
        ("UL673", {"cost_per_contact": {"fax": 1}}, "there are mail, text"),
    ],
)
def test_what_cannot_be_asked_is_refused(code, asked, said):
    with pytest.raises(ul.DataError, match=code) as error:
        ANALYSIS.what_if(**asked)
    assert said in str(error.value)


def test_without_money_there_is_nothing_to_ask():
    shop = {k: v for k, v in SHOP.items() if k not in ("money", "arms")}
    analysis = found({**shop, "arms": {"none": {"control": True}, "mail": {}, "text": {}}})
    assert analysis.money_sums is None
    with pytest.raises(ul.DataError, match="UL670"):
        analysis.what_if(margin=0.4)


def test_an_answer_is_a_table_and_a_few_lines():
    answer = ANALYSIS.what_if(margin=0.4)
    assert len(answer.to_frame()) == len(answer.places)
    assert "SHIP: mail" in repr(answer)


def test_strata_are_told_together():
    """The quartic form of all strata is the sum of each one's squared variance per df."""
    draw = np.random.default_rng(1)
    strata = [(w, Moments.of(draw.normal(size=(20, 3)))) for w in (0.2, 0.5, 0.3)]
    whole, w = Moments.weighted(strata), np.array([0.4, -2.0, 1.5])
    coefficients = quartic(whole, np.eye(3))
    assert len(coefficients) == len(monomials(3)) == 15
    parts = [(share**4 * (w @ p.covariance @ w / p.n) ** 2 / (p.n - 1)) for share, p in strata]
    direct = sum(parts)
    products = w[monomials(3)].prod(axis=1)
    assert products @ coefficients == pytest.approx(direct, rel=1e-12)


def test_it_reads_back_from_json():
    again = published(AnalysisReport, rounded(ANALYSIS))
    agrees(again.what_if(), rounded(ANALYSIS), 10)
    assert replace(measured(again), hurdle=0.2) == measured(again)
