"""What several experiments share: the models of `configs/`, and the base of all models.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from upliftlab.values import (
    Cost,
    Count,
    Date,
    Duration,
    Expression,
    Flag,
    Name,
    Number,
    ProperRate,
    Share,
)


class Model(BaseModel):
    """A frozen mapping that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def shorthand(key: str) -> BeforeValidator:
    """Let a bare scalar stand for the mapping `{key: scalar}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def singleton(value: object) -> object:
    """Let one name stand for a list of one."""
    if not isinstance(value, str):
        return value
    if "," in value:
        raise ValueError(f"several names are written as a list: [{value}]")
    return [value]


Names = Annotated[tuple[Name, ...], BeforeValidator(singleton)]
"""One name or a list of names."""


class AttributeKind(StrEnum):
    """What an attribute of a customer tells about them."""

    demographic = "demographic"
    behavioural = "behavioural"
    attitudinal = "attitudinal"
    transaction = "transaction"


class Engine(Model):
    """Where queries run."""

    name: Literal["duckdb", "spark", "postgres"] = "duckdb"
    """The engine: duckdb (embedded, the default), spark or postgres."""
    threads: Count | None = None
    """How many threads the embedded engine may use; all by default."""
    memory_limit: Name | None = None
    """Memory the embedded engine may use before it spills to disk, such as 2 GB."""
    connection: Name | None = None
    """Connection settings of a server, `${env:NAME}` values allowed."""


class Source(Model):
    """A table: where it lies and which of its columns play a part."""

    file: Name | None = None
    """A CSV, CSV.gz, Parquet or .duckdb file, relative to the data root."""
    table: Name | None = None
    """The table inside a .duckdb file or on a server, optionally with its schema."""
    id: Name | None = None
    """The column that identifies a customer."""
    household: Name | None = None
    """The column that identifies a customer's household."""
    time: Name | None = None
    """For a table of events: the column that says when each happened."""
    attributes: dict[Name, AttributeKind] = {}
    """What kind of attribute each column is."""
    known_after: Names = ()
    """Columns whose values come to be only after assignment: not for segments or covariates."""

    @model_validator(mode="after")
    def _located(self) -> Source:
        if self.file is None and self.table is None:
            raise ValueError("a source needs 'file' or 'table'")
        return self


class Costs(Model):
    """What reaching a customer costs; an arm's own value overrides its offer's and channel's."""

    cost_per_contact: Cost | None = None
    """Paid for every contact."""
    cost_per_redemption: Cost | None = None
    """Paid for every redemption, also to customers who would have bought anyway."""
    commission: ProperRate | None = None
    """A share of revenue paid to the channel."""
    service_cost: Cost | None = None
    """Paid once for every customer in the arm."""


class Channel(Costs):
    """A way to contact customers."""

    title: str | None = None
    """The name shown in reports."""


class Offer(Costs):
    """What a contacted customer is offered."""

    title: str | None = None
    """The name shown in reports."""


class Metric(Model):
    """A number per customer, from a column of the customers' table or from events."""

    column: Name | None = None
    """A column of the customers' table."""
    source: Name | None = Field(default=None, alias="from")
    """The table of events it is computed from."""
    sum: Name | None = None
    """Total of this column over the customer's events."""
    mean: Name | None = None
    """Average of this column over the customer's events."""
    count: Flag = False
    """Number of the customer's events."""
    any: Flag = False
    """1 where the customer has at least one event."""
    at_least: Count | None = None
    """1 where the customer has at least this many events."""
    ratio: tuple[Name, Name] | None = None
    """Two metrics: total of the first over total of the second."""
    where: Expression | None = None
    """Only events that meet this condition."""
    during: tuple[Duration, Duration] | None = None
    """Only events between these times since the customer's start."""
    better: Literal["higher", "lower"] = "higher"
    """Which direction is good."""
    unit: Literal["number", "money", "share"] | None = None
    """How it is shown; money for the revenue column, number otherwise."""
    title: str | None = None
    """The name shown in reports."""

    @model_validator(mode="after")
    def _one_definition(self) -> Metric:
        chosen = [
            key
            for key in ("column", "sum", "mean", "count", "any", "at_least", "ratio")
            if getattr(self, key) not in (None, False)
        ]
        if len(chosen) != 1:
            raise ValueError(
                "a metric is defined by exactly one of "
                "column, sum, mean, count, any, at_least, ratio"
                + (f"; found {', '.join(chosen)}" if chosen else "")
            )
        if chosen[0] in ("column", "ratio") and (self.source or self.where or self.during):
            raise ValueError(f"'{chosen[0]}' excludes from, where and during")
        if chosen[0] not in ("column", "ratio") and not self.source:
            raise ValueError(f"'{chosen[0]}' needs 'from': a table of events")
        return self


