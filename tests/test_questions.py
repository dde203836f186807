"""The worked examples: their truth is true, their reports find it, and the page says so."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from upliftlab import Experiment
from upliftlab.cli import commands
from upliftlab.cli.simulating import WORLD_NAMES
from upliftlab.simulate.worked import WORLDS, draw_example, write_example
from upliftlab.simulate.worked.behaviour import expected
from upliftlab.simulate.worked.drawing import bought, contacts_table, draw, redemptions_table

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
FEW = {"acquisition": 70_000, "cross-sell": 18_000}
"""Enough for a world's answer; 12,000 of the others."""
STANDARD_ERRORS = 4.5
COMMANDS = re.findall(r"^upliftlab .*$", PAGE, re.MULTILINE)


def run(*words, code=0):
    done = CliRunner().invoke(commands, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.output


def experiment_of(name):
    return Experiment.from_yaml(ROOT / "experiments" / WORLDS[name].file)


def drawn(name, seed, customers=None):
    """The tables as `analyze` takes them, and the truth."""
    many = customers or FEW.get(name, 12_000)
    plan = experiment_of(name).resolved
    tables, truth = draw_example(WORLDS[name], plan, seed=seed, customers=many)
    return {"customers" if n == "media" else n: table for n, table in tables.items()}, truth


@cache
def analysed(name):
    """The truth of a world, and its analysis."""
    tables, truth = drawn(name, 7)
    return truth, experiment_of(name).analyze(tables)


def test_every_world_can_be_asked_for():
    assert tuple(WORLDS) == WORLD_NAMES
    assert {f"upliftlab run --world {name}" for name in WORLDS} <= set(COMMANDS)


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_the_report_finds_the_truth(name):
    """Every profit, in each arm and level, and everything else that is known of them."""
    truth, analysis = analysed(name)
    known = {(r["arm"], r["control"], r["dimension"], r["level"]): r for r in truth["effects"]}
    held = 0
    for found in (*analysis.findings, *analysis.compared):
        record = known[found.arm, found.control, found.dimension, found.level]
        assert found.n_treated == record["n_treated"]
        kinds = {"difference": record["difference"], "adjusted_difference": record["difference"]}
        true = kinds.get(found.kind, {}).get(found.metric)
        if found.kind in {"incremental_profit", "profit_per_customer"}:
            true = record[found.kind]
        if true is None or not found.se:
            continue
        assert abs(found.estimate - true) < STANDARD_ERRORS * found.se, (name, found)
        held += 1
    assert held > 20
    assert {key[:3] for key in known} == {
        (f.arm, f.control, f.dimension) for f in (*analysis.findings, *analysis.compared)
    }


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_no_check_finds_anything_wrong(name):
    _, analysis = analysed(name)
    assert [asked.name for asked in analysis.checks if asked.passed is False] == []


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_ratios_are_of_the_true_totals(name):
    truth, analysis = analysed(name)
    arms = {found.arm for found in analysis.findings if found.arm}
    for record in truth["effects"]:
        if record["cost"]:
            assert record["roi"] == pytest.approx(record["incremental_profit"] / record["cost"])
            per = record["cost"] / record["incremental_conversions"]
            assert record["cost_per_conversion"] == pytest.approx(per)
        added = record["incremental_margin"] - record["cost"]
        assert record["incremental_profit"] == pytest.approx(added, abs=1e-4)
    assert arms == {b.arm for b in WORLDS[name].behaviours[1:]}


@pytest.mark.parametrize("name", ["commission", "churn", "cross-sell"])
def test_expected_values_are_what_a_large_draw_does(name):
    """Counted without SQL, kind by kind of customer."""
    chance, example, many = np.random.default_rng(3), WORLDS[name], 300_000
    found = draw(chance, example.clientele, example.behaviours, many)
    orders, spent = bought(found)
    contacted = contacts_table(chance, example.behaviours, found.arms, name)["customer_id"]
    redeemed = redemptions_table(chance, example.behaviours, found, name)["customer_id"]
    during = found.orders[found.orders["ordered_at"].between("2026-03-02", "2026-03-29 23:59:59")]
    each = pd.DataFrame(
        {
            "conversion": orders > 0,
            "orders": orders,
            "revenue": spent,
            "contacts": np.bincount(contacted - 1, minlength=many),
            "redemptions": np.bincount(redeemed - 1, minlength=many),
            "commission": np.bincount(during["customer_id"] - 1, during["commission"], many),
        }
    ).astype(float)
    kinds, shares = example.clientele.every()
    assert shares.sum() == pytest.approx(1)
    for number, behaviour in enumerate(example.behaviours):
        values = expected(example.clientele, behaviour, kinds)
        for at in range(len(shares)):
            here = found.arms == number
            for trait, codes in kinds.items():
                here &= found.kinds[trait] == codes[at]
            some = each[here]
            error = some.std() / np.sqrt(len(some)) + 1e-9
            gap = some.mean() - pd.Series({metric: v[at] for metric, v in values.items()})
            # amounts are rounded to cents
            assert (gap.abs() < STANDARD_ERRORS * error + 0.005).all(), (behaviour.arm, at, gap)


def test_acquisition_tells_which_step_of_spend_pays():
    truth, analysis = analysed("acquisition")
    steps = {s["channel"]: s["cost_per_new_customer_of_the_step"] for s in
             truth["answers"]["steps_from_low_to_high"]}  # fmt: skip
    found = {f.arm: f for f in analysis.compared if f.kind == "cost_per_conversion"}
    for channel, true in steps.items():
        interval = found[f"{channel}_high"]
        assert interval.low is None or interval.low < 1.5 * true
        assert interval.high is None or interval.high > true / 1.5


def test_commission_grows_more_than_the_margin_it_brings():
    truth, analysis = analysed("commission")
    for bridge in analysis.bridges:
        lines = {line.kind: line for line in bridge.lines}
        assert -lines["further_cost"].estimate > lines["margin"].estimate > 0
        record = next(r for r in truth["effects"] if r["arm"] == bridge.arm)
        told = bridge.subsidy
        assert told.low < record["redeemed_beyond_conversions"] < told.high
        assert told.low < record["redeemed_anyway"]


def test_churn_is_met_by_response_and_not_by_risk():
    tables, truth = drawn("churn", 7, 20_000)
    found = experiment_of("churn").learn(tables)
    rules = {rule["rule"]: rule["profit_per_customer"] for rule in truth["answers"]["rules"]}
    policies = {policy.name: policy for policy in found.policies}
    today, chosen = policies["today"], policies["return"]
    assert found.open
    assert today.value.low < rules["by_risk"] < today.value.high
    assert today.value.high < chosen.value.estimate
    assert chosen.value.low < rules["by_response"], "who knows all customers does best"
    assert chosen.beside_today.low > 0


def test_the_best_of_eight_arms_is_named():
    truth, analysis = analysed("cross-sell")
    whole = [record for record in truth["effects"] if record["dimension"] is None]
    profit = {record["arm"]: record["incremental_profit"] for record in whole}
    best = truth["answers"]["best_arm"][0]["best"]
    named = next(arm for arm in analysis.verdict.arms if arm.arm == analysis.verdict.arm)
    assert named.low < profit[named.arm] < named.high
    assert named.arm.startswith("boots") == best.startswith("boots")


@pytest.mark.parametrize("name", WORLD_NAMES)
def test_one_command_makes_the_report(tmp_path, monkeypatch, name):
    """As the page says it, on fewer customers where they are there already."""
    monkeypatch.chdir(tmp_path)
    few = FEW.get(name, 12_000)
    told = run("simulate", "--world", name, "--customers", few)
    folder = Path(f"upliftlab-{name}")
    assert WORLDS[name].question in told
    assert f"upliftlab run {folder / 'experiments' / WORLDS[name].file}" in told
    told = run("check", folder / "experiments", folder / "configs", "--data", folder / "data")
    assert "No faults found" in told
    told = run("run", "--world", name)
    assert f"Report:  {folder / 'report.html'}" in told
    assert (folder / "report.html").is_file()
    assert json.loads((folder / "truth.json").read_text())["customers"] == few


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    example = WORLDS["decline"]
    for name in ("a", "b"):
        write_example(tmp_path / name, example, seed=3, customers=2_000)
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert len(files) > 8
    for file in files:
        other = tmp_path / "b" / file.relative_to(tmp_path / "a")
        assert file.read_bytes() == other.read_bytes(), file


def test_tables_of_something_else_are_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "data").mkdir(parents=True)
    (tmp_path / "mine" / "data" / "orders.parquet").write_bytes(b"mine")
    asked = ("simulate", "--world", "churn", "--customers", 1000, "--out", "mine")
    assert "UL291" in run(*asked, code=1)
    assert (tmp_path / "mine" / "data" / "orders.parquet").read_bytes() == b"mine"
    assert not (tmp_path / "mine" / "experiments").exists()
    run("simulate", "--world", "churn", "--customers", 1000, "--out", "ours")
    run("simulate", "--world", "churn", "--customers", 1100, "--out", "ours")
    other = ("simulate", "--world", "decline", "--customers", 1000, "--out", "ours")
    assert "UL291" in run(*other, code=1)
    assert "UL290" in run("simulate", "--world", "churn", "--customers", 10, "--out", "new", code=1)
    assert not (tmp_path / "new").exists()


