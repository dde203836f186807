"""Shares that change during the test: found, and compared within times where they are declared."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from upliftlab.errors import DataError
from upliftlab.stats.calibration import Measure, Measured, Units, UnitStrata
from upliftlab.stats.level import Level
from upliftlab.stats.permutation import Precision

N = 12_000
TURN = date(2026, 3, 15)
TEXT = """\
assignment: {observed: arm, start: started}
arms: {none: {control: true}, mail: {channel: email}}
metrics: {primary: spent, secondary: [bought]}
currency: EUR
outcome_window: 7 days
money: {revenue: spent, margin: 40%}
segments: [region]
"""
SHARES = """\
shares:
  - {from: 2026-03-01, arms: {none: 90%, mail: 10%}}
  - {from: 2026-03-15, arms: {none: 10%, mail: 90%}}
"""


def world(effect: float = 0.0, seed: int = 4) -> dict[str, object]:
    """90/10, from 15 March 10/90; sales double meanwhile."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 28, N)
    late = day >= 14
    mailed = rng.random(N) < np.where(late, 0.9, 0.1)
    spent = rng.gamma(2, 5, N) * np.where(late, 2, 1) + effect * mailed
    return {
        "arm": np.where(mailed, "mail", "none"),
        "started": [date(2026, 3, 1) + timedelta(int(d)) for d in day],
        "spent": spent,
        "bought": (rng.random(N) < np.where(late, 0.2, 0.1)).astype(int),
        "region": np.where(rng.random(N) < 0.5, "north", "south"),
    }


def finding(analysis, kind="difference", metric="spent", level=None):
    return next(
        f
        for f in analysis.findings
        if (f.kind, f.metric, f.level) == (kind, metric, level) and f.dimension in (None, "region")
    )


def check(analysis, name):
    return next(c for c in analysis.checks if c.name == name)


def test_shares_that_moved_make_the_analysis_invalid_and_say_when(anywhere):
    found = anywhere.analysed(world(), TEXT)
    assert found.verdict.code == "INVALID"
    assert check(found, "sample_ratio").passed  # as many of each arm in the end
    moved = check(found, "sample_ratio:start")
    assert not moved.passed
    assert "changed on March 15, 2026" in moved.message
    assert (
        "shares: [{from: 2026-03-01, arms: {none: 90%, mail: 10%}},"
        " {from: 2026-03-15, arms: {none: 10%, mail: 90%}}]"
    ) in moved.message
    assert all(f.estimate is None for f in found.findings)


