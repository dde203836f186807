"""What an experiment's YAML names, held against the names and types of the tables' columns.

Of columns nothing but names and types is looked at, which costs next to nothing however large the
tables are. Who is eligible, and whether a column holds the arms, takes one look at the customers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from upliftlab.analysis.population import CUSTOMERS
from upliftlab.assignment.allocation import Reason
from upliftlab.assignment.decided import held, nobody
from upliftlab.assignment.given_arms import already_given
from upliftlab.config.computed import parts_of
from upliftlab.config.expressions import parse
from upliftlab.config.load import in_order
from upliftlab.config.models import Source
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.config.models.metrics import TOTALS
from upliftlab.config.resolve import named_metrics
from upliftlab.config.scope import Scope
from upliftlab.config.shared import condition_fault
from upliftlab.config.windows import BEFORE, known_before
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic, Place, UpliftLabError
from upliftlab.queries.computed import attach_table, said
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.queries.population import missing_column
from upliftlab.queries.tallies import EventAggregate
from upliftlab.queries.units import unit_columns

TABLE = "examined"
"""What a table of events is attached as, to look at its columns."""
_AT_ONCE = ("id", "unit", "stratum", "eligible")
"""What columns are for that are needed to assign; others may come with the outcomes."""
_ROLES = ("id", "time", "recorded", "experiment", "currency")
"""Keys of a table of events that each name a column."""
COMPUTED = ("UL214", "UL285", "UL286")
"""Why a column cannot be computed although those that it is made of are there."""
_NUMBERS: tuple[ColumnType, ...] = ("number", "boolean", "text")
_TIMES: tuple[ColumnType, ...] = ("date", "time", "instant", "text")


@dataclass(frozen=True, slots=True)
class Named:
    """A column that the YAML names.

    Attributes:
        column: Its name; None where the YAML names none.
        role: What for.
        place: Where.
        kinds: Of which types it may be; any where there are none.
    """

    column: str | None
    role: str
    place: Place
    kinds: tuple[ColumnType, ...] = ()


def require_fit(scope: Scope, engine: Engine) -> tuple[Diagnostic, ...]:
    """Refuse a plan that the tables, as far as they are there, could never be analysed by.

    A table that cannot be read yet is left alone, and a column that may come with the outcomes
    is a warning.

    Args:
        scope: The experiment, which is without faults of its own.
        engine: Where the tables lie.

    Returns:
        The warnings.

    Raises:
        DataError: UL205 and UL206, a column that is needed is not there or of another type.
    """
    known = _columns(engine, scope)
    found = [] if known is None else [*customer_columns(scope, known, early=True)]
    for name in tallies_of(scope.plan):
        events = (fault for fault in event_columns(scope, name, engine) if fault.code == "UL205")
        found += events
    faults = in_order(found)
    if errors := tuple(fault for fault in faults if fault.severity == "error"):
        raise DataError(errors)
    return faults


def require_somebody(scope: Scope, engine: Engine) -> None:
    """Refuse a plan that nobody of a table that is there is eligible for.

    A table that cannot be read yet, or is still empty, is left alone.

    Args:
        scope: The experiment, whose tables fit.
        engine: Where its customers are attached.

    Raises:
        DataError: UL414, with how many customers there are and what the columns hold.
    """
    plan = scope.plan
    if plan.experiment.eligible is None or plan.experiment.assignment.observed is not None:
        return
    try:
        attach_table(CUSTOMERS, plan.customers, engine)
        table = customers_table(CUSTOMERS, plan.customers, engine)
        condition = sound_condition("eligible", plan.experiment.eligible, table, engine)
    except UpliftLabError:  # `check --data` and `assign` tell
        return
    row = engine.query(
        f"SELECT COUNT(*) AS n, COUNT(CASE WHEN {condition} THEN 1 END) AS met FROM {CUSTOMERS}"  # noqa: S608 - allow-listed
    ).to_pylist()[0]
    if row["n"] and not row["met"]:
        fault = nobody({Reason.not_eligible: row["n"]})
        message = fault.message + held(plan, engine)
        raise DataError(replace(fault, message=message, place=scope.at("eligible")))


def ask_about_arms(scope: Scope, engine: Engine) -> tuple[Diagnostic, ...]:
    """What `arms_held` tells of a table that can be read; one that cannot yet is left alone."""
    try:
        attach_table(CUSTOMERS, scope.plan.customers, engine)
    except UpliftLabError:  # `check --data` and `assign` tell
        return ()
    return arms_held(scope, engine)


def arms_held(scope: Scope, engine: Engine) -> tuple[Diagnostic, ...]:
    """UL418: a column of the customers holds the arms that are to be drawn, at its place.

    Args:
        scope: The experiment, whose arms are drawn and whose tables fit.
        engine: Where its customers are attached.
    """
    place = scope.at("assignment" if scope.document.has("assignment") else "arms", key=True)
    return tuple(replace(fault, place=place) for fault in already_given(scope.plan, engine))


def _columns(engine: Engine, scope: Scope) -> dict[str, ColumnType] | None:
    """The columns of the customers' table; None where it cannot be read yet.

    Raises:
        DataError: UL214, UL285, UL286, a column cannot be computed from it.
    """
    try:
        return attach_table(CUSTOMERS, scope.plan.customers, engine, whole=False)
    except UpliftLabError as error:
        if wrong := tuple(fault for fault in error.faults if fault.code in COMPUTED):
            raise DataError(placed(scope, None, wrong)) from error
        return None


def placed(
    scope: Scope, source: str | None, faults: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    """Faults of a table at the computed column that they name, else where the table is declared.

    Args:
        scope: The experiment.
        source: The table; the customers' where no name is given.
        faults: What is wrong with it.
    """
    table = scope.plan.customers if source is None else scope.plan.sources[source]
    places = {said(name): computed_place(scope, source, name) for name in table.columns}
    found = list[Diagnostic]()
    for fault in faults:
        own = (place for name, place in places.items() if name in fault.message)
        found.append(replace(fault, place=next(own, source_place(scope, source))))
    return tuple(found)


def computed_place(scope: Scope, source: str | None, column: str) -> Place:
    """Where a table's computed column is declared."""
    asked = scope.plan.experiment
    if source is None and column in asked.columns:
        return scope.at("columns", column)
    if source is None and not isinstance(asked.customers, str):
        return scope.at("customers", "columns", column)
    return scope.shared.at("sources", "sources", source or str(asked.customers), "columns", column)


