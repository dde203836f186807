"""Laws of the assignment, on random plans and random customers."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from assigning import make_plan
from crowds import crowd, decide, number_ids, same, text_ids
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upliftlab.assignment.allocation import Reason
from upliftlab.assignment.assign import Assigner, assign_one, prepare
from upliftlab.config.models import EngineSettings
from upliftlab.engines.duckdb import DuckDB

LAWS = settings(
    max_examples=25,
    deadline=None,
    # The engine and the folder are shared on purpose: every example attaches its own files.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def shares(draw: st.DrawFn, count: int) -> list[str]:
    parts = draw(st.lists(st.integers(0, 30), min_size=count + 1, max_size=count + 1))
    total = sum(parts) or 1
    return [str(Fraction(part, total)) for part in parts[:count]]


@st.composite
def arms(draw: st.DrawFn) -> dict[str, object]:
    names = draw(
        st.lists(
            st.text("ab'\"\\;- ", min_size=1, max_size=5).map(lambda t: f"x{t}x"),
            min_size=2,
            max_size=5,
            unique=True,
        )
    )
    channels = [draw(st.sampled_from([None, "email", "sms"])) for _ in names]
    given_shares = draw(shares(len(names)))
    return {
        name: {"control": index == 0, "share": share, "channel": channel if index else None}
        for index, (name, share, channel) in enumerate(
            zip(names, given_shares, channels, strict=True)
        )
    }


@st.composite
def plans(draw: st.DrawFn, path: str, *, method: str | None = None):
    kind = method or draw(st.sampled_from(["hash", "blocked"]))
    wave_shares = draw(shares(2))
    strata = draw(st.sampled_from([[], ["band"], ["band", "region"]])) if kind == "blocked" else []
    unit = draw(st.sampled_from(["id", "household"]))
    salt = draw(st.text("salt '\"\\:;-", min_size=1, max_size=9).map(lambda t: f"s{t}s"))
    plan = make_plan(
        arms=draw(arms()),
        customers={"file": path, "id": "id"},
        eligible="age >= 18" if draw(st.booleans()) else None,
        waves=[
            {"start": start, "share": share}
            for start, share in zip(("2026-03-02", "2026-03-09"), wave_shares, strict=True)
        ],
        assignment={"method": kind, "strata": strata, "unit": unit, "salt": salt},
        program={"universal_holdout": {"share": "10%", "salt": "u"}},
    )
    return plan, tuple(strata)


@pytest.fixture(scope="module")
def engine():
    with DuckDB(Path, EngineSettings(threads=1)) as opened:
        yield opened


def run(engine, plan) -> pa.Table:
    return engine.query(prepare(plan, engine).sql)


def by_id(table: pa.Table) -> dict[object, tuple[object, ...]]:
    rows = table.to_pylist()
    return {row["id"]: (row["arm"], row["reason"], row["wave"], row["channel"]) for row in rows}


@LAWS
@given(data=st.data(), seed=st.integers(0, 999), size=st.integers(1, 60))
def test_any_plan_decides_as_plain_python_and_reconciles(engine, tmp_path, data, seed, size):
    people = crowd(text_ids(size, seed), seed)
    path = tmp_path / "customers.parquet"
    pq.write_table(people.customers, path)
    plan, strata = data.draw(plans(str(path)))
    found = run(engine, plan)
    same(found, decide(plan, people, strata=strata))
    rows = found.to_pylist()
    assert all((row["arm"] is None) != (row["reason"] is None) for row in rows)
    excluded = Counter(row["reason"] for row in rows if row["reason"])
    assigned = Counter(row["arm"] for row in rows if row["arm"])
    assert size == sum(excluded.values()) + sum(assigned.values())
    assert set(excluded) <= set(Reason)


@LAWS
@given(data=st.data(), seed=st.integers(0, 999), size=st.integers(2, 60))
def test_adding_customers_never_moves_one(engine, tmp_path, data, seed, size):
    people = crowd(number_ids(size + 5, seed), seed).customers
    few, all_of_them = tmp_path / "few.parquet", tmp_path / "all.parquet"
    pq.write_table(people.slice(0, size // 2), few)
    pq.write_table(people, all_of_them)
    plan, _ = data.draw(plans(str(few), method="hash"))
    more = plan.customers.model_copy(update={"file": str(all_of_them)})
    before = by_id(run(engine, plan))
    after = by_id(run(engine, plan.model_copy(update={"customers": more})))
    assert before.items() <= after.items()


@LAWS
@given(data=st.data(), seed=st.integers(0, 999), pieces=st.integers(1, 4))
def test_order_and_partitioning_of_rows_do_not_matter(engine, tmp_path, data, seed, pieces):
    people = crowd(text_ids(40, seed), seed).customers
    tidy, untidy = tmp_path / "tidy.parquet", tmp_path / "untidy.parquet"
    pq.write_table(people, tidy)
    order = data.draw(st.permutations(range(40)))
    pq.write_table(people.take(order), untidy, row_group_size=-(-40 // pieces))
    plan, _ = data.draw(plans(str(tidy)))
    other = plan.customers.model_copy(update={"file": str(untidy)})
    mixed = run(engine, plan.model_copy(update={"customers": other}))
    assert by_id(run(engine, plan)) == by_id(mixed)


@LAWS
@given(data=st.data(), seed=st.integers(0, 999))
def test_a_service_says_what_the_table_says(engine, tmp_path, data, seed):
    people = crowd(number_ids(40, seed), seed).customers
    path = tmp_path / "customers.parquet"
    pq.write_table(people, path)
    plan, _ = data.draw(plans(str(path), method="hash"))
    plan = plan.model_copy(
        update={"experiment": plan.experiment.model_copy(update={"eligible": None})}
    )
    assigner = Assigner(plan)
    for row in run(engine, plan).to_pylist():
        house = row.get("household")
        decision = assigner.decide(row["id"], house)
        assert (decision.arm, decision.reason, decision.wave, decision.h) == (
            row["arm"],
            row["reason"],
            row["wave"],
            row["h"],
        )
        assert assign_one(plan, row["id"], house) == row["arm"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 1_001])
def test_blocked_shares_are_exact_to_one_unit_per_stratum(engine, tmp_path, size):
    path = tmp_path / "customers.parquet"
    bands = [f"b{number % 7}" for number in range(size)]
    pq.write_table(pa.table({"id": range(size), "band": bands}), path)
    plan = make_plan(
        arms={
            "none": {"control": True, "share": "1/3"},
            "a": {"share": "1/7"},
            "b": {"share": "37.5%"},
        },
        customers={"file": str(path), "id": "id"},
        assignment={"method": "blocked", "strata": ["band"]},
    )
    counts = Counter((row["stratum"], row["arm"]) for row in run(engine, plan).to_pylist())
    for band, units in Counter(bands).items():
        for arm, declared in plan.arms.items():
            assert abs(counts[band, arm] - units * declared.share) < 1
