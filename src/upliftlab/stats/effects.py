"""Effects: one linear form of a treated group's and its control's means, with its interval.

The interval is Welch's (1947): standard errors per group, Satterthwaite's degrees of freedom, or
critical values drawn from the units themselves (`level`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite, isnan

import numpy as np

from upliftlab.results.analysis import Note
from upliftlab.stats.level import Level, level_of
from upliftlab.stats.moments import Array, Moments, bilinear

_ROUNDING = 1e-13
"""A standard error smaller than this, relative to what its value is made of, is 0 by rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class SlopeError:
    """What slopes add to a form's variance because they are estimated.

    A form that weighs a column w_t in the treated and w_c in the control weighs the column's slopes
    by `treated·w_t + control·w_c`.

    Attributes:
        treated: Weight of the treated group.
        control: Weight of the control.
        spread: Sampling covariance where that weight is 1, shape (p, p).
    """

    treated: float
    control: float
    spread: Array

    def covariance(self, one: LinearContrast, other: LinearContrast) -> float:
        """What it adds to the covariance of two forms."""
        mine, theirs = (
            self.treated * form.treated + self.control * form.control for form in (one, other)
        )
        return float(bilinear(mine, self.spread, theirs))


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """What two groups have in common: the covariates' pooled mean, at which both are read.

    Within strata, slopes and pooled means of one stratum stand below those of another.

    Attributes:
        treated: Slopes of the treated group's p columns on q covariates, shape (q, p).
        control: The same of the control.
        spread: Sampling covariance of the pooled mean, shape (q, q).
        errors: What the slopes' own errors add.
        covariates: The columns that are adjusted for.
        weights: The strata's weights; None without strata.
    """

    treated: Array
    control: Array
    spread: Array
    errors: tuple[SlopeError, ...] = ()
    covariates: tuple[int, ...] = ()
    weights: Array | None = None

    @property
    def common(self) -> bool:
        """Whether both groups have the same slopes."""
        return self.treated is self.control

    @property
    def slopes(self) -> Array:
        """The slopes of both groups where they have the same, (q, p); in strata (strata, q, p)."""
        if self.weights is None:
            return self.treated
        return self.treated.reshape(len(self.weights), -1, self.treated.shape[1])

    def at(self, form: LinearContrast) -> Array:
        """The slopes of a form, shape (q,): what it weighs of the pooled mean."""
        used = (form.treated != 0) | (form.control != 0)
        return np.asarray(
            self.treated[:, used] @ form.treated[used] + self.control[:, used] @ form.control[used]
        )

    def covariance(self, one: LinearContrast, other: LinearContrast) -> float:
        """The part of two forms' covariance that the groups have in common."""
        slopes = sum(error.covariance(one, other) for error in self.errors)
        return float(self.at(one) @ self.spread @ self.at(other)) + slopes


@dataclass(frozen=True, slots=True, eq=False)
class TwoSample:
    """A treated group and its control, over the same p columns.

    Attributes:
        treated: Moments of the treated group.
        control: Moments of its control.
        undefined: Columns without a value in one of them: quotients over a total of 0.
        size: Customers of an average treated unit; more than 1 where units are households.
        denominators: Treated and control units with something to divide by, in effect, by the
            column of a quotient; n where it has none.
        scarce: Quotients of which one of them has too few.
        pooled: What the groups have in common, where they are adjusted for covariates.
        moved: How far the means of both groups move under each uncertain value of a table that is
            one standard error higher, shape (values, p) each (`stats.moved`); of groups that are
            adjusted, as they are without.
    """

    treated: Moments
    control: Moments
    undefined: frozenset[int] = frozenset()
    size: float = 1.0
    pooled: Pooled | None = None
    denominators: Mapping[int, tuple[float, float]] = field(
        default_factory=dict[int, tuple[float, float]]
    )
    scarce: frozenset[int] = frozenset()
    moved: tuple[Array, Array] | None = None

    def absent(self, *columns: int) -> Note | None:
        """Why an effect on some columns has no value; None where it has one."""
        if self.unusable is not None:
            return self.unusable
        if self.undefined.intersection(columns):
            return Note.no_denominator
        return Note.few_denominators if self.scarce.intersection(columns) else None

    def counted(self, form: LinearContrast) -> tuple[float, float]:
        """Treated and control units that a form rests on: of quotients those with a denominator."""
        used = np.flatnonzero((form.treated != 0) | (form.control != 0))
        without = (math.inf, math.inf)
        found = [self.denominators.get(int(column), without) for column in used]
        treated, control = zip(*found, strict=True) if found else ((), ())
        return min((*treated, float(self.treated.n))), min((*control, float(self.control.n)))

    @property
    def unusable(self) -> Note | None:
        """Why no variance can be computed, None where it can."""
        if self.treated.n < 2:  # noqa: PLR2004 - a variance needs two
            return Note.few_treated
        if self.control.n < 2:  # noqa: PLR2004
            return Note.few_control
        return None


