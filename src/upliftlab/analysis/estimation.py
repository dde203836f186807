"""The estimation spec: what of a plan the statistics need, as plain numbers and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.values import Money
from upliftlab.money import ArmTerms, Roles, projection
from upliftlab.queries.units import SIZE
from upliftlab.results.costs import RATED, CostStep
from upliftlab.stats.covariates import adjusted
from upliftlab.stats.effects import TwoSample
from upliftlab.stats.moments import Array, Moments, pool
from upliftlab.stats.moved import counterparts, moved_means, with_raised
from upliftlab.stats.quotients import (
    FEWEST_DENOMINATORS,
    Quotient,
    denominators,
    of_denominators,
    quotients,
    undefined,
)


@dataclass(frozen=True, slots=True)
class EstimationSpec:
    """What is compared with what, and what it costs.

    Attributes:
        metrics: Names of the metrics that are reported, in order.
        columns: Names of what is counted per unit, in order: metrics, a ratio's two parts in its
            place, and covariates.
        ratios: The two columns of each metric that is a ratio.
        control: The control arm.
        channels: The arms contacted through each channel.
        treatments: The other arms, in the plan's order.
        roles: Which columns money is made of; None without money.
        terms: Each arm's terms; empty without money.
        hurdle: ROI below this is not worth it.
        confidence: Level of every interval.
        size: The column that counts a unit's customers, where units are households.
        covariates: The columns that were known before assignment.
        segments: The segments that are reported by, in the order of the unit table.
        contacted: The column that tells which customers were contacted, where one does.
        partial: The ratios that are means of the customers who have a value: the second column
            says who has.
        compared: Arms that are compared with each other, the first against the second.
        raised: By uncertain value of a table, the columns that depend on it, each with the column
            that is the same with the value one standard error higher.
    """

    metrics: tuple[str, ...]
    columns: tuple[str, ...]
    ratios: Mapping[str, tuple[int, int]]
    control: str
    treatments: tuple[str, ...]
    channels: Mapping[str, tuple[str, ...]]
    roles: Roles | None
    terms: Mapping[str, ArmTerms]
    hurdle: float
    confidence: float
    size: int | None = None
    covariates: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    partial: frozenset[str] = frozenset()
    contacted: int | None = None
    compared: tuple[tuple[str, str], ...] = ()
    raised: tuple[Mapping[int, int], ...] = ()

    @property
    def between(self) -> tuple[EstimationSpec, ...]:
        """What compares one arm with another: the second stands in the control's place."""
        return tuple(
            replace(self, treatments=(arm,), control=other, channels={}, compared=())
            for arm, other in self.compared
        )

    def narrowed(
        self, columns: Sequence[int], metrics: tuple[str, ...], *, money: bool
    ) -> EstimationSpec:
        """What compares arms as a whole in some of the metrics alone.

        Args:
            columns: The places of the columns that are kept; what is asked is made of them.
            metrics: The metrics that are asked.
            money: Whether profit is asked as well.
        """
        place = {column: at for at, column in enumerate(columns)}
        pairs = {name: self.ratios[name] for name in metrics if name in self.ratios}
        return replace(
            self,
            metrics=metrics,
            columns=tuple(self.columns[column] for column in columns),
            ratios={name: (place[above], place[below]) for name, (above, below) in pairs.items()},
            channels={},
            roles=self.roles.moved(place) if self.roles and money else None,
            covariates=tuple(place[column] for column in self.covariates),
            segments=(),
            partial=self.partial & set(metrics),
            contacted=None,
            compared=(),
            raised=(),
        )

    def per_unit(self, step: CostStep, arms: Sequence[str]) -> Array:
        """A step's coefficients in each arm but for what is the same for all its customers.

        Shape (arms, columns).
        """
        assert self.roles is not None  # noqa: S101 - the caller asked
        roles, size = replace(self.roles, size=None), len(self.columns)
        rows = [projection(size, roles, self.terms[arm]).matrix[size + step.column] for arm in arms]
        return np.stack(rows)

    def projected(self, aggregates: Aggregates) -> Aggregates:
        """The aggregates with money's columns behind the others, and those with values raised."""
        roles = self.roles
        if roles is None:
            return aggregates
        size = len(self.columns)
        fixed = {arm: self._spread(arm, group) for arm, group in aggregates[OVERALL].items()}
        maps = {
            arm: with_raised(projection(size, roles, terms), size, self.raised)
            for arm, terms in fixed.items()
        }
        return {
            place: {arm: group.project(maps[arm]) for arm, group in groups.items()}
            for place, groups in aggregates.items()
        }

    def pair(self, groups: Mapping[str, Moments], arms: tuple[str, ...]) -> TwoSample:
        """The named arms taken together, against the control, per customer.

        Columns keep their places; the metrics that are ratios follow them in their order.
        """
        empty = Moments.zero(len(next(iter(groups.values())).mean))
        treated = pool(groups.get(arm, empty) for arm in arms)
        control = groups.get(self.control, empty)
        wanted, first = self._wanted(empty), len(empty.mean)
        counted = {
            first + i: (denominators(treated, below), denominators(control, below))
            for i, (_, below) in enumerate(self.ratios.values())
        }
        whole = {first + i for i, name in enumerate(self.ratios) if name in self.partial}
        return TwoSample(
            of_denominators(quotients(treated, wanted), {at: k for at, (k, _) in counted.items()}),
            of_denominators(quotients(control, wanted), {at: k for at, (_, k) in counted.items()}),
            undefined(treated, wanted) | undefined(control, wanted),
            1.0 if self.size is None else float(treated.mean[self.size]),
            denominators=counted,
            scarce=frozenset(
                at for at, k in counted.items() if min(k) < FEWEST_DENOMINATORS and at not in whole
            ),
            moved=self._moved(treated, control, wanted) if self.raised else None,
        )

    def _moved(
        self, treated: Moments, control: Moments, wanted: Sequence[Quotient]
    ) -> tuple[Array, Array]:
        """How far both groups' columns move under every uncertain value, one se higher."""
        raised = counterparts(len(treated.mean), len(self.columns), self.raised)
        return moved_means(treated.mean, wanted, raised), moved_means(control.mean, wanted, raised)

    def each(self, groups: Mapping[str, Moments]) -> tuple[Moments, ...]:
        """Every arm by itself, over the columns of a pair."""
        return tuple(quotients(group, self._wanted(group)) for group in groups.values() if group.n)

    def sharpened(self, pair: TwoSample, arms: Sequence[Moments] = ()) -> TwoSample:
        """A pair adjusted for the covariates, or as it is where that cannot be done.

        Args:
            pair: A treated group and its control.
            arms: The arms that have one slope together (`each`); without them each of the two
                groups has its own.
        """
        if not self.covariates or pair.unusable is not None:
            return pair
        return adjusted(pair, self.covariates, arms)

    def _wanted(self, group: Moments) -> list[Quotient]:
        """A pair's columns: those of a group per customer, and the metrics that are ratios."""
        wanted: list[Quotient] = [(column, self.size) for column in range(len(group.mean))]
        return [*wanted, *self.ratios.values()]

    def place(self, metric: str, pair: TwoSample) -> int:
        """The column of a pair that holds a metric."""
        if metric not in self.ratios:
            return self.columns.index(metric)
        behind = len(self.ratios) - list(self.ratios).index(metric)
        return len(pair.treated.mean) - behind

    def _spread(self, arm: str, group: Moments) -> ArmTerms:
        """An arm's terms with its fixed cost spread over its customers."""
        return self.terms[arm].spread(self.customers(group))

    def customers(self, group: Moments) -> float:
        """How many customers a group of units holds."""
        return group.n * (1.0 if self.size is None else float(group.mean[self.size]))


