"""Doubly robust scores: right on average whatever the model, and no noisier than needed."""

from dataclasses import replace

import numpy as np
import pytest
from responders import COST, trial

from upliftlab.errors import DataError
from upliftlab.uplift.scores import dr_scores


def effect_of(scores):
    """Mean and standard error of each treatment's effect score, shape (arms − 1, outcomes)."""
    effect = scores[:, 1:] - scores[:, :1]
    return effect.mean(axis=0), effect.std(axis=0) / np.sqrt(len(effect))


@pytest.mark.parametrize("base", ["linear", "boosting"])
def test_their_mean_is_the_difference_in_means(base):
    world = trial(4_000, folds=3)
    sample = world.sample
    mean, se = effect_of(dr_scores(sample, base, world.encoding, 0))
    means = np.array([sample.outcomes[sample.arm == arm].mean(axis=0) for arm in range(3)])
    assert (np.abs(mean - (means[1:] - means[0]))[:, :2] < se[:, :2]).all()
    assert mean[:, 2] == pytest.approx(COST, abs=1e-12), "a constant cost is known exactly"
    assert se[:, 2] == pytest.approx(0, abs=1e-12)


def test_unbiased_where_probabilities_vary():
    """25 experiments in which members, who respond, are treated more often."""
    errors = []
    for seed in range(25):
        world = trial(1_500, arms=2, seed=seed, strata=True)
        mean, se = effect_of(dr_scores(world.sample, "linear", world.encoding, seed))
        errors.append((mean[0, 0] - world.effect.mean()) / se[0, 0])
    z = np.mean(errors) * np.sqrt(len(errors))
    assert abs(z) < 3.3
    assert 0.75 < np.std(errors) < 1.3, "and their spread says how far off they are"


def test_a_subgroup_is_unbiased_too():
    world = trial(20_000, arms=2, seed=3, strata=True)
    scores = dr_scores(world.sample, "linear", world.encoding, 0)
    member = np.asarray(world.table["member"])
    for group in (member, ~member):
        mean, se = effect_of(scores[group])
        assert abs(mean[0, 0] - world.effect[group].mean()) < 3.5 * se[0, 0]


def test_models_take_noise_away():
    world = trial(8_000, arms=2)
    sample = world.sample
    _, se = effect_of(dr_scores(sample, "linear", world.encoding, 0))
    bare = [sample.outcomes[sample.arm == a].var(axis=0) / (sample.arm == a).sum() for a in (0, 1)]
    assert (se[0, :2] < np.sqrt(sum(bare))[:2]).all()


@pytest.mark.parametrize("base", ["linear", "boosting"])
def test_the_order_of_rows_does_not_matter(base):
    world = trial(600, arms=2, folds=2)
    mixed = np.random.default_rng(0).permutation(600)
    scores = dr_scores(world.sample, base, world.encoding, 0)
    again = dr_scores(world.sample.take(mixed), base, world.encoding, 0)
    np.testing.assert_array_equal(again, scores[mixed])


def test_one_fold_or_no_arm_is_refused():
    world = trial(600)
    with pytest.raises(ValueError, match="two folds"):
        dr_scores(replace(world.sample, fold=np.zeros(600, int)), "linear", world.encoding, 0)
    alone = replace(world.sample, fold=(world.sample.arm != 2).astype(int))
    with pytest.raises(DataError, match="UL607 arm 2 has 0 customers"):
        dr_scores(alone, "linear", world.encoding, 0)
