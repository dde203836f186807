"""Laws that every estimator obeys, from rows to effect, whatever the rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from upliftlab.money import ArmTerms, MoneyContrast, Roles, projection
from upliftlab.results.analysis import Note
from upliftlab.results.costs import CostStep, Per
from upliftlab.stats.cace import cace
from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import Effect, TwoSample, adjusted_difference, difference
from upliftlab.stats.level import Level
from upliftlab.stats.moments import Moments, pool
from upliftlab.stats.ratio import relative_lift
from upliftlab.stats.sequential import Anytime, Declared
from upliftlab.stats.shares import newcombe

REVENUE, CONTACTED, REDEEMED, BOUGHT, BEFORE = range(5)
COLUMNS = 5
ROLES = Roles(revenue=REVENUE, contacts=CONTACTED, redemptions=REDEEMED, conversions=BOUGHT)
HURDLE = 0.25
CLOSE = 1e-9
Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Trial:
    """Two groups' moments and what is charged for them."""

    treated: Moments
    control: Moments
    spent: ArmTerms
    saved: ArmTerms
    confidence: float | Level

    @property
    def pair(self) -> TwoSample:
        return TwoSample(self.treated, self.control)

    @property
    def sharp(self) -> TwoSample:
        return adjusted(self.pair, [BEFORE])

    @property
    def valued(self) -> TwoSample:
        """With the columns of money behind the others."""
        return TwoSample(
            self.treated.project(projection(COLUMNS, ROLES, self.spent)),
            self.control.project(projection(COLUMNS, ROLES, self.saved)),
        )

    @property
    def money(self) -> MoneyContrast:
        return MoneyContrast(self.valued, self.confidence, HURDLE, ROLES)

    @property
    def sharp_money(self) -> MoneyContrast:
        return replace(self.money, pair=adjusted(self.valued, [BEFORE]))


def counted(trial: Trial) -> Effect:
    groups = (trial.treated, trial.control)
    successes = tuple(round(group.n * group.mean[BOUGHT]) for group in groups)
    return newcombe(successes, tuple(group.n for group in groups), trial.confidence)


ESTIMATORS: dict[str, Callable[[Trial], Effect]] = {
    "difference": lambda t: difference(t.pair, REVENUE, t.confidence),
    "adjusted": lambda t: adjusted_difference(t.sharp, REVENUE, t.confidence),
    "lift": lambda t: relative_lift(t.pair, REVENUE, t.confidence),
    "adjusted lift": lambda t: relative_lift(t.sharp, REVENUE, t.confidence),
    "profit": lambda t: t.money.incremental_profit(),
    "above hurdle": lambda t: t.money.above_hurdle(),
    "ROI": lambda t: t.money.roi(),
    "adjusted ROI": lambda t: t.sharp_money.roi(),
    "iROAS": lambda t: t.money.ratio(CostStep.revenue, CostStep.cost),
    "cost per conversion": lambda t: t.money.ratio(CostStep.cost, Per.conversion),
    "Newcombe": counted,
    "CACE": lambda t: cace(t.pair, REVENUE, CONTACTED, t.confidence),
    "adjusted CACE": lambda t: cace(t.sharp, REVENUE, CONTACTED, t.confidence),
}
TESTED = {name: HURDLE if "ROI" in name else 0.0 for name in ESTIMATORS}
del TESTED["iROAS"], TESTED["cost per conversion"]  # which test nothing
AMOUNTS = ["difference", "adjusted", "profit", "above hurdle", "cost per conversion"]
AMOUNTS += ["CACE", "adjusted CACE"]
"""Estimators whose unit is money; none of them changes where everybody spends more."""


@dataclass(frozen=True)
class Draw:
    """How rows come about: of customers few or many buy, and of the treated few or all are reached.

    Attributes:
        seed: Seed of the rows.
        sizes: Treated and control customers.
        buying: Share that buys.
        reach: Share of the treated that is contacted.
        confidence: Level of every interval.
    """

    seed: int
    sizes: tuple[int, int]
    buying: float
    reach: float
    confidence: float

    def rows(self) -> Iterator[np.ndarray]:
        rng = np.random.default_rng(self.seed)
        for n, treated in zip(self.sizes, (1.0, 0.0), strict=True):
            before = rng.gamma(1.0, 10.0, n)
            bought = rng.random(n) < self.buying * (0.8 + 0.2 * treated)
            contacted = (rng.random(n) < self.reach) * treated
            redeemed = bought * contacted * (rng.random(n) < 0.5)
            spend = bought * (rng.lognormal(2.0, 1.0, n) + 0.5 * before + 4 * contacted)
            yield np.column_stack([spend, contacted, redeemed, bought, before])

    def trial(self, change: Change = lambda table: table, moments=Moments.of, rate=1.0) -> Trial:
        """Moments of changed rows, and the terms in a currency of which `rate` makes one."""
        each = {CostStep.contact_cost: 0.5, CostStep.incentive: 2.0, CostStep.service: 0.1}
        spent = ArmTerms(0.4, {step: amount * rate for step, amount in each.items()})
        groups = [moments(change(table)) for table in self.rows()]
        return Trial(*groups, spent, ArmTerms(0.4), self.confidence)


