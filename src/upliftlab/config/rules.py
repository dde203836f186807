"""Rules across the fields of one experiment: each a small function with a code of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise

from upliftlab.config.models.limits import Tolerance
from upliftlab.config.models.values import format_duration
from upliftlab.config.rules_engine import ENGINE_RULES
from upliftlab.config.rules_money import MONEY_RULES
from upliftlab.config.rules_privacy import PRIVACY_RULES
from upliftlab.config.rules_time import KNOWN_BEFORE_RULES
from upliftlab.config.rules_uplift import UPLIFT_RULES
from upliftlab.config.scope import Scope
from upliftlab.config.shape import closest
from upliftlab.config.shared_rules import RESERVED_SEGMENTS
from upliftlab.errors import Diagnostic
from upliftlab.results.ship_rule import parse_ship_if

NOTHING = timedelta(0)


def plan_faults(scope: Scope) -> list[Diagnostic]:
    """Every rule of this experiment that is broken."""
    return [fault for rule in PLAN_RULES for fault in rule(scope)]


def shares_sum(scope: Scope) -> Iterator[Diagnostic]:
    """UL101: the arms' shares sum to at most 100 %."""
    total = sum(arm.share or 0 for arm in scope.plan.arms.values())
    if total > 1:
        message = f"the arms' shares sum to {float(total * 100):g} %, more than 100 %"
        yield Diagnostic("UL101", message, "lower some shares", scope.at("arms", key=True))


def shares_whole(scope: Scope) -> Iterator[Diagnostic]:
    """UL102: where one arm declares a share, all do."""
    without = [name for name, arm in scope.plan.arms.items() if arm.share is None]
    if 0 < len(without) < len(scope.plan.arms):
        message = f"arm '{without[0]}' declares no share, but another arm does"
        remedy = "declare a share for every arm, or for none (then shares are equal)"
        yield Diagnostic("UL102", message, remedy, scope.at("arms", without[0], key=True))


def shares_positive(scope: Scope) -> Iterator[Diagnostic]:
    """UL138: no share is zero."""
    for name, arm in scope.plan.arms.items():
        if arm.share == 0:
            message = f"arm '{name}' has a share of 0 %, so nobody is in it"
            yield Diagnostic("UL138", message, "remove the arm", scope.at("arms", name, "share"))
    for at, wave in enumerate(scope.plan.experiment.waves):
        if wave.share == 0:
            place = scope.at("waves", at, "share")
            yield Diagnostic("UL138", f"wave {at + 1} has a share of 0 %", "remove the wave", place)


def one_control(scope: Scope) -> Iterator[Diagnostic]:
    """UL103: exactly one arm is the control."""
    controls = [name for name, arm in scope.plan.arms.items() if arm.control]
    if not controls:
        remedy = "mark the arm the others are compared with: {control: true}"
        yield Diagnostic("UL103", "no arm is the control", remedy, scope.at("arms", key=True))
    for name in controls[1:]:
        message = f"arm '{name}' is a second control beside '{controls[0]}'"
        remedy = "keep 'control: true' for one arm"
        yield Diagnostic("UL103", message, remedy, scope.at("arms", name, "control"))


