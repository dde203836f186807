"""Who is analysed: the customers' table as it stands, or as the ledger assigned it."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from upliftlab.analysis.arm_labels import arm_sql
from upliftlab.analysis.record import Record
from upliftlab.analysis.share_regimes import refuse_before_shares, regime_names
from upliftlab.assignment.contact_policy_sql import day_literal
from upliftlab.assignment.eligibility_sql import levels_sql
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.clock import Span, converted, time_literal
from upliftlab.queries.computed import attach_table
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.queries.grouped import WEIGHT
from upliftlab.queries.ids import IdColumn, id_column
from upliftlab.queries.numbers import number_sql
from upliftlab.queries.population import NO_TEXT, AnalysisPopulation, missing_column
from upliftlab.queries.times import TimeColumn, refuse_unreadable_times, time_column
from upliftlab.util.sql import literal, quote

CUSTOMERS = "customers"
"""What the customers' table is attached as."""
ASSIGNED = "assigned"
"""What the ledger's assignment is kept as: `id`, `arm`, `wave`, `stratum` and `day`."""
_NOTHING = timedelta(0)
_EARLIEST, _LATEST = datetime(1900, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - without zone
"""Between these campaigns start; tables may hold infinity, or 9999 for a day not known."""


def population_of(plan: Plan, engine: Engine, record: Record | None) -> AnalysisPopulation:
    """The frame of an analysis; the customers' table is attached for it.

    Raises:
        DataError: UL2xx, a table cannot be read or lacks a column; UL302, nothing says who was in
            which arm; UL305, a column that is randomised is not there.
    """
    assigned = None if record is None else _load(plan, record, engine)
    columns = attach_table(CUSTOMERS, plan.customers, engine)
    own = plan.customers
    for column in (*own.attributes, *own.known_after, *own.known_before):
        _require(column, "attributes", columns)  # a misspelt one would guard nothing
    if record is not None and assigned is not None:
        return _recorded(plan, (record, assigned), engine, columns)
    arm = plan.experiment.assignment.observed
    if arm is None:
        raise DataError(
            Diagnostic(
                "UL302",
                "the data do not say who was in which arm",
                "name its column by 'assignment: {observed: COLUMN}', or read it from a ledger",
            )
        )
    _require(arm, "assignment", columns)
    refuse_inexact(plan, columns, engine)
    own = {"arm": arm_sql(plan, arm, columns)} | _identity(plan, columns, plan.customers.id)
    if (size := size_sql(plan, columns)) is not None:
        own[WEIGHT] = size
    if strata := plan.experiment.assignment.strata:
        for column in strata:
            _require(column, "stratum", columns)
        own["stratum"] = levels_sql(strata, "c.")
    eligible = eligible_sql(plan, engine)
    form = plan.customers.format
    frame = AnalysisPopulation(f"{quote(CUSTOMERS)} AS c", columns, own, form=form)
    return _compared(plan, frame, [] if eligible is None else [eligible], engine)


def _compared(
    plan: Plan, frame: AnalysisPopulation, conditions: list[str], engine: Engine
) -> AnalysisPopulation:
    """Those of a frame who meet conditions, without those who are left out on purpose."""
    left_out = (excluded_sql(plan, engine), ignored_sql(plan, frame.columns))
    staying = [f"NOT {each}" for each in left_out if each is not None]
    relation = where(frame.relation, [*conditions, *staying])
    whole = where(frame.relation, conditions) if staying else ""
    return replace(frame, relation=relation, whole=whole)


def where(relation: str, conditions: Sequence[str]) -> str:
    """A relation's rows that meet every condition."""
    return relation + (f" WHERE {' AND '.join(conditions)}" if conditions else "")


def eligible_sql(plan: Plan, engine: Engine) -> str | None:
    """Whether a customer of the attached table, as `c`, may take part, as SQL; None where all may.

    Raises:
        DataError: UL205 a column is not there, UL214 and UL251 the condition does not fit the data.
    """
    return _condition(plan, "eligible", plan.experiment.eligible, engine)


def ignored_sql(plan: Plan, columns: Mapping[str, ColumnType]) -> str | None:
    """Whether a customer of the table `c` is of an arm that is not compared, as SQL.

    Raises:
        DataError: UL280, two arms have labels that are the same number.
    """
    given = plan.experiment.assignment
    if given.observed is None or not given.ignore_arms:
        return None
    listed = ", ".join(map(literal, given.ignore_arms))
    return f"COALESCE({arm_sql(plan, given.observed, columns)} IN ({listed}), FALSE)"


def excluded_sql(plan: Plan, engine: Engine) -> str | None:
    """Whether a customer of the attached table, as `c`, is excluded, as SQL.

    Of whom it is not known, is not.

    Raises:
        DataError: as `eligible_sql`.
    """
    condition = _condition(plan, "exclude", plan.experiment.exclude, engine)
    return None if condition is None else f"COALESCE({condition}, FALSE)"


def _recorded(
    plan: Plan,
    on_record: tuple[Record, IdColumn],
    engine: Engine,
    columns: Mapping[str, ColumnType],
) -> AnalysisPopulation:
    record, assigned = on_record
    _require(record.id, "id", columns)
    refuse_inexact(plan, columns, engine)
    ids = id_column(engine, CUSTOMERS, record.id, "id")
    left = ids.compared(f"c.{quote(record.id)}", assigned)
    right = assigned.compared("a.id", ids)
    relation = f"{quote(CUSTOMERS)} AS c JOIN {ASSIGNED} AS a ON {left} = {right}"
    own = {name: f"a.{name}" for name in ("arm", "wave", "stratum", "day")}
    own |= _identity(plan, columns, record.id)
    if plan.households is not None:
        own["house"] = "a.house"  # whom they lived with when it was drawn
    frame = AnalysisPopulation(relation, columns, own, form=plan.customers.format)
    return _compared(plan, frame, [], engine)


def _load(plan: Plan, record: Record, engine: Engine) -> IdColumn:
    """Keep everybody's assignment as one table; what its ids are."""
    parts = list[str]()
    kind = IdColumn("other")
    regimes = [literal(name) for _, name in regime_names(plan, record)]
    house = "" if plan.households is None else f", {quote(plan.households)} AS house"
    for number, generation in enumerate(record.generations):
        name = f"{ASSIGNED}_{number}"
        if generation.query is None:
            engine.load(name, generation.files)
        else:
            engine.keep(name, generation.query)
        kind = id_column(engine, name, record.id, "id on record")
        parts.append(
            f"SELECT {quote(record.id)} AS id, arm, CAST(wave AS INTEGER) AS wave,"
            f" CAST({regimes[number] if regimes else 'stratum'} AS VARCHAR) AS stratum,"
            f" {day_literal(generation.day)} AS day{house}"
            f" FROM {name} WHERE arm IS NOT NULL"
        )
    engine.keep(ASSIGNED, " UNION ALL ".join(parts))
    return kind


def refuse_inexact(plan: Plan, columns: Mapping[str, ColumnType], engine: Engine) -> None:
    """Refuse ids and households that are floating numbers of which each may be several.

    Raises:
        DataError: UL273, naming the column.
    """
    own = plan.customers
    for column, role in ((own.id, "id"), (own.household, "household"), (plan.households, "unit")):
        if column is not None and column in columns:
            id_column(engine, CUSTOMERS, column, role)


def _identity(plan: Plan, columns: Mapping[str, ColumnType], key: str | None) -> dict[str, str]:
    """The id, and what was randomised in its place."""
    found: dict[str, str] = {}
    if key is not None:
        _require(key, "id", columns)
        found["id"] = f"c.{quote(key)}"
    if plan.households is not None:
        _require(plan.households, "randomised unit", columns)
        found["house"] = f"c.{quote(plan.households)}"
    return found


def size_sql(plan: Plan, columns: Mapping[str, ColumnType]) -> str | None:
    """Of how many customers a row of the table `c` is, as SQL; None where each is of one.

    Raises:
        DataError: UL205 the column is not there, UL206 it holds no numbers.
    """
    column = plan.customers.group_size
    if column is None:
        return None
    _require(column, "number of customers", columns)
    if columns[column] not in ("number", "text"):
        message = f"column '{column}' holds no numbers (number of customers)"
        raise DataError(Diagnostic("UL206", message, "name another"))
    return number_sql(f"c.{quote(column)}", columns[column], plan.customers.format)


def timed(
    plan: Plan, frame: AnalysisPopulation, engine: Engine
) -> tuple[AnalysisPopulation, Span | None]:
    """The frame with `start`, `as_of` and `wave`, and the first and last start.

    Where nothing tells when customers' time begins, the frame is as it was and there is no span.

    Raises:
        DataError: UL205 the column of starts is not there, UL217 customers have no start, UL309
            they started before there were shares.
    """
    column = _start_column(plan, frame, engine)
    raw = _start(plan, frame) if column is None else column.sql
    if raw is None:
        return frame, None
    zone, clock = plan.program.time_zone, _clock(plan, column)
    span = _span(plan, f"SELECT {raw} AS t FROM {frame.relation}", engine)
    start = converted(raw, clock, zone, span.widened(_NOTHING, _NOTHING))
    own = {**frame.own, "start": start, "as_of": _as_of(start, frame)}
    if plan.experiment.waves and "wave" not in own:
        own["wave"] = _wave(plan, start)
    if plan.experiment.shares and "stratum" not in own:
        own["stratum"] = _regime(plan, start)
    if clock != zone:
        span = _span(plan, f"SELECT {start} AS t FROM {frame.relation}", engine)
    if "day" not in own:
        refuse_before_shares(plan, span.first.date())
    return replace(frame, own=own), span


def _start_column(plan: Plan, frame: AnalysisPopulation, engine: Engine) -> TimeColumn | None:
    """The column of starts, where there is one; every one is a time."""
    name = plan.experiment.assignment.start
    if name is None:
        return None
    _require(name, "start", frame.columns)
    found = time_column(name, frame.columns, plan.customers, engine, frame.relation)
    found = replace(found, table="c.")
    refuse_unreadable_times(found, "customers (start)", engine, frame.relation)
    return found


def _start(plan: Plan, frame: AnalysisPopulation) -> str | None:
    """A customer's start in SQL: the day of the wave, else that of assignment."""
    waves = plan.experiment.waves
    if waves and "wave" in frame.own:
        cases = " ".join(
            f"WHEN {number} THEN {day_literal(wave.start)}" for number, wave in enumerate(waves, 1)
        )
        return f"CAST(CASE a.wave {cases} END AS TIMESTAMP)"
    if "day" in frame.own:
        return "CAST(a.day AS TIMESTAMP)"
    return time_literal(datetime.combine(waves[0].start, time())) if len(waves) == 1 else None


def _span(plan: Plan, starts: str, engine: Engine) -> Span:
    """The first and the last start, each customer having one that a campaign can have had."""
    sane = f"t >= {time_literal(_EARLIEST)} AND t < {time_literal(_LATEST)}"
    time = f"CASE WHEN {sane} THEN t END"
    row = engine.query(
        f"SELECT COUNT(*) AS n, COUNT(t) AS told, COUNT({time}) AS known, MIN({time}) AS first,"
        f" MAX({time}) AS last FROM ({starts}) AS starts"
    ).to_pylist()[0]
    if row["known"] < row["n"]:
        column = plan.experiment.assignment.start
        message = f"{row['n'] - row['known']:,} customers have no start"
        message += f" in '{column}'" if column else ""
        if row["told"] > row["known"]:
            message += f" between {_EARLIEST.year} and {_LATEST.year}"
        raise DataError(Diagnostic("UL217", message, "every customer who is analysed needs one"))
    first = row["first"] or datetime(2000, 1, 1)  # noqa: DTZ001 - a time without zone
    return Span(first, row["last"] or first)


def _as_of(start: str, frame: AnalysisPopulation) -> str:
    """The beginning of the day of assignment, or of the start where that is earlier."""
    day = f"CAST({start} AS DATE)"
    if "day" in frame.own:
        day = f"CASE WHEN a.day < {day} THEN a.day ELSE {day} END"
    return f"CAST({day} AS TIMESTAMP)"


def _wave(plan: Plan, start: str) -> str:
    """The last wave that had begun; NULL before the first."""
    waves = list(enumerate(plan.experiment.waves, 1))
    cases = " ".join(
        f"WHEN {start} >= CAST({day_literal(wave.start)} AS TIMESTAMP) THEN {number}"
        for number, wave in reversed(waves)
    )
    return f"CASE {cases} END"


def _regime(plan: Plan, start: str) -> str:
    """The times of the same shares as strata; NULL before the first."""
    cases = " ".join(
        f"WHEN {start} >= CAST({day_literal(day)} AS TIMESTAMP) THEN {literal(name)}"
        for day, name in reversed(regime_names(plan, None))
    )
    return f"CASE {cases} END" if cases else NO_TEXT


def _clock(plan: Plan, column: TimeColumn | None) -> str:
    """The zone of the clock that starts are read on; the program's where it names the days."""
    zone = plan.program.time_zone
    if column is None or column.columns[column.name] == "date":
        return zone
    return column.clock(zone)


def _condition(plan: Plan, role: str, text: str | None, engine: Engine) -> str | None:
    """A condition over the customers' table `c`; None where there is none."""
    if text is None:
        return None
    table = customers_table(CUSTOMERS, plan.customers, engine)
    return f"({sound_condition(role, text, table, engine, 'c')})"


def _require(column: str, role: str, columns: Mapping[str, ColumnType]) -> None:
    if column not in columns:
        raise missing_column(column, role, columns)
