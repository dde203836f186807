"""The answer on the first screen: did it pay, how sure are we, what next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from upliftlab.report.axis import Axis, Reference
from upliftlab.report.facts import facts
from upliftlab.report.figure import Figure, FigureFormat, Formatter, Sentence
from upliftlab.report.hurdle import hurdle_sums
from upliftlab.report.index import Index, Quantity, RowKey
from upliftlab.report.interval import Interval, Scale, Value, draw
from upliftlab.report.quantity import metric_form, scale, title
from upliftlab.report.roi_map import RoiMap, roi_map
from upliftlab.report.steps import steps
from upliftlab.results.analysis import (
    ArmVerdict,
    EstimandKind,
    Message,
    Scalar,
    Verdict,
    VerdictCode,
)
from upliftlab.results.costs import CostStep
from upliftlab.results.ship_rule import parse_ship_if
from upliftlab.text.language import N_

_PROFIT: Final = "profit"
_WIDE: Final = 300
_LABELS: Final = {
    VerdictCode.ship: N_("SHIP"),
    VerdictCode.stop: N_("STOP"),
    VerdictCode.inconclusive: N_("INCONCLUSIVE"),
    VerdictCode.not_final: N_("NOT FINAL"),
    VerdictCode.invalid: N_("INVALID"),
}
_MEANINGS: Final = {
    VerdictCode.ship: N_("The decision rule is met, with several arms allowed for."),
    VerdictCode.stop: N_("The decision rule is clearly missed, with several arms allowed for."),
    VerdictCode.inconclusive: N_("The data allow both success and failure."),
    VerdictCode.not_final: N_("Numbers may still change: outcomes are not complete."),
    VerdictCode.invalid: N_("A critical check failed, so no effect and no money is shown."),
}


_FALL_RULES: Final = {
    ("lower", True): N_("{metric}, the lower end of its fall's interval must be above {threshold}"),
    ("lower", False): N_(
        "{metric}, the lower end of its fall's interval must be at least {threshold}"
    ),
    ("estimate", True): N_("{metric}, the estimate of its fall must be above {threshold}"),
    ("estimate", False): N_("{metric}, the estimate of its fall must be at least {threshold}"),
}
_RULES: Final = {
    ("lower", True): N_("{metric}, the lower end of its interval must be above {threshold}"),
    ("lower", False): N_("{metric}, the lower end of its interval must be at least {threshold}"),
    ("estimate", True): N_("{metric}, the estimate must be above {threshold}"),
    ("estimate", False): N_("{metric}, the estimate must be at least {threshold}"),
}


@dataclass(frozen=True, slots=True)
class HeadlineNumber:
    """One of the numbers the answer rests on."""

    title: str
    interval: Interval
    axis: Axis | None


@dataclass(frozen=True, slots=True)
class ArmRow:
    """The answer for one arm."""

    arm: str
    slug: str
    label: str
    interval: Interval | None
    p: Figure | None
    p_adjusted: Figure | None


@dataclass(frozen=True, slots=True)
class ArmTable:
    """The answers arm by arm, on the metric that decides."""

    caption: str
    column: str
    axis: Axis | None
    rows: tuple[ArmRow, ...]
    tested: bool
    against: str
    """What p tests."""
    corrected: bool
    at_once: bool
    """Whether its intervals are made for all arms at once; older analyses' are not."""


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The verdict as the page says it."""

    slug: str
    label: str
    meaning: str
    rule: Sentence
    hurdle: Figure | None
    sentence: Sentence
    remarks: tuple[Sentence, ...]
    """What the sentence takes for granted."""
    promises: tuple[Sentence, ...]
    """What was promised for the list, and what came."""
    look: Sentence | None
    """Which of several looks this is."""
    selection: Sentence | None
    """How the choice among several arms is allowed for."""
    next_action: Sentence
    arm: str | None
    facts: tuple[Sentence, ...]
    """When, for how long and of how many."""
    hurdle_sums: tuple[Sentence, ...]
    """What the hurdle takes of each arm's profit."""
    confidence: Figure | None
    """Of every interval of the page; None where none is shown."""
    headlines: tuple[HeadlineNumber, ...]
    arms: ArmTable | None
    steps: tuple[Sentence, ...]
    """What follows the next action, with amounts."""
    map: RoiMap | None
    """What every arm earned in every segment."""


