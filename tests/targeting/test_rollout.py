"""One arm for everybody after SHIP: what its analysis promises, and what a holdout tells."""

import contextlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from targets import YAML, shop

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.cli.app import commands
from upliftlab.config import load
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import ConfigError, DataError
from upliftlab.targeting.candidates import with_identity
from upliftlab.targeting.request import TargetRequest, arm_of
from upliftlab.targeting.rollout import rollout_basis
from upliftlab.targeting.target import next_campaign

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LIST = "spring_targets.parquet"
WORTH, PRICE = 3.0 * 0.5, 0.5
"""What the mail truly adds to a customer's margin, and what it costs."""


def rolled_out(folder, *arguments):
    command = ["target", "spring.yaml", "--customers", "next_month", "--policy", "everybody"]
    with contextlib.chdir(folder):
        return CliRunner().invoke(commands, [*command, *arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop whose customers all respond alike, what is told of a roll-out, and its list."""
    folder = tmp_path_factory.mktemp("shop")
    experiment = shop(folder, alike=True)
    experiment.write_text(YAML.partition("uplift:")[0])  # a plan that asks for no model
    done = rolled_out(folder, "--arm", "mail", "--budget", "5000", "--json")
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout), pq.read_table(folder / LIST).to_pandas()


def plan_of(folder, **sources):
    plan = load(folder / "spring.yaml").plan
    return plan.model_copy(update=sources)


def order_for(plan, folder, arm="mail", **asked):
    source = with_identity(plan, asked.pop("source", Source(file="next.parquet")))
    output = asked.pop("output", folder / "list.parquet")
    return TargetRequest("next_month", source, 5000.0, date(2026, 4, 1), output, arm=arm, **asked)


@pytest.fixture(scope="module")
def analysis(made):
    loaded = load(made[0] / "spring.yaml")
    with DuckDB(loaded.workspace.locate) as engine:
        return analyze(loaded.plan, AnalysisContext(engine, NOW))


def test_everybody_who_may_be_contacted_gets_the_arm_but_for_a_random_tenth(made):
    _, told, rows = made
    assert (told["policy"], told["model"], told["abstained"]) == ("everybody", None, False)
    assert (
        told["targeted"] + told["held_out"] == len(rows) == 2_000 - sum(told["excluded"].values())
    )
    assert set(told["excluded"]) == {"not_eligible", "universal_holdout"}
    assert set(rows["intended"]) == {"mail"}
    assert (rows["arm"] == "none").sum() == told["held_out"]
    assert abs(told["held_out"] / len(rows) - 0.1) < 4 * np.sqrt(0.09 / len(rows))


def test_what_is_expected_is_the_analysis_for_as_many_customers(made, analysis):
    _, told, rows = made
    [profit] = analysis.find(kind="incremental_profit", arm="mail", dimension=None, headline=True)
    times = told["targeted"] / profit.n_treated
    for name, number in (("profit", profit.estimate), ("low", profit.low), ("high", profit.high)):
        assert told[f"expected_{name}"] == pytest.approx(number * times, rel=1e-6)
    assert told["expected_cost"] == pytest.approx(PRICE * told["targeted"], rel=1e-6)
    assert told["expected_low"] < (WORTH - PRICE) * told["targeted"] < told["expected_high"]
    assert rows["expected_incremental_profit"].sum() == pytest.approx(told["expected_profit"])


def test_a_fixed_cost_is_paid_once_however_many_there_are(made, analysis):
    plan = plan_of(made[0])
    basis = rollout_basis(plan, "call", analysis)
    [profit] = analysis.find(kind="incremental_profit", arm="call", dimension=None, headline=True)
    value, cost = basis.ready.average[1]
    assert (value - cost) * profit.n_treated == pytest.approx(profit.estimate + 100)
    assert basis.ready.average[0].tolist() == [0, 0]
    assert cost == pytest.approx(2)


def test_a_budget_is_never_exceeded(made, tmp_path):
    done = rolled_out(made[0], "--arm", "mail", "--budget", "100", "--json", "--output",
                      str(tmp_path / "few.csv"))  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["targeted"], told["exhausted"]) == (200, True)
    assert told["expected_cost"] == 100
    assert told["not_chosen"] > 1_000


def test_the_lists_holdout_closes_the_loop(made, tmp_path):
    """A later run on the list finds what was promised, within what both can tell."""
    _, told, rows = made
    rng = np.random.default_rng(5)
    spend = rng.normal(20, 3, len(rows)) + 3.0 * (rows["arm"] == "mail")
    rows.assign(spend=spend).to_parquet(tmp_path / "sent.parquet")
    (tmp_path / "again.yaml").write_text(
        "schema: 1\nexperiment: again\ncustomers: {file: sent.parquet, id: customer}\n"
        "assignment: {observed: arm}\narms:\n  none: {control: true, share: 10%}\n"
        "  mail: {channel: email, share: 90%, cost_per_contact: 0.50}\n"
        "currency: EUR\nmetrics: {primary: profit}\nmoney: {revenue: spend, margin: 50%}\n"
    )
    loaded = load(tmp_path / "again.yaml")
    with DuckDB(loaded.workspace.locate) as engine:
        found = analyze(loaded.plan, AnalysisContext(engine, NOW))
    [real] = found.find(kind="incremental_profit", arm="mail", dimension=None, headline=True)
    assert real.n_treated == told["targeted"]
    assert real.low < (WORTH - PRICE) * told["targeted"] < real.high
    assert max(real.low, told["expected_low"]) < min(real.high, told["expected_high"])


def test_an_arm_that_is_not_to_ship_is_not_rolled_out_unless_forced(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    experiment = shop(folder, alike=True, customers=120)
    experiment.write_text(YAML.replace("cost_per_contact: 0.50", "cost_per_contact: 1.40"))
    done = rolled_out(folder, "--arm", "mail")
    assert done.exit_code == 1
    assert "The verdict on mail is not SHIP" in done.stdout
    assert not (folder / LIST).exists()
    told = json.loads(rolled_out(folder, "--arm", "mail", "--force", "--json").stdout)
    assert (told["forced"], told["abstained"]) == (True, False)


def test_households_have_no_profit_by_customer(made, analysis):
    by_household = analysis.model_copy(update={"unit": "household"})
    with pytest.raises(DataError, match=r"UL644.*households"):
        rollout_basis(plan_of(made[0]), "mail", by_household)
    with pytest.raises(DataError, match=r"UL644.*cost"):
        rollout_basis(plan_of(made[0]), "mail", analysis.model_copy(update={"bridges": ()}))


@pytest.mark.parametrize(
    ("policy", "arm", "model", "remedy"),
    [
        ("everybody", None, False, "--arm mail or --arm call"),
        ("everybody", "none", False, "--arm mail or --arm call"),
        ("everybody", "mail", True, "leave out --model"),
        ("model", "mail", False, "--policy everybody --arm mail"),
    ],
)
def test_what_does_not_go_together_is_refused(made, policy, arm, model, remedy):
    with pytest.raises(ConfigError, match="UL643") as refused:
        arm_of(plan_of(made[0]), policy, arm, model=model)
    assert remedy in str(refused.value)


def same_list(made, plan, order, engine):
    found = next_campaign(plan, order, None, AnalysisContext(engine, NOW))
    with DuckDB(load(made[0] / "spring.yaml").workspace.locate) as embedded:
        other = order_for(plan_of(made[0]), made[0], output=order.output.with_name("own.parquet"))
        expected = next_campaign(plan_of(made[0]), other, None, AnalysisContext(embedded, NOW))
    assert found.targeted > 1_000
    assert found.sentence == expected.sentence
    one, two = (pq.read_table(each.output).to_pandas() for each in (order, other))
    pd.testing.assert_frame_equal(one, two, check_dtype=False)


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark_writes_the_same_list(made, tmp_path):
    from upliftlab.engines.spark import Spark

    loaded = load(made[0] / "spring.yaml")
    with Spark(loaded.workspace.locate) as engine:
        same_list(made, loaded.plan, order_for(loaded.plan, tmp_path), engine)


@pytest.mark.postgres
def test_postgres_writes_the_same_list(made, tmp_path, postgres, desk):
    for name in ("people", "next"):
        desk.publish(f"shop_{name}", pq.read_table(Path(made[0]) / f"{name}.parquet"))
    plan = plan_of(made[0])
    there = plan.customers.model_copy(update={"file": None, "table": "odd.shop_people"})
    plan = plan.model_copy(update={"customers": there})
    source = Source(table="odd.shop_next")
    same_list(made, plan, order_for(plan, tmp_path, source=source), postgres)
