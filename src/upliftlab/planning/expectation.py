"""The expected experiment: the one that would come out if chance had no part.

Its Moments are analysed by the same functions as a real one's, so that whatever the analysis does
with shares, quotients, households, covariates and costs, planning does too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.money import MoneyContrast
from upliftlab.planning.primary_metric import MetricColumns, PrimaryMetric
from upliftlab.stats.effects import Effect, LinearContrast, TwoSample, welch
from upliftlab.stats.moments import Moments, Projection
from upliftlab.stats.power import spread_growth


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """An experiment before it happens.

    Attributes:
        spec: What is compared.
        unit: Moments of untreated units over the spec's columns.
        shares: Each arm's share of the customers.
        lead: The metric that is planned for.
        redemptions: Redemptions per treated customer, by arm.
    """

    spec: EstimationSpec
    unit: Moments
    shares: Mapping[str, float]
    lead: PrimaryMetric
    redemptions: Mapping[str, float]

    @property
    def mean(self) -> float:
        """The lead metric of untreated customers."""
        return self.lead.place.mean(self.unit)

    @property
    def size(self) -> float:
        """Customers of an average unit."""
        return 1.0 if self.spec.size is None else float(self.unit.mean[self.spec.size])

    def in_arm(self, arm: str, customers: int) -> int:
        """Customers of an arm, of so many in all arms."""
        return round(self.shares[arm] * customers)

    def lift(self, effect: float) -> float | None:
        """An effect as a share of the mean, None where that is 0."""
        return effect / abs(self.mean) if self.mean else None

    def revenue_lift(self, effect: float) -> float:
        """An effect on the lead metric as the relative rise of revenue that goes with it."""
        return effect / self.mean

    def pair(self, arm: str, customers: int, effect: float) -> TwoSample:
        """An arm against the control, money's columns included, adjusted as the analysis will.

        Args:
            arm: A treated arm.
            customers: In all arms together.
            effect: On the lead metric, per customer.
        """
        control = _resized(self.unit, round(self.in_arm(self.spec.control, customers) / self.size))
        treated = _resized(
            self._treated(arm, effect), round(self.in_arm(arm, customers) / self.size)
        )
        groups = {self.spec.control: control, arm: treated}
        projected = self.spec.projected({OVERALL: groups})[OVERALL]
        return self.spec.sharpened(self.spec.pair(projected, (arm,)))

    def difference(self, arm: str, customers: int, effect: float) -> Effect:
        """What the analysis would say of the lead metric."""
        pair = self.pair(arm, customers, effect)
        column = self.spec.place(self.lead.info.name, pair)
        form = LinearContrast.difference(len(pair.treated.mean), {column: 1.0})
        return welch(pair, form, self.spec.confidence)

    def question(self, arm: str, customers: int, effect: float) -> MoneyContrast:
        """What the analysis would ask of money."""
        spec = self.spec
        pair = self.pair(arm, customers, effect)
        return MoneyContrast(pair, spec.confidence, spec.hurdle, first=len(spec.columns))

    def variance_of(self, place: MetricColumns) -> float:
        """Variance between units of a total, or of a ratio by the delta method."""
        covariance, above, below = self.unit.covariance, place.above, place.below
        if below is None:
            return float(covariance[above, above])
        ratio, under = place.mean(self.unit), float(self.unit.mean[below])
        spread = covariance[above, above] - 2 * ratio * covariance[above, below]
        return float(spread + ratio**2 * covariance[below, below]) / under**2 if under else 0.0

    def _treated(self, arm: str, effect: float) -> Moments:
        """Moments of treated units: the lead metric moves, and revenue by the same percentage."""
        roles, size = self.spec.roles, len(self.spec.columns)
        map_ = Projection(np.eye(size), np.zeros(size))
        self._move(map_, self.lead.place, effect)
        noise = np.zeros(size)
        if roles is not None:
            for column in {roles.revenue, roles.earned} - {self.lead.place.above}:
                amount = MetricColumns(column, self.spec.size)
                self._move(map_, amount, self.revenue_lift(effect) * amount.mean(self.unit))
            if roles.contacts is not None:
                self._set(map_, roles.contacts, 1.0)
            if roles.redemptions is not None:
                rate = self.redemptions.get(arm, 0.0)
                self._set(map_, roles.redemptions, rate)
                noise[roles.redemptions] = self.size * max(rate * (1 - rate), 0.0)
        moved = self.unit.project(map_)
        return replace(moved, m2=moved.m2 + np.diag(noise) * (moved.n - 1))

    def _move(self, map_: Projection, place: MetricColumns, effect: float) -> None:
        """Add an effect per customer to a metric, and let its spread grow with it."""
        mean = place.mean(self.unit)
        growth = self.lead.growth if place == self.lead.place else spread_growth
        factor = max(growth(mean, self.variance_of(place), effect), 0.0) ** 0.5
        map_.matrix[place.above, place.above] = factor
        shift = mean + effect - factor * mean
        if place.below is None:
            map_.offset[place.above] = shift
        else:
            map_.matrix[place.above, place.below] += shift

    def _set(self, map_: Projection, column: int, each: float) -> None:
        """Give every customer the same number."""
        map_.matrix[column] = 0.0
        if self.spec.size is None:
            map_.offset[column] = each
        else:
            map_.matrix[column, self.spec.size] = each


def _resized(group: Moments, n: int) -> Moments:
    """The Moments of n units that are alike on average to those of a group."""
    if n < 1:
        return Moments.zero(len(group.mean))
    spread = max(n - 1, 0) / (group.n - 1)
    return Moments(n, group.mean, group.m2 * spread, group.m3 * n / group.n)
