"""Choosing whom to contact next on the command line: the list, the reasons for none, the model."""

import contextlib
import csv
import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from targets import following, shop

from upliftlab.assignment.hashing import cuts, digest
from upliftlab.cli.app import commands
from upliftlab.targeting.selection import HELD_OUT

LIST = "spring_targets.parquet"


def run(folder, *arguments):
    """A command in this process, which has everything loaded."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(commands, list(arguments))


def target(folder, *arguments):
    return run(folder, "target", "spring.yaml", "--customers", "next_month", *arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop with a model that was saved and a list that was written."""
    folder = tmp_path_factory.mktemp("shop")
    shop(folder)
    done = run(folder, "uplift", "spring.yaml", "--save", "m.json", "--quiet")
    assert done.exit_code == 0, done.stderr
    done = target(folder, "--model", "m.json", "--day", "2026-04-01", "--json")
    assert done.exit_code == 0, done.stderr
    return folder, json.loads(done.stdout), pq.read_table(folder / LIST).to_pandas()


@pytest.fixture
def copy(made, tmp_path):
    """A copy of the shop that a test may change, with its saved model."""
    folder = tmp_path / "shop"
    shutil.copytree(made[0], folder)
    (folder / LIST).unlink()
    return folder


def test_the_list_is_what_is_told_of_it(made):
    folder, told, rows = made
    contacted = rows[rows["reason"] != HELD_OUT]
    assert (told["targeted"], told["held_out"]) == (len(contacted), len(rows) - len(contacted))
    assert told["seen"] == 2_000
    counted = told["targeted"] + told["held_out"] + told["not_chosen"]
    assert counted + sum(told["excluded"].values()) == 2_000
    fixed = sum(arm["fixed_cost"] for arm in told["arms"])
    assert told["expected_cost"] == pytest.approx(contacted["expected_cost"].sum() + fixed)
    profit = contacted["expected_incremental_profit"].sum() - fixed
    assert told["expected_profit"] == pytest.approx(profit)
    assert told["expected_cost"] <= told["budget"] == 300
    about = json.loads(pq.read_schema(folder / LIST).metadata[b"upliftlab"])
    assert (about["targeted"], about["forced"], about["file"]) == (len(contacted), False, None)
    assert json.loads((folder / f"{LIST}.json").read_text()) == told
    assert (folder / LIST).stat().st_mode & 0o777 == 0o600


def test_nobody_is_in_it_who_may_not_be_contacted(made):
    folder, told, rows = made
    people = pd.read_parquet(folder / "next.parquet").set_index("customer_id")
    assert people.loc[rows["customer"], "opt_in"].all()
    [end] = cuts([Fraction(1, 20)])
    held = [each for each in people.index if digest("everywhere", each) < end]
    assert not set(held) & set(rows["customer"])
    assert told["excluded"]["universal_holdout"] == sum(people.loc[held, "opt_in"])


def test_those_who_gain_most_are_chosen(made):
    folder, told, rows = made
    people = pd.read_parquet(folder / "next.parquet").set_index("customer_id")
    ages = people.loc[rows["customer"], "age"]
    assert ages.min() > people["age"].median()
    assert told["exhausted"]
    assert rows["reason"].iloc[0].startswith("expected profit per EUR ")
    assert rows["reason"].iloc[0].endswith("; among the first 1 %")
    assert told["unseen"]["city"] == (people["city"].eq("=new") & people["opt_in"]).sum() - sum(
        digest("everywhere", i) < cuts([Fraction(1, 20)])[0]
        for i in people.index[people["city"].eq("=new") & people["opt_in"]]
    )


def test_a_random_part_is_held_out_and_would_have_got_an_arm(made):
    _, _, rows = made
    held = rows["reason"] == HELD_OUT
    [end] = cuts([Fraction(1, 10)])
    drawn = [digest("spring:target:next_month:2026-04-01", each) < end for each in rows["customer"]]
    assert held.tolist() == drawn
    assert (rows.loc[held, "arm"] == "none").all()
    assert rows.loc[held, ["offer", "channel"]].isna().all(axis=None)
    assert (rows.loc[held, ["expected_cost", "expected_incremental_profit"]] == 0).all(axis=None)
    assert set(rows.loc[held, "intended"]) <= {"mail", "call"}
    assert abs(held.mean() - 0.1) < 4 * np.sqrt(0.09 / len(rows))


