"""Candidates: next month's customers with what a model may know of them, and who may be contacted.

Eligibility, opt-outs, universal holdout, layer and contact policy decide as they do when arms are
assigned (`eligibility_sql.py`); no arm and no wave is drawn. A customer outside the experiment's
range of its layer is another experiment's, and so is no candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.assignment.allocation import allocation
from upliftlab.assignment.customers_sql import check_population
from upliftlab.assignment.eligibility import CUSTOMERS, request_of
from upliftlab.assignment.eligibility_sql import Request, screen, with_steps
from upliftlab.assignment.places_sql import hash_sql
from upliftlab.assignment.vectors import require_hashes
from upliftlab.config.models import Arm, AssignmentSettings, FeatureKind, Source
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.engines.kinds import is_loose
from upliftlab.errors import DataError, Diagnostic
from upliftlab.queries.computed import attach_table
from upliftlab.queries.condition_kinds import ConditionTable
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.queries.features import Features, features_of, learned_features
from upliftlab.targeting.extraction import TODAY, today_sql
from upliftlab.util.nearest import closest


@dataclass(frozen=True, slots=True)
class NextCampaign:
    """What the next campaign needs beside the plan.

    Attributes:
        day: The day customers are contacted; the contact policy counts from it.
        salt: What `place` is drawn with, such as `spring:target:2026-04-01`: a salt of its own for
            every campaign, so that not always the same customers are held out.
        kinds: What the model takes each feature for, in the model's order; where it is empty,
            the plan's features as the table's columns say; None where no model asks for any.
        prior_contacts: Parquet files with the contacts that the ledger knows of, `id` as text and
            `day`; this experiment's own among them.
    """

    day: date
    salt: str
    kinds: Mapping[str, FeatureKind] | None
    prior_contacts: Sequence[Path] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CandidateBatch:
    """Some of the customers.

    Attributes:
        ids: Their ids, of the table's own type.
        features: One column per feature, under its name: doubles (numeric) or texts (categorical).
        reason: Why a customer may not be contacted, as `allocation.Reason` names it; null where
            nothing speaks against it.
        place: 15 hex digits drawn by the campaign's salt from the id, or the household's where
            households are randomised; `hashing.cuts` gives the ends to compare with.
        today: Whether today's rule holds; None where the plan declares none.
    """

    ids: pa.Array[Any]
    features: pa.Table
    reason: pa.Array[Any]
    place: pa.Array[Any]
    today: np.ndarray | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def eligible(self) -> np.ndarray:
        """Flags of those who may be contacted; shape (n,), bool."""
        reason: Any = self.reason
        return np.asarray(reason.is_null().to_numpy(zero_copy_only=False))


@dataclass(frozen=True, slots=True)
class Candidates:
    """A table of customers, attached and examined.

    Attributes:
        id: The column that identifies a customer.
        kinds: What each feature is, in order.
        population: How many customers there are.
        sql: One row per customer, in DuckDB's dialect: `id`, `reason`, `place`, `today` where the
            plan declares a rule, and the features as `f0` ….
    """

    id: str
    kinds: Mapping[str, FeatureKind]
    population: int
    sql: str

    def contactable(self, engine: Engine) -> int:
        """How many of them may be contacted.

        Raises:
            DataError: UL2xx, a row cannot be read.
            EngineError: UL502, the engine refuses the query.
        """
        counted = f"SELECT count(*) AS n FROM ({self.sql}) AS c WHERE reason IS NULL"  # noqa: S608 - the house's own query
        return int(engine.query(counted).column("n")[0].as_py())

    def batches(self, engine: Engine, rows: int = 100_000) -> Iterator[CandidateBatch]:
        """The customers, at most so many at a time, in no particular order.

        Args:
            engine: The engine that they were examined on; it answers nothing else meanwhile.
            rows: Customers in a batch at most.

        Raises:
            DataError: UL2xx, a row cannot be read.
            EngineError: UL502, the engine refuses the query.
        """
        for batch in engine.batches(self.sql, rows):
            columns: dict[str, Any] = {name: batch.column(name) for name in batch.schema.names}
            today = columns.get(TODAY)
            values = [
                columns[f"f{at}"].cast(pa.float64() if kind == "numeric" else pa.string())
                for at, kind in enumerate(self.kinds.values())
            ]
            yield CandidateBatch(
                ids=columns["id"],
                features=pa.Table.from_arrays(values, names=list(self.kinds)),
                reason=columns["reason"].cast(pa.string()),
                place=columns["place"].cast(pa.string()),
                today=None if today is None else today.to_numpy(zero_copy_only=False),
            )


def source_named(
    plan: Plan, asked: str, declared: Mapping[str, Source], locate: Callable[[str], Path]
) -> Source:
    """The table that `--customers` means: a declared source, or else a file.

    Id and household are those of the plan's own customers where the source names none.

    Args:
        plan: The resolved experiment.
        asked: A name under `sources`, or a path below the data root.
        declared: The workspace's sources (`config.shared.read_shared(...).sources or {}`).
        locate: Path of a file named by a source; raises where it may not be read.

    Raises:
        DataError: UL642, it is neither.
    """
    if asked not in declared and not _is_path(asked, locate):
        raise _no_source(asked, declared)
    return with_identity(plan, declared.get(asked) or _file(plan, asked))


def _file(plan: Plan, asked: str) -> Source:
    """A file of which nothing is declared: its values are written as those of the plan's own."""
    own = plan.customers.format
    if own is None or not is_loose(asked):
        return Source(file=asked)
    layout = {"encoding": None, "delimiter": None, "skip": 0}  # seen in the file itself
    return Source(file=asked, format=own.model_copy(update=layout))


