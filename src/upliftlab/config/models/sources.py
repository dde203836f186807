"""Where data lie: `configs/sources.yaml`, and the engine that reads them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import model_validator

from upliftlab.config.models.model import Declaration, Names
from upliftlab.config.models.values import Count, Currency, Name


class AttributeKind(StrEnum):
    """What an attribute of a customer tells about them."""

    demographic = "demographic"
    behavioural = "behavioural"
    attitudinal = "attitudinal"
    transaction = "transaction"


class EngineSettings(Declaration):
    """Where queries run."""

    name: Literal["duckdb", "spark", "postgres"] = "duckdb"
    """The engine: duckdb (embedded, the default), spark or postgres."""
    threads: Count | None = None
    """How many threads the embedded engine may use; all by default."""
    memory_limit: Name | None = None
    """Memory the embedded engine may use before it spills to disk, such as 2 GB."""
    connection: Name | None = None
    """Connection settings of a server; only a password may be `${env:NAME}`."""


class Source(Declaration):
    """A table: where it lies and which of its columns play a part."""

    file: Name | None = None
    """A CSV, CSV.gz, Parquet or .duckdb file, relative to the data root; `orders/*.parquet` names
    several, a folder its Parquet files."""
    table: Name | None = None
    """The table inside a .duckdb file or on a server, optionally with its schema."""
    id: Name | None = None
    """The column that identifies a customer."""
    household: Name | None = None
    """The column that identifies a customer's household."""
    time: Name | None = None
    """For a table of events: the column that says when each happened."""
    zone: Name | None = None
    """Time zone of times that name none, as an IANA name; the program's by default."""
    key: Name | None = None
    """The column that identifies an event: one that occurs twice counts once."""
    recorded: Name | None = None
    """The column that says when an event became known, to count those that came late."""
    experiment: Name | None = None
    """The column that names the experiment an event belongs to; other experiments' do not count."""
    amounts: dict[Name, Currency] = {}
    """Columns that hold money, and its currency."""
    currency: Name | None = None
    """The column that says in which currency a row's money is."""
    as_of: Name | None = None
    """The column that says as of when a customer's attributes are: before assignment."""
    attributes: dict[Name, AttributeKind] = {}
    """What kind of attribute each column is."""
    known_after: Names = ()
    """Columns whose values come to be only after assignment: not for segments or covariates."""

    @model_validator(mode="after")
    def _located(self) -> Source:
        if self.file is None and self.table is None:
            raise ValueError("a source needs 'file' or 'table'")
        return self
