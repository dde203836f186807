"""The record: who was assigned to what, and what became of the plan, as an analysis reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Record:
    """An experiment's assignment out of the ledger.

    Attributes:
        id: The column that identifies a customer.
        files: Parquet files with that column and `arm`, one row per assigned customer.
        locked: The day the plan was locked.
        amendments: Reasons of the changes made before outcomes were read.
        deviations: Reasons of those made afterwards.
    """

    id: str
    files: tuple[Path, ...]
    locked: date
    amendments: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
