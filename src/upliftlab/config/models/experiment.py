"""What was asked: the experiment language as frozen models.

One class per mapping of the YAML. A field's docstring is its description in the generated
JSON Schema and YAML reference; `config/schema.py` reads it from the source only when asked,
because having pydantic collect it costs every start 50 ms. Merging with defaults is done by
`config/load.py`, which turns an `ExperimentFile` and the files of `configs/` into a `Plan`:
everything a number depends on.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    SerializeAsAny,
    Tag,
    model_validator,
)

from upliftlab.config.models import (
    AnalysisSettings,
    Arm,
    AssignmentSettings,
    Called,
    Channel,
    Declaration,
    EngineSettings,
    Metric,
    Names,
    Planning,
    Program,
    Segment,
    SharePeriod,
    Source,
    Uplift,
    Wave,
)
from upliftlab.config.models.limits import AtMost
from upliftlab.config.models.margin import Margin
from upliftlab.config.models.metrics import AnyMetric
from upliftlab.config.models.quantiles import QuantileShare
from upliftlab.config.models.sources import AnyEngine
from upliftlab.config.models.title import TitleText
from upliftlab.config.models.values import (
    Cost,
    Currency,
    Duration,
    Expression,
    Money,
    Name,
    Rate,
)
from upliftlab.config.models.values_by import Columns
from upliftlab.results.costs import ON_ARMS, CostStep

PROFIT = "profit"
"""The metric that money makes; the one name that is neither defined nor a column."""


RAISED = " +1 se of "
"""Between a metric's name and the uncertain value that is raised by its standard error."""
ONE_EACH = "one per customer"
"""What is written in the place of a metric of contacts where every customer of an arm has one."""
FEWEST_SHOWN = 2
"""The least that `smallest_cell` may be: a cell of one is a customer."""


_ALWAYS = ("cost_per_contact", "cost_per_redemption", "commission", "service_cost")
"""Costs that a plan's hash holds even where none is declared, as in plans locked long ago."""


def capped_name(metric: str) -> str:
    """The name of a metric whose large values are cut."""
    return f"{metric}:capped"


class Guardrail(Declaration):
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


class Metrics(Declaration):
    """What is measured."""

    primary: Name
    """The one metric the experiment is judged by."""
    secondary: Names = ()
    """Metrics reported beside it."""
    guardrails: dict[Name, Guardrail] = {}
    """Metrics that must not get worse."""
    contacted: Name | None = None
    """The metric that is 1 for customers who were reached and 0 for others, for the effect on those
    who were; `contacts` of `money` by default."""
    define: dict[Name, SerializeAsAny[AnyMetric]] = {}
    """Metrics of this experiment alone, as they would stand in configs/metrics.yaml; none by
    default."""
    quantiles: dict[Name, tuple[QuantileShare, ...]] = {}
    """Quantiles of a metric that are compared beside its mean: {revenue: [median, p90, 0.99]}; none
    by default."""
    added_later: ClassVar[frozenset[str]] = frozenset({"contacted", "define", "quantiles"})


class MoneyTerms(Declaration):
    """How outcomes become profit."""

    revenue: Name
    """The metric that is revenue."""
    margin: Margin = 1.0
    """Contribution margin as a share of revenue, before marketing cost: 40%; the metric that is
    margin; or a share by the values of a column of the rows that revenue is the sum of:
    {by: category, equipment: 25%, subscription: 60%}."""
    fixed_cost: dict[Name, Cost] = {}
    """Cost of an arm that does not depend on the number of customers."""
    hurdle: Rate = 0.0
    """ROI below this is not worth it."""
    contacts: Name | None = None
    """The metric that counts contacts, or `one per customer`: of everybody in an arm that pays
    for contacts. By default `contacts` where configs/metrics.yaml declares it over events, else
    one per customer."""
    redemptions: Name | None = None
    """The metric that counts redemptions; `redemptions` where configs/metrics.yaml declares it
    over events."""
    conversions: Name | None = None
    """The metric that counts conversions; `conversion` by default where it is measured."""
    costs: Names = ()
    """Metrics of further cost per customer, such as service, taken off the margin in every arm."""

    @property
    def earned(self) -> str | None:
        """The metric that is margin; None where one share of revenue is."""
        if isinstance(self.margin, dict):
            return f"{self.revenue} (margin)"
        return self.margin if isinstance(self.margin, str) else None

    @property
    def amounts(self) -> tuple[str, ...]:
        """The metrics that are revenue and margin."""
        return (self.revenue,) if self.earned is None else (self.revenue, self.earned)

    @property
    def factor(self) -> float:
        """What margin is multiplied with: the share of revenue, or 1 of a metric."""
        return 1.0 if isinstance(self.margin, str | dict) else self.margin

    def rate(self, step: CostStep, arm: str) -> Money | None:
        """What is declared here of a cost of an arm; None where nothing is."""
        found: dict[str, Money] = getattr(self, step.line.key)
        return found.get(arm)


