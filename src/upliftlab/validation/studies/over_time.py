"""Following an effect by the day: each day's own interval, and the band that holds at all of them.

Customers differ in how often they order, many order soon after the start, amounts are skewed, and
what a customer spent before is known: what a time course has to cope with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log
from typing import Final

import numpy as np

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.contrasts import Contrast, InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.look import LookSchedule
from upliftlab.analysis.time_course import DayLooks, effect_at
from upliftlab.config.models.experiment import PROFIT
from upliftlab.money import ArmTerms, Roles
from upliftlab.results.costs import CostStep
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Array, Moments
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication, of_event
from upliftlab.validation.scenario import CONTROL, OUTCOME, TREATED

DAYS: Final = 28
TOLD: Final = (7, 14, 28)
"""Days whose own intervals are asked."""
ORDERS: Final = 0.3
"""Of an average customer in the window."""
AMOUNT: Final = 40.0
MARGIN: Final = 0.4
COST: Final = 0.5
EARLY: Final = 0.06
"""How much less is ordered on each day than on the day before, as a share."""
SPLITS: Final = {"50/50": (4_000, 4_000), "90/10": (18_000, 2_000)}
SPREADS: Final = {"even": 0.2, "lognormal": 1.0}
LIFTS: Final = {"none": 0.0, "+20%": 0.2}


@dataclass(frozen=True, slots=True)
class DailyCourse:
    """Customers who order in their own time after the start.

    Attributes:
        spread: Standard deviation of the logarithm of an order's amount.
        lift: Relative effect on how often they order.
        units: Treated and control.
        confidence: Level of the intervals.
    """

    spread: float
    lift: float
    units: tuple[int, int]
    confidence: float = 0.95

    @property
    def spec(self) -> EstimationSpec:
        """What is compared, as an analysis would have it from a plan."""
        paid = ArmTerms(MARGIN, {CostStep.contact_cost: COST})
        return EstimationSpec(
            metrics=(OUTCOME,),
            columns=(OUTCOME, "before"),
            ratios={},
            control=CONTROL,
            treatments=(TREATED,),
            channels={},
            roles=Roles(revenue=0),
            terms={TREATED: paid, CONTROL: ArmTerms(MARGIN)},
            hurdle=0.0,
            confidence=self.confidence,
            covariates=(1,),
        )

    @property
    def shares(self) -> Array:
        """How much of a customer's orders falls on each day, shape (days,)."""
        falling = (1 - EARLY) ** np.arange(DAYS)
        return np.asarray(falling / falling.sum())

    def truth(self, day: int) -> tuple[float, float]:
        """Difference per customer and profit of all treated, up to the end of a day."""
        rise = ORDERS * AMOUNT * self.lift * float(self.shares[:day].sum())
        return rise, self.units[0] * (MARGIN * rise - COST)

    def arm(self, rng: np.random.Generator, *, treated: bool) -> list[Moments]:
        """Moments of what was spent up to each day and before the start, the start first."""
        n = self.units[0 if treated else 1]
        often = rng.gamma(2.0, ORDERS / 2, n)
        rate = often[:, None] * self.shares * (1 + self.lift if treated else 1.0)
        spent = self._spent(rng, rate).cumsum(axis=1)
        before = self._spent(rng, often)
        sofar = [np.zeros(n), *spent.T]
        return [Moments.of(np.column_stack([each, before])) for each in sofar]

    def _spent(self, rng: np.random.Generator, rate: Array) -> Array:
        """What is spent where orders come at some rates: of each order an amount of its own."""
        orders = rng.poisson(rate)
        each = rng.lognormal(log(AMOUNT) - self.spread**2 / 2, self.spread, int(orders.sum()))
        owner = np.repeat(np.arange(orders.size), orders.ravel())
        spent = np.bincount(owner, each, orders.size).reshape(orders.shape)
        return np.asarray(spent, dtype=np.float64)


def trial(rng: np.random.Generator, world: DailyCourse) -> Replication:
    """Draw an experiment and follow it by the day, as the time course of a report does."""
    days = {TREATED: world.arm(rng, treated=True), CONTROL: world.arm(rng, treated=False)}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    window = timedelta(days=DAYS)
    looks = DayLooks.of(
        LookSchedule((window,), (start + window,), 1, begins=start), 1 - world.confidence
    )
    own: dict[str, dict[int, Effect]] = {OUTCOME: {}, PROFIT: {}}
    bands: dict[str, dict[int, Effect]] = {OUTCOME: {}, PROFIT: {}}
    for day in range(1, DAYS + 1):
        contrast = _contrast(world.spec, {arm: each[day] for arm, each in days.items()})
        for metric, mine in own.items():
            bands[metric][day] = effect_at(contrast, metric, looks.band(day))
            if day in TOLD:
                mine[day] = effect_at(contrast, metric, looks.own)
    return Replication(tuple(_measured(world, own, bands)))


def _contrast(spec: EstimationSpec, groups: Mapping[str, Moments]) -> Contrast:
    (contrast,) = contrasts_of(spec, spec.projected({OVERALL: groups}), InferenceSettings())
    return contrast


def _measured(
    world: DailyCourse,
    own: Mapping[str, Mapping[int, Effect]],
    bands: Mapping[str, Mapping[int, Effect]],
) -> Iterator[Measurement]:
    """Some days' own intervals, and whether the band misses on any day."""
    for at, metric in enumerate(own):
        name = "difference" if metric == OUTCOME else PROFIT
        for day, effect in own[metric].items():
            true = world.truth(day)[at]
            yield Measurement(f"day {day}'s {name}", effect, true, true == 0)
        missed = any(_misses(band, world.truth(day)[at]) for day, band in bands[metric].items())
        yield of_event(f"any day's {name}", it=missed, at_most=1 - world.confidence)


def _misses(band: Effect, true: float) -> bool:
    below = band.high is not None and band.high < true
    return below or (band.low is not None and band.low > true)


def cells() -> Iterator[NamedScenario]:
    """Every split, amount and effect."""
    for split, units in SPLITS.items():
        for outcome, spread in SPREADS.items():
            for effect, lift in LIFTS.items():
                name = {"study": "over_time", "split": split, "outcome": outcome, "effect": effect}
                yield NamedScenario(name, DailyCourse(spread, lift, units), trial)
