"""Rows of several customers: refused where their numbers cannot be of any customers."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.aggregated import AggregatedTable, Total
from upliftlab.queries.grouped import UNKNOWN, WEIGHT
from upliftlab.queries.numbers import number_sql, usable_sql
from upliftlab.queries.population import NO_TIME, AnalysisPopulation, missing_column
from upliftlab.queries.times import refuse_unreadable_times, time_column
from upliftlab.queries.units import UnitTable
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote

MOST: Final = "1e15"
"""Nobody has so many customers; up to here every whole number is a double."""
FEWEST_TIMES: Final = 4
"""Figures that never fall over so many times are cumulative."""
_CLOSE: Final = "1e-6"
"""Totals that were rounded are this far off at most."""
_DIGITS: Final = "1e-8"
"""A smaller part of the squares than this lies about the mean: half of the digits are lost."""
_WHOLE: Final = "9e15"
_N: Final = f"f.{WEIGHT}"


def refuse_groups(table: UnitTable, plan: Plan, engine: Engine) -> None:
    """Refuse rows of several customers whose numbers cannot be.

    Args:
        table: The unit table.
        plan: What was asked.
        engine: Where the data lie.

    Raises:
        DataError: UL218 and UL257 the column of times holds none, UL288 a weight is no number of
            customers, UL289 a total is missing, UL293 totals contradict each other, UL294 they are
            cumulative, UL295 too few digits are left.
    """
    if table.rows is None:
        return
    least = 0 if isinstance(table, AggregatedTable) else 1
    _refuse_sizes(table.frame, plan.customers.group_size or "", engine, least)
    if isinstance(table, AggregatedTable):
        _refuse_totals(table, engine)
        _refuse_lost(table, engine)
        _refuse_cumulative(table, plan, engine)


def _refuse_sizes(frame: AnalysisPopulation, column: str, engine: Engine, least: int) -> None:
    """Refuse rows of no whole number of customers; those of none where a row may be of nobody.

    Rows that are left out on purpose are looked at as well: their customers are counted.
    """
    size, text = frame.own[WEIGHT], f"CAST(c.{quote(column)} AS VARCHAR)"
    good = f"{size} >= {least} AND {size} <= {MOST} AND {size} = FLOOR({size})"
    bad = f"CASE WHEN {good} THEN 0 ELSE 1 END"
    row = _one(
        engine,
        f"SELECT COALESCE(SUM({bad}), 0) AS n, MIN(CASE WHEN {bad} = 1 THEN {text} END) AS example"
        f" FROM {frame.whole or frame.relation}",
    )
    if row["n"]:
        found = "nothing" if row["example"] is None else f"'{shape(row['example'])}'"
        message = f"'{column}' is no number of customers in {row['n']:,} rows: {found}"
        remedy = f"write whole numbers, {least} or more, or leave these rows out by 'eligible'"
        raise DataError(Diagnostic("UL288", message, remedy))


@dataclass(frozen=True, slots=True)
class _Fault:
    """What rows must not be, in SQL, and what is said of them; `{n}` is how many they are."""

    code: str
    when: str
    message: str
    remedy: str


def _refuse_totals(table: AggregatedTable, engine: Engine) -> None:
    """Refuse rows that lack a total, or whose totals no customers can have."""
    totals = {total.name: total for total in table.totals}
    if missing := _found([*_missing(table, list(totals))], table, engine):
        raise DataError(missing)
    faults = [fault for total in totals.values() for fault in _contradictions(table, total)]
    faults += _products(table, list(totals.values()))
    if wrong := _found(faults, table, engine):
        raise DataError(wrong)


def _found(faults: Sequence[_Fault], table: AggregatedTable, engine: Engine) -> list[Diagnostic]:
    """The faults that some rows have."""
    if not faults:
        return []
    counts = [
        f"COALESCE(SUM(CASE WHEN {fault.when} THEN 1 ELSE 0 END), 0) AS n{at}"
        for at, fault in enumerate(faults)
    ]
    row = _one(engine, f"SELECT {', '.join(counts)} FROM {table.source}")
    return [
        Diagnostic(fault.code, fault.message.format(n=f"{row[f'n{at}']:,}"), fault.remedy)
        for at, fault in enumerate(faults)
        if row[f"n{at}"]
    ]


def _missing(table: AggregatedTable, names: Sequence[str]) -> Iterator[_Fault]:
    """Columns without a usable number in rows of somebody; one customer alone has no variance."""
    for way, column in table.sums.columns():
        if not set(way[1:]) <= set(names):
            continue
        value, least = table.given(column, way[0]), 2 if way[0] in ("variance", "sd") else 1
        when = f"{_N} >= {least} AND ({value} IS NULL OR NOT {usable_sql(value)})"
        message = f"column '{column}' ({way[0]} of {' and '.join(way[1:])}) holds no number in"
        remedy = "write 0 where there was nothing, or leave these rows out by 'eligible'"
        yield _Fault("UL289", when, _escaped(message) + " {n} rows", remedy)


def _contradictions(table: AggregatedTable, total: Total) -> Iterator[_Fault]:
    """What a number's totals cannot be."""
    sums, (first, *others) = table.sums, total.given
    name = _escaped(total.name)
    if total.name in sums.units_with:
        when = f"{first} < 0 OR {first} > {_N} OR {first} <> FLOOR({first})"
        message = f"'{name}' is no number of a row's customers in {{n}} rows"
        remedy = f"of what a customer can have several, give 'sum' and 'sum_sq' of '{total.name}'"
        yield _Fault("UL293", when, message, remedy)
        return
    if total.name not in sums.sum:
        message = f"'{name}' has a variance below 0 in {{n}} rows"
        yield _Fault("UL293", f"{_N} > 1 AND {others[0]} < 0", message, "give that of VAR_SAMP")
        return
    (squares,) = others
    when = f"{_N} = 0 AND ({first} <> 0 OR {squares} <> 0)"
    message = f"'{name}' has a sum in {{n}} rows of no customers"
    yield _Fault("UL293", when, message, "write their number in 'n'")
    when = f"{_N} > 0 AND {squares} - {first} / {_N} * {first} < -{_CLOSE} * ABS({squares})"
    message = f"'{name}' has squares in {{n}} rows that are too small for its sum"
    remedy = "'sum_sq' is the sum of each customer's square: SUM(x * x)"
    yield _Fault("UL293", f"({when}) OR {squares} < 0", message, remedy)