def test_a_world_and_an_experiment_exclude_each_other():
    file = ROOT / "experiments" / "churn.yaml"
    assert "--world" in run("simulate", file, "--world", "churn", code=2)
    assert "leave out EXPERIMENT" in run("run", file, "--world", "churn", code=2)


def rows(section):
    """The cells of the first table of a section."""
    text = PAGE.split(f"## {section}")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_tells_the_truth():
    answers, effects = {}, {}
    for name in WORLDS:
        _, truth = drawn(name, 7, WORLDS[name].customers)
        answers[name], effects[name] = truth["answers"], truth["effects"]
    cost = {r["arm"]: r["cost_per_conversion"] for r in effects["acquisition"] if r["arm"]
            and r["dimension"] is None and r["control"] == "nobody"}  # fmt: skip
    steps = answers["acquisition"]["steps_from_low_to_high"]
    assert rows("Which media") == [
        [
            step["channel"],
            f"{cost[step['channel'] + '_low']:.2f}",
            f"{cost[step['channel'] + '_high']:.2f}",
            f"{step['cost_per_new_customer_of_the_step']:.2f}",
            "yes" if step["spend_more"] else "no",
        ]
        for step in steps
    ]
    told = answers["commission"]
    profit = [r["profit_per_customer"] for r in effects["commission"][:2]]
    each = told["arms"]
    keys = ("commission_per_customer", "margin_added_per_customer")
    assert [row[1:] for row in rows("Why does commission")] == [
        [f"{told['usual_commission_per_customer']:.2f}", *(f"{a[keys[0]]:.2f}" for a in each)],
        ["", *(f"{a[keys[1]]:.2f}" for a in each)],
        ["", *(f"{100 * a['commission_share_of_added_margin']:.0f} %" for a in each)],
        ["", *(f"{value:.2f}" for value in profit)],
        ["", *(f"{a['claims_by_customers_who_buy_anyway']:.2f}" for a in each)],
    ]
    rules = {rule["rule"]: rule for rule in answers["churn"]["rules"]}
    assert [row[1:] for row in rows("Who may leave")] == [
        [f"{100 * rule['contacted']:g} %", f"{rule['profit_per_customer']:.2f}"]
        for rule in (rules["by_risk"], rules["everybody"], rules["by_response"])
    ]
    assert [row[1:] for row in rows("What lifts")] == [
        [f"{depth['profit_per_customer'][arm]:.2f}" for arm in ("reminder", "voucher")]
        for depth in answers["decline"]["by_depth"]
    ]
    share = answers["decline"]["share_of_redemptions_by_customers_who_buy_anyway"]["voucher"]
    assert f"{100 * share:.0f} % are by customers who would have bought anyway" in PAGE
    best = {each["bought"] or "anything": each for each in answers["cross-sell"]["best_arm"]}
    assert rows("Which product") == [
        [bought, best[bought]["best"]] for bought in ("anything", "running", "camping")
    ]
    assert best["city"]["profit_per_customer"] < 0.6
