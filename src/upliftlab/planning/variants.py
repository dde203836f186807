"""Variants: the same campaign measured otherwise, where the customers' own past tells of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.config.models import Metric
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.config.windows import BEFORE, before
from upliftlab.planning.baseline import Baseline, needed_plan
from upliftlab.planning.design_inputs import DesignInputs, prospect, variant
from upliftlab.planning.pre_period import PrePeriodPopulation, rehearse, rehearsed
from upliftlab.planning.primary_metric import lead_name
from upliftlab.planning.ways import Variant
from upliftlab.results.plan import BaselineOrigin

_LONGER: Final = 2
"""So many times the outcome window is looked at."""
_START: Final = timedelta(0)


def measurable(known: DesignInputs) -> bool:
    """Whether the past tells of other measurements, and the expected effect is a percentage."""
    before = known.baseline.origin is BaselineOrigin.before
    return before and known.assumed.effect.kind == "relative"


def measured_otherwise(known: DesignInputs, cast: PrePeriodPopulation) -> Iterator[Variant]:
    """The campaign with a covariate, and asked of other metrics of the same events.

    Args:
        known: The campaign as declared, `measurable`.
        cast: Who rehearses.

    Raises:
        DataError: as `rehearse`.
    """
    plan = known.plan
    lead, others = lead_name(plan), _others(plan)
    added = f"{lead}{BEFORE}"
    covariates = dict(plan.covariates)
    if not covariates and plan.metrics[lead].has_before:
        covariates[added] = before(plan.metrics[lead])
    wide = rehearsed(needed_plan(plan.model_copy(update={"covariates": covariates}), others))
    if not others and added not in wide.covariates:
        return
    baseline, spec = rehearse(wide, cast), estimation_spec(wide)
    baseline = replace(baseline, available=known.baseline.available)
    plain = replace(spec, covariates=_without(spec, added))
    if added in wide.covariates:
        line = f"analysis: {{covariates: [{added}]}}"
        yield variant(_prospect(known, plan, spec, baseline), "covariates", line=line)
    for name in others:
        asked = _asked_of(plan, name)
        other = _prospect(known, asked, plain, replace(baseline, share=False))
        if other.expectation.mean:
            yield variant(other, "metric", metric=plan.metrics[name].title or name)


def for_longer(known: DesignInputs, cast: PrePeriodPopulation) -> Iterator[Variant]:
    """The campaign with outcomes counted for longer; raises as `rehearse`."""
    window = known.plan.experiment.outcome_window
    if window is None:
        return
    plan = _widened(known.plan, window)
    reduced = rehearsed(needed_plan(plan))
    found = replace(rehearse(reduced, cast), available=known.baseline.available)
    longer = _prospect(known, plan, estimation_spec(reduced), found)
    yield variant(longer, "window", days=(_LONGER * window).days)


def _prospect(
    known: DesignInputs, plan: Plan, spec: EstimationSpec, baseline: Baseline
) -> DesignInputs:
    """A variant with what is assumed of the campaign as declared."""
    return prospect(plan, spec, baseline, known.assumed)


def _others(plan: Plan) -> tuple[str, ...]:
    """The secondary metrics of the same events, whose number per customer they tell."""
    lead = plan.metrics[lead_name(plan)]
    found = (name for name in plan.experiment.metrics.secondary if name != lead_name(plan))
    metrics = ((name, plan.metrics[name]) for name in found if name != PROFIT)
    return tuple(
        name
        for name, metric in metrics
        if metric.source is not None
        and metric.source == lead.source
        and not metric.kind.is_ratio
        and not metric.parts
    )


def _asked_of(plan: Plan, name: str) -> Plan:
    """The plan with another primary metric."""
    metrics = plan.experiment.metrics.model_copy(update={"primary": name})
    experiment = plan.experiment.model_copy(update={"metrics": metrics})
    return plan.model_copy(update={"experiment": experiment})


def _without(spec: EstimationSpec, name: str) -> tuple[int, ...]:
    return tuple(column for column in spec.covariates if spec.columns[column] != name)


def _widened(plan: Plan, window: timedelta) -> Plan:
    """The plan with a longer outcome window, and covariates over as long before the start."""
    longer = _LONGER * window

    def stretched(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
        moved = {(_START, window): (_START, longer), (-window, _START): (-longer, _START)}
        return {
            name: metric.model_copy(update={"during": moved.get(metric.during, metric.during)})
            if metric.during is not None
            else metric
            for name, metric in metrics.items()
        }

    experiment = plan.experiment.model_copy(update={"outcome_window": longer})
    update = {"metrics": stretched(plan.metrics), "covariates": stretched(plan.covariates)}
    return plan.model_copy(update={"experiment": experiment, **update})
