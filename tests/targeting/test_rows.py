"""Rows to learn from: a row per customer, as the analysis counts, the same on every engine."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from plans import make_plan
from worlds import ANALYSED, analysed, assigned

from upliftlab.config import load
from upliftlab.config.models import Uplift
from upliftlab.engines.duckdb import DuckDB
from upliftlab.engines.spark import Spark
from upliftlab.errors import DataError
from upliftlab.ledger import Ledger, campaign
from upliftlab.targeting.training_data import learning_rows

NOW = ANALYSED.replace(tzinfo=None)
RULE = {"where": "recency_days > 150 and region is not null"}


def learning(plan, **changes):
    """A plan with other words under `uplift`."""
    asked = plan.experiment.uplift
    given = {**(asked.canonical() if asked else {}), **changes}
    update = {"uplift": Uplift.model_validate(given)}
    return plan.model_copy(update={"experiment": plan.experiment.model_copy(update=update)})


def record_of(world):
    return campaign.open_record(Ledger(world.workspace.root / "ledger"), world.plan)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return assigned(tmp_path_factory.mktemp("world"), customers=2_000)


@pytest.fixture(scope="module")
def plan(world):
    return learning(world.plan, today=RULE)


@pytest.fixture(scope="module")
def expected(world, plan):
    with DuckDB(world.workspace.locate) as engine:
        return learning_rows(plan, engine, record_of(world), NOW)


@pytest.fixture(scope="module")
def sampled(world, plan):
    with DuckDB(world.workspace.locate) as engine:
        return learning_rows(learning(plan, sample=60), engine, record_of(world), NOW)


def same(found, expected):
    assert found.table.equals(expected.table)
    assert (found.arms, found.kinds, found.total) == (expected.arms, expected.kinds, expected.total)
    for name in ("arm", "cluster", "today"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    for name in ("outcomes", "propensity"):
        assert np.allclose(getattr(found, name), getattr(expected, name), rtol=1e-12, atol=0), name


def test_the_simulated_world(world, plan, expected):
    """Arms' means are those of the analysis, in money as its terms have it."""
    found = analysed(world)
    overall = {m.arm: m for m in found.moments if m.dimension is None}
    assert expected.arms == ("holdout", "email_voucher", "sms_voucher")
    assert len(expected) == expected.total == expected.units == sum(m.n for m in overall.values())
    terms = found.terms
    for number, arm in enumerate(expected.arms):
        value, cost = expected.outcomes[expected.arm == number].mean(axis=0)
        mean = dict(zip(found.columns, overall[arm].mean, strict=True))
        assert np.isclose(value, terms.margin * mean[terms.revenue])
        spent = terms.cost_per_contact[arm] * mean["contacts"]
        spent += terms.cost_per_redemption[arm] * mean["redemptions"] + terms.service_cost[arm]
        assert np.isclose(cost, spent + terms.commission[arm] * mean[terms.revenue])
        assert overall[arm].n == (expected.arm == number).sum()
    assert expected.kinds["age_band"] == "categorical"
    assert expected.kinds["nps"] == "numeric"
    assert expected.table.column_names == list(plan.experiment.uplift.features)
    recency = expected.table["recency_days"].to_numpy()
    known = np.array(expected.table["region"].is_valid())
    assert np.array_equal(expected.today, (recency > 150) & known)


def test_chances_within_strata_are_those_that_were_realised(expected):
    """Within a stratum, the mean chance of an arm is the share of it, exactly."""
    shares = np.eye(3)[expected.arm]
    keys = [tuple(row) for row in expected.propensity.round(12)]
    for key in set(keys):
        rows = np.array([each == key for each in keys])
        assert np.allclose(shares[rows].mean(axis=0), expected.propensity[rows][0])
    assert len(set(keys)) > 3
    assert np.allclose(expected.propensity.sum(axis=1), 1)


@pytest.mark.spark
@pytest.mark.usefixtures("spark")
def test_spark(world, plan, expected, sampled):
    with Spark(world.workspace.locate) as engine:
        same(learning_rows(plan, engine, record_of(world), NOW), expected)
        asked = learning(plan, sample=60)
        same(learning_rows(asked, engine, record_of(world), NOW), sampled)


@pytest.mark.postgres
def test_postgres(world, plan, expected, sampled, postgres, desk):  # noqa: PLR0913, PLR0917
    sources = {"customers": plan.customers, **plan.sources}
    for name, source in sources.items():
        desk.publish(f"world_{name}", pq.read_table(world.workspace.data / source.file))
    moved = {
        name: source.model_copy(update={"file": None, "table": f"odd.world_{name}"})
        for name, source in sources.items()
    }
    customers = moved.pop("customers")
    there = plan.model_copy(update={"customers": customers, "sources": moved})
    same(learning_rows(there, postgres, record_of(world), NOW), expected)
    asked = learning(there, sample=60)
    same(learning_rows(asked, postgres, record_of(world), NOW), sampled)


