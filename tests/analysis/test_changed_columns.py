"""A column that the campaign changed shows customers who respond where nobody does."""

from datetime import UTC, datetime

import numpy as np
import pytest
from commands import upliftlab
from shops import ARMS
from targets import shop as catalogue

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.checks.alike import refuse_changed_features
from upliftlab.config import load
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError
from upliftlab.results.analysis import VerdictCode
from upliftlab.targeting.learn import learn

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLAN = f"assignment: {{observed: arm}}\nmetrics: {{primary: spent}}\n{ARMS}\n"
LEARN = "uplift: {features: [opened, age, city, skewed], base: linear}\n"


def people(n=2_000, seed=3):
    """Nobody's spending depends on the mail."""
    rng = np.random.default_rng(seed)
    arm = np.where(np.arange(n) % 2 == 0, "none", "mail")
    opened = (arm == "mail") & (rng.random(n) < 0.4)
    return {
        "arm": arm,
        "spent": rng.normal(20, 5, n) + 4 * opened - 1.6 * (arm == "mail"),
        "opened": opened.astype(float),
        "age": np.where(rng.random(n) < 0.1, np.nan, rng.integers(18, 80, n)),
        "city": rng.choice(["Rome", "Oslo", "Bonn", "Köln"], n, p=[0.5, 0.3, 0.15, 0.05]),
        "skewed": np.where(rng.random(n) < 0.03, rng.lognormal(4, 2, n), 0.0),
        "home": np.arange(n) // 4 * 2 + np.arange(n) % 2,
    }


def checks(found):
    return {check.name: check for check in found.checks if check.name.startswith("balance")}


def test_a_feature_that_only_the_treated_have_voids_the_result_by_name(anywhere):
    shop = anywhere
    found = shop.analysed(people(), PLAN + LEARN)
    asked = checks(found)
    assert {name: check.passed for name, check in asked.items()} == {
        "balance:opened": False,
        "balance:age": True,
        "balance:city": True,
        "balance:skewed": True,
    }
    assert found.verdict.code is VerdictCode.invalid
    assert "opened" in found.verdict.sentence
    assert "leave it out of 'uplift: features'" in asked["balance:opened"].message


def test_units_are_households_where_these_were_drawn(anywhere):
    columns = people() | {"arm": np.where(np.arange(2_000) % 2 == 0, "none", "mail")}
    columns["same"] = np.random.default_rng(8).normal(size=1_000)[columns["home"] % 1_000]
    text = PLAN.replace("observed: arm", "observed: arm, unit: home")
    text += "uplift: {features: [opened, city, same], base: linear}\n"
    found = checks(anywhere.analysed(columns, text))
    assert [found[f"balance:{name}"].passed for name in ("opened", "city", "same")] == [
        False,
        True,
        True,
    ]


def test_a_value_that_is_missing_in_one_arm_is_noticed(shop):
    columns = people()
    gone = (columns["arm"] == "mail") & (np.random.default_rng(1).random(2_000) < 0.05)
    columns["age"] = np.where(gone, np.nan, columns["age"])
    found = checks(shop.analysed(columns, PLAN + LEARN.replace("opened, ", "")))
    assert not found["balance:age"].passed


def test_a_level_that_occurs_in_one_arm_only_voids_the_result(shop):
    columns = people()
    columns["status"] = np.where(columns["opened"] > 0, "reader", "other")
    found = shop.analysed(columns, PLAN + "segments: [status, city]\n")
    assert {name: check.passed for name, check in checks(found).items()} == {
        "balance:status": False,
        "balance:city": True,
    }
    assert found.verdict.code is VerdictCode.invalid
    assert "status" in found.verdict.sentence


