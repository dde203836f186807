"""What was asked: the experiment language as frozen models.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference; `config/schema.py` reads it from the source only when asked,
because having pydantic collect it costs every start 50 ms. Merging with defaults is done by
`config/load.py`, which turns an `Experiment` and the files of `configs/` into a `Plan`:
everything a number depends on.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from upliftlab.values import (
    AtMost,
    Cost,
    Count,
    Date,
    Duration,
    Expression,
    Flag,
    Name,
    Number,
    ProperRate,
    Rate,
    Share,
)

PROFIT = "profit"
"""The metric that money makes; the one name that is neither defined nor a column."""


class Model(BaseModel):
    """A frozen mapping that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _shorthand(key: str) -> BeforeValidator:
    """Let a bare scalar stand for the mapping `{key: scalar}`."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


def _singleton(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "," in value:
        raise ValueError(f"several names are written as a list: [{value}]")
    return [value]


Names = Annotated[tuple[Name, ...], BeforeValidator(_singleton)]
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


class Assignment(Model):
    """Who decides the arm: an existing column, or upliftlab."""

    observed: Name | None = None
    """The arm was assigned elsewhere and is read from this column."""
    unit: Name | None = None
    """The column whose values are randomised: the customer's id (default) or the household."""
    method: Literal["hash", "blocked"] = "hash"
    """hash: stateless, new customers may join; blocked: exact shares within strata."""
    strata: Names = ()
    """Columns within whose combinations `blocked` keeps the shares exact."""
    salt: Name | None = None
    """Keeps this experiment's randomisation apart; the experiment's name by default."""
    layer: Name | None = None
    """A layer of configs/program.yaml whose experiments exclude one another."""

    @model_validator(mode="after")
    def _one_way(self) -> Assignment:
        chosen = self.model_dump(exclude={"observed"}, exclude_defaults=True)
        if self.observed is not None and chosen:
            raise ValueError(f"'observed' excludes {', '.join(chosen)}")
        if self.strata and self.method != "blocked":
            raise ValueError("'strata' need 'method: blocked'")
        return self


class Wave(Model):
    """A part of the customers that starts on its own day."""

    start: Date
    """The day on which this wave's customers are contacted."""
    share: Share
    """The share of customers in this wave."""


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


class Arm(Costs):
    """One group of an experiment and how it is treated."""

    share: Share | None = None
    """The share of customers in this arm; equal shares where no arm declares one."""
    control: Flag = False
    """The group the others are compared with."""
    business_as_usual: Flag = False
    """Customers treated as before the experiment."""
    channel: Name | None = None
    """The channel through which this arm is contacted."""
    offer: Name | None = None
    """The offer this arm receives."""
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


class Guardrail(Model):
    """A metric that must not get worse by more than a tolerance."""

    max_increase: AtMost | None = None
    """The largest rise that is tolerated."""
    max_decrease: AtMost | None = None
    """The largest fall that is tolerated."""

    @model_validator(mode="after")
    def _one_direction(self) -> Guardrail:
        if (self.max_increase is None) == (self.max_decrease is None):
            raise ValueError("a guardrail needs either 'max_increase' or 'max_decrease'")
        return self


class Metrics(Model):
    """What is measured."""

    primary: Name
    """The one metric the experiment is judged by."""
    secondary: Names = ()
    """Metrics reported beside it."""
    guardrails: dict[Name, Guardrail] = {}
    """Metrics that must not get worse."""


class MoneyTerms(Model):
    """How outcomes become profit."""

    revenue: Name
    """The metric that is revenue."""
    margin: ProperRate = 1.0
    """Contribution margin as a share of revenue, before marketing cost."""
    fixed_cost: dict[Name, Cost] = {}
    """Cost of an arm that does not depend on the number of customers."""
    hurdle: Rate = 0.0
    """ROI below this is not worth it."""
    contacts: Name | None = None
    """The metric that counts contacts; one per customer of a contacted arm by default."""
    redemptions: Name | None = None
    """The metric that counts redemptions."""
    conversions: Name | None = None
    """The metric that counts conversions; `conversion` by default where it is measured."""


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


class Analysis(Model):
    """How the data are analysed."""

    confidence: ProperRate = 0.95
    """Confidence level of every interval."""
    covariates: Names = ()
    """Pre-period columns that sharpen the estimate."""
    looks: tuple[Duration, ...] = ()
    """Declared times at which the data are looked at."""
    winsorize: dict[Name, ProperRate] = {}
    """Per metric: the percentile (99.9%) above which values are capped."""

    @model_validator(mode="after")
    def _open_interval(self) -> Analysis:
        if not 0.5 <= self.confidence < 1:  # noqa: PLR2004 - named in the message
            raise ValueError("'confidence' lies between 50% and below 100%")
        return self


class Uplift(Model):
    """Whom to target next."""

    features: Names
    """Columns a model may use."""
    learners: tuple[
        Literal["solo_model", "two_models", "class_transformation", "doubly_robust"], ...
    ] = ("two_models", "doubly_robust")
    """Models to compare."""
    budget: Cost | None = None
    """What the next campaign may cost."""


class Decision(Model):
    """When the treatment is adopted."""

    metric: Name | None = None
    """`profit` or a metric; profit where money is declared, else the primary metric."""
    ship_if: Expression = "lower > 0"
    """A condition on the interval's `lower` end or the `estimate`: lower > 0."""


