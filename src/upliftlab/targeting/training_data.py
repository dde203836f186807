"""What models learn from: one row per customer, with features, outcomes and each arm's probability.

Who is analysed, when their time began and what is counted of them are decided as in the analysis
(`analysis/aggregation.py`); a household's customers are rows of their own in one cluster. Rows come
in the order of their cluster, so that nothing depends on how an engine stores them. The probability
of each arm is known, by stratum where shares are exact within strata.

With money, outcomes are two columns: value, the contribution margin on revenue, and cost, the sum
of the cost lines. What is paid for a whole arm is no part of it: it does not depend on who is
contacted.
"""
# ruff: noqa: S608 - names are of the house's own
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.analysis.aggregation import unit_table
from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.analysis.look import occasion_of
from upliftlab.analysis.population import ASSIGNED, CUSTOMERS, population_of, timed
from upliftlab.analysis.record import Record
from upliftlab.analysis.refusals import (
    refuse_arms,
    refuse_identities,
    refuse_missing,
    refuse_unsupported,
    refuse_whole_households,
    traces,
)
from upliftlab.analysis.share_regimes import expected_shares, regimes_of
from upliftlab.config.models import FeatureKind
from upliftlab.config.models.experiment import PROFIT, Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import DataError, Diagnostic
from upliftlab.money import Roles, projection
from upliftlab.queries.features import Features, features_of
from upliftlab.queries.numbers import LARGEST, SMALLEST
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.queries.units import UnitTable
from upliftlab.results.costs import CostStep
from upliftlab.stats.moments import Array
from upliftlab.targeting.extraction import (
    DRAWN,
    STRATUM,
    Extract,
    extract,
    from_content,
    known_of,
    looked_up,
)
from upliftlab.util.sql import literal


@dataclass(frozen=True, slots=True, eq=False)
class Propensities:
    """The probability of each arm.

    Attributes:
        declared: The plan's shares, normalised; shape (arms,).
        strata: The strata of a blocked assignment; none where chances are alike for all.
        realised: The shares that arms have of each stratum's units; shape (strata, arms).
    """

    declared: Array
    strata: tuple[str, ...] = ()
    realised: Array | None = None

    def of(self, stratum: pa.ChunkedArray[Any] | None, n: int) -> Array:
        """The chances of customers in their strata; shape (n, arms)."""
        if self.realised is None or stratum is None:
            return np.tile(self.declared, (n, 1))
        numbers = {name: number for number, name in enumerate(self.strata)}
        table = np.vstack([self.realised, self.declared])
        return table[looked_up(stratum, numbers, len(numbers))]


def chances_of(
    plan: Plan,
    arms: Sequence[str],
    frame: AnalysisPopulation,
    engine: Engine,
    record: Record | None = None,
) -> Propensities:
    """The chances of a plan's arms.

    A blocked assignment on record has the shares that were realised: within a stratum nothing
    else was possible. So have arms that were assigned within strata elsewhere. Strata in which an
    arm has no unit are taken together as one, as they are in the analysis of what is on record;
    where even that lacks an arm, they have the declared shares.

    Args:
        plan: The declared shares.
        arms: The arms in order.
        frame: Who is analysed.
        engine: Where the assignment lies.
        record: Who was assigned by which shares, where the ledger holds it. Times of different
            shares are strata, each with the shares it was divided by.
    """
    shares, regimes = expected_shares(plan, record), regimes_of(plan, record)
    asked = plan.experiment.assignment
    declared = np.array([shares[arm] for arm in arms])
    if regimes:
        chances = [[regime.shares[arm] for arm in arms] for regime in regimes]
        return Propensities(declared, tuple(r.name for r in regimes), np.array(chances))
    blocked, given = asked.method == "blocked", asked.within_given
    if not (blocked or given) or "stratum" not in frame.own:
        return Propensities(declared)
    units = "COUNT(*)" if plan.households is None else "COUNT(DISTINCT house)"
    own = [
        f"{frame.own[name]} AS {name}" for name in ("stratum", "arm", "house") if name in frame.own
    ]
    observed = f"(SELECT {', '.join(own)} FROM {frame.relation}) AS observed"
    where = observed if given else ASSIGNED
    rows = engine.query(
        f"SELECT stratum, arm, {units} AS n FROM {where} WHERE arm IS NOT NULL"
        " AND stratum IS NOT NULL GROUP BY stratum, arm"
    ).to_pylist()
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(str(row["stratum"]), {})[str(row["arm"])] = int(row["n"])
    if not counts:
        return Propensities(declared)
    names = tuple(sorted(counts))
    return Propensities(
        declared, names, _realised([counts[name] for name in names], arms, declared)
    )


