"""Scoring refuses what does not fit, and a list depends on nothing but who customers are."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from upliftlab.assignment.hashing import cuts, digest
from upliftlab.errors import DataError
from upliftlab.targeting.budget import Budget, use
from upliftlab.targeting.candidates import CandidateBatch
from upliftlab.targeting.crossfit import Forecast, average_effects, least_costs
from upliftlab.targeting.selection import (
    HELD_OUT,
    Scorer,
    Wording,
    places,
    score,
    select,
    table_batches,
)
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.sample import TrainingSample

ENCODING = Encoding.fit(pa.table({"age": [20.0, 30.0, None, 60.0], "city": ["a", "b", "a", "b"]}))
DAY = date(2026, 7, 1)
WORDS = Wording(
    "none", ("mail", "call"), ("=v", None), ("email", "phone"), (True, False), "EUR", DAY
)


class Linear:
    def __init__(self, *slopes):
        self.slopes = slopes

    def effects(self, features):
        age = np.nan_to_num(features[:, 0], nan=40.0)
        return np.column_stack([age * slope for slope in self.slopes])


def forecast(opened=(True, False)):
    average = np.array([[3.0, 1.0], [2.0, 1.5]])
    model = Linear(0.1, 9.0), Linear(0.01, 9.0)
    return Forecast(*model, np.array(opened), average, least_costs([0.0, 0.2, 1.0]))


def people(n, seed=3):
    rng = np.random.default_rng(seed)
    ids = np.arange(n)
    return {
        "id": ids,
        "age": rng.integers(18, 80, n).astype(float),
        "city": rng.choice(["a", "b", "c"], n),
        "reason": np.where(rng.random(n) < 0.2, "opted_out", None),
        "place": [digest("salt", int(each)) for each in ids],
    }


def batch(table, rows, features=("age", "city")):
    part = {name: np.asarray(values)[rows] for name, values in table.items()}
    return CandidateBatch(
        ids=pa.array(part["id"]),
        features=pa.table({name: pa.array(part[name]) for name in features}),
        reason=pa.array(part["reason"].tolist(), pa.string()),
        place=pa.array(part["place"].tolist(), pa.string()),
        today=None,
    )


def scored(batches, holdout=Fraction(1, 10)):
    return score(batches, Scorer(ENCODING, forecast(), holdout), lambda _: None)


def listed(found, budget=500.0):
    chosen = use(found.prospects, Budget(budget, 1.0, (0.0, 0.0)))
    selection = select(found, chosen.spending, chosen.arms)
    return pa.concat_tables(table_batches(selection, WORDS)).to_pylist()


def test_who_may_not_be_contacted_is_counted_and_not_scored():
    table = people(1_000)
    found = scored([batch(table, slice(0, 400)), batch(table, slice(400, None))])
    barred = sum(reason is not None for reason in table["reason"])
    seen = found.seen
    assert (seen.customers, len(found), seen.excluded) == (
        1_000,
        1_000 - barred,
        {"opted_out": barred},
    )
    free = {i for i, reason in enumerate(table["reason"]) if reason is None}
    assert {each for part in found.ids for each in part.to_pylist()} == free
    assert seen.unseen == {"city": sum(table["city"][i] == "c" for i in free)}


def test_a_list_does_not_depend_on_order_or_batches():
    table = people(2_000)
    usual = listed(scored([batch(table, slice(None))]))
    order = np.random.default_rng(1).permutation(2_000)
    other = [batch(table, order[a : a + 300]) for a in range(0, 2_000, 300)]
    assert listed(scored([*other, batch(table, slice(0, 0))])) == usual


def test_those_held_out_are_drawn_by_hash():
    table = people(20_000)
    rows = listed(scored([batch(table, slice(None))]), budget=1e9)
    held = {row["customer"] for row in rows if row["reason"] == HELD_OUT}
    [end] = cuts([Fraction(1, 10)])
    assert held == {row["customer"] for row in rows if digest("salt", row["customer"]) < end}
    assert abs(len(held) / len(rows) - 0.1) < 4 * np.sqrt(0.09 / len(rows))
    nobody = listed(scored([batch(table, slice(None))], Fraction(0)), budget=1e9)
    assert not any(row["reason"] == HELD_OUT for row in nobody)


def test_rows_say_what_is_expected_and_why():
    table = people(3_000)
    rows = listed(scored([batch(table, slice(None))]), budget=300.0)
    assert sum(row["expected_cost"] for row in rows) <= 300.0
    for row in rows:
        held = row["reason"] == HELD_OUT
        assert row["arm"] == ("none" if held else row["intended"])
        if held:
            assert (row["offer"], row["channel"], row["expected_cost"]) == (None, None, 0.0)
            assert row["expected_incremental_profit"] == 0.0
    first = next(row for row in rows if row["reason"] != HELD_OUT)
    age = table["age"][first["customer"]]
    assert (first["intended"], first["offer"], first["channel"]) == ("mail", "=v", "email")
    assert first["expected_cost"] == pytest.approx(0.01 * age)
    assert first["expected_incremental_profit"] == pytest.approx(0.09 * age)
    assert first["reason"].startswith("expected profit per EUR 9.00; among the first ")


def test_an_arm_whose_gate_is_shut_is_the_same_for_all():
    value, cost = forecast().expect(np.array([[20.0, 0.0], [70.0, 1.0]]))
    assert value[:, 1].tolist() == [2.0, 2.0]
    assert cost[:, 1].tolist() == [1.5, 1.5]
    assert value[:, 0].tolist() == pytest.approx([2.0, 7.0])
    shut = forecast((False, False)).expect(np.array([[20.0, 0.0]]))
    assert [each.tolist() for each in shut] == [[[3.0, 2.0]], [[1.0, 1.5]]]


def test_no_cost_is_expected_below_that_of_a_contact():
    _, cost = forecast().expect(np.array([[18.0, 0.0], [30.0, 0.0]]))
    assert cost[:, 0].tolist() == pytest.approx([0.2, 0.3])


def test_profit_is_believed_as_far_as_it_came_true_and_cost_as_foretold():
    features = np.array([[20.0, 0.0], [70.0, 1.0]])
    value, cost = forecast().expect(features)
    less, same = replace(forecast(), realised=0.25).expect(features)
    assert same.tolist() == cost.tolist()
    np.testing.assert_allclose(less - cost, 0.25 * (value - cost), rtol=1e-6)


def test_a_table_that_does_not_fit_is_refused():
    table = people(10)
    with pytest.raises(DataError, match="UL605"):
        scored([batch(table, slice(None), ("age",))])
    table["age"] = ["twenty"] * 10
    with pytest.raises(DataError, match="UL606"):
        scored([batch(table, slice(None))])


def test_averages_are_weighted_by_the_chance_of_the_arm():
    rng = np.random.default_rng(4)
    n = 40_000
    high = rng.random(n) < 0.5
    chance = np.where(high, 0.8, 0.2)
    arm = (rng.random(n) < chance).astype(np.int64)
    outcome = 10.0 * high + 2.0 * arm
    sample = TrainingSample(
        features=np.zeros((n, 1)),
        arm=arm,
        outcomes=np.column_stack([outcome, 0.5 * arm]),
        propensity=np.column_stack([1 - chance, chance]),
        cluster=np.arange(n),
        fold=np.zeros(n, np.int64),
    )
    assert average_effects(sample)[0] == pytest.approx([2.0, 0.5], abs=0.2)
    assert abs(outcome[arm == 1].mean() - outcome[arm == 0].mean() - 2) > 5  # what it corrects


def test_a_probe_tells_models_apart_and_not_orders():
    features = np.random.default_rng(2).normal(size=(1_000, 2))
    features[::7, 0] = np.nan
    usual = forecast().probe(features)
    assert forecast().probe(features[::-1]) == usual
    other = Forecast(
        Linear(0.1000001, 9.0),
        Linear(0.01, 9.0),
        *(getattr(forecast(), name) for name in ("open", "average", "least")),
    )
    assert other.probe(features) != usual
    nearly = Forecast(
        Linear(0.1 + 1e-17, 9.0),
        Linear(0.01, 9.0),
        *(getattr(forecast(), name) for name in ("open", "average", "least")),
    )
    assert nearly.probe(features) == usual


def test_places_are_those_of_the_house():
    ids = [digest("salt", each) for each in range(100)]
    assert places(pa.array(ids)).tolist() == [int(each, 16) for each in ids]
    assert places(pa.array([], pa.string())).tolist() == []
