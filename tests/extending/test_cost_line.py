"""A new cost line is one entry: YAML, profit, bridge, terms, spreadsheet and page follow."""

import csv
import io
import json
from decimal import Decimal
from html import unescape

import numpy as np
import pytest
from extended import ROOT, asked, changed, extended
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.money import ArmTerms, Roles, projection
from upliftlab.results.costs import COSTS, RATED, CostStep
from upliftlab.stats.moments import Moments

ENTRIES = """    order_fee = (
        "order_fee",
        CostLine(
            "less fees",
            Per.conversion,
            key="fee_per_order",
            term="Fee per order",
            meaning="Paid for every order.",
        ),
    )
    subsidy = (
        "subsidy",
        CostLine(
            "plus subsidy",
            Per.contact,
            key="subsidy_per_thousand",
            term="Subsidy per thousand contacts",
            meaning="What a supplier pays for every thousand contacts.",
            factor=-0.001,
        ),
    )
"""
ARM = "channel: email, cost_per_contact: 0.5, fee_per_order: 0.3 EUR, subsidy_per_thousand: 100"
ASKED = f"""
assignment: {{observed: arm}}
arms: {{none: {{control: true}}, mail: {{{ARM}}}}}
currency: EUR
metrics: {{primary: spend, secondary: [conversion]}}
money: {{revenue: spend, margin: 40%, contacts: contacts, fixed_cost: {{mail: 7.77}}}}
"""
SCRIPT = """
import json
from pathlib import Path
from shops import NOW, Shop
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.reference import reference
from upliftlab.config.schema import json_schema
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import UpliftLabError
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.baseline import in_figures, needed_plan
from upliftlab.planning.design_inputs import prospect
from upliftlab.report.export import to_csv, to_json
from upliftlab.report.render import render
from upliftlab.targeting.training_data import outcomes_of

asked = Path("asked.yaml").read_text()
with DuckDB(lambda file: Path("data") / file) as engine:
    shop = Shop(Path(), engine)
    found = shop.analysed(json.loads(Path("columns.json").read_text()), asked)
    plan = shop.plan(asked)
    old = shop.plan(Path("old.yaml").read_text()).sha256
    try:
        shop.plan(asked.replace(", secondary: [conversion]", ""))
        refused = ""
    except UpliftLabError as error:
        refused = str(error)
lean = needed_plan(plan)
study = estimation_spec(lean)
given = Given(mean=5.0, sd=20.0)
planned = prospect(lean, study, in_figures(lean, study, given), Assumptions(given=given))
print(json.dumps({
    "json": json.loads(to_json(found)), "csv": to_csv(found).decode("utf-8-sig"),
    "page": render(found), "old": old, "refused": refused, "reference": reference(),
    "schema": json_schema(), "planned": planned.money_absent.template,
    "counted": outcomes_of(plan).counted,
}))
"""
OLD = ASKED.replace(ARM, "channel: email, cost_per_contact: 0.5")


