"""Intake: from attached data to cells of Moments, refusing whatever would make them lie."""

# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from upliftlab.analysis.aggregates import flags_of, level_name
from upliftlab.analysis.caps import Caps, limits, with_caps
from upliftlab.analysis.checks.definition import FactInputs
from upliftlab.analysis.disclosure import Tables, tables_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.event_tables import (
    EventReading,
    attach_events,
    refuse_unreadable,
    without_repeats,
)
from upliftlab.analysis.given_strata import ByStratum, by_stratum, refuse_strata
from upliftlab.analysis.groups import refuse_groups
from upliftlab.analysis.look import LookSchedule, occasion_of
from upliftlab.analysis.population import CUSTOMERS, population_of, timed
from upliftlab.analysis.record import Record
from upliftlab.analysis.refusals import (
    refuse_arms,
    refuse_identities,
    refuse_levels,
    refuse_missing,
    refuse_names,
    refuse_no_shares,
    refuse_text_bands,
    refuse_traces,
    refuse_unsupported,
    refuse_whole_households,
)
from upliftlab.analysis.share_regimes import ShareRegime, regimes_of
from upliftlab.analysis.values_tables import refuse_outside
from upliftlab.config.models.experiment import RAISED, Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.aggregated import AggregatedTable
from upliftlab.queries.clock import Span
from upliftlab.queries.events import EventTable, Starts
from upliftlab.queries.ids import id_column
from upliftlab.queries.moments import (
    Count,
    MomentsQuery,
    SliceMoments,
    moments_sql,
    pairs_sql,
    read_cells,
    read_pairs,
    sample_sql,
    tuned,
)
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.queries.units import UnitTable, unit_columns
from upliftlab.stats.moments import Moments
from upliftlab.util.sql import literal

FRAME, UNITS = "frame", "units"
"""What the frame and the unit table are kept as."""

