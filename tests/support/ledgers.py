"""Plans and small assignments for the ledger's tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from upliftlab.config.models import Program, Source
from upliftlab.config.models.experiment import ExperimentFile, Plan
from upliftlab.ledger import AssignmentDraft, Ledger, Recorded, SourceOrigin

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def make_plan(name: str = "spring", **changes: object) -> Plan:
    """A plan of three arms in two waves; `changes` replace parts of the experiment's file."""
    asked = {
        "schema": "1",
        "experiment": name,
        "customers": {"file": "customers.parquet", "id": "customer_id"},
        "waves": [
            {"start": "2026-03-02", "share": "50%"},
            {"start": "2026-03-09", "share": "50%"},
        ],
        "arms": {
            "holdout": {"share": "20%", "control": "true"},
            "email": {"share": "40%", "channel": "email", "offer": "voucher10"},
            "sms": {"share": "40%", "channel": "sms", "offer": "=HYPERLINK()"},
        },
        "metrics": {"primary": "profit"},
        "currency": "EUR",
    }
    experiment = ExperimentFile.model_validate(asked | changes)
    return Plan(
        experiment=experiment,
        customers=Source(file="customers.parquet", id="customer_id"),
        currency="EUR",
        arms=experiment.arms,
        channels={},
        metrics={},
        segments={},
        sources={},
        program=Program(),
    )


def assignment_sql(customers: int, salt: str = "spring", first: int = 0) -> str:
    """Customers by md5: a tenth not eligible, the rest in three arms and two waves."""
    return f"""
        SELECT customer_id, CASE WHEN out THEN NULL WHEN bucket < 20 THEN 'holdout'
          WHEN bucket < 60 THEN 'email' ELSE 'sms' END AS arm, h, bucket,
          'region ' || customer_id % 3 AS stratum,
          CASE WHEN out THEN NULL WHEN h[2] < '8' THEN 1 ELSE 2 END AS wave,
          CASE WHEN out THEN 'not eligible' END AS reason,
          CASE WHEN out THEN NULL WHEN bucket < 60 THEN 'email' ELSE 'sms' END AS channel,
          NOT out AND bucket < 20 AS ghost
        FROM (SELECT range AS customer_id, md5('{salt}:' || range)[:15] AS h,
          (hash(md5('{salt}:' || range)) % 100)::INTEGER AS bucket,
          hash(range) % 10 = 0 AS out FROM range({first}, {first + customers}))"""


def writer_of(sql: str) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet)")

    return write


def make_draft(
    plan: Plan, customers: int = 1000, sql: str | None = None, data: str = "a"
) -> AssignmentDraft:
    return AssignmentDraft(
        plan=plan,
        id="customer_id",
        population=customers,
        sources={"customers": SourceOrigin(place="customers.parquet", sha256=data)},
        engine="DuckDB",
        write=writer_of(sql or assignment_sql(customers)),
    )


def record(ledger: Ledger, draft: AssignmentDraft) -> Recorded:
    """Put a draft on the record, as `assign` does."""
    with ledger.exclusive("assign") as writer:
        return writer.record(draft, NOW)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a ledger that is on the record."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".")
    }
