"""The bridge: how the incremental revenue of an arm becomes its incremental profit.

Every line is a linear form of the moments that profit is one of, so margin and costs add up to it
whether arms are pooled, compared within strata, adjusted for covariates or made of households.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from upliftlab.analysis.contrasts import ADJUSTED, PLAIN, Contrast
from upliftlab.analysis.estimation import EstimationSpec
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
    study: EstimationSpec, subjects: Iterable[Contrast], currency: str | None
) -> tuple[Bridge, ...]:
    """The bridge of each arm overall and of each contact channel; empty without money.

    Args:
        study: What is compared.
        subjects: Every treated group in every place.
        currency: What money is counted in.
    """
    if study.roles is None:
        return ()
    return tuple(_bridge(subject, currency) for subject in subjects if subject.wide)


def _bridge(subject: Contrast, currency: str | None) -> Bridge:
    question, place = subject.question(), subject.place
    profit = question.incremental_profit()
    empty = Bridge(
        arm=subject.arm, dimension=place.dimension, level=place.level, decimals=0, note=profit.note
    )
    if profit.estimate is None:
        return empty
    revenue, margin = (
        _Line(step, subject.counted(Per.revenue), question.incremental(step, REVENUE))
        for step in (CostStep.revenue, CostStep.margin)
    )
    costs = tuple(_costs(subject))
    whole = (
        _Line(CostStep.cost, None, _less(question.incremental(CostStep.cost))),
        _Line(CostStep.profit, None, profit),
    )
    lines = (revenue, margin, *costs, *whole)
    digits = sum_digits(currency, *(_amount(line) for line in lines))
    parts = adding_up([_amount(line) for line in (margin, *costs)], profit.estimate, digits)
    spent = round(sum(parts[1:]), digits)
    amounts = (round(_amount(revenue), digits), *parts, spent, round(profit.estimate, digits))
    shown = tuple(_line(line, amount) for line, amount in zip(lines, amounts, strict=True))
    return empty.model_copy(update={"decimals": digits, "lines": shown, "note": None})


def _costs(subject: Contrast) -> Iterator[_Line]:
    """What the plan declares for any of the arms, as amounts below zero."""
    question, arms = subject.question(), _arms(subject)
    for step in COSTS:
        rates, per = {terms[step] for terms in arms}, step.line.per
        if per is Per.metric:
            yield from _further(subject, step)
        elif any(rates):
            alike = per is Per.revenue and len(rates) == 1
            asked = question.incremental(step, REVENUE if alike else "")
            yield _Line(step, subject.counted(per), _less(asked))


def _further(subject: Contrast, step: CostStep) -> Iterator[_Line]:
    """Costs that are metrics, a line for each."""
    roles = subject.study.roles
    for column in roles.further if roles else ():
        name = subject.study.columns[column]
        level = subject.level(ADJUSTED if subject.adjusts else PLAIN, name)
        each = difference(subject.sharp, column, level)
        whole = each.scaled(subject.pair.treated.n * subject.pair.size)
        yield _Line(step, name, _less(whole))


def _arms(subject: Contrast) -> tuple[ArmTerms, ...]:
    """The terms of every arm that is compared, the control's last."""
    study, level = subject.study, subject.place.level or ""
    treated = (subject.arm,) if subject.arm is not None else study.channels[level]
    return tuple(study.terms[arm] for arm in (*treated, study.control))


def _less(effect: Effect) -> Effect:
    """A cost as what it takes from profit; what is certain has no interval."""
    estimate, se = effect.estimate, effect.se
    if estimate is not None and se is not None and se <= _NEGLIGIBLE * abs(estimate):
        return Effect(_minus(estimate), 0.0, note=Note.same_for_all)
    return replace(
        effect,
        estimate=_minus(estimate),
        low=_minus(effect.high),
        high=_minus(effect.low),
    )


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _amount(line: _Line) -> float:
    """A line's estimate; there is one wherever profit has one."""
    estimate = line.effect.estimate
    assert estimate is not None  # noqa: S101 - the caller asked
    return estimate


def _line(line: _Line, amount: float) -> BridgeLine:
    found = line.effect
    return BridgeLine(
        kind=line.kind,
        metric=line.metric,
        estimate=amount,
        se=found.se,
        low=found.low,
        high=found.high,
        note=found.note,
    )