def test_no_customer_is_named_outside_the_list(made):
    folder, _, rows = made
    done = target(folder, "--model", "m.json", "--day", "2026-04-01", "--output", "again.parquet")
    printed = done.stdout + done.stderr + (folder / f"{LIST}.json").read_text()
    assert not any(str(each) in printed for each in rows["customer"])
    assert pq.read_table(folder / "again.parquet").to_pandas().equals(rows)


def test_shuffled_customers_give_the_same_list(made, copy):
    people = pd.read_parquet(copy / "next.parquet").sample(frac=1, random_state=3)
    people.to_parquet(copy / "next.parquet", row_group_size=97)
    assert target(copy, "--model", "m.json", "--day", "2026-04-01").exit_code == 0
    assert pq.read_table(copy / LIST).to_pandas().equals(made[2])


def test_learned_afresh_it_is_the_same_list(made, copy):
    (copy / "m.json").unlink()
    done = target(copy, "--day", "2026-04-01", "--budget", "300 EUR", "--output", "new.csv")
    assert done.exit_code == 0, done.stderr
    assert "held out, to measure the next campaign" in done.stdout
    with (copy / "new.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["customer"]) for row in rows] == made[2]["customer"].tolist()
    assert {row["offer"] for row in rows} == {"'=voucher", ""}
    cost = [float(row["expected_cost"]) for row in rows]
    assert cost == pytest.approx(made[2]["expected_cost"], abs=1e-6)


def test_a_model_is_judged_by_the_money_there_is_for_each_customer(copy):
    """Next month's 2,000 are fewer than the 3,000 learned from: the same money reaches further."""
    told = json.loads(target(copy, "--day", "2026-04-01", "--json").stdout)
    saved = json.loads(target(copy, "--model", "m.json", "--day", "2026-04-01", "--json").stdout)
    assert told["model"]["gain"]["estimate"] > saved["model"]["gain"]["estimate"]
    for each in (told, saved):
        realised, profit = each["model"]["realised"], each["expected_profit"]
        fixed = sum(arm["fixed_cost"] for arm in each["arms"])
        high = (profit + fixed) * realised["high"] / realised["estimate"] - fixed
        assert each["expected_high"] == pytest.approx(high)
        assert each["expected_low"] < profit < each["expected_high"]


@pytest.mark.parametrize("budget", ["0", "7.3", "120.5", "1000000"])
def test_the_budget_is_never_exceeded(copy, budget):
    told = json.loads(target(copy, "--model", "m.json", "--budget", budget, "--json").stdout)
    rows = pq.read_table(copy / LIST).to_pandas()
    assert rows["expected_cost"].sum() <= told["expected_cost"] <= float(budget)
    used = {arm["arm"]: arm["fixed_cost"] for arm in told["arms"]}
    assert used["call"] == (100 if (rows["arm"] == "call").any() else 0)


def test_where_nobody_is_worth_it_fixed_costs_are_named(copy):
    found = target(copy, "--model", "m.json", "--budget", "0.10")
    assert "the least of them €100 of a budget of €0.10" in found.stdout


def test_without_evidence_there_is_no_list_unless_forced(tmp_path):
    shop(tmp_path, alike=True)
    done = target(tmp_path, "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["abstained"], told["file"]) == (1, True, None)
    assert told["sentence"].startswith("There is no evidence that targeting pays")
    assert not (tmp_path / LIST).exists()
    done = target(tmp_path, "--force", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["abstained"], told["forced"]) == (0, False, True)
    assert told["sentence"].startswith("Forced, without evidence that it pays")
    about = json.loads(pq.read_schema(tmp_path / LIST).metadata[b"upliftlab"])
    assert about["forced"]
    rows = pq.read_table(tmp_path / LIST).to_pandas()
    chosen = rows[rows["reason"] != HELD_OUT]
    assert chosen["reason"].str.endswith(", the average of all customers").all()
    assert len(set(chosen["expected_cost"])) == 1


def changed(folder, old, new):
    text = (folder / "spring.yaml").read_text()
    assert old in text
    (folder / "spring.yaml").write_text(text.replace(old, new))


def test_a_model_is_only_used_for_its_plan_and_its_data(copy):
    changed(copy, "margin: 50%", "margin: 40%")
    refused = target(copy, "--model", "m.json")
    assert (refused.exit_code, "UL632" in refused.stderr) == (1, True)
    changed(copy, "margin: 40%", "margin: 50%")
    people = pd.read_parquet(copy / "people.parquet")
    people.iloc[1:].to_parquet(copy / "people.parquet")
    refused = target(copy, "--model", "m.json")
    assert (refused.exit_code, "UL633" in refused.stderr) == (1, True)
    (copy / "m.json").write_text("[]")
    refused = target(copy, "--model", "m.json")
    assert (refused.exit_code, "UL630" in refused.stderr) == (1, True)
    assert not (copy / LIST).exists()


def test_customers_out_of_a_tsv_are_seen_as_in_parquet(made, copy):
    people = pd.read_parquet(copy / "next.parquet")
    people.to_csv(copy / "next.tsv", sep="\t", index=False)
    asked = ("--model", "m.json", "--day", "2026-04-01", "--output", LIST, "--json")
    done = run(copy, "target", "spring.yaml", "--customers", "next.tsv", *asked)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    for known in ("seen", "targeted", "excluded", "unseen", "budget"):
        assert told[known] == made[1][known]


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("age", None, "UL205"),
        ("age", "old", "UL615"),
        ("customer_id", 1, "UL405"),
        ("customer_id", 1.5, "UL403"),
        ("opt_in", None, "UL205"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(copy, column, values, code):
    people = following(copy, 100)
    people = people.drop(columns=column) if values is None else people.assign(**{column: values})
    people.to_parquet(copy / "next.parquet")
    refused = target(copy, "--model", "m.json")
    assert (refused.exit_code, code in refused.stderr) == (1, True), refused.stderr
    assert not (copy / LIST).exists()


def test_hostile_ids_from_a_spreadsheet_stay_texts(copy):
    people = following(copy, 300)
    people["customer_id"] = [f"=cmd|{number}" for number in range(300)]
    people.to_csv(copy / "=next.csv", index=False)
    given = ("--customers", "=next.csv", "--model", "m.json", "--output", "o.csv")
    done = run(copy, "target", "spring.yaml", *given)
    assert done.exit_code == 0, done.stderr
    with (copy / "o.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 100
    assert all(row["customer"].startswith("'=cmd|") for row in rows)
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_wrong_usage(copy):
    assert target(copy, "--budget", "much").exit_code == 2
    assert target(copy, "--budget=-1").exit_code == 2
    assert target(copy, "--day", "tomorrow").exit_code == 2
    assert run(copy, "target", "spring.yaml").exit_code == 2
    for arguments, code in (
        (("--budget", "5 USD"), "UL637"),
        (("--output", "list.xlsx"), "UL640"),
        (("--output", "next.parquet"), "UL641"),
        (("--output", "people.parquet"), "UL641"),
    ):
        refused = target(copy, *arguments)
        assert (refused.exit_code, code in refused.stderr) == (1, True), refused.stderr
    assert target(copy, "--model", "absent.json").exit_code == 2


@pytest.mark.parametrize(
    ("customers", "said"),
    [
        ("next_moth", "did you mean 'next_month'?"),
        ("", "declared are "),
        ("gone.parquet", "called gone.parquet"),
        ("orders.parquet", "UL205"),
    ],
)
def test_a_table_that_cannot_be_chosen_from_is_told_before_anything_is_learned(
    copy, customers, said
):
    pq.write_table(pa.table({"amount": [1.0]}), copy / "orders.parquet")
    (copy / "people.parquet").unlink()  # learning would fail
    with contextlib.chdir(copy):
        asked = ["target", "spring.yaml", "--customers", customers]
        refused = CliRunner().invoke(commands, asked)
    assert refused.exit_code == 1
    assert said in refused.stderr


def test_a_plan_without_money_spends_none(copy):
    changed(copy, "metrics: {primary: profit}", "metrics: {primary: spend}")
    text = (copy / "spring.yaml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(("money:", "  budget:"))]
    (copy / "spring.yaml").write_text("\n".join(kept))
    refused = target(copy, "--budget", "300")
    assert (refused.exit_code, "UL638" in refused.stderr) == (1, True), refused.stderr


def test_the_home_of_the_model_is_not_trusted(copy):
    (copy / "link.json").symlink_to(Path("/etc/hostname"))
    refused = target(copy, "--model", "link.json")
    assert (refused.exit_code, "UL630" in refused.stderr) == (1, True)
