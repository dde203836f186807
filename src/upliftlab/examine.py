"""The verb behind `check --data`: an experiment's YAML held against the real tables.

Everything that is wrong is found at once, each fault at the place of the YAML that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from upliftlab.analysis.check import IMPLAUSIBLE
from upliftlab.analysis.checks_events import SILENCE
from upliftlab.analysis.checks_events import events as event_checks
from upliftlab.analysis.facts import CUSTOMERS, EventFacts, Facts
from upliftlab.analysis.facts_events import Look, event_facts
from upliftlab.analysis.intake import measure
from upliftlab.analysis.study import study_of
from upliftlab.analysis.tables import attach_events, refuse_unreadable, without_repeats
from upliftlab.config.expressions import parse
from upliftlab.config.load import examine as examine_file
from upliftlab.config.load import in_order
from upliftlab.config.resolve import named_metrics
from upliftlab.config.scope import Scope
from upliftlab.config.shared import condition_fault, read_shared
from upliftlab.config.shared_rules import shared_faults
from upliftlab.config.workspace import find_workspace
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.open import open_engine
from upliftlab.errors import Fault, Place, UpliftLabError
from upliftlab.experiment import Plan
from upliftlab.queries.clock import Span, passed
from upliftlab.queries.events import Starts
from upliftlab.queries.frame import missing_column
from upliftlab.queries.tallies import Tally
from upliftlab.queries.units import Asked
from upliftlab.results import Check, Severity
from upliftlab.sql import quote

TABLE = "examined"
"""What a table of events is attached as, to look at its columns."""
_CODES = {
    "duplicates": "UL224",
    "unknown_customers": "UL221",
    "currency": "UL223",
    "completeness": "UL222",
    "clock": "UL225",
}
"""Checks of the data that can be asked before anybody is assigned."""
_NUMBERS: tuple[ColumnType, ...] = ("number", "boolean", "text")
_TIMES: tuple[ColumnType, ...] = ("date", "time", "instant", "text")


@dataclass(frozen=True, slots=True)
class Within:
    """Where an experiment stands.

    Attributes:
        data: The folder of the data files, if not the workspace's own.
        given: The path that the user gave, so that messages name files alike.
    """

    data: Path | None = None
    given: Path | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    """A column that the YAML names: where, what for, and of which types it may be."""

    column: str | None
    role: str
    place: Place
    kinds: tuple[ColumnType, ...] = ()


def examine(path: Path, now: datetime, within: Within) -> tuple[Fault, ...]:
    """Every fault of an experiment's tables, in the order of the YAML.

    Args:
        path: The experiment's file; where it or `configs/` has faults of its own, nothing is read.
        now: The moment of the check, with its time zone.
        within: Where data lie and how the user named the file.

    Raises:
        EngineError: UL501 and UL51x, the engine cannot be reached.
    """
    workspace, given = find_workspace(path, within.data), within.given or path
    shared = read_shared(workspace, given)
    examined = examine_file(path, workspace, shared, given)
    own = [*shared_faults(shared), *examined.faults]
    if examined.scope is None or any(fault.severity == "error" for fault in own):
        return ()
    scope = examined.scope
    with open_engine(scope.plan.engine, workspace.locate) as engine:
        faults = [*_customers(scope, engine), *_event_columns(scope, engine)]
        if not faults:
            faults = [*_content(scope, engine, now)]
    return in_order(faults)


def _customers(scope: Scope, engine: Engine) -> Iterator[Fault]:
    """The customers' table: that it can be read, its columns and types, and one row a customer."""
    plan, place = scope.plan, _source_place(scope, None)
    try:
        engine.attach(CUSTOMERS, plan.customers)
        columns = engine.columns(CUSTOMERS)
    except UpliftLabError as error:
        yield from (replace(fault, place=place) for fault in error.faults)
        return
    for named in _named(scope):
        yield from _column(named, columns)
    if plan.customers.id in columns:
        yield from _identities(plan, place, engine)


def _source_place(scope: Scope, name: str | None) -> Place:
    """Where a source is declared; the customers' where no name is given."""
    asked = scope.plan.experiment.customers
    if name is None and not isinstance(asked, str):
        return scope.at("customers")
    return scope.shared.at("sources", "sources", name or str(asked), key=True)


