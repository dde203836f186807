"""The record: who was assigned to what, and what became of the plan, as an analysis reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Assigned:
    """Customers who were assigned on one day.

    Attributes:
        day: The day, in the program's time zone.
        files: Parquet files with the id, `arm`, `wave` and `stratum`, one row per customer.
        shares: Each arm's share by which they were assigned; None for equal ones.
        query: Instead of files, a query that gives the same of everybody, also of customers in no
            arm: an assignment that is not on record.
    """

    day: date
    files: tuple[Path, ...] = ()
    query: str | None = None
    shares: Mapping[str, Fraction] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An experiment's assignment out of the ledger.

    Attributes:
        id: The column that identifies a customer.
        generations: Who was assigned when.
        locked: The day the plan was locked.
        settled: The day of the plan in force: that of the last change, else of the lock.
        amendments: Reasons of the changes made before outcomes were read.
        deviations: Reasons of those made afterwards.
        customers: The sha256 of the customers' table that was assigned last, if it is known.
        assigned: The day it was.
        since: What was amended after customers had been assigned, but for words.
        population: Customers in the table that was assigned last, if it is known.
        excluded: Those of them who take no part, by reason.
    """

    id: str
    generations: tuple[Assigned, ...]
    locked: date
    settled: date
    amendments: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    customers: str | None = None
    assigned: date | None = None
    since: tuple[str, ...] = ()
    population: int | None = None
    excluded: Mapping[str, int] = field(default_factory=dict[str, int])
