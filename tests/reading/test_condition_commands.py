"""What commands make of conditions over CSV files, and that `check --data` says what they say."""

from __future__ import annotations

import contextlib
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from shops import NOW, Shop, each_own_arm
from spaces import Space

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.cli import commands
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError

TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 7 days\nmetrics: {primary: revenue}\n"
)
ORDERS = (
    "id,at,paid,refunded,gross,kind\n"
    "1,2026-03-03,5.00,9.00,5,sold\n"
    "1,2026-03-03,240.00,9.00,240,sold\n"
    "2,2026-03-04,30.00,9.00,30,sold\n"
    "2,2026-03-05,100.00,,100,sold\n"
    "3,2026-03-05,9.00,9.00,9,NA\n"
)


@pytest.fixture(params=["duckdb", "spark"])
def shop(request, tmp_path):
    def locate(file):
        return tmp_path / "data" / file

    if request.param == "duckdb":
        with DuckDB(locate) as engine:
            yield Shop(tmp_path, engine)
    else:
        request.getfixturevalue("spark")
        with Spark(locate) as engine:
            yield Shop(tmp_path, engine)


def revenue(shop, where):
    customers, arms = each_own_arm([1, 2, 3])
    shop.table("customers", customers)
    shop.table("orders", {"id": [1], "at": [date(2026, 3, 3)]}, time="at")
    shop.locate("orders.csv").write_text(ORDERS)
    metric = f"  revenue: {{from: orders, sum: paid, where: {json.dumps(where)}}}\n"
    plan = shop.plan(TEXT + arms, metric)
    orders = plan.sources["orders"].model_copy(update={"file": "orders.csv"})
    units = shop.units(plan.model_copy(update={"sources": {"orders": orders}}))
    return [row["revenue"] for _, row in sorted(units.items())]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("paid > refunded", [240.0, 30.0, 0.0]),
        ("not paid > refunded", [5.0, 0.0, 9.0]),
        ("paid - coalesce(refunded, 0) >= 21", [240.0, 130.0, 0.0]),
        ("coalesce(refunded, paid) = gross", [0.0, 100.0, 9.0]),
        ("gross between refunded and paid", [240.0, 30.0, 9.0]),
        ("kind = 'sold' and paid in (gross, 1)", [245.0, 130.0, 0.0]),
    ],
)
def test_revenue_of_events_that_meet_a_condition(shop, where, expected):
    assert revenue(shop, where) == expected


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("kind > 3", "UL214 5 values of 'kind' of orders are not a number"),
        ("kind > paid", "UL251 a condition on orders compares what does not compare"),
    ],
)
def test_events_whose_condition_does_not_fit_are_refused(shop, where, said):
    with pytest.raises(DataError) as caught:
        revenue(shop, where)
    assert said in str(caught.value.faults[0])


