"""The verb behind `check --data`: an experiment's YAML held against the real tables.

Everything that is wrong is found at once, each fault at the place of the YAML that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from upliftlab.analysis.aggregates import roll_up
from upliftlab.analysis.aggregation import measure
from upliftlab.analysis.checks.definition import IMPLAUSIBLE, CheckInputs, Facts
from upliftlab.analysis.checks.event_facts import EventFacts, events
from upliftlab.analysis.checks.events import EVENT_CHECKS, SILENCE
from upliftlab.analysis.checks.left_out import left_out
from upliftlab.analysis.checks.registry import asked, counted
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.analysis.population import (
    CUSTOMERS,
    excluded_sql,
    population_of,
    refuse_inexact,
)
from upliftlab.analysis.record import Record
from upliftlab.analysis.repeated_ids import IdCounts, repeated_ids
from upliftlab.assignment.decided import counted as counted_arms
from upliftlab.assignment.decided import empty_places, held, nobody
from upliftlab.config.load import examine as examine_file
from upliftlab.config.load import in_order
from upliftlab.config.models.experiment import Plan
from upliftlab.config.rules.registry import shared_faults
from upliftlab.config.scope import Scope
from upliftlab.config.shared import read_shared
from upliftlab.config.workspace import find_workspace
from upliftlab.data_checks.conditions import customer_conditions, event_conditions
from upliftlab.data_checks.draft import drafted
from upliftlab.data_checks.fit import (
    TABLE,
    arms_held,
    customer_columns,
    event_columns,
    event_names,
    named_columns,
    placed,
    source_place,
    tallies_of,
)
from upliftlab.data_checks.gaps import gaps
from upliftlab.data_checks.integrity import checks_of, fault_of
from upliftlab.engines.base import Engine
from upliftlab.engines.open import open_engine
from upliftlab.errors import DataError, Diagnostic, Place, UpliftLabError
from upliftlab.queries.computed import attach_table
from upliftlab.queries.features import features_of
from upliftlab.queries.naming import naming_fault
from upliftlab.util.sql import quote


@dataclass(frozen=True, slots=True)
class Within:
    """Where an experiment stands.

    Attributes:
        data: The folder of the data files, if not the workspace's own.
        given: The path that the user gave, so that messages name files alike.
    """

    data: Path | None = None
    given: Path | None = None


def examine(
    path: Path, now: datetime, within: Within, *, notice: bool = False
) -> tuple[Diagnostic, ...]:
    """Every fault of an experiment's tables, in the order of the YAML.

    Args:
        path: The experiment's file; where it or `configs/` has faults of its own, nothing is read.
        now: The moment of the check, with its time zone.
        within: Where data lie and how the user named the file.
        notice: Tell also what is no fault: how many rows lack a value, of every column used.

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
        return table_faults(scope, engine, now, notice=notice)


def table_faults(
    scope: Scope, engine: Engine, now: datetime, *, notice: bool = False
) -> tuple[Diagnostic, ...]:
    """Every fault of the tables of an experiment that has none of its own, in the YAML's order.

    Args:
        scope: The experiment.
        engine: Where its tables lie.
        now: The moment of the check, with its time zone.
        notice: Tell also what is no fault, as `examine`.
    """
    try:
        with engine.reading():
            faults = _data_faults(scope, engine, now, notice=notice)
    except UpliftLabError as error:  # tables are damaged or changed: all else follows from it
        faults = [replace(fault, place=source_place(scope, None)) for fault in error.faults]
    return in_order(faults)


def _data_faults(scope: Scope, engine: Engine, now: datetime, *, notice: bool) -> list[Diagnostic]:
    faults, told = [*_customers(scope, engine)], list[Diagnostic]()
    if notice and not faults:
        told += gaps(scope, None, CUSTOMERS, named_columns(scope), engine)
    for name in tallies_of(scope.plan):
        unfit = [*event_columns(scope, name, engine)]
        faults += unfit or [*event_conditions(scope, name, engine)]
        if notice and not unfit:
            told += gaps(scope, name, TABLE, event_names(scope, name), engine)
    return [*told, *(faults or _content(scope, engine, now))]