def test_a_sample_is_of_whole_units_and_at_most_so_many(world, plan, expected):
    with DuckDB(world.workspace.locate) as engine:
        analysed(world, engine)  # an engine that was already used for the analysis
        for wanted in (50, 100, 10_000):
            asked = learning(plan, sample=wanted)
            rows = learning_rows(asked, engine, record_of(world), NOW)
            assert len(rows) == min(wanted, expected.total)
            assert rows.total == expected.total
            assert set(rows.cluster) <= set(expected.cluster)


HOUSES = {
    "id": [f"c{n}" for n in range(12)],
    "home": [f"h{n // 3}" for n in range(12)],
    "arm": ["none"] * 6 + ["mail"] * 6,
    "age": [20.0 + n for n in range(12)],
    "spend": [float(n) for n in range(12)],
}
FILE = {"file": "customers.parquet", "id": "id", "household": "home"}


def rows_in(folder, plan, table):
    pq.write_table(pa.table(table), folder / "customers.parquet")
    with DuckDB(lambda name: folder / name) as engine:
        return learning_rows(plan, engine)


def house_plan(**changes):
    return make_plan(customers=FILE, assignment={"observed": "arm", "unit": "home"}, **changes)


def test_customers_of_a_household_are_rows_of_one_cluster(tmp_path):
    plan = house_plan(uplift={"features": "age"})
    rows = rows_in(tmp_path, plan, HOUSES)
    assert (len(rows), rows.units, rows.total) == (12, 4, 12)
    ages = rows.table["age"].to_numpy()
    assert sorted(ages) == HOUSES["age"]
    for cluster in set(rows.cluster):
        members = np.sort(ages[rows.cluster == cluster] - 20) // 3
        assert len(members) == 3
        assert len(set(members)) == 1
    assert np.array_equal(rows.outcomes[:, 0], ages - 20)


def test_a_sample_takes_households_whole(tmp_path):
    plan = house_plan(uplift={"features": "age", "sample": 7})
    rows = rows_in(tmp_path, plan, HOUSES)
    assert (len(rows), rows.units) == (6, 2)


@pytest.mark.parametrize("named", [True, False])
def test_nothing_depends_on_the_order_of_the_table(tmp_path, named):
    people = {k: v for k, v in HOUSES.items() if k != "home"}
    people["age"] = [20.0, 20.0, *people["age"][2:]]
    people["spend"] = [0.0, 0.0, *people["spend"][2:]]
    source = {"file": "customers.parquet"} | ({"id": "id"} if named else {})
    plan = make_plan(customers=source, uplift={"features": "age"})
    first = rows_in(tmp_path, plan, people)
    order = np.random.default_rng(1).permutation(12)
    other = rows_in(tmp_path, plan, {k: [v[i] for i in order] for k, v in people.items()})
    assert len(set(first.cluster)) == 12
    for name in ("arm", "cluster", "outcomes"):
        assert np.array_equal(getattr(first, name), getattr(other, name))
    assert first.table.equals(other.table)


def test_money_by_hand(tmp_path):
    plan = make_plan(
        customers=FILE,
        arms={
            "none": {"control": "true"},
            "mail": {
                "cost_per_contact": 0.5,
                "cost_per_redemption": 2,
                "commission": "10%",
                "service_cost": 0.25,
            },
        },
        money={
            "revenue": "spend",
            "margin": "40%",
            "redemptions": "redeemed",
            "costs": ["returns"],
            "fixed_cost": {"mail": 1000},
        },
        assignment={"observed": "arm", "unit": "home"},
        uplift={"features": "age"},
    )
    more = {"redeemed": [float(n % 2) for n in range(12)], "returns": [0.1] * 12}
    rows = rows_in(tmp_path, plan, {**HOUSES, **more})
    assert rows.metric == "profit"
    n = rows.table["age"].to_numpy() - 20
    mail = (rows.arm == 1).astype(float)
    assert np.allclose(rows.outcomes[:, 0], 0.4 * n)
    cost = 0.1 + mail * (0.5 + 2 * (n % 2) + 0.1 * n + 0.25)
    assert np.allclose(rows.outcomes[:, 1], cost)