def customer_columns(
    scope: Scope, columns: dict[str, ColumnType], *, early: bool = False
) -> Iterator[Diagnostic]:
    """Faults of the customers' columns; what may come with the outcomes is a warning if early."""
    for named in (*_computed(scope, None), *named_columns(scope)):
        measured = named.role.startswith(("metric ", "covariate "))
        for fault in column_faults(named, columns, _names(scope) if measured else ()):
            if early and fault.code == "UL205" and named.role not in _AT_ONCE:
                if named.column in scope.plan.customers.known_after:
                    continue
                remedy = f"bring it with the outcomes, or mend the name: {fault.remedy}"
                yield replace(fault, severity="warning", remedy=remedy)
            else:
                yield fault


def _computed(scope: Scope, source: str | None) -> Iterator[Named]:
    """The real columns that a table's computed ones are made of."""
    table = scope.plan.customers if source is None else scope.plan.sources[source]
    for name, text in table.columns.items():
        for part in sorted(parts_of(text) - table.columns.keys()):
            yield Named(part, said(name), computed_place(scope, source, name))


def _names(scope: Scope) -> tuple[str, ...]:
    """What a metric or covariate may be called beside the columns."""
    declared = scope.declared
    profit = (PROFIT,) if scope.plan.experiment.money else ()
    return (*declared, *known_before(declared), *profit)


def source_place(scope: Scope, name: str | None) -> Place:
    """Where a source is declared; the customers' where no name is given."""
    asked = scope.plan.experiment.customers
    if name is None and not isinstance(asked, str):
        return scope.at("customers")
    return scope.shared.at("sources", "sources", name or str(asked), key=True)


def named_columns(scope: Scope) -> Iterator[Named]:
    """Every column of the customers' table that the YAML names."""
    plan, asked = scope.plan, scope.plan.experiment
    source, own = source_place(scope, None), plan.customers
    for column, role in ((own.id, "id"), (own.household, "household")):
        yield Named(column, role, source)
    yield Named(plan.households, "unit", scope.at("assignment", "unit"))
    yield Named(own.as_of, "as_of", source, _TIMES)
    yield from _named_totals(own, source)
    for column in (*own.attributes, *own.known_after, *own.known_before):
        yield Named(column, "attributes", source)
    given = asked.assignment
    yield Named(given.observed, "assignment", scope.at("assignment", "observed"))
    yield Named(given.start, "start", scope.at("assignment", "start"), _TIMES)
    yield Named(given.delivered, "delivered", scope.at("assignment", "delivered"))
    for at, name in enumerate(given.strata):
        yield Named(name, "stratum", scope.at("assignment", "strata", at))
    for at, name in enumerate(asked.uplift.features if asked.uplift else ()):
        yield Named(name, "feature", scope.at("uplift", "features", at), _NUMBERS)
    yield from _named_measures(scope)
    conditions = [
        (asked.eligible, "eligible", scope.at("eligible")),
        (asked.exclude, "exclude", scope.at("exclude")),
    ]
    if asked.uplift and asked.uplift.today:
        place = scope.at("uplift", "today", "where")
        conditions.append((asked.uplift.today.where, "today's rule", place))
    for text, role, place in conditions:
        if text and condition_fault(text, place) is None:
            for column in sorted(parse(text).columns):
                yield Named(column, role, place)


