"""The study: what of a plan the statistics need, as plain numbers and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from upliftlab.analysis.cube import OVERALL, Cube
from upliftlab.experiment import Arm, Plan
from upliftlab.money import Question, Roles, Terms, projection
from upliftlab.stats.effects import Pair
from upliftlab.stats.moments import Moments, pool
from upliftlab.values import Money


@dataclass(frozen=True, slots=True)
class Study:
    """What is compared with what, and what it costs.

    Attributes:
        metrics: Names of the metric columns, in order.
        control: The control arm.
        channels: The arms contacted through each channel.
        treatments: The other arms, in the plan's order.
        roles: Which metrics money is made of; None without money.
        terms: Each arm's terms; empty without money.
        hurdle: ROI below this is not worth it.
        confidence: Level of every interval.
    """

    metrics: tuple[str, ...]
    control: str
    treatments: tuple[str, ...]
    channels: Mapping[str, tuple[str, ...]]
    roles: Roles | None
    terms: Mapping[str, Terms]
    hurdle: float
    confidence: float

    def projected(self, cube: Cube) -> Cube:
        """The cube with money's columns behind the metrics."""
        roles = self.roles
        if roles is None:
            return cube
        size = len(self.metrics)
        fixed = {arm: _spread(self.terms[arm], group) for arm, group in cube[OVERALL].items()}
        maps = {arm: projection(size, roles, terms) for arm, terms in fixed.items()}
        return {
            place: {arm: group.project(maps[arm]) for arm, group in groups.items()}
            for place, groups in cube.items()
        }

    def pair(self, groups: Mapping[str, Moments], arms: tuple[str, ...]) -> Pair:
        """The named arms taken together, against the control."""
        empty = Moments.zero(len(next(iter(groups.values())).mean))
        treated = pool(groups.get(arm, empty) for arm in arms)
        return Pair(treated, groups.get(self.control, empty))

    def question(self, pair: Pair) -> Question:
        """What money asks of a pair."""
        conversions = self.roles.conversions if self.roles else None
        return Question(pair, self.confidence, self.hurdle, conversions)


def study_of(plan: Plan) -> Study:
    """The study of a plan."""
    money, metrics = plan.experiment.money, plan.measured
    channels: dict[str, tuple[str, ...]] = {}
    for name in plan.treatments:
        if channel := plan.arms[name].channel:
            channels[channel] = (*channels.get(channel, ()), name)
    return Study(
        metrics=metrics,
        control=plan.control,
        treatments=plan.treatments,
        channels=channels,
        roles=_roles(plan) if money else None,
        terms={name: _terms(plan, name, arm) for name, arm in plan.arms.items()} if money else {},
        hurdle=money.hurdle if money else 0.0,
        confidence=plan.experiment.analysis.confidence,
    )


def _roles(plan: Plan) -> Roles:
    money = plan.experiment.money
    assert money is not None  # noqa: S101 - the caller asked
    index = {name: i for i, name in enumerate(plan.measured)}
    optional = (money.contacts, money.redemptions, plan.conversions)
    return Roles(index[money.revenue], *(index[name] if name else None for name in optional))


def _terms(plan: Plan, name: str, arm: Arm) -> Terms:
    money = plan.experiment.money
    assert money is not None  # noqa: S101 - the caller asked
    return Terms(
        margin=money.margin,
        contact=amount(arm.cost_per_contact),
        incentive=amount(arm.cost_per_redemption),
        commission=arm.commission or 0.0,
        service=amount(arm.service_cost),
        fixed=amount(money.fixed_cost.get(name)),
    )


def _spread(terms: Terms, group: Moments) -> Terms:
    """The terms with the arm's fixed cost spread over its units."""
    return replace(terms, fixed=terms.fixed / group.n if group.n else 0.0)


def amount(money: Money | None) -> float:
    """An amount as a number, 0 where none is given."""
    return float(money.amount) if money else 0.0