def estimation_spec(plan: Plan) -> EstimationSpec:
    """The estimation spec of a plan."""
    money = plan.experiment.money
    channels: dict[str, tuple[str, ...]] = {}
    for name in plan.treatments:
        if channel := plan.arms[name].channel:
            channels[channel] = (*channels.get(channel, ()), name)
    columns = (*plan.counted_columns, *((SIZE,) if plan.households else ()), *plan.capped)
    index = {name: i for i, name in enumerate(columns)}
    ratios = {name: plan.metrics[name].ratio for name in plan.measured}
    return EstimationSpec(
        metrics=tuple(name for m in plan.measured for name in dict.fromkeys((plan.judged(m), m))),
        columns=columns,
        ratios={name: (index[pair[0]], index[pair[1]]) for name, pair in ratios.items() if pair},
        control=plan.control,
        treatments=plan.treatments,
        channels=channels,
        roles=_roles(plan, index) if money else None,
        terms=terms_of(plan),
        hurdle=money.hurdle if money else 0.0,
        confidence=plan.experiment.analysis.confidence,
        size=index.get(SIZE),
        covariates=tuple(index[name] for name in plan.covariates),
        segments=tuple(plan.segments),
        contacted=index.get(plan.contacted or ""),
        partial=frozenset(name for name in ratios if plan.metrics[name].missing == "drop"),
        compared=plan.experiment.compare,
        raised=tuple(
            {index[name]: index[other] for name, other in each.items()}
            for each in plan.raised.values()
        ),
    )


def _roles(plan: Plan, index: Mapping[str, int]) -> Roles:
    money = plan.experiment.money
    assert money is not None  # noqa: S101 - the caller asked
    optional = (money.contacts, money.redemptions, plan.conversions)
    return Roles(
        index[money.revenue],
        *(index[name] if name else None for name in optional),
        further=tuple(index[name] for name in money.costs),
        size=index.get(SIZE),
        margin=index[money.earned] if money.earned else None,
    )


def terms_of(plan: Plan) -> dict[str, ArmTerms]:
    """What is paid in each arm; empty without money."""
    money = plan.experiment.money
    if money is None:
        return {}
    return {
        name: ArmTerms(money.factor, {step: amount(plan.rate(step, name)) for step in RATED})
        for name in plan.arms
    }


def amount(rate: Money | float | None) -> float:
    """An amount or a share as a number, 0 where none is given."""
    return float(rate.amount if isinstance(rate, Money) else rate or 0.0)
