"""A list by the readable tree: whom it takes, what it promises, and when there is none."""

import contextlib
import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from targets import PROGRAM, SOURCES, YAML, shop

from upliftlab.analysis.analyze import AnalysisContext
from upliftlab.cli.app import commands
from upliftlab.config import load
from upliftlab.config.models import Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import ConfigError
from upliftlab.targeting.budget import Prospects, spend
from upliftlab.targeting.candidates import with_identity
from upliftlab.targeting.learn import learn
from upliftlab.targeting.request import TargetRequest, arm_of
from upliftlab.targeting.target import next_campaign, tree_basis

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LIST = "one_targets.parquet"
PLAN = """\
schema: 1
experiment: one
customers: {file: people.parquet, id: customer_id}
eligible: "opt_in"
assignment: {observed: arm}
arms:
  none: {share: 50%, control: true}
  mail: {share: 50%, channel: email, cost_per_contact: 1}
currency: EUR
metrics: {primary: profit}
money: {revenue: spend, margin: 50%}
uplift: {features: [age, visits, city], learners: [two_models], base: linear}
"""
GAIN = 6.0
"""What the mail adds to the spend of customers in Oslo, and of nobody else."""


def drawn(rng, customers):
    return pd.DataFrame(
        {
            "customer_id": np.arange(customers),
            "age": rng.integers(18, 80, customers).astype(float),
            "visits": rng.poisson(3, customers),
            "city": rng.choice(["Rome", "Oslo", "Bonn"], customers),
            "opt_in": rng.random(customers) < 0.9,
        }
    )


def one_group(folder, gain, customers=20_000):
    """A shop where the mail does good in one town only: `gain` of spend, for a euro."""
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "sources.yaml").write_text(SOURCES)
    (folder / "configs" / "program.yaml").write_text(PROGRAM)
    (folder / "one.yaml").write_text(PLAN)
    rng = np.random.default_rng(21)
    people, new = drawn(rng, customers), drawn(rng, 6_000)
    mailed = rng.random(customers) < 0.5
    people["arm"] = np.where(mailed, "mail", "none")
    people["spend"] = rng.normal(20, 3, customers) + gain * (people["city"] == "Oslo") * mailed
    people.to_parquet(folder / "people.parquet")
    new.loc[::50, "city"] = "Lima"
    new.loc[1::50, "city"] = None
    new.to_parquet(folder / "next.parquet")
    return new


def by_tree(folder, *arguments, plan="one"):
    command = ["target", f"{plan}.yaml", "--customers", "next_month", "--policy", "tree"]
    with contextlib.chdir(folder):
        return CliRunner().invoke(commands, [*command, *arguments])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The shop, next month's customers by id, what is told of the list, and the list."""
    folder = tmp_path_factory.mktemp("one")
    new = one_group(folder, GAIN)
    done = by_tree(folder, "--budget", "5000", "--json")
    assert done.exit_code == 0, done.output
    rows = pq.read_table(folder / LIST).to_pandas()
    return folder, new.set_index("customer_id"), json.loads(done.stdout), rows


def test_just_the_group_that_responds_is_listed_but_for_a_random_tenth(made):
    _, new, told, rows = made
    may = new[new["opt_in"]]
    assert (may.loc[rows["customer"], "city"] == "Oslo").all()
    assert len(rows) + told["excluded"]["universal_holdout"] > (may["city"] == "Oslo").sum()
    assert len(rows) > 0.9 * (may["city"] == "Oslo").sum()
    assert set(rows["intended"]) == {"mail"}
    assert abs(told["held_out"] / len(rows) - 0.1) < 4 * np.sqrt(0.09 / len(rows))
    counted = told["targeted"] + told["held_out"] + told["not_chosen"]
    assert counted + sum(told["excluded"].values()) == told["seen"] == 6_000
    [reason] = set(rows.loc[rows["arm"] == "mail", "reason"])
    assert reason.endswith("the average of their group of the readable tree")


def test_a_category_that_nobody_had_answers_no(made):
    _, new, told, rows = made
    assert told["unseen"]["city"] > 80
    assert not set(new.index[new["city"] == "Lima"]) & set(rows["customer"])


def test_the_interval_of_what_is_expected_holds_the_truth(made):
    _, _, told, _ = made
    truth = told["targeted"] * (0.5 * GAIN - 1)
    assert told["expected_low"] < truth < told["expected_high"]
    assert told["expected_low"] > 0
    assert told["expected_cost"] == pytest.approx(told["targeted"], rel=1e-5)
    assert (told["policy"], told["abstained"]) == ("tree", False)
    assert (told["model"]["learner"], told["model"]["saved"]) == ("tree", None)


