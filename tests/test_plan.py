"""The verb `plan`: the baseline from every source, hand-worked money, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from commands import ROOT
from plans import make_plan, run
from shops import Shop
from worlds import analysed, assigned

from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.models import Metric
from upliftlab.config.models.limits import Tolerance
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.baseline import Baseline
from upliftlab.planning.design_inputs import outlook, prospect
from upliftlab.planning.plan import PlanningContext, plan
from upliftlab.results.analysis import Message, VerdictCode
from upliftlab.results.plan import (
    Answer,
    ArmMoney,
    ArmOutlook,
    ArmPowerCurve,
    BaselineInfo,
    BaselineOrigin,
    Length,
    PlanAssumption,
    PowerPoint,
    PowerReport,
)
from upliftlab.stats.moments import Moments
from upliftlab.text.language import Language

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLOSE = 1e-9
ENGLISH = Language("en")
CAMPAIGN = """\
arms: {none: {share: 25%, control: true}, mail: {share: 75%, channel: email, cost_per_contact: 0.1}}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 7 days
currency: EUR
metrics: {primary: revenue}
money: {revenue: revenue, margin: 40%}
"""
SALES = "  revenue: {from: orders, sum: amount, unit: money}\n"


def percent(value):
    return Tolerance(value=value / 100, kind="relative")


def said(outlook, message):
    return ENGLISH.say(message, outlook.currency)


def refusal(*arguments):
    with pytest.raises(UpliftLabError) as error:
        plan(*arguments)
    return str(error.value.faults[0])


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def fill(shop, people=None, **orders):
    """Four customers; one spends 30 in the week before 2 March, one 99 the week before that."""
    shop.table("customers", {"id": [1, 2, 3, 4]} | (people or {}))
    rows = {
        "id": [1, 1, 2, 3],
        "at": [date(2026, 2, 23), date(2026, 3, 1), date(2026, 2, 22), date(2026, 3, 2)],
        "amount": [10.0, 20.0, 99.0, 50.0],
    }
    shop.table("orders", rows | orders, time="at")


def test_the_week_before_is_a_rehearsal(shop):
    """30, 0, 0, 0 in the week that ends with the start; what comes later does not count."""
    fill(shop)
    found = plan(shop.plan(CAMPAIGN, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    base = found.baseline
    assert (base.origin, base.customers, found.customers) == (BaselineOrigin.before, 4, 4)
    assert (base.mean, base.sd) == pytest.approx((7.5, 15.0), rel=CLOSE)
    assert said(found, base.described) == (
        "Measured on 4 customers over the time from February 23, 2026 on."
    )
    assert [arm.customers for arm in found.arms] == [1, 3]
    assert base.explained == 0


def test_covariates_are_rehearsed_as_well(shop):
    """(30, 0, 0, 0) and, in the week before that, (0, 99, 0, 0): R² is a ninth."""
    fill(shop)
    text = CAMPAIGN + "analysis: {covariates: [revenue_before]}\n"
    found = plan(shop.plan(text, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert found.baseline.explained == pytest.approx(1 / 9, rel=1e-6)


def test_columns_as_of_now_explain_nothing_of_the_past(shop):
    fill(shop, {"bought": [3, 1, 0, 0]})
    text = CAMPAIGN + "analysis: {covariates: [bought]}\n"
    found = plan(shop.plan(text, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert found.baseline.explained == 0
    assert any(said(found, note).startswith("Not allowed for: bought.") for note in found.notes)


def test_a_start_to_come_is_rehearsed_on_the_last_days_there_are(shop):
    fill(shop)
    early = datetime(2026, 2, 24, 12, tzinfo=UTC)
    found = plan(shop.plan(CAMPAIGN, SALES), Assumptions(), PlanningContext(early, shop.engine))
    assert found.baseline.described.values["date"] == "2026-02-17"
    assert found.baseline.mean == pytest.approx((10 + 99) / 4)


def test_only_customers_who_would_be_assigned_rehearse(shop):
    fill(shop, {"age": [30, 17, 40, None]})
    text = CAMPAIGN + 'eligible: "age >= 18"\n'
    found = plan(shop.plan(text, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert (found.customers, found.baseline.mean) == (2, 15.0)
    assert any("Customers were chosen as they are now" in said(found, n) for n in found.notes)


def test_arms_assigned_elsewhere_are_rehearsed_by_who_is_eligible(shop):
    fill(shop, {"arm": ["mail", "mail", "none", "none"], "age": [30, 17, 40, 50]})
    text = CAMPAIGN + 'assignment: {observed: arm}\neligible: "age >= 18"\n'
    found = plan(shop.plan(text, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert (found.customers, found.baseline.mean) == (3, 10.0)


def test_households_are_rehearsed_whole(shop):
    """Homes of 2, 1 and 1 customers with 30, 0 and 0: the ratio is 7.5 a customer."""
    fill(shop, {"home": ["a", "a", "b", "c"]})
    text = CAMPAIGN + "assignment: {unit: home}\n"
    found = plan(shop.plan(text, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert (found.unit, found.customers) == ("household", 4)
    assert (found.baseline.mean, found.baseline.unit_size) == pytest.approx((7.5, 4 / 3))
    # Per home 30 − 2·7.5, −7.5, −7.5 over 4/3 customers: squares 337.5 over two and (4/3)².
    assert found.baseline.sd == pytest.approx((337.5 / 2 / (16 / 9)) ** 0.5)


def test_a_server_rehearses_alike(tmp_path, postgres, desk, shop):
    text = CAMPAIGN + 'eligible: "id < 4"\nassignment: {salt: s}\n'
    found = []
    for other in (shop, Shop(tmp_path / "server", postgres, desk)):
        fill(other)
        engine = "" if other is shop else "engine: {name: postgres, connection: dbname=x}\n"
        asked = other.plan(text + engine, SALES)
        told = plan(asked, Assumptions(), PlanningContext(NOW, other.engine))
        found.append(told.model_dump(exclude={"plan_sha256"}))
        assert told.customers == 3
    assert found[0]["baseline"]["mean"] == pytest.approx(found[1]["baseline"]["mean"])
    assert found[0]["arms"] == found[1]["arms"]


def test_a_rehearsal_in_which_nobody_does_anything_is_refused(shop):
    fill(shop, id=[9, 9, 9, 9])
    told = refusal(shop.plan(CAMPAIGN, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert told.startswith(
        "UL321 these customers' own past says nothing of what they will do: all 4"
    )
    text = CAMPAIGN + 'eligible: "id > 0"\n'
    told = refusal(shop.plan(text, SALES), Assumptions(), PlanningContext(NOW, shop.engine))
    assert "seem to be chosen by what they did lately (id > 0)" in told
    assert "all 4 have the same 'revenue' from 2026-02-23 on" in told
    assert "--like" in told


def test_columns_have_no_time_before(shop):
    fill(shop, {"spend": [1.0, 2.0, 3.0, 4.0]})
    text = CAMPAIGN.replace("revenue: revenue", "revenue: spend").replace(
        "primary: revenue", "primary: spend"
    )
    told = refusal(shop.plan(text), Assumptions(), PlanningContext(NOW, shop.engine))
    assert told.startswith("UL321 'spend' is a column of the customers' table")
    given = Assumptions(given=Given(2.5, 1.3))
    assert plan(shop.plan(text), given, PlanningContext(NOW, shop.engine)).customers == 4


def in_figures(changes=None, **assumed):
    """An outlook of 4,000 customers, a quarter of them control, who spend 10 ± 30 each."""
    content = {
        "arms": {
            "none": {"share": "25%", "control": "true"},
            "mail": {"share": "75%", "cost_per_contact": "0.5"},
        },
        "currency": "EUR",
        "money": {"revenue": "spend", "margin": "40%", "fixed_cost": {"mail": "600"}},
        **(changes or {}),
    }
    told = {"given": Given(10.0, 30.0), "customers": 4_000, **assumed}
    return plan(make_plan(**content), Assumptions(**told), PlanningContext(NOW))


def test_break_even_and_the_price_of_the_holdout():
    """0.50 and 600 over 3,000 customers are 0.70 each, of 0.40 × 10: 17.5 %.

    At +30 % a customer earns 1.20 − 0.70, 1,500 in all; a control customer forgoes 1.20 − 0.50.
    """
    (money,) = in_figures(effect=percent(30)).money
    assert money.break_even == pytest.approx(0.175, rel=CLOSE)
    assert money.profit == pytest.approx(1_500, rel=CLOSE)
    assert money.roi == pytest.approx(0.50 / 0.70, rel=CLOSE)
    assert money.holdout_price == pytest.approx(1_000 * 0.70, rel=CLOSE)
    # Half of profit's interval: t·√(30²/3,000·(1 + lift's growth) + 30²/1,000)·0.4·3,000.
    assert money.profit_half == pytest.approx(1.961 * (0.4 * 3_000) * 1.1285, rel=5e-3)


def test_a_hurdle_and_a_commission():
    """(0.40 − 0.05)·10·l − 0.5 − 0.2 less the untreated commission, times (1 + hurdle) on cost."""
    arms = {
        "none": {"share": "25%", "control": "true"},
        "mail": {"share": "75%", "cost_per_contact": "0.5", "commission": "5%"},
    }
    money = {"revenue": "spend", "margin": "40%", "hurdle": "20%"}
    (found,) = in_figures({"arms": arms, "money": money}).money
    # 4·l − 1.2·(0.5 + 0.5·(1 + l)) = 0: 4·l − 0.6·l = 1.2
    assert found.break_even_hurdle == pytest.approx(1.2 / 3.4, rel=CLOSE)
    assert found.break_even == pytest.approx(1.0 / 3.5, rel=CLOSE)


def test_an_arm_that_loses_by_every_sale():
    arms = {
        "none": {"share": "25%", "control": "true"},
        "mail": {"share": "75%", "commission": "60%"},
    }
    found = in_figures({"arms": arms, "money": {"revenue": "spend", "margin": "40%"}})
    assert found.money[0].break_even is None
    answer = next(each for each in found.answers if each.name == "pays")
    assert answer.answerable is False
    assert said(found, answer.sentence) == (
        "No: mail loses by every sale, so that no rise of revenue pays for it."
    )


def test_what_cannot_be_answered_is_said_with_what_can():
    found = in_figures(effect=percent(5))
    effect, pays, roi = found.answers
    assert [each.answerable for each in found.answers] == [False, False, False]
    assert [each.state for each in found.answers] == ["cannot", "no", "cannot"]
    assert said(found, effect.sentence).startswith(
        "This campaign cannot answer that question: a chance of 80% takes "
    )
    assert said(found, effect.sentence).endswith(" customers, and there are 4,000.")
    mail = found.arms[1]
    assert said(found, effect.instead) == (
        f"It can see a change of €{mail.detectable:.2f} per customer ({mail.detectable_lift:.1%})."
    )
    assert said(found, pays.sentence) == (
        "No: mail would not be worth its cost. Revenue must rise by 17.5% for that."
    )
    assert said(found, roi.instead).startswith("It tells ROI to within ")
    again = in_figures(effect=Tolerance(value=mail.detectable, kind="absolute"))
    assert again.arms[1].power == pytest.approx(0.8, abs=1e-6)
    assert again.answers[0].answerable


def test_without_customers_there_is_what_is_needed_and_nothing_else():
    found = in_figures(customers=None, effect=percent(30))
    assert [each.answerable for each in found.answers] == [None, None, None]
    assert (found.arms[1].customers, found.arms[1].power, found.arms[1].detectable) == (None,) * 3
    assert found.arms[1].needed == round(0.75 * found.needed)
    assert found.money[0].ships is None
    assert found.curves[0].customers == found.needed
    assert found.length is None
    assert any("as many as the wanted power takes" in said(found, note) for note in found.notes)


def test_how_long_it_takes():
    waves = [
        {"start": "2026-03-02", "share": "50%"},
        {"start": "2026-03-16", "share": "50%"},
    ]
    changes = {"waves": waves, "outcome_window": "28 days"}
    there = in_figures(changes).length
    assert (there.weeks, there.spread_days, there.window_days, there.total_days) == (
        None, 14, 28.0, 42
    )  # fmt: skip
    found = in_figures(changes, customers=None, per_week=500, effect=percent(30))
    assert found.length.weeks == -(-found.needed // 500)
    assert found.length.total_days == 7 * found.length.weeks + 28
    assert said(found, found.length.described).startswith(f"{found.needed:,} customers arrive in ")
    endless = in_figures(customers=None, per_week=500, effect=percent(30)).length
    assert endless.total_days is None


def test_the_curve_passes_through_what_the_table_says():
    found = in_figures(effect=percent(30))
    (curve,) = found.curves
    points = curve.points
    assert (points[0].effect, points[0].power) == (0.0, pytest.approx(0.05, abs=1e-4))
    assert [p.power for p in points] == sorted(p.power for p in points)
    below = [p for p in points if p.effect <= found.arms[1].detectable]
    assert max(p.power for p in below) <= 0.8 + CLOSE
    assert all(p.ships <= p.power for p in points[1:])
    assert points[-1].ships >= 0.8
    assert curve.decided.values["lift"] == found.money[0].ships_from


def test_an_effect_in_the_good_direction():
    """Of what should fall, the effect is a fall, and money is left out."""
    metrics = {"primary": "churned"}
    lower = make_plan(metrics=metrics, money={"revenue": "spend"})
    churned = lower.metrics["churned"].model_copy(update={"better": "lower", "unit": "share"})
    lower = lower.model_copy(update={"metrics": {**lower.metrics, "churned": churned}})
    assumed = Assumptions(
        effect=Tolerance(value=0.01, kind="points"), given=Given(0.1), customers=20_000
    )
    found = plan(lower, assumed, PlanningContext(NOW))
    assert found.assumed.effect == pytest.approx(-0.01)
    assert found.arms[1].detectable < 0
    assert found.money == ()
    assert found.money_absent is not None
    assert found.curves[0].points[-1].effect < 0


@pytest.mark.parametrize(
    ("assumed", "expected"),
    [
        ({"effect": Tolerance(value=0.1, kind="points")}, "UL320 points are of shares"),
        ({"given": Given(0.0, 3.0)}, "UL320 the expected effect is 0, a percentage of the mean"),
        ({"effect": Tolerance(value=0, kind="absolute")}, "UL320 the expected effect is 0;"),
        (
            {"given": Given(0.6), "effect": percent(80)},
            "UL320 'spend' would be 108.0% of customers",
        ),
        ({"given": Given(3.0)}, "UL322 'spend' is no share of customers"),
        ({"given": Given(3.0, 1.0, icc=0.2)}, "UL322 --household-size and --icc have no part"),
        ({"explained": 0.3}, "UL322 --explained has no part where the plan names no covariates"),
        ({"given": None}, "UL322 nothing tells what customers do without the campaign"),
    ],
)
def test_figures_that_cannot_be(assumed, expected):
    told = {"given": Given(10.0, 3.0), **assumed}
    assert refusal(make_plan(), Assumptions(**told), PlanningContext(NOW)).startswith(expected)


def test_households_in_figures_need_their_size():
    homes = make_plan(
        customers={"file": "c.csv", "id": "id", "household": "home"},
        assignment={"unit": "home"},
    )
    told = refusal(homes, Assumptions(given=Given(10.0, 3.0)), PlanningContext(NOW))
    assert told.startswith("UL322 'home' is randomised, so customers are not independent")


def test_redemptions_that_nobody_knows_leave_money_out():
    arms = {
        "none": {"share": "25%", "control": "true"},
        "mail": {"share": "75%", "cost_per_redemption": "10"},
    }
    money = {"revenue": "spend", "margin": "40%", "redemptions": "redeemed"}
    found = in_figures({"arms": arms, "money": money})
    assert found.money == ()
    assert "mail pays for redemptions" in said(found, found.money_absent)
    known = in_figures({"arms": arms, "money": money}, redemption_rate=0.05)
    assert known.money[0].break_even == pytest.approx(0.5 / 4.0)
    assert known.assumed.redemptions == {"mail": 0.05}


def test_shares_of_whom_nothing_is_spent():
    """A rate says nothing of revenue."""
    found = in_figures({"metrics": {"primary": "visit"}}, given=Given(0.1))
    assert found.metric.unit == "share"
    assert "what customers spend without the campaign is not known" in said(
        found, found.money_absent
    )


def test_a_ratio_and_a_share_move_revenue_by_the_same_percentage():
    """Of 30 a customer, 0.40 each, 0.50 for a contact: 0.50/12 whatever metric leads."""
    rng = np.random.default_rng(1)
    orders = np.concatenate([np.zeros(600), np.full(300, 1.0), np.full(100, 3.0)])
    spend = 50.0 * orders + np.where(orders > 0, rng.permutation(1_000) % 2 * 2.0 - 1.0, 0.0)
    rows = np.column_stack([spend * 30 / spend.mean(), orders, orders > 0])
    names = {"spend": "money", "orders": "number", "bought": "share"}
    metrics = {name: Metric(column=name, unit=unit) for name, unit in names.items()}
    metrics["average"] = Metric(ratio=("spend", "orders"), unit="money")
    for lead in ("spend", "average", "bought"):
        asked = make_plan(
            arms={"none": {"control": "true"}, "mail": {"cost_per_contact": "0.5"}},
            metrics={"primary": lead},
            money={"revenue": "spend", "margin": "40%"},
        ).model_copy(update={"metrics": metrics})
        spec = estimation_spec(asked)
        kept = [list(names).index(name) for name in spec.columns]
        text = Message(template="measured")
        base = Baseline(
            BaselineOrigin.earlier, text, Moments.of(rows[:, kept]), frozenset(spec.columns), 1_000
        )
        known = prospect(asked, spec, base, Assumptions(customers=10_000, effect=percent(10)))
        (money,) = outlook(known, "2026-06-01T12:00:00+00:00").money
        assert money.break_even == pytest.approx(0.5 / 12, rel=CLOSE), lead
        assert money.profit == pytest.approx(5_000 * (1.2 - 0.5), rel=CLOSE), lead


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """The simulated campaign with its analysis."""
    loaded = assigned(tmp_path_factory.mktemp("world"), customers=12_000)
    return loaded.plan, analysed(loaded)


def test_an_earlier_campaign_s_control_is_a_baseline(earlier):
    asked, analysis = earlier
    assumed = Assumptions(customers=100_000, effect=percent(40))
    found = plan(asked, assumed, PlanningContext(NOW, earlier=analysis))
    control = next(c for c in analysis.moments if c.arm == "holdout" and c.dimension is None)
    revenue = analysis.columns.index("revenue")
    assert found.baseline.origin is BaselineOrigin.earlier
    assert found.metric.name == "revenue"
    assert found.baseline.mean == pytest.approx(control.mean[revenue], rel=1e-8)
    assert found.baseline.customers == control.n
    assert 0 < found.baseline.explained < 0.5
    seen = next(c for c in analysis.moments if c.arm == "sms_voucher" and c.dimension is None)
    redeemed = seen.mean[analysis.columns.index("redemptions")]
    assert found.assumed.redemptions["sms_voucher"] == pytest.approx(redeemed)
    assert found.assumed.alpha == pytest.approx(0.025)
    assert len(found.money) == 2


def test_an_earlier_campaign_that_does_not_fit_is_refused(earlier, tmp_path):
    _, analysis = earlier
    told = refusal(make_plan(), Assumptions(), PlanningContext(NOW, earlier=analysis))
    assert told.startswith("UL324 the analysis of 'spring_winback' has no spend")
    void = analysis.model_copy(update={"moments": ()})
    told = refusal(make_plan(), Assumptions(), PlanningContext(NOW, earlier=void))
    assert told.startswith("UL324 the analysis of 'spring_winback' holds no numbers")
    rows = [f"{arm},{i % 9}" for arm in ("none", "mail") for i in range(40)]
    (tmp_path / "customers.csv").write_text("arm,spend\n" + "\n".join(rows) + "\n")
    fits = run(make_plan(), tmp_path)
    assert fits.verdict.code is not VerdictCode.invalid
    found = plan(make_plan(), Assumptions(customers=80), PlanningContext(NOW, earlier=fits))
    assert found.baseline.mean == pytest.approx(sum(i % 9 for i in range(40)) / 40)


def test_more_is_needed_for_more():
    """Less power, a larger effect, less variance: fewer customers; a smaller share: more."""
    base = {"given": Given(10.0, 30.0), "effect": percent(10), "power": 0.8}
    asked = make_plan()

    def needed(plan_=asked, **changes):
        return plan(plan_, Assumptions(**{**base, **changes}), PlanningContext(NOW)).needed

    usual = needed()
    assert needed(power=0.9) > usual
    assert needed(effect=percent(20)) < usual / 3.5
    known = make_plan(analysis={"covariates": ["age"]})
    known = known.model_copy(update={"covariates": {"age": Metric(column="age")}})
    assert needed(known) == usual
    assert needed(known, explained=0.5) == pytest.approx(usual / 2, rel=0.01)
    arms = {"none": {"share": "10%", "control": "true"}, "mail": {"share": "90%"}}
    grown = 1.1 * (1 - 0.1 / 9)  # the treated's variance: a tenth more who spend, σ² = 9μ²
    ratio = (grown / 0.9 + 1 / 0.1) / (grown / 0.5 + 1 / 0.5)
    assert needed(make_plan(arms=arms)) == pytest.approx(usual * ratio, rel=1e-3)
    three = {"none": {"control": "true"}, "mail": {}, "sms": {}}
    assert needed(make_plan(arms=three)) > usual * 1.5


def test_customers_that_cannot_be_counted_are_a_note(shop):
    fill(shop)
    asked = shop.plan(CAMPAIGN, SALES)
    (shop.root / "data" / "customers.parquet").unlink()
    assumed = Assumptions(given=Given(10.0, 30.0))
    found = plan(asked, assumed, PlanningContext(NOW, shop.engine))
    assert found.customers is None
    assert any(said(found, n).startswith("Customers were not counted: ") for n in found.notes)
    shown = plan(asked, replace(assumed, customers=500), PlanningContext(NOW))
    assert shown.customers == 500


def test_every_field_of_the_json_is_documented():
    text = (ROOT / "docs" / "planning.md").read_text(encoding="utf-8")
    described = text.partition("## The JSON")[2].partition("## Refusals")[0]
    named = set(re.findall(r"`(\w+)`", described))
    models = (
        PowerReport,
        BaselineInfo,
        ArmOutlook,
        ArmMoney,
        Answer,
        Length,
        PowerPoint,
        ArmPowerCurve,
        PlanAssumption,
    )
    fields = {f.alias or name for model in models for name, f in model.model_fields.items()}
    assert fields <= named
