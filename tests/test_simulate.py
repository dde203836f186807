"""The simulated world: repeatable, of the declared shape, and its truth is true."""

from __future__ import annotations

import json
from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import yaml

from upliftlab.config import load
from upliftlab.errors import DataError
from upliftlab.simulate import (
    ARMS,
    NAME,
    TRAITS,
    AssignedArms,
    draw_people,
    draw_world,
    play,
    simulate,
    truth_of,
)
from upliftlab.simulate.calendar import FIRST, WINDOW
from upliftlab.simulate.lifecycle import ACTIVE, DECLINE, LAPSED, lifecycle
from upliftlab.simulate.responses import COST_PER_REDEMPTION, DELIVERED, MARGIN
from upliftlab.util.resources import shipped

MANY = 400_000
STANDARD_ERRORS = 4.5  # some 15 levels x 7 outcomes x 2 arms are compared: p = 7e-6 each


def random(seed: int = 2026) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@pytest.fixture(scope="module")
def many():
    """A large world in which everybody takes part, with what each customer did in their window."""
    chance = random()
    world = draw_world(chance, MANY)
    campaign = AssignedArms(
        chance.choice(3, size=MANY, p=(0.34, 0.33, 0.33)), 7 * chance.integers(0, 2, MANY)
    )
    events = play(chance, world, campaign)
    return world, campaign, outcomes(events, campaign)


def outcomes(events: dict[str, pd.DataFrame], campaign: AssignedArms) -> dict[str, np.ndarray]:
    """What customers did within 28 days, counted without any SQL."""

    def count(name: str, time: str, weight: str | None = None, kind: str = "") -> np.ndarray:
        table = events[name]
        if kind:
            table = table[table["kind"] == kind]
        whose = table["customer_id"].to_numpy() - 1
        days = (table[time].to_numpy() - np.datetime64(FIRST, "us")) // np.timedelta64(1, "D")
        inside = (days >= campaign.starts[whose]) & (days < campaign.starts[whose] + WINDOW)
        weights = table[weight].to_numpy()[inside] if weight else None
        return np.bincount(whose[inside], weights, minlength=len(campaign.arms))

    orders = count("orders", "ordered_at")
    return {
        "orders": orders,
        "conversion": orders > 0,
        "repeat_purchase": orders > 1,
        "revenue": count("orders", "ordered_at", "amount"),
        "redemptions": count("redemptions", "redeemed_at"),
        "unsubscribed": count("unsubscribes", "unsubscribed_at") > 0,
        "complaints": count("tickets", "opened_at", kind="complaint") > 0,
    }


def test_same_seed_writes_the_same_bytes(tmp_path):
    first = simulate(tmp_path / "a", customers=2_000)
    second = simulate(tmp_path / "b", customers=2_000)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")]
    assert {file.parts[0] for file in files} == {"configs", "experiments", "data", "truth.json"}
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    assert (first.data.name, second.truth.name) == ("data", "truth.json")


def test_another_seed_draws_other_customers():
    one, other = (draw_world(random(seed), 2_000).customers for seed in (7, 8))
    assert not one.equals(other)


def test_writes_over_an_earlier_run_and_leaves_nothing_else(tmp_path):
    simulate(tmp_path, customers=1_000)
    made = simulate(tmp_path, customers=1_200)
    assert len(pd.read_parquet(made.data / "customers.parquet")) == 1_200
    names = sorted(path.stem for path in made.data.iterdir())
    assert names == sorted(
        ["customers", "orders", "contacts", "redemptions", "tickets", "unsubscribes", "surveys"]
    )


@pytest.mark.parametrize(("customers", "seed"), [(0, 7), (999, 7), (40_000, -1)])
def test_refuses_what_cannot_be_drawn(tmp_path, customers, seed):
    with pytest.raises(DataError, match="UL290"):
        simulate(tmp_path / "new", seed=seed, customers=customers)
    assert not (tmp_path / "new").exists()


def test_customers_who_are_on_the_record_are_not_drawn_anew(tmp_path):
    simulate(tmp_path, seed=1, customers=1_000)
    (tmp_path / "ledger" / "spring_winback").mkdir(parents=True)
    before = (tmp_path / "data" / "customers.parquet").read_bytes()
    for other in ({"seed": 2, "customers": 1_000}, {"seed": 1, "customers": 1_001}):
        with pytest.raises(DataError, match="UL292"):
            simulate(tmp_path, **other)
    (tmp_path / "truth.json").write_text("[1]")
    with pytest.raises(DataError, match="UL292"):
        simulate(tmp_path, seed=1, customers=1_000)
    (tmp_path / "truth.json").unlink()
    simulate(tmp_path, seed=1, customers=1_000)
    simulate(tmp_path, seed=1, customers=1_000)
    assert (tmp_path / "data" / "customers.parquet").read_bytes() == before


def test_the_smallest_world_has_finite_truth(tmp_path):
    text = simulate(tmp_path, customers=1_000).truth.read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text


def test_the_customers_table_knows_nothing_of_the_campaign(many):
    table = many[0].customers
    assert table["customer_id"].is_unique
    assert (table["as_of"] == FIRST - timedelta(days=1)).all()
    assert (table["recency_days"].dropna() >= 0).all()
    never = table["recency_days"].isna()
    assert (table.loc[never, "frequency"] == 0).all()
    sizes = table.groupby("household_id").size()
    assert 1.3 < sizes.mean() < 1.7
    for name, trait in TRAITS.items():
        found = table[name].value_counts(normalize=True)
        for level, share in zip(trait.levels, trait.shares, strict=True):
            assert found[level] == pytest.approx(share, abs=4 * np.sqrt(share / MANY))


