"""The subject of findings: a treated group against the control in one place, and how it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates, Slice
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.rows import UnitRows, skewed
from upliftlab.money import ABOVE_HURDLE, PROFIT, REVENUE, MoneyContrast
from upliftlab.results.analysis import Note
from upliftlab.results.costs import CostStep, Per
from upliftlab.stats.cace import cace
from upliftlab.stats.calibration import Measure, calibrated
from upliftlab.stats.effects import Effect, TwoSample, adjusted_difference, difference
from upliftlab.stats.level import InterimLook, Level
from upliftlab.stats.moments import Array, Moments
from upliftlab.stats.quotients import of_present
from upliftlab.stats.ratio import relative_lift
from upliftlab.stats.shares import needs_newcombe, newcombe

CHANNEL = "contact_channel"
"""The dimension of the channels through which arms contact; customers are randomised to them."""
ADJUSTED = "adjusted"
"""The draws of a metric's adjusted difference: (ADJUSTED, metric); (PLAIN, metric) otherwise."""
PLAIN = "plain"
MONEY = "money"


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """How the data are read.

    Attributes:
        seed: What the draws depend on beside the data: the experiment's name.
        rows: Units by kind, where differences are too skewed for Student's t.
        flags: By arm, the columns that hold nothing but 0 and 1.
        shares: Those that do so in every arm, and are known to be shares of units.
        look: Which of several looks this is; None where the data are looked at once.
        stratified: Whether arms as a whole are compared within the strata of a blocked assignment.
        regimes: Whether arms are compared within times of the same shares, everywhere.
    """

    seed: str = ""
    rows: UnitRows | None = None
    flags: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    shares: frozenset[str] = frozenset()
    look: InterimLook | None = None
    stratified: bool = False
    regimes: bool = False


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
        draws: Studentised differences of divided units, by what is compared.
    """

    spec: EstimationSpec
    reading: InferenceSettings
    place: Slice
    arm: str | None
    pair: TwoSample
    sharp: TwoSample
    draws: Mapping[tuple[str, str], Array] = field(default_factory=dict[tuple[str, str], Array])

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

    def among(self, count: int) -> Contrast:
        """The same with intervals at 1 − α/count, so that those of `count` arms hold at once."""
        confidence = 1 - (1 - self.spec.confidence) / count
        return self if count == 1 else replace(self, spec=replace(self.spec, confidence=confidence))

    def level(self, what: str = "", name: str = "") -> Level:
        """The level of an interval: of what is compared, where units were divided for it."""
        return Level(self.spec.confidence, self.reading.look, self.draws.get((what, name)))

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
        return TwoSample(of_present(pair.treated, *columns), of_present(pair.control, *columns)), 0

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
            draws={name: draws for (what, name), draws in self.draws.items() if what == MONEY},
        )

    def adjusting(self, measure: Measure, form: Mapping[int, float]) -> Measure:
        """What is dealt where the pair is adjusted: less the covariates' part by its own slopes.

        Args:
            measure: A number per unit.
            form: The pair's columns that it is made of, with their weights.
        """
        pooled = self.sharp.pooled
        if pooled is None:
            return measure
        slopes = sum(weight * pooled.slopes[:, column] for column, weight in form.items())
        return replace(measure, covariates=pooled.covariates, slopes=np.asarray(slopes))

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
    together = spec.each(groups) if _one_slope(spec, groups) else ()
    contrast = Contrast(*given, *named, pair, spec.sharpened(pair, together))
    if reading.rows is None or pair.unusable is not None:
        return contrast
    measures = dict(_measures(contrast, arms, skewed(spec, groups, arms)))
    if not measures:
        return contrast
    seed = "\n".join((reading.seed, named[0].dimension or "", named[0].level or "", *arms))
    rng = np.random.default_rng(list(hashlib.sha256(seed.encode()).digest()))
    units = reading.rows.units(spec, named[0], arms)
    found = dict(zip(measures, calibrated(units, list(measures.values()), rng), strict=True))
    return Contrast(*given, *named, pair, contrast.sharp, found)


def _one_slope(spec: EstimationSpec, groups: Mapping[str, Moments]) -> bool:
    """Whether all arms have one slope on the covariates: where something is skewed, and in strata.

    It is asked of all arms at once: arms side by side have one control, adjusted in one way.
    """
    if not spec.covariates:
        return False
    within = any(group.strata for group in groups.values())
    compared = (*((arm,) for arm in spec.treatments), *spec.channels.values())
    return within or any(skewed(spec, groups, arms) for arms in compared)


def _measures(
    contrast: Contrast, arms: tuple[str, ...], skew: frozenset[str]
) -> Iterator[tuple[tuple[str, str], Measure]]:
    """What has to be divided anew: whatever rests on a column that is too skewed."""
    spec = contrast.spec
    groups, p = (*arms, spec.control), len(spec.columns)
    for metric in spec.metrics:
        above, below = spec.ratios.get(metric) or (spec.columns.index(metric), spec.size)
        if not {spec.columns[c] for c in (above, below) if c is not None} & skew:
            continue
        weights = np.zeros((len(groups), p))
        weights[:, above] = 1.0
        yield (PLAIN, metric), Measure(weights, below=below)
        if contrast.adjusts:
            form = {spec.place(metric, contrast.sharp): 1.0}
            yield (ADJUSTED, metric), contrast.adjusting(Measure(weights, below=below), form)
    if spec.roles is None or not {spec.columns[c] for c in spec.roles.amounts} & skew:
        return
    revenue, margin, costs = (
        spec.per_unit(step, groups) for step in (CostStep.revenue, CostStep.margin, CostStep.cost)
    )
    place = {step: p + step.column for step in CostStep}
    gained = Measure(revenue, None, spec.size)
    yield (MONEY, REVENUE), contrast.adjusting(gained, {place[CostStep.revenue]: 1.0})
    for name, hurdle in ((PROFIT, 0.0), (ABOVE_HURDLE, spec.hurdle)):
        kept = Measure(margin, -(1 + hurdle) * costs, spec.size)
        form = {place[CostStep.margin]: 1.0, place[CostStep.cost]: -(1 + hurdle)}
        yield (MONEY, name), contrast.adjusting(kept, form)
