"""Customers drawn again: arms divided at random among real untreated units, with an effect added.

Nothing is assumed of how outcomes are distributed: heavy tails, ties, households and what
covariates explain are those of the units. What is assumed is where an effect comes from, as in
planning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.verdict import VerdictInputs, arm_verdicts
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.planning.primary_metric import PrimaryMetric
from upliftlab.results.ship_rule import VerdictCode
from upliftlab.stats.level import InterimLook
from upliftlab.stats.moments import Array
from upliftlab.validation.measurement import Measurement, Replication, of_event
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import SimulatedUnits

SEEN, SHIPS = "seen", "ships"
"""What may happen in a trial: that an arm's effect is found, and that its verdict is SHIP."""
ANY = "in any arm"


def measure(what: str, arm: str) -> str:
    """The name of what happens to an arm in a trial."""
    return f"{what}: {arm}"


@dataclass(frozen=True)
class CustomerEffect:
    """What a campaign does to a unit.

    Attributes:
        lead: The metric that moves.
        change: By how much it moves per customer.
        lift: The same as a share of its mean; every amount of money moves by it.
        spreads: Whether more customers answer alike, as where most do nothing; else all move.
        amounts: The columns of money that move with it.
        contacts: The column of contacts, one for each customer; None where they are not counted.
        redemptions: The column of redemptions; None where they are not counted.
        rates: Redemptions per treated customer, by arm.
    """

    lead: PrimaryMetric
    change: float
    lift: float
    spreads: bool
    amounts: tuple[int, ...] = ()
    contacts: int | None = None
    redemptions: int | None = None
    rates: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def none(self) -> CustomerEffect:
        """The same campaign to which nobody responds."""
        return replace(self, change=0.0, lift=0.0)


@dataclass(frozen=True)
class CustomerTrial:
    """An experiment on real untreated units.

    Attributes:
        plan: What was asked, without what planning leaves out.
        spec: What is compared.
        pool: The untreated units, over the spec's columns.
        sizes: Units of each arm.
        effect: What the campaign does.
        look: The last of the declared looks; None where outcomes are read once.
        decides: Whether the verdict is asked for as well.
    """

    plan: Plan
    spec: EstimationSpec
    pool: SimulatedUnits
    sizes: Mapping[str, int]
    effect: CustomerEffect
    look: InterimLook | None = None
    decides: bool = True

    @property
    def units(self) -> tuple[int, int]:
        """Treated units and those of the control."""
        control = self.sizes[self.spec.control]
        return sum(self.sizes.values()) - control, control

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return self.spec.confidence

    @cached_property
    def active(self) -> np.ndarray:
        """Whether units of each kind have anything of the metric, shape (kinds,)."""
        return np.asarray(self.pool.values[:, self.effect.lead.place.above] != 0)

    @cached_property
    def moved(self) -> tuple[int, ...]:
        """The columns that a unit has from another where it answers like that one."""
        place = self.effect.lead.place
        return tuple(dict.fromkeys((place.above, *self.effect.amounts)))

    @cached_property
    def factors(self) -> Mapping[int, float]:
        """By what amounts of money must grow besides, for their mean to rise by `lift`."""
        effect, pool = self.effect, self.pool
        if not effect.spreads:
            return dict.fromkeys(effect.amounts, 1 + effect.lift)
        weights, found = pool.counts / pool.counts.sum(), dict[int, float]()
        for column in effect.amounts:
            inside = weights * self.active
            total = float(weights @ pool.values[:, column])
            of_active = float(inside @ pool.values[:, column])
            more = of_active
            if effect.lift > 0:  # who answers has what those who answer have, in place of their own
                idle = (total - of_active) / (1 - inside.sum())
                more = of_active - idle * inside.sum()
            after = total + effect.lift * more
            found[column] = (1 + effect.lift) * total / after if after else 1.0
        return found


def play(rng: np.random.Generator, scenario: CustomerTrial) -> Replication:
    """Divide units among the arms, treat them, and analyse them as `run` does.

    Args:
        rng: The source of chance.
        scenario: The units, and what is true.
    """
    spec, name = scenario.spec, scenario.effect.lead.info.name
    control = spec.control
    drawn = {
        arm: treated(rng, scenario, arm, counts) if arm != control else _kept(scenario.pool, counts)
        for arm, counts in divided(rng, scenario.pool.counts, scenario.sizes).items()
    }
    contrasts = analysed(rng, spec, drawn, scenario.look)
    alpha, count = 1 - spec.confidence, len(spec.treatments)
    seen: dict[str, bool] = {}
    for contrast in contrasts:
        p = contrast.among(count).headline(name).p
        seen[contrast.arm or ""] = p is not None and count * p < alpha
    told = [*_events(SEEN, seen)]
    if scenario.decides:
        found = arm_verdicts(VerdictInputs(scenario.plan, spec, contrasts, (), (), ()))
        told += _events(SHIPS, {each.arm: each.code is VerdictCode.ship for each in found})
    return Replication(tuple(told), any(contrast.calibrated for contrast in contrasts))