def _named_totals(own: Source, place: Place) -> Iterator[Named]:
    """The columns of a customers' table of which a row is of several."""
    yield Named(own.group_size, "number of customers", place, ("number", "text"))
    if own.aggregated is not None:
        yield Named(own.time, "time", place)
        for way, column in own.aggregated.columns():
            yield Named(column, f"{way[0]} of {way[1]}", place, _NUMBERS)


def _named_measures(scope: Scope) -> Iterator[Named]:
    plan = scope.plan
    places = {name: scope.at(*path) for name, path in reversed(named_metrics(plan.experiment))}
    told = plan.customers.aggregated is not None  # their totals stand in the table instead
    for name, metric in plan.metrics.items() if not told else ():
        called = _declared(name, scope)
        declared = called in scope.declared
        place = scope.metric_at(called) if declared else places.get(called, scope.at("metrics"))
        kinds = () if metric.present else _NUMBERS
        yield Named(metric.field, f"metric '{called}'", place, kinds)
    for at, (name, metric) in enumerate(plan.covariates.items() if not told else ()):
        place = scope.at("analysis", "covariates", at)
        yield Named(metric.column, f"covariate '{name}'", place, _NUMBERS)
    for at, segment in enumerate(plan.segments.values()):
        kinds = _NUMBERS if segment.bands or segment.rfm else ()
        for column in segment.columns:
            yield Named(column, "segment", scope.at("segments", at), kinds)


def column_faults(
    named: Named, columns: dict[str, ColumnType], also: tuple[str, ...] = ()
) -> Iterator[Diagnostic]:
    """What is wrong with a column; `also` are names that may have been meant beside columns'."""
    if named.column is None:
        return
    if named.column not in columns:
        (fault,) = missing_column(named.column, named.role, columns, also).faults
        yield replace(fault, place=named.place)
    elif named.kinds and columns[named.column] not in named.kinds:
        numbers = "numbers or texts" if named.role == "feature" else "numbers"
        what = "times" if named.kinds == _TIMES else numbers
        message = f"column '{named.column}' holds no {what} ({named.role})"
        yield Diagnostic("UL206", message, "name another column", named.place)


def tallies_of(plan: Plan) -> dict[str, tuple[EventAggregate, ...]]:
    """What is counted in each table of events."""
    return unit_columns(plan).tallies


def event_columns(scope: Scope, name: str, engine: Engine) -> Iterator[Diagnostic]:
    """A table of events: that it can be read, and the columns that the YAML names."""
    source = scope.plan.sources[name]
    try:
        columns = attach_table(TABLE, source, engine)
    except UpliftLabError as error:
        yield from placed(scope, name, error.faults)
        return
    for named in event_names(scope, name):
        yield from column_faults(named, columns)


def event_names(scope: Scope, name: str) -> Iterator[Named]:
    """Every column of a table of events that the YAML names."""
    source = scope.plan.sources[name]
    named = [(key, getattr(source, key)) for key in _ROLES]
    for key, column in (*named, *(("key", column) for column in source.key or ())):
        yield Named(column, f"{key} of {name}", scope.shared.at("sources", "sources", name, key))
    for column in source.amounts:
        where = scope.shared.at("sources", "sources", name, "amounts", column, key=True)
        yield Named(column, f"amounts of {name}", where, _NUMBERS)
    yield from _metric_columns(scope, name)
    yield from _segment_columns(scope, name)


def _declared(name: str, scope: Scope) -> str:
    """The name under which a metric is declared, also of one of its two totals."""
    if name in scope.declared:
        return name
    return min((name.partition(suffix)[0] for suffix in TOTALS), key=len)


def _metric_columns(scope: Scope, source: str) -> Iterator[Named]:
    """The columns of a table of events that metrics look at."""
    for used, metric in {**scope.plan.metrics, **scope.plan.covariates}.items():
        if metric.source != source:
            continue
        name = _declared(used if used in scope.plan.metrics else used.removesuffix(BEFORE), scope)
        if (column := metric.value_column) is not None:
            numeric = any(each.numeric for each in metric.kind.aggregates)
            kinds = _NUMBERS if numeric else ()
            where = scope.metric_at(name, metric.defined_by)
            yield Named(column, f"metric '{name}'", where, kinds)
        if metric.where is not None:
            where = scope.metric_at(name, "where")
            for column in sorted(parse(metric.where).columns):
                yield Named(column, f"metric '{name}'", where)


def _segment_columns(scope: Scope, source: str) -> Iterator[Named]:
    """The columns of a table of events that segments look at."""
    for name, segment in scope.plan.segments.items():
        if segment.source != source:
            continue
        where = scope.shared.at("segments", "segments", name)
        amount = segment.rfm.amount if segment.rfm else None
        yield Named(amount, f"segment '{name}'", where, _NUMBERS)
        for column in sorted(parse(segment.where).columns) if segment.where else ():
            yield Named(column, f"segment '{name}'", where)
