"""Means: what customers of each arm did on average, beside which effects are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.results.analysis import ArmMean
from upliftlab.stats.moments import Moments


def means_of(spec: EstimationSpec, groups: Mapping[str, Moments]) -> Iterator[ArmMean]:
    """Every metric's mean in every arm: the means whose difference is the plain one.

    Args:
        spec: What is compared.
        groups: The arms' moments as they are compared, within strata where there are any.
    """
    for metric in spec.metrics:
        above, below = spec.ratios.get(metric) or (spec.columns.index(metric), spec.size)
        for arm in (spec.control, *spec.treatments):
            if (group := groups.get(arm)) is None:
                continue
            divisor = 1.0 if below is None else float(group.mean[below])
            mean = float(group.mean[above]) / divisor if divisor else None
            yield ArmMean(metric=metric, arm=arm, mean=mean)
