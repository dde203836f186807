"""The baseline: what a unit does without the campaign, as Moments, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.config.models.experiment import Plan
from upliftlab.errors import ConfigError, Diagnostic
from upliftlab.planning.assumptions import Assumptions, Given
from upliftlab.planning.primary_metric import lead_name, place_of
from upliftlab.queries.units import SIZE
from upliftlab.results.analysis import Analysis, CellMoments, Message
from upliftlab.results.plan import BaselineOrigin
from upliftlab.stats.moments import Array, Moments
from upliftlab.stats.power import design_effect
from upliftlab.text.language import N_

_GIVEN = 1_000_000
"""Units that a baseline in figures stands for; no result depends on it."""
_FIGURES: Final = {
    "number": N_("The baseline is given: a mean of {mean:number} per customer."),
    "money": N_("The baseline is given: a mean of {mean:money} per customer."),
    "share": N_("The baseline is given: {mean:percent} of customers."),
}


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What untreated units do.

    Attributes:
        origin: Where it comes from.
        described: The same as a sentence.
        unit: Moments of untreated units over the spec's columns; a column that is not known
            is 0 without variance.
        known: The columns that are known.
        customers: Customers it was measured on; None where it was given.
        available: Customers in all arms together, where they were counted.
        share: Whether the lead metric is given, or was seen, as a share of units.
        redemptions: Redemptions per treated customer by arm, where they were seen.
        notes: What to beware of.
    """

    origin: BaselineOrigin
    described: Message
    unit: Moments
    known: frozenset[str]
    customers: int | None = None
    available: int | None = None
    share: bool = False
    redemptions: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: tuple[Message, ...] = ()

    def unexplained(self, explained: float | None) -> Baseline:
        """The baseline without the variance that covariates explain, where that share is given."""
        if explained is None:
            return self
        unit = replace(self.unit, m2=self.unit.m2 * (1 - explained))
        return replace(self, unit=unit)


def needed_plan(plan: Plan, besides: tuple[str, ...] = ()) -> Plan:
    """The plan with nothing but what planning looks at: no segments, no metrics but those named."""
    asked = plan.experiment
    metrics = asked.metrics.model_copy(
        update={"secondary": besides, "guardrails": {}, "contacted": None}
    )
    money = asked.money
    if money is not None:
        money = money.model_copy(update={"conversions": None})
    analysis = asked.analysis.model_copy(update={"winsorize": {}})
    update = {"metrics": metrics, "money": money, "segments": (), "analysis": analysis}
    return plan.model_copy(
        update={"experiment": asked.model_copy(update=update), "segments": {}},
    )


def in_figures(plan: Plan, spec: EstimationSpec, given: Given) -> Baseline:
    """A baseline that the user gave.

    Args:
        plan: What was asked.
        spec: What is compared.
        given: The lead metric's figures.

    Raises:
        ConfigError: UL322, a mean without a standard deviation is no share.
    """
    name, size = lead_name(plan), len(spec.columns)
    place = place_of(spec, name)
    mean, covariance = np.zeros(size), np.zeros((size, size))
    for below in {place.below, spec.size} - {None}:
        mean[below] = 1.0
    mean[place.above] = given.mean
    inflated = design_effect(given.household_size or 1.0, given.icc or 0.0)
    covariance[place.above, place.above] = _variance(plan, name, given) * inflated
    unit = "share" if given.sd is None else plan.metrics[name].unit or "number"
    return Baseline(
        origin=BaselineOrigin.given,
        described=Message(template=_FIGURES[unit], values={"mean": given.mean}),
        unit=Moments(_GIVEN, mean, covariance * (_GIVEN - 1), np.full(size, np.nan)),
        known=frozenset({name}),
        share=given.sd is None,
    )


def _variance(plan: Plan, name: str, given: Given) -> float:
    if given.sd is not None:
        return given.sd**2
    metric = plan.metrics[name]
    if 0 < given.mean < 1 and metric.unit != "money" and metric.ratio is None:
        return given.mean * (1 - given.mean)
    message = f"'{name}' is no share of customers, so its mean does not tell how they differ"
    raise ConfigError(Diagnostic("UL322", message, "give --baseline-mean with --baseline-sd"))


def from_earlier(plan: Plan, spec: EstimationSpec, analysis: Analysis) -> Baseline:
    """The baseline of an earlier analysis: its control group.

    Args:
        plan: What was asked.
        spec: What is compared.
        analysis: An analysis whose metrics have the same names.

    Raises:
        ConfigError: UL324, it holds no moments of the control, or lacks a metric.
    """
    control = next((arm.arm for arm in analysis.arms if arm.control), None)
    cells = {cell.arm: cell for cell in analysis.moments if cell.dimension is None}
    if control is None or control not in cells:
        message = f"the analysis of '{analysis.experiment}' holds no numbers of its control"
        raise ConfigError(
            Diagnostic(
                "UL324", message, "name one that is not INVALID, and not made for the public"
            )
        )
    _same_metrics(spec, analysis)
    columns = [analysis.columns.index(name) for name in spec.columns]
    unit = _moments(cells[control], len(analysis.columns), columns)
    size = 1.0 if spec.size is None else float(unit.mean[spec.size])
    text = N_("Measured on the control group of {experiment}: {n:count} customers.")
    customers = round(unit.n * size)
    return Baseline(
        origin=BaselineOrigin.earlier,
        described=Message(
            template=text, values={"experiment": analysis.experiment, "n": customers}
        ),
        unit=unit,
        known=frozenset(spec.columns),
        customers=customers,
        share=any(m.name == lead_name(plan) and m.unit == "share" for m in analysis.metrics),
        redemptions=_redemptions(spec, analysis, cells),
    )


def _same_metrics(spec: EstimationSpec, analysis: Analysis) -> None:
    lacking = [name for name in spec.columns if name not in analysis.columns]
    if not lacking:
        return
    if lacking == [SIZE]:
        message = f"'{analysis.experiment}' randomised customers, and this plan households"
        raise ConfigError(Diagnostic("UL324", message, "name an analysis of households"))
    message = f"the analysis of '{analysis.experiment}' has no {', '.join(lacking[:3])}"
    raise ConfigError(Diagnostic("UL324", message, "name one of the same metrics and covariates"))


def _redemptions(
    spec: EstimationSpec, analysis: Analysis, cells: Mapping[str, CellMoments]
) -> dict[str, float]:
    """Redemptions per customer in the arms of the same name."""
    if spec.roles is None or spec.roles.redemptions is None:
        return {}
    column = analysis.columns.index(spec.columns[spec.roles.redemptions])
    found: dict[str, float] = {}
    for arm in spec.treatments:
        if arm in cells:
            size = 1.0 if spec.size is None else cells[arm].mean[analysis.columns.index(SIZE)]
            found[arm] = cells[arm].mean[column] / size
    return found


def _moments(cell: CellMoments, size: int, columns: list[int]) -> Moments:
    """A cell's Moments over some of its columns."""
    square: Array = np.zeros((size, size))
    square[np.triu_indices(size)] = [np.nan if value is None else value for value in cell.m2]
    square = square + np.triu(square, 1).T
    m3 = np.array([np.nan if value is None else value for value in cell.m3])
    return Moments(
        cell.n, np.array(cell.mean)[columns], square[np.ix_(columns, columns)], m3[columns]
    )


def known_covariates(spec: EstimationSpec, assumed: Assumptions) -> EstimationSpec:
    """The spec without covariates, where what they explain was given."""
    given = assumed.given is not None or assumed.explained is not None
    return replace(spec, covariates=()) if given else spec