@pytest.mark.parametrize(("flags", "turned"), [(True, "1 - y"), (False, "-y")])
def test_a_metric_that_is_to_fall_is_turned_round(tmp_path, flags, turned):
    plan = house_plan(uplift={"features": "age"})
    metrics = {"spend": plan.metrics["spend"].model_copy(update={"better": "lower"})}
    spend = [n % 2 if flags else n for n in range(12)]
    rows = rows_in(
        tmp_path, plan.model_copy(update={"metrics": metrics}), {**HOUSES, "spend": spend}
    )
    y = rows.table["age"].to_numpy() - 20
    y = y % 2 if flags else y
    assert rows.falls
    assert np.array_equal(rows.outcomes[:, 0], 1 - y if turned == "1 - y" else -y)


def test_a_csv_file_says_by_its_values_what_is_a_number(tmp_path):
    table = pa.table(
        {
            "arm": ["none", "mail"] * 3,
            "age": ["20", "", "1e2", "-3", "nan", "7.5"],
            "zip": ["01067", "10115", "80331", "04109", "20095", "50667"],
            "city": ["Bonn", "Ulm", None, "Köln", "Bonn", "Bonn"],
            "flag": ["0", "1", "0", "1", "1", "1"],
            "spend": ["1", "2", "3", "4", "5", "6"],
        }
    )
    pc.write_csv(table, tmp_path / "customers.csv")
    plan = make_plan(uplift={"features": ["age", "zip", "city", "flag"]})
    with DuckDB(lambda name: tmp_path / name) as engine:
        rows = learning_rows(plan, engine)
    kinds = ("numeric", "categorical", "categorical", "numeric")
    assert tuple(rows.kinds.values()) == kinds
    assert rows.table["age"].null_count == 2
    found = rows.table.to_pylist()
    by_spend = [found[i] for i in np.argsort(rows.outcomes[:, 0])]
    assert [row["age"] for row in by_spend] == [20, None, 100, -3, None, 7.5]
    assert [row["zip"] for row in by_spend] == table["zip"].to_pylist()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"spend": [None, *HOUSES["spend"][1:]]}, "UL206"),
        ({"spend": [float("nan"), *HOUSES["spend"][1:]]}, "UL206"),
        ({"arm": ["other", *HOUSES["arm"][1:]]}, "UL209"),
        ({"arm": [None, *HOUSES["arm"][1:]]}, "UL208"),
        ({"id": ["c1", *HOUSES["id"][1:]]}, "UL213"),
        ({"home": [None, *HOUSES["home"][1:]]}, "UL220"),
        ({"age": [datetime(2026, 3, 2)] * 12}, "UL206"),  # noqa: DTZ001 - a column of times
        ({"arm": ["none"] * 12}, "UL210"),
    ],
)
def test_what_is_refused(tmp_path, change, code):
    plan = house_plan(uplift={"features": "age"})
    with pytest.raises(DataError, match=code):
        rows_in(tmp_path, plan, {**HOUSES, **change})


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (house_plan(), "UL611"),
        (house_plan(uplift={"features": "wage"}), "UL205"),
        (house_plan(uplift={"features": "age", "today": {"where": "wage > 1"}}), "UL205"),
        (house_plan(uplift={"features": "age", "metric": "visits"}), "UL610"),
        (make_plan(uplift={"features": "age", "sample": 5}), "UL612"),
    ],
)
def test_plans_that_are_refused(tmp_path, plan, code):
    pc.write_csv(pa.table(HOUSES), tmp_path / "customers.csv")
    with pytest.raises(DataError, match=code):
        rows_in(tmp_path, plan, HOUSES)


def test_hillstrom():
    """64,000 real customers of whom none has an id: each is a unit of its own."""
    root = Path(__file__).resolve().parents[2]
    shared = root.parent / "shared" / "data"
    if not (shared / "hillstrom.csv.gz").exists():
        pytest.skip("the shared data with hillstrom.csv.gz are not beside this checkout")
    loaded = load(root / "experiments" / "hillstrom_email.yaml", data=shared)
    features = ["recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie"]
    with DuckDB(loaded.workspace.locate) as engine:
        rows = learning_rows(learning(loaded.plan, features=features, metric="visit"), engine)
    assert np.bincount(rows.arm).tolist() == [21306, 21307, 21387]
    assert (rows.units, len(set(rows.cluster)), rows.total) == (64_000, 64_000, 64_000)
    visits = [int(rows.outcomes[rows.arm == arm].sum()) for arm in range(3)]
    assert visits == [2262, 3894, 3238]
    assert np.allclose(rows.propensity, 1 / 3)
    assert rows.kinds["history"] == "numeric"
    assert rows.kinds["zip_code"] == "categorical"
