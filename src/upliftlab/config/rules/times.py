"""Rules about time: waves, windows, looks, and when events begin to count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from upliftlab.config.mending import mending
from upliftlab.config.models.values import format_duration
from upliftlab.config.rules.registry import metrics_judges, rule, shared_judges, shared_rule
from upliftlab.config.scope import MetricDeclarations, Scope
from upliftlab.config.shared import Shared
from upliftlab.errors import Diagnostic, Place
from upliftlab.util.nearest import closest, surely

_NOTHING = timedelta(0)


@rule(
    "UL117",
    "Shares of waves",
    "The waves' shares sum to 100 %.",
    wrong="waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 40%}]",
    right="waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]",
)
@rule(
    "UL118",
    "Order of waves",
    "Waves are in the order of their days.",
    wrong="waves: [{start: 2026-03-09, share: 50%}, {start: 2026-03-02, share: 50%}]",
    right="waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]",
)
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


@rule(
    "UL116",
    "Wave inside a window",
    "A wave starts after the outcome window of the one before (warning).",
    wrong=(
        "outcome_window: 28 days\n"
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]"
    ),
    right=(
        "outcome_window: 7 days\n"
        "waves: [{start: 2026-03-02, share: 50%}, {start: 2026-03-09, share: 50%}]"
    ),
)
def window_and_waves(scope: Scope) -> Iterator[Diagnostic]:
    """UL116: one column cannot hold outcomes of waves whose windows overlap.

    Events are counted in each customer's own window, whatever the other waves do.
    """
    columns = [metric.field for metric in scope.plan.metrics.values() if metric.field]
    window = scope.plan.experiment.outcome_window
    for at, (one, other) in enumerate(pairwise(scope.plan.experiment.waves)):
        if window and columns and _NOTHING < other.start - one.start < window:
            length = format_duration(window)
            message = (
                f"'{columns[0]}' is one column for all waves, but wave {at + 2} starts before "
                f"the {length} of wave {at + 1} are over"
            )
            remedy = f"fill it with each customer's own {length} only, or count events by 'from'"
            place = scope.at("waves", at + 1, "start")
            yield Diagnostic("UL116", message, remedy, place, severity="warning")


@rule(
    "UL132",
    "Order of looks",
    "Looks ascend, lie within the outcome window, and come when every metric's time has begun.",
    wrong="analysis: {looks: [14 days, 7 days]}",
    right="analysis: {looks: [7 days, 14 days]}",
)
@rule(
    "UL137",
    "Empty span of time",
    "A span of time has a beginning before its end.",
    wrong="outcome_window: 0 days",
    right="outcome_window: 28 days",
)
def spans(scope: Scope) -> Iterator[Diagnostic]:
    """UL132, UL137: looks ascend within the outcome window; no window is empty at any of them."""
    experiment = scope.plan.experiment
    window, looks = experiment.outcome_window, experiment.analysis.looks
    if window == _NOTHING:
        place = scope.at("outcome_window")
        yield Diagnostic("UL137", "the outcome window is empty", "write such as '28 days'", place)
    for at, look in enumerate(looks):
        before = looks[at - 1] if at else _NOTHING
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


@metrics_judges
def metric_spans(declared: MetricDeclarations) -> Iterator[Diagnostic]:
    """UL137: a metric's `during` begins before it ends."""
    for name, metric in declared.metrics.items():
        if metric.during and metric.during[0] >= metric.during[1]:
            message = f"metric '{name}': 'during' ends before it begins"
            place = declared.at(name, "during")
            yield Diagnostic("UL137", message, "write [begin, end]: [0 days, 30 days]", place)


@shared_judges
def lifecycle_spans(shared: Shared) -> Iterator[Diagnostic]:
    """UL137: a customer is active for less long than until having lapsed."""
    for name, segment in (shared.segments or {}).items():
        life = segment.lifecycle
        if life and life.active >= life.lapsed:
            message = f"segment '{name}': 'active' is not shorter than 'lapsed'"
            place = shared.at("segments", "segments", name, "lifecycle", "lapsed")
            yield Diagnostic("UL137", message, "active: 90 days, lapsed: 365 days", place)