class Experiment(Model):
    """One experiment file."""

    schema_version: Annotated[Literal[1], BeforeValidator(lambda v: int(v) if v == "1" else v)] = (
        Field(alias="schema")
    )
    """Version of this language: 1."""
    extends: Name | None = None
    """Another experiment file whose values hold where this one has none."""
    experiment: Name
    """The experiment's name, unique in its workspace."""
    title: str | None = None
    """The question, as the report's heading."""
    owner: str | None = None
    """Who answers for the experiment."""
    objective: Literal["acquisition", "loyalty", "share_of_wallet", "roi"] | None = None
    """What the campaign is for."""
    hypothesis: str | None = None
    """What is expected to happen."""
    customers: Annotated[
        Annotated[Source, Tag("place")] | Annotated[Name, Tag("name")],
        Discriminator(lambda value: "name" if isinstance(value, str) else "place"),
    ]
    """The customers' table: a source of configs/sources.yaml, or its place."""
    engine: Annotated[Engine, _shorthand("name")] | None = None
    """Where queries run."""
    eligible: Expression | None = None
    """Who takes part: a condition over columns known before assignment."""
    assignment: Assignment = Assignment()
    """How customers get their arm."""
    waves: tuple[Wave, ...] = ()
    """Starting days, if customers start at different times."""
    arms: dict[Name, Arm] = Field(min_length=2)
    """The groups that are compared."""
    outcome_window: Duration | None = None
    """How long after the start outcomes count."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """Currency of all money, as a three-letter code."""
    metrics: Metrics
    """What is measured."""
    money: MoneyTerms | None = None
    """How outcomes become profit."""
    segments: Names = ()
    """Columns or shared segments to report by."""
    analysis: Analysis = Analysis()
    """How the data are analysed."""
    uplift: Uplift | None = None
    """Whom to target next."""
    decision: Decision = Decision()
    """When the treatment is adopted."""


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


class _File(Model):
    schema_version: Annotated[Literal[1], BeforeValidator(lambda v: int(v) if v == "1" else v)] = (
        Field(default=1, alias="schema")
    )
    """Version of this language: 1."""


class Program(_File):
    """configs/program.yaml: what all experiments share."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """Currency of all money, as a three-letter code."""
    time_zone: Name = "UTC"
    """Time zone of days, as an IANA name."""
    engine: Annotated[Engine, _shorthand("name")] | None = None
    """Where queries run."""
    universal_holdout: UniversalHoldout | None = None
    """Customers no experiment ever contacts."""
    layers: dict[Name, Layer] = {}
    """Exclusive experiments and the customers each owns."""
    contact_policy: ContactPolicy | None = None
    """How often a customer may be contacted over all experiments."""


class SourcesFile(_File):
    """configs/sources.yaml: where tables lie."""

    sources: dict[Name, Source]
    """Tables by the name experiments and metrics call them."""


class MetricsFile(_File):
    """configs/metrics.yaml: shared metrics."""

    metrics: dict[Name, Metric]
    """Metrics by the name experiments call them."""


class ChannelsFile(_File):
    """configs/channels.yaml: channels, offers and their costs."""

    channels: dict[Name, Channel] = {}
    """Channels by the name arms call them."""
    offers: dict[Name, Offer] = {}
    """Offers by the name arms call them."""


class SegmentsFile(_File):
    """configs/segments.yaml: shared segments."""

    segments: dict[Name, Segment]
    """Segments by the name experiments call them."""


class Plan(Model):
    """An experiment with everything it refers to, resolved: what `lock` freezes."""

    experiment: Experiment
    customers: Source
    currency: str | None
    engine: Engine = Engine()
    arms: dict[str, Arm]
    """With the costs of their channel and offer filled in, in the order of the file."""
    channels: dict[str, Channel]
    """Every channel an arm uses."""
    metrics: dict[str, Metric]
    """Every metric the experiment uses, and the parts of its ratios."""
    segments: dict[str, Segment]
    """Every segment the experiment reports by, in the order of the file."""
    sources: dict[str, Source]
    """Every event table a metric, segment or policy reads."""
    program: Program = Program()

    @property
    def control(self) -> str:
        """The control arm's name."""
        return next(name for name, arm in self.arms.items() if arm.control)

    @property
    def treatments(self) -> tuple[str, ...]:
        """Every other arm, in the order of the file."""
        return tuple(name for name, arm in self.arms.items() if not arm.control)

    @property
    def measured(self) -> tuple[str, ...]:
        """Every metric a number depends on, the primary one first."""
        asked, money = self.experiment.metrics, self.experiment.money
        names = [asked.primary, *asked.secondary, *asked.guardrails]
        if money:
            names += [name for name in (money.revenue, money.contacts, money.redemptions) if name]
            names += [self.conversions] if self.conversions else []
        return tuple(dict.fromkeys(name for name in names if name != PROFIT))

    @property
    def conversions(self) -> str | None:
        """The metric that counts conversions, None where none is measured."""
        asked, money = self.experiment.metrics, self.experiment.money
        if money and money.conversions:
            return money.conversions
        named = (asked.primary, *asked.secondary, *asked.guardrails)
        return "conversion" if "conversion" in named else None

    def canonical(self) -> str:
        """The plan as JSON with sorted keys, without what no number depends on (the engine)."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"engine"})
        content["arms"] = list(content["arms"].items())
        for owner in (content["experiment"], content["program"]):
            owner.pop("engine", None)
        content["experiment"].pop("arms")
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()
