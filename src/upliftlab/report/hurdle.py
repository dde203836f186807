"""What the hurdle takes of each arm's profit: the sum by which a rule on profit decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upliftlab.report.figure import FigureFormat, Formatter, Sentence
from upliftlab.report.index import Index, Quantity, RowKey
from upliftlab.results.costs import CostStep
from upliftlab.results.estimands import EstimandKind
from upliftlab.text.language import N_

_MONEY: Final = FigureFormat("money")
_SUM: Final = N_(
    "{arm}: {profit} incremental profit less {hurdle} of {cost} added cost leaves {value}, which "
    "the decision rule asks about."
)


def hurdle_sums(index: Index, formatter: Formatter) -> tuple[Sentence, ...]:
    """One sum for each arm that profit above a hurdle decides; none without a hurdle."""
    asked = index.analysis.verdict.metric == "profit" and index.analysis.decision.hurdle
    return tuple(_sums(index, formatter)) if asked else ()


def _sums(index: Index, formatter: Formatter) -> Iterator[Sentence]:
    for i, arm in enumerate(index.analysis.verdict.arms):
        profit = index.get(Quantity(EstimandKind.incremental_profit), RowKey(arm.arm))
        earned = None if profit is None else profit.finding.estimate
        cost = index.line(arm.arm, CostStep.cost)
        if profit is None or earned is None or arm.value is None or cost is None:
            continue
        digits = formatter.digits(_MONEY, [arm.value, arm.low, arm.high])
        parts = {
            "arm": index.called(arm.arm),
            "profit": formatter.figure(earned, f"{profit.key}/estimate", _MONEY, digits),
            "hurdle": formatter.declared(index.analysis.decision.hurdle, "/decision/hurdle"),
            "cost": formatter.multiple(
                cost[1].estimate, -1, f"{cost[0]}/estimate", _MONEY.kind, digits
            ),
            "value": formatter.figure(arm.value, f"/verdict/arms/{i}/value", _MONEY, digits),
        }
        yield formatter.composed(_SUM, parts)
