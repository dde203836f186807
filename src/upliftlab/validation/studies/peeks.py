"""Looking every day: money that accrues, costs first, and intervals that hold at every look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log
from typing import Final

import numpy as np

from upliftlab.analysis.contrasts import Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.look import LookSchedule
from upliftlab.money import ArmTerms, Roles
from upliftlab.results.costs import CostStep
from upliftlab.stats.effects import Effect
from upliftlab.stats.level import InterimLook
from upliftlab.stats.moments import Array
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication, of_event, of_test
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import SimulatedUnits
from upliftlab.validation.scenario import CONTROL, OUTCOME, TREATED

PEEKS: Final = 60
"""Daily looks before the window closes; a day later it does."""
WINDOW: Final = timedelta(days=PEEKS + 1)
ORDERS: Final = 1.0
"""Of a customer in the window."""
AMOUNT: Final = 20.0
MARGIN: Final = 0.4
COST: Final = 0.8
"""Of a contact, on the first day: a rise by a tenth in all pays for it."""
SPREADS: Final = {"even": 0.0, "lognormal": 0.7}
LIFTS: Final = {"none": 0.0, "+10%": 0.1}


@dataclass(frozen=True, slots=True)
class DailyLooks:
    """Customers who order at any time; each day is looked at.

    Attributes:
        spread: Standard deviation of the logarithm of an order's amount.
        lift: Relative effect on how often they order.
        units: Treated and control.
        confidence: Level of the intervals.
    """

    spread: float
    lift: float
    units: tuple[int, int] = (1_000, 1_000)
    confidence: float = 0.95

    @property
    def spec(self) -> EstimationSpec:
        """What is compared, as an analysis would have it from a plan."""
        paid = ArmTerms(MARGIN, {CostStep.contact_cost: COST})
        return EstimationSpec(
            metrics=(OUTCOME,),
            columns=(OUTCOME,),
            ratios={},
            control=CONTROL,
            treatments=(TREATED,),
            channels={},
            roles=Roles(revenue=0),
            terms={TREATED: paid, CONTROL: ArmTerms(MARGIN)},
            hurdle=0.0,
            confidence=self.confidence,
        )

    def truth(self, share: float) -> tuple[float, float]:
        """Difference per customer and profit of all treated, after a share of the window."""
        rise = ORDERS * AMOUNT * self.lift * share
        return rise, self.units[0] * (MARGIN * rise - COST)

    def arm(self, rng: np.random.Generator, *, treated: bool) -> Array:
        """What each customer spent up to the end of each day, shape (units, days)."""
        n, days = self.units[0 if treated else 1], PEEKS + 1
        rate = ORDERS * (1 + self.lift if treated else 1.0) / days
        orders = rng.poisson(rate, (n, days))
        where = np.nonzero(orders)
        spent = np.zeros((n, days))
        centre = log(AMOUNT) - self.spread**2 / 2
        spent[where] = orders[where] * rng.lognormal(centre, self.spread, len(where[0]))
        return spent.cumsum(axis=1)


def trial(rng: np.random.Generator, world: DailyLooks) -> Replication:
    """Draw an experiment and look at it every day, and once when the window has closed.

    A look without an interval misses nothing; where there is no other, that is withheld.
    """
    spent = {TREATED: world.arm(rng, treated=True), CONTROL: world.arm(rng, treated=False)}
    looks: list[tuple[dict[str, Effect], tuple[float, float]]] = []
    dealt = False
    for day in range(1, PEEKS + 1):
        contrast = _contrast(rng, world, spent, day)
        looks.append((_effects(contrast), world.truth(day / (PEEKS + 1))))
        dealt |= contrast.calibrated
    closed = _effects(_contrast(rng, world, spent, PEEKS + 1))
    measured: list[Measurement] = []
    for at, (name, last) in enumerate(closed.items()):
        seen = [(effects[name], truth[at]) for effects, truth in looks]
        measured.append(_any_look(f"any look's {name}", seen, 1 - world.confidence))
        true = world.truth(1.0)[at]
        measured.append(Measurement(name, last, true, true == 0))
    return Replication(tuple(measured), dealt)


def _any_look(name: str, seen: list[tuple[Effect, float]], at_most: float) -> Measurement:
    """Whether any look's interval misses what is true at that look."""
    given = [(e, true) for e, true in seen if e.low is not None or e.high is not None]
    if not given:
        return of_test(name, None, at_most, seen[-1][0].note)
    return of_event(name, it=any(_misses(*each) for each in given), at_most=at_most)


def _contrast(
    rng: np.random.Generator, world: DailyLooks, spent: dict[str, Array], day: int
) -> Contrast:
    """What an analysis compares at the end of a day."""
    arms = {arm: SimulatedUnits.each(days[:, [day - 1]]) for arm, days in spent.items()}
    (contrast,) = analysed(rng, world.spec, arms, _look(day, 1 - world.confidence))
    return contrast


def _look(day: int, alpha: float) -> InterimLook | None:
    """Which look the end of a day is: too early for the one that is due, or that one."""
    start, number = datetime(2026, 1, 1, tzinfo=UTC), int(day > PEEKS)
    schedule = LookSchedule((WINDOW,), (start + WINDOW,), number, day / (PEEKS + 1))
    return schedule.look(alpha)


def _effects(contrast: Contrast) -> dict[str, Effect]:
    return {
        "difference": contrast.difference(OUTCOME),
        "profit": contrast.question().incremental_profit(),
    }


def _misses(effect: Effect, true: float) -> bool:
    below = effect.high is not None and effect.high < true
    return below or (effect.low is not None and effect.low > true)


def cells() -> Iterator[NamedScenario]:
    """Every amount and effect."""
    for outcome, spread in SPREADS.items():
        for effect, lift in LIFTS.items():
            name = {"study": "peeks", "outcome": outcome, "effect": effect, "looks": str(PEEKS)}
            yield NamedScenario(name, DailyLooks(spread, lift), trial)