def _realised(counts: Sequence[Mapping[str, int]], arms: Sequence[str], declared: Array) -> Array:
    table = np.array([[found.get(arm, 0) for arm in arms] for found in counts], dtype=np.float64)
    thin = (table == 0).any(axis=1)
    if thin.any():
        together = table[thin].sum(axis=0)
        table[thin] = together if (together > 0).all() else declared
    return table / table.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How outcomes come from the unit table.

    Attributes:
        metric: `profit`, or the metric's name.
        counted: The columns of the unit table that are needed, in order.
        weights: For profit, by arm: value and cost per unit of each; shape (2, counted).
        fixed: For profit, by arm: value and cost that every customer has; shape (2,).
        falls: Whether the metric is to fall, and so is turned round.
    """

    metric: str
    counted: tuple[str, ...]
    weights: Mapping[str, Array]
    fixed: Mapping[str, Array]
    falls: bool = False

    def of(self, arms: tuple[str, ...], arm: np.ndarray, counted: Array) -> Array:
        """Outcomes of customers.

        Of a metric that is to fall, 1 − y where all are 0 or 1, else −y: more is better, and
        effects are those on the metric with the sign changed.

        Args:
            arms: The names of the arms.
            arm: The number of each customer's arm, shape (n,).
            counted: What is counted of them, shape (n, counted).

        Returns:
            Shape (n, 2), value and cost, for profit; else (n, 1).
        """
        if not self.weights:
            if not self.falls:
                return counted
            flags = bool(np.isin(counted, (0.0, 1.0)).all())
            return 1.0 - counted if flags else -counted
        found = np.empty((len(arm), 2))
        for number, name in enumerate(arms):
            rows = arm == number
            found[rows] = counted[rows] @ self.weights[name].T + self.fixed[name]
        return found


def outcomes_of(plan: Plan) -> Outcomes:
    """The outcomes that a plan learns from.

    Raises:
        DataError: UL610, it is a ratio of totals, which no single customer has.
    """
    name, spec = plan.learned, estimation_spec(plan)
    if name == PROFIT and spec.roles is not None:
        return _profit(spec, spec.roles)
    metric = plan.metrics.get(name)
    if metric is None or metric.ratio is not None:
        what = "a ratio of totals" if metric else "not measured"
        message = f"models cannot learn from '{name}', which is {what}"
        raise DataError(Diagnostic("UL610", message, "name another by 'uplift: {metric: …}'"))
    return Outcomes(name, (name,), {}, {}, falls=metric.better == "lower")


def _profit(spec: EstimationSpec, roles: Roles) -> Outcomes:
    size, own = len(spec.columns), replace(roles, size=None)
    used = tuple(dict.fromkeys(own.columns))
    items = [size + step.column for step in (CostStep.margin, CostStep.cost)]
    weights: dict[str, Array] = {}
    fixed: dict[str, Array] = {}
    for arm, terms in spec.terms.items():
        made = projection(size, own, terms.variable)
        weights[arm] = made.matrix[np.ix_(items, used)]
        fixed[arm] = made.offset[items]
    return Outcomes(PROFIT, tuple(spec.columns[at] for at in used), weights, fixed)


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
    features = features_of(asked, CUSTOMERS, plan.customers, engine)
    frame = refuse_identities(plan, frame, engine)
    refuse_whole_households(plan, frame, engine)
    known = known_of(plan, frame, features, engine)
    frame, span = timed(plan, known.frame, engine)
    counted = occasion_of(plan, (frame, span), engine, now).counted(plan)
    lean = counted.model_copy(update={"covariates": {}, "segments": {}})
    table, _ = unit_table(lean, (frame, span), engine)
    own = () if STRATUM not in frame.own or STRATUM in known.columns else (STRATUM,)
    told = (*known.columns, *own)
    found = extract(_sql(table, outcomes.counted, told, known.below), arms, engine)
    refuse_arms(plan, found.arms)
    _refuse_missing(plan, table, (outcomes.counted, found), engine)
    chances = chances_of(plan, arms, frame, engine, record)
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
    plan: Plan, table: UnitTable, rows: tuple[Sequence[str], Extract], engine: Engine
) -> None:
    counted, found = rows
    columns = dict(zip(counted, np.abs(found.counted.T), strict=True))
    largest = {name: float(values.max(initial=0.0)) for name, values in columns.items()}
    if faults := [traces(name) for name, value in largest.items() if 0 < value < SMALLEST]:
        raise DataError(faults)
    if lacking := [name for name, value in largest.items() if not value <= float(LARGEST)]:
        refuse_missing(plan, table, lacking, engine)


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
