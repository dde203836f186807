"""The demonstration campaign: repeatable, of the declared shape, and its truth is true."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import yaml

from upliftlab.errors import DataError
from upliftlab.resources import shipped
from upliftlab.simulate import ARMS, COST_PER_REDEMPTION, MARGIN, NAME, TRAITS, draw, simulate
from upliftlab.values import parse_fraction, parse_money

MANY = 1_000_000
STANDARD_ERRORS = 4.5  # 24 levels x 4 outcomes x 2 arms are compared: p = 7e-6 each
SHARES = {arm.name: arm.share for arm in ARMS}
COLUMNS = [
    *("customer_id", "value_band", "lifecycle", "region", "channel"),
    *("recency_days", "orders_before", "revenue_before"),
    *("arm", "conversion", "revenue", "redeemed", "unsubscribed"),
]


@pytest.fixture(scope="module")
def many():
    return draw(seed=2026, customers=MANY)


@pytest.fixture(scope="module")
def declared():
    return yaml.safe_load((shipped("experiments") / f"{NAME}.yaml").read_text(encoding="utf-8"))


def test_same_seed_writes_the_same_bytes(tmp_path):
    first = simulate(tmp_path / "a", customers=2_000)
    second = simulate(tmp_path / "b", customers=2_000)
    for one, other in zip(
        (first.data, first.truth, first.experiment),
        (second.data, second.truth, second.experiment),
        strict=True,
    ):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()


def test_another_seed_draws_other_customers():
    table, _ = draw(seed=7, customers=2_000)
    other, _ = draw(seed=8, customers=2_000)
    assert not table.equals(other)


def test_writes_over_an_earlier_run_and_leaves_nothing_else(tmp_path):
    simulate(tmp_path, customers=500)
    made = simulate(tmp_path, customers=600)
    assert len(pd.read_parquet(made.data)) == 600
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["configs", made.data.name, made.truth.name, made.experiment.name]
    )


@pytest.mark.parametrize(("customers", "seed"), [(0, 7), (99, 7), (40_000, -1)])
def test_refuses_what_cannot_be_drawn(tmp_path, customers, seed):
    with pytest.raises(DataError, match="UL290"):
        simulate(tmp_path / "new", seed=seed, customers=customers)
    assert not (tmp_path / "new").exists()


def test_the_smallest_campaign_has_finite_truth(tmp_path):
    made = simulate(tmp_path, customers=100)
    text = made.truth.read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text


def test_the_table_is_as_described(many):
    table, _ = many
    assert list(table.columns) == COLUMNS
    assert table["customer_id"].is_unique
    assert not table.isna().to_numpy().any()
    assert set(table["conversion"]) == set(table["redeemed"]) == {0, 1}
    assert ((table["revenue"] > 0) == (table["conversion"] == 1)).all()
    redeemed = table[table["redeemed"] == 1]
    assert (redeemed["conversion"] == 1).all()
    assert "holdout" not in set(redeemed["arm"])
    assert (table["recency_days"].between(1, 365)).all()


def test_shares_are_the_declared_ones(many):
    table, _ = many
    for column, shares in [
        ("arm", SHARES),
        *(
            (name, dict(zip(trait.levels, trait.shares, strict=True)))
            for name, trait in TRAITS.items()
        ),
    ]:
        found = table[column].value_counts(normalize=True)
        for level, share in shares.items():
            assert found[level] == pytest.approx(share, abs=4 * np.sqrt(share / MANY))
        assert sum(shares.values()) == pytest.approx(1)


def test_truth_is_what_a_large_simulation_finds(many):
    table, truth = many
    for record in truth["effects"]:
        here = _level(table, record)
        treated, control = (here[here["arm"] == arm] for arm in (record["arm"], "holdout"))
        assert len(treated) == record["n_treated"]
        for outcome, expected in record["difference"].items():
            difference = treated[outcome].mean() - control[outcome].mean()
            error = np.sqrt(
                treated[outcome].var() / len(treated) + control[outcome].var() / len(control)
            )
            assert abs(difference - expected) < STANDARD_ERRORS * error, (record, outcome)


def test_money_follows_from_the_effects(many):
    _, truth = many
    arms = {arm.name: arm for arm in ARMS}
    for record in truth["effects"]:
        arm, gain, n = arms[record["arm"]], record["difference"], record["n_treated"]
        total = next(r for r in truth["effects"] if r["arm"] == arm.name)["n_treated"]
        per_customer = arm.cost_per_contact + COST_PER_REDEMPTION * gain["redeemed"]
        cost = n * per_customer + arm.fixed_cost * n / total
        profit = n * gain["revenue"] * MARGIN - cost
        assert record["cost"] == pytest.approx(cost, rel=1e-8)
        assert record["incremental_profit"] == pytest.approx(profit, rel=1e-6)
        assert record["roi"] == pytest.approx(profit / cost, rel=1e-6)
        assert record["iroas"] == pytest.approx(n * gain["revenue"] / cost, rel=1e-8)


def test_the_campaign_is_worth_reading_about(many):
    _, truth = many
    profit = {(r["arm"], r["level"]): r["incremental_profit"] for r in truth["effects"]}
    assert profit["email_voucher", None] > 0 > profit["sms_voucher", None]
    assert profit["email_voucher", "declining"] > 0 > profit["email_voucher", "active"]


def test_the_experiment_declares_what_was_simulated(declared):
    assert set(declared["arms"]) == set(SHARES)
    for arm in ARMS:
        said = declared["arms"][arm.name]
        assert parse_fraction(said["share"]) == Fraction(str(arm.share))
        if not said.get("control"):
            assert float(said["cost_per_contact"]) == arm.cost_per_contact
            assert float(parse_money(said["cost_per_redemption"]).amount) == COST_PER_REDEMPTION
    money = declared["money"]
    assert float(parse_fraction(money["margin"])) == MARGIN
    fixed = {arm: float(parse_money(cost).amount) for arm, cost in money["fixed_cost"].items()}
    assert fixed == {arm.name: arm.fixed_cost for arm in ARMS if arm.fixed_cost}


def test_the_experiment_names_columns_that_exist(declared):
    metrics, customers = declared["metrics"], declared["customers"]
    named = [
        *(customers["id"], *customers["known_after"], declared["assignment"]["observed"]),
        *(metrics["primary"], *metrics["secondary"], *metrics["guardrails"]),
        *(declared["money"]["revenue"], declared["money"]["redemptions"], *declared["segments"]),
    ]
    assert set(named) <= set(COLUMNS)
    assert customers["file"] == f"{NAME}.parquet"


def test_the_default_truth_is_written_down(tmp_path):
    made = simulate(tmp_path)
    truth = json.loads(made.truth.read_text(encoding="utf-8"))
    whole = {r["arm"]: r for r in truth["effects"] if r["dimension"] is None}
    assert truth["customers"] == 40_000
    assert whole["email_voucher"]["incremental_profit"] == pytest.approx(8469, abs=1)
    assert whole["sms_voucher"]["incremental_profit"] == pytest.approx(-5543, abs=1)


def _level(table, record):
    if record["dimension"] is None:
        return table
    return table[table[record["dimension"]] == record["level"]]
