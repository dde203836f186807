"""Rules about quantiles: of which metrics there are some."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upliftlab.config.mending import mending
from upliftlab.config.models import Metric
from upliftlab.config.models.experiment import PROFIT
from upliftlab.config.rules.metrics import is_share
from upliftlab.config.rules.registry import rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic
from upliftlab.util.nearest import closest, surely

MOST: Final = 12
"""Quantiles of one metric: more are a distribution, which is shown beside them."""


@rule(
    "UL157",
    "Quantiles of what has none",
    "'quantiles' names measured metrics that are a number of each customer, no ratio and no 0 or "
    "1, and each quantile once, twelve at most; customers are what is randomised.",
    wrong="metrics: {primary: spent, quantiles: {spend: [median]}}",
    right="metrics: {primary: spent, quantiles: {spent: [median, p90]}}",
)
def quantiles(scope: Scope) -> Iterator[Diagnostic]:
    """UL157: quantiles are of numbers of customers, once each."""
    asked = scope.plan.experiment.metrics.quantiles
    if asked and scope.plan.households is not None:
        place = scope.at("metrics", "quantiles", key=True)
        message = "quantiles are of customers drawn one by one, and households were drawn"
        yield Diagnostic("UL157", message, "remove 'quantiles'; means allow for households", place)
    for name, shares in asked.items():
        if told := _none_of(scope, name):
            place = scope.at("metrics", "quantiles", name, key=True)
            yield mending(Diagnostic("UL157", *told, place), _meant(scope, name))
        if not 0 < len(shares) <= MOST:
            message = f"{len(shares)} quantiles of '{name}' are asked"
            place = scope.at("metrics", "quantiles", name)
            yield Diagnostic("UL157", message, f"name 1 to {MOST}, such as [median, p90]", place)
        for at, share in enumerate(shares):
            if share in shares[:at]:
                message = f"the {float(share):.6g} quantile of '{name}' is asked twice"
                place = scope.at("metrics", "quantiles", name, at)
                yield Diagnostic("UL157", message, "name each once: median is 0.5", place)


def _known(scope: Scope) -> dict[str, Metric]:
    plan = scope.plan
    return {name: plan.metrics[name] for name in plan.measured if name in plan.metrics}


def _meant(scope: Scope, name: str) -> str | None:
    """The metric that is surely meant and has quantiles, of which none are asked yet."""
    near = None if name in _known(scope) else surely(name, _known(scope), cutoff=0.6)
    if near is None or near in scope.plan.experiment.metrics.quantiles:
        return None
    return near if _none_of(scope, near) is None else None


def _none_of(scope: Scope, name: str) -> tuple[str, str] | None:
    """Why a metric has no quantile, and what to do; None where it has."""
    known = _known(scope)
    if name == PROFIT and name not in known:
        return "profit is of an arm and has no quantile", "name a metric, such as that of revenue"
    if name not in known:
        near = closest(name, list(known), cutoff=0.6)
        remedy = f"did you mean '{near}'?" if near else f"measure it too: 'secondary: [{name}]'"
        return f"the metric '{name}' is not measured", remedy
    if known[name].missing == "drop":
        remedy = "take it away here, or write 'missing: zero' at the metric"
        return f"the metric '{name}' leaves customers out, so that it has no quantile", remedy
    if known[name].kind.is_ratio:
        remedy = "name one of its two metrics"
        return f"the metric '{name}' is a ratio of totals, which has no quantile", remedy
    if is_share(scope, name):
        remedy = "take it away here: its mean is the share"
        return f"the metric '{name}' is 0 or 1 for each customer", remedy
    return None
