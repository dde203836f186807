"""The rehearsal: the same experiment without a campaign, on the customers' own time before it.

It starts so long before the planned start that its last outcome window closes there. Metrics and
covariates over events then tell of the time before what the analysis will tell of the time after.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from upliftlab.analysis.aggregation import UNITS, cells_of, unit_table
from upliftlab.analysis.checks.definition import CheckInputs, FactInputs
from upliftlab.analysis.checks.events import EVENT_CHECKS
from upliftlab.analysis.checks.registry import asked, counted
from upliftlab.analysis.estimation import estimation_spec
from upliftlab.analysis.event_tables import attach_events
from upliftlab.analysis.look import LookSchedule
from upliftlab.analysis.population import (
    CUSTOMERS,
    eligible_sql,
    excluded_sql,
    ignored_sql,
    size_sql,
    where,
)
from upliftlab.analysis.refusals import refuse_missing, refuse_traces
from upliftlab.analysis.rows import UnitSource, unit_kinds
from upliftlab.config.expressions import parse
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.planning.baseline import Baseline
from upliftlab.planning.earlier import EARLIER, EarlierCustomers, earlier_customers
from upliftlab.planning.primary_metric import lead_name
from upliftlab.queries.clock import Span, converted, time_literal
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.queries.moments import MomentsQuery
from upliftlab.queries.population import AnalysisPopulation, missing_column
from upliftlab.queries.units import unit_columns
from upliftlab.results.analysis import Check, Message
from upliftlab.results.plan import BaselineOrigin
from upliftlab.stats.moments import Array, Projection
from upliftlab.text.language import N_
from upliftlab.util.sql import literal, quote

PLANNED = "planned"
"""What the ids of the customers in any arm are kept as."""
_DAY = timedelta(days=1)
_REMEDY = (
    "give --like ANALYSIS, or --baseline-mean with --baseline-sd (--rate for a share), or write "
    "what such customers do into the experiment: planning: {baseline: {mean: 10, sd: 30}}, for a "
    "share planning: {baseline: {rate: 2%}}"
)


@dataclass(frozen=True, slots=True)
class PrePeriodPopulation:
    """Who rehearses.

    Attributes:
        engine: Where the data lie, with the customers' table attached.
        assigned: Whether the customers in any arm are kept as `PLANNED`; else those eligible.
        today: The day of planning, on the program's clock: later there are no events.
        notes: What was left out of their choice.
    """

    engine: Engine
    assigned: bool
    today: date
    notes: tuple[Message, ...] = ()


def rehearsed(plan: Plan) -> Plan:
    """The plan without covariates from columns: as of now, they hold the rehearsal's outcomes."""
    kept = {name: each for name, each in plan.covariates.items() if each.source is not None}
    return plan.model_copy(update={"covariates": kept})


def rehearse(plan: Plan, cast: PrePeriodPopulation) -> Baseline:
    """The baseline that the customers' time before the start tells.

    Args:
        plan: What was asked, as `rehearsed`.
        cast: Who there is; where events tell who would have been eligible then, they rehearse.

    Raises:
        DataError: UL321, nothing tells how long outcomes count, a metric is no count of events,
            or nobody did anything; UL2xx, the data are not what the plan says they are.
    """
    alone, length = _alone(plan), _length(plan)
    planned = _planned_start(alone, cast)
    day = planned - length
    earlier = earlier_customers(alone, cast.engine, planned - day)
    frame = _frame(plan, cast, day, earlier)
    moment = datetime.combine(day, time())
    table, looks = unit_table(alone, (frame, Span(moment, moment)), cast.engine)
    cast.engine.keep(UNITS, table.sql())
    cells = cells_of(MomentsQuery(UNITS, table.columns, ()), cast.engine)
    lacking = {name for group in cells.values() for cell in group for name in cell.missing}
    refuse_missing(alone, table, lacking, cast.engine)
    refuse_traces(cells, table.columns)
    (units,) = next(iter(cells.values())) or (None,)
    if units is None or units.moments.n < 2:  # noqa: PLR2004 - a variance needs two
        raise DataError(Diagnostic("UL207", "the data hold no customers", "check 'eligible'"))
    spec = estimation_spec(alone)
    column = spec.columns.index(_counted(plan))
    if units.moments.m2[column, column] <= 0:
        raise DataError(Diagnostic("UL321", _alike(plan, units.moments.n, day, earlier), _REMEDY))
    facts = counted(EVENT_CHECKS, FactInputs(alone, spec, cast.engine, frame, UNITS, looks))
    doubts = asked(EVENT_CHECKS, CheckInputs(alone, spec, LookSchedule(), facts))
    size = 1.0 if spec.size is None else float(units.moments.mean[spec.size])
    customers = round(units.moments.n * size)
    text = N_("Measured on {n:count} customers over the time from {date:date} on.")
    return Baseline(
        origin=BaselineOrigin.before,
        described=Message(template=text, values={"n": customers, "date": day.isoformat()}),
        unit=units.moments.project(_placed(spec.columns, estimation_spec(plan).columns)),
        known=frozenset(spec.columns),
        customers=customers,
        available=customers if earlier is None else population(plan, cast),
        share=_counted(plan) in units.flags,
        notes=(*cast.notes, *_notes(plan, frame.columns, earlier), *_doubts(doubts)),
    )