def test_levels_that_came_while_other_shares_held_are_no_fault(anywhere):
    rng = np.random.default_rng(5)
    late = rng.random(3_000) < 0.5
    arm = np.where(rng.random(3_000) < np.where(late, 0.1, 0.9), "mail", "none")
    city = np.where(rng.random(3_000) < np.where(late, 0.8, 0.2), "Rome", "Oslo")
    start = np.where(late, np.datetime64("2026-03-15"), np.datetime64("2026-03-02"))
    columns = {"arm": arm, "city": city, "area": city, "spent": rng.normal(size=3_000)}
    text = (
        "assignment: {observed: arm, start: start}\nmetrics: {primary: spent}\nsegments: [city]\n"
        "uplift: {features: [area], base: linear}\n"
        f"{ARMS}\nshares:\n"
        "  - {from: 2026-03-01, arms: {none: 10%, mail: 90%}}\n"
        "  - {from: 2026-03-10, arms: {none: 90%, mail: 10%}}\n"
    )
    found = checks(anywhere.analysed(columns | {"start": start.astype("datetime64[s]")}, text))
    assert [found[name].passed for name in ("balance:city", "balance:area")] == [True, True]


def test_nothing_is_learned_from_it_and_no_saved_model_goes_on_with_it(shop):
    columns = people()
    shop.table("customers", {"id": np.arange(2_000), **columns})
    plan = shop.plan(PLAN + LEARN)
    with pytest.raises(DataError, match=r"UL609.*opened"):
        learn(plan, AnalysisContext(shop.engine, NOW))
    with pytest.raises(DataError, match="UL623 the feature 'opened' differs"):
        refuse_changed_features(plan, shop.engine, None)
    refuse_changed_features(shop.plan(PLAN + LEARN.replace("opened, ", "")), shop.engine, None)


def test_features_of_an_experiment_drawn_at_random_raise_no_alarm(tmp_path):
    loaded = load(catalogue(tmp_path / "shop"))
    with DuckDB(loaded.workspace.locate) as engine:
        found = checks(analyze(loaded.plan, AnalysisContext(engine, NOW)))
    assert [found[f"balance:{name}"].passed for name in ("age", "visits", "city")] == [True] * 3


ASKED = """\
schema: 1
experiment: spring
customers: {file: people.csv, id: id%s}
assignment: {observed: arm}
arms: {none: {control: true}, mail: {channel: email}}
metrics: {primary: spent}
segments: [redeemed]
eligible: "abgemeldet = 0"
uplift: {features: [age, mailClicked, opened_before], today: {arm: mail, where: "opened > 0"}}
"""


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("", ["redeemed", "abgemeldet", "mailClicked", "opened"]),
        (", known_before: [opened, Redeemed]", ["abgemeldet", "mailClicked"]),
        (", as_of: day", []),
    ],
)
def test_names_that_sound_like_responses_are_asked_about(tmp_path, said, left):
    file = tmp_path / "spring.yaml"
    file.write_text(ASKED % said)
    asked = [fault for fault in load(file).warnings if fault.code == "UL624"]
    assert [fault.message.split("'")[-2] for fault in asked] == left
    assert all(f"known_before: [{name}]" in str(f) for name, f in zip(left, asked, strict=True))


def test_check_data_names_the_line(tmp_path):
    columns = people()
    rows = zip(*(columns[name] for name in ("arm", "spent", "opened", "city")), strict=True)
    lines = [f"{at},{','.join(map(str, row))}" for at, row in enumerate(rows)]
    (tmp_path / "people.csv").write_text("\n".join(["id,arm,spent,opened,city", *lines]))
    (tmp_path / "spring.yaml").write_text(
        "schema: 1\nexperiment: spring\n"
        "customers: {file: people.csv, id: id, known_after: [spent], known_before: [opened]}\n"
        f"{PLAN}segments: [city]\nuplift: {{features: [city, opened], base: linear}}\n"
    )
    done = upliftlab("check", "--data", tmp_path, "spring.yaml", cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "spring.yaml:8:27: UL260 The feature opened differs between the arms" in said
    assert [line for line in said.splitlines() if "UL260" in line and "city" in line] == []