def test_declared_by_date_nothing_is_claimed(anywhere):
    columns = world()
    found = anywhere.analysed(columns, TEXT + SHARES)
    assert found.verdict.code == "INCONCLUSIVE"
    assert all(c.passed for c in found.checks if c.name.startswith("sample_ratio"))
    whole = finding(found)
    late = np.array([day >= TURN for day in columns["started"]])
    mailed = columns["arm"] == "mail"
    value, variance = 0.0, 0.0
    for part in (late, ~late):
        one, other = columns["spent"][part & mailed], columns["spent"][part & ~mailed]
        weight = part.mean()
        value += weight * (one.mean() - other.mean())
        variance += weight**2 * (one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    assert whole.estimate == pytest.approx(value, rel=1e-9)
    assert whole.se == pytest.approx(variance**0.5, rel=1e-9)
    assert whole.low < 0 < whole.high
    assert whole.method == "welch+strata"


def test_levels_ratios_and_money_are_compared_within_the_times_too(shop):
    found = shop.analysed(world(), TEXT + SHARES)
    shown = [f for f in found.findings if f.kind in ("difference", "incremental_profit")]
    assert {f.level for f in shown} == {None, "north", "south", "email"}
    assert all(f.low < 0 < f.high for f in shown if f.metric != "bought" or f.level is None)
    assert all("+strata" in f.method for f in found.findings if f.estimate is not None)
    lift = finding(found, "relative_lift")
    assert abs(lift.estimate) < 0.05  # +68 % without the times


def test_an_effect_is_found_within_the_times(shop):
    found = shop.analysed(world(effect=2.0), TEXT + SHARES)
    assert found.verdict.code == "SHIP"
    assert finding(found).low < 2 < finding(found).high


def test_expected_shares_are_those_of_the_customers_there(shop):
    columns = world()
    found = shop.analysed(columns, TEXT + SHARES)
    late = np.mean([day >= TURN for day in columns["started"]])
    by_arm = {arm.arm: arm.expected_share for arm in found.arms}
    assert by_arm["mail"] == pytest.approx(0.9 * late + 0.1 * (1 - late), rel=1e-12)


def test_shares_other_than_those_declared_are_found_within_a_time(shop):
    wrong = SHARES.replace("none: 10%, mail: 90%", "none: 20%, mail: 80%")
    found = shop.analysed(world(), TEXT + wrong)
    assert found.verdict.code == "INVALID"
    assert "within some time" in check(found, "sample_ratio").message.lower()


def test_a_move_within_a_declared_time_is_found(shop):
    columns = world()
    shares = "shares: [{from: 2026-03-01, arms: {none: 50%, mail: 50%}}]\n"
    found = shop.analysed(columns, TEXT + shares)
    assert not check(found, "sample_ratio:start").passed


def test_equal_shares_of_two_times_are_one_time(shop):
    same = SHARES.replace("none: 10%, mail: 90%", "none: 90%, mail: 10%")
    found = shop.analysed(world(), TEXT + same)
    assert not check(found, "sample_ratio:start").passed
    assert not check(found, "sample_ratio").passed


def test_households_count_once(anywhere):
    """Four customers a household, all in one arm: counted singly, their shares seem to move."""
    rng = np.random.default_rng(0)
    house = np.repeat(np.arange(800), 40)
    day = np.repeat(rng.integers(0, 14, 800), 40)
    arm = np.repeat(np.where(rng.random(800) < 0.5, "mail", "none"), 40)
    columns = {
        "arm": arm,
        "house": house,
        "started": [date(2026, 3, 1) + timedelta(int(d)) for d in day],
        "spent": rng.gamma(2, 5, len(house)),
    }
    text = (
        "assignment: {observed: arm, unit: house, start: started}\n"
        "arms: {none: {control: true}, mail: {channel: email}}\n"
        "metrics: {primary: spent}\noutcome_window: 7 days\n"
    )
    steady = check(anywhere.analysed(columns, text), "sample_ratio:start")
    assert steady.passed
    assert steady.p > 0.01


def test_a_segment_level_that_lies_in_one_time_with_one_arm_has_no_effect(shop):
    columns = world()
    region = np.array(columns["region"], dtype=object)
    late = np.array([day >= TURN for day in columns["started"]])
    mailed = columns["arm"] == "mail"
    region[(late & mailed) | (~late & ~mailed)] = "east"  # no time has both arms
    columns["region"] = region
    found = shop.analysed(columns, TEXT + SHARES)
    east = finding(found, level="east")
    assert (east.estimate, east.low, east.p) == (None, None, None)
    assert east.note


def test_times_without_customers_of_an_arm_are_refused(shop):
    columns = {
        "arm": ["none", "mail"] * 10 + ["mail"] * 5,
        "started": [date(2026, 3, 1)] * 20 + [date(2026, 3, 20)] * 5,
        "spent": np.arange(25.0),
        "bought": [0, 1] * 12 + [1],
        "region": ["north"] * 25,
    }
    with pytest.raises(DataError, match=r"UL310.*from 2026-03-15 on, 'none' has 0 customers"):
        shop.analysed(columns, TEXT + SHARES)


def test_starts_before_the_first_shares_are_refused(anywhere):
    late = SHARES.replace("2026-03-01", "2026-03-02")
    with pytest.raises(DataError, match=r"UL309.*write the first 'from' as 2026-03-01"):
        anywhere.analysed(world(), TEXT + late)


def test_one_day_is_not_asked(shop):
    columns = world()
    columns["started"] = [date(2026, 3, 1)] * N
    found = shop.analysed(columns, TEXT)
    assert "sample_ratio:start" not in [c.name for c in found.checks]


def test_learning_knows_the_chances_of_each_time(shop):
    from upliftlab.targeting.training_data import learning_rows

    columns = world()
    shop.table("customers", {"id": np.arange(N), **columns})
    plan = shop.plan(
        TEXT.replace("segments: [region]\n", "") + SHARES + "uplift: {features: [region]}\n"
    )
    rows = learning_rows(plan, shop.engine, now=datetime(2026, 6, 1))  # noqa: DTZ001 - a clock's
    late = {True: 0.9, False: 0.1}
    assert sorted(set(np.round(rows.propensity[:, 1], 9))) == sorted(late.values())
    share = np.mean([day >= TURN for day in columns["started"]])
    assert rows.propensity[:, 1].mean() == pytest.approx(0.9 * share + 0.1 * (1 - share))


def skewed(seed: int = 3) -> dict[str, object]:
    """Half and half, from 15 March 95/5; few buy, and for twice as much in the second time."""
    rng = np.random.default_rng(seed)
    late = np.arange(N) >= N / 2
    mailed = rng.random(N) < np.where(late, 0.95, 0.5)
    spent = rng.lognormal(3, 1, N) * (rng.random(N) < 0.1) * np.where(late, 2, 1)
    return {
        "arm": np.where(mailed, "mail", "none"),
        "started": [date(2026, 3, 15) if second else date(2026, 3, 1) for second in late],
        "spent": np.round(spent, 2),
        "bought": (spent > 0).astype(int),
        "region": np.where(rng.random(N) < 0.7, "north", "south"),
    }


@pytest.mark.parametrize("level", [None, "south"])
def test_skewed_arms_are_dealt_anew_within_the_times(anywhere, level):
    columns = skewed()
    moved = SHARES.replace("none: 90%, mail: 10%", "none: 50%, mail: 50%")
    moved = moved.replace("none: 10%, mail: 90%", "none: 5%, mail: 95%")
    found = finding(anywhere.analysed(columns, TEXT + moved), level=level)
    assert found.method == "welch+strata+permutation"
    inside = np.ones(N, dtype=bool) if level is None else columns["region"] == level
    place = np.array([int(day >= TURN) for day in columns["started"]])[inside]
    weights = np.bincount(place) / len(place)
    group = (columns["arm"] != "mail").astype(int)[inside]
    units = Units(
        columns["spent"][inside][:, None],
        group,
        np.ones(len(place), dtype=np.int64),
        np.array([True, False]),
        None,
        UnitStrata(place, weights),
    )
    t = found.estimate / found.se
    drawn = Measured.of(units, Measure(np.ones((2, 1)))).draws(Precision(0.05, (t,)))
    low, high = Level(0.95, draws=drawn).bounds(1.0)
    assert found.low == pytest.approx(found.estimate - high * found.se, rel=1e-6)
    assert found.high == pytest.approx(found.estimate - low * found.se, rel=1e-6)
