"""Percentages that may be meant otherwise: taken as they are written, and said to be."""

from __future__ import annotations

from collections.abc import Iterator

from upliftlab.config.rules.registry import notice_rule
from upliftlab.config.scope import Scope
from upliftlab.errors import Diagnostic

_SMALL = 0.01
_LOW, _WHOLE = 50, 100


@notice_rule(
    "UL164",
    "Percentage taken at its word",
    "A margin below 1 % is taken as it is written, and so is a cap without a percent sign, which "
    "is an amount; `check` says so where a share or a percentile looks likelier.",
    wrong="currency: EUR\nmoney: {revenue: spent, margin: 0.4%}",
    right="currency: EUR\nmoney: {revenue: spent, margin: 40%}",
)
def percentages(scope: Scope) -> Iterator[Diagnostic]:
    """UL164: what may be meant as a percentage or a share is told as what it is taken for."""
    money = scope.plan.experiment.money
    if money is not None and isinstance(money.margin, float) and 0 < money.margin < _SMALL:
        written = scope.document.get("money", "margin")
        message = f"the margin {written} is taken as {money.margin * 1000:g} in 1,000"
        remedy = (
            f"if {money.margin * _WHOLE:g} of revenue is meant, write {money.margin * 10_000:g}%"
        )
        yield Diagnostic("UL164", message, remedy, scope.at("money", "margin"), "notice")
    for name, cap in scope.plan.experiment.analysis.winsorize.items():
        share = cap.value * (_WHOLE if cap.value < 1 else 1)
        if cap.kind == "amount" and _LOW <= share < _WHOLE:
            message = f"'{name}' is cut at the amount {cap.value:g}, not at a percentile"
            remedy = f"if the percentile is meant, write {share:g}%"
            place = scope.at("analysis", "winsorize", name)
            yield Diagnostic("UL164", message, remedy, place, "notice")