def untreated_units(plan: Plan, cast: PrePeriodPopulation) -> tuple[Array, Array] | None:
    """The units whose moments `rehearse` tells, those that are alike together.

    Args:
        plan: What was asked, as `rehearsed`.
        cast: Who there is.

    Returns:
        Values over the columns of the plan's `estimation_spec`, shape (kinds, p), and how many
        units are of each kind; None where there are too many kinds.

    Raises:
        DataError: as `rehearse`.
    """
    rehearse(plan, cast)
    held = estimation_spec(_alone(plan)).columns
    found = unit_kinds(UnitSource(UNITS, cast.engine), len(held))
    if found is None:
        return None
    values, counts = found
    return values @ _placed(held, estimation_spec(plan).columns).matrix.T, counts


def _alone(plan: Plan) -> Plan:
    """The plan without what the campaign itself brings about: there is none, and no table of it.

    Planning assumes it; before the first campaign nobody has such tables.
    """
    money = plan.experiment.money
    if money is None:
        return plan
    update = {
        key: None
        for key in ("contacts", "redemptions")
        if getattr(money, key) not in (None, lead_name(plan), *money.amounts)
    }
    experiment = plan.experiment.model_copy(update={"money": money.model_copy(update=update)})
    return plan.model_copy(update={"experiment": experiment})


def _placed(held: Sequence[str], wanted: Sequence[str]) -> Projection:
    """Columns in the places where they are wanted; those that are not held are 0."""
    matrix = np.zeros((len(wanted), len(held)))
    for at, name in enumerate(wanted):
        if name in held:
            matrix[at, held.index(name)] = 1.0
    return Projection(matrix, np.zeros(len(wanted)))


def _alike(plan: Plan, customers: int, day: date, earlier: EarlierCustomers | None) -> str:
    """Why a past in which nobody differed tells nothing."""
    same = f"all {customers:,} have the same '{lead_name(plan)}' from {day:%Y-%m-%d} on"
    chosen = plan.experiment.eligible
    if chosen is None or earlier is not None:
        return f"these customers' own past says nothing of what they will do: {same}"
    return (
        f"these customers seem to be chosen by what they did lately ({chosen}), so their own past "
        f"says nothing of what they will do: {same}"
    )


def _counted(plan: Plan) -> str:
    """The column of the lead metric that must vary: a ratio's upper part."""
    name = lead_name(plan)
    ratio = plan.metrics[name].ratio
    return ratio[0] if ratio else name


