"""How each kind of finding is called, shown and read."""

from __future__ import annotations

from typing import Final, Literal

from upliftlab.report.axis import Reference
from upliftlab.report.figure import Form, Teller
from upliftlab.report.index import Index, Quantity
from upliftlab.report.interval import Scale
from upliftlab.results.analysis import Kind, MetricInfo
from upliftlab.text.language import N_

MONEY: Final = (Kind.incremental_profit, Kind.roi, Kind.iroas, Kind.cost_per_conversion)
TITLES: Final = {
    Kind.difference: N_("Difference per customer"),
    Kind.adjusted_difference: N_("Adjusted difference"),
    Kind.relative_lift: N_("Relative change"),
    Kind.incremental_profit: N_("Incremental profit"),
    Kind.roi: N_("Incremental ROI"),
    Kind.iroas: N_("iROAS"),
    Kind.cost_per_conversion: N_("Cost per incremental conversion"),
    Kind.cace: N_("Effect on the contacted"),
}
HINTS: Final = {
    Kind.difference: N_("treated minus control"),
    Kind.adjusted_difference: N_("as if both arms had been alike before"),
    Kind.relative_lift: N_("against the control's mean"),
    Kind.incremental_profit: N_("total, after all campaign costs"),
    Kind.roi: N_("profit added per unit of cost added"),
    Kind.iroas: N_("revenue added per unit of cost added"),
    Kind.cost_per_conversion: N_("cost added per conversion added"),
    Kind.cace: N_("per customer contacted because assigned"),
}
_FORMS: Final = {
    Kind.relative_lift: Form("percent", signed=True),
    Kind.incremental_profit: Form("money"),
    Kind.roi: Form("percent"),
    Kind.iroas: Form("number"),
    Kind.cost_per_conversion: Form("money"),
}
_UNITS: Final = {
    "money": Form("money", signed=True),
    "share": Form("points", signed=True),
    "number": Form("number", signed=True),
}


def form(quantity: Quantity, index: Index) -> Form:
    """How a quantity's values are shown."""
    if quantity.kind in _FORMS:
        return _FORMS[quantity.kind]
    metric = index.metric(quantity.metric) if quantity.metric else index.primary
    return metric_form(metric)


def metric_form(metric: MetricInfo | None) -> Form:
    """How differences of a metric are shown."""
    return unit_form("number" if metric is None else metric.unit)


def unit_form(unit: Literal["money", "share", "number"]) -> Form:
    """How differences of what has a unit are shown."""
    return _UNITS[unit]


def scale(quantity: Quantity, index: Index) -> Scale:
    """How a column of a quantity is shown and what it is read against."""
    return Scale(form(quantity, index), _references(quantity.kind, index))


def title(quantity: Quantity, index: Index, teller: Teller) -> str:
    """The heading of a quantity's column; a difference names its metric."""
    text = teller.text(TITLES[quantity.kind])
    metric = index.metric(quantity.metric) if quantity.metric else None
    return text if metric is None else f"{metric.title}: {text}"


def _references(kind: Kind, index: Index) -> tuple[Reference, ...]:
    """Zero, which for profit and ROI is break-even, and the hurdle where one is set."""
    terms = index.analysis.terms
    if kind is Kind.cost_per_conversion:
        return ()
    if kind is Kind.iroas:
        return (Reference(1 / terms.margin),) if terms is not None and terms.margin > 0 else ()
    if kind is Kind.roi and terms is not None and terms.hurdle > 0:
        return (Reference(0.0), Reference(terms.hurdle, "hurdle"))
    return (Reference(0.0),)
