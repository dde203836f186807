"""How each kind of finding is called, shown and read."""

from __future__ import annotations

from typing import Final, Literal

from upliftlab.report.axis import Reference
from upliftlab.report.figure import FigureFormat, Formatter
from upliftlab.report.index import Index, Quantity
from upliftlab.report.interval import Scale
from upliftlab.results.analysis import EstimandKind, MetricInfo
from upliftlab.text.language import N_

MONEY: Final = (
    EstimandKind.incremental_profit,
    EstimandKind.roi,
    EstimandKind.iroas,
    EstimandKind.cost_per_conversion,
)
TITLES: Final = {
    EstimandKind.difference: N_("Difference per customer"),
    EstimandKind.adjusted_difference: N_("Adjusted difference"),
    EstimandKind.relative_lift: N_("Relative change"),
    EstimandKind.incremental_profit: N_("Incremental profit"),
    EstimandKind.roi: N_("Incremental ROI"),
    EstimandKind.iroas: N_("iROAS"),
    EstimandKind.cost_per_conversion: N_("Cost per incremental conversion"),
    EstimandKind.cace: N_("Effect on the contacted"),
}
HINTS: Final = {
    EstimandKind.difference: N_("treated minus control"),
    EstimandKind.adjusted_difference: N_("as if both arms had been alike before"),
    EstimandKind.relative_lift: N_("against the control's mean"),
    EstimandKind.incremental_profit: N_("total, after all campaign costs"),
    EstimandKind.roi: N_("profit added per unit of cost added"),
    EstimandKind.iroas: N_("revenue added per unit of cost added"),
    EstimandKind.cost_per_conversion: N_("cost added per conversion added"),
    EstimandKind.cace: N_("per customer contacted because assigned"),
}
_FORMS: Final = {
    EstimandKind.relative_lift: FigureFormat("percent", signed=True),
    EstimandKind.incremental_profit: FigureFormat("money"),
    EstimandKind.roi: FigureFormat("percent"),
    EstimandKind.iroas: FigureFormat("number"),
    EstimandKind.cost_per_conversion: FigureFormat("money"),
}
_UNITS: Final = {
    "money": FigureFormat("money", signed=True),
    "share": FigureFormat("points", signed=True),
    "number": FigureFormat("number", signed=True),
}


def form(quantity: Quantity, index: Index) -> FigureFormat:
    """How a quantity's values are shown."""
    if quantity.kind in _FORMS:
        return _FORMS[quantity.kind]
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
    return Scale(form(quantity, index), _references(quantity.kind, index))


def title(quantity: Quantity, index: Index, teller: Formatter) -> str:
    """The heading of a quantity's column; a difference names its metric."""
    text = teller.text(TITLES[quantity.kind])
    metric = index.metric(quantity.metric) if quantity.metric else None
    return text if metric is None else f"{metric.title}: {text}"


def _references(kind: EstimandKind, index: Index) -> tuple[Reference, ...]:
    """Zero, which for profit and ROI is break-even, and the hurdle where one is set."""
    terms = index.analysis.terms
    if kind is EstimandKind.cost_per_conversion:
        return ()
    if kind is EstimandKind.iroas:
        return (Reference(1 / terms.margin),) if terms is not None and terms.margin > 0 else ()
    if kind is EstimandKind.roi and terms is not None and terms.hurdle > 0:
        return (Reference(0.0), Reference(terms.hurdle, "hurdle"))
    return (Reference(0.0),)