def _products(table: AggregatedTable, totals: Sequence[Total]) -> Iterator[_Fault]:
    """Products that are larger than the two numbers' squares allow (Cauchy–Schwarz)."""
    for one, other in combinations(totals, 2):
        if (column := table.sums.product(one.name, other.name)) is None:
            continue
        means = f"{_N} * ({one.mean}) * ({other.mean})"
        given = table.given(column, "product")
        most = f"SQRT(ABS(({one.squares}) * ({other.squares})))"
        most += f" * (1 + {_CLOSE}) + {_CLOSE} * (ABS({given}) + ABS({means}))"
        when = f"{_N} > 0 AND ABS({given} - {means}) > {most}"
        names = f"'{_escaped(one.name)}' and '{_escaped(other.name)}'"
        message = f"the products of {names} cannot be in {{n}} rows, by their squares"
        remedy = "'sum_product' is the sum over customers: SUM(x * y)"
        yield _Fault("UL293", when, message, remedy)


def _refuse_lost(table: AggregatedTable, engine: Engine) -> None:
    """Refuse sums and squares so far from the mean that their difference holds few digits."""
    totals = {t.name: t for t in table.totals if t.name in table.sums.sum}
    asked = list[str]()
    for at, (first, squares) in enumerate(total.given for total in totals.values()):
        whole = f"{first} = FLOOR({first}) AND {squares} = FLOOR({squares})"
        exact = f"CASE WHEN {whole} AND {squares} <= {_WHOLE} THEN 0 ELSE 1 END"
        asked += [f"SUM({first}) AS s{at}", f"SUM({squares}) AS q{at}", f"SUM({exact}) AS e{at}"]
    if not asked:
        return
    listed = ", ".join([f"SUM({_N}) AS n", *asked])
    by_arm = f"SELECT {listed} FROM {table.source} WHERE {_N} > 0 GROUP BY f.arm"
    lost = [
        f"SUM(CASE WHEN n > 1 AND e{at} > 0 AND q{at} - s{at} / n * s{at} < {_DIGITS} * q{at}"
        f" THEN 1 ELSE 0 END) AS n{at}"
        for at in range(len(totals))
    ]
    row = _one(engine, f"SELECT {', '.join(lost)} FROM ({by_arm}) AS arms")
    faults = [
        Diagnostic(
            "UL295",
            f"'{name}' lies so far from 0 that sum and squares do not tell how it varies",
            f"give 'mean: {{{name}: COLUMN}}' and 'variance: {{{name}: COLUMN}}'",
        )
        for at, name in enumerate(totals)
        if row[f"n{at}"]
    ]
    if faults:
        raise DataError(faults)


