"""How each kind of finding is called, shown and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from upliftlab.report.axis import Reference
from upliftlab.report.figure import FigureFormat, Formatter
from upliftlab.report.index import Found, Index, Quantity
from upliftlab.report.interval import Scale
from upliftlab.results.analysis import MetricInfo
from upliftlab.results.estimands import Estimand, EstimandKind

_UNITS: Final = {
    "money": FigureFormat("money", signed=True),
    "share": FigureFormat("points", signed=True),
    "number": FigureFormat("number", signed=True),
}


def form(quantity: Quantity, index: Index) -> FigureFormat:
    """How a quantity's values are shown."""
    estimand = quantity.kind.estimand
    if estimand.unit != "metric":
        return FigureFormat(estimand.unit, signed=estimand.signed)
    metric = index.metric(quantity.metric) if quantity.metric else index.primary
    return metric_form(metric)


def metric_form(metric: MetricInfo | None) -> FigureFormat:
    """How differences of a metric are shown."""
    return unit_form("number" if metric is None else metric.unit)


def unit_form(unit: Literal["money", "share", "number"]) -> FigureFormat:
    """How differences of what has a unit are shown."""
    return _UNITS[unit]


def scale(quantity: Quantity, index: Index) -> Scale:
    """How a column of a quantity is shown and what it is read against."""
    return Scale(form(quantity, index), tuple(_references(quantity.kind, index)))


def named(kind: EstimandKind, found: Iterable[Found | None]) -> Estimand:
    """The estimand by whose name a column goes: the adjusted one's where any of it is."""
    kinds = (one.finding.kind for one in found if one is not None)
    return next((other for other in kinds if other is not kind), kind).estimand


def title(
    quantity: Quantity, index: Index, formatter: Formatter, found: Iterable[Found | None] = ()
) -> str:
    """The heading of a quantity's column; a difference names its metric."""
    text = formatter.text(named(quantity.kind, found).label)
    metric = index.metric(quantity.metric) if quantity.metric else None
    return text if metric is None else f"{metric.title}: {text}"


def _references(kind: EstimandKind, index: Index) -> Iterator[Reference]:
    """Zero, which for profit and ROI is break-even, and the hurdle where one is set."""
    terms = index.analysis.terms
    for each in kind.estimand.reference:
        if each == "hurdle":
            if terms is not None and terms.hurdle > 0:
                yield Reference(terms.hurdle, "hurdle")
        elif each == "break_even":
            if terms is not None and terms.margin_metric is None and terms.margin > 0:
                yield Reference(1 / terms.margin)
        else:
            yield Reference(each)
