"""Known: what a frame must tell of each customer for learning, and who is in the sample."""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt

from upliftlab.assignment.hashing import cuts
from upliftlab.assignment.places_sql import hash_sql
from upliftlab.config.expressions import parse
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.features import Features
from upliftlab.queries.population import AnalysisPopulation, missing_column
from upliftlab.util.sql import literal

PLACE, OWN, DRAWN, TODAY = "place", "own_place", "drawn", "today"
STRATUM = "stratum"
"""Columns of the frame: the unit's place, the customer's within a household, the sample's, and
whether today's rule holds."""
_SPARE = 8
"""Standard deviations by which more is looked at than the sample takes."""


@dataclass(frozen=True, slots=True)
class RequiredColumns:
    """A frame that tells what is learned from.

    Attributes:
        frame: Who is analysed, with features, places and today's rule.
        columns: Their names in the frame.
        total: Customers in the frame.
        below: The sample holds units with a place `drawn` below this; None for all.
    """

    frame: AnalysisPopulation
    columns: tuple[str, ...]
    total: int
    below: str | None


def known_of(
    plan: Plan, frame: AnalysisPopulation, features: Features, engine: Engine
) -> RequiredColumns:
    """Add features, places and today's rule to a frame, and draw the sample.

    Raises:
        DataError: UL205 a column of today's rule is not there, UL612 no id to draw a sample by.
    """
    own = features.sql("c.")
    own |= _places(plan, frame)
    if (rule := today_sql(plan, frame.columns, "c")) is not None:
        own[TODAY] = rule
    (row,) = engine.query(f"SELECT COUNT(*) AS n FROM {frame.relation}").to_pylist()
    total, asked = int(row["n"]), plan.experiment.uplift
    wanted = asked.sample if asked else None
    kept = [name for name in own if name != DRAWN]
    kept += [STRATUM] if STRATUM in frame.own else []
    whole = replace(frame, own={**frame.own, **own})
    below = None if wanted is None or wanted >= total else _below(whole, (wanted, total), engine)
    return RequiredColumns(whole, tuple(kept), total, below)


def today_sql(
    plan: Plan, columns: Mapping[str, ColumnType], table: str | None = None
) -> str | None:
    """Today's rule over a table of customers as SQL, false where it is not known.

    Raises:
        DataError: UL205, a column is not there.
    """
    asked = plan.experiment.uplift
    if asked is None or asked.today is None:
        return None
    condition = parse(asked.today.where)
    for column in sorted(condition.columns - set(columns)):
        raise missing_column(column, "today's rule", columns)
    texts = [name for name, kind in columns.items() if kind == "text"]
    return f"COALESCE(({condition.sql(text_columns=texts, table=table)}), FALSE)"


def _places(plan: Plan, frame: AnalysisPopulation) -> dict[str, str]:
    """Places by salts of their own: those of the arms would tell the arm."""
    salt = plan.experiment.assignment.salt or plan.experiment.experiment
    key, unit = frame.own.get("id"), frame.own.get("house", frame.own.get("id"))
    if unit is None:
        return {}
    found = {PLACE: _place(f"{salt}:learn", unit), DRAWN: _place(f"{salt}:sample", unit)}
    if "house" in frame.own and key is not None:
        found[OWN] = _place(f"{salt}:learn", key)
    return found


def _place(salt: str, value: str) -> str:
    return hash_sql(salt, f'CAST({value} AS VARCHAR) COLLATE "C"')


def _below(frame: AnalysisPopulation, sizes: tuple[int, int], engine: Engine) -> str:
    """The place below which whole units hold the wanted number of customers, or fewer."""
    wanted, total = sizes
    if DRAWN not in frame.own:
        message = "a sample is drawn by the customers' id, but none is named"
        raise DataError(Diagnostic("UL612", message, "name it: 'customers: {id: …}'"))
    looked = Fraction(min(total, wanted + _SPARE * (isqrt(wanted) + 1)), total)
    (end,) = cuts([looked])
    drawn = f"SELECT {frame.own[DRAWN]} AS h FROM {frame.relation}"
    units = f"SELECT h, COUNT(*) AS n FROM ({drawn}) AS d WHERE h < {literal(end)} GROUP BY h"
    summed = f"SELECT h, SUM(n) OVER (ORDER BY h) AS upto FROM ({units}) AS u"
    rows = engine.query(
        f"SELECT MIN(h) AS h FROM ({summed}) AS s WHERE upto > {wanted}"
    ).to_pylist()
    return str(rows[0]["h"]) if rows[0]["h"] is not None else end