class Bands(Model):
    """Recency, frequency and monetary columns for quintiles."""

    recency: Name
    """The column that says how long ago the last purchase was."""
    frequency: Name
    """The column that counts purchases."""
    monetary: Name
    """The column that adds purchases up."""


class Lifecycle(Model):
    """Customers by the state of their purchases: new, active, declining or lapsed."""

    source: Name = Field(alias="from")
    """The table of purchases."""
    active: Duration
    """A customer who bought within this time is active."""
    lapsed: Duration
    """A customer who did not buy for this time has lapsed."""


class Segment(Model):
    """A way to divide customers by what is known before assignment."""

    column: Name | None = None
    """A column of the customers' table."""
    bands: tuple[Number, ...] | None = None
    """Ascending cut points that turn a number column into bands."""
    rfm: Bands | None = None
    """Quintiles of recency, frequency and monetary value."""
    lifecycle: Lifecycle | None = None
    """new / active / declining / lapsed from transaction history."""
    title: str | None = None
    """The name shown in reports."""

    @model_validator(mode="after")
    def _one_definition(self) -> Segment:
        chosen = [key for key in ("column", "rfm", "lifecycle") if getattr(self, key) is not None]
        if len(chosen) != 1:
            raise ValueError("a segment is defined by exactly one of column, rfm, lifecycle")
        if self.bands is not None:
            if self.column is None:
                raise ValueError("'bands' need 'column'")
            if not self.bands or list(self.bands) != sorted(set(self.bands)):
                raise ValueError("'bands' are ascending numbers")
        return self


class UniversalHoldout(Model):
    """Customers no experiment ever contacts."""

    share: Share
    """The share of all customers."""
    salt: Name
    """Separates the holdout from every experiment; a new period takes a new salt."""
    start: Date | None = None
    """First day of the holdout's period."""
    end: Date | None = None
    """Last day of the holdout's period."""


class Layer(Model):
    """Experiments that share customers out among themselves."""

    salt: Name | None = None
    """Separates this layer from the others; the layer's name by default."""
    experiments: dict[Name, tuple[Share, Share]] = {}
    """The range of customers each experiment owns, such as [0%, 50%]."""


class ContactPolicy(Model):
    """How often a customer may be contacted over all experiments."""

    max_contacts: Count | None = None
    """At most this many contacts …"""
    per: Duration | None = None
    """… within this time."""
    cool_down: Duration | None = None
    """No contact for this long after a contact or complaint."""
    contacts: Name | None = None
    """The table of earlier contacts."""
    complaints: Name | None = None
    """The table of complaints."""
    opt_out: Expression | None = None
    """Customers who meet this condition are never contacted."""

    @model_validator(mode="after")
    def _whole(self) -> ContactPolicy:
        if (self.max_contacts is None) != (self.per is None):
            raise ValueError("'max_contacts' and 'per' belong together")
        return self


class File(Model):
    """A file of `configs/`."""

    schema_version: Annotated[Literal[1], BeforeValidator(lambda v: int(v) if v == "1" else v)] = (
        Field(default=1, alias="schema")
    )
    """Version of this language: 1."""


class Program(File):
    """configs/program.yaml: what all experiments share."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """Currency of all money, as a three-letter code."""
    time_zone: Name = "UTC"
    """Time zone of days, as an IANA name."""
    engine: Annotated[Engine, shorthand("name")] | None = None
    """Where queries run."""
    universal_holdout: UniversalHoldout | None = None
    """Customers no experiment ever contacts."""
    layers: dict[Name, Layer] = {}
    """Exclusive experiments and the customers each owns."""
    contact_policy: ContactPolicy | None = None
    """How often a customer may be contacted over all experiments."""


class SourcesFile(File):
    """configs/sources.yaml: where tables lie."""

    sources: dict[Name, Source]
    """Tables by the name experiments and metrics call them."""


class MetricsFile(File):
    """configs/metrics.yaml: shared metrics."""

    metrics: dict[Name, Metric]
    """Metrics by the name experiments call them."""


class ChannelsFile(File):
    """configs/channels.yaml: channels, offers and their costs."""

    channels: dict[Name, Channel] = {}
    """Channels by the name arms call them."""
    offers: dict[Name, Offer] = {}
    """Offers by the name arms call them."""


class SegmentsFile(File):
    """configs/segments.yaml: shared segments."""

    segments: dict[Name, Segment]
    """Segments by the name experiments call them."""