def test_what_is_expected_is_what_the_tree_gained_times_what_came_true(made):
    """By hand: the published group's gain, times the published share that came true."""
    folder, _, told, _ = made
    plan = load(folder / "one.yaml").plan
    with DuckDB(load(folder / "one.yaml").workspace.locate) as engine:
        found = learn(plan, AnalysisContext(engine, NOW))
    basis = tree_basis(found)
    shown = found.responses.tree
    assert shown.question.model_dump()["values"] == {"feature": "city", "level": "Oslo"}
    assert (shown.yes.arm, shown.no.arm) == ("mail", "none")
    realised = told["model"]["realised"]["estimate"]
    assert basis.realised.estimate == pytest.approx(realised)
    each = shown.yes.value * realised
    assert told["expected_profit"] == pytest.approx(told["targeted"] * each, rel=1e-5)
    judged = next(each for each in found.responses.policies if each.name == "tree")
    assert told["model"]["gain"]["estimate"] == pytest.approx(judged.value.estimate)
    foretold = basis.ready.tree.root.value
    assert judged.value.estimate / foretold == pytest.approx(realised, rel=0.1)


def test_the_budget_takes_some_of_them_by_chance(made, tmp_path):
    few = str(tmp_path / "few.csv")
    done = by_tree(made[0], "--budget", "200", "--json", "--output", few)
    told = json.loads(done.stdout)
    assert (told["targeted"], told["exhausted"]) == (200, True)
    assert told["expected_cost"] == pytest.approx(200)
    rows, every = pd.read_csv(few), made[3]
    assert set(rows["customer"]) <= set(every["customer"])
    ages = made[1].loc[rows["customer"], "age"].mean()
    assert abs(ages - 48.5) < 4 * 18 / np.sqrt(len(rows))


def test_without_heterogeneity_there_is_no_list(tmp_path):
    one_group(tmp_path, 0.0, 4_000)
    done = by_tree(tmp_path, "--budget", "5000")
    assert done.exit_code == 1
    assert "nothing shows that customers respond differently to mail" in done.stdout
    assert not (tmp_path / LIST).exists()
    assert by_tree(tmp_path, "--budget", "5000", "--force").exit_code == 0


def test_groups_of_a_rule_share_a_budget_by_chance():
    """By hand: of two groups that return 3 and 2, the budget takes by hash and not the better."""
    value = np.array([[3.0], [2.0], [3.0], [2.0]], np.float32)
    place = np.array([3, 0, 2, 1], np.uint64)
    batch = Prospects(value, np.ones((4, 1), np.float32), place, np.zeros(4, bool), 2.5)
    found = spend([batch], 2.0, 1.0, [True])
    assert found.choice[0].tolist() == [0, 1, 0, 1]
    assert (found.slope, found.profit, found.exhausted) == (2.5, 2.0, True)


@pytest.mark.parametrize(("arm", "model"), [("mail", False), (None, True)])
def test_what_does_not_go_together_is_refused(made, arm, model):
    plan = load(made[0] / "one.yaml").plan
    with pytest.raises(ConfigError, match="UL643"):
        arm_of(plan, "tree", arm, model=model)
    assert arm_of(plan, "tree", None, model=False) is None


def same_list(plan, own, engine, output, source):
    """The list of an engine is that of the embedded one."""

    def order(plan, source, name):
        asked = with_identity(plan, source)
        path = output / name
        return TargetRequest("next_month", asked, 900.0, date(2026, 4, 1), path, by_tree=True)

    other = order(plan, source, "there.parquet")
    found = next_campaign(plan, other, None, AnalysisContext(engine, NOW))
    with DuckDB(own.workspace.locate) as embedded:
        here = order(own.plan, Source(file="next.parquet"), "here.parquet")
        expected = next_campaign(own.plan, here, None, AnalysisContext(embedded, NOW))
    assert found.targeted > 200
    assert found.sentence == expected.sentence
    one, two = (pq.read_table(each.output).to_pandas() for each in (other, here))
    pd.testing.assert_frame_equal(one, two, check_dtype=False)


@pytest.fixture(scope="module")
def two_arms(tmp_path_factory):
    """A shop of two treatments, one with a fixed cost."""
    folder = tmp_path_factory.mktemp("two")
    shop(folder).write_text(YAML)
    return folder


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark_writes_the_same_list(two_arms, tmp_path):
    from upliftlab.engines.spark import Spark

    loaded = load(two_arms / "spring.yaml")
    with Spark(loaded.workspace.locate) as engine:
        same_list(loaded.plan, loaded, engine, tmp_path, Source(file="next.parquet"))


@pytest.mark.postgres
def test_postgres_writes_the_same_list(two_arms, tmp_path, postgres, desk):
    for name in ("people", "next"):
        desk.publish(f"tree_{name}", pq.read_table(two_arms / f"{name}.parquet"))
    loaded = load(two_arms / "spring.yaml")
    there = loaded.plan.customers.model_copy(update={"file": None, "table": "odd.tree_people"})
    plan = loaded.plan.model_copy(update={"customers": there})
    same_list(plan, loaded, postgres, tmp_path, Source(table="odd.tree_next"))