draws = st.builds(
    Draw,
    seed=st.integers(0, 100_000),
    sizes=st.tuples(st.integers(2, 300), st.integers(2, 300)),
    buying=st.sampled_from([0.03, 0.3, 1.0]),
    reach=st.sampled_from([0.1, 0.7, 1.0]),
    confidence=st.sampled_from([0.8, 0.95, 0.99]),
)


def assert_same(name: str, one: Effect, other: Effect, factor: float = 1.0) -> None:
    """`other` is `one` times a factor; a negative one turns the interval around."""
    assert one.note == other.note, name
    ends = ("low", "high") if factor > 0 else ("high", "low")
    for mine, its, by in (
        ("estimate", "estimate", factor),
        ("se", "se", abs(factor)),
        ("low", ends[0], factor),
        ("high", ends[1], factor),
        ("p", "p", 1.0),
    ):
        value, found = getattr(one, mine), getattr(other, its)
        expected = None if value is None else pytest.approx(value * by, rel=CLOSE, abs=CLOSE)
        assert found == expected, (name, mine)


def excludes(effect: Effect, value: float) -> bool:
    return effect.low > value or effect.high < value


@given(draws)
def test_the_estimate_lies_inside_its_interval(drawn):
    for name, estimator in ESTIMATORS.items():
        effect = estimator(drawn.trial())
        assert (effect.low is None) == (effect.high is None), name
        assert (effect.low is None) == (effect.note is not None), "what is absent has a reason"
        if effect.low is not None:
            assert effect.low <= effect.estimate <= effect.high, name


@given(draws)
def test_the_interval_excludes_what_is_tested_exactly_where_p_is_small(drawn):
    alpha = 1 - drawn.confidence
    for name, null in TESTED.items():
        effect = ESTIMATORS[name](drawn.trial())
        if effect.low is not None and abs(effect.p - alpha) > CLOSE:
            assert (effect.p < alpha) == excludes(effect, null), name


LOOKS = {
    "one look": None,
    "first of three": Declared((0.25,), "obrien_fleming"),
    "second of three": Declared((0.25, 0.5), "obrien_fleming"),
    "any time": Anytime(0.5, 12.0),
}


