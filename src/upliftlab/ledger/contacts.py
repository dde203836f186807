"""Who was contacted when, over all experiments of a ledger: what the contact policy counts."""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from upliftlab.ledger.record_store import Generation
from upliftlab.ledger.scratch import parquet
from upliftlab.util.sql import literal, quote

_NOBODY = (
    "SELECT CAST(NULL AS VARCHAR) AS id, CAST(NULL AS DATE) AS day,"
    " CAST(NULL AS VARCHAR) AS experiment WHERE false"
)


def contacts_sql(generations: Iterable[Generation]) -> str:
    """A query in DuckDB's dialect with one row per contact: id as text, day, experiment.

    A contact is a customer of an arm with a channel, other than the control, on the day its wave
    starts.
    """
    groups: dict[tuple[str, str, str], list[Path]] = {}
    for generation in generations:
        manifest = generation.manifest
        for part in manifest.parts:
            if part.channel is not None and part.start is not None:
                key = (manifest.id, part.start.isoformat(), manifest.experiment)
                groups.setdefault(key, []).append(generation.path(part))
    return " UNION ALL ".join(_select(*key, files) for key, files in groups.items()) or _NOBODY


def _select(column: str, day: str, experiment: str, files: list[Path]) -> str:
    return (
        f"SELECT CAST({quote(column)} AS VARCHAR) AS id, DATE {literal(day)} AS day,"
        f" {literal(experiment)} AS experiment FROM {parquet(files)}"
    )
