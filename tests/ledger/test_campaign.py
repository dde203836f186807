"""The verbs on real tables, from the lock to the senders' lists."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from ledgers import NOW, files, make_plan

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.models import Channel, ContactPolicy, Metric, Program, Source
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.duckdb import DuckDB
from upliftlab.errors import DataError
from upliftlab.ledger import Ledger, LedgerError, campaign

LATER = datetime(2026, 6, 1, tzinfo=UTC)


def customers(folder: Path, count: int) -> None:
    with duckdb.connect(":memory:") as connection:
        sql = f"SELECT range AS customer_id FROM range({count})"
        connection.execute(f"COPY ({sql}) TO '{folder / 'customers.parquet'}' (FORMAT parquet)")


def assign(ledger: Ledger, plan: Plan, folder: Path):
    with DuckDB(lambda file: folder / file) as engine:
        return campaign.assign(ledger, plan, engine, NOW)


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


@pytest.mark.parametrize(
    ("locked", "passed", "words"),
    [
        ("2026-03-01", True, "of March 1, 2026; the first customers started on March 2, 2026"),
        ("2026-03-02", True, "started on March 2, 2026"),
        ("2026-03-03", False, "under way: the first customers had started on March 2, 2026"),
        ("2026-03-15", False, "under way"),
        ("2026-03-16", False, "the outcome window had closed on March 16, 2026"),
    ],
)
def test_when_a_plan_was_made_is_told_beside_what_could_be_known(
    ledger: Ledger, tmp_path: Path, locked: str, passed: bool, words: str
) -> None:
    customers(tmp_path, 400)
    plan = make_plan(outcome_window="7 days", metrics={"primary": "n"})
    channels = {name: Channel() for name in ("email", "sms")}
    metrics = {"n": Metric(column="customer_id")}
    plan = plan.model_copy(update={"channels": channels, "metrics": metrics})
    now = datetime.fromisoformat(f"{locked}T12:00:00+00:00")
    with DuckDB(lambda file: tmp_path / file) as engine:
        campaign.assign(ledger, plan, engine, now)
        record = campaign.open_record(ledger, plan)
        checks = analyze(plan, AnalysisContext(engine, LATER, record=record)).checks
    told = next(check for check in checks if check.name == "planned_before")
    assert (told.passed, told.severity) == (passed, "info")
    assert words in told.message


def test_a_plan_is_as_old_as_its_last_amendment(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 400)
    assign(ledger, make_plan(), tmp_path)
    changed = make_plan(metrics={"primary": "revenue"})
    campaign.amend(ledger, changed, "a slip of the pen", LATER)
    record = campaign.open_record(ledger, changed)
    assert (record.locked, record.settled) == (NOW.date(), LATER.date())


def polite(plan: Plan, **policy: str) -> Plan:
    program = Program(contact_policy=ContactPolicy.model_validate(policy))
    return plan.model_copy(update={"program": program})


@pytest.mark.parametrize("waves", [make_plan().experiment.model_dump(mode="json")["waves"], []])
def test_two_experiments_never_contact_a_customer_twice(
    ledger: Ledger, tmp_path: Path, waves: list[dict[str, str]]
) -> None:
    customers(tmp_path, 400)
    for name in ("one", "two", "three"):
        plan = make_plan(name, waves=waves, assignment={"salt": name})
        done = assign(ledger, polite(plan, max_contacts="1", per="28 days"), tmp_path)
    assert done.manifest.excluded["max_contacts"] > 0
    with duckdb.connect(":memory:") as connection:
        most = connection.execute(
            f"SELECT max(n) FROM (SELECT count(*) AS n FROM ({ledger.contacts()}) GROUP BY id)"
        ).fetchall()
    assert most == [(1,)]


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
    plan = polite(make_plan(), complaints="complaints", cool_down="14 days")
    table = Source(file="complaints.csv", id="customer_id", time="day")
    plan = plan.model_copy(update={"sources": {"complaints": table}})
    (tmp_path / "complaints.csv").write_text("customer_id,day\n1,2026-03-01\n")
    first = assign(ledger, plan, tmp_path).manifest
    assert set(first.sources) == {"customers", "complaints"}
    assert first.excluded == {"cool_down": 1}
    assert not assign(ledger, plan, tmp_path).new
    (tmp_path / "complaints.csv").write_text("customer_id,day\n")
    second = assign(ledger, plan, tmp_path)
    assert second.new
    assert sum(second.manifest.arms.values()) == 1


def test_households_stay_whole(ledger: Ledger, tmp_path: Path) -> None:
    with duckdb.connect(":memory:") as connection:
        sql = "SELECT range AS customer_id, range // 3 AS home FROM range(300)"
        connection.execute(f"COPY ({sql}) TO '{tmp_path / 'customers.parquet'}' (FORMAT parquet)")
    plan = make_plan(
        customers={"file": "customers.parquet", "id": "customer_id", "household": "home"},
        assignment={"unit": "home"},
    )
    plan = plan.model_copy(update={"customers": plan.experiment.customers})
    done = assign(ledger, plan, tmp_path)
    assert (done.manifest.id, done.manifest.unit) == ("customer_id", "home")
    with duckdb.connect(":memory:") as connection:
        arms = connection.execute(
            f"SELECT count(DISTINCT arm) FROM ({ledger.read('spring').sql}) GROUP BY home"
        ).fetchall()
    assert set(arms) == {(1,)}
    (file, *_) = campaign.export(ledger, "spring", tmp_path / "out").lists
    assert file.path.read_text().startswith("customer_id,arm,offer")


def test_an_assignment_made_elsewhere_is_not_recorded(ledger: Ledger, tmp_path: Path) -> None:
    customers(tmp_path, 10)
    plan = make_plan(assignment={"observed": "arm"})
    for act in (lambda: campaign.lock(ledger, plan, NOW), lambda: assign(ledger, plan, tmp_path)):
        with pytest.raises(LedgerError, match="UL461"):
            act()
    assert not ledger.folder.exists()


def test_a_refused_assignment_locks_nothing(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "customers.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError):
        assign(ledger, make_plan(), tmp_path)
    assert files(ledger.folder) == {}
    assert ledger.experiments() == ()


def test_nothing_to_export(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="UL457"):
        campaign.export(ledger, "spring", tmp_path / "out")


def test_an_amendment_through_the_verb(ledger: Ledger) -> None:
    campaign.lock(ledger, make_plan(), NOW)
    assert campaign.amend(ledger, make_plan(owner="b"), "owner", NOW).number == 1
