"""100,000 customers: plain Python, DuckDB, Spark and PostgreSQL say the same of every one."""

from __future__ import annotations

from functools import cache

import pyarrow.parquet as pq
import pytest
from assigning import make_plan
from crowds import Answer, Crowd, crowd, decide, number_ids, same, text_ids

from upliftlab.assignment.assign import prepare
from upliftlab.config.models.experiment import Plan

PROGRAM = {
    "universal_holdout": {"share": "5%", "salt": "holdout '26"},
    "layers": {"retention": {"experiments": {"it's \\ spring": ["10%", "95%"]}}},
    "contact_policy": {
        "max_contacts": "2",
        "per": "28 days",
        "cool_down": "7 days",
        "contacts": "contacts",
        "complaints": "complaints",
        "opt_out": "stop",
    },
}
ARMS = {
    "nobody's": {"control": True, "share": "1/5"},
    "e\\mail": {"share": "1/3", "channel": "email"},
    '"sms"': {"share": "30%", "channel": "it's sms"},
    "letter": {"share": "1/10"},
}
WAVES = [{"start": "2026-03-02", "share": "45%"}, {"start": "2026-03-09", "share": "50%"}]
KINDS = {
    "hash": {"layer": "retention"},
    "blocked": {"layer": "retention", "method": "blocked", "strata": ["band", "region"]},
    "households": {"unit": "household"},
    "blocked households": {"unit": "household", "method": "blocked", "strata": ["band"]},
}
IDS = {"text": lambda: text_ids(15_000, 7), "number": lambda: number_ids(10_000, 8)}


def plan_of(kind: str, places: dict[str, str], *, on_server: bool = False) -> Plan:
    key = "table" if on_server else "file"
    return make_plan(
        "it's \\ spring",
        arms=ARMS,
        customers={key: places["customers"], "id": "id", "household": "household"},
        sources={
            name: {key: places[name], "id": "id", "time": "day"}
            for name in ("contacts", "complaints")
        },
        program=PROGRAM,
        waves=WAVES,
        eligible="age >= 18",
        assignment=KINDS[kind],
    )


@cache
def people(ids: str) -> Crowd:
    return crowd(IDS[ids]())


@cache
def expected(kind: str, ids: str) -> dict[object, Answer]:
    plan = plan_of(kind, dict.fromkeys(("customers", "contacts", "complaints"), "x"))
    return decide(plan, people(ids), strata=tuple(KINDS[kind].get("strata", ())))


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crowds")
    places: dict[str, dict[str, str]] = {}
    for ids in IDS:
        for name in ("customers", "contacts", "complaints"):
            path = folder / f"{ids}_{name}.parquet"
            pq.write_table(getattr(people(ids), name), path)
            places.setdefault(ids, {})[name] = str(path)
    return places


def answer(engine, plan, folder, prior=()):
    prepared = prepare(plan, engine, prior_contacts=prior)
    path = folder / "assignment.parquet"
    assert engine.write(prepared.sql, path) == prepared.population
    table = pq.read_table(path)
    assert tuple(table.column_names) == prepared.columns
    return table


everything = pytest.mark.parametrize("ids", IDS)
all_kinds = pytest.mark.parametrize("kind", KINDS)


@everything
@all_kinds
def test_duckdb_decides_as_plain_python(duck, files, tmp_path, kind, ids):
    same(answer(duck, plan_of(kind, files[ids]), tmp_path), expected(kind, ids))


@pytest.mark.spark
@everything
@all_kinds
def test_spark_decides_as_plain_python(spark, files, tmp_path, kind, ids):
    same(answer(spark, plan_of(kind, files[ids]), tmp_path), expected(kind, ids))


@pytest.mark.postgres
@everything
@all_kinds
def test_postgres_decides_as_plain_python(postgres, desk, tmp_path, kind, ids):
    tables = {}
    for name in ("customers", "contacts", "complaints"):
        desk.publish(f'{ids} "{name}"', getattr(people(ids), name))
        tables[name] = f'odd.{ids} "{name}"'
    plan = plan_of(kind, tables, on_server=True)
    same(answer(postgres, plan, tmp_path), expected(kind, ids))


def test_every_reason_occurs_in_what_is_compared():
    reasons = {answer.reason for answer in expected("hash", "text").values()}
    assert reasons == {
        None,
        "not_eligible",
        "opted_out",
        "universal_holdout",
        "other_experiment",
        "no_wave",
        "cool_down",
        "max_contacts",
        "no_arm",
    }
