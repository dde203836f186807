"""The subject of findings: a treated group against the control in one place, and how it is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.measures import (
    ADJUSTED,
    MONEY,
    PLAIN,
    measures_of,
    sharpened,
    skew_of,
    slightly_skewed,
    varying,
)
from upliftlab.analysis.rows import UnitRows
from upliftlab.money import PROFIT, REVENUE, MoneyContrast
from upliftlab.results.analysis import Note
from upliftlab.results.costs import CostStep, Per
from upliftlab.stats.cace import cace
from upliftlab.stats.calibration import Measure, Measured, slightly
from upliftlab.stats.cubic import slight
from upliftlab.stats.effects import Effect, TwoSample, adjusted_difference, difference
from upliftlab.stats.level import InterimLook, Level
from upliftlab.stats.moments import Array, Moments
from upliftlab.stats.permutation import Precision
from upliftlab.stats.quotients import of_present
from upliftlab.stats.ratio import relative_lift
from upliftlab.stats.shares import needs_newcombe, newcombe
from upliftlab.stats.strata import Thin

CHANNEL = "contact_channel"
"""The dimension of the channels through which arms contact; customers are randomised to them."""
T = TypeVar("T")
Compared = tuple[str, str]
"""What is compared: one of `measures` and its metric, or what of money."""


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """How the data are read.

    Attributes:
        rows: The units, where differences are so skewed that moments do not decide.
        flags: By arm, the columns that hold nothing but 0 and 1.
        shares: Those that do so in every arm, and are known to be shares of units.
        look: Which of several looks this is; None where the data are looked at once.
        stratified: Whether arms as a whole are compared within the strata of a blocked assignment.
        regimes: Whether arms are compared within times of the same shares, or within strata of an
            assignment made elsewhere, everywhere.
        given: Whether it is the latter: skewness of all units together says nothing of it then.
    """

    rows: UnitRows | None = None
    flags: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    shares: frozenset[str] = frozenset()
    look: InterimLook | None = None
    stratified: bool = False
    regimes: bool = False
    given: bool = False


@dataclass(frozen=True, slots=True)
class Contrast:
    """A treated group against the control in one place.

    Attributes:
        spec: What is compared.
        reading: How the data are read.
        place: Where.
        arm: The treated arm; None where the arms of one contact channel are pooled.
        pair: Their moments.
        sharp: The same adjusted for the covariates, where there are some.
        draws: Studentised differences of divided units, by what is compared; none where too few.
        skewness: Of the studentised difference where it is slight, by what is compared.
    """

    spec: EstimationSpec
    reading: InferenceSettings
    place: Slice
    arm: str | None
    pair: TwoSample
    sharp: TwoSample
    draws: Mapping[Compared, Array] = field(default_factory=dict[Compared, Array])
    skewness: Mapping[Compared, float] = field(default_factory=dict[Compared, float])

    @property
    def wide(self) -> bool:
        """Whether every kind of number is asked: overall and per contact channel."""
        return self.place.dimension in (None, CHANNEL)

    @property
    def adjusts(self) -> bool:
        """Whether the pair could be adjusted for covariates."""
        return self.sharp.pooled is not None

    def adjusted(self, metric: str) -> bool:
        """Whether a metric's effect is adjusted: a share of few events is not.

        Newcombe's interval, which such a share needs, is of the shares as they are counted.
        """
        return self.adjusts and self.few(metric) is None

    def compared(self, metric: str) -> TwoSample:
        """The pair that a metric's headline is read off: adjusted where it is."""
        return self.sharp if self.adjusted(metric) else self.pair

    def headline(self, metric: str) -> Effect:
        """The difference to go by: adjusted where it can be."""
        sharp = self.adjusted_difference(metric)
        return self.difference(metric) if sharp.estimate is None else sharp

    @property
    def stratified(self) -> bool:
        """Whether the groups are compared within strata."""
        return self.reading.regimes or (self.reading.stratified and self.wide)

    @property
    def thin(self) -> Thin | None:
        """What becomes of strata in which an arm has too few units; None without strata."""
        if not self.stratified:
            return None
        return Thin.left_out if self.reading.regimes else Thin.joined

    def among(self, count: int) -> Contrast:
        """The same with intervals at 1 − α/count, so that those of `count` arms hold at once."""
        confidence = 1 - (1 - self.spec.confidence) / count
        return self if count == 1 else replace(self, spec=replace(self.spec, confidence=confidence))

    def level(self, what: str = "", name: str = "") -> Level:
        """The level of an interval: of what is compared, where units were divided for it."""
        confidence, look, compared = self.spec.confidence, self.reading.look, (what, name)
        skewness = self.skewness.get(compared, 0.0)
        return Level(confidence, look, self.draws.get(compared), skewness)

    def dealt(self, compared: Compared) -> bool:
        """Whether critical values come from dealing units: too few of them are not dealt."""
        return bool(len(self.draws.get(compared, ())))

    @property
    def calibrated(self) -> bool:
        """Whether units were dealt for anything."""
        return any(map(self.dealt, self.draws))

    def difference(self, metric: str) -> Effect:
        """Treated mean less control mean."""
        if counted := self.few(metric):
            return newcombe(*counted, self.level())
        return difference(*self._plain(metric), self.level(PLAIN, metric))

    def among_present(self, metric: str) -> bool:
        """Whether a metric's customers with a value are compared as if there were no others.

        They are where customers are units and Student's t is used; elsewhere a mean of theirs is
        the ratio of two totals.
        """
        spec, drawn = self.spec, (PLAIN, metric) in self.draws
        return metric in spec.partial and spec.size is None and not (drawn or self.stratified)

    def units(self, metric: str) -> tuple[int, int]:
        """How many units both groups have, of a metric that leaves some out those who have one."""
        groups = (self.pair.treated, self.pair.control)
        if metric not in self.spec.partial or self.spec.size is not None:
            return groups[0].n, groups[1].n
        _, there = self.spec.ratios[metric]
        treated, control = (round(group.n * float(group.mean[there])) for group in groups)
        return treated, control

    def _too_few(self, metric: str) -> bool:
        """Whether a group has fewer than two units with a value of a metric."""
        return metric in self.spec.partial and min(self.units(metric)) < 2  # noqa: PLR2004 - a variance needs two

    def _plain(self, metric: str) -> tuple[TwoSample, int]:
        """The pair in which a metric is compared as it is, and its column there."""
        if not self.among_present(metric) and not self._too_few(metric):
            return self.pair, self.spec.place(metric, self.pair)
        columns, pair = self.spec.ratios[metric], self.pair
        moved = None
        if pair.moved is not None:
            own = [self.spec.place(metric, pair)]
            moved = pair.moved[0][:, own], pair.moved[1][:, own]
        groups = of_present(pair.treated, *columns), of_present(pair.control, *columns)
        return TwoSample(*groups, moved=moved), 0

    def adjusted_difference(self, metric: str) -> Effect:
        """The difference of the adjusted pair; absent where the pair could not be adjusted."""
        if self._too_few(metric):
            return difference(*self._plain(metric), self.level())
        if self.adjusts and not self.adjusted(metric):
            return Effect(None, note=Note.few_events)
        column = self.spec.place(metric, self.sharp)
        return adjusted_difference(self.sharp, column, self.level(ADJUSTED, metric))

    def relative_lift(self, metric: str) -> Effect:
        """The difference over the size of the control's mean: from −10 to −5 is +50 %."""
        return relative_lift(*self._plain(metric), self.level(PLAIN, metric))

    def adjusted_relative_lift(self, metric: str) -> Effect:
        """The same of the adjusted pair; absent where the adjusted difference is."""
        sharp = self.adjusted_difference(metric)
        if sharp.estimate is None or not self.adjusted(metric):
            return Effect(None, note=sharp.note)
        column = self.spec.place(metric, self.sharp)
        return relative_lift(self.sharp, column, self.level(ADJUSTED, metric))

    def question(self) -> MoneyContrast:
        """What money asks of the adjusted pair."""
        spec = self.spec
        return MoneyContrast(
            pair=self.sharp,
            confidence=self.level(),
            hurdle=spec.hurdle,
            roles=spec.roles,
            first=len(spec.columns),
            draws=_of_money(self.draws),
            skewness=_of_money(self.skewness),
        )

    @property
    def contacts(self) -> int | None:
        """The column that tells who was contacted, overall, where some of the treated were not.

        None where contacts are not counted, where a unit can have several, and of households.
        """
        spec, flags = self.spec, self.reading.flags
        if self.place != OVERALL or spec.size is not None:
            return None
        column = spec.contacted
        if column is None or self.pair.treated.mean[column] >= 1:
            return None
        arms = (self.arm or "", spec.control)
        once = all(spec.columns[column] in flags.get(arm, ()) for arm in arms)
        some = self.pair.treated.mean[column] or self.pair.control.mean[column]
        return column if once and some else None

    def counted(self, per: Per) -> str | None:
        """The metric that counts what is paid for; None where none does."""
        column = self.spec.roles.counting(per) if self.spec.roles else None
        return None if column is None else self.spec.columns[column]

    def cace(self, metric: str) -> Effect:
        """The effect on those contacted because they were assigned, of the headline's pair."""
        contacts, what = self.contacts, ADJUSTED if self.adjusted(metric) else PLAIN
        assert contacts is not None  # noqa: S101 - the caller asked
        pair = self.compared(metric)
        column = self.spec.place(metric, pair)
        return cace(pair, column, contacts, self.level(what, metric))

    def few(self, metric: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Successes and units of both groups, where a share has too few for Welch's interval."""
        spec, present = self.spec, self.among_present(metric)
        flag = spec.columns[spec.ratios[metric][0]] if present else metric
        if flag not in self.reading.shares or spec.size is not None or self.pair.unusable:
            return None
        if self.reading.regimes:
            return None  # successes of different times are no binomial count
        pair, column = self._plain(metric)
        groups = (pair.treated, pair.control)
        treated, control = (round(group.n * float(group.mean[column])) for group in groups)
        successes, n = (treated, control), (groups[0].n, groups[1].n)
        return (successes, n) if needs_newcombe(successes, n) else None


def _of_money(values: Mapping[Compared, T]) -> dict[str, T]:
    return {name: value for (what, name), value in values.items() if what == MONEY}


def contrasts_of(
    spec: EstimationSpec, aggregates: Aggregates, reading: InferenceSettings
) -> tuple[Contrast, ...]:
    """Every arm overall, every contact channel, and every arm in every level of every segment.

    Args:
        spec: What is compared.
        aggregates: The projected aggregates (`EstimationSpec.projected`).
        reading: How the data are read.
    """
    return tuple(
        _subject((spec, reading), (place, arm), arms, groups)
        for place, arm, arms, groups in _compared(spec, aggregates)
    )


def _compared(
    spec: EstimationSpec, aggregates: Aggregates
) -> Iterator[tuple[Slice, str | None, tuple[str, ...], Mapping[str, Moments]]]:
    for arm in spec.treatments:
        yield OVERALL, arm, (arm,), aggregates[OVERALL]
    for channel, arms in spec.channels.items():
        yield Slice(CHANNEL, channel), None, arms, aggregates[OVERALL]
    for place, groups in aggregates.items():
        if place != OVERALL:
            for arm in spec.treatments:
                yield place, arm, (arm,), groups


def _subject(
    given: tuple[EstimationSpec, InferenceSettings],
    named: tuple[Slice, str | None],
    arms: tuple[str, ...],
    groups: Mapping[str, Moments],
) -> Contrast:
    spec, reading = given
    pair = spec.pair(groups, arms)
    contrast = Contrast(*given, *named, pair, sharpened(spec, groups, pair))
    skew = None if pair.unusable or reading.given else skew_of(spec, groups, arms)
    if skew is None:
        return contrast
    measures = dict(measures_of(spec, arms, skew, contrast.sharp))
    # An arm as a whole is also told with an interval that holds for all arms at once.
    strictest = contrast.among(len(spec.treatments) if named[0] == OVERALL else 1)
    varies, alpha = varying(spec, groups, arms), strictest.level().nominal
    known = slightly_skewed(measures, skew, varies, slight(alpha))
    rest = {key: measure for key, measure in measures.items() if key not in known}
    if not rest or reading.rows is None:
        return replace(contrast, skewness=known)
    units = reading.rows.units(spec, named[0], arms, contrast.thin)
    more, draws = dict[Compared, float](), dict[Compared, Array]()
    for same in _alike(rest, varies):
        measured = Measured.of(units, rest[same[0]])
        gamma = slightly(measured, slight(alpha))
        if gamma is not None:
            more |= dict.fromkeys(same, gamma)
        else:
            found = tuple(t for key in same if (t := _found(contrast, key)) is not None)
            draws |= dict.fromkeys(same, measured.draws(Precision(alpha, found)))
    return replace(contrast, skewness={**known, **more}, draws=draws)


def _alike(
    measures: Mapping[Compared, Measure], varies: np.ndarray
) -> Iterable[Sequence[Compared]]:
    """The measures, those together that are one column but for their unit."""
    found = defaultdict[object, list[Compared]](list)
    for key, measure in measures.items():
        found[measure.column(varies) or key].append(key)
    return found.values()


def _found(contrast: Contrast, compared: Compared) -> float | None:
    """The studentised difference of what is compared."""
    what, name = compared
    if what == MONEY:
        question = contrast.question()
        if name == REVENUE:
            effect = question.incremental(CostStep.revenue)
        else:
            effect = question.above_hurdle(0.0 if name == PROFIT else None)
    else:
        plain = what == PLAIN
        effect = (contrast.difference if plain else contrast.adjusted_difference)(name)
    return effect.estimate / effect.se if effect.estimate is not None and effect.se else None