class Decision(Declaration):
    """When the treatment is adopted."""

    metric: Name | None = None
    """`profit` or a metric; profit where money is declared, else the primary metric."""
    ship_if: Expression = "lower > 0"
    """A condition on the interval's `lower` end or the `estimate`: lower > 0."""


class ExperimentFile(Declaration):
    """One experiment file."""

    schema_version: Annotated[Literal[1], BeforeValidator(lambda v: int(v) if v == "1" else v)] = (
        Field(alias="schema")
    )
    """Version of this language: 1."""
    extends: Name | None = None
    """Another experiment file whose values hold where this one has none."""
    names: Called = Field(alias="experiment")
    """The experiment's name, unique in its workspace; or a list of it and of what tables of events
    call it as well, letter by letter: [letter, "Letter September"]."""
    title: TitleText | None = None
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
    columns: Columns = {}
    """Columns of the customers' table that are computed from its others, such as
    `net: paid - coalesce(refunded, 0)`; none by default."""
    engine: AnyEngine | None = None
    """Where queries run."""
    eligible: Expression | None = None
    """Who takes part: a condition over columns known before assignment."""
    exclude: Expression | None = None
    """Who is left out of the comparison on purpose, counted and reported: a condition such as
    arm is null; by default nobody. Who is not known to meet it stays."""
    assignment: AssignmentSettings = AssignmentSettings()
    """How customers get their arm."""
    waves: tuple[Wave, ...] = ()
    """Starting days, if customers start at different times."""
    arms: dict[Name, Arm] = Field(min_length=2)
    """The groups that are compared."""
    shares: tuple[SharePeriod, ...] = ()
    """The arms' shares by date where they change during the test, in place of each arm's share:
    arms are compared within these times. By default each arm's share holds all the time."""
    outcome_window: Duration | None = None
    """How long after the start outcomes count."""
    currency: Currency | None = None
    """Currency of all money, as a three-letter code."""
    metrics: Metrics
    """What is measured."""
    money: MoneyTerms | None = None
    """How outcomes become profit."""
    segments: Names = ()
    """Columns or shared segments to report by."""
    compare: tuple[tuple[Name, Name], ...] = ()
    """Pairs of arms that are compared with each other besides, the first against the second:
    [[email, letter]]; none by default."""
    analysis: AnalysisSettings = AnalysisSettings()
    """How the data are analysed."""
    uplift: Uplift | None = None
    """Whom to target next."""
    decision: Decision = Decision()
    """When the treatment is adopted."""
    planning: Planning | None = None
    """What `upliftlab plan` takes for granted; nothing by default. No result depends on it, so it
    may change once the plan is locked."""
    added_later: ClassVar[frozenset[str]] = frozenset({"columns", "exclude", "shares", "compare"})

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.names[0]