def answer(index: Index, formatter: Formatter) -> VerdictView:
    """What the first screen says."""
    verdict = index.analysis.verdict
    invalid = verdict.code is VerdictCode.invalid
    arm, look, promise = _subject(index), index.analysis.look, index.analysis.promise
    return VerdictView(
        slug=slug(verdict.code),
        label=formatter.text(_LABELS[verdict.code]),
        meaning=formatter.text(_MEANINGS[verdict.code]),
        rule=_rule(index, formatter),
        hurdle=_hurdle(index, formatter),
        sentence=_sentence(index, formatter),
        remarks=tuple(
            formatter.sentence(remark, f"/verdict/remarks/{at}")
            for at, remark in enumerate(verdict.remarks)
        ),
        promises=tuple(
            formatter.sentence(kept.sentence_parts, f"/promise/arms/{at}/sentence_parts")
            for at, kept in enumerate(promise.arms if promise else ())
        ),
        look=None if look is None else formatter.sentence(look.parts, "/look/parts"),
        selection=None
        if (chosen := verdict.selection_parts) is None
        else formatter.sentence(chosen, "/verdict/selection_parts"),
        next_action=formatter.sentence(verdict.next_action_parts, "/verdict/next_action_parts"),
        arm=None if arm is None else index.called(arm),
        facts=facts(index, formatter),
        hurdle_sums=() if invalid else hurdle_sums(index, formatter),
        confidence=None
        if invalid
        else formatter.declared(index.analysis.confidence, "/confidence"),
        headlines=() if invalid or arm is None else _headlines(arm, index, formatter),
        arms=_arms(index, formatter) if len(verdict.arms) > 1 and not invalid else None,
        steps=steps(index, formatter),
        map=None if invalid else roi_map(index, formatter),
    )


def _rule(index: Index, formatter: Formatter) -> Sentence:
    """The rule by which an arm is adopted, in words."""
    decision = index.analysis.decision
    rule, metric = parse_ship_if(decision.ship_if), index.metric(decision.metric)
    named = decision.metric if metric is None else metric.title
    if decision.metric == _PROFIT:
        named = formatter.text(EstimandKind.incremental_profit.estimand.label)
    values: dict[str, Scalar] = {"metric": named, "threshold": f"{rule.threshold:g}"}
    rules = _FALL_RULES if metric is not None and metric.better == "lower" else _RULES
    return formatter.sentence(Message(template=rules[rule.what, rule.strict], values=values), "")


def _hurdle(index: Index, formatter: Formatter) -> Figure | None:
    """The hurdle that belongs to the rule, where one was set."""
    hurdle = index.analysis.decision.hurdle
    return formatter.declared(hurdle, "/decision/hurdle") if hurdle else None


def slug(code: VerdictCode) -> str:
    """The verdict as a class name."""
    return code.value.lower().replace(" ", "-")


def _subject(index: Index) -> str | None:
    """The arm the numbers beside the verdict are about."""
    named = index.analysis.verdict.arm
    only = index.treated[0] if len(index.treated) == 1 else None
    return only if named is None else named


def _sentence(index: Index, formatter: Formatter) -> Sentence:
    """The verdict's sentence; a reason that is a check's message is said in the page's language."""
    parts, key = index.analysis.verdict.sentence_parts, "/verdict/sentence_parts"
    start, reason, end = formatter.text(parts.template).partition("{reason}")
    messages = [check.message for check in index.analysis.checks]
    if not reason or parts.values.get("reason") not in messages:
        return formatter.sentence(parts, key)
    i = messages.index(str(parts.values["reason"]))
    before, after = (Message(template=text, values=parts.values) for text in (start, end))
    return (
        *formatter.sentence(before, key),
        *formatter.sentence(index.analysis.checks[i].parts, f"/checks/{i}/parts"),
        *formatter.sentence(after, key),
    )


