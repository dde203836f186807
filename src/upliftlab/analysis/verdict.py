"""The verdict: what the numbers say to do, in one word and one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from upliftlab.analysis.checks import closing_day
from upliftlab.config.decision import ShipRule, parse_ship_if
from upliftlab.analysis.cube import OVERALL, Cube
from upliftlab.experiment import Plan
from upliftlab.analysis.findings import difference
from upliftlab.language import N_, Language
from upliftlab.results import (
    ArmVerdict,
    Check,
    Finding,
    Kind,
    Message,
    Scalar,
    Severity,
    Verdict,
    VerdictCode,
)
from upliftlab.stats.adjust import holm
from upliftlab.stats.effects import Effect, two_sided_p
from upliftlab.analysis.study import Study

PROFIT = "profit"
_POWER = 0.8
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
    return _spoken(rule, arms, cube, findings, plan)


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
    rule: _Rule,
    arms: tuple[ArmVerdict, ...],
    cube: Cube,
    findings: Sequence[Finding],
    plan: Plan,
) -> Verdict:
    best = max(arms, key=lambda a: (_RANK[a.code], a.value if a.value is not None else -1e308))
    if rule.metric == PROFIT:
        sentence = _money_sentence(best, findings)
    else:
        sentence = _metric_sentence(best, rule.metric, findings)
    action = _action(rule, best, arms, cube, plan)
    return _verdict(rule, (best.code, best.arm), sentence, action, arms)


_RANK = {VerdictCode.ship: 2, VerdictCode.inconclusive: 1, VerdictCode.stop: 0}


def _money_sentence(best: ArmVerdict, findings: Sequence[Finding]) -> Message:
    profit = _overall(findings, Kind.incremental_profit, best.arm)
    roi = _overall(findings, Kind.roi, best.arm)
    values: dict[str, Scalar] = {
        "arm": best.arm,
        "profit": profit.estimate,
        "low": profit.low,
        "high": profit.high,
    }
    if profit.low is None:
        return Message(
            template=N_("{arm} cannot be judged: {reason}."),
            values={"arm": best.arm, "reason": profit.note},
        )
    if best.code is VerdictCode.inconclusive:
        text = N_(
            "{arm} may or may not pay: incremental profit {profit:money} "
            "({low:money} to {high:money})."
        )
        return Message(template=text, values=values)
    if roi.estimate is None:
        with_roi = {
            VerdictCode.ship: N_(
                "{arm} pays: incremental profit {profit:money} ({low:money} to {high:money})."
            ),
            VerdictCode.stop: N_(
                "{arm} does not pay: incremental profit {profit:money} "
                "({low:money} to {high:money})."
            ),
        }
        return Message(template=with_roi[best.code], values=values)
    texts = {
        VerdictCode.ship: N_(
            "{arm} pays: incremental profit {profit:money} ({low:money} to {high:money}), "
            "ROI {roi:percent}."
        ),
        VerdictCode.stop: N_(
            "{arm} does not pay: incremental profit {profit:money} ({low:money} to {high:money}), "
            "ROI {roi:percent}."
        ),
    }
    return Message(template=texts[best.code], values={**values, "roi": roi.estimate})


def _metric_sentence(best: ArmVerdict, metric: str, findings: Sequence[Finding]) -> Message:
    finding = next(
        f
        for f in findings
        if (f.kind, f.metric, f.arm, f.dimension) == (Kind.difference, metric, best.arm, None)
    )
    if finding.estimate is None or finding.low is None:
        text = N_("{arm} cannot be judged: {reason}.")
        return Message(template=text, values={"arm": best.arm, "reason": finding.note})
    values: dict[str, Scalar] = {
        "arm": best.arm,
        "metric": metric,
        "value": finding.estimate,
        "low": finding.low,
        "high": finding.high,
    }
    text = N_(
        "No effect of {arm} on {metric} was shown: {value:number} per customer "
        "({low:number} to {high:number})."
    )
    if best.code is not VerdictCode.inconclusive:
        text = (
            N_(
                "{arm} raises {metric} by {value:number} per customer ({low:number} to {high:number})."
            )
            if finding.estimate > 0
            else N_(
                "{arm} lowers {metric}: {value:number} per customer ({low:number} to {high:number})."
            )
        )
    return Message(template=text, values=values)


def _overall(findings: Sequence[Finding], kind: Kind, arm: str) -> Finding:
    return next(f for f in findings if (f.kind, f.arm, f.dimension) == (kind, arm, None))


def _action(
    rule: _Rule, best: ArmVerdict, arms: tuple[ArmVerdict, ...], cube: Cube, plan: Plan
) -> Message:
    if best.code is VerdictCode.ship:
        if len(arms) > 1:
            text = N_("Contact with {arm}; it was the best of {count:count} arms.")
            return Message(template=text, values={"arm": best.arm, "count": len(arms)})
        return Message(template=N_("Contact with {arm}."), values={"arm": best.arm})
    if best.code is VerdictCode.stop:
        if len(arms) > 1:
            text = N_("Stop: none of the {count:count} arms pays.")
            return Message(template=text, values={"count": len(arms)})
        return Message(template=N_("Stop {arm}."), values={"arm": best.arm})
    smallest = min(
        (cube[OVERALL][arm].n for arm in (best.arm, plan.control) if arm in cube[OVERALL]),
        default=0,
    )
    factor = _repeat(rule, best, plan.experiment.analysis.confidence)
    if factor is None or smallest == 0:
        return Message(template=N_("Repeat with more customers."))
    text = N_("To settle it, repeat with about {factor:number} times as many customers.")
    return Message(template=text, values={"factor": factor})


def _repeat(rule: _Rule, best: ArmVerdict, confidence: float) -> float | None:
    """How many times the sample would show an effect of this size with 80 % power."""
    if best.value is None or best.low is None or best.high is None:
        return None
    distance = abs(best.value - rule.ship_if.threshold)
    half = (best.high - best.low) / 2
    if distance <= half / 100:
        return None
    z = float(ndtri((1 + confidence) / 2))
    needed = ((z + float(ndtri(_POWER))) / z * half / distance) ** 2
    return max(1.1, round(needed, 1))


def _invalid(rule: _Rule, failed: Check) -> Verdict:
    text = N_("These numbers cannot be trusted: {reason}")
    sentence = Message(template=text, values={"reason": failed.message})
    action = Message(template=N_("Find and mend the cause, then analyse again."))
    return _verdict(rule, (VerdictCode.invalid, None), sentence, action)


def _not_final(rule: _Rule, day: str) -> Verdict:
    values: Mapping[str, Scalar] = {"date": day}
    sentence = Message(
        template=N_("The outcome window closes on {date:date}; until then there is no verdict."),
        values=dict(values),
    )
    action = Message(template=N_("Analyse again after {date:date}."), values=dict(values))
    return _verdict(rule, (VerdictCode.not_final, None), sentence, action)


def _verdict(
    rule: _Rule,
    head: tuple[VerdictCode, str | None],
    sentence: Message,
    action: Message,
    arms: tuple[ArmVerdict, ...] = (),
) -> Verdict:
    return Verdict(
        code=head[0],
        metric=rule.metric,
        arm=head[1],
        sentence=_ENGLISH.say(sentence, rule.currency),
        sentence_parts=sentence,
        next_action=_ENGLISH.say(action, rule.currency),
        next_action_parts=action,
        arms=arms,
    )
