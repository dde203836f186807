"""The verbs on real tables, with a query of the tests' own in place of the assignment's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from ledgers import NOW, assignment_sql, files, make_plan

from upliftlab import campaign
from upliftlab.engines.duckdb import DuckDB
from upliftlab.experiment import ContactPolicy, Plan, Program
from upliftlab.ledger import Ledger, LedgerError


@dataclass(frozen=True)
class Query:
    sql: str
    id: str = "customer_id"


def customers(folder: Path, count: int) -> None:
    with duckdb.connect(":memory:") as connection:
        sql = f"SELECT range AS customer_id FROM range({count})"
        connection.execute(f"COPY ({sql}) TO '{folder / 'customers.parquet'}' (FORMAT parquet)")


def prepare(_: Plan, engine: DuckDB, contacts: Path) -> Query:
    """Everyone as the tests decide; whoever is contacted by another experiment is left out."""
    count = engine.query("SELECT count(*) AS n FROM customers")["n"][0].as_py()
    busy = f"customer_id::VARCHAR IN (SELECT id FROM read_parquet('{contacts}'))"
    changes = ", ".join(
        f"CASE WHEN {busy} THEN {then} ELSE {column} END AS {column}"
        for column, then in (("arm", "NULL"), ("reason", "'cool_down'"), ("ghost", "false"))
    )
    return Query(f"SELECT * REPLACE ({changes}) FROM ({assignment_sql(count)})")


def assign(ledger: Ledger, plan: Plan, folder: Path):
    with DuckDB(lambda file: folder / file) as engine:
        return campaign.assign(ledger, plan, engine, prepare, NOW)


def test_a_campaign_from_lock_to_lists(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 400)
    assert campaign.lock(ledger, make_plan(), NOW).new
    done = assign(ledger, make_plan(), tmp_path)
    assert done.manifest.population == 400
    assert done.manifest.engine.startswith("DuckDB ")
    assert done.manifest.sources["customers"].place == "customers.parquet"
    assert not assign(ledger, make_plan(), tmp_path).new
    lists = campaign.export(ledger, "spring", tmp_path / "out").lists
    assert sum(file.rows for file in lists) == sum(
        count for arm, count in done.manifest.arms.items() if arm != "holdout"
    )
    assert campaign.verify(ledger) == ()


def test_two_experiments_never_contact_the_same_customer(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 400)
    assign(ledger, make_plan("one"), tmp_path)
    second = assign(ledger, make_plan("two"), tmp_path)
    assert second.manifest.excluded["cool_down"] > 0
    with duckdb.connect(":memory:") as connection:
        twice = connection.execute(
            f"SELECT id FROM ({ledger.contacts()}) GROUP BY id HAVING count(*) > 1"
        ).fetchall()
    assert twice == []


def test_customers_join(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 300)
    assign(ledger, make_plan(), tmp_path)
    customers(tmp_path, 400)
    second = assign(ledger, make_plan(), tmp_path)
    assert (second.new, second.manifest.generation) == (True, 2)
    first = campaign.export(ledger, "spring", tmp_path / "first", generation=1)
    joined = campaign.export(ledger, "spring", tmp_path / "joined")
    assert sum(file.rows for file in first.lists) > sum(file.rows for file in joined.lists)
    with pytest.raises(LedgerError, match="UL457 no generation 3"):
        campaign.export(ledger, "spring", tmp_path / "out", generation=3)


def test_the_tables_of_the_policy_are_part_of_the_data(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 100)
    plan = make_plan()
    program = Program(contact_policy=ContactPolicy(complaints="complaints"))
    table = plan.customers.model_copy(update={"file": "complaints.csv"})
    plan = plan.model_copy(update={"program": program, "sources": {"complaints": table}})
    (tmp_path / "complaints.csv").write_text("customer_id\n1\n")
    assert set(assign(ledger, plan, tmp_path).manifest.sources) == {"customers", "complaints"}
    assert not assign(ledger, plan, tmp_path).new
    (tmp_path / "complaints.csv").write_text("customer_id\n2\n")
    assert assign(ledger, plan, tmp_path).new


def test_an_assignment_made_elsewhere_is_not_recorded(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 10)
    plan = make_plan(assignment={"observed": "arm"})
    for act in (lambda: campaign.lock(ledger, plan, NOW), lambda: assign(ledger, plan, tmp_path)):
        with pytest.raises(LedgerError, match="UL461"):
            act()
    assert not ledger.folder.exists()


def test_a_refused_assignment_locks_nothing(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 10)

    def wrong(*_: object) -> Query:
        return Query(assignment_sql(9))

    with (
        DuckDB(lambda file: tmp_path / file) as engine,
        pytest.raises(LedgerError, match="9 rows decide over 10 customers"),
    ):
        campaign.assign(ledger, make_plan(), engine, wrong, NOW)
    assert files(ledger.folder) == {}
    assert ledger.experiments() == ()


def test_nothing_to_export(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="UL457"):
        campaign.export(ledger, "spring", tmp_path / "out")


def test_an_amendment_through_the_verb(ledger: Ledger) -> None:
    campaign.lock(ledger, make_plan(), NOW)
    assert campaign.amend(ledger, make_plan(owner="b"), "owner", NOW).number == 1
