"""`check --data`: what is wrong between the YAML and the tables, at its place in the YAML."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from commands import upliftlab

from upliftlab.simulate import simulate


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    simulate(folder, customers=8_000)
    return folder


@pytest.fixture
def space(world, tmp_path):
    """A world of one's own to break: its tables are shared until they are changed."""
    for folder in ("configs", "experiments", "data"):
        (tmp_path / folder).mkdir()
        for file in (world / folder).iterdir():
            (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    return tmp_path


def faults(space) -> list[dict]:
    arguments = ("check", "experiments", "configs", "--data", "data", "--format", "json")
    found = json.loads(upliftlab(*arguments, cwd=space).stdout)
    return [fault for fault in found if fault["severity"] != "notice"]


def change(space, name, how):
    file = space / "data" / f"{name}.parquet"
    table = pd.read_parquet(file)
    changed = how(table)
    (table if changed is None else changed).to_parquet(file, index=False, coerce_timestamps="us")


def test_the_simulated_world_is_as_its_yaml_says(space):
    done = upliftlab("check", "experiments", "--data", "data", cwd=space)
    *gaps, last = done.stdout.splitlines()
    assert (done.returncode, last) == (0, "No faults found.")
    assert all(" UL283 " in line for line in gaps)
    assert any("recency_days 1.4% (feature, eligible)" in line for line in gaps)


def test_yaml_and_customers(space):
    path = space / "experiments" / "spring_winback.yaml"
    text = path.read_text().replace("strata: [value_band,", "strata: [value_bnd,")
    path.write_text(text.replace("region, nps]", "regions, nps]"))
    change(space, "customers", lambda table: pd.concat([table, table.head(3)]))
    found = faults(space)
    assert [(f["code"], f["file"].rpartition("/")[2]) for f in found] == [
        ("UL213", "sources.yaml"),
        ("UL205", "spring_winback.yaml"),
        ("UL205", "spring_winback.yaml"),
    ]
    lines = path.read_text().splitlines()
    for fault, word in zip(found[1:], ("value_bnd", "regions"), strict=True):
        assert word in lines[fault["line"] - 1][fault["column"] - 1 :]
        assert "did you mean" in fault["remedy"]


def untrimmed(table):
    table["customer_id"] = table["customer_id"].astype(str) + " "


def strangers(table):
    table.loc[: len(table) // 20, "customer_id"] += 1_000_000


def dollars(table):
    table.loc[:40, "currency"] = "USD"
    table.loc[len(table) - 40 :, "currency"] = "USD"


def shifted(table):
    table["ordered_at"] += pd.Timedelta(hours=9)


@pytest.mark.parametrize(
    ("name", "how", "code", "severity"),
    [
        ("orders", untrimmed, "UL221", "error"),
        ("orders", strangers, "UL221", "warning"),
        ("orders", dollars, "UL223", "error"),
        ("orders", lambda t: t[t["ordered_at"] < "2026-03-25"], "UL222", "warning"),
        ("orders", lambda t: t.drop(columns="margin"), "UL205", "error"),
        (
            "orders",
            lambda t: pd.concat([t, t[t["ordered_at"] > "2026-03-05"].head(50)]),
            "UL224",
            "error",
        ),
        ("orders", shifted, "UL225", "warning"),
        ("tickets", lambda t: t.drop(columns="kind"), "UL205", "error"),
        ("tickets", lambda t: t.assign(opened_at="soon"), "UL218", "error"),
        ("customers", lambda t: t.assign(frequency=pd.Timestamp(0)), "UL206", "error"),
    ],
)
def test_tables_that_are_not_what_the_yaml_says(space, name, how, code, severity):
    change(space, name, how)
    found = faults(space)
    assert {(fault["code"], fault["severity"]) for fault in found} == {(code, severity)}
    words = (name, "covariates", "features", "amounts", "kind")
    for fault in found:
        text = (space / fault["file"]).read_text().splitlines()[fault["line"] - 1]
        assert any(word in text for word in words)


def test_features_and_todays_rule(space):
    path = space / "experiments" / "spring_winback.yaml"
    text = path.read_text().replace("region, nps]", "region, as_of]")
    rule = '  today: {where: "recency_days > 120 and loyal"}\ndecision:'
    path.write_text(text.replace("decision:", rule, 1))
    found = faults(space)
    assert [fault["code"] for fault in found] == ["UL206", "UL205"]
    assert "holds no numbers or texts (feature)" in found[0]["message"]
    assert "'loyal' (today's rule)" in found[1]["message"]


def test_a_table_that_is_not_there(space):
    (space / "data" / "orders.parquet").unlink()
    found = faults(space)
    assert [fault["code"] for fault in found] == ["UL201"]
    assert "orders" in (space / found[0]["file"]).read_text().splitlines()[found[0]["line"] - 1]


def test_faults_of_the_yaml_come_first(space):
    path = space / "experiments" / "spring_winback.yaml"
    path.write_text(path.read_text().replace("margin: 35%", "margin: 350%"))
    (space / "data" / "orders.parquet").unlink()
    assert [fault["code"] for fault in faults(space)] == ["UL014"]


def edit(space, file, old, new):
    path = space / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


SPRING = "experiments/spring_winback.yaml"


@pytest.mark.parametrize("verb", ["lock", "assign"])
@pytest.mark.parametrize(
    ("file", "typo", "meant"),
    [
        (SPRING, ("primary: profit", "primary: profits"), "profit"),
        (SPRING, ("[revenue_before", "[revenue_befor"), "revenue_before"),
        (SPRING, ("strata: [value_band", "strata: [value_bnd"), "value_band"),
        ("configs/metrics.yaml", ("sum: amount", "sum: amnt"), "amount"),
    ],
)
def test_a_plan_that_cannot_be_analysed_is_not_put_on_record(space, verb, file, typo, meant):
    edit(space, file, *typo)
    done = upliftlab(verb, SPRING, cwd=space)
    assert (done.returncode, f"did you mean '{meant}'?" in done.stderr) == (1, True)
    assert not (space / "ledger").exists()


def test_what_may_come_with_the_outcomes_does_not_keep_from_assigning(space):
    edit(space, SPRING, "primary: profit", "primary: earnings")
    for table in ("orders", "contacts", "surveys"):
        (space / "data" / f"{table}.parquet").unlink()
    done = upliftlab("assign", SPRING, cwd=space)
    assert done.returncode == 0
    assert "no column 'earnings'" in done.stderr
    assert "bring it with the outcomes, or mend the name" in done.stderr


def test_a_plan_can_be_locked_before_there_are_any_tables(space):
    for file in (space / "data").iterdir():
        file.unlink()
    assert upliftlab("lock", SPRING, cwd=space).stdout.startswith("Locked: ")