@dataclass(frozen=True, slots=True, eq=False)
class LinearContrast:
    """A linear form `treated·z̄_t + control·z̄_c`; both weights have shape (p,)."""

    treated: Array
    control: Array

    @classmethod
    def difference(cls, columns: int, weights: dict[int, float]) -> LinearContrast:
        """The form `weights·(z̄_t − z̄_c)`."""
        vector = np.zeros(columns)
        for index, weight in weights.items():
            vector[index] = weight
        return cls(vector, -vector)

    def minus(self, other: LinearContrast, factor: float) -> LinearContrast:
        """The form less `factor` times another."""
        return LinearContrast(
            self.treated - factor * other.treated, self.control - factor * other.control
        )

    def value(self, pair: TwoSample) -> float:
        """Its value at the groups' means."""
        return float(self.treated @ pair.treated.mean + self.control @ pair.control.mean)

    def size(self, pair: TwoSample) -> float:
        """The sum of what its value is made of, all taken as positive."""
        treated = np.abs(self.treated) @ np.abs(pair.treated.mean)
        return float(treated + np.abs(self.control) @ np.abs(pair.control.mean))

    def varies(self, pair: TwoSample, variance: float) -> bool:
        """Whether its variance is more than what rounding leaves of none."""
        return variance > (_ROUNDING * self.size(pair)) ** 2

    def covariance(self, other: LinearContrast, pair: TwoSample) -> tuple[float, float, float]:
        """Sampling covariance with another form: the groups' parts, and what they share."""
        return (
            _of_means(pair.treated, self.treated, other.treated),
            _of_means(pair.control, self.control, other.control),
            self.shared(other, pair) + self.between_blocks(other, pair),
        )

    def shared(self, other: LinearContrast, pair: TwoSample) -> float:
        """The part that both groups have in common: of covariates' means and of tables."""
        pooled = 0.0 if pair.pooled is None else pair.pooled.covariance(self, other)
        if pair.moved is None:
            return pooled
        return pooled + float(self.moved(pair) @ other.moved(pair))

    def moved(self, pair: TwoSample) -> Array:
        """How far its value moves under each uncertain value of a table, shape (values,)."""
        if pair.moved is None:
            return np.zeros(0)
        treated, control = pair.moved
        return np.asarray(treated @ self.treated + control @ self.control)

    def between_blocks(self, other: LinearContrast, pair: TwoSample) -> float:
        """The part of it that differences of blocks tell; 0 without blocks."""
        treated, control = pair.treated.blocks, pair.control.blocks
        if treated is None or control is None:
            return 0.0
        one, two = (
            treated.along(form.treated) + control.along(form.control) for form in (self, other)
        )
        return float((treated.factors * one) @ two)