Cells = Mapping[tuple[str, ...], Sequence[SliceMoments]]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What an analysis starts from.

    Attributes:
        cells: Moments of every arm and combination of levels.
        data: What the facts of checks are counted from, the unit table among it.
        caps: What metrics are capped at.
        tables: Units by every two segments.
        strata: Moments by arm of every stratum within which shares are exact, by its name, in
            order; empty without.
        given: Moments by stratum in every place, where arms were assigned within strata elsewhere.
        regimes: The cells of each time of the same shares; empty where shares stayed the same.
        schedule: Which of the planned looks at the data this is.
        flags: By arm, the columns that hold nothing but 0 and 1.
        table: The unit table.
    """

    cells: Cells
    data: FactInputs
    caps: Caps
    tables: Tables
    strata: Mapping[str, Mapping[str, Moments]]
    given: ByStratum
    regimes: Sequence[Cells]
    schedule: LookSchedule
    flags: Mapping[str, frozenset[str]]
    table: UnitTable


def measure(
    plan: Plan,
    spec: EstimationSpec,
    engine: Engine,
    record: Record | None = None,
    now: datetime | None = None,
) -> Aggregation:
    """Count everything that an analysis rests on.

    Args:
        plan: What was asked.
        spec: What is compared.
        engine: Where the data lie.
        record: Who is in which arm, where no column of the data says it.
        now: The moment of the analysis on the program's clock: outcomes are counted up to the
            latest look that is due. Without it, all windows are counted to their ends.

    Raises:
        DataError: UL2xx, the data are not what the plan says they are.
        DataError: UL3xx, the plan asks for what cannot be analysed yet.
    """
    refuse_unsupported(plan)
    frame, span = timed(plan, population_of(plan, engine, record), engine)
    frame = refuse_identities(plan, frame, engine, assume=True)
    refuse_whole_households(plan, frame, engine)
    refuse_strata(plan, frame, engine)
    regimes = regimes_of(plan, record)
    found = _measured(plan, spec, (frame, span, regimes), engine, now)
    if found is None:
        frame = refuse_identities(plan, frame, engine)
        found = _measured(plan, spec, (frame, span, regimes), engine, now)
        assert found is not None  # noqa: S101 - nothing is assumed of it any more
    return found


def _measured(
    plan: Plan,
    spec: EstimationSpec,
    population: tuple[AnalysisPopulation, Span | None, tuple[ShareRegime, ...]],
    engine: Engine,
    now: datetime | None,
) -> Aggregation | None:
    """Everything counted; None where texts were assumed to be plain numbers, and some are not."""
    frame, span, regimes = population
    schedule = occasion_of(plan, (frame, span), engine, now)
    plan = schedule.counted(plan)
    table, looks = unit_table(plan, (frame, span), engine)
    refuse_groups(table, plan, engine)
    refuse_text_bands(plan, table, engine)
    units = _in_place(table, plan, engine)
    caps = limits(plan, table.columns, units, engine)
    units = with_caps(units, table.columns, caps) if caps else units
    once = frozenset(() if spec.contacted is None else (spec.columns[spec.contacted],))
    names = (*table.columns, *plan.capped)
    asked = MomentsQuery(units, names, tuple(plan.segments), flags=once, rows=table.rows)
    query = replace(asked, arms=tuple(plan.arms))
    refuse_levels(query, engine)
    cells = cells_of(query, engine)
    everybody = next(iter(cells.values()))
    refuse_arms(plan, _by_arm(everybody))
    refuse_names(plan, cells)
    lacking = {name for group in cells.values() for cell in group for name in cell.missing}
    if lacking and frame.assumed:
        return None
    refuse_missing(plan, table, {name for name in lacking if RAISED not in name}, engine)
    refuse_traces(cells, query.metrics)
    refuse_no_shares(plan, cells, query.metrics)
    data = FactInputs(plan, spec, engine, frame, units, looks, regimes)
    tables = tables_of(cells, query.segments, lambda: _pairs(query, engine))
    strata = _strata(query, frame, plan, engine)
    given = by_stratum(query, plan, lambda asked: cells_of(asked, engine, whole=True))
    apart = [cells_of(_within(query, regime), engine) for regime in regimes]
    flags = flags_of(everybody)
    return Aggregation(cells, data, caps, tables, strata, given, apart, schedule, flags, table)


def _within(query: MomentsQuery, regime: ShareRegime) -> MomentsQuery:
    """The same query of the units of one regime."""
    chosen = f"SELECT * FROM {query.units} WHERE stratum = {literal(regime.name)}"
    return replace(query, units=f"({chosen}) AS regime")


def _pairs(query: MomentsQuery, engine: Engine) -> Iterator[Count]:
    """Units by every two segments, where there are too many levels to group by all at once."""
    return read_pairs(query, engine.query(pairs_sql(query)))


def _by_arm(cells: Sequence[SliceMoments]) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for cell in cells:
        found[cell.arm] = found.get(cell.arm, 0) + cell.moments.n
    return found


def _strata(
    query: MomentsQuery, frame: AnalysisPopulation, plan: Plan, engine: Engine
) -> Mapping[str, Mapping[str, Moments]]:
    """Moments by arm of every stratum of a blocked assignment that is on record."""
    if plan.experiment.assignment.method != "blocked" or "stratum" not in frame.own:
        return {}
    numbers = ", ".join(f"x{i}" for i in range(len(query.metrics)))
    within = f"(SELECT arm, stratum AS s0, {numbers} FROM {query.units}) AS within"
    asked = MomentsQuery(within, query.metrics, ("stratum",), arms=query.arms)
    found: dict[str, dict[str, Moments]] = {}
    for cell in cells_of(asked, engine)["stratum",]:
        name = level_name(cell.levels["stratum"])
        found.setdefault(name, {})[level_name(cell.arm)] = cell.moments
    return {name: found[name] for name in sorted(found)}


def unit_table(
    plan: Plan, frame: tuple[AnalysisPopulation, Span | None], engine: Engine
) -> tuple[UnitTable, tuple[EventReading, ...]]:
    """The unit table of a plan, with its tables of events attached, examined, and once each.

    Args:
        plan: What was asked.
        frame: Who is analysed, and the first and last start where they are known.
        engine: Where the data lie.

    Raises:
        DataError: UL2xx, a table cannot be read or is not what the plan says.
    """
    found, span = frame
    asked = unit_columns(plan)
    roles = {column: "segment" for s in plan.segments.values() for column in s.columns}
    roles |= {m.field: f"metric '{name}'" for name, m in asked.metrics.items() if m.field}
    for column in asked.needed:
        found.type_of(column, roles.get(column, "aggregated"))
    refuse_outside(plan, found, asked.numbers, engine)
    if not asked.tallies:
        return (UnitTable if asked.sums is None else AggregatedTable)(found, asked), ()
    if span is None or plan.customers.id is None:
        raise DataError(
            Diagnostic(
                "UL219",
                "events are counted from each customer's start, which nothing tells",
                "declare 'waves', or name its column by 'assignment: {start: …}'",
            )
        )
    attached = {
        name: attach_events(plan, name, tallies, engine) for name, tallies in asked.tallies.items()
    }
    moments = f"SELECT {found.own['as_of']} AS t FROM {found.relation}"
    known = engine.query(f"SELECT MIN(t) AS t FROM ({moments}) AS known").to_pylist()[0]["t"]
    ids = id_column(engine, CUSTOMERS, plan.customers.id, "id")
    starts = Starts(FRAME, plan.program.time_zone, span, ids, known or span.first)
    events: dict[str, EventTable] = {}
    looks: list[EventReading] = []
    for name, tallies in asked.tallies.items():
        given = refuse_unreadable(attached[name], tallies, engine)
        events[name], repeats = without_repeats(given, starts, tallies, engine)
        looks.append(EventReading(plan, engine, events[name], given, starts, tallies, repeats))
    engine.keep(FRAME, found.sql(asked.needed))
    return UnitTable(replace(found, kept=FRAME), asked, events, starts), tuple(looks)


def _in_place(table: UnitTable, plan: Plan, engine: Engine) -> str:
    """The unit table as a relation: kept, unless it is read from one file where it lies."""
    again = table.events or plan.households or plan.capped or table.rows
    if engine.dialect == "duckdb" and not again:
        return f"({table.sql()}) AS units"
    engine.keep(UNITS, table.sql())
    return UNITS


def cells_of(query: MomentsQuery, engine: Engine, *, whole: bool = False) -> Cells:
    """Run the Moments query: a small sample fixes centres and grouping, one scan does the rest.

    Args:
        query: What is asked.
        engine: Where the data lie.
        whole: Group by all segments at once, however many combinations there are.
    """
    query = tuned(query, engine.query(sample_sql(query)))
    query = replace(query, finest=query.finest or whole)
    found = read_cells(query, engine.query(moments_sql(query)))
    while isinstance(found, MomentsQuery):
        found = read_cells(found, engine.query(moments_sql(found)))
    return found