def with_identity(plan: Plan, source: Source) -> Source:
    """A table with the id, household and computed columns of the plan's own customers.

    What the table declares itself is nearer.
    """
    own = plan.customers
    given = {
        "id": source.id or own.id,
        "household": source.household or own.household,
        "columns": {**own.columns, **source.columns},
    }
    return source.model_copy(update=given)


def _is_path(name: str, locate: Callable[[str], Path]) -> bool:
    """Whether a name looks like that of a file, or is that of a folder."""
    looks = bool(PurePath(name).suffix) or any(sign in name for sign in "*?")
    return bool(name) and (looks or locate(name).exists())


def _no_source(asked: str, declared: Mapping[str, Source]) -> DataError:
    near = closest(asked, declared, 0.6)
    known = f"declared are {', '.join(declared)}" if declared else "none is declared"
    remedy = f"did you mean '{near}'?" if near else f"{known}; or name a file, as next.parquet"
    message = f"'{asked}' is no source of configs/sources.yaml and no file"
    return DataError(Diagnostic("UL642", message, remedy))


def look(plan: Plan, customers: Source, engine: Engine, *, features: bool = True) -> None:
    """Refuse a table that cannot be chosen from, before anything is learned for it.

    Args:
        plan: The experiment that is learned from.
        customers: Next month's customers.
        engine: Where they lie.
        features: Whether it has to hold what a model is given.

    Raises:
        ConfigError: UL402, a column that a condition asks of does not exist.
        DataError: UL2xx, the table cannot be read or lacks a column.
    """
    attach_table(CUSTOMERS, customers, engine, whole=False)
    _require_conditions(plan, customers_table(CUSTOMERS, customers, engine), engine)
    if features and plan.experiment.uplift is not None:
        features_of(plan.experiment.uplift, CUSTOMERS, customers, engine)


def candidates(plan: Plan, customers: Source, engine: Engine, campaign: NextCampaign) -> Candidates:
    """Attach a table of customers, and make the query that says who may be contacted.

    Args:
        plan: The experiment that was learned from.
        customers: Next month's customers.
        engine: Where they lie.
        campaign: The day, the salt, the features' kinds and earlier contacts.

    Raises:
        ConfigError: UL402 the source names no id or a column does not exist, UL403 the id's type
            is not exact, UL408 the experiment has no range in its layer.
        DataError: UL2xx the table cannot be read or lacks a column, UL404 to UL406 ids are
            missing or repeated, UL416 there is nobody, UL611 the plan asks for no targeting,
            UL615 a feature is not what the model learned from.
        EngineError: UL515, the engine hashes differently.
    """
    asked = plan.experiment.uplift
    if asked is None and campaign.kinds is not None:
        message = f"'{plan.experiment.experiment}' does not say whom to target by"
        raise DataError(Diagnostic("UL611", message, "add 'uplift: {features: [COLUMN, …]}'"))
    require_hashes(engine)
    next_plan = _unassigned(plan, customers)
    attach_table(CUSTOMERS, customers, engine, whole=False)
    table = customers_table(CUSTOMERS, customers, engine)
    if campaign.kinds:
        features = learned_features(campaign.kinds, CUSTOMERS, customers, engine)
    elif asked is not None and campaign.kinds is not None:
        features = features_of(asked, CUSTOMERS, customers, engine)
    else:
        features = Features({}, table.types)
    request = request_of(
        next_plan, allocation(next_plan, campaign.day), engine, campaign.prior_contacts
    )
    population = check_population(request, table.types, engine)
    sql = _sql(request, features, campaign.salt, today_sql(plan, table, engine, None))
    return Candidates(request.allocation.id, features.kinds, population, sql)


def _unassigned(plan: Plan, customers: Source) -> Plan:
    """The plan without arms, waves and strata: everybody is asked alike, whoever drew them."""
    given = plan.experiment.assignment
    assignment = AssignmentSettings(unit=given.unit, salt=given.salt, layer=given.layer)
    experiment = plan.experiment.model_copy(
        update={"assignment": assignment, "waves": (), "shares": ()}
    )
    update = {"experiment": experiment, "customers": customers, "arms": {"contacted": Arm()}}
    return plan.model_copy(update=update)


def _require_conditions(plan: Plan, table: ConditionTable, engine: Engine) -> None:
    policy = plan.program.contact_policy
    conditions = {"eligible": plan.experiment.eligible, "opt_out": policy and policy.opt_out}
    for role, text in conditions.items():
        if text:
            sound_condition(role, text, table, engine)
    today_sql(plan, table, engine, None)


def _sql(request: Request, features: Features, salt: str, today: str | None) -> str:
    carried = features.sql() | ({} if today is None else {TODAY: today})
    screening = screen(replace(request, carried=carried))
    place = f"{hash_sql(salt, 'unit_key')} AS place"
    listed = ", ".join(["id", "reason", place, *carried])
    return f"{with_steps(screening.steps)}\nSELECT {listed} FROM screened"
