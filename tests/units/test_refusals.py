"""What tables of events must not be, and several files as one table."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shops import ARMS, each_own_arm

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.analysis.population import population_of
from upliftlab.analysis.refusals import refuse_whole_households
from upliftlab.errors import ConfigError, DataError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEXT = (
    "assignment: {observed: arm}\nwaves: [{start: 2026-03-02, share: 100%}]\n"
    "outcome_window: 7 days\nmetrics: {primary: revenue}\n"
)
SALES = "  revenue: {from: orders, sum: amount}\n"
GOOD = {"id": [1, 2], "at": [date(2026, 3, 3)] * 2, "amount": [1.0, 2.0]}


def refusal(shop, orders=None, *, text=TEXT, metrics=SALES, **declared) -> list[str]:
    customers, arms = each_own_arm([1, 2, 3])
    shop.table("customers", customers)
    shop.table("orders", GOOD | (orders or {}), **({"time": "at"} | declared))
    with pytest.raises(DataError) as caught:
        shop.units(shop.plan(text + arms, metrics))
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ({"at": ["2026-03-03", "soon"]}, "UL218 1 event of orders has no time in 'at'"),
        ({"at": ["2026-03-03 10:00", None]}, "UL218 1 event of orders has no time in 'at'"),
        (
            {"at": ["2026-03-03T10:00:00Z", "2026-03-03T10:00:00"]},
            "UL257 'at' mixes times with an offset and times without: 1 event of orders",
        ),
        ({"at": [1, 2]}, "UL218 'at' of orders holds no times"),
        ({"amount": [1.0, None]}, "UL206 1 event of orders has no number in 'amount'"),
        ({"amount": [1.0, float("nan")]}, "UL206 1 event of orders has no number in 'amount'"),
        ({"amount": ["1.5", "1,5"]}, "UL206 1 event of orders has no number in 'amount'"),
        ({"amount": [date(2026, 3, 3)] * 2}, "UL206 'amount' of orders holds no numbers"),
    ],
)
def test_what_cannot_be_read_is_counted_and_refused(shop, orders, expected):
    (fault,) = refusal(shop, orders)
    assert expected in fault


def test_a_null_outside_of_what_is_asked_does_no_harm(shop):
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    shop.table("orders", GOOD | {"amount": [1.0, None], "kind": ["sold", "other"]}, time="at")
    sold = "  revenue: {from: orders, sum: amount, where: \"kind = 'sold'\"}\n"
    units = shop.units(shop.plan(TEXT + arms, sold))
    assert [row["revenue"] for _, row in sorted(units.items())] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("declared", "metrics", "expected"),
    [
        ({"time": "when"}, SALES, "no column 'when' (time of orders)"),
        ({"key": "number"}, SALES, "no column 'number' (key of orders)"),
        ({}, "  revenue: {from: orders, sum: amounts}\n", "no column 'amounts'"),
        ({}, SALES.replace("amount}", "amount, where: kind > 0}"), "no column 'kind' (condition"),
    ],
)
def test_columns_that_are_not_there(shop, declared, metrics, expected):
    (fault,) = refusal(shop, metrics=metrics, **declared)
    assert "UL205" in fault
    assert expected in fault


def test_nobody_without_a_start(shop):
    customers, arms = each_own_arm([1, 2, 3])
    seen = pa.array([datetime(2026, 3, 2), None, None], pa.timestamp("us"))  # noqa: DTZ001 - no zone
    shop.table("customers", customers | {"seen": seen})
    shop.table("orders", GOOD, time="at")
    text = TEXT.replace("observed: arm", "observed: arm, start: seen").replace(
        "waves: [{start: 2026-03-02, share: 100%}]\n", ""
    )
    with pytest.raises(DataError, match="UL217 2 customers have no start in 'seen'"):
        shop.units(shop.plan(text + arms, SALES))


def test_a_start_must_be_known(shop):
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    shop.table("orders", GOOD, time="at")
    text = TEXT.replace("waves: [{start: 2026-03-02, share: 100%}]\n", "")
    with pytest.raises(ConfigError, match="UL141"):
        shop.plan(text + arms, SALES)


def test_several_files_are_one_table(shop):
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    shop.table("orders", GOOD, time="at")
    folder = shop.locate("orders")
    folder.mkdir()
    for month, amount in (("03", 10.0), ("04", 20.0)):
        table = pa.table({"amount": [amount], "at": [date(2026, 3, 4)], "id": [1]})
        pq.write_table(table, folder / f"2026-{month}.parquet")
    plan = shop.plan(TEXT + arms, SALES)
    for place, expected in (("orders/*.parquet", 30.0), ("orders", 30.0), ("*/2026-04*", 20.0)):
        several = plan.sources["orders"].model_copy(update={"file": place})
        moved = plan.model_copy(update={"sources": {"orders": several}})
        assert shop.units(moved)["arm 1"]["revenue"] == expected
        name, digest = shop.engine.fingerprint(several)
        assert len(digest) == 64
        assert name in (place, "2026-04.parquet")
    odd = pa.table({"id": [1], "at": [date(2026, 3, 4)], "sum": [1.0]})
    pq.write_table(odd, folder / "2026-05.parquet")
    with pytest.raises(DataError, match=r"UL202 .* differ in the column"):
        shop.units(moved.model_copy(update={"sources": {"orders": several.model_copy(
            update={"file": "orders/*.parquet"})}}))  # fmt: skip


def test_a_pattern_does_not_leave_the_data_folder(tmp_path):
    from upliftlab.config.workspace import Workspace
    from upliftlab.engines.files import files_of

    (tmp_path / "data").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.parquet").write_bytes(b"PAR1")
    (tmp_path / "data" / "link").symlink_to(tmp_path / "secret")
    workspace = Workspace(tmp_path, tmp_path / "data")
    for pattern in ("../secret/*.parquet", "link/*.parquet", "link"):
        with pytest.raises(ConfigError, match="UL019"):
            files_of(pattern, workspace.locate)
    with pytest.raises(DataError, match="UL201"):
        files_of("*.csv", workspace.locate)


def test_csv_files_as_one_table(shop):
    customers, arms = each_own_arm([1, 2])
    shop.table("customers", customers)
    shop.table("orders", GOOD, time="at")
    for name, text in (("a", "id,at,amount\n1,2026-03-03 10:00,5\n"), ("b", "id,at,amount\n")):
        shop.locate(f"part-{name}.csv").write_text(text)
    plan = shop.plan(TEXT + arms, SALES)
    several = plan.sources["orders"].model_copy(update={"file": "part-*.csv"})
    moved = plan.model_copy(update={"sources": {"orders": several}})
    assert shop.units(moved)["arm 1"]["revenue"] == 5.0
    shop.locate("part-c.csv").write_text("id,amount,at\n1,2,2026-03-03\n")
    assert shop.units(moved)["arm 1"]["revenue"] == 7.0
    shop.locate("part-c.csv").write_text("id,amount,on\n1,1,2026-03-03\n")
    with pytest.raises(DataError, match=r"UL202 part-c.csv and part-a.csv differ"):
        shop.units(moved)


def test_households_analysed_as_such(shop):
    """By hand: per customer, 40 in 4 treated customers against 12 in 3 of the control."""
    columns = {
        "id": list(range(1, 8)),
        "home": ["a", "a", "b", "b", "c", "d", "d"],
        "arm": ["mail"] * 4 + ["none"] * 3,
    }
    shop.table("customers", columns, household="home")
    spent = {1: 10.0, 2: 6.0, 3: 24.0, 5: 9.0, 6: 3.0}
    shop.table(
        "orders",
        {"id": list(spent), "at": [date(2026, 3, 4)] * 5, "amount": list(spent.values())},
        time="at",
    )
    arms = "arms: {none: {control: true}, mail: {channel: email, cost_per_contact: 1}}\n"
    money = "money: {revenue: revenue, margin: 50%}\ncurrency: EUR\n"
    text = TEXT.replace("observed: arm", "observed: arm, unit: home") + arms + money
    found = analyze(shop.plan(text, SALES), AnalysisContext(shop.engine, NOW))
    by = {finding.kind: finding for finding in found.findings if finding.dimension is None}
    assert by["difference"].estimate == pytest.approx(40 / 4 - 12 / 3)
    assert (by["difference"].n_treated, by["difference"].n_control) == (2, 2)
    assert by["difference"].method == "delta+hall"  # two homes, one skewed in size: γ is 0
    # Residuals per household: 16 − 20 and 24 − 20 over 4; 9 − 4 and 3 − 8 over 3.
    variance = 2 * (16 + 16) / 4**2 + 2 * (25 + 25) / 3**2
    assert by["difference"].se == pytest.approx(variance**0.5)
    assert by["incremental_profit"].estimate == pytest.approx(4 * (0.5 * 6 - 1))
    assert by["roi"].estimate == pytest.approx(0.5 * 6 - 1)
    (check,) = [check for check in found.checks if check.name == "households"]
    assert check.passed
    plain = TEXT + arms + money
    with pytest.raises(DataError, match="UL305 3 of 3 households"):
        analyze(shop.plan(plain, SALES), AnalysisContext(shop.engine, NOW))
    drawn = shop.plan(plain.replace("observed: arm", "method: hash"), SALES)
    frame = population_of(shop.plan(plain, SALES), shop.engine, None)
    assert refuse_whole_households(drawn, frame, shop.engine) is None, "who drew them is known"


def test_further_costs_are_taken_off_in_every_arm(shop):
    columns = {"id": list(range(8)), "arm": ["mail"] * 4 + ["none"] * 4}
    shop.table("customers", columns)
    rows = {"id": [0, 1, 4], "at": [date(2026, 3, 4)] * 3, "amount": [8.0, 2.0, 4.0]}
    shop.table("orders", rows, time="at")
    tickets = {"id": [0, 4, 5], "at": [date(2026, 3, 4)] * 3, "cost": [4.0, 1.0, 1.0]}
    shop.table("tickets", tickets, time="at")
    arms = "arms: {none: {control: true}, mail: {channel: email}}\ncurrency: EUR\n"
    money = "money: {revenue: revenue, margin: 50%, costs: [service]}\n"
    plan = shop.plan(TEXT + arms + money, SALES + "  service: {from: tickets, sum: cost}\n")
    found = analyze(plan, AnalysisContext(shop.engine, NOW))
    (profit,) = [f for f in found.findings if f.kind == "incremental_profit" and not f.dimension]
    # Margin 5 less service 4 of the treated, margin 2 less service 2 of the control.
    assert profit.estimate == pytest.approx((5 - 4) - (2 - 2))


def test_a_column_that_is_known_after_is_there(shop):
    shop.table("customers", {"id": [1, 2], "arm": ["none", "mail"]}, known_after=["opened_at"])
    plan = shop.plan(f"assignment: {{observed: arm}}\n{ARMS}\nmetrics: {{primary: id}}")
    with pytest.raises(DataError, match="UL205 the data have no column 'opened_at'"):
        population_of(plan, shop.engine, None)
