"""The verb behind `check --data`: an experiment's YAML held against the real tables.

Everything that is wrong is found at once, each fault at the place of the YAML that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path

from upliftlab.analysis.check import IMPLAUSIBLE
from upliftlab.analysis.checks_events import events as event_checks
from upliftlab.analysis.facts import Facts, Look, event_facts
from upliftlab.analysis.frames import CUSTOMERS
from upliftlab.analysis.tables import attach_events, refuse_unreadable, without_repeats
from upliftlab.config.expressions import parse
from upliftlab.config.load import examine as examine_file
from upliftlab.config.load import in_order
from upliftlab.config.scope import Scope
from upliftlab.config.shared import condition_fault, read_shared
from upliftlab.config.workspace import find_workspace
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.engines.open import open_engine
from upliftlab.errors import Fault, Place, UpliftLabError
from upliftlab.experiment import Plan
from upliftlab.queries.clock import Span
from upliftlab.queries.events import EventTable, Starts
from upliftlab.queries.frame import missing_column
from upliftlab.queries.tallies import Tally
from upliftlab.queries.units import Asked
from upliftlab.results import Check, Severity
from upliftlab.sql import quote

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
class _Named:
    """A column that the YAML names: where, what for, and of which types it may be."""

    column: str | None
    role: str
    place: Place
    kinds: tuple[ColumnType, ...] = ()


def examine(path: Path, data: Path | None = None, given: Path | None = None) -> tuple[Fault, ...]:
    """Every fault of an experiment's tables, in the order of the YAML.

    Args:
        path: The experiment's file; its own faults are not looked for.
        data: The folder of the data files, if not the workspace's own.
        given: The path that the user gave, so that messages name files alike.

    Raises:
        EngineError: UL501 and UL51x, the engine cannot be reached.
    """
    workspace = find_workspace(path, data)
    shared = read_shared(workspace, given or path)
    scope = examine_file(path, workspace, shared, given or path).scope
    if scope is None:
        return ()
    with open_engine(scope.plan.engine, workspace.locate) as engine:
        faults = [*_customers(scope, engine)]
        tallies = Asked(
            {**scope.plan.metrics, **scope.plan.covariates},
            (*scope.plan.measured_columns, *scope.plan.covariates),
            scope.plan.segments,
        ).tallies
        for name, wanted in tallies.items():
            if name in scope.plan.sources:
                faults += _events(scope, name, wanted, engine)
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
    for column, role in ((own.id, "id"), (own.household, "household"), (plan.households, "unit")):
        yield _Named(column, role, source)
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
        yield _Named(name, "feature", scope.at("uplift", "features", at))
    yield from _named_measures(scope)
    place = scope.at("eligible")
    if asked.eligible and condition_fault(asked.eligible, place) is None:
        for column in sorted(parse(asked.eligible).columns):
            yield _Named(column, "eligible", place)


def _named_measures(scope: Scope) -> Iterator[_Named]:
    plan = scope.plan
    for name, metric in plan.metrics.items():
        declared = name in (scope.shared.metrics or {})
        place = scope.shared.at("metrics", "metrics", name) if declared else scope.at("metrics")
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
        what = "times" if named.kinds == _TIMES else "numbers"
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


def _events(scope: Scope, name: str, tallies: Sequence[Tally], engine: Engine) -> Iterator[Fault]:
    """A table of events: that it can be read, its columns and types, and what is in it."""
    place = _source_place(scope, name)
    try:
        events = attach_events(scope.plan, name, engine)
        for column in events.source.amounts:
            yield from _column(_Named(column, "amounts", place, _NUMBERS), dict(events.columns))
        refuse_unreadable(events, tallies, engine)
        events, *repeats = without_repeats(events, tallies, engine)
    except UpliftLabError as error:
        yield from (replace(fault, place=place) for fault in error.faults)
        return
    starts = _starts(scope.plan, events, engine)
    if starts is not None:
        plain = replace(events, source=events.source.model_copy(update={"recorded": None}))
        look = Look(scope.plan, engine, plain, starts, tallies, (repeats[0], repeats[1]))
        facts = Facts(events={name: event_facts(look)})
        for check in event_checks(scope.plan, facts):
            yield from _fault(check, place)
        yield from _first(facts, name, starts, place)


def _starts(plan: Plan, events: EventTable, engine: Engine) -> Starts | None:
    """When customers' time begins, as far as the YAML alone tells."""
    columns = engine.columns(CUSTOMERS)
    if not plan.experiment.waves or plan.customers.id not in columns:
        return None
    days = [datetime.combine(wave.start, time()) for wave in plan.experiment.waves]
    texts = columns[plan.customers.id] != events.columns[events.id]
    return Starts(CUSTOMERS, plan.program.time_zone, Span(min(days), max(days)), text_ids=texts)


def _fault(check: Check, place: Place) -> Iterator[Fault]:
    """A check that failed as a fault; data may still come in, so incomplete ones are a warning."""
    kind = check.name.partition(":")[0]
    if check.passed is not False or kind not in _CODES:
        return
    critical = check.severity is Severity.critical and kind != "completeness"
    yield Fault(_CODES[kind], check.message, "", place, "error" if critical else "warning")


def _first(facts: Facts, name: str, starts: Starts, place: Place) -> Iterator[Fault]:
    """Whether events reach back as far as what is asked of the time before."""
    found = facts.events[name]
    if found.first is None or found.reaches is None:
        return
    missing = (found.first - found.reaches) / timedelta(days=1)
    if missing < 1 or math.exp(-found.recent / 7 * missing) >= IMPLAUSIBLE:
        return
    if found.rows and found.first > starts.span.first:
        message = f"the first event of {name} is of {found.first:%Y-%m-%d}, after the first start"
    else:
        message = f"{name} begins on {found.first:%Y-%m-%d}; what is asked of the time before"
        message += f" reaches back to {found.reaches:%Y-%m-%d}"
    yield Fault("UL222", message, "bring the earlier events along", place, "warning")
