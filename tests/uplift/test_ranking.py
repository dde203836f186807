"""What an order is worth: AUTOC, gains, deciles and the gate, by hand, by law and by others."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from upliftlab.results.analysis import Note
from upliftlab.stats.adjust import holm
from upliftlab.uplift import bootstrap
from upliftlab.uplift.deciles import deciles
from upliftlab.uplift.gains import gain_curve
from upliftlab.uplift.gate import gates, line
from upliftlab.uplift.ranking import Ranking
from upliftlab.uplift.rate import influence, rate

CLOSE = 1e-9
KINDS = ("autoc", "qini")


def drawn(seed, n=300, size=1, folds=None):
    """Effects that rise with a score, in households of `size`, in parts of unlike scales."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(n // size), size)
    score = rng.normal(size=n)
    effects = 0.5 * score + rng.normal(size=n) + np.repeat(rng.normal(size=n // size), size)
    fold = None if folds is None else cluster % folds
    return Ranking(effects, score if fold is None else score * (1 + fold) + fold, cluster, fold)


def shuffled(ranking, order):
    fold = None if ranking.fold is None else ranking.fold[order]
    return Ranking(ranking.effects[order], ranking.score[order], ranking.cluster[order], fold)


def generator():
    return np.random.default_rng(1)


def same(one, other):
    for name in ("estimate", "se", "low", "high", "p"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine == (theirs and pytest.approx(theirs, abs=CLOSE, rel=CLOSE)), name
    assert one.note == other.note


def test_by_hand():
    """Among the first k of 3, 2, 1, 0 the means are 3, 2.5, 2 and 1.5: on average .75 more."""
    effects = np.array([0.0, 2.0, 3.0, 1.0])
    ranking = Ranking(effects, effects, np.arange(4))
    assert rate(ranking, 0.95, "autoc").estimate == pytest.approx(0.75)
    # Weights 3/8, 1/8, −1/8, −3/8 of the first to the last.
    assert rate(ranking, 0.95, "qini").estimate == pytest.approx((9 / 8 + 2 / 8 - 1 / 8) / 4)
    tied = Ranking(effects, [0, 1, 1, 0], np.arange(4))
    # Means of the first two 2.5, 2.5; then (2.5·2 + .5)/3 and 1.5.
    assert rate(tied, 0.95, "autoc").estimate == pytest.approx((5 + 5.5 / 3 + 1.5) / 4 - 1.5)


def test_oracle_on_uniform_effects():
    effects = (np.arange(200_000) + 0.5) / 200_000
    ranking = Ranking(effects, effects, np.arange(len(effects)))
    assert rate(ranking, 0.95, "autoc").estimate == pytest.approx(0.25, abs=1e-4)
    assert rate(ranking, 0.95, "qini").estimate == pytest.approx(1 / 12, abs=1e-5)


def test_autoc_is_the_mean_gain_of_the_first_over_all():
    ranking = drawn(2)
    effects = ranking.effects[np.argsort(-ranking.score)]
    first = np.cumsum(effects) / np.arange(1, len(effects) + 1)
    expected = first.mean() - effects.mean()
    assert rate(ranking, 0.95, "autoc").estimate == pytest.approx(expected, abs=CLOSE)
    # And the Qini coefficient the area between the gain curve and the straight line.
    curve, places = np.cumsum(effects) / len(effects), np.arange(1, len(effects) + 1)
    expected = (curve - effects.mean() * (places / len(effects))).mean()
    found = rate(ranking, 0.95, "qini").estimate
    assert found == pytest.approx(expected + 0.0, abs=0.5 / len(effects))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folds", [None, 3])
def test_standard_error_as_the_jackknife(kind, folds):
    """One customer left out at a time: slower, and without the influence function."""
    ranking = drawn(3, 300, folds=folds)
    n = len(ranking)
    left = [
        rate(shuffled(ranking, np.delete(np.arange(n), row)), 0.95, kind).estimate
        for row in range(n)
    ]
    jackknife = np.sqrt((n - 1) / n * np.sum((left - np.mean(left)) ** 2))
    assert rate(ranking, 0.95, kind).se == pytest.approx(jackknife, rel=0.03)


rows_ = st.lists(
    st.tuples(
        st.floats(-5, 5).map(lambda value: round(value, 2)),
        st.integers(0, 3),
        st.integers(0, 6),
        st.integers(0, 1),
    ),
    min_size=4,
    max_size=30,
)


@settings(max_examples=40)
@given(rows_, st.booleans(), st.randoms())
def test_order_of_rows_does_not_matter(rows, parts, chance):
    effects, score, cluster, fold = (np.array(column) for column in zip(*rows, strict=True))
    ranking = Ranking(effects, score, cluster, fold if parts else None)
    order = list(range(len(rows)))
    chance.shuffle(order)
    other = shuffled(ranking, np.array(order))
    for kind in KINDS:
        same(rate(ranking, 0.95, kind), rate(other, 0.95, kind))
    one, two = line(ranking, 0.95), line(other, 0.95)
    same(one.average, two.average)
    same(one.slope, two.slope)


@pytest.mark.parametrize("folds", [None, 3])
def test_gains_do_not_depend_on_the_order_of_rows(folds):
    ranking = drawn(19, folds=folds)
    ranking = replace(ranking, score=np.round(ranking.score))
    other = shuffled(ranking, np.random.default_rng(2).permutation(300))
    curves = [gain_curve(either, 0.95, generator(), 5) for either in (ranking, other)]
    np.testing.assert_allclose(curves[0].gain, curves[1].gain, atol=CLOSE)
    means = [deciles(either, 0.95, generator()) for either in (ranking, other)]
    for one, two in zip(*means, strict=True):
        same(one.effect, two.effect)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("folds", [None, 4])
def test_laws_of_rates(kind, size, folds):
    ranking = drawn(4, size=size, folds=folds)
    found = rate(ranking, 0.95, kind)
    same(found, rate(replace(ranking, effects=ranking.effects + 3.0), 0.95, kind))
    same(found, rate(replace(ranking, score=np.exp(ranking.score / 3)), 0.95, kind))
    same(found.scaled(7.0), rate(replace(ranking, effects=7.0 * ranking.effects), 0.95, kind))
    turned = rate(replace(ranking, score=-ranking.score), 0.95, kind).estimate
    assert turned < 0 < found.estimate
    assert found.low < found.estimate < found.high
    assert influence(ranking, kind).rows.mean() == pytest.approx(0, abs=CLOSE)
    narrower = rate(ranking, 1 - found.p * 1.001, kind)
    assert narrower.low > 0 > rate(ranking, 1 - found.p * 0.999, kind).low


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_ranked_by_themselves_and_averaged_by_size(kind):
    whole = drawn(5, 400, folds=3)
    values, sizes = [], []
    for fold in range(3):
        inside = whole.fold == fold
        part = Ranking(whole.effects[inside], whole.score[inside], whole.cluster[inside])
        values.append(rate(part, 0.95, kind).estimate)
        sizes.append(len(part))
    expected = np.average(values, weights=sizes)
    assert rate(whole, 0.95, kind).estimate == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_household_of_alike_customers_counts_once(kind):
    one = drawn(6, 200)
    thrice = Ranking(*(np.repeat(column, 3) for column in (one.effects, one.score, one.cluster)))
    found, other = rate(one, 0.95, kind), rate(thrice, 0.95, kind)
    assert other.se == pytest.approx(found.se, rel=0.03)
    apart = rate(replace(thrice, cluster=np.arange(600)), 0.95, kind)
    assert apart.se < 0.65 * found.se


def test_a_constant_score_says_nothing():
    ranking = replace(drawn(7, folds=3), score=np.full(300, 0.1))
    for kind in KINDS:
        found = rate(ranking, 0.95, kind)
        assert (found.estimate, found.se, found.p) == (0.0, 0.0, None)
        assert found.note is Note.constant_score
    (gate,) = gates([ranking], 0.95)
    assert (gate.line.slope.estimate, gate.line.slope.note) == (None, Note.constant_score)
    assert (gate.autoc.estimate, gate.p, gate.p_adjusted, gate.open) == (0.0, None, None, False)
    assert gate.line.average.estimate == pytest.approx(ranking.effects.mean())
    means = [decile.effect.estimate for decile in deciles(ranking, 0.95, generator())]
    assert means == pytest.approx([ranking.effects.mean()] * 10)
    curve = gain_curve(ranking, 0.95, generator())
    np.testing.assert_allclose(curve.gain, curve.reference, atol=CLOSE)


def test_scores_that_differ_between_parts_only_say_nothing():
    ranking = drawn(8, folds=3)
    gate = gates([replace(ranking, score=ranking.fold * 1.1)], 0.95)[0]
    assert (gate.autoc.note, gate.open) == (Note.constant_score, False)


def test_one_unit_has_no_interval():
    ranking = replace(drawn(9), cluster=np.zeros(300, dtype=np.int64))
    for kind in KINDS:
        found = rate(ranking, 0.95, kind)
        assert (found.se, found.note) == (None, Note.few_units)
    assert line(ranking, 0.95).slope.note is Note.few_units
    assert gain_curve(ranking, 0.95, generator()).low is None
    assert deciles(ranking, 0.95, generator())[0].effect.note is Note.few_units
    assert not gates([ranking], 0.95)[0].open


def test_effects_that_do_not_vary():
    ranking = replace(drawn(10), effects=np.full(300, 2.0))
    found = line(ranking, 0.95)
    assert found.average.estimate == pytest.approx(2.0)
    means = [one.effect.estimate for one in deciles(ranking, 0.95, generator())]
    assert means == pytest.approx([2.0] * 10)
    assert not gates([ranking], 0.95)[0].open


def test_rounding_is_not_variation():
    ranking = replace(drawn(10), effects=np.full(300, 0.1))
    for kind in KINDS:
        assert rate(ranking, 0.95, kind).note is Note.same_for_all
    found = line(ranking, 0.95)
    assert (found.average.estimate, found.average.se) == (pytest.approx(0.1), 0.0)
    assert found.slope.note is Note.same_for_all


@pytest.mark.parametrize("kind", [np.uint8, bool, np.float32])
def test_bytes_and_flags(kind):
    ranking = drawn(11)
    narrow = (ranking.score > 0).astype(kind)
    effects = (ranking.effects > 0).astype(kind)
    one = Ranking(effects, narrow, ranking.cluster)
    other = Ranking(effects.astype(float), narrow.astype(float), ranking.cluster)
    same(rate(one, 0.95), rate(other, 0.95))
    same(line(one, 0.95).slope, line(other, 0.95).slope)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (([1.0, 2.0], [np.nan, 1.0], [0, 1]), "1 of 2 scores are not finite"),
        (([np.inf, 2.0], [0.0, 1.0], [0, 1]), "1 of 2 effects are not finite"),
        (([1.0, 2.0], [0.0, 1.0], [0]), "same shape"),
        (([1.0, 2.0], [0.0, 1.0], [0, 1], [0]), "same shape"),
        (([], [], []), "at least one row"),
    ],
)
def test_columns_that_cannot_be(columns, said):
    with pytest.raises(ValueError, match=said):
        Ranking(*(np.array(column) for column in columns))


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("folds", [None, 4])
def test_line_as_liang_and_zeger_by_hand(size, folds):
    ranking = drawn(12, size=size, folds=folds)
    parts = np.zeros(300, dtype=int) if ranking.fold is None else ranking.fold
    means = np.bincount(parts, ranking.score) / np.bincount(parts)
    design = np.stack([np.ones(300), ranking.score - means[parts]], axis=1)
    slopes, *_ = np.linalg.lstsq(design, ranking.effects, rcond=None)
    bread = np.linalg.inv(design.T @ design)
    scores = design * (ranking.effects - design @ slopes)[:, None]
    clusters = [scores[ranking.cluster == one].sum(axis=0) for one in set(ranking.cluster)]
    c = len(clusters)
    meat = np.sum([np.outer(one, one) for one in clusters], axis=0)
    errors = np.sqrt(np.diag(bread @ meat @ bread) * c / (c - 1) * 299 / 298)
    found = line(ranking, 0.95)
    for number, effect in enumerate((found.average, found.slope)):
        assert effect.estimate == pytest.approx(slopes[number], rel=CLOSE)
        assert effect.se == pytest.approx(errors[number], rel=CLOSE)
    assert found.slope.df == c - 1


def test_gates_ask_both_tests_and_adjust_for_arms():
    rankings = [drawn(13), replace(drawn(14), score=-drawn(14).score), drawn(15)]
    found = gates(rankings, 0.95)
    p = [max(gate.line.slope.p, gate.autoc.p) for gate in found]
    p[1] = 1.0
    assert [gate.p for gate in found] == p
    assert [gate.p_adjusted for gate in found] == holm(p)
    assert [gate.open for gate in found] == [True, False, True]
    # The level decides, and no more than the level.
    adjusted = found[0].p_adjusted
    assert gates(rankings, 1 - adjusted * 1.01)[0].open
    assert not gates(rankings, 1 - adjusted * 0.99)[0].open


def test_an_arm_without_an_answer_still_counts():
    constant = replace(drawn(13), score=np.zeros(300))
    alone, beside = gates([drawn(14)], 0.95)[0], gates([drawn(14), constant], 0.95)[0]
    assert beside.p_adjusted == pytest.approx(2 * alone.p_adjusted)


@pytest.mark.parametrize("folds", [None, 4])
def test_gains_by_hand(folds):
    ranking = drawn(16, 400, folds=folds)
    found = gain_curve(ranking, 0.95, generator(), 10)
    total = np.zeros(11)
    for fold in range(folds or 1):
        inside = slice(None) if folds is None else ranking.fold == fold
        effects = ranking.effects[inside][np.argsort(-ranking.score[inside])]
        total += np.append(0.0, np.cumsum(effects))[np.linspace(0, len(effects), 11).astype(int)]
    np.testing.assert_allclose(found.gain, total / 400, atol=CLOSE)
    np.testing.assert_allclose(found.reference, found.share * ranking.effects.mean(), atol=CLOSE)
    assert (found.low <= found.gain).all()
    assert (found.gain <= found.high).all()
    assert found.high[0] == found.low[0] == 0


@pytest.mark.parametrize("size", [1, 3])
def test_band_at_its_end_is_that_of_the_mean(size):
    ranking = drawn(17, 6_000, size)
    found, mean = gain_curve(ranking, 0.95, generator(), 20), line(ranking, 0.95).average
    assert found.high[-1] - found.low[-1] == pytest.approx(mean.high - mean.low, rel=0.12)


def test_deciles_by_hand():
    ranking = drawn(18, 1_000)
    found = deciles(ranking, 0.95, generator())
    effects = ranking.effects[np.argsort(-ranking.score)].reshape(10, 100)
    scores = np.sort(ranking.score)[::-1].reshape(10, 100)
    for group, mean, error, score in zip(
        found,
        effects.mean(axis=1),
        effects.std(axis=1, ddof=1) / 10,
        scores.mean(axis=1),
        strict=True,
    ):
        assert group.n == pytest.approx(100)
        assert group.effect.estimate == pytest.approx(mean)
        assert group.effect.se == pytest.approx(error)
        assert group.predicted == pytest.approx(score)
    # Ten independent intervals at once: Šidák's level, and 99 degrees of freedom each.
    first = found[0].effect
    assert (first.high - first.estimate) / first.se == pytest.approx(
        stdtrit(99, (1 + 0.95**0.1) / 2), abs=0.03
    )


def test_deciles_share_out_a_block_of_ties():
    effects, score = np.arange(8.0), np.array([3, 2, 2, 2, 2, 2, 2, 1])
    first, second = deciles(Ranking(effects, score, np.arange(8)), 0.95, generator(), 2)
    assert first.n == second.n == 4
    assert first.effect.estimate == pytest.approx((0 + 3 * 3.5) / 4)
    assert second.effect.estimate == pytest.approx((7 + 3 * 3.5) / 4)
    assert first.predicted == pytest.approx((3 + 3 * 2) / 4)


def test_fewer_customers_than_groups():
    with pytest.raises(ValueError, match="4 customers cannot be divided into 10 groups"):
        deciles(Ranking(np.arange(4.0), np.arange(4.0), np.arange(4)), 0.95, generator())


def test_groups_hold_whole_clusters_and_equally_many():
    cluster = np.random.default_rng(1).integers(10**12, 10**12 + 3_000, 20_000)
    for numbers in (cluster, cluster * 10**5):
        group = bootstrap.groups_of(numbers, generator(), 50)
        pairs = np.unique(np.stack([numbers, group]), axis=1)
        assert pairs.shape[1] == len(np.unique(numbers))
        counts = np.bincount(pairs[1])
        assert (len(counts), counts.max() - counts.min()) == (50, 1)
    assert len(np.unique(bootstrap.groups_of(np.arange(7), generator(), 50))) == 7


def test_drawn_totals_vary_as_sums_do():
    rng = np.random.default_rng(2)
    values, bins = rng.normal(size=20_000), rng.integers(0, 3, 20_000)
    group = bootstrap.groups_of(np.arange(20_000), rng)
    sums = bootstrap.grouped_sums(values, bins, group, 3)
    np.testing.assert_allclose(sums.sum(axis=0), np.bincount(bins, values), atol=1e-8)
    spread = bootstrap.draws(sums, rng, 2_000).std(axis=0)
    np.testing.assert_allclose(spread, np.sqrt(np.bincount(bins, values**2)), rtol=0.12)