def _named(scope: Scope) -> Iterator[_Named]:
    """Every column of the customers' table that the YAML names."""
    plan, asked = scope.plan, scope.plan.experiment
    source, own = _source_place(scope, None), plan.customers
    for column, role in ((own.id, "id"), (own.household, "household")):
        yield _Named(column, role, source)
    yield _Named(plan.households, "unit", scope.at("assignment", "unit"))
    yield _Named(own.as_of, "as_of", source, _TIMES)
    for column in (*own.attributes, *own.known_after):
        yield _Named(column, "attributes", source)
    given = asked.assignment
    yield _Named(given.observed, "assignment", scope.at("assignment", "observed"))
    yield _Named(given.start, "start", scope.at("assignment", "start"), _TIMES)
    yield _Named(given.delivered, "delivered", scope.at("assignment", "delivered"))
    for at, name in enumerate(given.strata):
        yield _Named(name, "stratum", scope.at("assignment", "strata", at))
    for at, name in enumerate(asked.uplift.features if asked.uplift else ()):
        yield _Named(name, "feature", scope.at("uplift", "features", at), _NUMBERS)
    yield from _named_measures(scope)
    conditions = [(asked.eligible, "eligible", scope.at("eligible"))]
    if asked.uplift and asked.uplift.today:
        place = scope.at("uplift", "today", "where")
        conditions.append((asked.uplift.today.where, "today's rule", place))
    for text, role, place in conditions:
        if text and condition_fault(text, place) is None:
            for column in sorted(parse(text).columns):
                yield _Named(column, role, place)


def _named_measures(scope: Scope) -> Iterator[_Named]:
    plan = scope.plan
    places = {name: scope.at(*path) for name, path in reversed(named_metrics(plan.experiment))}
    for name, metric in plan.metrics.items():
        declared = name in (scope.shared.metrics or {})
        there = scope.shared.at("metrics", "metrics", name)
        place = there if declared else places.get(name, scope.at("metrics"))
        yield _Named(metric.column, f"metric '{name}'", place, _NUMBERS)
    for at, (name, metric) in enumerate(plan.covariates.items()):
        place = scope.at("analysis", "covariates", at)
        yield _Named(metric.column, f"covariate '{name}'", place, _NUMBERS)
    for at, segment in enumerate(plan.segments.values()):
        kinds = _NUMBERS if segment.bands or segment.rfm else ()
        for column in segment.columns:
            yield _Named(column, "segment", scope.at("segments", at), kinds)


def _column(named: _Named, columns: dict[str, ColumnType]) -> Iterator[Fault]:
    if named.column is None:
        return
    if named.column not in columns:
        (fault,) = missing_column(named.column, named.role, columns).faults
        yield replace(fault, place=named.place)
    elif named.kinds and columns[named.column] not in named.kinds:
        numbers = "numbers or texts" if named.role == "feature" else "numbers"
        what = "times" if named.kinds == _TIMES else numbers
        message = f"column '{named.column}' holds no {what} ({named.role})"
        yield Fault("UL206", message, "name another column", named.place)


def _identities(plan: Plan, place: Place, engine: Engine) -> Iterator[Fault]:
    name = plan.customers.id or ""
    column = quote(name)
    row = engine.query(
        f"SELECT COUNT(*) AS n, COUNT({column}) AS known, COUNT(DISTINCT {column}) AS ids"  # noqa: S608 - quoted
        f" FROM {CUSTOMERS}"
    ).to_pylist()[0]
    if row["known"] < row["n"]:
        message = f"{row['n'] - row['known']:,} rows have no '{name}'"
        yield Fault("UL212", message, "every customer needs one", place)
    if row["ids"] < row["known"]:
        message = f"'{name}' repeats in {row['known'] - row['ids']:,} of {row['n']:,} rows"
        yield Fault("UL213", message, "the table needs one row per customer", place)


def _tallies(plan: Plan) -> dict[str, tuple[Tally, ...]]:
    """What is counted in each table of events."""
    metrics = {**plan.metrics, **plan.covariates}
    columns = (*plan.measured_columns, *plan.covariates)
    return Asked(metrics, columns, plan.segments).tallies


def _event_columns(scope: Scope, engine: Engine) -> Iterator[Fault]:
    """The tables of events: that they can be read, and the columns that the YAML names."""
    for name in _tallies(scope.plan):
        place, source = _source_place(scope, name), scope.plan.sources[name]
        try:
            engine.attach(TABLE, source)
            columns = engine.columns(TABLE)
        except UpliftLabError as error:
            yield from (replace(fault, place=place) for fault in error.faults)
            continue
        for key in ("id", "time", "key", "recorded", "experiment", "currency"):
            where = scope.shared.at("sources", "sources", name, key)
            yield from _column(_Named(getattr(source, key), f"{key} of {name}", where), columns)
        for column in source.amounts:
            where = scope.shared.at("sources", "sources", name, "amounts", column, key=True)
            yield from _column(_Named(column, f"amounts of {name}", where, _NUMBERS), columns)
        yield from _metric_columns(scope, name, columns)


