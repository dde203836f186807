"""When events count: the outcome window of a metric, and the time of the same length before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from upliftlab.config.models import Metric

BEFORE = "_before"
"""What makes a metric's name the covariate over the time before the start."""
_START = timedelta(0)


def in_window(metric: Metric, window: timedelta | None) -> Metric:
    """A metric over events with the outcome window, where it declares no time of its own."""
    if metric.source is None or metric.during is not None or window is None:
        return metric
    return metric.model_copy(update={"during": (_START, window)})


def known_before(declared: Mapping[str, Metric]) -> list[str]:
    """The covariates that the declared metrics make possible."""
    return [f"{name}{BEFORE}" for name, m in declared.items() if m.has_before]


def before(metric: Metric) -> Metric:
    """A metric with a window, over the time of the same length that ends with the start.

    >>> orders = Metric.model_validate({"from": "orders", "count": True})
    >>> [edge.days for edge in before(in_window(orders, timedelta(days=28))).during]
    [-28, 0]
    """
    if metric.during is None:
        return metric
    first, last = metric.during
    return metric.model_copy(update={"during": (first - last, _START)})
