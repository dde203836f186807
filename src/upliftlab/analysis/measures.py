"""Measures: what of a comparison is too skewed for Student's t, and what its moments say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.money import ABOVE_HURDLE, PROFIT, REVENUE
from upliftlab.results.costs import CostStep
from upliftlab.stats.calibration import Measure
from upliftlab.stats.effects import TwoSample
from upliftlab.stats.moments import Array, Moments, pool
from upliftlab.stats.skewness import Skew, of_forms, skewness

ADJUSTED = "adjusted"
"""A metric's adjusted difference is (ADJUSTED, metric); (PLAIN, metric) otherwise."""
PLAIN = "plain"
MONEY = "money"
SKEWED = 0.05
"""Beyond this skewness of a difference, an interval or test by normal theory misses one tail."""
HANDFUL = 0.5
"""Beyond this skewness of the smaller group's mean by itself a group holds a handful of purchases:
Student's t does not tell how equal groups differ either, though nothing is skewed between them."""


def skew_of(
    spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...]
) -> Skew | None:
    """The skewness of the arms' difference from the control, by column; None without a variance.

    A column is counted per unit here: a ratio's two parts each, a household's total.
    """
    present = [groups[arm] for arm in arms if arm in groups]
    if not present or spec.control not in groups:
        return None
    return skewness(TwoSample(pool(present), groups[spec.control]))


def gammas(
    spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...]
) -> Mapping[str, float | None]:
    """The larger skewness of each column, None where it is not known; empty without a variance."""
    skew = skew_of(spec, groups, arms)
    if skew is None:
        return {}
    values = skew.worst[: len(spec.columns)].tolist()
    return {
        name: None if np.isnan(value) else value
        for name, value in zip(spec.columns, values, strict=True)
    }


def varying(
    spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...]
) -> np.ndarray:
    """Whether a column varies within a group, the control last, shape (groups, columns)."""
    empty = Moments.zero(len(spec.columns))
    found = [groups.get(arm, empty) for arm in (*arms, spec.control)]
    return np.stack([np.diagonal(group.m2)[: len(spec.columns)] > 0 for group in found])


def sharpened(spec: EstimationSpec, groups: Mapping[str, Moments], pair: TwoSample) -> TwoSample:
    """A pair adjusted for the covariates, or as it is where that cannot be done.

    All arms have one slope on the covariates where something is skewed, and in strata. It is asked
    of all arms at once: arms side by side have one control, adjusted in one way.
    """
    if not spec.covariates:
        return pair
    within = any(group.strata for group in groups.values())
    compared = (*((arm,) for arm in spec.treatments), *spec.channels.values())
    one = within or any(_skewed(spec, groups, arms) for arms in compared)
    return spec.sharpened(pair, spec.each(groups) if one else ())


def _skewed(spec: EstimationSpec, groups: Mapping[str, Moments], arms: tuple[str, ...]) -> bool:
    skew = skew_of(spec, groups, arms)
    return skew is not None and bool(beyond_student(skew)[: len(spec.columns)].any())


def beyond_student(skew: Skew) -> np.ndarray:
    """Whether Student's t will not do for a column's difference, shape (p,)."""
    return (np.abs(skew.worst) > SKEWED) | (np.abs(skew.alone) > HANDFUL)


def cubic_skewness(
    pair: TwoSample, forms: tuple[Array, Array], spread: tuple[float, float], most: float
) -> float | None:
    """The skewness of a form that Hall's cubic allows for, as far as moments tell it.

    0 where Student's t will do; None where it is too large for the cubic.

    Args:
        pair: The groups as they are.
        forms: What the treated and the control weigh their columns with.
        spread: Σ(u−ū)² of what is compared, in the treated and in the control.
        most: The largest pooled skewness at which the cubic serves.
    """
    skew = of_forms(pair, forms, spread)
    if skew is None or not beyond_student(skew)[0]:
        return 0.0
    return float(skew.pooled[0]) if skew.slight(most)[0] else None


def measures_of(
    spec: EstimationSpec, arms: tuple[str, ...], skew: Skew, sharp: TwoSample
) -> Iterator[tuple[tuple[str, str], Measure]]:
    """What Student's t will not do for: whatever rests on a column that is too skewed.

    Args:
        spec: What is compared.
        arms: The treated arms.
        skew: The skewness of the columns' differences.
        sharp: The pair adjusted for covariates, where it could be.
    """
    groups, p = (*arms, spec.control), len(spec.columns)
    skewed = set(np.flatnonzero(beyond_student(skew)[:p]).tolist())
    for metric in spec.metrics:
        above, below = spec.ratios.get(metric) or (spec.columns.index(metric), spec.size)
        if not {above, below} & skewed:
            continue
        weights = np.zeros((len(groups), p))
        weights[:, above] = 1.0
        yield (PLAIN, metric), Measure(weights, below=below)
        if sharp.pooled is not None:
            form = {spec.place(metric, sharp): 1.0}
            yield (ADJUSTED, metric), _adjusting(Measure(weights, below=below), sharp, form)
    if spec.roles is None or not set(spec.roles.amounts) & skewed:
        return
    revenue, margin, costs = (
        spec.per_unit(step, groups) for step in (CostStep.revenue, CostStep.margin, CostStep.cost)
    )
    place = {step: p + step.column for step in CostStep}
    gained = Measure(revenue, None, spec.size)
    yield (MONEY, REVENUE), _adjusting(gained, sharp, {place[CostStep.revenue]: 1.0})
    for name, hurdle in ((PROFIT, 0.0), (ABOVE_HURDLE, spec.hurdle)):
        kept = Measure(margin, -(1 + hurdle) * costs, spec.size)
        form = {place[CostStep.margin]: 1.0, place[CostStep.cost]: -(1 + hurdle)}
        yield (MONEY, name), _adjusting(kept, sharp, form)


def _adjusting(measure: Measure, sharp: TwoSample, form: Mapping[int, float]) -> Measure:
    """What is dealt where the pair is adjusted: less the covariates' part by its own slopes.

    Args:
        measure: A number per unit.
        sharp: The adjusted pair.
        form: The pair's columns that the number is made of, with their weights.
    """
    pooled = sharp.pooled
    if pooled is None:
        return measure
    slopes = sum(weight * pooled.slopes[..., column] for column, weight in form.items())
    return replace(measure, covariates=pooled.covariates, slopes=np.asarray(slopes))


def slightly_skewed(
    measures: Mapping[tuple[str, str], Measure], skew: Skew, varies: np.ndarray, most: float
) -> Mapping[tuple[str, str], float]:
    """The pooled skewness of the measures whose moments say that it is slight."""
    found, served = dict[tuple[str, str], float](), skew.slight(most)
    for key, measure in measures.items():
        single = measure.column(varies)
        if single is not None and served[single[0]]:
            found[key] = single[1] * float(skew.pooled[single[0]])
    return found
