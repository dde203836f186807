"""What the integrity checks look at: counts of the data beside those that estimates are made of."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.clock import INSTANTS, Span, converted
from upliftlab.queries.numbers import time_sql
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.util.sql import quote

CUSTOMERS = "customers"
"""What the customers' table is attached as."""
_NOTHING = timedelta(0)
Counts = Mapping[str, Mapping[str, int]]
"""Units by group and arm."""


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a table of events is like, beside its tallies.

    Attributes:
        rows: Events of this experiment in the time that matters.
        total: Rows of the table.
        unknown: Those of nobody in the customers' table.
        untrimmed: Those of nobody, but of somebody if spaces around the id are removed.
        repeated: Rows that say again what another says; left out.
        contradicting: Rows with the key of another that say something else.
        late: Events in their customer's window that became known after it; None where no
            column says when.
        foreign: Events in another currency; None where no column names it, or no amount counts.
        alike: Of the last week's events without a key, the share that says what another says.
        first: The first event; None where there is none.
        last: The last event; None where there is none.
        reaches: How far back events are looked for; None where all are.
        closes: The end of the last customer's window, on the events' clock.
        recent: Events in the seven days up to the last one.
        hours: Events by hour of the day before the starts, and after; empty without times of day.
    """

    rows: int
    total: int
    unknown: int
    untrimmed: int
    repeated: int
    contradicting: int
    late: int | None
    foreign: int | None
    first: datetime | None
    last: datetime | None
    reaches: datetime | None
    closes: datetime | None
    recent: int
    alike: float | None = None
    hours: tuple[tuple[int, ...], tuple[int, ...]] | None = None


@dataclass(frozen=True, slots=True)
class QualityMetrics:
    """What is known of the data beside the estimates; None where it cannot be known.

    Attributes:
        strata: Units by stratum and arm.
        waves: Units by wave and arm.
        contacts: Contacts by wave and arm, where they are counted.
        contacted: Units with a contact by arm, where contacts are counted.
        absent: Assigned customers by arm, and those of them who are not in the data.
        misdelivered: Customers of whom the data name another arm than the ledger.
        crossing: Households with customers in several arms.
        dated: Customers whose attributes are of the day of assignment or later, or of no time.
        closes: When the last customer's window closes, on the program's clock.
        customers: Rows of the customers' table.
        events: By table of events.
    """

    strata: Counts = field(default_factory=dict[str, Mapping[str, int]])
    waves: Counts = field(default_factory=dict[str, Mapping[str, int]])
    contacts: Mapping[tuple[str, str], float] | None = None
    contacted: Mapping[str, int] | None = None
    absent: Mapping[str, tuple[int, int]] | None = None
    misdelivered: int | None = None
    crossing: int | None = None
    dated: int | None = None
    closes: datetime | None = None
    customers: int | None = None
    events: Mapping[str, EventFacts] = field(default_factory=dict[str, EventFacts])


def counts(engine: Engine, units: str, column: str) -> dict[str, dict[str, int]]:
    """Units of the unit table by the levels of one of its columns, and by arm."""
    found: dict[str, dict[str, int]] = {}
    result = engine.query(
        f"SELECT CAST({column} AS VARCHAR) AS level, CAST(arm AS VARCHAR) AS arm,"
        f" COUNT(*) AS n FROM {units} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    for row in result.to_pylist():
        if row["level"] is not None and row["arm"] is not None:
            found.setdefault(row["level"], {})[row["arm"]] = row["n"]
    return found


def contacts_by_wave(engine: Engine, units: str, column: int) -> dict[tuple[str, str], float]:
    """Contacts by wave and arm, out of the unit table's column of contacts."""
    result = engine.query(
        f"SELECT CAST(wave AS VARCHAR) AS wave, CAST(arm AS VARCHAR) AS arm,"
        f" SUM(x{column}) AS n FROM {units} GROUP BY 1, 2"
    )
    return {
        (row["wave"], row["arm"]): float(row["n"] or 0)
        for row in result.to_pylist()
        if row["wave"] is not None and row["arm"] is not None
    }


def contacted(engine: Engine, units: str, column: int) -> dict[str, int]:
    """Units with a contact by arm, out of the unit table's column of contacts."""
    result = engine.query(
        f"SELECT CAST(arm AS VARCHAR) AS arm, SUM(CASE WHEN x{column} > 0 THEN 1 ELSE 0 END) AS n"
        f" FROM {units} GROUP BY 1"
    )
    return {row["arm"]: int(row["n"]) for row in result.to_pylist() if row["arm"] is not None}


def absent(engine: Engine, frame: AnalysisPopulation, assigned: str) -> dict[str, tuple[int, int]]:
    """By arm, how many were assigned, and how many of them are not in the data."""
    everybody = engine.query(f"SELECT arm, COUNT(*) AS n FROM {assigned} GROUP BY arm")
    here = engine.query(f"SELECT a.arm AS arm, COUNT(*) AS n FROM {frame.relation} GROUP BY a.arm")
    found = {row["arm"]: row["n"] for row in here.to_pylist()}
    return {
        row["arm"]: (row["n"], row["n"] - found.get(row["arm"], 0)) for row in everybody.to_pylist()
    }


def misdelivered(engine: Engine, frame: AnalysisPopulation, column: str) -> int:
    """How many customers were given another arm than the ledger's, as a column of the data says."""
    delivered = f"CAST(c.{quote(column)} AS VARCHAR)"
    wrong = f"CASE WHEN {delivered} = CAST(a.arm AS VARCHAR) THEN 0 ELSE 1 END"
    return one(engine, f"SELECT COALESCE(SUM({wrong}), 0) AS n FROM {frame.relation}")


def crossing(engine: Engine, frame: AnalysisPopulation) -> int:
    """How many households have customers in several arms."""
    house, arm = frame.own["house"], frame.own["arm"]
    inner = (
        f"SELECT {house} AS house FROM {frame.relation} GROUP BY {house}"
        f" HAVING COUNT(DISTINCT {arm}) > 1"
    )
    return one(engine, f"SELECT COUNT(*) AS n FROM ({inner}) AS mixed")


def dated(engine: Engine, plan: Plan, frame: AnalysisPopulation) -> int:
    """How many customers' attributes are of the day of assignment or later."""
    column, zone = plan.customers.as_of or "", plan.program.time_zone
    kind = frame.columns[column]
    clock = INSTANTS if kind == "instant" else plan.customers.zone or zone
    day = frame.own["as_of"]
    span = _bounds(engine, day, frame).widened(_NOTHING, _NOTHING)
    until = day if kind in ("date", "text") else converted(day, zone, clock, span)
    # A day is known at its end, a moment at once.
    sign = "<" if kind in ("date", "text") else "<="
    known = f"CASE WHEN {time_sql(column, frame.columns, 'c.')} {sign} {until} THEN 0 ELSE 1 END"
    return one(engine, f"SELECT COALESCE(SUM({known}), 0) AS n FROM {frame.relation}")


def _bounds(engine: Engine, time: str, frame: AnalysisPopulation) -> Span:
    row = engine.query(
        f"SELECT MIN(t) AS first, MAX(t) AS last FROM (SELECT {time} AS t FROM {frame.relation})"
        " AS times"
    ).to_pylist()[0]
    return Span(row["first"], row["last"])


def one(engine: Engine, sql: str) -> int:
    """The only number, called `n`, of a query."""
    return int(engine.query(sql).to_pylist()[0]["n"])
