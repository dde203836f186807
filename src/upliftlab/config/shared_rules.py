"""Rules across fields of the files of `configs/`, whether or not an experiment uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from upliftlab.config.models import Layer, Metric
from upliftlab.config.models.experiment import FEWEST_SHOWN
from upliftlab.config.rules_engine import shared_connection
from upliftlab.config.shape import closest
from upliftlab.config.shared import Shared, condition_fault, source_fault
from upliftlab.config.workspace import lexical_fault
from upliftlab.errors import Diagnostic, Place

RESERVED_METRICS = ("profit",)
RESERVED_SEGMENTS = ("contact_channel",)


def shared_faults(shared: Shared) -> list[Diagnostic]:
    """Everything that is wrong in `configs/`: each file's own faults, then the rules."""
    return [*shared.faults, *(fault for rule in _RULES for fault in rule(shared))]


def metric_conditions(shared: Shared) -> Iterator[Diagnostic]:
    """UL020: a metric's or segment's `where` holds only what is allowed."""
    for name, metric in (shared.metrics or {}).items():
        place = shared.at("metrics", "metrics", name, "where")
        if fault := condition_fault(metric.where, place):
            yield fault
    for name, segment in (shared.segments or {}).items():
        key = "lifecycle" if segment.lifecycle else "rfm"
        if fault := condition_fault(segment.where, shared.at("segments", "segments", name, key)):
            yield fault


def metric_sources(shared: Shared) -> Iterator[Diagnostic]:
    """UL106, UL133: a metric's events exist and have customer and time."""
    for name, metric in (shared.metrics or {}).items():
        place = shared.at("metrics", "metrics", name, "from")
        if metric.source and (fault := source_fault(metric.source, shared, place, events=True)):
            yield fault


def metric_spans(shared: Shared) -> Iterator[Diagnostic]:
    """UL137: a metric's `during` begins before it ends."""
    for name, metric in (shared.metrics or {}).items():
        if metric.during and metric.during[0] >= metric.during[1]:
            message = f"metric '{name}': 'during' ends before it begins"
            place = shared.at("metrics", "metrics", name, "during")
            yield Diagnostic("UL137", message, "write [begin, end]: [0 days, 30 days]", place)


def metric_parts(shared: Shared) -> Iterator[Diagnostic]:
    """UL107: what a metric is made of are metrics, or columns that look like none of them."""
    known = shared.metrics or {}
    for name, metric in known.items():
        for part in metric.parts:
            near = closest(part, [other for other in known if other != name], cutoff=0.8)
            if part not in known and near:
                message = f"metric '{name}': its part '{part}' is not declared"
                place = _part_place(shared, name, metric, part)
                yield Diagnostic("UL107", message, f"did you mean '{near}'?", place)


def metric_loops(shared: Shared) -> Iterator[Diagnostic]:
    """UL111: no metric is made of itself, nor of a ratio."""
    known = shared.metrics or {}
    for name, metric in known.items():
        for part in metric.parts:
            below = known.get(part, Metric(column=part))
            loops = part == name or name in _reach(part, known)
            if not below.kind.is_ratio and not loops:
                continue
            kind = "is made of itself" if loops else f"has the ratio '{part}' as a part"
            place = _part_place(shared, name, metric, part)
            remedy = "use totals: sums, counts or columns"
            yield Diagnostic("UL111", f"the metric '{name}' {kind}", remedy, place)


def _part_place(shared: Shared, name: str, metric: Metric, part: str) -> Place:
    """Where a metric names one of its parts."""
    if part in metric.pair:
        at = metric.pair.index(part)
        return shared.at("metrics", "metrics", name, metric.defined_by, at)
    key = "only" if metric.only == part else "unless"
    return shared.at("metrics", "metrics", name, key)


def _reach(start: str, metrics: Mapping[str, Metric]) -> set[str]:
    """Every metric that `start` is made of."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        metric = metrics.get(todo.pop())
        fresh = [part for part in (metric.parts if metric else ()) if part not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return seen


def reserved_names(shared: Shared) -> Iterator[Diagnostic]:
    """UL110: names that upliftlab gives a meaning of its own."""
    for stem, declared, reserved in (
        ("metrics", shared.metrics, RESERVED_METRICS),
        ("segments", shared.segments, RESERVED_SEGMENTS),
    ):
        for name in (name for name in declared or {} if name in reserved):
            message = f"the name '{name}' is reserved: upliftlab computes it"
            place = shared.at(stem, stem, name, key=True)
            yield Diagnostic("UL110", message, "choose another name", place)


def segment_sources(shared: Shared) -> Iterator[Diagnostic]:
    """UL106, UL133: a segment's purchases exist and have customer and time."""
    for name, segment in (shared.segments or {}).items():
        if segment.source is None:
            continue
        key = "lifecycle" if segment.lifecycle else "rfm"
        place = shared.at("segments", "segments", name, key, "from")
        if fault := source_fault(segment.source, shared, place, events=True):
            yield fault