def _length(plan: Plan) -> timedelta:
    """How long outcomes count, in whole days."""
    counted = [name for name in plan.measured_columns if name not in _campaign(plan)]
    fixed = [field for name in counted if (field := plan.metrics[name].field) is not None]
    if fixed:
        message = f"'{fixed[0]}' is a column of the customers' table: nothing tells what it was"
        raise DataError(Diagnostic("UL321", f"{message} before the campaign", _REMEDY))
    length = plan.longest_window
    if length is None:
        raise DataError(Diagnostic("UL321", "nothing says how long outcomes count", _REMEDY))
    return -(-length // _DAY) * _DAY


def _planned_start(plan: Plan, cast: PrePeriodPopulation) -> date:
    """The first day of the campaign, or today where that is earlier.

    Tables that were drawn some days ago hold no today: then it is the day after their last event.
    """
    first = min((wave.start for wave in plan.experiment.waves), default=cast.today)
    if first < cast.today:
        return first
    tallies = unit_columns(plan).tallies
    if not tallies:
        return cast.today
    name, used = next(iter(tallies.items()))
    events = attach_events(plan, name, used, cast.engine)
    span = Span(datetime.combine(cast.today, time()), datetime.combine(cast.today, time()))
    last = converted("MAX(t)", events.clock, plan.program.time_zone, span)
    query = (
        f"SELECT CAST({last} AS DATE) AS day FROM (SELECT {events.time} AS t FROM {events.table}"
    )
    day: date | None = cast.engine.query(f"{query}) AS e").to_pylist()[0]["day"]
    return cast.today if day is None else min(cast.today, day + _DAY)


def _campaign(plan: Plan) -> set[str | None]:
    """The metrics of what the campaign itself brings about, which planning assumes."""
    money = plan.experiment.money
    return {money.contacts, money.redemptions} if money else set()


def _frame(
    plan: Plan, cast: PrePeriodPopulation, day: date, earlier: EarlierCustomers | None
) -> AnalysisPopulation:
    """Everybody in one group, with the same start."""
    columns = cast.engine.columns(CUSTOMERS if earlier is None else EARLIER)
    start = time_literal(datetime.combine(day, time()))
    own = {"arm": literal("baseline"), "start": start, "as_of": start}
    for role, name in (("id", plan.customers.id), ("house", plan.households)):
        if name is not None:
            if name not in columns:
                raise missing_column(name, role, columns)
            own[role] = f"c.{quote(name)}"
    relation = _relation(plan, cast)
    if earlier is not None:
        conditions = [earlier.eligible, *_staying(plan, cast.engine), *_open(plan, cast.engine)]
        relation = where(f"{EARLIER} AS c", conditions)
    return AnalysisPopulation(relation, columns, own, form=plan.customers.format)


def _open(plan: Plan, engine: Engine) -> Iterator[str]:
    """That a customer may be contacted at all, where the program says so by a condition."""
    policy = plan.program.contact_policy
    if policy is not None and policy.opt_out is not None:
        table = customers_table(EARLIER, plan.customers, engine)
        refused = sound_condition("opt_out", policy.opt_out, table, engine, "c")
        yield f"NOT COALESCE({refused}, FALSE)"


def _relation(plan: Plan, cast: PrePeriodPopulation) -> str:
    """The customers who rehearse, as `c`."""
    relation = f"{quote(CUSTOMERS)} AS c"
    conditions = [*_staying(plan, cast.engine)]
    if cast.assigned:
        relation += f" JOIN {PLANNED} AS a ON c.{quote(plan.customers.id or '')} = a.id"
    elif (eligible := eligible_sql(plan, cast.engine)) is not None:
        conditions = [eligible, *conditions]
    return where(relation, conditions)


def _staying(plan: Plan, engine: Engine) -> Iterator[str]:
    """What customers meet who will be compared, as far as the table tells it already."""
    columns = engine.columns(CUSTOMERS)
    if plan.experiment.exclude is not None and not _unknown(plan, columns):
        yield f"NOT {excluded_sql(plan, engine)}"
    here = plan.experiment.assignment.observed in columns
    if here and (ignored := ignored_sql(plan, columns)) is not None:
        yield f"NOT {ignored}"


def _unknown(plan: Plan, columns: Mapping[str, ColumnType]) -> list[str]:
    """The columns of `exclude` that the table does not hold yet."""
    exclude = plan.experiment.exclude
    return [] if exclude is None else sorted(parse(exclude).columns - set(columns))


def population(plan: Plan, cast: PrePeriodPopulation) -> int:
    """How many customers there are for all arms together."""
    size = size_sql(plan, cast.engine.columns(CUSTOMERS))
    count = "COUNT(*)" if size is None else f"COALESCE(SUM({size}), 0)"
    query = f"SELECT {count} AS n FROM {_relation(plan, cast)}"
    return int(cast.engine.query(query).to_pylist()[0]["n"])


def _notes(
    plan: Plan, columns: Mapping[str, ColumnType], earlier: EarlierCustomers | None
) -> Iterator[Message]:
    if unknown := _unknown(plan, columns):
        text = N_(
            "Customers who will be excluded are counted here: the customers' table does not hold "
            "{names} yet."
        )
        yield Message(template=text, values={"names": ", ".join(unknown)})
    if earlier is not None:
        yield from earlier.notes()
    elif plan.experiment.eligible is not None:
        yield Message(
            template=N_(
                "Customers were chosen as they are now. Where 'eligible' looks at recent "
                "behaviour, their past is no guide to their future: give the baseline of an "
                "earlier campaign instead."
            )
        )
    kept = plan.experiment.analysis.covariates
    if dropped := [name for name in kept if name not in plan.covariates]:
        text = N_(
            "Not allowed for: {names}. These columns are as of now, and so would explain a past "
            "that they are made of. The analysis will use them, and be more exact."
        )
        yield Message(template=text, values={"names": ", ".join(dropped)})


def _doubts(checks: Iterable[Check]) -> Iterator[Message]:
    """What the checks of events find wrong, as the analysis would say it."""
    for check in checks:
        if check.passed is False and check.severity != "info":
            yield check.parts