def test_events_have_keys_times_and_customers(tmp_path):
    made = simulate(tmp_path, customers=2_000)
    for name, source in load(made.experiment).plan.sources.items():
        table = pd.read_parquet(made.data / f"{name}.parquet")
        assert not table.duplicated([*source.key]).any()
        assert table["customer_id"].between(1, 2_000).all()
        assert table[source.time].is_monotonic_increasing
        hours = table[source.time].dt.hour
        assert not hours.between(1, 5).any()  # nobody is up, so no clock is put forward on them


def test_redemptions_are_of_treated_buyers_in_their_window(many):
    _, campaign, found = many
    redeemed = found["redemptions"] > 0
    assert (found["orders"][redeemed] > 0).all()
    assert set(campaign.arms[redeemed]) == {1, 2}
    assert found["redemptions"].max() == 1


def test_truth_is_what_a_large_simulation_finds(many):
    world, campaign, found = many
    levels = {"lifecycle": lifecycle(world.alone, campaign.starts)}
    numbers = {arm.name: number for number, arm in enumerate(ARMS)}
    traits = {name: np.array(TRAITS[name].levels)[c] for name, c in world.people.codes.items()}
    for record in truth_of(world.people, campaign.arms, levels):
        if record["dimension"] and "×" in record["dimension"]:
            continue
        everybody = np.ones(MANY, dtype=bool)
        values = {**traits, **levels}.get(record["dimension"])
        here = everybody if values is None else values == record["level"]
        treated = here & (campaign.arms == numbers[record["arm"]])
        control = here & (campaign.arms == 0)
        assert treated.sum() == record["n_treated"]
        for outcome, expected in record["difference"].items():
            one, other = (found[outcome][group].astype(float) for group in (treated, control))
            error = np.sqrt(one.var() / len(one) + other.var() / len(other))
            gap = one.mean() - other.mean() - expected
            assert abs(gap) < STANDARD_ERRORS * error + 1e-12, (record["level"], outcome)


def test_money_follows_from_the_effects(many):
    world, campaign, _ = many
    arms = {arm.name: arm for arm in ARMS}
    records = truth_of(world.people, campaign.arms, {})
    totals = {r["arm"]: r["n_treated"] for r in records if r["dimension"] is None}
    for record in records:
        arm, gain, n = arms[record["arm"]], record["difference"], record["n_treated"]
        each = arm.cost_per_contact * DELIVERED + COST_PER_REDEMPTION * gain["redemptions"]
        cost = n * each + arm.fixed_cost * n / totals[arm.name]
        profit = n * gain["revenue"] * MARGIN - cost
        assert record["cost"] == pytest.approx(cost, rel=1e-8)
        assert record["incremental_profit"] == pytest.approx(profit, rel=1e-6)
        assert record["roi"] == pytest.approx(profit / cost, rel=1e-6)


def test_the_experiment_declares_what_was_simulated(tmp_path):
    plan = load(simulate(tmp_path, customers=1_000).experiment).plan
    money = plan.experiment.money
    assert money.margin == MARGIN
    for arm in ARMS:
        said = plan.arms[arm.name]
        assert said.control == (arm.channel is None)
        assert said.channel == arm.channel
        if arm.channel:
            assert float(said.cost_per_contact.amount) == arm.cost_per_contact
            assert float(said.cost_per_redemption.amount) == COST_PER_REDEMPTION
    fixed = {arm: float(cost.amount) for arm, cost in money.fixed_cost.items()}
    assert fixed == {arm.name: arm.fixed_cost for arm in ARMS if arm.fixed_cost}
    assert plan.experiment.outcome_window == timedelta(days=WINDOW)
    assert plan.experiment.waves[0].start == FIRST
    assert sum(wave.share for wave in plan.experiment.waves) == Fraction(1)
    life = plan.segments["lifecycle"].lifecycle
    assert (life.active.days, life.lapsed.days, life.decline) == (ACTIVE, LAPSED, DECLINE)


def test_the_shipped_experiment_is_the_one_that_is_written(tmp_path):
    made = simulate(tmp_path, customers=1_000)
    assert made.experiment.read_bytes() == (shipped("experiments") / f"{NAME}.yaml").read_bytes()
    declared = yaml.safe_load((tmp_path / "configs" / "sources.yaml").read_text("utf-8"))
    assert set(declared["sources"]) == {path.stem for path in made.data.iterdir()}


def test_the_campaign_is_worth_reading_about(tmp_path):
    truth = json.loads(simulate(tmp_path).truth.read_text(encoding="utf-8"))
    profit = {(r["arm"], r["level"]): r["incremental_profit"] for r in truth["effects"]}
    assert truth["customers"] == 40_000
    assert profit["email_voucher", None] > 0 > profit["sms_voucher", None]
    assert profit["email_voucher", "declining"] > 0 > profit["sms_voucher", "low"]


def test_habits_show_in_the_orders():
    people = draw_people(random(), 50_000)
    assert len(people.chosen(np.arange(10))) == 10
    assert people.rates.shape == (50_000, 5)
    assert date.fromisoformat("2026-03-02") == FIRST
