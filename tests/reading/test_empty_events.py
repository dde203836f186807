"""Tables of events that hold nothing: it is said, as nothing can be counted from them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from commands import upliftlab
from shops import NOW, Shop

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.engines.duckdb import DuckDB
from upliftlab.results.analysis import VerdictCode

TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 1}}\n"
    "outcome_window: 7 days\nmetrics: {primary: revenue}\ncurrency: EUR\n"
    "money: {revenue: revenue, margin: 50%, contacts: contacts}\n"
)
METRICS = "  revenue: {from: orders, sum: amount}\n  contacts: {from: contacts, count: true}\n"
IDS = list(range(40))
EARLY = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path):
    with DuckDB(lambda file: tmp_path / "data" / file) as engine:
        yield Shop(tmp_path, engine)


def plan_of(shop, empty, **declared):
    """A campaign of forty customers, of which one table lacks what it should hold."""
    days = {"orders": date(2026, 3, 8), "contacts": date(2026, 3, 2)}
    shop.table("customers", {"id": IDS, "arm": ["none", "mail"] * 20})
    for name, day in days.items():
        ids = IDS if name == "orders" else IDS[1::2]
        rows = {"id": ids, "at": [day] * len(ids), "amount": [float(n % 7) for n in ids]}
        rows["campaign"] = ["spring"] * len(ids)
        given = {}
        if name == empty:
            given = {key: value for key, value in declared.items() if key != "rows"}
            rows |= declared.get("rows", {})
        if name == empty and "rows" not in declared:
            rows = {key: pa.array(value).slice(0, 0) for key, value in rows.items()}
        shop.table(name, rows, time="at", **given)
    return shop.plan(TEXT, METRICS)


NOBODY = {"rows": {"campaign": ["summer"] * 20}, "experiment": "campaign"}
AFTER = {"rows": {"at": [date(2026, 5, 1)] * 20}}


@pytest.mark.parametrize(
    ("empty", "declared", "now", "answer"),
    [
        ("contacts", {}, NOW, ("critical", "The table of contacts holds no rows")),
        ("orders", {}, NOW, ("critical", "The table of orders holds no rows")),
        ("contacts", {}, EARLY, ("warning", "The table of contacts holds no rows")),
        ("orders", {}, EARLY, ("warning", "The table of orders holds no rows")),
        (
            "contacts",
            NOBODY,
            NOW,
            ("critical", "No row of contacts names this experiment in "),
        ),
        ("contacts", AFTER, NOW, ("critical", "There is no event of contacts in the time")),
    ],
    ids=["contacts", "orders", "contacts early", "orders early", "other experiment", "other time"],
)
def test_a_table_without_events_is_told(shop, empty, declared, now, answer):
    severity, said = answer
    found = analyze(plan_of(shop, empty, **declared), AnalysisContext(shop.engine, now))
    (check,) = (c for c in found.checks if c.name.startswith("presence:"))
    assert (check.name, check.passed, check.severity) == (f"presence:{empty}", False, severity)
    assert said in check.message
    assert (found.verdict.code is VerdictCode.invalid) is (severity == "critical")


@pytest.mark.parametrize(
    ("voucher", "beside", "severity"),
    [("0", "[]", "info"), ("5", "[]", "critical"), ("0", "[redeemed]", "critical")],
    ids=["no voucher", "a voucher", "a metric"],
)
def test_redemptions_that_nobody_pays_for_may_be_none(shop, voucher, beside, severity):
    plan_of(shop, "")
    rows = {"id": pa.array([0]).slice(0, 0), "at": pa.array([date(2026, 3, 3)]).slice(0, 0)}
    shop.table("redemptions", rows, time="at")
    text = TEXT.replace(
        "cost_per_contact: 1", f"cost_per_contact: 1, cost_per_redemption: {voucher}"
    )
    text = text.replace("contacts: contacts", "contacts: contacts, redemptions: redeemed")
    text = text.replace("{primary: revenue}", f"{{primary: revenue, secondary: {beside}}}")
    redeemed = "  redeemed: {from: redemptions, count: true, better: higher}\n"
    plan = shop.plan(text, METRICS + redeemed)
    found = analyze(plan, AnalysisContext(shop.engine, NOW))
    (check,) = (c for c in found.checks if c.name == "presence:redemptions")
    assert (check.passed, check.severity) == (False, severity)
    assert (found.verdict.code is VerdictCode.invalid) is (severity == "critical")


def test_nothing_is_told_of_tables_with_events(shop):
    found = analyze(plan_of(shop, ""), AnalysisContext(shop.engine, NOW))
    assert not [c for c in found.checks if c.name.startswith("presence")]


@pytest.mark.parametrize("name", ["contacts", "orders"])
def test_a_header_alone_is_told_by_check_data(shop, name):
    plan_of(shop, "")
    other = {"contacts": "orders", "orders": "contacts"}[name]
    (shop.root / "data" / f"{name}.csv").write_text("id,at,amount,campaign\n")
    sources = shop.root / "configs" / "sources.yaml"
    sources.write_text(sources.read_text().replace(f"{name}.parquet", f"{name}.csv"))
    done = upliftlab("check", "experiment.yaml", "--data", "data", cwd=shop.root)
    assert f"UL222 The table of {name} holds no rows" in done.stdout
    assert f"The table of {other}" not in done.stdout
