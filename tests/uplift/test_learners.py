"""Learners: any arm, any outcome, any order of rows; what they find is there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from responders import COST, trial

from upliftlab.errors import DataError
from upliftlab.uplift.bases import Recipe
from upliftlab.uplift.crossfit import crossfit
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.learners import Name, learner
from upliftlab.validation.responding import experiment
from upliftlab.validation.responding import world as known

NAMES = get_args(Name)
BASES = ("linear", "boosting")
EVERY = [(name, base) for name in NAMES for base in BASES]
ORDERED, SPENT, CONTACT = range(3)


@pytest.fixture(scope="module")
def world():
    return trial(5_000)


def fitted(world, name, base, outcome=ORDERED, **changes):
    """Predicted effects on the customers that were learnt from."""
    sample = replace(world.sample, **changes)
    model = learner(name, base, world.encoding, 0).fit(sample, outcome)
    return model.effects(world.sample.features)


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_effects_are_found_per_arm(world, name, base):
    found = crossfit(world.sample, learner(name, base, world.encoding, 0), [ORDERED])[:, :, 0]
    for arm in range(2):
        assert np.corrcoef(found[:, arm], world.effect[:, arm])[0, 1] > 0.35
        assert found[:, arm].mean() == pytest.approx(world.effect[:, arm].mean(), abs=0.04)


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_money_and_a_fixed_cost(world, name, base):
    found = fitted(world, name, base, SPENT)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 60, "an effect of no more than a few orders"
    cost = fitted(world, name, base, CONTACT)
    assert cost == pytest.approx(COST, abs=1e-12)


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_the_order_of_rows_does_not_matter(name, base):
    world = trial(800, arms=2)
    mixed = np.random.default_rng(0).permutation(800)
    ways = learner(name, base, world.encoding, 0)
    for outcome in (ORDERED, SPENT):
        one = ways.fit(world.sample, outcome).effects(world.sample.features)
        other = ways.fit(world.sample.take(mixed), outcome).effects(world.sample.features)
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_shift_of_a_number_changes_nothing(name):
    world = trial(1_500, arms=2)
    moved = world.table.set_column(1, "orders", [np.asarray(world.table["orders"]) + 1_000])
    encoding = Encoding.fit(moved)
    features = encoding.encode(moved).values
    for base in BASES if name != "doubly_robust" else ["linear"]:
        model = learner(name, base, encoding, 0).fit(replace(world.sample, features=features), 0)
        assert model.effects(features) == pytest.approx(fitted(world, name, base), abs=1e-7)


@pytest.mark.parametrize("kind", [np.uint8, bool, np.float32, np.int8])
@pytest.mark.parametrize("name", NAMES)
def test_small_types_are_taken_as_numbers(world, kind, name):
    outcomes = world.sample.outcomes[:, [ORDERED]]
    expected = fitted(world, name, "linear", outcomes=outcomes)
    arm = world.sample.arm.astype(np.uint8 if kind is bool else kind)
    found = fitted(world, name, "linear", outcomes=outcomes.astype(kind), arm=arm)
    np.testing.assert_array_equal(found, expected)
    assert (found < 0).any() or name == "doubly_robust", "unsigned numbers would have none"


@pytest.mark.parametrize("name", NAMES)
def test_two_values_are_learnt_as_a_probability(world, name):
    """An outcome of 5 or 25 is that of 0 or 1, stretched."""
    stretched = fitted(world, name, "linear", outcomes=5 + 20 * world.sample.outcomes)
    assert stretched == pytest.approx(20 * fitted(world, name, "linear"), abs=1e-6)


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_an_arm_that_did_all_the_same(world, name, base):
    """Nobody of the control ordered; scikit-learn knows no classifier of one class."""
    outcome = np.where(world.sample.arm == 0, 0, world.sample.outcomes[:, ORDERED])[:, None]
    found = fitted(world, name, base, outcomes=outcome)
    expected = outcome[world.sample.arm == 1].mean()
    assert found[:, 0].mean() == pytest.approx(expected, abs=0.03)
    nothing = fitted(world, name, base, outcomes=np.zeros_like(outcome))
    assert (nothing == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_unequal_shares_that_vary(name):
    """Members respond and are treated more often; no model is told who is one (unweighted: .13)."""
    world = trial(12_000, arms=2, seed=6, strata=True)
    table = world.table.drop_columns(["member"])
    encoding = Encoding.fit(table)
    features = encoding.encode(table).values
    sample = replace(world.sample, features=features)
    for outcome, scale in ((ORDERED, 1), (SPENT, 33)):
        found = learner(name, "linear", encoding, 0).fit(sample, outcome).effects(features)
        assert found.mean() == pytest.approx(scale * world.effect.mean(), abs=scale * 0.03)


@pytest.mark.parametrize(("name", "base"), EVERY)
def test_customers_of_whom_nothing_is_known(world, name, base):
    model = learner(name, base, world.encoding, 0).fit(world.sample, ORDERED)
    table = pa.table({"age": ["", "90"], "orders": [None, "2"], "city": ["Paris", "Rome"]})
    encoded = world.encoding.encode(table.append_column("member", pa.nulls(2)))
    assert encoded.unseen == {"city": 1}
    effects = model.effects(encoded.values)
    assert effects.shape == (2, 2)
    assert np.isfinite(effects).all()
    assert model.effects(encoded.values[:0]).shape == (0, 2)
    with pytest.raises(ValueError, match="columns for 4 features"):
        model.effects(encoded.values[:, :3])


def test_too_few_are_refused(world):
    sample = world.sample.take(np.flatnonzero((world.sample.arm != 2) | (np.arange(5_000) < 90)))
    count = (sample.arm == 2).sum()
    assert 0 < count < 50
    with pytest.raises(DataError, match=f"UL607 arm 2 has {count} customers to learn from"):
        learner("two_models", "linear", world.encoding, 0).fit(sample, ORDERED)
    with pytest.raises(DataError, match="UL607 the control has 0 customers"):
        learner("solo_model", "linear", world.encoding, 0).fit(sample.take(sample.arm == 1), 0)


def test_a_missing_outcome_is_refused(world):
    outcomes = world.sample.outcomes.copy()
    outcomes[:3, ORDERED] = np.nan
    with pytest.raises(ValueError, match="3 of 5000 customers have no outcome"):
        fitted(world, "two_models", "linear", outcomes=outcomes)


def test_nobody_is_predicted_by_what_they_did(world):
    """Outcomes of a fold do not move its own predictions."""
    ways = learner("two_models", "linear", world.encoding, 0)
    inside = world.sample.fold == 2
    outcomes = world.sample.outcomes.copy()
    outcomes[inside, ORDERED] = 1 - outcomes[inside, ORDERED]
    one = crossfit(world.sample, ways, [ORDERED])
    other = crossfit(replace(world.sample, outcomes=outcomes), ways, [ORDERED])
    np.testing.assert_array_equal(one[inside], other[inside])
    assert (one[~inside] != other[~inside]).any()


def test_each_outcome_by_itself(world):
    ways = learner("doubly_robust", "linear", world.encoding, 0)
    both = crossfit(world.sample, ways, [SPENT, CONTACT])
    assert both.shape == (5_000, 2, 2)
    np.testing.assert_array_equal(both[:, :, 0], crossfit(world.sample, ways, [SPENT])[:, :, 0])
    with pytest.raises(ValueError, match="two folds"):
        crossfit(replace(world.sample, fold=np.zeros(5_000, int)), ways, [SPENT])


def test_nothing_heavy_is_loaded_before_it_is_needed():
    code = (
        "import sys, upliftlab.uplift.crossfit\n"
        "print([name for name in ('sklift', 'sklearn', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("base", BASES)
def test_amounts_that_few_have_are_learnt_in_two_parts_that_keep_the_mean(base):
    """One in five buys, whoever is of the first city twice as often, for amounts of any size."""
    rng = np.random.default_rng(3)
    first = rng.random(20_000) < 0.5
    some = rng.random(20_000) < np.where(first, 0.2, 0.1)
    amount = some * rng.lognormal(3, 1.5, 20_000)
    encoding = Encoding.fit(pa.table({"city": np.where(first, "a", "b")}))
    recipe = Recipe(base, encoding, 0)
    matrix = recipe.matrix(encoding.encode(pa.table({"city": ["a", "b"]})).values)
    learnt = recipe.matrix(encoding.encode(pa.table({"city": np.where(first, "a", "b")})).values)
    found = recipe.amount(learnt, amount)(matrix)
    assert found[0] / found[1] == pytest.approx(2, abs=0.35)
    assert np.mean(found) == pytest.approx(amount.mean(), rel=0.05)
    few = np.where(np.cumsum(some) <= 150, amount, 0.0)
    np.testing.assert_array_equal(
        recipe.amount(learnt, few)(matrix), recipe.fit(learnt, few)(matrix)
    )
    np.testing.assert_array_equal(
        recipe.amount(learnt, amount - 1)(matrix), recipe.fit(learnt, amount - 1)(matrix)
    )


def test_effects_on_heavy_tailed_money_are_found_by_the_x_learner():
    """Where amounts vary widely, it finds more of the truth than two models of responses."""
    truth, others = known(20_000, 3), known(20_000, 4)
    sample, encoding = experiment(truth, 3, spread=1.0)
    features = encoding.encode(others.features).values
    right = others.value[:, 1:] - others.value[:, [0]]
    ways = ("x_learner", "two_models")
    found = [
        learner(name, "boosting", encoding, 1).fit(sample, 0).effects(features) for name in ways
    ]
    x, two = (np.corrcoef(each.ravel(), right.ravel())[0, 1] for each in found)
    assert x > two
    assert x > 0.35
