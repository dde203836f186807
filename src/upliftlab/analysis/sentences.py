"""What the verdict says: one sentence and the next action, from the same values as the tables."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import ndtri

from upliftlab.experiment import Metric
from upliftlab.language import N_
from upliftlab.results import ArmVerdict, Finding, Kind, Message, Scalar, VerdictCode

_POWER = 0.8
_WITHOUT_ROI = {
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
        "{arm} does not pay: incremental profit {profit:money} ({low:money} to {high:money}), "
        "ROI {roi:percent}."
    ),
}
_UNJUDGED = N_("{arm} cannot be judged: {reason}.")


def money_sentence(best: ArmVerdict, findings: Sequence[Finding]) -> Message:
    """What an arm earned, for a decision on profit."""
    profit = _overall(findings, (Kind.incremental_profit, None, best.arm))
    roi = _overall(findings, (Kind.roi, None, best.arm)).estimate
    if profit.low is None:
        return Message(template=_UNJUDGED, values={"arm": best.arm, "reason": profit.note})
    values: dict[str, Scalar] = {
        "arm": best.arm,
        "profit": profit.estimate,
        "low": profit.low,
        "high": profit.high,
    }
    if roi is not None and best.code in _WITH_ROI:
        return Message(template=_WITH_ROI[best.code], values={**values, "roi": roi})
    return Message(template=_WITHOUT_ROI[best.code], values=values)


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
    best: ArmVerdict, named: tuple[str, Metric], findings: Sequence[Finding]
) -> Message:
    """What an arm changed, for a decision on a metric."""
    name, metric = named
    finding = _overall(findings, (Kind.difference, name, best.arm))
    if finding.estimate is None or finding.low is None:
        return Message(template=_UNJUDGED, values={"arm": best.arm, "reason": finding.note})
    texts = _RAISES if finding.estimate > 0 else _LOWERS
    if best.code is VerdictCode.inconclusive:
        texts = _UNSETTLED
    values: dict[str, Scalar] = {
        "arm": best.arm,
        "metric": metric.title or name,
        "value": finding.estimate,
        "low": finding.low,
        "high": finding.high,
    }
    return Message(template=texts[metric.unit or "number"], values=values)


def _overall(findings: Sequence[Finding], wanted: tuple[Kind, str | None, str]) -> Finding:
    """The overall finding of a kind for an arm; of any metric where None is named."""
    kind, metric, arm = wanted
    return next(
        finding
        for finding in findings
        if (finding.kind, finding.arm, finding.dimension) == (kind, arm, None)
        and metric in (None, finding.metric)
    )


def action(
    best: ArmVerdict, arms: Sequence[ArmVerdict], threshold: float, confidence: float
) -> Message:
    """What to do next.

    Args:
        best: The arm the verdict is about.
        arms: The verdicts of all arms.
        threshold: What the decision metric is held against.
        confidence: Level of the intervals.
    """
    if best.code is VerdictCode.ship:
        if len(arms) > 1:
            text = N_("Contact with {arm}; it was the best of {count:count} arms.")
            return Message(template=text, values={"arm": best.arm, "count": len(arms)})
        return Message(template=N_("Contact with {arm}."), values={"arm": best.arm})
    if best.code is VerdictCode.stop:
        if len(arms) > 1:
            text = N_("Stop: none of the {count:count} arms reaches what was asked for.")
            return Message(template=text, values={"count": len(arms)})
        return Message(template=N_("Stop {arm}."), values={"arm": best.arm})
    factor = _repeat(best, threshold, confidence)
    if factor is None:
        return Message(template=N_("Repeat with more customers."))
    text = N_("To settle it, repeat with about {factor:number} times as many customers.")
    return Message(template=text, values={"factor": factor})


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