class Plan(Declaration):
    """An experiment with everything it refers to, resolved: what `lock` freezes."""

    experiment: ExperimentFile
    customers: Source
    currency: str | None
    engine: EngineSettings = EngineSettings()
    arms: dict[str, Arm]
    """With the costs of their channel and offer filled in, in the order of the file."""
    channels: dict[str, Channel]
    """Every channel an arm uses."""
    metrics: dict[str, SerializeAsAny[Metric]]
    """Every metric the experiment uses, and those they are made of; over events, with their
    window."""
    covariates: dict[str, SerializeAsAny[Metric]] = {}
    """What was known before assignment, as metrics."""
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

    def shares_from(self, day: date | None) -> dict[str, Fraction] | None:
        """Each arm's share on a day; None where none is declared: equal ones.

        Args:
            day: The day, None for the last that are declared. Before the first day of `shares`
                there are none.
        """
        if periods := self.experiment.shares:
            begun = [each.arms for each in periods if day is None or each.start <= day]
            return dict(begun[-1]) if begun else {}
        declared = {name: arm.share for name, arm in self.arms.items()}
        if all(share is None for share in declared.values()):
            return None
        return {name: share or Fraction(0) for name, share in declared.items()}

    @property
    def measured(self) -> tuple[str, ...]:
        """Every metric a number depends on, the primary one first."""
        asked, money = self.experiment.metrics, self.experiment.money
        names = [asked.primary, *asked.secondary, *asked.guardrails]
        if money:
            optional = (money.contacts, money.redemptions, self.conversions)
            names += [*money.amounts, *(name for name in optional if name), *money.costs]
        names += [asked.contacted] if asked.contacted else []
        return tuple(dict.fromkeys(name for name in names if name != PROFIT))

    @property
    def contacted(self) -> str | None:
        """The metric that tells who was reached, None where none does."""
        asked, money = self.experiment.metrics, self.experiment.money
        return asked.contacted or (money.contacts if money else None)

    @property
    def decided_by(self) -> str:
        """What decides: `profit` where money is declared, else the primary metric, or as asked."""
        asked = self.experiment
        return asked.decision.metric or (PROFIT if asked.money else asked.metrics.primary)

    @property
    def learned(self) -> str:
        """What targeting is to raise: `profit`, or a metric."""
        asked = self.experiment.uplift
        return (asked.metric if asked else None) or self.decided_by

    @property
    def capped(self) -> tuple[str, ...]:
        """Metrics of which large values are cut, each reported beside the metric itself."""
        return tuple(capped_name(name) for name in self.experiment.analysis.winsorize)

    def judged(self, metric: str) -> str:
        """What a metric is judged by: where large values are cut, the values cut."""
        return capped_name(metric) if metric in self.experiment.analysis.winsorize else metric

    @property
    def measured_columns(self) -> tuple[str, ...]:
        """What is counted per customer for them: a ratio's two parts stand in its place."""
        parts = (self.metrics[name].ratio or (name,) for name in self.measured)
        return tuple(dict.fromkeys(part for pair in parts for part in pair))

    @property
    def raised(self) -> dict[str, dict[str, str]]:
        """By uncertain value of a table, what is counted once more with it one se higher.

        The columns of `measured_columns` that depend on it, each with its counterpart.
        """
        found: dict[str, dict[str, str]] = {}
        for name in self.metrics:
            base, mark, entry = name.rpartition(RAISED)
            if mark and base in self.measured_columns:
                found.setdefault(entry, {})[base] = name
        return found

    @property
    def counted_columns(self) -> tuple[str, ...]:
        """What is counted per customer: for metrics, with values raised, and as covariates."""
        raised = (name for each in self.raised.values() for name in each.values())
        return (*self.measured_columns, *raised, *self.covariates)

    @property
    def households(self) -> str | None:
        """The column of what is randomised instead of customers; None where they are."""
        unit = self.experiment.assignment.unit
        return None if unit in (None, self.customers.id) else unit

    @property
    def from_events(self) -> bool:
        """Whether anything is computed from tables of events."""
        named = (*self.metrics.values(), *self.covariates.values(), *self.segments.values())
        return any(each.source is not None for each in named)

    @property
    def smallest_cell(self) -> int:
        """How many units of an arm a level must have to be shown; whatever was written, never 1."""
        return max(self.program.smallest_cell, FEWEST_SHOWN)

    @property
    def windows(self) -> tuple[timedelta, ...]:
        """How long after the start outcomes count, by each metric and by the experiment."""
        ends = [metric.during[1] for metric in self.metrics.values() if metric.during]
        ends += [self.experiment.outcome_window] if self.experiment.outcome_window else []
        return tuple(dict.fromkeys(ends))

    @property
    def longest_window(self) -> timedelta | None:
        """How long after the start outcomes count at most; None where nothing says so."""
        return max(self.windows, default=None)

    def rate(self, step: CostStep, arm: str) -> Money | float | None:
        """What is declared of a cost of an arm, wherever it is; None where nothing is."""
        if step.line.under == "arm":
            return self.arms[arm].rate(step)
        return self.experiment.money.rate(step, arm) if self.experiment.money else None

    def pays(self, step: CostStep, arm: str) -> bool:
        """Whether an arm pays anything of a cost."""
        rate = self.rate(step, arm)
        return (rate.amount if isinstance(rate, Money) else rate or 0) > 0

    @property
    def conversions(self) -> str | None:
        """The metric that counts conversions, None where none is measured."""
        asked, money = self.experiment.metrics, self.experiment.money
        if money and money.conversions:
            return money.conversions
        named = (asked.primary, *asked.secondary, *asked.guardrails)
        return "conversion" if "conversion" in named else None

    def canonical(self) -> str:
        """The plan as JSON with sorted keys, without what no number depends on.

        That is the engine, and how far tables were filled on the day of the analysis.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude={"engine"})
        for source in (content["customers"], *content["sources"].values()):
            source.pop("complete_until", None)
        content["arms"] = list(content["arms"].items())
        for owner in (content["experiment"], content["program"]):
            owner.pop("engine", None)
        if self.program.smallest_cell == Program().smallest_cell:
            content["program"].pop("smallest_cell")  # plans that were locked without it stay so
        for payer in (*(arm for _, arm in content["arms"]), *content["channels"].values()):
            for key in [step.line.key for step in ON_ARMS if step.line.key not in _ALWAYS]:
                if payer[key] is None:
                    payer.pop(key)
        for key in ("arms", "planning"):
            content["experiment"].pop(key)
        if self.experiment.uplift is not None:
            content["experiment"]["uplift"] = self.experiment.uplift.canonical()
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical form."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()
