"""The lead metric: the one whose effect is planned for."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Final, Literal

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.config.models.limits import Tolerance
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.results.analysis import Analysis, MetricInfo
from upliftlab.results.estimands import EstimandKind
from upliftlab.stats.moments import Moments
from upliftlab.stats.power import spread_growth

_LEAST: Final = 0.001
"""A smaller relative effect is none to plan for."""


@dataclass(frozen=True, slots=True)
class MetricColumns:
    """A metric among a unit's columns: a total, and what it is divided by (None for a mean)."""

    above: int
    below: int | None

    def mean(self, unit: Moments) -> float:
        """The metric's value, 0 where there is nothing to divide by."""
        under = 1.0 if self.below is None else float(unit.mean[self.below])
        return float(unit.mean[self.above]) / under if under else 0.0


@dataclass(frozen=True, slots=True)
class PrimaryMetric:
    """The metric that is planned for.

    Attributes:
        info: How it is named and shown.
        place: Where it stands.
        share: Whether a customer's number is 0 or 1.
    """

    info: MetricInfo
    place: MetricColumns
    share: bool

    @property
    def sign(self) -> float:
        """The direction that is good."""
        return -1.0 if self.info.better == "lower" else 1.0

    def growth(self, mean: float, variance: float, effect: float) -> float:
        """By how much the variance between units grows with an effect."""
        if self.share and 0 < mean < 1:
            share = min(max(mean + effect, 0.0), 1.0)
            return share * (1 - share) / (mean * (1 - mean))
        return spread_growth(mean, variance, effect)


def lead_name(plan: Plan) -> str:
    """The primary metric, or revenue where that is profit."""
    primary, money = plan.experiment.metrics.primary, plan.experiment.money
    return money.revenue if money and primary == PROFIT else primary


def effect_found(plan: Plan, analysis: Analysis) -> Tolerance | None:
    """The relative effect on the lead metric that an analysis found, where that was a good one.

    Of the arm that the verdict names, else of the first that is told.
    """
    lead = lead_name(plan)
    metric = next((each for each in analysis.metrics if each.name == lead), None)
    lifts = [
        (found.arm != analysis.verdict.arm, found.estimate)
        for found in analysis.find(metric=lead, dimension=None, headline=True)
        if found.kind.plain is EstimandKind.relative_lift and found.estimate is not None
    ]
    if metric is None or not lifts:
        return None
    lift = min(lifts, key=itemgetter(0))[1] * (-1 if metric.better == "lower" else 1)
    return Tolerance(value=lift, kind="relative") if lift >= _LEAST else None


def place_of(spec: EstimationSpec, name: str) -> MetricColumns:
    """Where a metric stands among the columns of a unit."""
    if name in spec.ratios:
        return MetricColumns(*spec.ratios[name])
    return MetricColumns(spec.columns.index(name), spec.size)


def lead_of(plan: Plan, spec: EstimationSpec, *, share: bool) -> PrimaryMetric:
    """The lead metric of a plan.

    Args:
        plan: What was asked.
        spec: What is compared.
        share: Whether the baseline knows it to be a share, whatever was declared.
    """
    name = lead_name(plan)
    place, metric = place_of(spec, name), plan.metrics[name]
    by_definition = metric.unit == "share" or metric.kind.share
    share = metric.ratio is None and (share or by_definition)
    kind: Literal["number", "money", "share"] = metric.unit or ("share" if share else "number")
    info = MetricInfo(
        name=name, title=metric.title or name, unit=kind, better=metric.better, role="primary"
    )
    return PrimaryMetric(info, place, share)


def effect_of(lead: PrimaryMetric, mean: float, wanted: Tolerance) -> float:
    """An expected effect per customer, in the metric's good direction.

    Raises:
        ConfigError: UL320, it cannot be: a percentage of 0, points of what is no share, a share
            beyond 0 or 1.
    """
    if wanted.kind == "points" and lead.info.unit != "share":
        message = f"points are of shares, and '{lead.info.name}' is none"
        raise ConfigError(Diagnostic("UL320", message, "write --effect as 5%, or as an amount"))
    size = wanted.value * abs(mean) if wanted.kind == "relative" else wanted.value
    if size == 0:
        reason = f", a percentage of the mean of '{lead.info.name}'" if wanted.value else ""
        message = f"the expected effect is 0{reason}"
        raise ConfigError(Diagnostic("UL320", message, "give --effect as an amount per customer"))
    effect = lead.sign * size
    if lead.share and not 0 <= mean + effect <= 1:
        message = f"'{lead.info.name}' would be {mean + effect:.1%} of customers"
        raise ConfigError(Diagnostic("UL320", message, "give a smaller --effect"))
    return effect
