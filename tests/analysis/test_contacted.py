"""The effect on the contacted, from YAML and rows."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from plans import pick
from shops import NOW, Shop

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.report.render import render
from upliftlab.results.analysis import EstimandKind, Note

ASKED = """
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 1}}
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 50%, contacts: contacted}
"""


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def analysed(shop, columns, asked=ASKED):
    return shop.analysed(columns, asked)


def customers(reach=0.6, effect=5.0, seed=1):
    """Who can be reached spends 20 more anyway."""
    rng = np.random.default_rng(seed)
    arm = np.repeat(["none", "mail"], [450, 450])
    could = rng.random(900) < reach
    contacted = np.where(arm == "mail", could, 0).astype(float)
    spend = rng.normal(50, 10, 900) + 20 * could + effect * contacted
    return {"arm": arm, "contacted": contacted, "spend": spend}


def none_of(analysis):
    return not [f for f in analysis.findings if f.kind is EstimandKind.cace]


def test_the_effect_on_the_contacted_by_hand(shop):
    """8 of 10 treated are contacted, on average 4 more is spent: 5 for each contacted."""
    columns = {
        "arm": (["none"] * 10 + ["mail"] * 10) * 9,
        "contacted": ([0] * 10 + [1] * 8 + [0] * 2) * 9,
        "spend": ([4, 6] * 5 + [8, 10] * 5) * 9,
    }
    found = analysed(shop, columns)
    reached, assigned = pick(found, "cace"), pick(found, "difference", metric="spend")
    assert reached.metric == "spend"
    assert assigned.estimate == pytest.approx(4.0)
    assert reached.estimate == pytest.approx(5.0)
    assert reached.p == assigned.p
    assert (reached.method, reached.family, reached.p_adjusted) == ("anderson_rubin", None, None)
    assert reached.low < 5 < reached.high


@pytest.mark.parametrize("effect", [0.0, 1.0, 5.0])
def test_its_interval_leaves_out_no_effect_exactly_where_the_difference_does(shop, effect):
    found = analysed(shop, customers(effect=effect))
    reached, assigned = pick(found, "cace"), pick(found, "difference", metric="spend")
    assert reached.p == pytest.approx(assigned.p, rel=1e-12)
    assert (reached.low > 0 or reached.high < 0) == (assigned.low > 0 or assigned.high < 0)


def test_it_is_of_the_adjusted_pair_where_there_are_covariates(shop):
    columns = customers()
    before = np.random.default_rng(2).normal(0, 30, 900)
    columns |= {"before": before, "spend": columns["spend"] + before}
    found = analysed(shop, columns, ASKED + "analysis: {covariates: [before]}\n")
    sharp = pick(found, "adjusted_difference", metric="spend")
    assert pick(found, "cace").p == pytest.approx(sharp.p, rel=1e-12)
    plain = pick(found, "difference", metric="spend")
    assert pick(found, "cace").p != pytest.approx(plain.p, rel=0.1)


def test_a_small_skewed_holdout_has_the_difference_s_draws(shop):
    rng = np.random.default_rng(3)
    arm = np.repeat(["none", "mail"], [100, 1500])
    contacted = np.where(arm == "mail", rng.random(1600) < 0.5, 0).astype(float)
    spend = np.where(rng.random(1600) < 0.1, rng.lognormal(3, 1, 1600), 0)
    asked = ASKED.replace("control: true", "control: true, share: 6.25%")
    asked = asked.replace("channel: email", "channel: email, share: 93.75%")
    found = analysed(shop, {"arm": arm, "contacted": contacted, "spend": spend}, asked)
    reached, assigned = pick(found, "cace"), pick(found, "difference", metric="spend")
    assert (reached.method, assigned.method) == ("anderson_rubin+permutation", "welch+permutation")
    assert reached.p == assigned.p


def test_where_few_were_contacted_the_interval_is_absent_and_says_why(shop):
    columns = customers()
    few = np.zeros(900)
    few[-2:] = 1.0
    reached = pick(analysed(shop, columns | {"contacted": few}), "cace")
    assert (reached.low, reached.high) == (None, None)
    assert reached.note is Note.denominator_unclear
    assert reached.p is not None


def test_it_is_not_asked_where_it_says_nothing_or_nothing_new(shop):
    columns = customers()
    mailed = (columns["arm"] == "mail").astype(float)
    assert none_of(analysed(shop, columns | {"contacted": mailed})), "all were contacted"
    twice = columns["contacted"] * 2
    assert none_of(analysed(shop, columns | {"contacted": twice})), "contacts, not customers"
    assert none_of(analysed(shop, columns | {"contacted": 0 * mailed})), "nobody was"
    uncounted = ASKED.replace(", contacts: contacted", "")
    assert none_of(analysed(shop, columns, uncounted)), "nobody counted"
    assert none_of(analysed(shop, columns, ASKED.replace("primary: spend", "primary: profit")))


def test_without_money_a_metric_tells_who_was_contacted(shop):
    bare = ASKED[: ASKED.index("currency")].replace(", cost_per_contact: 1", "")
    bare += "metrics: {primary: spend, contacted: contacted}\n"
    columns = customers()
    without, with_money = (pick(analysed(shop, columns, text), "cace") for text in (bare, ASKED))
    assert without == with_money
    assert none_of(analysed(shop, columns, bare.replace(", contacted: contacted", "")))


def test_what_tells_who_was_contacted_goes_before_what_is_paid(shop):
    """Paid by letters sent, and reached where one was opened."""
    columns = customers()
    columns |= {"sent": (columns["arm"] == "mail").astype(float)}
    asked = ASKED.replace("contacts: contacted", "contacts: sent")
    asked = asked.replace("primary: spend", "primary: spend, contacted: contacted")
    found = pick(analysed(shop, columns, asked), "cace")
    assert found.estimate == pick(analysed(shop, columns), "cace").estimate


@pytest.mark.parametrize("wrong", ["profit", "rate"])
def test_who_was_contacted_is_a_total(shop, wrong):
    text = ASKED.replace("primary: spend", f"primary: spend, contacted: {wrong}")
    shop.table("customers", {"id": [1], **{c: [1.0] for c in ("arm", "contacted", "spend")}})
    with pytest.raises(UpliftLabError) as refused:
        shop.plan(text, metrics="  rate: {ratio: [spend, contacted]}\n")
    assert re.search(r"UL1\d\d.*contacted", str(refused.value), re.DOTALL)


def test_each_arm_is_asked_by_itself(shop):
    """One arm is contacted up to twice, which tells nothing of the other."""
    columns = customers()
    more = {
        "arm": np.append(columns["arm"], ["text"] * 450),
        "contacted": np.append(columns["contacted"], [0.0, 1.0, 2.0] * 150),
        "spend": np.append(columns["spend"], np.resize([40.0, 60.0], 450)),
    }
    arms = ASKED.replace("cost_per_contact: 1}}", "cost_per_contact: 1}, text: {channel: sms}}")
    asked = [f for f in analysed(shop, more, arms).findings if f.kind is EstimandKind.cace]
    assert [(f.arm, f.dimension) for f in asked] == [("mail", None)]
    assert asked[0].estimate == pick(analysed(shop, columns), "cace").estimate


def test_households_are_not_asked(shop):
    columns = customers() | {"home": [f"home {i}" for i in range(900)]}
    households = ASKED.replace("observed: arm", "observed: arm, unit: home")
    assert none_of(analysed(shop, columns, households))


LOGGED = """
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 1}}
waves: [{start: 2026-03-02, share: 100%}]
outcome_window: 28 days
currency: EUR
metrics: {primary: spend}
money: {revenue: spend, margin: 50%}
"""


def logged(shop, sent, **declared):
    """What the check says of a log in which 200 customers, half of them mailed, were sent so."""
    customers = {"id": range(200), "arm": ["none", "mail"] * 100, "spend": [*range(10)] * 20}
    shop.table("customers", customers)
    ids = [i for campaign in sent.values() for i in campaign]
    campaigns = [name for name, campaign in sent.items() for _ in campaign]
    times = [datetime(2026, 3, 3, tzinfo=UTC)] * len(ids)
    declared = {"time": "at", **declared}
    shop.table("sent", {"id": ids, "campaign": campaigns, "at": times}, **declared)
    metrics = "  contacts: {from: sent, count: true}\n  spend: {column: spend, unit: money}\n"
    found = analyze(shop.plan(LOGGED, metrics), AnalysisContext(shop.engine, NOW))
    return next(check for check in found.checks if check.name == "contamination")


def test_another_campaign_s_contacts_are_no_contamination(shop):
    sent = {"spring": range(1, 200, 2), "newsletter": range(160)}
    told = logged(shop, sent, experiment="campaign")
    assert told.passed is True
    mixed = logged(shop, sent)
    assert (mixed.passed, mixed.severity) == (False, "warning")
    assert "80% of the control (80)" in mixed.message
    assert "as 'experiment'" in mixed.message


def test_contacts_that_do_not_follow_the_arms_are_critical_whoever_sent_them(shop):
    anybody = {"newsletter": range(160)}
    assert logged(shop, anybody).severity == "critical"
    own = {"spring": range(160), "newsletter": range(160, 200)}
    assert logged(shop, own, experiment="campaign").severity == "critical"


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Effect on the contacted"), ("zh", "对被触达者的效果")]
)
def test_the_page_shows_it_with_its_formula(shop, lang, words):
    html = render(analysed(shop, customers()), lang=lang)
    assert html.count(words) >= 1
    if lang == "en":
        assert "effect on the contacted = difference ÷ difference in the share contacted" in html
        assert "Anderson and Rubin&#39;s interval" in html
