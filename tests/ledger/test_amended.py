"""What may be amended once customers hold an arm, and how they are analysed then."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ledgers import NOW, make_plan

from upliftlab.analysis.analyze import AnalysisContext, analyze
from upliftlab.config.models import Channel, Metric
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.duckdb import DuckDB
from upliftlab.ledger import Ledger, LedgerError, campaign

LATER = datetime(2026, 3, 15, 9, tzinfo=UTC)
CLOSED = datetime(2026, 6, 1, tzinfo=UTC)
ARMS = {
    "none": {"share": "90%", "control": "true"},
    "mail": {"share": "10%", "channel": "email"},
}
TURNED = {"none": ARMS["none"] | {"share": "10%"}, "mail": ARMS["mail"] | {"share": "90%"}}


def plan_of(**changes: object) -> Plan:
    asked: dict[str, Any] = {
        "arms": ARMS,
        "waves": [],
        "metrics": {"primary": "spent"},
        "outcome_window": "7 days",
    }
    plan = make_plan(**(asked | changes))
    metrics = {"spent": Metric(column="spent")}
    return plan.model_copy(update={"channels": {"email": Channel()}, "metrics": metrics})


def table(folder: Path, early: int, late: int = 0) -> None:
    """Customers of two times; those of the later one spend twice as much."""
    rng = np.random.default_rng(3)
    spent = rng.gamma(2, 5, early + late) * np.repeat([1, 2], [early, late])
    columns = {"customer_id": np.arange(early + late), "spent": spent}
    columns["house"] = np.arange(early + late) // 3
    pq.write_table(pa.table(columns), folder / "customers.parquet")


def assign(ledger: Ledger, plan: Plan, folder: Path, now: datetime = NOW):
    with DuckDB(lambda file: folder / file) as engine:
        return campaign.assign(ledger, plan, engine, now).manifest


def analysed(ledger: Ledger, plan: Plan, folder: Path):
    with DuckDB(lambda file: folder / file) as engine:
        record = campaign.open_record(ledger, plan)
        return analyze(plan, AnalysisContext(engine, CLOSED, record=record))


def check(analysis, name: str):
    return next(each for each in analysis.checks if each.name == name)


def test_amended_words_are_no_deviation(ledger: Ledger, tmp_path: Path) -> None:
    table(tmp_path, 2000)
    assign(ledger, plan_of(), tmp_path)
    campaign.note_outcomes(ledger, plan_of(), LATER)
    arms = {"none": ARMS["none"], "mail": ARMS["mail"] | {"title": "The letter"}}
    worded = plan_of(arms=arms, title="Does it pay?")
    campaign.amend(ledger, worded, "nicer", LATER)
    found = analysed(ledger, worded, tmp_path)
    assert found.verdict.code == "INCONCLUSIVE"
    assert check(found, "amended").passed
    assert check(found, "deviations").passed
    table(tmp_path, 3000)
    assert assign(ledger, worded, tmp_path, LATER).generation == 2
    assert analysed(ledger, worded, tmp_path).verdict.code == "INCONCLUSIVE"


def test_an_amended_cost_is_told_and_counted(ledger: Ledger, tmp_path: Path) -> None:
    table(tmp_path, 2000)
    money = {"revenue": "spent", "margin": "100%"}
    arms = {"none": ARMS["none"], "mail": ARMS["mail"] | {"cost_per_contact": "1 EUR"}}
    assign(ledger, plan_of(arms=arms, money=money), tmp_path)
    dearer = plan_of(
        arms=arms | {"mail": arms["mail"] | {"cost_per_contact": "100 EUR"}}, money=money
    )
    campaign.amend(ledger, dearer, "postage", LATER)
    found = analysed(ledger, dearer, tmp_path)
    told = check(found, "amended")
    assert not told.passed
    assert "arms.mail.cost_per_contact: 1 EUR → 100 EUR" in told.message
    assert found.verdict.code == "STOP"


def test_shares_amended_before_customers_joined_are_compared_apart(
    ledger: Ledger, tmp_path: Path
) -> None:
    table(tmp_path, 6000)
    first = assign(ledger, plan_of(), tmp_path)
    turned = plan_of(arms=TURNED)
    campaign.amend(ledger, turned, "more", LATER)
    assert analysed(ledger, turned, tmp_path).arms[1].expected_share == pytest.approx(0.1)
    table(tmp_path, 6000, 6000)
    second = assign(ledger, turned, tmp_path, LATER)
    assert (second.kept, second.generation) == (6000, 2)
    assert first.arms["mail"] < 700
    assert second.arms["mail"] > 5300
    found = analysed(ledger, turned, tmp_path)
    assert found.verdict.code == "INCONCLUSIVE"
    assert all(each.passed for each in found.checks if each.name.startswith("sample_ratio"))
    lift = next(f for f in found.findings if f.kind == "relative_lift" and f.dimension is None)
    assert lift.method == "fieller+strata"
    assert lift.low < 0 < lift.high
    assert abs(lift.estimate) < 0.06  # +60 % without the generations
    assert found.arms[1].expected_share == pytest.approx(0.5)
    assert "arms.mail.share: 1/10 → 9/10" in check(found, "amended").message


def test_shares_by_date_are_those_of_the_day_of_assignment(ledger: Ledger, tmp_path: Path) -> None:
    shares = [
        {"from": "2026-03-01", "arms": {"none": "90%", "mail": "10%"}},
        {"from": "2026-03-15", "arms": {"none": "10%", "mail": "90%"}},
    ]
    arms = {"none": {"control": "true"}, "mail": {"channel": "email"}}
    plan = plan_of(arms=arms, shares=shares)
    table(tmp_path, 6000)
    assert assign(ledger, plan, tmp_path).arms["mail"] < 700
    table(tmp_path, 6000, 6000)
    assert assign(ledger, plan, tmp_path, LATER).arms["mail"] > 5300
    found = analysed(ledger, plan, tmp_path)
    assert found.verdict.code == "INCONCLUSIVE"
    assert check(found, "amended").passed
    assert abs(found.findings[0].estimate) < 1


def test_few_who_join_by_other_shares_are_left_out(ledger: Ledger, tmp_path: Path) -> None:
    table(tmp_path, 6000)
    assign(ledger, plan_of(), tmp_path)
    before = analysed(ledger, plan_of(), tmp_path).findings[0]
    turned = plan_of(arms=TURNED)
    campaign.amend(ledger, turned, "more", LATER)
    table(tmp_path, 6000, 1)
    assign(ledger, turned, tmp_path, LATER)
    found = analysed(ledger, turned, tmp_path)
    after = found.findings[0]
    assert after.n_treated + after.n_control == 6001
    assert (after.estimate, after.se) == pytest.approx((before.estimate, before.se), rel=1e-12)
    assert check(found, "sample_ratio").passed


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"arms": ARMS | {"sms": {"share": "0.1"}}}, "UL475", "'sms' cannot be added"),
        (
            {"arms": {"none": ARMS["none"], "letter": ARMS["mail"]}},
            "UL475",
            "'mail' cannot be removed or renamed: it holds",
        ),
        (
            {"arms": {"mail": ARMS["mail"], "none": ARMS["none"]}},
            "UL475",
            "restore the order: none, mail",
        ),
        ({"assignment": {"salt": "other"}}, "UL476", "assignment.salt cannot change"),
        ({"assignment": {"unit": "house"}}, "UL476", "assignment.unit cannot change"),
        ({"assignment": {"method": "blocked"}}, "UL476", "assignment.method cannot change"),
    ],
)
def test_what_could_not_be_analysed_is_refused_at_amend(
    ledger: Ledger, tmp_path: Path, changes: dict[str, Any], code: str, words: str
) -> None:
    table(tmp_path, 400)
    campaign.lock(ledger, plan_of(), NOW)
    campaign.amend(ledger, plan_of(**changes), "before anybody is assigned", NOW)
    campaign.amend(ledger, plan_of(), "back", NOW)
    assign(ledger, plan_of(), tmp_path)
    with pytest.raises(LedgerError) as caught:
        campaign.amend(ledger, plan_of(**changes), "too late", LATER)
    assert {fault.code for fault in caught.value.faults} == {code}
    assert words in str(caught.value)
    assert analysed(ledger, plan_of(), tmp_path).verdict.code == "INCONCLUSIVE"


@pytest.mark.parametrize(
    "assignment", [{"method": "blocked"}, {"unit": "house"}], ids=["blocked", "households"]
)
def test_shares_that_nobody_or_half_a_household_would_get_are_refused(
    ledger: Ledger, tmp_path: Path, assignment: dict[str, str]
) -> None:
    table(tmp_path, 400)
    assign(ledger, plan_of(assignment=assignment), tmp_path)
    with pytest.raises(LedgerError, match="UL478"):
        campaign.amend(ledger, plan_of(assignment=assignment, arms=TURNED), "more", LATER)


def test_a_wave_with_customers_stays(ledger: Ledger, tmp_path: Path) -> None:
    waves = [{"start": "2026-03-02", "share": "50%"}, {"start": "2026-03-09", "share": "50%"}]
    table(tmp_path, 400)
    assign(ledger, plan_of(waves=waves), tmp_path)
    whole = [{"start": "2026-03-02", "share": "100%"}]
    for fewer in (whole, []):
        with pytest.raises(LedgerError, match="UL477 wave 2 cannot be removed"):
            campaign.amend(ledger, plan_of(waves=fewer), "one is enough", LATER)
    later = plan_of(waves=[waves[0], waves[1] | {"start": "2026-03-16"}])
    assert campaign.amend(ledger, later, "the printer was late", LATER).number == 1


def test_arms_of_an_older_ledger_are_refused(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions before refused nothing at amend."""
    table(tmp_path, 400)
    assign(ledger, plan_of(), tmp_path)
    more = plan_of(arms=ARMS | {"none": ARMS["none"] | {"share": "0.8"}, "sms": {"share": "0.1"}})
    with monkeypatch.context() as patch:
        patch.setattr("upliftlab.ledger.writer.refusals", lambda *_: ())
        campaign.amend(ledger, more, "a second text", LATER)
    with pytest.raises(LedgerError, match="UL462 customers were assigned when the arms were none,"):
        campaign.open_record(ledger, more)
