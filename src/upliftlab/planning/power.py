"""Reach: how likely an arm's effect is found, with how many customers, and which effects are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from scipy.special import ndtr

from upliftlab.planning.expectation import Expectation
from upliftlab.results.analysis import Message, Note, Scalar
from upliftlab.results.plan import ArmOutlook, ArmPowerCurve, PowerPoint
from upliftlab.results.ship_rule import ShipRule
from upliftlab.stats.power import detectable_effect, power, power_above, smallest_sample
from upliftlab.text.language import N_

STEPS = 24
"""Intervals of a power curve."""
_WIDEST = 5.0
"""So many times what power alone needs, a curve is drawn at most to show SHIP."""
_LARGEST = 1_000.0
"""Effects of more standard deviations, or times the mean, are not looked for."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What a finding must meet.

    Attributes:
        alpha: Level of each arm's test of a metric.
        decision_alpha: Level of each arm's decision.
        inflation: By how much declared looks add to the customers needed.
        power: The power that is wanted.
        rule: When a decision on profit is SHIP; None where the decision is about something else.
    """

    alpha: float
    decision_alpha: float
    inflation: float
    power: float
    rule: ShipRule | None


@dataclass(frozen=True)
class DetectableEffects:
    """What one experiment can find, arm by arm."""

    expectation: Expectation
    standard: Criterion

    def power(self, arm: str, customers: int, effect: float) -> float:
        """Of finding an effect on the lead metric; 0 where nothing can be computed."""
        found = self.expectation.difference(arm, customers, effect)
        if found.se and found.df and found.estimate is not None:
            return power(found.estimate, self._looked(found.se), found.df, self.standard.alpha)
        return float(found.note is Note.no_variation and effect != 0)

    def ships(self, arm: str, customers: int, effect: float) -> float:
        """Probability that the decision on profit is SHIP."""
        rule = self.standard.rule
        found = self.expectation.question(arm, customers, effect).above_hurdle()
        if rule is None or not found.se or not found.df or found.estimate is None:
            return 0.0
        above = found.estimate - rule.threshold
        if rule.what == "estimate":
            return float(ndtr(above / found.se))
        return power_above(above, self._looked(found.se), found.df, self.standard.decision_alpha)

    def needed(self, arm: str, effect: float) -> int | None:
        """Customers in all arms together for the wanted power."""
        wanted = self.standard.power
        return smallest_sample(lambda n: self.power(arm, n, effect) >= wanted)

    def ships_needed(self, arm: str, effect: float) -> int | None:
        """Customers in all arms together for the wanted probability of SHIP."""
        wanted = self.standard.power
        return smallest_sample(lambda n: self.ships(arm, n, effect) >= wanted)

    def detectable(self, arm: str, customers: int) -> float | None:
        """The smallest effect found with the wanted power, with its sign."""
        sign = self.expectation.lead.sign
        size = detectable_effect(
            lambda size: self.power(arm, customers, sign * size),
            self.standard.power,
            *self._sizes,
        )
        return None if size is None else sign * size

    def ships_from(self, arm: str, customers: int) -> float | None:
        """The smallest effect at which SHIP has the wanted probability."""
        return detectable_effect(
            lambda size: self.ships(arm, customers, size), self.standard.power, *self._sizes
        )

    @property
    def most(self) -> float:
        """The largest size an effect can have."""
        return self._sizes[1]

    @cached_property
    def _sizes(self) -> tuple[float, float]:
        """A plausible size of an effect, and the largest there can be."""
        expected = self.expectation
        mean = expected.mean
        sd = expected.variance_of(expected.lead.place) ** 0.5
        if expected.lead.share:
            most = mean if expected.lead.sign < 0 else 1 - mean
            return most / 20, most
        scale = max(abs(mean), sd)
        return scale / 20, scale * _LARGEST

    def _looked(self, se: float) -> float:
        """A standard error as large as what is lost by declared looks makes it seem."""
        return se * self.standard.inflation**0.5


def arm_outlook(
    reach: DetectableEffects, arm: str, customers: int | None, effect: float
) -> ArmOutlook:
    """What can be told of a treated arm.

    Args:
        reach: What the experiment can find.
        arm: A treated arm.
        customers: In all arms together; None where that is not known.
        effect: The expected effect on the lead metric.
    """
    expected = reach.expectation
    needed = reach.needed(arm, effect)
    smallest = None if customers is None else reach.detectable(arm, customers)
    return ArmOutlook(
        arm=arm,
        control=False,
        share=expected.shares[arm],
        customers=None if customers is None else expected.in_arm(arm, customers),
        needed=None if needed is None else expected.in_arm(arm, needed),
        needed_campaign=needed,
        detectable=smallest,
        detectable_lift=None if smallest is None else expected.lift(smallest),
        power=None if customers is None else reach.power(arm, customers, effect),
    )


def curve(reach: DetectableEffects, arm: str, customers: int, effect: float) -> ArmPowerCurve:
    """An arm's power by the size of the effect, from none to well beyond what can be found."""
    smallest = reach.detectable(arm, customers)
    most = 1.5 * max(abs(effect), abs(smallest or 0.0))
    decided = reach.standard.rule is not None
    shipped = reach.ships_from(arm, customers) if decided else None
    most = max(most, min(1.1 * (shipped or 0.0), _WIDEST * most))
    if reach.expectation.lead.share:
        most = min(most, reach.most)
    sizes = (reach.expectation.lead.sign * most * step / STEPS for step in range(STEPS + 1))
    points = tuple(_points(reach, arm, customers, sizes))
    text = N_(
        "With {n:count} customers, the chance of finding an effect rises from {first:percent} "
        "where there is none to {last:percent} at the largest that is drawn."
    )
    values: dict[str, Scalar] = {"n": customers}
    values |= {"first": points[0].power, "last": points[-1].power}
    described = Message(template=text, values=values)
    return ArmPowerCurve(
        arm=arm,
        described=described,
        decided=_decided(reach, shipped) if decided else None,
        customers=customers,
        points=points,
    )


def _decided(reach: DetectableEffects, effect: float | None) -> Message:
    """From which effect on SHIP has the wanted chance."""
    wanted: dict[str, Scalar] = {"power": reach.standard.power}
    if effect is None:
        text = N_("However large the effect, SHIP never has a chance of {power:percent}.")
        return Message(template=text, values=wanted)
    text = N_("SHIP has a chance of {power:percent} from an effect of {lift:percent} on.")
    return Message(template=text, values={**wanted, "lift": reach.expectation.lift(effect)})


def _points(
    reach: DetectableEffects, arm: str, customers: int, effects: Iterable[float]
) -> Iterator[PowerPoint]:
    decides = reach.standard.rule is not None
    for effect in effects:
        yield PowerPoint(
            effect=effect,
            lift=reach.expectation.lift(effect),
            power=reach.power(arm, customers, effect),
            ships=reach.ships(arm, customers, effect) if decides else None,
        )
