"""Metrics that an experiment defines itself, as configs/metrics.yaml would, at its own lines."""

from __future__ import annotations

from datetime import date

import pytest
from jsonschema import Draft7Validator
from shops import Shop, each_own_arm
from spaces import Space

from upliftlab.config import load
from upliftlab.config.schema import json_schema
from upliftlab.engines.duckdb import DuckDB

ORDERS = "sources: {orders: {file: o.csv, id: id, time: at}}"
DEFINED = """metrics:
  primary: late
  secondary: [spent_each, revenue]
  define:
    late: {column: late, better: lower, unit: share, title: Late payers}
    revenue: {from: orders, sum: amount, where: "kind = 'sold'", during: [0 days, 3 days]}
    orders: {from: orders, count: true}
    spent_each: {ratio: [revenue, orders]}
"""


@pytest.fixture
def space(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Space(tmp_path)


def test_numbers_on_each_engine(anywhere):
    customers, arms = each_own_arm([1, 2])
    anywhere.table("customers", {**customers, "late": [1, 0]})
    orders = {
        "id": [1, 1, 2, 2],
        "at": [date(2026, 3, 3), date(2026, 3, 6), date(2026, 3, 2), date(2026, 3, 4)],
        "amount": [10.0, 99.0, 4.0, 6.0],
        "kind": ["sold", "sold", "back", "sold"],
    }
    anywhere.table("orders", orders, time="at")
    text = (
        "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
        f"outcome_window: 7 days\n{arms}{DEFINED}"
    )
    plan = anywhere.plan(text)
    units = anywhere.units(plan)
    assert [units[f"arm {key}"]["late"] for key in (1, 2)] == [1.0, 0.0]
    assert [units[f"arm {key}"]["revenue"] for key in (1, 2)] == [10.0, 6.0]
    assert [units[f"arm {key}"]["orders"] for key in (1, 2)] == [2.0, 2.0]
    late = plan.metrics["late"]
    assert (late.better, late.unit, late.title) == ("lower", "share", "Late payers")


def test_the_same_plan_as_with_the_workspace_s_metrics(tmp_path):
    """But for where it is written: the same metrics, the same numbers."""
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        shop = Shop(tmp_path, engine)
        shop.table("customers", {"id": [1, 2], "arm": ["none", "mail"], "left": [1, 0]})
        text = "assignment: {observed: arm}\narms: {none: {control: true}, mail: {channel: e}}\n"
        own = shop.plan(text + "metrics: {primary: gone, define: {gone: {column: left}}}\n")
        there = shop.plan(text + "metrics: {primary: gone}\n", "  gone: {column: left}\n")
        assert own.metrics == there.metrics
        assert own.sha256 != there.sha256
        bare = shop.plan(text + "metrics: {primary: left}\n")
        assert bare.metrics["left"].column == "left"


@pytest.mark.parametrize(
    ("define", "expected"),
    [
        ("y: {column: a, beter: lower}", "10:20: UL012 unknown key 'beter' in metric 'y'; did you"),
        ("y: {sum: a}", "10:9: UL015 metric 'y': 'sum' needs 'from': a table of events"),
        ("y: {from: ordrs, count: true}", "10:15: UL106 the source 'ordrs' is not declared"),
        ("y: {from: orders, count: true, where: a;}", "10:43: UL020 a semicolon"),
        ("y: {ratio: [y, spent]}", "10:17: UL111 the metric 'y' is made of itself"),
        ("y: {ratio: [avg, spent]}", "10:17: UL111 the metric 'y' has the ratio 'avg' as a part"),
        ("y: {ratio: [revenu, spent]}", "10:17: UL107 metric 'y': its part 'revenu' is not decl"),
        (
            "y: {from: orders, count: true, during: [3 days, 1 day]}",
            "10:44: UL137 metric 'y': 'during' ends before it begins",
        ),
        ("y: {column: a}\n    profit: {column: b}", "11:5: UL110 the name 'profit' is reserved"),
        (
            "y: {column: a}\n    z: {column: b}",
            "11:5: UL155 the metric 'z' is defined and",
        ),
        (
            "y: {column: a}\n    revenue: {column: b}",
            "11:5: UL038 the metric 'revenue' is already declared in configs/metrics.yaml:2:3",
        ),
    ],
)
def test_the_rules_of_metrics_hold_at_their_own_line(space, define, expected):
    part = f"outcome_window: 7 days\nmetrics:\n  primary: y\n  define:\n    {define}\n"
    text = f"{part}waves: [{{start: 2026-03-02, share: 100%}}]\n"
    space.write("experiments/example.yaml", space.experiment(text))
    metrics = "metrics:\n  revenue: {column: r}\n  avg: {ratio: [revenue, spent]}\n"
    faults = space.check(metrics=metrics, sources=ORDERS)
    assert any(f"example.yaml:{expected}" in fault for fault in faults), faults


def test_a_template_s_definitions(space):
    """They merge by name, and each is replaced whole; faults stand where they are written."""
    space.write(
        "experiments/example.yaml",
        space.experiment(
            "columns: {twice: age * 2}\n"
            "metrics: {primary: y, define: {y: {column: spent, better: lower}, z: {column: twice}}}"
        ),
    )
    child = space.write(
        "experiments/child.yaml",
        "schema: 1\nexperiment: child\nextends: example.yaml\ncolumns: {more: twice + 1}\n"
        "metrics: {secondary: [z, w], define: {y: {column: other}, w: {column: more}}}\n",
    )
    plan = load(child).plan
    assert plan.customers.columns == {"more": "twice + 1", "twice": "age * 2"}
    found = {name: (metric.column, metric.better) for name, metric in plan.metrics.items()}
    assert found == {
        "y": ("other", "higher"),
        "z": ("twice", "higher"),
        "w": ("more", "higher"),
    }


def test_a_covariate_of_the_time_before(space):
    text = (
        "outcome_window: 7 days\nwaves: [{start: 2026-03-02, share: 100%}]\n"
        "metrics: {primary: spent, define: {sold: {from: orders, sum: amount}}}\n"
        "analysis: {covariates: [sold_before]}\n"
    )
    assert space.check(text, sources=ORDERS) == []


def test_the_schema_knows_both():
    schema = Draft7Validator(json_schema())
    asked = {
        "schema": 1,
        "experiment": "e",
        "customers": {"file": "a.csv", "columns": {"net": "a - b"}},
        "arms": {"none": {"control": True}, "mail": {}},
        "columns": {"value": "purchase * 10"},
        "metrics": {"primary": "y", "define": {"y": {"column": "value", "unit": "share"}}},
    }
    assert [error.message for error in schema.iter_errors(asked)] == []
    asked["metrics"] = {"primary": "y", "define": {"y": {"colum": "value"}}}
    assert list(schema.iter_errors(asked))


def test_check_data_names_the_definition(space):
    space.write("data.csv", "id,arm,spent\n1,none,1\n2,email,2\n3,none,3\n4,email,4\n")
    from click.testing import CliRunner

    from upliftlab.cli import commands

    part = "metrics: {primary: y, define: {y: {column: spnt}}}"
    space.write("experiments/example.yaml", space.experiment(part))
    done = CliRunner().invoke(commands, ["check", "experiments", "--data", "."])
    assert "\nexperiments/example.yaml:6:35: UL205 the data have no column" in done.output
