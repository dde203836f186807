"""Intake: from attached data to cells of Moments, refusing whatever would make them lie."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from upliftlab.analysis.record import Record
from upliftlab.analysis.study import Study
from upliftlab.config.expressions import parse
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Fault
from upliftlab.experiment import Plan
from upliftlab.queries.moments import (
    Cell,
    MomentsQuery,
    diagnosis_sql,
    moments_sql,
    read_cells,
    sample_sql,
    tuned,
)
from upliftlab.queries.units import UnitTable, missing_column
from upliftlab.sql import quote

TABLE = "customers"
_ASSIGNMENT = "assignment"
_ARM = "arm by the ledger"
MOST_LEVELS = 200
"""A segment with more levels is no segment, and its levels may be customers."""
_SHOWN = 5


def measure(
    plan: Plan, study: Study, engine: Engine, record: Record | None = None
) -> Mapping[tuple[str, ...], Sequence[Cell]]:
    """Cells of every arm and combination of levels.

    Args:
        plan: What was asked.
        study: What is compared.
        engine: Where the data lie.
        record: Who is in which arm, where no column of the data says it.

    Raises:
        DataError: UL205 to UL215, the data are not what the plan says they are.
        DataError: UL301 to UL303, the plan asks for what cannot be analysed yet.
    """
    _supported(plan, record)
    engine.attach(TABLE, plan.customers)
    units = _observed(plan, engine) if record is None else _recorded(record, engine)
    metrics = {name: units.metric(plan.metrics[name]) for name in study.metrics}
    segments = {name: units.segment(segment) for name, segment in plan.segments.items()}
    query = MomentsQuery(units, metrics, segments)
    _banded(plan, units, engine)
    _identities(plan, units, engine)
    _households(plan, units, engine)
    _levels(query, engine)
    cells = cells_of(query, engine)
    _arms(plan, next(iter(cells.values())))
    _missing(plan, query, cells, engine)
    return cells


def cells_of(query: MomentsQuery, engine: Engine) -> Mapping[tuple[str, ...], Sequence[Cell]]:
    """Run the Moments query: a small sample fixes centres and grouping, one scan does the rest."""
    query = tuned(query, engine.query(sample_sql(query)))
    cells = read_cells(query, engine.query(moments_sql(query)))
    if cells is None:
        query = replace(query, robust=True)
        cells = read_cells(query, engine.query(moments_sql(query)))
    assert cells is not None  # noqa: S101 - a robust query always has cells
    return cells


def _supported(plan: Plan, record: Record | None) -> None:
    """Refuse what would change the numbers if it were passed over."""
    asked = plan.experiment
    if asked.assignment.unit not in (None, plan.customers.id):
        raise DataError(
            Fault("UL305", "randomised households are not analysed yet", "randomise customers")
        )
    if asked.assignment.observed is None and record is None:
        raise DataError(
            Fault(
                "UL302",
                "the data do not say who was in which arm",
                "name its column by 'assignment: {observed: COLUMN}', or read it from a ledger",
            )
        )
    if asked.analysis.winsorize:
        raise DataError(
            Fault("UL303", "winsorised metrics are not analysed yet", "remove 'winsorize'")
        )
    if asked.analysis.looks:
        raise DataError(
            Fault("UL303", "repeated looks are not analysed yet", "remove 'looks'; look once")
        )


def _recorded(record: Record, engine: Engine) -> UnitTable:
    """The customers of a recorded assignment, each with the arm it holds."""
    columns = engine.columns(TABLE)
    if record.id not in columns:
        raise missing_column(record.id, "id", columns)
    engine.load(_ASSIGNMENT, record.files)
    key, alike = quote(record.id), engine.columns(_ASSIGNMENT)[record.id] == columns[record.id]
    left, right = (f"c.{key}", f"a.{key}")
    if not alike:
        left, right = f"CAST({left} AS VARCHAR)", f"CAST({right} AS VARCHAR)"
    joined = (
        f"SELECT c.*, a.arm AS {quote(_ARM)} FROM {quote(TABLE)} AS c "
        f"JOIN {quote(_ASSIGNMENT)} AS a ON {left} = {right}"
    )
    units = UnitTable(TABLE, {**columns, _ARM: "text"}, _ARM, joined=joined)
    assigned = _one(engine, f"SELECT count(*) AS n FROM {quote(_ASSIGNMENT)}")["n"]
    found = _one(engine, f"SELECT count(DISTINCT {key}) AS n FROM {units.source}")["n"]
    if found < assigned:
        raise DataError(
            Fault(
                "UL215",
                f"{assigned - found:,} of {assigned:,} assigned customers are not in the data",
                "keep a row for every assigned customer, with 0 where they did nothing",
            )
        )
    return units


def _observed(plan: Plan, engine: Engine) -> UnitTable:
    columns = engine.columns(TABLE)
    arm = plan.experiment.assignment.observed or ""
    if arm not in columns:
        raise missing_column(arm, "assignment", columns)
    eligible = None
    if plan.experiment.eligible:
        condition = parse(plan.experiment.eligible)
        for column in sorted(condition.columns - set(columns)):
            raise missing_column(column, "eligible", columns)
        text = {name for name, kind in columns.items() if kind == "text"}
        eligible = condition.sql(engine.dialect, text)
    return UnitTable(TABLE, columns, arm, eligible)


def _identities(plan: Plan, units: UnitTable, engine: Engine) -> None:
    """One row a customer, where a column identifies them."""
    name = plan.customers.id
    if name is None:
        return
    if name not in units.columns:
        raise missing_column(name, "id", units.columns)
    column = quote(name)
    row = _one(
        engine,
        f"SELECT count(*) AS n, count({column}) AS known, count(DISTINCT {column}) AS ids "
        f"FROM {units.source}",
    )
    if row["known"] < row["n"]:
        lacking = row["n"] - row["known"]
        raise DataError(
            Fault("UL212", f"{lacking:,} rows have no '{name}'", "every customer needs one")
        )
    if row["ids"] < row["n"]:
        again = row["n"] - row["ids"]
        raise DataError(
            Fault(
                "UL213",
                f"'{name}' repeats in {again:,} of {row['n']:,} rows",
                "the table needs one row per customer",
            )
        )


def _households(plan: Plan, units: UnitTable, engine: Engine) -> None:
    """Refuse households that were randomised whole: their customers are not independent."""
    name = plan.customers.household
    if name is None:
        return
    if name not in units.columns:
        raise missing_column(name, "household", units.columns)
    row = _one(
        engine,
        f"SELECT count(*) FILTER (n > 1) AS several, count(*) FILTER (arms > 1) AS mixed FROM "
        f"(SELECT count(*) AS n, count(DISTINCT {quote(units.arm)}) AS arms FROM {units.source} "
        f"GROUP BY {quote(name)} HAVING {quote(name)} IS NOT NULL)",
    )
    if row["several"] and not row["mixed"]:
        raise DataError(
            Fault(
                "UL305",
                f"all {row['several']:,} households with several customers lie in one arm each: "
                "they were randomised whole, which is not analysed yet",
                "give a table with one row per household",
            )
        )


def _banded(plan: Plan, units: UnitTable, engine: Engine) -> None:
    """Refuse bands of a text column whose values are no numbers."""
    texts = {
        segment.column
        for segment in plan.segments.values()
        if segment.bands and segment.column and units.columns[segment.column] == "text"
    }
    for column in sorted(texts):
        value = quote(column)
        wrong = f"{value} IS NOT NULL AND TRY_CAST({value} AS DOUBLE) IS NULL"
        row = _one(
            engine,
            f"SELECT count(*) AS n, min({value}) AS example FROM "
            f"(SELECT * FROM {units.source}) WHERE {wrong}",
        )
        if row["n"]:
            message = f"column '{column}' holds text such as '{str(row['example'])[:40]}'"
            raise DataError(
                Fault("UL206", f"{message} in {row['n']:,} rows", "it cannot be banded")
            )


def _levels(query: MomentsQuery, engine: Engine) -> None:
    if not query.segments:
        return
    counts = ", ".join(
        f"approx_count_distinct({sql}) AS s{i}" for i, sql in enumerate(query.segments.values())
    )
    row = _one(engine, f"SELECT {counts} FROM {query.units.source}")
    for i, name in enumerate(query.segments):
        # The count is an estimate with an error of a few per cent.
        if row[f"s{i}"] > MOST_LEVELS * 1.1:
            raise DataError(
                Fault(
                    "UL211",
                    f"segment '{name}' has about {row[f's{i}']:,} levels, more than {MOST_LEVELS}",
                    "declare bands in configs/segments.yaml if it holds numbers, else leave it out",
                )
            )


def _arms(plan: Plan, cells: Sequence[Cell]) -> None:
    """The arms of the data and of the plan are the same."""
    counts: dict[str | None, int] = {}
    for cell in cells:
        counts[cell.arm] = counts.get(cell.arm, 0) + cell.moments.n
    if not counts:
        raise DataError(
            Fault("UL207", "the data hold no customers", "check the file and 'eligible'")
        )
    if None in counts:
        raise DataError(
            Fault(
                "UL208",
                f"{counts[None]:,} customers have no arm",
                "give each an arm, or leave them out of the table",
            )
        )
    faults = [
        Fault("UL209", f"the data hold an arm '{arm}' ({n:,} customers) that is not in the plan",
              "add it to 'arms', or leave its customers out of the table")
        for arm, n in list(counts.items())[:_SHOWN] if arm not in plan.arms
    ]  # fmt: skip
    faults += [
        Fault("UL210", f"the data hold no customer of arm '{name}'", "check its spelling in 'arms'")
        for name, arm in plan.arms.items()
        if name not in counts and arm.share != 0
    ]
    if faults:
        raise DataError(faults)


def _missing(
    plan: Plan,
    query: MomentsQuery,
    cells: Mapping[tuple[str, ...], Sequence[Cell]],
    engine: Engine,
) -> None:
    """No unit lacks a metric: dropping or zeroing it would be a silent choice."""
    lacking = {name for group in cells.values() for cell in group for name in cell.missing}
    faults = [
        _diagnosed(name, plan.metrics[name].column or name, query, engine)
        for name in query.metrics
        if name in lacking
    ]
    if faults:
        raise DataError(faults)


def _diagnosed(metric: str, column: str, query: MomentsQuery, engine: Engine) -> Fault:
    row = _one(engine, diagnosis_sql(query, metric, column))
    found = {
        "empty": (row["empty"], "are empty"),
        "text": (row["text"], f"hold text such as '{str(row['example'])[:40]}'"),
        "nan": (row["n"] - row["empty"] - row["text"], "hold NaN or infinity"),
    }
    said = ", ".join(f"{count:,} {what}" for count, what in found.values() if count)
    return Fault(
        "UL206",
        f"column '{column}' has values that are no numbers: {said}",
        "write 0 where a customer did nothing, and a plain number elsewhere",
    )


def _one(engine: Engine, sql: str) -> dict[str, int]:
    table: pa.Table = engine.query(sql)
    return table.to_pylist()[0]
