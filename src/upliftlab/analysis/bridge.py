"""The bridge: how the incremental revenue of an arm becomes its incremental profit.

Every line is a linear form of the moments that profit is one of, so margin and costs add up to it
whether arms are pooled, compared within strata, adjusted for covariates or made of households.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.analysis.contrasts import Contrast
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.measures import ADJUSTED, PLAIN
from upliftlab.analysis.subsidy import subsidy
from upliftlab.money import REVENUE, ArmTerms
from upliftlab.results.analysis import Bridge, BridgeLine, Note
from upliftlab.results.costs import COSTS, CostStep, Per
from upliftlab.stats.effects import Effect, difference
from upliftlab.text.precision import adding_up, sum_digits

_NEGLIGIBLE: Final = 1e-9
"""A standard error this small a part of an amount is rounding."""


@dataclass(frozen=True, slots=True)
class _Line:
    kind: CostStep
    metric: str | None
    effect: Effect


def bridges(
    spec: EstimationSpec, contrasts: Iterable[Contrast], currency: str | None
) -> tuple[Bridge, ...]:
    """The bridge of each arm overall and of each contact channel; empty without money.

    Args:
        spec: What is compared.
        contrasts: Every treated group in every place.
        currency: What money is counted in.
    """
    if spec.roles is None:
        return ()
    return tuple(_bridge(contrast, currency) for contrast in contrasts if contrast.wide)


def _bridge(contrast: Contrast, currency: str | None) -> Bridge:
    question, place = contrast.question(), contrast.place
    profit = question.incremental_profit()
    empty = Bridge(
        arm=contrast.arm, dimension=place.dimension, level=place.level, decimals=0, note=profit.note
    )
    if profit.estimate is None:
        return empty
    revenue = _Line(
        CostStep.revenue,
        contrast.counted(Per.revenue),
        question.incremental(CostStep.revenue, REVENUE),
    )
    margin = _margin(contrast)
    costs = tuple(_costs(contrast))
    whole = (
        _Line(CostStep.cost, None, _less(question.incremental(CostStep.cost))),
        _Line(CostStep.profit, None, profit),
    )
    lines = (revenue, margin, *costs, *whole)
    digits = sum_digits(currency, *(_amount(line) for line in lines))
    parts = adding_up([_amount(line) for line in (margin, *costs)], profit.estimate, digits)
    spent = round(sum(parts[1:]), digits)
    amounts = (round(_amount(revenue), digits), *parts, spent, round(profit.estimate, digits))
    shown = tuple(
        _line(line, amount, parts[0]) for line, amount in zip(lines, amounts, strict=True)
    )
    told = {"decimals": digits, "lines": shown, "note": None, "subsidy": subsidy(contrast)}
    return empty.model_copy(update=told)


def _margin(contrast: Contrast) -> _Line:
    """Margin: distributed as revenue is where it is a share of it, else a metric by itself."""
    column = contrast.spec.roles.margin if contrast.spec.roles else None
    if column is not None:
        return _Line(CostStep.margin, contrast.spec.columns[column], _whole(contrast, column))
    effect = contrast.question().incremental(CostStep.margin, REVENUE)
    return _Line(CostStep.margin, contrast.counted(Per.revenue), effect)


def _costs(contrast: Contrast) -> Iterator[_Line]:
    """What the plan declares for any of the arms, as amounts below zero."""
    question, arms = contrast.question(), _arms(contrast)
    for step in COSTS:
        rates, per = {terms[step] for terms in arms}, step.line.per
        if per is Per.metric:
            yield from _further(contrast, step)
        elif any(rates):
            alike = per is Per.revenue and len(rates) == 1
            asked = question.incremental(step, REVENUE if alike else "")
            yield _Line(step, contrast.counted(per), _less(asked))


def _further(contrast: Contrast, step: CostStep) -> Iterator[_Line]:
    """Costs that are metrics, a line for each."""
    roles = contrast.spec.roles
    for column in roles.further if roles else ():
        yield _Line(step, contrast.spec.columns[column], _less(_whole(contrast, column)))


def _whole(contrast: Contrast, column: int) -> Effect:
    """The difference in a metric, of all treated customers."""
    level = contrast.level(ADJUSTED if contrast.adjusts else PLAIN, contrast.spec.columns[column])
    each = difference(contrast.sharp, column, level)
    return each.scaled(contrast.pair.treated.n * contrast.pair.size)


def _arms(contrast: Contrast) -> tuple[ArmTerms, ...]:
    """The terms of every arm that is compared, the control's last."""
    spec, level = contrast.spec, contrast.place.level or ""
    treated = (contrast.arm,) if contrast.arm is not None else spec.channels[level]
    return tuple(spec.terms[arm] for arm in (*treated, spec.control))


def _less(effect: Effect) -> Effect:
    """A cost as what it takes from profit; what is certain has no interval."""
    estimate, se = effect.estimate, effect.se
    if estimate is not None and se is not None and se <= _NEGLIGIBLE * abs(estimate):
        return Effect(0.0 - estimate, 0.0, note=Note.same_for_all)
    return effect.negated()


def _amount(line: _Line) -> float:
    """A line's estimate; there is one wherever profit has one."""
    estimate = line.effect.estimate
    assert estimate is not None  # noqa: S101 - the caller asked
    return estimate


def _line(line: _Line, amount: float, margin: float) -> BridgeLine:
    found, above = line.effect, (CostStep.revenue, CostStep.margin)
    kept = amount if line.kind is CostStep.profit else 0.0 - amount
    part = None if line.kind in above or margin <= 0 else kept / margin
    return BridgeLine(
        kind=line.kind,
        metric=line.metric,
        estimate=amount,
        se=found.se,
        low=found.low,
        high=found.high,
        note=found.note,
        of_margin=part,
    )