def _refuse_cumulative(table: AggregatedTable, plan: Plan, engine: Engine) -> None:
    """Refuse totals of all customers so far in the place of each time's own."""
    if (column := plan.customers.time) is None:
        return
    frame = table.frame
    own = {**frame.own, **_time(plan, frame, engine)}
    timed = AnalysisPopulation(frame.relation, frame.columns, own)
    figures = [_N, *(_figure(total, table) for total in table.totals)]
    shown = ", ".join(f"SUM({sql}) AS v{at}" for at, sql in enumerate(figures))
    by_time = f"SELECT f.arm AS arm, f.t_number AS t_number, f.t_moment AS t_moment, {shown}"
    by_time += f" FROM {timed.source(table.asked.needed)} WHERE {_N} > 0"
    by_time += " AND (f.t_number IS NOT NULL OR f.t_moment IS NOT NULL) GROUP BY 1, 2, 3"
    ordered = "OVER (PARTITION BY arm ORDER BY t_number, t_moment)"
    before = ", ".join(f"LAG(v{at}) {ordered} AS b{at}" for at in range(len(figures)))
    falls = " OR ".join(f"v{at} < b{at}" for at in range(len(figures)))
    row = _one(
        engine,
        "SELECT MIN(times) AS times, SUM(falls) AS falls, MIN(rises) AS rises FROM"
        f" (SELECT COUNT(*) AS times, SUM(CASE WHEN {falls} THEN 1 ELSE 0 END) AS falls,"
        " SUM(CASE WHEN v0 > b0 THEN 1 ELSE 0 END) AS rises"
        f" FROM (SELECT own.*, {before} FROM ({by_time}) AS own) AS moved GROUP BY arm) AS arms",
    )
    if (row["times"] or 0) >= FEWEST_TIMES and not row["falls"] and row["rises"]:
        message = f"every arm's figures only grow with '{column}': they count all customers so far"
        remedy = f"name one time: 'eligible: \"{column} = …\"'; or if each row's customers are new,"
        remedy += f" remove 'time: {column}'"
        raise DataError(Diagnostic("UL294", message, remedy))


def _figure(total: Total, table: AggregatedTable) -> str:
    """What a number's customers have in total."""
    given = total.given[0]
    return f"{given} * {_N}" if total.name in table.sums.mean else given


def _time(plan: Plan, frame: AnalysisPopulation, engine: Engine) -> dict[str, str]:
    """When a row is, as a number (of days, say) or a moment.

    Raises:
        DataError: UL205 the column is not there, UL218 and UL257 it holds neither.
    """
    column = plan.customers.time or ""
    if column not in frame.columns:
        raise missing_column(column, "time", frame.columns)
    if frame.columns[column] in ("number", "text"):
        value = f"c.{quote(column)}"
        number = number_sql(value, frame.columns[column], frame.form)
        counts = f"SELECT COUNT({value}) AS n, COUNT({number}) AS known FROM {frame.relation}"
        row = _one(engine, counts)
        if row["known"] == row["n"]:
            return {"t_number": number, "t_moment": NO_TIME}
    found = time_column(column, frame.columns, plan.customers, engine, frame.relation)
    found = replace(found, table="c.")
    refuse_unreadable_times(found, "customers (time)", engine, frame.relation)
    return {"t_number": UNKNOWN, "t_moment": found.sql}


def _escaped(text: str) -> str:
    """A text that is no template."""
    return text.replace("{", "{{").replace("}", "}}")


def _one(engine: Engine, sql: str) -> dict[str, Any]:
    return engine.query(sql).to_pylist()[0]