@st.composite
def levels(draw) -> Level:
    """Any level: of one look or another, of Student's t or of draws, tied at their ends or not."""
    size = draw(st.sampled_from([0, 0, 150, 2_000]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    drawn = np.sort(np.round(rng.standard_gamma(2.0, size) - 2.0, draw(st.sampled_from([0, 1, 9]))))
    confidence, look = draw(st.sampled_from([0.8, 0.95])), LOOKS[draw(st.sampled_from([*LOOKS]))]
    return Level(confidence, look, drawn if size else None)


@given(draws, levels(), st.floats(-8, 8))
def test_every_method_tests_any_value_as_its_interval_does(drawn, level, shift):
    """At whatever threshold, level and look: p < alpha exactly where the interval leaves it out."""
    trial, alpha = replace(drawn.trial(), confidence=level), 1 - level.confidence
    for name, estimator in ESTIMATORS.items():
        effect = estimator(trial)
        if effect.low is None and effect.high is None:
            continue
        value = effect.estimate + shift * (effect.se or 0.01)
        p = effect.p_of(value)
        assert effect.p is None or effect.p == effect.p_of(TESTED[name]), name
        ends = [end for end in (effect.low, effect.high) if end is not None]
        if min(abs(value - end) for end in ends) > CLOSE * max(1.0, abs(value)):
            below = effect.low is not None and value < effect.low
            above = effect.high is not None and value > effect.high
            assert (p < alpha) == (below or above), name


@given(draws, levels())
def test_one_end_alone_has_its_reason(drawn, level):
    trial = replace(drawn.trial(), confidence=level)
    for name, estimator in ESTIMATORS.items():
        effect = estimator(trial)
        known = effect.low is not None, effect.high is not None
        assert (effect.note is Note.at_least) == (known == (True, False)), name
        assert (effect.note is Note.at_most) == (known == (False, True)), name


@given(draws, levels(), st.floats(0.5, 1e4), st.floats(-8, 8))
def test_what_is_scaled_moved_or_turned_is_tested_alike(drawn, level, factor, shift):
    effect = ESTIMATORS["difference"](replace(drawn.trial(), confidence=level))
    if effect.test is not None:
        value = effect.estimate + shift
        step = 1e-9 * (1 + abs(value) + abs(effect.estimate))
        near = [effect.p_of(value - step), effect.p_of(value + step)]
        assume(near[0] == pytest.approx(near[1], rel=1e-6))  # no draw lies where rounding decides
        p = pytest.approx(effect.p_of(value), rel=1e-6)
        assert effect.scaled(factor).p_of(value * factor) == p
        assert effect.shifted(3.0).p_of(value + 3.0) == p
        assert effect.negated().p_of(-value) == p
        turned = effect.negated()
        assert (turned.low is None, turned.high is None) == (
            effect.high is None,
            effect.low is None,
        )
        assert turned.negated().note is effect.note


@given(draws, st.integers(0, 1_000))
def test_rows_may_come_in_any_order_and_in_parts(drawn, seed):
    rng = np.random.default_rng(seed)

    def in_parts(table):
        cuts = np.sort(rng.integers(0, len(table) + 1, 4))
        return pool(Moments.of(part) for part in np.split(rng.permutation(table), cuts))

    whole, parts = drawn.trial(), drawn.trial(moments=in_parts)
    for name, estimator in ESTIMATORS.items():
        assert_same(name, estimator(whole), estimator(parts))


@given(draws, st.sampled_from([0.01, 7.5, 100.0]))
def test_another_currency_rescales_money_and_nothing_else(drawn, rate):
    def change(table):
        return table * np.where(np.arange(COLUMNS) == REVENUE, rate, 1.0)

    one, other = drawn.trial(), drawn.trial(change, rate=rate)
    for name, estimator in ESTIMATORS.items():
        assert_same(name, estimator(one), estimator(other), rate if name in AMOUNTS else 1.0)


@given(draws, st.integers(-10_000, 10_000).map(lambda cents: cents / 100))
def test_as_much_more_for_everybody_changes_no_difference(drawn, more):
    def change(table):
        return table + np.where(np.arange(COLUMNS) == REVENUE, more, 0.0)

    before, after = drawn.trial(), drawn.trial(change)
    for name in AMOUNTS:
        one, other = ESTIMATORS[name](before), ESTIMATORS[name](after)
        if one.note is not Note.no_variation:
            assert_same(name, one, other)


def swapped(trial: Trial) -> Trial:
    return replace(
        trial,
        treated=trial.control,
        control=trial.treated,
        spent=trial.saved,
        saved=trial.spent,
    )


@given(draws)
def test_swapping_arms_flips_profit_per_customer(drawn):
    trial = drawn.trial()
    one, other = (ESTIMATORS["profit"](t) for t in (trial, swapped(trial)))
    assert_same("profit", one, other, -trial.control.n / trial.treated.n)


@given(draws)
def test_swapping_arms_or_counting_failures_flips_newcombe(drawn):
    def fail(table):
        return np.column_stack([table[:, :BOUGHT], 1 - table[:, BOUGHT], table[:, BEFORE]])

    one = counted(drawn.trial())
    assert_same("Newcombe", one, counted(swapped(drawn.trial())), -1.0)
    assert_same("Newcombe", one, counted(drawn.trial(fail)), -1.0)


@given(draws)
def test_swapping_arms_and_who_is_contacted_flips_cace(drawn):
    """Being left out is then what being assigned brings about."""

    def leave_out(table):
        return np.column_stack([table[:, :1], 1 - table[:, CONTACTED], table[:, REDEEMED:]])

    one = ESTIMATORS["CACE"](drawn.trial())
    other = ESTIMATORS["CACE"](swapped(drawn.trial(leave_out)))
    assert_same("CACE", one, other, -1.0)


@given(draws)
def test_swapping_arms_turns_a_relative_change_over(drawn):
    """From a to b and back again: 1 + change becomes its inverse, its ends too."""
    one, other = (ESTIMATORS["lift"](t) for t in (drawn.trial(), swapped(drawn.trial())))
    if one.estimate and other.estimate:
        assert 1 + other.estimate == pytest.approx(1 / (1 + one.estimate), rel=CLOSE)
        assert other.p == pytest.approx(one.p, rel=CLOSE)
    if one.low is not None and other.low is not None:
        ends = 1 / (1 + one.high), 1 / (1 + one.low)
        assert (1 + other.low, 1 + other.high) == pytest.approx(ends, rel=CLOSE)