@shared_judges
def holdout_period(shared: Shared) -> Iterator[Diagnostic]:
    """UL137: the universal holdout begins before it ends."""
    holdout = shared.program.universal_holdout
    if holdout and holdout.start and holdout.end and holdout.start > holdout.end:
        place = shared.at("program", "universal_holdout", "end")
        message = "the universal holdout ends before it begins"
        yield Diagnostic("UL137", message, "write 'start' before 'end'", place)


@rule(
    "UL140",
    "Events without a time",
    "Events count for a time: the outcome window, or the metric's own 'during'.",
    wrong="metrics: {primary: bought}",
    right=(
        "metrics: {primary: bought}\n"
        "outcome_window: 28 days\n"
        "waves: [{start: 2026-03-02, share: 100%}]"
    ),
    beside={
        "configs/sources.yaml": "sources: {orders: {file: orders.csv, id: id, time: at}}\n",
        "configs/metrics.yaml": "metrics: {bought: {from: orders, any: true}}\n",
    },
)
def events_have_time(scope: Scope) -> Iterator[Diagnostic]:
    """UL140: events count for a time that is declared."""
    timeless = [
        name
        for name, metric in (*scope.plan.metrics.items(), *scope.plan.covariates.items())
        if metric.source is not None and metric.during is None
    ]
    if timeless:
        message = f"events are counted for {', '.join(timeless[:3])}, but it is not said how long"
        place = scope.at("metrics", key=True)
        yield Diagnostic("UL140", message, "add 'outcome_window: 28 days'", place)


@rule(
    "UL141",
    "Start not known",
    "Where a column holds the arm, one wave or a column says when outcomes begin to count.",
    wrong="metrics: {primary: bought}\noutcome_window: 28 days",
    right=(
        "metrics: {primary: bought}\n"
        "outcome_window: 28 days\n"
        "assignment: {observed: arm, start: contacted_on}"
    ),
    beside={
        "configs/sources.yaml": "sources: {orders: {file: orders.csv, id: id, time: at}}\n",
        "configs/metrics.yaml": "metrics: {bought: {from: orders, any: true}}\n",
    },
)
def start_known(scope: Scope) -> Iterator[Diagnostic]:
    """UL141: it is known when each customer's time begins."""
    asked = scope.plan.experiment
    if not scope.plan.from_events or asked.assignment.observed is None:
        return
    place = scope.at("assignment")
    if scope.plan.customers.id is None:
        message = "events belong to customers, but no column identifies the customers"
        yield Diagnostic("UL141", message, "name it: 'customers: {id: …}'", place)
    if asked.assignment.start is None and len(asked.waves) != 1:
        several = "several waves" if asked.waves else "no wave"
        message = f"the arm is read from a column and {several} declared: nobody's start is known"
        remedy = "name the column that holds it: 'assignment: {start: …}', or declare one wave"
        yield Diagnostic("UL141", message, remedy, place)


@shared_rule(
    "UL136",
    "Unknown time zone",
    "A time zone has a name of the IANA database.",
    wrong="time_zone: Europe/Berlni",
    right="time_zone: Europe/Berlin",
    file="configs/program.yaml",
)
def time_zones(shared: Shared) -> Iterator[Diagnostic]:
    """UL136: time zones are some that exist."""
    named = [(shared.program.time_zone, shared.at("program", "time_zone"))]
    named += [
        (source.zone, shared.at("sources", "sources", name, "zone"))
        for name, source in (shared.sources or {}).items()
        if source.zone is not None
    ]
    for zone, place in named:
        if fault := _zone_fault(zone, place):
            yield fault


_NO_PLACE = frozenset({"localtime", "posixrules", "Factory"})
"""Files of a time zone database that name no place."""


def _zone_fault(name: str, place: Place) -> Diagnostic | None:
    if name == "UTC":
        return None
    if name in _NO_PLACE:
        message = f"'{name}' is a zone of this machine, so the same plan means another on the next"
        return Diagnostic("UL136", message, "write one such as Europe/Berlin", place)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zones = available_timezones()
        near = closest(name, list(zones))
        if zones:  # without a time zone database nothing can be said
            remedy = f"did you mean '{near}'?" if near else "write one such as Europe/Berlin"
            fault = Diagnostic("UL136", f"there is no time zone '{name[:60]}'", remedy, place)
            return mending(fault, surely(name, zones))
    return None
