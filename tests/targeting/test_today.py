"""A list by the rule in use today: whom it takes, what it promises, and when there is none."""

import contextlib
import json
from datetime import UTC, date, datetime

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
from upliftlab.errors import ConfigError
from upliftlab.targeting.candidates import with_identity
from upliftlab.targeting.request import TargetRequest, arm_of
from upliftlab.targeting.rollout import of_rule
from upliftlab.targeting.target import next_campaign

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
LIST = "spring_targets.parquet"
RULE = '  today: {arm: mail, where: "age > 55"}\n'


def by_rule(folder, *arguments):
    command = ["target", "spring.yaml", "--customers", "next_month", "--policy", "today"]
    with contextlib.chdir(folder):
        return CliRunner().invoke(commands, [*command, *arguments])


def aged(folder, name):
    """Some customers' age is not known, so neither whether the rule chooses them."""
    people = pd.read_parquet(folder / name)
    people.loc[::40, "age"] = np.nan
    people.to_parquet(folder / name)
    return people


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop that mails the old, what is told of its rule, and the list; no feature beside age."""
    folder = tmp_path_factory.mktemp("shop")
    shop(folder).write_text(YAML + RULE)
    people = aged(folder, "people.parquet")
    aged(folder, "next.parquet").drop(columns=["visits", "city"]).to_parquet(
        folder / "next.parquet"
    )
    done = by_rule(folder, "--budget", "5000", "--json")
    assert done.exit_code == 0, done.output
    return folder, people, json.loads(done.stdout), pq.read_table(folder / LIST).to_pandas()


def test_those_whom_the_rule_chooses_get_its_arm_but_for_a_random_tenth(made):
    folder, _, told, rows = made
    following = pd.read_parquet(folder / "next.parquet").set_index("customer_id")
    may = following[following["opt_in"]]
    assert (may.loc[rows["customer"], "age"] > 55).all()
    assert (told["policy"], told["model"], told["abstained"]) == ("today", None, False)
    assert set(rows["intended"]) == {"mail"}
    left = told["seen"] - sum(told["excluded"].values()) - len(rows)
    assert told["not_chosen"] == left > 800
    assert len(rows) > 0.9 * (may["age"] > 55).sum()
    assert abs(told["held_out"] / len(rows) - 0.1) < 4 * np.sqrt(0.09 / len(rows))
    [reason] = set(rows.loc[rows["arm"] == "mail", "reason"])
    assert reason.endswith("the average of those whom today's rule chooses")


def test_what_is_expected_is_the_difference_of_means_among_them(made):
    """By hand: half of the spend that the mail adds among those over 55, less its 0.50."""
    _, people, told, _ = made
    them = people[people["opt_in"] & (people["age"] > 55)]
    mail, none = (them.loc[them["arm"] == arm, "spend"] for arm in ("mail", "none"))
    each = 0.5 * (mail.mean() - none.mean()) - 0.5
    error = 0.5 * np.sqrt(mail.var() / len(mail) + none.var() / len(none))
    assert told["expected_profit"] == pytest.approx(told["targeted"] * each, rel=1e-6)
    assert told["expected_cost"] == pytest.approx(told["targeted"] * 0.5)
    low, high = ((told[f"expected_{end}"] / told["targeted"] - each) for end in ("low", "high"))
    assert low < -1.9 * error
    assert high > 1.9 * error


def test_the_budget_takes_some_of_them_by_chance(made, tmp_path):
    few = str(tmp_path / "few.csv")
    told = json.loads(by_rule(made[0], "--budget", "100", "--json", "--output", few).stdout)
    assert (told["targeted"], told["expected_cost"], told["exhausted"]) == (200, 100, True)
    assert (pd.read_csv(few)["intended"] == "mail").all()


def test_a_rule_that_does_not_pay_writes_no_list(tmp_path):
    shop(tmp_path, customers=600).write_text(YAML + RULE.replace("> 55", "< 40"))
    done = by_rule(tmp_path)
    assert done.exit_code == 1
    assert "Among those whom today's rule chooses, the verdict on mail is not SHIP" in done.stdout
    assert not (tmp_path / LIST).exists()


def test_without_a_rule_the_line_to_write_is_told(tmp_path):
    shop(tmp_path, customers=60)
    done = by_rule(tmp_path)
    assert done.exit_code == 1
    assert "UL639" in done.output
    assert "today: {arm: ARM, where: CONDITION}" in done.output


@pytest.mark.parametrize(("arm", "model"), [("call", False), (None, True)])
def test_what_does_not_go_together_is_refused(made, arm, model):
    plan = load(made[0] / "spring.yaml").plan
    with pytest.raises(ConfigError, match="UL643"):
        arm_of(plan, "today", arm, model=model)
    assert arm_of(plan, "today", "mail", model=False) == "mail"


def test_who_is_excluded_stays_so(made):
    """The rule narrows those who are compared; nobody comes back, and no unknown one stays."""
    plan = load(made[0] / "spring.yaml").plan
    experiment = plan.experiment.model_copy(update={"exclude": "age > 70"})
    both = of_rule(plan.model_copy(update={"experiment": experiment}))
    with DuckDB(load(made[0] / "spring.yaml").workspace.locate) as engine:
        found = analyze(both, AnalysisContext(engine, NOW))
    people = made[1][made[1]["opt_in"] & made[1]["age"].between(56, 70)]
    assert {arm.arm: arm.n for arm in found.arms} == people["arm"].value_counts().to_dict()


def same_list(made, plan, engine, output, source):
    """The list of an engine is that of the embedded one."""

    def order(plan, source, name):
        asked = with_identity(plan, source)
        day, path = date(2026, 4, 1), output / name
        return TargetRequest("next_month", asked, 5000.0, day, path, arm="mail", by_rule=True)

    own = load(made[0] / "spring.yaml")
    other = order(plan, source, "there.parquet")
    found = next_campaign(plan, other, None, AnalysisContext(engine, NOW))
    with DuckDB(own.workspace.locate) as embedded:
        here = order(own.plan, Source(file="next.parquet"), "here.parquet")
        expected = next_campaign(own.plan, here, None, AnalysisContext(embedded, NOW))
    assert found.targeted > 500
    assert found.sentence == expected.sentence
    one, two = (pq.read_table(each.output).to_pandas() for each in (other, here))
    pd.testing.assert_frame_equal(one, two, check_dtype=False)


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark_writes_the_same_list(made, tmp_path):
    from upliftlab.engines.spark import Spark

    loaded = load(made[0] / "spring.yaml")
    with Spark(loaded.workspace.locate) as engine:
        same_list(made, loaded.plan, engine, tmp_path, Source(file="next.parquet"))


@pytest.mark.postgres
def test_postgres_writes_the_same_list(made, tmp_path, postgres, desk):
    for name in ("people", "next"):
        desk.publish(f"today_{name}", pq.read_table(made[0] / f"{name}.parquet"))
    plan = load(made[0] / "spring.yaml").plan
    there = plan.customers.model_copy(update={"file": None, "table": "odd.today_people"})
    plan = plan.model_copy(update={"customers": there})
    same_list(made, plan, postgres, tmp_path, Source(table="odd.today_next"))
