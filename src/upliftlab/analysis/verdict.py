"""The verdict: what the numbers say to do, in one word and one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from upliftlab.analysis.checks import closing_day
from upliftlab.analysis.cube import OVERALL, Cube
from upliftlab.analysis.findings import difference
from upliftlab.analysis.sentences import action, metric_sentence, money_sentence
from upliftlab.analysis.study import Study
from upliftlab.config.decision import ShipRule, parse_ship_if
from upliftlab.experiment import Plan
from upliftlab.language import N_, Language
from upliftlab.results import (
    ArmVerdict,
    Check,
    Finding,
    Message,
    Scalar,
    Severity,
    Verdict,
    VerdictCode,
)
from upliftlab.stats.adjust import holm
from upliftlab.stats.effects import Effect, two_sided_p

PROFIT = "profit"
_ENGLISH = Language("en")


@dataclass(frozen=True, slots=True)
class _Rule:
    """The decision rule: which number must lie above which threshold, in which currency."""

    currency: str | None
    metric: str
    ship_if: ShipRule


def decide(
    plan: Plan, study: Study, cube: Cube, checks: Sequence[Check], findings: Sequence[Finding]
) -> Verdict:
    """The verdict of an analysis.

    Args:
        plan: The decision rule.
        study: What is compared.
        cube: The projected cube.
        checks: The integrity checks; a failed critical one decides.
        findings: The overall findings, for the sentence.
    """
    rule = _rule(plan)
    failed = [c for c in checks if c.severity is Severity.critical and c.passed is False]
    if early := next((c for c in failed if c.name == "maturity"), None):
        failed.remove(early)
    if failed:
        return _invalid(rule, failed[0])
    if early:
        return _not_final(rule, str(closing_day(plan)))
    arms = _arms(plan, study, cube, rule)
    return _spoken(rule, arms, findings, plan)


def _rule(plan: Plan) -> _Rule:
    asked = plan.experiment
    metric = asked.decision.metric or (PROFIT if asked.money else asked.metrics.primary)
    rule = parse_ship_if(asked.decision.ship_if)
    return _Rule(plan.currency, PROFIT if metric == "roi" else metric, rule)


def _effect(plan: Plan, study: Study, cube: Cube, rule: _Rule, arm: str) -> Effect:
    """The decision metric's effect in its good direction."""
    pair = study.pair(cube[OVERALL], (arm,))
    if rule.metric == PROFIT:
        return study.question(pair).above_hurdle()
    effect = difference(pair, study.metrics.index(rule.metric), study.confidence)
    return _turned(effect) if plan.metrics[rule.metric].better == "lower" else effect


def _turned(effect: Effect) -> Effect:
    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    low, high = minus(effect.high), minus(effect.low)
    return Effect(minus(effect.estimate), effect.se, effect.df, low, high, effect.p, effect.note)


def _arms(plan: Plan, study: Study, cube: Cube, rule: _Rule) -> tuple[ArmVerdict, ...]:
    effects = {arm: _effect(plan, study, cube, rule, arm) for arm in study.treatments}
    tested = {arm: p for arm, effect in effects.items() if (p := _p(effect, rule)) is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True)) if tested else {}
    alpha = 1 - study.confidence
    return tuple(
        ArmVerdict(
            arm=arm,
            code=_code(effect, rule, adjusted.get(arm), alpha),
            value=effect.estimate,
            low=effect.low,
            high=effect.high,
            p=tested.get(arm),
            p_adjusted=adjusted.get(arm),
            note=effect.note,
        )
        for arm, effect in effects.items()
    )


def _p(effect: Effect, rule: _Rule) -> float | None:
    if effect.estimate is None or not effect.se or effect.df is None:
        return None
    return two_sided_p((effect.estimate - rule.ship_if.threshold) / effect.se, effect.df)


def _code(effect: Effect, rule: _Rule, p: float | None, alpha: float) -> VerdictCode:
    """SHIP above the threshold, STOP below it; Holm's p, as several arms are asked at once."""
    if effect.estimate is None or (rule.ship_if.what == "lower" and (p is None or p >= alpha)):
        return VerdictCode.inconclusive
    return VerdictCode.ship if effect.estimate > rule.ship_if.threshold else VerdictCode.stop


def _spoken(
    rule: _Rule, arms: tuple[ArmVerdict, ...], findings: Sequence[Finding], plan: Plan
) -> Verdict:
    best = max(arms, key=lambda a: (_RANK[a.code], a.value if a.value is not None else -math.inf))
    if rule.metric == PROFIT:
        sentence = money_sentence(best, findings)
    else:
        sentence = metric_sentence(best, (rule.metric, plan.metrics[rule.metric]), findings)
    confidence = plan.experiment.analysis.confidence
    following = action(best, arms, rule.ship_if.threshold, confidence)
    return _verdict(rule, (best.code, best.arm), sentence, following, arms)


_RANK = {VerdictCode.ship: 2, VerdictCode.inconclusive: 1, VerdictCode.stop: 0}


def _invalid(rule: _Rule, failed: Check) -> Verdict:
    text = N_("These numbers cannot be trusted: {reason}")
    sentence = Message(template=text, values={"reason": failed.message})
    following = Message(template=N_("Find and mend the cause, then analyse again."))
    return _verdict(rule, (VerdictCode.invalid, None), sentence, following)


def _not_final(rule: _Rule, day: str) -> Verdict:
    values: Mapping[str, Scalar] = {"date": day}
    sentence = Message(
        template=N_("The outcome window closes on {date:date}; until then there is no verdict."),
        values=dict(values),
    )
    following = Message(template=N_("Analyse again after {date:date}."), values=dict(values))
    return _verdict(rule, (VerdictCode.not_final, None), sentence, following)


def _verdict(
    rule: _Rule,
    head: tuple[VerdictCode, str | None],
    sentence: Message,
    following: Message,
    arms: tuple[ArmVerdict, ...] = (),
) -> Verdict:
    return Verdict(
        code=head[0],
        metric=rule.metric,
        arm=head[1],
        sentence=_ENGLISH.say(sentence, rule.currency),
        sentence_parts=sentence,
        next_action=_ENGLISH.say(following, rule.currency),
        next_action_parts=following,
        arms=arms,
    )
