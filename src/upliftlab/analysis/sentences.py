"""What the verdict says: one sentence and the next action, from the same values as the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from upliftlab.results.analysis import (
    ArmVerdict,
    EstimandKind,
    Finding,
    Message,
    MetricInfo,
    Scalar,
    VerdictCode,
)
from upliftlab.results.ship_rule import ShipRule
from upliftlab.text.language import N_

_POWER = 0.8
_MOST = 100
"""Beyond so many times as many customers nobody is told to repeat an experiment."""


@dataclass(frozen=True, slots=True)
class ShipTarget:
    """What an arm must reach.

    Attributes:
        metric: `profit` or a metric.
        rule: The number of the interval that counts, and its threshold.
        hurdle: ROI that profit is asked for above.
        currency: Currency of money.
    """

    metric: str
    rule: ShipRule
    hurdle: float
    currency: str | None


_PLAIN = {
    VerdictCode.ship: N_(
        "{arm} pays: incremental profit {profit:money} ({low:money} to {high:money})."
    ),
    VerdictCode.stop: N_(
        "{arm} does not pay: incremental profit {profit:money} ({low:money} to {high:money})."
    ),
    VerdictCode.inconclusive: N_(
        "{arm} may or may not pay: incremental profit {profit:money} ({low:money} to {high:money})."
    ),
}
_WITH_ROI = {
    VerdictCode.ship: N_(
        "{arm} pays: incremental profit {profit:money} ({low:money} to {high:money}), "
        "ROI {roi:percent}."
    ),
    VerdictCode.stop: N_(
        "{arm} does not pay: incremental profit {profit:money} ({low:money} to "
        "{high:money}), ROI {roi:percent}."
    ),
}
_HURDLE = {
    VerdictCode.ship: N_(
        "{arm} clears the hurdle of {hurdle:percent}: incremental profit {profit:money} "
        "({low:money} to {high:money}), ROI {roi:percent}."
    ),
    VerdictCode.stop: N_(
        "{arm} stays below the hurdle of {hurdle:percent}: incremental profit "
        "{profit:money} ({low:money} to {high:money}), ROI {roi:percent}."
    ),
    VerdictCode.inconclusive: N_(
        "{arm} may or may not clear the hurdle of {hurdle:percent}: incremental profit "
        "{profit:money} ({low:money} to {high:money}), ROI {roi:percent}."
    ),
}
_RULE = {
    VerdictCode.ship: N_(
        "{arm} meets the rule {rule}: incremental profit {profit:money} ({low:money} to "
        "{high:money})."
    ),
    VerdictCode.stop: N_(
        "{arm} misses the rule {rule}: incremental profit {profit:money} ({low:money} to "
        "{high:money})."
    ),
    VerdictCode.inconclusive: N_(
        "{arm} may or may not meet the rule {rule}: incremental profit {profit:money} "
        "({low:money} to {high:money})."
    ),
}
_METRIC_RULE = {
    VerdictCode.ship: N_(
        "{arm} meets the rule {rule}: {metric} changes by {value:number} per customer "
        "({low:number} to {high:number})."
    ),
    VerdictCode.stop: N_(
        "{arm} misses the rule {rule}: {metric} changes by {value:number} per customer "
        "({low:number} to {high:number})."
    ),
    VerdictCode.inconclusive: N_(
        "{arm} may or may not meet the rule {rule}: {metric} changes by {value:number} per "
        "customer ({low:number} to {high:number})."
    ),
}
_UNJUDGED = N_("{arm} cannot be judged: {reason}.")


def guardrail_sentence(arm: str, metric: str) -> Message:
    """Why an arm is stopped whatever it earns."""
    text = N_("{arm} must stop: {metric} exceeds its limit, whatever else was gained.")
    return Message(template=text, values={"arm": arm, "metric": metric})


def money_sentence(best: ArmVerdict, asked: ShipTarget, findings: Sequence[Finding]) -> Message:
    """What an arm earned, for a decision on profit."""
    profit = _overall(findings, (EstimandKind.incremental_profit, None, best.arm))
    roi = _overall(findings, (EstimandKind.roi, None, best.arm)).estimate
    if profit.low is None and profit.high is None:
        return Message(template=_UNJUDGED, values={"arm": best.arm, "reason": profit.note})
    values: dict[str, Scalar] = {
        "arm": best.arm,
        "profit": profit.estimate,
        "low": profit.low,
        "high": profit.high,
    }
    if asked.rule.threshold != 0 or asked.rule.what == "estimate":
        return Message(template=_RULE[best.code], values={**values, "rule": str(asked.rule)})
    if roi is None:
        return Message(template=_PLAIN[best.code], values=values)
    values["roi"] = roi
    if asked.hurdle:
        return Message(template=_HURDLE[best.code], values={**values, "hurdle": asked.hurdle})
    if best.code in _WITH_ROI:
        return Message(template=_WITH_ROI[best.code], values=values)
    del values["roi"]
    return Message(template=_PLAIN[best.code], values=values)


_FALL_RULE = {
    VerdictCode.ship: N_(
        "{arm} meets the rule {rule} for the fall of {metric}, which changes by {value:number} per "
        "customer ({low:number} to {high:number})."
    ),
    VerdictCode.stop: N_(
        "{arm} misses the rule {rule} for the fall of {metric}, which changes by {value:number} "
        "per customer ({low:number} to {high:number})."
    ),
    VerdictCode.inconclusive: N_(
        "{arm} may or may not meet the rule {rule} for the fall of {metric}, which changes by "
        "{value:number} per customer ({low:number} to {high:number})."
    ),
}
_HIGHER = N_("Taken as: higher is better, as nothing says which direction of {metric} is good.")


def direction_taken(metric: str) -> Message:
    """That higher is taken to be better of a metric that declares no direction."""
    return Message(template=_HIGHER, values={"metric": metric})


_RAISES = {
    "number": N_(
        "{arm} raises {metric}: {value:number} per customer ({low:number} to {high:number})."
    ),
    "money": N_("{arm} raises {metric}: {value:money} per customer ({low:money} to {high:money})."),
    "share": N_("{arm} raises {metric}: {value:points} ({low:points} to {high:points})."),
}
_LOWERS = {
    "number": N_(
        "{arm} lowers {metric}: {value:number} per customer ({low:number} to {high:number})."
    ),
    "money": N_("{arm} lowers {metric}: {value:money} per customer ({low:money} to {high:money})."),
    "share": N_("{arm} lowers {metric}: {value:points} ({low:points} to {high:points})."),
}
_UNSETTLED = {
    "number": N_(
        "No effect of {arm} on {metric} was shown: {value:number} per customer "
        "({low:number} to {high:number})."
    ),
    "money": N_(
        "No effect of {arm} on {metric} was shown: {value:money} per customer "
        "({low:money} to {high:money})."
    ),
    "share": N_(
        "No effect of {arm} on {metric} was shown: {value:points} ({low:points} to {high:points})."
    ),
}


def metric_sentence(
    best: ArmVerdict, metric: MetricInfo, asked: ShipTarget, findings: Sequence[Finding]
) -> Message:
    """What an arm changed, for a decision on a metric."""
    finding = _overall(findings, (EstimandKind.difference, metric.name, best.arm))
    if finding.estimate is None or (finding.low is None and finding.high is None):
        return Message(template=_UNJUDGED, values={"arm": best.arm, "reason": finding.note})
    texts = _RAISES if finding.estimate > 0 else _LOWERS
    if best.code is VerdictCode.inconclusive:
        texts = _UNSETTLED
    values: dict[str, Scalar] = {
        "arm": best.arm,
        "metric": metric.title,
        "value": finding.estimate,
        "low": finding.low,
        "high": finding.high,
    }
    if asked.rule.threshold != 0 or asked.rule.what == "estimate":
        values["rule"] = str(asked.rule)
        rules = _FALL_RULE if metric.better == "lower" else _METRIC_RULE
        return Message(template=rules[best.code], values=values)
    return Message(template=texts[metric.unit], values=values)


_CHOSEN = N_(
    "{arm} is the best of {count:count} arms. The best of several is partly lucky, so its interval "
    "is made for all of them at once ({confidence:percent} each)."
)
_TAKEN = {
    "number": N_(
        "{arm} is the best of {count:count} arms. The best of several is partly lucky: its "
        "interval is made for all of them at once ({confidence:percent} each), and its effect "
        "is best taken for {value:number} per customer."
    ),
    "money": N_(
        "{arm} is the best of {count:count} arms. The best of several is partly lucky: its "
        "interval is made for all of them at once ({confidence:percent} each), and its effect "
        "is best taken for {value:money} per customer."
    ),
    "profit": N_(
        "{arm} is the best of {count:count} arms. The best of several is partly lucky: its "
        "interval is made for all of them at once ({confidence:percent} each), and its "
        "incremental profit is best taken for {value:money}."
    ),
    "share": N_(
        "{arm} is the best of {count:count} arms. The best of several is partly lucky: its "
        "interval is made for all of them at once ({confidence:percent} each), and its effect "
        "is best taken for {value:points}."
    ),
}


def selection(best: ArmVerdict, count: int, taken: tuple[str, float | None]) -> Message:
    """How the choice of one of several arms is allowed for.

    Args:
        best: The arm that is named.
        count: How many there are.
        taken: `profit` or the metric's unit, and what the effect in the sentence is best taken for.
    """
    values: dict[str, Scalar] = {"arm": best.arm, "count": count, "confidence": best.confidence}
    unit, value = taken
    if value is None:
        return Message(template=_CHOSEN, values=values)
    return Message(template=_TAKEN[unit], values={**values, "value": value})


def _overall(findings: Sequence[Finding], wanted: tuple[EstimandKind, str | None, str]) -> Finding:
    """An arm's overall number to go by of a kind; of any metric where None is named."""
    kind, metric, arm = wanted
    return next(
        finding
        for finding in findings
        if (finding.kind.plain, finding.arm, finding.dimension) == (kind, arm, None)
        and finding.headline
        and metric in (None, finding.metric)
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What next steps follow from.

    Attributes:
        best: The arm the verdict is about.
        arms: The verdicts of all arms.
        differ: Whether the arms' effects differ beyond chance.
        threshold: What the decision metric is held against, in the metric's own direction.
        confidence: Level of the intervals.
        uncertain: Whether intervals carry the standard errors of a table's values, which no
            number of customers makes smaller.
    """

    best: ArmVerdict
    arms: Sequence[ArmVerdict]
    differ: bool
    threshold: float
    confidence: float
    uncertain: bool = False


def action(found: Answers) -> Message:
    """What to do next."""
    best, arms = found.best, found.arms
    values: dict[str, Scalar] = {"arm": best.arm}
    if len(arms) > 1:
        values["count"] = len(arms)
    if best.code is VerdictCode.ship:
        return Message(template=_ship(found), values=values)
    if best.code is VerdictCode.stop:
        if len(arms) > 1:
            text = N_("Stop: none of the {count:count} arms reaches what was asked for.")
            return Message(template=text, values={"count": len(arms)})
        return Message(template=N_("Stop {arm}."), values=values)
    factor = _repeat(best, found.threshold, found.confidence)
    if factor is None:
        return Message(template=N_("Repeat with more customers."))
    if found.uncertain:
        text = N_(
            "Repeat with more customers, and know the table's values better: what is not known of "
            "them stays in the interval, however many customers there are."
        )
        return Message(template=text)
    if factor > _MOST:
        text = N_(
            "An effect of this size is too small for an experiment like this one: to settle it "
            "would take more than {most:count} times as many customers."
        )
        return Message(template=text, values={"most": _MOST})
    text = N_(
        "To settle an effect of this size with 80% power, repeat with about "
        "{factor:number} times as many customers."
    )
    return Message(template=text, values={"factor": factor})


def _ship(found: Answers) -> str:
    if len(found.arms) == 1:
        return N_("Contact with {arm}.")
    if found.differ:
        return N_("Contact with {arm}; it was the best of {count:count} arms.")
    return N_(
        "Contact with {arm}; it came out best of {count:count} arms, but they do not differ beyond "
        "chance."
    )


def _repeat(best: ArmVerdict, threshold: float, confidence: float) -> float | None:
    """How many times the sample would show an effect of this size with 80 % power."""
    if best.value is None or best.low is None or best.high is None:
        return None
    distance = abs(best.value - threshold)
    half = (best.high - best.low) / 2
    if distance <= half / 100:
        return None
    z = float(ndtri((1 + confidence) / 2))
    needed = ((z + float(ndtri(_POWER))) / z * half / distance) ** 2
    return max(1.1, round(needed, 1))