def _headlines(arm: str, index: Index, formatter: Formatter) -> tuple[HeadlineNumber, ...]:
    money = (Quantity(EstimandKind.incremental_profit), Quantity(EstimandKind.roi))
    primary = index.primary.name if index.primary else None
    effects = (
        Quantity(EstimandKind.difference, primary),
        Quantity(EstimandKind.relative_lift, primary),
    )
    chosen = money if index.get(money[0], RowKey(arm)) else effects
    found = (_headline(quantity, arm, index, formatter) for quantity in chosen)
    told = tuple(headline for headline in found if headline is not None)
    return (*told, *_revenue(arm, index, formatter))


def _revenue(arm: str, index: Index, formatter: Formatter) -> Iterator[HeadlineNumber]:
    """What the arm brought beyond the control, before any cost."""
    if (found := index.line(arm, CostStep.revenue)) is None:
        return
    key, line = found
    value = Value(line.estimate, line.low, line.high, line.note, key)
    drawn = draw([value], Scale(FigureFormat("money"), (Reference(0.0),), _WIDE), formatter)
    if (told := drawn.intervals[0]) is not None:
        yield HeadlineNumber(formatter.text(line.kind.line.title), told, drawn.axis)


def _headline(
    quantity: Quantity, arm: str, index: Index, formatter: Formatter
) -> HeadlineNumber | None:
    found = index.named(quantity, arm) or index.get(quantity, RowKey(arm))
    if found is None:
        return None
    narrow = scale(quantity, index)
    drawn = draw([found.value], Scale(narrow.form, narrow.references, _WIDE), formatter)
    told = drawn.intervals[0]
    return (
        None
        if told is None
        else HeadlineNumber(title(quantity, index, formatter, [found]), told, drawn.axis)
    )


def _arms(index: Index, formatter: Formatter) -> ArmTable:
    verdict = index.analysis.verdict
    values = [_value(arm, i) for i, arm in enumerate(verdict.arms)]
    drawn = draw(values, Scale(_form(verdict, index), (Reference(0.0),)), formatter)
    rows = tuple(
        ArmRow(
            arm=index.called(arm.arm),
            slug=slug(arm.code),
            label=formatter.text(_LABELS[arm.code]),
            interval=drawn.intervals[i],
            p=_p(arm.p, f"/verdict/arms/{i}/p", formatter),
            p_adjusted=_p(arm.p_adjusted, f"/verdict/arms/{i}/p_adjusted", formatter),
        )
        for i, arm in enumerate(verdict.arms)
    )
    return ArmTable(
        caption=formatter.text(N_("Verdict per arm")),
        column=_decided_on(verdict, index, formatter),
        axis=drawn.axis,
        rows=rows,
        tested=_any(row.p for row in rows),
        against=formatter.text(_against(verdict, index)),
        corrected=_any(row.p_adjusted for row in rows),
        at_once=all(arm.confidence is not None for arm in verdict.arms),
    )


def _value(arm: ArmVerdict, i: int) -> Value:
    return Value(arm.value, arm.low, arm.high, arm.note, f"/verdict/arms/{i}", "value")


def _form(verdict: Verdict, index: Index) -> FigureFormat:
    money = FigureFormat("money")
    return money if verdict.metric == _PROFIT else metric_form(index.metric(verdict.metric))


def _decided_on(verdict: Verdict, index: Index, formatter: Formatter) -> str:
    terms = index.analysis.terms
    if verdict.metric == _PROFIT:
        hurdle = terms is not None and terms.hurdle > 0
        return formatter.text(
            N_("Incremental profit less the hurdle's share of cost")
            if hurdle
            else EstimandKind.incremental_profit.estimand.label
        )
    metric = index.metric(verdict.metric)
    return verdict.metric if metric is None else metric.title


def _against(verdict: Verdict, index: Index) -> str:
    terms, rule = index.analysis.terms, parse_ship_if(index.analysis.decision.ship_if)
    if verdict.metric == _PROFIT and terms is not None and terms.hurdle > 0:
        return N_("against the hurdle")
    return N_("against zero") if rule.threshold == 0 else N_("against the rule's threshold")


def _p(value: float | None, key: str, formatter: Formatter) -> Figure | None:
    return None if value is None else formatter.figure(value, key, FigureFormat("p"))


def _any(figures: Iterable[Figure | None]) -> bool:
    return any(figure is not None for figure in figures)