def _of_means(group: Moments, one: Array, other: Array) -> float:
    """Sampling covariance of two forms of a group's means, of its blocks but for what they tell."""
    if group.blocks is not None:
        return sum(share**2 * _of_means(part, one, other) for share, part in group.strata)
    return float(bilinear(one, group.m2, other)) / (group.n - 1) / group.n


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate with its standard error, interval and two-sided p; None with a note if absent.

    An interval of which one end alone is known reaches without bound to the other side.

    Attributes:
        estimate: What is estimated.
        se: Its standard error.
        df: Degrees of freedom, where the interval is Student's.
        low: The lower end.
        high: The upper end.
        p: Two-sided, for what is tested of its kind.
        note: Why something is absent, or how it is to be read.
        test: The two-sided p-value for any other value of the truth, by the method of the interval.
    """

    estimate: float | None
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    note: Note | None = None
    test: Callable[[float], float] | None = field(default=None, compare=False, repr=False)

    def p_of(self, value: float) -> float | None:
        """Two-sided p for the truth being `value`; None where nothing can be tested.

        It is below 1 − confidence exactly where the interval leaves the value out.
        """
        return None if self.test is None else self.test(value)

    def negated(self) -> Effect:
        """What is lost instead of gained."""

        def minus(value: float | None) -> float | None:
            return None if value is None else 0.0 - value

        return replace(
            self,
            estimate=minus(self.estimate),
            low=minus(self.high),
            high=minus(self.low),
            note=_TURNED.get(self.note, self.note),
            test=self._tested(lambda value: -value),
        )

    def _tested(self, back: Callable[[float], float]) -> Callable[[float], float] | None:
        """The test of a value that `back` takes to one of this effect."""
        test = self.test
        return None if test is None else lambda value: test(back(value))

    def scaled(self, factor: float) -> Effect:
        """The same effect for `factor` (> 0) units instead of one."""

        def times(value: float | None) -> float | None:
            return None if value is None else value * factor

        return replace(
            self,
            estimate=times(self.estimate),
            se=times(self.se),
            low=times(self.low),
            high=times(self.high),
            test=self._tested(lambda value: value / factor),
        )

    def shifted(self, by: float) -> Effect:
        """The same effect counted from elsewhere: a relative change shifted by 1 is a ratio."""

        def plus(value: float | None) -> float | None:
            return None if value is None else value + by

        return replace(
            self,
            estimate=plus(self.estimate),
            low=plus(self.low),
            high=plus(self.high),
            test=self._tested(lambda value: value - by),
        )


_TURNED: Mapping[Note | None, Note] = {Note.at_least: Note.at_most, Note.at_most: Note.at_least}


def degrees_of_freedom(form: LinearContrast, pair: TwoSample) -> float:
    """Satterthwaite's (1946) degrees of freedom of a form's variance, which is a sum of parts.

    (Σv)² / Σ(v²/df) over both groups, and over their strata where they are in strata. A part loses
    one for its mean and what its slopes cost; what both groups share has those of all, what blocks
    tell those of the blocks. Where a form
    rests on fewer units than a group has, as a quotient does, it has so many fewer.
    """
    treated, control, shared = form.covariance(form, pair)
    thinned = (
        (group.n - 1) / max(1.0, k - 1)
        for group, k in zip((pair.treated, pair.control), pair.counted(form), strict=True)
    )
    spread = next(thinned) * _per_freedom(pair.treated, form.treated)
    spread += next(thinned) * _per_freedom(pair.control, form.control)
    if (few := pair.treated.blocks) is not None:
        between = form.between_blocks(form, pair)
        spread += between**2 / few.df
        shared_by_all = shared - between
    else:
        shared_by_all = shared
    spread += shared_by_all**2 / (pair.treated.n + pair.control.n - 1)
    return (treated + control + shared) ** 2 / spread


def _per_freedom(group: Moments, weights: Array) -> float:
    """The squared variance of a group's form per degree of freedom, summed over strata."""
    if (told := group.told_freedom(weights)) is not None:
        return told
    return sum(
        (share**2 * _of_means(part, weights, weights)) ** 2 / (part.n - part.spent)
        for share, part in _parts(group)
    )


def _parts(group: Moments) -> tuple[tuple[float, Moments], ...]:
    """What a group's variance is the sum of, but for its blocks'."""
    return group.strata if group.strata or group.blocks is not None else ((1.0, group),)


def welch(pair: TwoSample, form: LinearContrast, confidence: float | Level) -> Effect:
    """Estimate a linear form.

    Args:
        pair: Treated and control moments.
        form: What is estimated.
        confidence: Level of the interval, such as 0.95.
    """
    if note := pair.unusable:
        return Effect(None, note=note)
    level, estimate = level_of(confidence), form.value(pair)
    parts = form.covariance(form, pair)
    if isnan(sum(parts)):
        return Effect(estimate, note=Note.unknown_spread)
    if not form.varies(pair, sum(parts)):
        return Effect(estimate, 0.0, note=Note.no_variation)
    se = sum(parts) ** 0.5
    if level.untold:
        return Effect(estimate, se, note=Note.few_expected)
    df = degrees_of_freedom(form, pair)
    ends = ends_of(estimate, se, level.bounds(df))

    def test(value: float) -> float:
        return level.p((estimate - value) / se, df)

    return Effect(estimate, se, df, *ends, p=test(0.0), note=unreached(ends, level), test=test)


def difference(pair: TwoSample, column: int, confidence: float | Level) -> Effect:
    """Treated mean less control mean."""
    if note := pair.absent(column):
        return Effect(None, note=note)
    return welch(pair, LinearContrast.difference(len(pair.treated.mean), {column: 1.0}), confidence)


def adjusted_difference(pair: TwoSample, column: int, confidence: float | Level) -> Effect:
    """The difference of an adjusted pair; absent where the pair could not be adjusted."""
    if pair.pooled is None and pair.unusable is None:
        return Effect(None, note=Note.not_adjusted)
    return difference(pair, column, confidence)


def ends_of(
    estimate: float, se: float, bounds: tuple[float, float]
) -> tuple[float | None, float | None]:
    """The ends of an interval, None where it has no bound."""
    low, high = (estimate - bound * se if isfinite(bound) else None for bound in reversed(bounds))
    return low, high


def unreached(ends: tuple[float | None, float | None], level: Level) -> Note | None:
    """Why an interval lacks an end, None where it has both."""
    low, high = ends
    if low is None and high is None:
        return Note.few_purchases if level.reached else Note.level_unreached
    if low is None:
        return Note.at_most
    return Note.at_least if high is None else None