def columns():
    rng, n = np.random.default_rng(8), 600
    arm = np.repeat(["none", "mail"], n // 2)
    contacts = np.where(arm == "mail", rng.integers(1, 3, n), 0)
    bought = rng.random(n) < 0.4 + 0.2 * (arm == "mail")
    spend = np.round(bought * rng.normal(50, 10, n), 2)
    named = {"arm": arm, "contacts": contacts, "spend": spend, "conversion": bought.astype(int)}
    return {name: values.tolist() for name, values in named.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extended")
    root = extended(folder, "results/costs.py", "    further_cost = ", ENTRIES)
    assert changed(root) == ["results/costs.py"]
    (folder / "columns.json").write_text(json.dumps(columns()))
    (folder / "asked.yaml").write_text(ASKED)
    (folder / "old.yaml").write_text(OLD)
    return asked(root, SCRIPT, folder)


def lines(found):
    (bridge,) = (one for one in found["json"]["bridges"] if one["arm"] == "mail")
    return {line["kind"]: line for line in bridge["lines"]}


def test_it_is_in_profit_and_the_sums_add_up_to_the_cent(found):
    rows = {name: np.array(values) for name, values in columns().items()}
    treated, control = (rows["arm"] == arm for arm in ("mail", "none"))
    fee = 0.3 * rows["conversion"][treated].sum()
    subsidy = 0.1 * rows["contacts"][treated].sum()
    told = {kind: Decimal(str(line["estimate"])) for kind, line in lines(found).items()}
    assert float(told["order_fee"]) == pytest.approx(-fee, abs=0.011)
    assert float(told["subsidy"]) == pytest.approx(subsidy, abs=0.011)
    costs = set(told) - {"revenue", "margin", "cost", "profit"}
    assert costs == {"contact_cost", "order_fee", "subsidy", "fixed_cost"}
    assert sum(told[kind] for kind in costs) == told["cost"]
    assert told["margin"] + told["cost"] == told["profit"]
    gain = 0.4 * (rows["spend"][treated].sum() - rows["spend"][control].mean() * treated.sum())
    spent = 0.5 * rows["contacts"][treated].sum() + fee - subsidy + 7.77
    (profit,) = (
        f
        for f in found["json"]["findings"]
        if (f["kind"], f["dimension"]) == ("incremental_profit", None)
    )
    assert profit["estimate"] == pytest.approx(gain - spent, rel=1e-9)
    assert lines(found)["order_fee"]["metric"] == "conversion"


def test_it_is_in_the_terms_the_spreadsheet_and_on_the_page(found):
    terms = found["json"]["terms"]
    assert terms["fee_per_order"] == {"none": 0.0, "mail": 0.3}
    assert terms["subsidy_per_thousand"] == {"none": 0.0, "mail": 100.0}
    kinds = [row["kind"] for row in csv.DictReader(io.StringIO(found["csv"]))]
    assert {"bridge_order_fee", "bridge_subsidy"} <= set(kinds)
    page = unescape(found["page"])
    for text in ("less fees", "plus subsidy", "Fee per order", "Subsidy per thousand contacts"):
        assert text in page


def test_its_key_is_known_to_yaml(found):
    for name in ("Arm", "Channel", "Offer"):
        section = found["reference"].split(f"### {name}\n")[1].split("###")[0]
        assert "| `fee_per_order` | money | Paid for every order. |" in section
    key = found["schema"]["definitions"]["Arm"]["properties"]["subsidy_per_thousand"]
    assert key["description"].startswith("What a supplier pays")
    assert "UL124" in found["refused"]
    assert "'mail' pays for conversions, but nothing counts them" in found["refused"]


def test_planning_and_targeting_know_of_it(found):
    assert found["planned"] == (
        "Money is left out: what {arm} pays for conversions cannot be planned for."
    )
    assert found["counted"] == ["spend", "contacts", "conversion"]


def test_plans_locked_before_keep_their_hash(found, tmp_path):
    script = SCRIPT.partition("with DuckDB")[0].partition("asked =")[0] + (
        "shop = Shop(Path(), None)\n"
        'shop._sources["customers"] = {"id": "id", "file": "customers.parquet"}\n'
        'print(json.dumps(shop.plan(Path("old.yaml").read_text()).sha256))\n'
    )
    (tmp_path / "old.yaml").write_text(OLD)
    assert asked(ROOT, script, tmp_path) == found["old"]


rates = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    margin=st.floats(-2, 2),
    paid=st.fixed_dictionaries(dict.fromkeys(RATED, rates)),
    counted=st.tuples(*[st.none() | st.integers(1, 3)] * 3),
    further=st.lists(st.integers(4, 5), max_size=2, unique=True),
    size=st.none() | st.just(6),
)
def test_profit_is_margin_less_every_cost(margin, paid, counted, further, size):
    rows = np.random.default_rng(5).gamma(1.0, 10.0, (20, 7))
    roles = Roles(0, *counted, further=tuple(further), size=size)
    terms = ArmTerms(margin, paid).spread(20)
    mean = Moments.of(rows).project(projection(7, roles, terms)).mean[7:]
    costs = [mean[step.column] for step in COSTS]
    largest = max(map(abs, (*costs, mean[CostStep.margin.column])))
    assert mean[CostStep.cost.column] == pytest.approx(sum(costs), abs=1e-9 * largest)
    profit = mean[CostStep.margin.column] - sum(costs)
    assert mean[CostStep.profit.column] == pytest.approx(profit, abs=1e-9 * largest)
    assert [step.column for step in CostStep] == list(range(len(CostStep)))