def test_eligible_compares_numbers_in_an_analysis(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        shop = Shop(tmp_path, engine)
        columns = {"arm": ["none", "none", "mail", "mail", "mail"], "spend": [1.0, 2, 3, 4, 900]}
        columns |= {"score": ["10", "100", "9", "20", "5"], "recency": ["9", "20", "8", "9", "10"]}
        columns |= {"tier": ["gold"] * 5}
        text = "assignment: {observed: arm}\narms: {none: {control: true}, mail: {}}\n"
        text += "metrics: {primary: spend}\neligible: score > recency\n"
        found = shop.analysed(columns, text)
        difference = next(f for f in found.findings if f.kind == "difference")
        assert (difference.n_control, difference.n_treated) == (2, 2)
        assert difference.estimate == pytest.approx(3.5 - 1.5)
        plan = shop.plan(text.replace("score > recency", "score > tier"))
        with pytest.raises(DataError, match="UL251"):
            analyze(plan, AnalysisContext(engine, NOW))


DATA = "id,arm,spent,paid,back,tier,since,flag,age\n" + "".join(
    f"{n},{'email' if n % 2 else 'none'},{n % 7},{n}.50,{n % 9},{'gold' if n % 3 else 'red'},"
    f"2026-01-{1 + n % 28:02},{'yes' if n % 5 else 'no'},{'NA' if n == 5 else 20 + n}\n"
    for n in range(1, 41)
)
WAVE = "waves: [{start: 2026-03-02, share: 100%}]\noutcome_window: 7 days\n"
EVENTS = "sources: {orders: {file: orders.csv, id: id, time: at}}\n"
CONDITIONS = {
    "paid > back": set(),
    "flag and since >= date '2026-01-10'": set(),
    "paid > tier": {"UL251"},
    "tier > lower(tier)": {"UL251"},
    "age > 20": {"UL214"},
    "age > paid": {"UL251"},
    "tier and flag": {"UL214"},
    "paid > gone": {"UL205"},
    "coalesce(age, 0) > 3": {"UL214"},
    "paid = 'gold'": {"UL207"},
    "paid < 'gold'": {"UL251"},
}


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = Space(tmp_path)
    found.write("data.csv", DATA)
    (tmp_path / "configs").mkdir()
    return found


def run(*arguments):
    with contextlib.chdir(Path.cwd()):
        return CliRunner().invoke(commands, list(arguments))


def codes(*arguments):
    done = run("check", "experiments", "--data", ".", "--format", "json", *arguments)
    return [fault for fault in json.loads(done.stdout) if fault["severity"] == "error"]


@pytest.mark.parametrize("text", CONDITIONS)
def test_check_says_of_eligible_what_analyze_says(space, text):
    space.write("experiments/example.yaml", space.experiment(f"eligible: {json.dumps(text)}"))
    found = codes()
    assert {fault["code"] for fault in found} == CONDITIONS[text]
    for fault in found:
        assert fault["code"] == "UL207" or fault["file"].endswith("example.yaml")
    done = run("analyze", "experiments/example.yaml")
    said = {code for code in ("UL205", "UL207", "UL214", "UL251") if code in done.output}
    assert said == CONDITIONS[text]


@pytest.mark.parametrize("text", ["paid > refunded", "kind > 3", "kind > paid", "gone > 3"])
def test_check_says_of_a_metric_what_analyze_says(space, text):
    space.write("orders.csv", ORDERS)
    metrics = f"metrics: {{revenue: {{from: orders, sum: paid, where: {json.dumps(text)}}}}}\n"
    space.write("configs/metrics.yaml", metrics)
    space.write("configs/sources.yaml", EVENTS)
    part = WAVE + "metrics: {primary: revenue}"
    space.write("experiments/example.yaml", space.experiment(part))
    expected = {"kind > 3": {"UL214"}, "kind > paid": {"UL251"}, "gone > 3": {"UL205"}}
    found = codes()
    assert {fault["code"] for fault in found} == expected.get(text, set())
    for fault in found:
        if fault["code"] != "UL214":
            assert fault["file"].endswith("metrics.yaml")
    done = run("analyze", "experiments/example.yaml")
    said = {code for code in ("UL205", "UL214", "UL251") if code in done.output}
    assert said == expected.get(text, set())


@pytest.mark.parametrize(
    ("text", "code"), [("paid > tier", "UL251"), ("age > 3", "UL214"), ("gone", "UL205")]
)
@pytest.mark.parametrize("key", ["eligible", "opt_out"])
def test_assigning_and_checking_refuse_the_same(space, text, code, key):
    part = "assignment: {method: hash}\narms: {none: {control: true, share: 50%}, "
    part += f"email: {{channel: email, share: 50%}}}}\n{WAVE}"
    if key == "eligible":
        part += f"eligible: {text}\n"
    else:
        policy = f"contact_policy: {{max_contacts: 1, per: 7 days, opt_out: {text}}}\n"
        space.write("configs/program.yaml", policy)
    space.write("experiments/example.yaml", space.experiment(part))
    assert {fault["code"] for fault in codes()} == {code}
    done = run("assign", "experiments/example.yaml")
    assert done.exit_code == 1
    assert code in done.output


def test_todays_rule_and_features_are_checked_as_learning_reads_them(space):
    part = "uplift: {features: [age, paid], today: {where: tier > paid}}"
    space.write("experiments/example.yaml", space.experiment(part))
    found = {fault["code"]: fault for fault in codes()}
    assert found.keys() == {"UL251", "UL252"}
    assert 'missing: ["NA"]' in found["UL252"]["remedy"]
    done = run("uplift", "experiments/example.yaml")
    assert done.exit_code == 1
    assert "UL252" in done.output