def _events(what: str, happened: Mapping[str, bool]) -> Iterator[Measurement]:
    for arm, it in {**happened, ANY: any(happened.values())}.items():
        yield of_event(measure(what, arm), it=it, at_most=1.0)


def divided(
    rng: np.random.Generator, counts: np.ndarray, sizes: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Units of each kind in each arm.

    Units are divided at random where there are enough of them; where arms hold more, they are drawn
    with replacement.

    Args:
        rng: The source of chance.
        counts: Units of each kind, shape (kinds,).
        sizes: Units of each arm.
    """
    left = np.asarray(counts, dtype=np.int64)
    if sum(sizes.values()) > left.sum():
        shares = left / left.sum()
        return {arm: rng.multinomial(size, shares) for arm, size in sizes.items()}
    found: dict[str, np.ndarray] = {}
    for arm, size in sizes.items():
        found[arm] = rng.multivariate_hypergeometric(left, size, method="marginals")
        left = left - found[arm]
    return found


def treated(
    rng: np.random.Generator, scenario: CustomerTrial, arm: str, counts: np.ndarray
) -> SimulatedUnits:
    """The units of an arm after the campaign.

    Args:
        rng: The source of chance.
        scenario: What is true.
        arm: The treated arm.
        counts: Its units of each kind, shape (kinds,).
    """
    effect, size = scenario.effect, scenario.spec.size
    place = effect.lead.place
    if effect.spreads and effect.change:
        units = _answering(rng, scenario, counts)
    else:
        units = _kept(scenario.pool, counts)
        each = 1.0 if place.below is None else units.values[:, place.below]
        units.values[:, place.above] += effect.change * each
    if effect.change:
        for column, factor in scenario.factors.items():
            units.values[:, column] *= factor
    customers = 1.0 if size is None else units.values[:, size]
    if effect.contacts is not None:
        units.values[:, effect.contacts] = customers
    if effect.redemptions is None:
        return units
    return _redeeming(rng, units, (effect.redemptions, effect.rates.get(arm, 0.0)), size)


def _kept(pool: SimulatedUnits, counts: np.ndarray) -> SimulatedUnits:
    """Some units of a pool, apart from it."""
    there = counts > 0
    return SimulatedUnits(pool.values[there], counts[there].astype(np.float64))


def _answering(
    rng: np.random.Generator, scenario: CustomerTrial, counts: np.ndarray
) -> SimulatedUnits:
    """Units of which some who did nothing do what others did, or some who did no longer do."""
    pool, lift, active = scenario.pool, scenario.effect.lift, scenario.active
    weights = pool.counts * active
    if lift > 0:
        share = weights.sum() / pool.counts.sum()
        from_, chance = ~active, lift * share / (1 - share)
    else:
        from_, chance = active, -lift
    flips = np.where(from_, rng.binomial(counts, chance), 0)
    whose = np.repeat(np.arange(len(counts)), flips)
    changed, columns = pool.values[whose], np.array(scenario.moved)
    if lift > 0:
        others = rng.choice(len(counts), len(whose), p=weights / weights.sum())
        changed[:, columns] = pool.values[np.ix_(others, columns)]
    else:
        changed[:, columns] = 0.0
    kept = _kept(pool, counts - flips)
    return SimulatedUnits(
        np.concatenate([kept.values, changed]),
        np.concatenate([kept.counts, np.ones(len(whose))]),
    )


def _redeeming(
    rng: np.random.Generator, units: SimulatedUnits, what: tuple[int, float], size: int | None
) -> SimulatedUnits:
    """Units of whose customers some redeem, each by chance."""
    column, rate = what
    values, counts = units.values, units.counts
    if size is None:
        redeem = rng.binomial(counts.astype(np.int64), rate).astype(np.float64)
        parts: Sequence[tuple[Array, Array, float]] = (
            (values, counts - redeem, 0.0),
            (values.copy(), redeem, 1.0),
        )
        for part, _, redeemed in parts:
            part[:, column] = redeemed
        values = np.concatenate([part for part, _, _ in parts])
        counts = np.concatenate([number for _, number, _ in parts])
        return SimulatedUnits(values[counts > 0], counts[counts > 0])
    each = np.repeat(values, counts.astype(np.int64), axis=0)
    each[:, column] = rng.binomial(np.rint(each[:, size]).astype(np.int64), rate)
    return SimulatedUnits.each(each)


def decides(plan: Plan, lead: PrimaryMetric, *, money: bool) -> bool:
    """Whether the verdict rests on what is drawn: the metric that moves, or profit."""
    about = plan.decided_by
    return money if about == PROFIT else about == lead.info.name
