"""Rows: what models learn from, one per customer, read from where the data lie.

Who is analysed, when their time began and what is counted of them are decided as in the analysis
(`aggregation.py`); a household's customers are rows of their own in one cluster. Rows come in
the order of their cluster, so that nothing depends on how an engine stores them.
"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa

from upliftlab.analysis.aggregation import unit_table
from upliftlab.analysis.facts import CUSTOMERS
from upliftlab.analysis.look import occasion_of
from upliftlab.analysis.population import population_of, timed
from upliftlab.analysis.record import Record
from upliftlab.analysis.refusals import (
    refuse_arms,
    refuse_identities,
    refuse_missing,
    refuse_unsupported,
    refuse_whole_households,
)
from upliftlab.config.models import FeatureKind
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.features import Features, features_of
from upliftlab.queries.units import UnitTable
from upliftlab.stats.moments import Array
from upliftlab.targeting.chances import chances_of
from upliftlab.targeting.extract import Extract, extract
from upliftlab.targeting.identity import from_content
from upliftlab.targeting.known import DRAWN, known_of
from upliftlab.targeting.outcomes import outcomes_of
from upliftlab.util.sql import literal


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """What models learn from.

    Attributes:
        table: One column per feature, under its name, in the plan's order: doubles (numeric, null
            where missing) or texts (categorical); n rows.
        kinds: What each feature is.
        arms: The arms in the order of their numbers, the control first.
        arm: The number of each customer's arm; shape (n,), int64.
        outcomes: Value and cost in money where `metric` is `profit`, shape (n, 2); else the metric,
            shape (n, 1), of which more is better: see `falls`.
        metric: `profit`, or the metric that is learned from.
        falls: Whether lower is better of the metric, so that outcomes are it turned round: 1 − y
            where all are 0 or 1, else −y. Effects are those on the metric with the sign changed.
        propensity: The known probability of each arm; shape (n, arms), rows add up to 1.
        cluster: A number below 2^60 for each randomised unit, made from its id, or where customers
            have none from all that the row holds; the same on every engine. Shape (n,), int64.
        today: Whether today's rule holds; None where the plan has none. Shape (n,), bool.
        total: Customers of the experiment, of whom these are all or a sample.
        units: Randomised units among the rows.
    """

    table: pa.Table
    kinds: Mapping[str, FeatureKind]
    arms: tuple[str, ...]
    arm: np.ndarray
    outcomes: Array
    metric: str
    falls: bool
    propensity: Array
    cluster: np.ndarray
    today: np.ndarray | None
    total: int
    units: int

    def __len__(self) -> int:
        return len(self.arm)


def learning_rows(
    plan: Plan, engine: Engine, record: Record | None = None, now: datetime | None = None
) -> TrainingRows:
    """Read what models learn from.

    Run `analyze` first and do not learn from an experiment whose verdict is INVALID: nothing is
    checked here but what would make the rows wrong.

    Args:
        plan: What was asked, with `uplift`.
        engine: Where the data lie.
        record: Who is in which arm, where no column of the data says it.
        now: The moment of the analysis on the program's clock, as for `analysis.intake.measure`.

    Raises:
        DataError: UL2xx, the data are not what the plan says they are; UL303 to UL305, the plan
            asks for what cannot be analysed; UL610 the metric is a ratio, UL611 the plan asks for
            no targeting, UL612 a sample has no id to be drawn by.
    """
    asked = plan.experiment.uplift
    if asked is None:
        message = f"'{plan.experiment.experiment}' does not say whom to target by"
        raise DataError(Diagnostic("UL611", message, "add 'uplift: {features: [COLUMN, …]}'"))
    outcomes, arms = outcomes_of(plan), (plan.control, *plan.treatments)
    refuse_unsupported(plan)
    frame = population_of(plan, engine, record)
    features = features_of(asked.features, CUSTOMERS, plan.customers, engine)
    refuse_identities(plan, frame, engine)
    refuse_whole_households(plan, frame, engine)
    known = known_of(plan, frame, features, engine)
    frame, span = timed(plan, known.frame, engine)
    counted = occasion_of(plan, (frame, span), engine, now).counted(plan)
    lean = counted.model_copy(update={"covariates": {}, "segments": {}})
    table, _ = unit_table(lean, (frame, span), engine)
    found = extract(_sql(table, outcomes.counted, known.columns, known.below), arms, engine)
    refuse_arms(plan, found.arms)
    _refuse_missing(table, outcomes.counted, found, engine)
    chances = chances_of(plan, arms, frame, engine)
    values = outcomes.of(arms, found.arm, found.counted)
    rows = TrainingRows(
        table=_named(found, features),
        kinds=features.kinds,
        arms=arms,
        arm=found.arm,
        outcomes=values,
        metric=outcomes.metric,
        falls=outcomes.falls,
        propensity=chances.of(found.stratum, len(found.arm)),
        cluster=found.place if found.place is not None else _anonymous(found),
        today=found.today,
        total=known.total,
        units=0,
    )
    return _in_order(rows, found.own)


def _sql(table: UnitTable, counted: Sequence[str], known: Sequence[str], below: str | None) -> str:
    """One row per customer: what is counted, and what is known of them."""
    numbers = [f"{table.metric(name)} AS x{at}" for at, name in enumerate(counted)]
    own = ["CAST(f.arm AS VARCHAR) AS arm", *(f"f.{name} AS {name}" for name in known)]
    where = "" if below is None else f" WHERE f.{DRAWN} < {literal(below)}"
    return f"SELECT {', '.join([*own, *numbers])} FROM {table.source}{where}"


def _refuse_missing(
    table: UnitTable, counted: Sequence[str], found: Extract, engine: Engine
) -> None:
    columns = zip(counted, found.counted.T, strict=True)
    lacking = [name for name, values in columns if not np.isfinite(values).all()]
    if lacking:
        refuse_missing(table, lacking, engine)
        named = ", ".join(lacking)
        message = f"not every customer has a number of {named}"
        raise DataError(
            Diagnostic("UL206", message, "every customer who is learned from needs one")
        )


def _named(found: Extract, features: Features) -> pa.Table:
    return pa.Table.from_arrays(list(found.features), names=list(features.kinds))


def _anonymous(found: Extract) -> np.ndarray:
    numbers = [found.arm, *found.counted.T]
    texts = [
        column if pa.types.is_string(column.type) else column.to_numpy()
        for column in found.features
    ]
    return from_content([*numbers, *texts, *(() if found.today is None else (found.today,))])


def _in_order(rows: TrainingRows, own: np.ndarray | None) -> TrainingRows:
    """Sorted by unit, and within it by customer."""
    keys = (rows.cluster,) if own is None else (own, rows.cluster)
    order = np.lexsort(keys)
    cluster = rows.cluster[order]
    return replace(
        rows,
        table=rows.table.take(order),
        arm=rows.arm[order],
        outcomes=rows.outcomes[order],
        propensity=rows.propensity[order],
        cluster=cluster,
        today=None if rows.today is None else rows.today[order],
        units=int(np.count_nonzero(np.diff(cluster))) + bool(len(cluster)),
    )