def segments_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL109: no segment is named twice."""
    names = scope.plan.experiment.segments
    for at, name in enumerate(names):
        if name in names[:at]:
            place = scope.at("segments", at)
            yield Diagnostic("UL109", f"the segment '{name}' is named twice", "remove one", place)


def segments_reserved(scope: Scope) -> Iterator[Diagnostic]:
    """UL110: no segment takes a name upliftlab gives a meaning of its own."""
    for at, name in enumerate(scope.plan.experiment.segments):
        if name in RESERVED_SEGMENTS:
            message = f"the name '{name}' is reserved: upliftlab computes it"
            remedy = "declare the column under another name in configs/segments.yaml"
            yield Diagnostic("UL110", message, remedy, scope.at("segments", at))


def metrics_once(scope: Scope) -> Iterator[Diagnostic]:
    """UL127: no metric plays two parts."""
    metrics = scope.plan.experiment.metrics
    seen = {metrics.primary: "the primary metric"}
    for at, name in enumerate(metrics.secondary):
        if name in seen:
            message = f"'{name}' repeats {seen[name]}"
            place = scope.at("metrics", "secondary", at)
            yield Diagnostic("UL127", message, "remove it here", place)
        seen.setdefault(name, "a secondary metric")
    if metrics.primary in metrics.guardrails:
        message = f"the guardrail '{metrics.primary}' repeats the primary metric"
        place = scope.at("metrics", "guardrails", metrics.primary, key=True)
        yield Diagnostic("UL127", message, "remove it here", place)


def guardrail_direction(scope: Scope) -> Iterator[Diagnostic]:
    """UL119: a guardrail limits the bad direction."""
    for name, guardrail in scope.plan.experiment.metrics.guardrails.items():
        metric = scope.plan.metrics.get(name)
        if metric is None or "better" not in metric.model_fields_set:
            continue
        key, right = ("max_decrease", "max_increase")
        if metric.better == "higher":
            key, right = right, key
        if getattr(guardrail, key) is not None:
            message = f"'{key}' limits a good change: of '{name}', {metric.better} is better"
            place = scope.at("metrics", "guardrails", name, key, key=True)
            yield Diagnostic("UL119", message, f"write '{right}'", place)


def guardrail_points(scope: Scope) -> Iterator[Diagnostic]:
    """UL149: a share's guardrail is in points or per cent, never a bare number."""
    for name, guardrail in scope.plan.experiment.metrics.guardrails.items():
        key = "max_increase" if guardrail.max_increase is not None else "max_decrease"
        limit: Tolerance | None = getattr(guardrail, key)
        if limit is None or limit.kind != "absolute" or not _is_share(scope, name):
            continue
        meant = limit.value if limit.value >= 1 else 100 * limit.value
        message = (
            f"'{name}' is a share, and a bare {limit.value:g} means {100 * limit.value:g} points"
        )
        remedy = f"write '{meant:g} points', or '{meant:g}%' of the control's share"
        place = scope.at("metrics", "guardrails", name, key)
        yield Diagnostic("UL149", message, remedy, place)


def _is_share(scope: Scope, name: str) -> bool:
    """Whether a metric is 0 or 1 per customer, by its unit or by how it is defined."""
    metric = scope.plan.metrics.get(name)
    return metric is not None and (metric.unit == "share" or metric.kind.share)


def decision_metric(scope: Scope) -> Iterator[Diagnostic]:
    """UL120: the decision's metric is measured, and profit has its money."""
    experiment = scope.plan.experiment
    profit_at = [("metrics", "primary")] if experiment.metrics.primary == "profit" else []
    profit_at += [("decision", "metric")] if experiment.decision.metric == "profit" else []
    if experiment.money is None:
        for path in profit_at:
            remedy = "declare 'money: {revenue: …, margin: …}'"
            yield Diagnostic("UL120", "profit needs 'money'", remedy, scope.at(*path))
    for place_path in _profit_elsewhere(scope):
        message = "profit is a primary or decision metric only"
        yield Diagnostic(
            "UL120", message, "it is reported wherever money is", scope.at(*place_path)
        )
    name = experiment.decision.metric
    if name is not None and name not in ("profit", *scope.plan.measured):
        near = closest(name, ["profit", *scope.plan.measured], cutoff=0.6)
        remedy = f"did you mean '{near}'?" if near else "name it under 'metrics' too"
        message = f"the decision's metric '{name}' is not measured"
        yield Diagnostic("UL120", message, remedy, scope.at("decision", "metric"))


def _profit_elsewhere(scope: Scope) -> Iterator[tuple[str | int, ...]]:
    metrics = scope.plan.experiment.metrics
    for at, name in enumerate(metrics.secondary):
        if name == "profit":
            yield ("metrics", "secondary", at)
    if "profit" in metrics.guardrails:
        yield ("metrics", "guardrails", "profit")


def decision_rule(scope: Scope) -> Iterator[Diagnostic]:
    """UL121, UL122: the rule can be read, and can come out either way."""
    decision = scope.plan.experiment.decision
    place = scope.at("decision", "ship_if")
    try:
        rule = parse_ship_if(decision.ship_if)
    except ValueError as error:
        remedy = "write 'lower > NUMBER' or 'estimate > NUMBER' ('>=' too)"
        yield Diagnostic("UL121", str(error), remedy, place)
        return
    name = scope.plan.decided_by
    if _is_share(scope, name) and abs(rule.threshold) >= 1:
        way = "never" if rule.threshold > 0 else "always"
        message = f"'{decision.ship_if}' is {way} true: '{name}' is a share, between 0 and 1"
        yield Diagnostic("UL122", message, "write points as a fraction: 'lower > 0.01'", place)