def _customers(scope: Scope, engine: Engine) -> Iterator[Diagnostic]:
    """The customers' table: that it can be read, its columns and types, and one row a customer."""
    plan, place = scope.plan, source_place(scope, None)
    try:
        columns = attach_table(CUSTOMERS, plan.customers, engine, whole=False)
    except UpliftLabError as error:
        yield from placed(scope, None, error.faults)
        return
    faults = [*customer_columns(scope, columns)]
    yield from faults
    if not faults and plan.customers.group_size is None:  # else the analysis's own look tells
        yield from _naming(scope, engine)
        yield from customer_conditions(scope, engine)
        yield from _features(scope, engine)
    asked = plan.experiment
    chosen = asked.assignment.observed and (
        asked.eligible or asked.exclude or plan.customers.columns
    )
    if plan.customers.id in columns and not (faults and chosen):
        yield from _identities(plan, place, engine)
    try:
        refuse_inexact(plan, columns, engine)
    except UpliftLabError as error:
        yield from (replace(fault, place=place) for fault in error.faults)


def _naming(scope: Scope, engine: Engine) -> Iterator[Diagnostic]:
    """Strata that say who customers are; segments are told of those who are analysed.

    Strata of observed arms are shown nowhere, and may be matched pairs.
    """
    given = scope.plan.experiment.assignment
    for at, column in enumerate(() if given.within_given else given.strata):
        fault = naming_fault("stratum", column, CUSTOMERS, engine, scope.plan.smallest_cell)
        if fault is not None:
            yield replace(fault, place=scope.at("assignment", "strata", at))


def _features(scope: Scope, engine: Engine) -> Iterator[Diagnostic]:
    """Features that hold numbers and a few texts, which `learn` refuses."""
    asked = scope.plan.experiment.uplift
    if asked is None:
        return
    try:
        features_of(asked, CUSTOMERS, scope.plan.customers, engine)
    except DataError as error:
        for fault in error.faults:
            names = enumerate(asked.features)
            at = next(at for at, name in names if f"'{name}'" in fault.message)
            yield replace(fault, place=scope.at("uplift", "features", at))


def _identities(plan: Plan, place: Place, engine: Engine) -> Iterator[Diagnostic]:
    name = plan.customers.id or ""
    column, relation = f"c.{quote(name)}", f"{CUSTOMERS} AS c"
    columns = engine.columns(CUSTOMERS)
    if plan.experiment.assignment.observed in columns:
        relation = population_of(plan, engine, None).relation  # as the analysis will
    row = engine.query(
        f"SELECT COUNT(*) AS n, COUNT({column}) AS known, COUNT(DISTINCT {column}) AS ids"  # noqa: S608 - quoted
        f" FROM {relation}"
    ).to_pylist()[0]
    if row["known"] < row["n"]:
        message = f"{row['n'] - row['known']:,} rows have no '{name}'"
        yield Diagnostic("UL212", message, "every customer needs one", place)
    if row["ids"] < row["known"]:
        counts = IdCounts(name, row["n"], row["known"] - row["ids"])
        yield replace(repeated_ids(counts, relation, columns, engine), place=place)


def _content(scope: Scope, engine: Engine, now: datetime) -> Iterator[Diagnostic]:
    """What is in the tables: read as an analysis reads them, arms as drawn or as they would be."""
    plan, spec = scope.plan, estimation_spec(scope.plan)
    drafting = plan.experiment.assignment.observed is None
    checks = checks_of(drafted=drafting)
    here = now.astimezone(ZoneInfo(plan.program.time_zone)).replace(tzinfo=None)
    try:
        record = drafted(plan, engine, now) if drafting else None
        if drafting:
            told = [*arms_held(scope, engine), *_decided(scope, engine, record)]
            yield from told
            if any(fault.code in ("UL414", "UL415") for fault in told):
                return  # a comparison with nobody tells no more
        intake = measure(plan, spec, engine, record, here)
        facts = counted(checks, intake.data)
        left = [*_to_be_excluded(scope, engine)] if drafting else [*_ignored(scope, facts)]
    except UpliftLabError as error:
        for fault in error.faults:
            yield replace(fault, place=_place_of(scope, fault))
        return
    yield from left
    if drafting and not plan.experiment.waves:  # it has not begun: no event can be missing
        checks = tuple(check for check in checks if check not in EVENT_CHECKS)
        facts = Facts({**facts.found, events: {}})
    aggregates = roll_up(intake.cells, ())
    for check in asked(checks, CheckInputs(plan, spec, intake.schedule, facts, aggregates)):
        yield from fault_of(check, scope)
    for name, found in (facts.of(events) or {}).items():
        yield from _first(found, name, source_place(scope, name))


