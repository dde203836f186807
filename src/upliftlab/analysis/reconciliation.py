"""Reconciliation: how the profits of a segment's levels add up to the arm's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.analysis.contrasts import Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.results.analysis import Note, Reconciliation
from upliftlab.results.costs import CostStep
from upliftlab.stats.heterogeneity import composition
from upliftlab.stats.moments import Array, Moments


def reconciled(
    spec: EstimationSpec, aggregates: Aggregates, contrasts: Collection[Contrast]
) -> tuple[Reconciliation, ...]:
    """The profit of each arm against that of each segment's levels; empty without money.

    A level without a control has no profit, and then neither has their sum. Levels too small for
    an interval count. Nothing is added up where money is adjusted for covariates.

    Args:
        spec: What is compared.
        aggregates: The projected aggregates.
        contrasts: Every treated group in every place.
    """
    if spec.roles is None:
        return ()
    adjusted = {(s.place.dimension, s.arm) for s in contrasts if s.adjusts}
    return tuple(
        Reconciliation(dimension=segment, arm=arm, note=Note.own_slopes)
        if {(None, arm), (segment, arm)} & adjusted
        else _reconciled(spec, aggregates, (segment, arm))
        for segment in dict.fromkeys(p.dimension for p in aggregates if p.dimension is not None)
        for arm in spec.treatments
    )


def _reconciled(
    spec: EstimationSpec, aggregates: Aggregates, named: tuple[str, str]
) -> Reconciliation:
    segment, arm = named
    empty = Reconciliation(dimension=segment, arm=arm)
    whole = aggregates[OVERALL]
    for name, note in ((arm, Note.few_treated), (spec.control, Note.few_control)):
        if name not in whole or whole[name].n < 2:  # noqa: PLR2004 - as for the total's interval
            return empty.model_copy(update={"note": note})
    levels = [groups for place, groups in aggregates.items() if place.dimension == segment]
    treated = _sums(spec, [groups.get(arm) for groups in levels])
    control = _sums(spec, [groups.get(spec.control) for groups in levels])
    means = np.divide(control[1], control[0], out=np.zeros(len(levels)), where=control[0] > 0)
    gap = composition(treated[0], control[0], means)
    ours, theirs = _sums(spec, [whole[arm]])[:, 0], _sums(spec, [whole[spec.control]])[:, 0]
    total = float(ours[1] - ours[0] * theirs[1] / theirs[0])
    if gap is None:
        return empty.model_copy(update={"total": total, "note": Note.few_control})
    added = float(treated[1].sum() - treated[0] @ means)
    # Compared within strata the total weighs customers in its own way: the rest holds that too.
    return empty.model_copy(update={"total": total, "levels": added, "composition": total - added})


def _sums(spec: EstimationSpec, groups: Sequence[Moments | None]) -> Array:
    """Customers and profit of groups in total, shape (2, groups)."""
    return np.array(list(_each(spec, groups)), dtype=np.float64).reshape(-1, 2).T


def _each(spec: EstimationSpec, groups: Sequence[Moments | None]) -> Iterator[tuple[float, float]]:
    for group in groups:
        if group is None:
            yield 0.0, 0.0
        else:
            size = 1.0 if spec.size is None else float(group.mean[spec.size])
            profit = float(group.mean[len(spec.columns) + CostStep.profit.column])
            yield group.n * size, group.n * profit