def waves(scope: Scope) -> Iterator[Diagnostic]:
    """UL117, UL118: waves ascend and hold everybody."""
    declared = scope.plan.experiment.waves
    total = sum(wave.share for wave in declared)
    if declared and total != 1:
        message = f"the waves' shares sum to {float(total * 100):g} %, not 100 %"
        yield Diagnostic("UL117", message, "adjust the shares", scope.at("waves", key=True))
    for at, (one, other) in enumerate(pairwise(declared)):
        if one.start >= other.start:
            place = scope.at("waves", at + 1, "start")
            message = f"wave {at + 2} does not start after wave {at + 1}"
            yield Diagnostic("UL118", message, "order the waves by day", place)


def window_and_waves(scope: Scope) -> Iterator[Diagnostic]:
    """UL116: one column cannot hold outcomes of waves whose windows overlap.

    Events are counted in each customer's own window, whatever the other waves do.
    """
    columns = [name for name, metric in scope.plan.metrics.items() if metric.column]
    window = scope.plan.experiment.outcome_window
    for at, (one, other) in enumerate(pairwise(scope.plan.experiment.waves)):
        if window and columns and NOTHING < other.start - one.start < window:
            length = format_duration(window)
            message = (
                f"'{columns[0]}' is one column for all waves, but wave {at + 2} starts before "
                f"the {length} of wave {at + 1} are over"
            )
            remedy = f"fill it with each customer's own {length} only, or count events by 'from'"
            place = scope.at("waves", at + 1, "start")
            yield Diagnostic("UL116", message, remedy, place, severity="warning")


def spans(scope: Scope) -> Iterator[Diagnostic]:
    """UL132, UL137: looks ascend within the outcome window; no window is empty at any of them."""
    experiment = scope.plan.experiment
    window, looks = experiment.outcome_window, experiment.analysis.looks
    if window == NOTHING:
        place = scope.at("outcome_window")
        yield Diagnostic("UL137", "the outcome window is empty", "write such as '28 days'", place)
    for at, look in enumerate(looks):
        before = looks[at - 1] if at else NOTHING
        place = scope.at("analysis", "looks", at)
        if look <= before:
            yield Diagnostic("UL132", f"look {at + 1} is not later than the one before", "", place)
        elif window and look > window:
            message = f"look {at + 1} lies after the outcome window"
            yield Diagnostic("UL132", message, "let the last look be the window's end", place)
    for name, metric in scope.plan.metrics.items():
        if looks and metric.during and looks[0] <= metric.during[0]:
            message = f"at the first look the time of '{name}' has not begun"
            remedy = f"let it be later than {format_duration(metric.during[0])}"
            yield Diagnostic("UL132", message, remedy, scope.at("analysis", "looks", 0))


def winsorized(scope: Scope) -> Iterator[Diagnostic]:
    """UL128: only a metric that is measured, and is no ratio, can be capped."""
    known = {name: m for name, m in scope.plan.metrics.items() if name in scope.plan.measured}
    for name in scope.plan.experiment.analysis.winsorize:
        place = scope.at("analysis", "winsorize", name, key=True)
        if name in known and known[name].ratio is not None:
            message = f"the metric '{name}' is a ratio of totals, which cannot be capped"
            yield Diagnostic("UL128", message, "cap one of its two metrics", place)
        elif name not in known:
            near = closest(name, list(known), cutoff=0.6)
            remedy = f"did you mean '{near}'?" if near else "name it under 'metrics' too"
            yield Diagnostic("UL128", f"the metric '{name}' is not measured", remedy, place)


PLAN_RULES: tuple[Callable[[Scope], Iterator[Diagnostic]], ...] = (
    shares_sum,
    shares_whole,
    shares_positive,
    one_control,
    segments_once,
    segments_reserved,
    metrics_once,
    guardrail_direction,
    guardrail_points,
    decision_metric,
    decision_rule,
    waves,
    window_and_waves,
    spans,
    winsorized,
    *MONEY_RULES,
    *KNOWN_BEFORE_RULES,
    *PRIVACY_RULES,
    *UPLIFT_RULES,
    *ENGINE_RULES,
)
