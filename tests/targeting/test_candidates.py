"""Next month's customers: who may be contacted is what assigning them would say."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from assigning import make_plan
from crowds import crowd, decide, number_ids, text_ids

from upliftlab.assignment.hashing import cuts, digest
from upliftlab.config.models import FileFormat, Source
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import ConfigError, DataError, UpliftLabError
from upliftlab.queries.features import learned_features
from upliftlab.targeting.candidates import NextCampaign, candidates, source_named

DAY = date(2026, 3, 2)
NEXT = Source(file="next.parquet", id="id")
PROGRAM = {
    "universal_holdout": {"share": "10%", "salt": "held"},
    "contact_policy": {
        "max_contacts": 3,
        "per": "28 days",
        "cool_down": "7 days",
        "opt_out": "stop",
        "contacts": "contacts",
        "complaints": "complaints",
    },
    "layers": {"retention": {"experiments": {"spring": ["0%", "80%"]}}},
}
EVENTS = {
    name: {"file": f"{name}.parquet", "id": "id", "time": "day"}
    for name in ("contacts", "complaints")
}
UPLIFT = {"features": ["age", "band", "region"], "today": {"where": "age > 40"}}


def campaign(kinds=None, **more):
    return NextCampaign(day=DAY, salt="spring:target", kinds=kinds or {}, **more)


def plan_of(**more):
    """A plan whose arms were drawn in waves, strata and households: none of that matters here."""
    return make_plan(
        program=PROGRAM,
        sources=EVENTS,
        eligible="age >= 18",
        waves=[{"start": "2026-01-05", "share": "60%"}, {"start": "2026-01-12", "share": "40%"}],
        assignment={"method": "blocked", "strata": ["band"], "layer": "retention"},
        uplift=UPLIFT,
        **more,
    )


def collected(found, engine, rows=70):
    batches = list(found.batches(engine, rows))
    assert all(len(batch) <= rows for batch in batches)
    columns = {
        "id": [i for batch in batches for i in batch.ids.to_pylist()],
        "reason": [r for batch in batches for r in batch.reason.to_pylist()],
        "place": [p for batch in batches for p in batch.place.to_pylist()],
        "today": [t for batch in batches for t in batch.today],
        "eligible": [e for batch in batches for e in batch.eligible],
    }
    features = pa.concat_tables([batch.features for batch in batches])
    return pa.table(columns), features


def right(people, plan):
    """What plain Python says of everybody, assigned on the day of the campaign."""
    same = plan.experiment.model_copy(
        update={
            "waves": plan.experiment.waves[:1],
            "assignment": plan.experiment.assignment.model_copy(
                update={"method": "hash", "strata": ()}
            ),
        }
    )
    wave = plan.experiment.waves[0].model_copy(update={"start": DAY, "share": Fraction(1)})
    same = same.model_copy(update={"waves": (wave,)})
    return decide(plan.model_copy(update={"experiment": same}), people)


def check(engine, plan, customers, people):
    found = candidates(plan, customers, engine, campaign())
    assert found.population == len(people.customers)
    table, features = collected(found, engine)
    expected = right(people, plan)
    rows = {row["id"]: row for row in people.customers.to_pylist()}
    for row, values in zip(table.to_pylist(), features.to_pylist(), strict=True):
        person = rows[row["id"]]
        reason = expected[row["id"]].reason
        assert row["reason"] == (None if reason == "no_arm" else reason), row
        assert row["eligible"] == (row["reason"] is None)
        assert row["place"] == digest("spring:target", row["id"])
        assert row["today"] == ((person["age"] or 0) > 40)
        assert values == {name: person[name] for name in ("age", "band", "region")}
    reasons = Counter(table["reason"].to_pylist())
    assert len(reasons) >= 6
    assert found.kinds == {"age": "numeric", "band": "categorical", "region": "numeric"}


@pytest.mark.parametrize("ids", [text_ids(400, 3), number_ids(400, 3)], ids=["text", "number"])
def test_reasons_are_those_of_assigning(tmp_path, ids):
    people = crowd(ids, 5)
    for name in ("contacts", "complaints"):
        pq.write_table(getattr(people, name), tmp_path / f"{name}.parquet")
    pq.write_table(people.customers, tmp_path / "next.parquet")
    with DuckDB(lambda name: tmp_path / name) as engine:
        check(engine, plan_of(), NEXT, people)


@pytest.mark.spark
def test_spark(spark, tmp_path):
    people = crowd(text_ids(300, 4), 6)
    files = {}
    for name in ("contacts", "complaints"):
        files[name] = {**EVENTS[name], "file": str(tmp_path / f"{name}.parquet")}
        pq.write_table(getattr(people, name), files[name]["file"])
    pq.write_table(people.customers, tmp_path / "next.parquet")
    plan = plan_of().model_copy(
        update={"sources": {name: Source.model_validate(each) for name, each in files.items()}}
    )
    there = NEXT.model_copy(update={"file": str(tmp_path / "next.parquet")})
    check(spark, plan, there, people)


@pytest.mark.postgres
def test_postgres(postgres, desk):
    people = crowd(number_ids(300, 4), 6)
    names = ("contacts", "complaints")
    for name in (*names, "customers"):
        desk.publish(f"next_{name}", getattr(people, name))
    moved = {n: Source(table=f"odd.next_{n}", id="id", time="day") for n in names}
    plan = plan_of().model_copy(update={"sources": moved})
    check(postgres, plan, Source(table="odd.next_customers", id="id"), people)


def people_in(folder, table, name="next.parquet"):
    write = pq.write_table if name.endswith("parquet") else pc.write_csv
    write(pa.table(table), folder / name)
    return DuckDB(lambda file: folder / file)


SMALL = {"id": ["a", "b"], "age": [30.0, None], "band": ["x", None], "region": [1, 2]}


def test_arms_read_from_a_column_need_none_here(tmp_path):
    plan = make_plan(assignment={"observed": "arm"}, uplift=UPLIFT)
    with people_in(tmp_path, SMALL) as engine:
        table, _ = collected(candidates(plan, NEXT, engine, campaign()), engine)
    assert table["reason"].to_pylist() == [None, None]


def test_members_of_a_household_share_a_place(tmp_path):
    plan = make_plan(assignment={"unit": "home"}, uplift=UPLIFT)
    with people_in(tmp_path, {**SMALL, "home": ["h", "h"]}) as engine:
        table, _ = collected(candidates(plan, NEXT, engine, campaign()), engine)
    assert set(table["place"].to_pylist()) == {digest("spring:target", "h")}


def test_places_are_spread_evenly_whatever_the_arm(tmp_path):
    ids = number_ids(4_000, 1)
    table = {"id": ids, "age": [1.0] * 4000, "band": ["x"] * 4000, "region": [1] * 4000}
    with people_in(tmp_path, table) as engine:
        found, _ = collected(candidates(make_plan(uplift=UPLIFT), NEXT, engine, campaign()), engine)
    (end,) = cuts([Fraction(1, 10)])
    held = np.array([place < end for place in found["place"].to_pylist()])
    assert abs(held.mean() - 0.1) < 0.02


KINDS = {"age": "numeric", "band": "categorical", "region": "numeric"}


@pytest.mark.parametrize(
    ("change", "kinds", "code"),
    [
        ({"age": None}, {}, "UL205"),
        ({"age": None}, KINDS, "UL205"),
        ({"age": ["old", "new"]}, KINDS, "UL615"),
        ({"band": [1, 2]}, KINDS, "UL615"),
        ({"region": [date(2026, 1, 1)] * 2}, KINDS, "UL615"),
        ({"region": [date(2026, 1, 1)] * 2}, {}, "UL206"),
        ({"id": ["a", "a"]}, {}, "UL405"),
        ({"id": None}, {}, "UL402"),
        ({"adult": None}, {}, "UL205"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, change, kinds, code):
    plan = make_plan(uplift=UPLIFT, eligible="adult" if "adult" in change else "age > 1")
    table = {name: change.get(name, values) for name, values in SMALL.items()}
    kept = {name: values for name, values in table.items() if values is not None}
    with people_in(tmp_path, kept) as engine, pytest.raises(UpliftLabError, match=code):
        candidates(plan, NEXT, engine, campaign(kinds))


def test_a_csv_file_is_read_as_the_model_has_learned_it(tmp_path):
    plan, source = make_plan(uplift=UPLIFT), Source(file="next.csv", id="id")
    table = {"id": ["a", "b"], "age": ["30", ""], "band": ["1", "2"], "region": ["1", "2.5"]}
    with people_in(tmp_path, table, "next.csv") as engine:
        found = candidates(plan, source, engine, campaign(KINDS))
        _, features = collected(found, engine)
        assert features.sort_by("band").to_pydict() == {
            "age": [30, None],
            "band": ["1", "2"],
            "region": [1, 2.5],
        }
    table["region"] = ["north", "2"]
    with (
        people_in(tmp_path, table, "next.csv") as engine,
        pytest.raises(DataError, match="UL615 the feature 'region' holds text such as 'aaaaa'"),
    ):
        candidates(plan, source, engine, campaign(KINDS))


def test_contacts_that_the_ledger_knows_count(tmp_path):
    program = {"contact_policy": {"cool_down": "7 days"}}
    contacts = pa.table({"id": ["a"], "day": [date(2026, 2, 26)]})
    pq.write_table(contacts, tmp_path / "contacts.parquet")
    plan = make_plan(program=program, uplift=UPLIFT)
    asked = campaign(prior_contacts=(tmp_path / "contacts.parquet",))
    with people_in(tmp_path, SMALL) as engine:
        table, _ = collected(candidates(plan, NEXT, engine, asked), engine)
    assert dict(zip(table["id"].to_pylist(), table["reason"].to_pylist(), strict=True)) == {
        "a": "cool_down",
        "b": None,
    }


def test_what_the_customers_option_means():
    plan = make_plan(customers={"file": "a.csv", "id": "key", "household": "home"})
    declared = {"march": Source(table="crm.march", id="customer")}
    march = source_named(plan, "march", declared, Path)
    assert (march.table, march.id, march.household) == ("crm.march", "customer", "home")
    other = source_named(plan, "next/april.parquet", declared, Path)
    assert (other.file, other.id) == ("next/april.parquet", "key")


def test_values_of_an_undeclared_file_are_written_as_those_learned_from():
    form = {"decimal": ",", "thousands": ".", "missing": "-", "encoding": "latin-1", "skip": 2}
    plan = make_plan(customers={"file": "a.csv", "id": "key", "format": form})
    declared = {"march": Source(file="march.csv")}
    assert source_named(plan, "march", declared, Path).format is None
    assert source_named(plan, "april.parquet", declared, Path).format is None
    found = source_named(plan, "april.csv", declared, Path).format
    assert found == FileFormat(decimal=",", thousands=".", missing=("-",))


def test_numbers_of_next_customers_that_can_be_read_in_two_ways_are_refused(tmp_path):
    lines = "".join(f"{n},{n}.250\n" for n in range(1, 20))
    (tmp_path / "next.csv").write_text(f"id,age\n{lines}")
    with DuckDB(lambda file: tmp_path / file) as engine:
        source = Source(file="next.csv", id="id")
        engine.attach("customers", source)
        with pytest.raises(DataError, match="UL255 the numbers of the feature 'age'"):
            learned_features({"age": "numeric"}, "customers", source, engine)
        said = Source(file="next.csv", id="id", format=FileFormat(thousands="."))
        (sql,) = learned_features({"age": "numeric"}, "customers", said, engine).sql().values()
        found = engine.query(f"SELECT MAX({sql}) AS n FROM customers").to_pylist()
        assert found == [{"n": 19250.0}]


def test_without_an_id_nobody_can_be_named(tmp_path):
    with people_in(tmp_path, SMALL) as engine, pytest.raises(ConfigError, match="UL402"):
        candidates(make_plan(uplift=UPLIFT), Source(file="next.parquet"), engine, campaign())
