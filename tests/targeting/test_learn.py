"""What is learned of real customers, of simulated ones, and what is refused."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from targets import shop
from worlds import ANALYSED, assigned

from upliftlab.analysis.analyze import AnalysisContext
from upliftlab.config import load
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.ledger import Ledger, campaign
from upliftlab.report.export import to_json
from upliftlab.results.uplift import UpliftResult
from upliftlab.targeting.learn import learn

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLAN = """\
schema: 1
experiment: hillstrom
customers: {file: hillstrom.csv.gz}
assignment: {observed: segment}
arms:
  No E-Mail:     {control: true}
  Mens E-Mail:   {channel: email, cost_per_contact: 0.10}
  Womens E-Mail: {channel: email, cost_per_contact: 0.10}
currency: USD
metrics: {primary: visit, secondary: [spend]}
"""
FEATURES = "[recency, history, mens, womens, zip_code, newbie, channel]"


def learned(folder, data, text, plan=PLAN):
    file = folder / "hillstrom.yaml"
    file.write_text(plan + text)
    loaded = load(file, data=data)
    with DuckDB(loaded.workspace.locate) as engine:
        return learn(loaded.plan, AnalysisContext(engine, NOW))


@pytest.fixture(scope="module")
def visits(hillstrom, tmp_path_factory):
    text = f"uplift: {{features: {FEATURES}, base: linear}}\n"
    return learned(tmp_path_factory.mktemp("visits"), hillstrom, text).responses


def test_visits_after_the_womens_mail_differ(visits):
    gates = {gate.arm: gate for gate in visits.gates}
    assert gates["Womens E-Mail"].open
    assert visits.open
    assert gates["Womens E-Mail"].p_adjusted < 1e-6
    assert gates["Womens E-Mail"].average.estimate == pytest.approx(0.0452331066, abs=0.002)
    qini = {(each.learner, each.arm): each.qini_auc for each in visits.learners}
    assert qini["doubly_robust", "Womens E-Mail"] >= 0.055
    tenths = [each.effect for each in visits.deciles if each.arm == "Womens E-Mail"]
    assert min(each.estimate for each in tenths[:5]) > max(each.estimate for each in tenths[7:])


def test_policies_are_compared_with_the_best_mail_for_all(visits):
    values = {(policy.name, policy.arm): policy for policy in visits.policies}
    assert values["treat_none", None].value.estimate == 0
    everybody = values["treat_all", "Mens E-Mail"]
    assert everybody.value.estimate == pytest.approx(0.0765895637, abs=0.002)
    assert everybody.beside_best is None
    model = values["return", None]
    assert sum(model.shares.values()) == pytest.approx(1)
    difference = model.value.estimate - everybody.value.estimate
    assert model.beside_best.estimate == pytest.approx(difference)
    assert model.beside_best.se < model.value.se
    assert model.cost is None


def test_the_numbers_are_the_same_again_and_hold_no_customer(visits, hillstrom, tmp_path):
    text = f"uplift: {{features: {FEATURES}, base: linear, learners: [two_models_ddr_control]}}\n"
    again = learned(tmp_path, hillstrom, text).responses
    assert again.gates == visits.gates
    assert again.deciles == visits.deciles
    told = to_json(again)
    assert UpliftResult.model_validate_json(told).gates[0].arm == "Mens E-Mail"
    assert len(told) < 200_000


def test_no_evidence_that_targeting_pays_for_spend_after_the_mens_mail(hillstrom, tmp_path):
    text = (
        "money: {revenue: spend, margin: 40%}\n"
        f"uplift: {{features: {FEATURES}, base: linear, metric: profit, budget: 2000 USD,\n"
        '  today: {arm: Womens E-Mail, where: "womens = 1"}}\n'
    )
    found = learned(tmp_path, hillstrom, text).responses
    gate = next(gate for gate in found.gates if gate.arm == "Mens E-Mail")
    assert not gate.open
    if not found.open:
        assert found.sentence.startswith("No evidence that targeting pays")
    assert not [each for each in found.deciles if each.arm == "Mens E-Mail"]
    assert not [each for each in found.curves if each.arm == "Mens E-Mail"]
    policies = {policy.name: policy for policy in found.policies}
    assert policies["today"].cost.estimate == pytest.approx(0.1 * 0.55, abs=0.01)
    everybody = next(each for each in found.policies if each.arm == "Mens E-Mail")
    assert everybody.cost.estimate == pytest.approx(0.1)
    profit = 0.4 * 0.7698271559 - 0.1
    assert everybody.value.estimate == pytest.approx(profit, abs=0.02)


def test_it_is_learned_from_the_ledger_within_a_budget(tmp_path):
    loaded = assigned(tmp_path, customers=4_000)
    record = campaign.open_record(Ledger(tmp_path / "ledger"), loaded.plan)
    with DuckDB(loaded.workspace.locate) as engine:
        found = learn(loaded.plan, AnalysisContext(engine, ANALYSED, record=record))
    told = found.responses
    assert told.metric == "profit"
    assert told.budget == 20_000
    assert told.customers == told.sampled_from == sum(arm.n for arm in found.analysis.arms)
    assert set(np.unique(found.sample.arm)) == {0, 1, 2}
    none, everybody = told.policies[0], told.policies[1]
    assert none.cost.estimate == 0
    fixed = 500 / told.customers
    email = next(each for each in found.analysis.findings if each.kind == "incremental_profit")
    assert everybody.arm == email.arm == "email_voucher"
    per_customer = everybody.value.estimate + fixed
    assert per_customer == pytest.approx(email.estimate / email.n_treated, abs=2 * email.se)


def test_a_budget_is_kept_and_a_list_is_told_apart(tmp_path):
    shop(tmp_path)
    loaded = load(tmp_path / "spring.yaml")
    with DuckDB(loaded.workspace.locate) as engine:
        told = learn(loaded.plan, AnalysisContext(engine, NOW)).responses
    assert told.open
    budget = next(policy for policy in told.policies if policy.name == "budget")
    assert budget.cost.low <= told.budget / told.customers
    assert budget.beside_random is not None


def test_a_budget_for_more_customers_leaves_less_for_each(tmp_path):
    """As if twice as many customers were to be chosen from: half the money, half the fixed cost."""
    shop(tmp_path)
    loaded = load(tmp_path / "spring.yaml")
    with DuckDB(loaded.workspace.locate) as engine:
        own = learn(loaded.plan, AnalysisContext(engine, NOW)).responses
        told = learn(loaded.plan, AnalysisContext(engine, NOW), size=2 * own.customers).responses
    assert (own.budget, told.budget) == (300, 150)
    assert told.gates == own.gates
    everybody, costly = ({policy.arm: policy for policy in each.policies} for each in (own, told))
    gap = costly["call"].value.estimate - everybody["call"].value.estimate
    assert gap == pytest.approx(50 / own.customers)
    assert [curve.kind for curve in told.curves if curve.arm is None] == ["cost"]
    assert told.tree is not None
    json.loads(to_json(told))


def test_a_plan_that_names_nothing_to_learn_from_is_refused(hillstrom, tmp_path):
    with pytest.raises(UpliftLabError, match="UL608"):
        learned(tmp_path, hillstrom, "")


def test_nothing_is_learned_from_data_that_fail_a_critical_check(hillstrom, tmp_path):
    shares = PLAN.replace("{control: true}", "{control: true, share: 50%}")
    shares = shares.replace("{channel: email,", "{channel: email, share: 25%,")
    with pytest.raises(UpliftLabError, match="UL609"):
        learned(tmp_path, hillstrom, f"uplift: {{features: {FEATURES}, base: linear}}\n", shares)