def lifecycle_spans(shared: Shared) -> Iterator[Diagnostic]:
    """UL137: a customer is active for less long than until having lapsed."""
    for name, segment in (shared.segments or {}).items():
        life = segment.lifecycle
        if life and life.active >= life.lapsed:
            message = f"segment '{name}': 'active' is not shorter than 'lapsed'"
            place = shared.at("segments", "segments", name, "lifecycle", "lapsed")
            yield Diagnostic("UL137", message, "active: 90 days, lapsed: 365 days", place)


def policy_sources(shared: Shared) -> Iterator[Diagnostic]:
    """UL020, UL106, UL133: the contact policy's tables and condition."""
    policy = shared.program.contact_policy
    if policy is None:
        return
    for key in ("contacts", "complaints"):
        name: str | None = getattr(policy, key)
        place = shared.at("program", "contact_policy", key)
        if name and (fault := source_fault(name, shared, place, events=True)):
            yield fault
    place = shared.at("program", "contact_policy", "opt_out")
    if fault := condition_fault(policy.opt_out, place):
        yield fault


def layer_ranges(shared: Shared) -> Iterator[Diagnostic]:
    """UL113: within a layer, ranges are not empty and do not overlap."""
    for name, layer in shared.program.layers.items():
        for experiment, (low, high) in layer.experiments.items():
            if low >= high:
                message = f"layer '{name}': the range of '{experiment}' is empty"
                place = shared.at("program", "layers", name, "experiments", experiment)
                yield Diagnostic("UL113", message, "write [from, to]: [0%, 50%]", place)
        yield from _overlaps(shared, name, layer)


def _overlaps(shared: Shared, name: str, layer: Layer) -> Iterator[Diagnostic]:
    for (first, one), (second, other) in combinations(layer.experiments.items(), 2):
        if max(one[0], other[0]) < min(one[1], other[1]):
            message = f"layer '{name}': the ranges of '{first}' and '{second}' overlap"
            place = shared.at("program", "layers", name, "experiments", second)
            yield Diagnostic("UL113", message, "let one begin where the other ends", place)


def program_salts(shared: Shared) -> Iterator[Diagnostic]:
    """UL115: universal holdout and layers draw customers independently."""
    holdout = shared.program.universal_holdout
    salts: dict[str, str] = {holdout.salt: "the universal holdout"} if holdout else {}
    for name, layer in shared.program.layers.items():
        salt = layer.salt or name
        if salt in salts:
            message = f"layer '{name}' has the same salt '{salt}' as {salts[salt]}"
            place = shared.at("program", "layers", name, "salt", key=True)
            yield Diagnostic("UL115", message, "give each a salt of its own", place)
        salts.setdefault(salt, f"layer '{name}'")


def holdout_period(shared: Shared) -> Iterator[Diagnostic]:
    """UL137: the universal holdout begins before it ends."""
    holdout = shared.program.universal_holdout
    if holdout and holdout.start and holdout.end and holdout.start > holdout.end:
        place = shared.at("program", "universal_holdout", "end")
        message = "the universal holdout ends before it begins"
        yield Diagnostic("UL137", message, "write 'start' before 'end'", place)


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


def _zone_fault(name: str, place: Place) -> Diagnostic | None:
    if name == "UTC":
        return None
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zones = available_timezones()
        near = closest(name, list(zones))
        if zones:  # without a time zone database nothing can be said
            remedy = f"did you mean '{near}'?" if near else "write one such as Europe/Berlin"
            return Diagnostic("UL136", f"there is no time zone '{name[:60]}'", remedy, place)
    return None


def smallest_cell(shared: Shared) -> Iterator[Diagnostic]:
    """UL161: nothing that is shown is of one customer."""
    asked = shared.program.smallest_cell
    if asked < FEWEST_SHOWN:
        message = f"'smallest_cell' is {asked}: a report would show what single customers did"
        remedy = f"write {FEWEST_SHOWN} or more; 5 is usual"
        yield Diagnostic("UL161", message, remedy, shared.at("program", "smallest_cell"))


def source_files(shared: Shared) -> Iterator[Diagnostic]:
    """UL019: files lie inside the data root."""
    for name, source in (shared.sources or {}).items():
        if fault := lexical_fault(source.file, shared.at("sources", "sources", name, "file")):
            yield fault


_RULES: tuple[Callable[[Shared], Iterator[Diagnostic]], ...] = (
    source_files,
    metric_conditions,
    metric_sources,
    metric_spans,
    metric_parts,
    metric_loops,
    reserved_names,
    segment_sources,
    lifecycle_spans,
    policy_sources,
    layer_ranges,
    program_salts,
    holdout_period,
    time_zones,
    shared_connection,
    smallest_cell,
)
