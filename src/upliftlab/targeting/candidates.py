"""Candidates: next month's customers with what a model may know of them, and who may be contacted.

Eligibility, opt-outs, universal holdout, layer and contact policy decide as they do when arms are
assigned (`queries/screening.py`); no arm is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from upliftlab.declarations import Source
from upliftlab.engines.base import Engine
from upliftlab.experiment import Plan

FeatureKind = Literal["numeric", "categorical"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """What the next campaign needs beside the plan.

    Attributes:
        day: The day customers are contacted; the contact policy counts from it.
        salt: What `place` is drawn with, such as `spring:target`: a salt of its own for every
            campaign, so that not always the same customers are held out.
        kinds: What the model takes each feature for, in the model's order; where it is empty,
            the plan's features as the table's columns say.
        prior_contacts: Parquet files with contacts that the ledger knows of, `id` and `day`.
    """

    day: date
    salt: str
    kinds: Mapping[str, FeatureKind]
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

    ids: pa.Array
    features: pa.Table
    reason: pa.Array
    place: pa.Array
    today: np.ndarray | None

    @property
    def eligible(self) -> np.ndarray:
        """Flags of those who may be contacted; shape (n,), bool."""
        return np.asarray(self.reason.is_null())


@dataclass(frozen=True, slots=True)
class Candidates:
    """A table of customers, attached and examined.

    Attributes:
        id: The column that identifies a customer.
        kinds: What each feature is, in order.
        population: How many customers there are.
        sql: One row per customer, in DuckDB's dialect.
    """

    id: str
    kinds: Mapping[str, FeatureKind]
    population: int
    sql: str

    def batches(self, engine: Engine, rows: int = 100_000) -> Iterator[CandidateBatch]:
        """The customers, at most so many at a time, in no particular order."""
        raise NotImplementedError


def source_named(plan: Plan, asked: str, declared: Mapping[str, Source]) -> Source:
    """The table that `--customers` means: a declared source, or else a file.

    Id and household are those of the plan's own customers where the source names none.

    Args:
        plan: The resolved experiment.
        asked: A name under `sources`, or a path below the data root.
        declared: The workspace's sources (`config.shared.read_shared(...).sources or {}`).
    """
    raise NotImplementedError


def candidates(plan: Plan, customers: Source, engine: Engine, campaign: Campaign) -> Candidates:
    """Attach a table of customers, and make the query that says who may be contacted.

    Args:
        plan: The experiment that was learned from.
        customers: Next month's customers.
        engine: Where they lie.
        campaign: The day, the salt, the features' kinds and earlier contacts.

    Raises:
        ConfigError: UL402 a column does not exist, UL403 the id's type is not exact.
        DataError: UL2xx the table cannot be read or lacks a column, UL404 to UL406 ids are
            missing or repeated, UL416 there is nobody, UL615 a feature is not what the model
            learned from.
    """
    raise NotImplementedError