def _metric_columns(scope: Scope, source: str, columns: dict[str, ColumnType]) -> Iterator[Fault]:
    """The columns of a table of events that metrics look at."""
    for name, metric in scope.plan.metrics.items():
        if metric.source != source:
            continue
        if (column := metric.value_column) is not None:
            kinds = () if metric.distinct else _NUMBERS
            where = scope.shared.at("metrics", "metrics", name, metric.defined_by)
            yield from _column(_Named(column, f"metric '{name}'", where, kinds), columns)
        if metric.where is not None:
            where = scope.shared.at("metrics", "metrics", name, "where")
            for column in sorted(parse(metric.where).columns):
                yield from _column(_Named(column, f"metric '{name}'", where), columns)


def _content(scope: Scope, engine: Engine, now: datetime) -> Iterator[Fault]:
    """What is in the tables: read as an analysis reads them, where a column holds the arms."""
    plan = scope.plan
    try:
        if plan.experiment.assignment.observed is not None:
            facts = measure(plan, study_of(plan), engine).facts
        else:
            facts = _unassigned(plan, engine)
    except UpliftLabError as error:
        for fault in error.faults:
            yield replace(fault, place=_place_of(scope, fault))
        return
    here = now.astimezone(ZoneInfo(plan.program.time_zone)).replace(tzinfo=None)
    closed = facts.closes is None or facts.closes <= here
    for check in event_checks(plan, facts, mature=closed):
        yield from _fault(check, _source_place(scope, check.name.partition(":")[2]))
    for name, found in facts.events.items():
        yield from _first(found, name, _source_place(scope, name))


def _unassigned(plan: Plan, engine: Engine) -> Facts:
    """What the tables of events are like before anybody is assigned, as far as waves tell."""
    columns = engine.columns(CUSTOMERS)
    if not plan.experiment.waves or plan.customers.id is None:
        return Facts()
    days = [datetime.combine(wave.start, time()) for wave in plan.experiment.waves]
    zone, ids = plan.program.time_zone, columns[plan.customers.id]
    starts = Starts(CUSTOMERS, zone, Span(min(days), max(days)), ids, min(days))
    found: dict[str, EventFacts] = {}
    for name, tallies in _tallies(plan).items():
        given = attach_events(plan, name, engine)
        refuse_unreadable(given, tallies, engine)
        once, *repeats = without_repeats(given, starts, tallies, engine)
        plain = given.source.model_copy(update={"recorded": None})
        once = replace(once, source=once.source.model_copy(update={"recorded": None}))
        counted = (repeats[0], repeats[1])
        look = Look(plan, engine, once, replace(given, source=plain), starts, tallies, counted)
        found[name] = event_facts(look)
    longest = plan.longest_window
    closes = None if longest is None else passed(max(days), longest, zone)
    return Facts(events=found, closes=closes)


def _place_of(scope: Scope, fault: Fault) -> Place:
    """Where the YAML names what a fault of the data is about."""
    if fault.code in ("UL208", "UL209", "UL210"):
        return scope.at("arms", key=True)
    if fault.code == "UL217" or "(start)" in fault.message:
        return scope.at("assignment", "start")
    named = [name for name in scope.plan.sources if f" of {name} " in fault.message]
    return _source_place(scope, named[0] if named else None)


def _fault(check: Check, place: Place) -> Iterator[Fault]:
    """A check that failed as a fault; data may still come in, so incomplete ones are a warning."""
    kind = check.name.partition(":")[0]
    if check.passed is not False or kind not in _CODES:
        return
    critical = check.severity is Severity.critical and kind != "completeness"
    yield Fault(_CODES[kind], check.message, "", place, "error" if critical else "warning")


def _first(found: EventFacts, name: str, place: Place) -> Iterator[Fault]:
    """Whether events reach back as far as what is asked of the time before."""
    if found.first is None or found.reaches is None:
        return
    missing = (found.first - found.reaches) / timedelta(days=1)
    if missing < SILENCE or math.exp(-found.recent / 7 * missing) >= IMPLAUSIBLE:
        return
    message = f"{name} begins on {found.first:%Y-%m-%d}, but is asked for from"
    message += f" {found.reaches:%Y-%m-%d} on"
    yield Fault("UL222", message, "bring the earlier events along", place, "warning")