def _decided(scope: Scope, engine: Engine, record: Record | None) -> Iterator[Diagnostic]:
    """What the assignment would come to: nobody, an arm or wave of nobody, customers left over."""
    query = record.generations[0].query if record else None
    if query is None:
        return
    found = counted_arms(query, engine)
    if not found.arms:
        fault = nobody(found.excluded)
        place = (
            scope.at("eligible") if scope.plan.experiment.eligible else scope.at("arms", key=True)
        )
        yield replace(fault, message=fault.message + held(scope.plan, engine), place=place)
        return
    for fault in empty_places(scope.plan, found):
        waves = "wave " in fault.message and fault.code == "UL415"
        yield replace(fault, place=scope.at("waves" if waves else "arms", key=True))


def _ignored(scope: Scope, facts: Facts) -> Iterator[Diagnostic]:
    """The customers of the arms that are not compared."""
    ignored, found = scope.plan.experiment.assignment.ignore_arms, facts.of(left_out)
    if not ignored or found is None:
        return
    counts = {arm: found[arm][0] - found[arm][1] for arm in ignored}
    listed = ", ".join(f"{arm}: {n:,}" for arm, n in counts.items())
    message = f"{sum(counts.values()):,} customers of ignored arms are left out ({listed})"
    yield Diagnostic("UL281", message, "", scope.at("assignment", "ignore_arms"), "warning")


def _to_be_excluded(scope: Scope, engine: Engine) -> Iterator[Diagnostic]:
    """The customers whom the analysis will leave out, before anybody is assigned."""
    condition = excluded_sql(scope.plan, engine)
    if condition is None:
        return
    query = f"SELECT COUNT(*) AS n FROM {CUSTOMERS} AS c WHERE {condition}"  # noqa: S608 - allow-listed
    n = int(engine.query(query).to_pylist()[0]["n"])
    message = f"{n:,} customers are to be excluded on purpose"
    yield Diagnostic("UL281", message, "", scope.at("exclude"), "warning")


def _place_of(scope: Scope, fault: Diagnostic) -> Place:
    """Where the YAML names what a fault of the data is about."""
    if fault.code in ("UL208", "UL209", "UL210", "UL280"):
        return scope.at("arms", key=True)
    if fault.code == "UL279":
        return scope.at("assignment", "ignore_arms")
    for at, name in enumerate(scope.plan.experiment.segments):
        if f"segment '{name}'" in fault.message:
            return scope.at("segments", at)
    if fault.code == "UL217" or "(start)" in fault.message:
        return scope.at("assignment", "start")
    ends = " ", ")"
    named = [
        name
        for name in scope.plan.sources
        if any(f" of {name}{end}" in fault.message for end in ends)
    ]
    return source_place(scope, named[0] if named else None)


def _first(found: EventFacts, name: str, place: Place) -> Iterator[Diagnostic]:
    """Whether events reach back as far as what is asked of the time before."""
    if found.first is None or found.reaches is None:
        return
    missing = (found.first - found.reaches) / timedelta(days=1)
    if missing < SILENCE or math.exp(-found.recent / 7 * missing) >= IMPLAUSIBLE:
        return
    message = f"{name} begins on {found.first:%Y-%m-%d}, but is asked for from"
    message += f" {found.reaches:%Y-%m-%d} on"
    yield Diagnostic("UL222", message, "bring the earlier events along", place, "warning")
