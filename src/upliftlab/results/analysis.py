"""What was found: plain frozen values, the same in the page, the JSON and the Python API.

The JSON they serialise to is documented in docs/analysis_json.md and versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, create_model

from upliftlab.results.base import (
    Message,
    Note,
    Published,
    Result,
    Scalar,
    Summary,
    interval,
    matching,
    short,
)
from upliftlab.results.costs import RATED, CostStep
from upliftlab.results.estimands import EstimandKind
from upliftlab.results.promises import KeptPromise
from upliftlab.results.quantiles import ArmQuantile, QuantileDifference
from upliftlab.results.ship_rule import VerdictCode
from upliftlab.results.time_course import TimeCourse
from upliftlab.results.what_if import WhatIf

SCHEMA: Literal[1] = 1
Audience = Literal["internal", "public"]


class Finding(Result):
    """One number with its interval."""

    kind: EstimandKind
    metric: str
    arm: str | None
    """The treated arm; None where the arms of one contact channel are pooled."""
    control: str
    dimension: str | None
    """None overall, `contact_channel`, or a segment."""
    level: str | None
    n_treated: int
    n_control: int
    estimate: float | None
    se: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None = None
    family: str | None = None
    method: str
    confidence: float
    shrunken: float | None = None
    """What the effect is best taken for, given those of the dimension's other levels."""
    note: Note | None = None
    """Why a value is absent, or how to read it: one of `Note`."""
    headline: bool = True
    """Whether this is the number to go by: False beside the same one adjusted for covariates, and
    of the adjusted one where that could not be had. Page, verdict and families know no other."""


def headlined(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings, each told whether it is the number to go by.

    Where a metric's difference could be adjusted for covariates, in a place, the adjusted kinds
    are; elsewhere those of the groups as they are. So there is one of each in every place.
    """
    adjusted = {
        _place(found)
        for found in findings
        if found.kind is EstimandKind.adjusted_difference and found.estimate is not None
    }
    twins = {kind.plain for kind in EstimandKind if kind.plain is not kind}
    return tuple(
        found.model_copy(update={"headline": _leads(found.kind, twins, _place(found) in adjusted)})
        for found in findings
    )


def _place(found: Finding) -> tuple[str | None, ...]:
    return found.metric, found.arm, found.control, found.dimension, found.level


def _leads(kind: EstimandKind, twins: Container[EstimandKind], adjusted: bool) -> bool:
    if kind.plain is not kind:
        return adjusted
    return kind not in twins or not adjusted


def _told(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings of an older analysis, which did not say which number is to go by."""
    known = all("headline" in found.model_fields_set for found in findings)
    return findings if known else headlined(findings)


class Heterogeneity(Result):
    """Whether one effect is the same in every level of a dimension."""

    dimension: str | None
    """A segment or `contact_channel`; None where the arms are what is compared."""
    arm: str | None
    """The treated arm; None where channels or arms are compared."""
    kind: EstimandKind
    metric: str
    levels: int
    """How many levels were compared."""
    q: float | None = None
    df: int | None = None
    p: float | None = None
    p_adjusted: float | None = None
    tau: float | None = None
    """Standard deviation of the true effects between levels, per customer."""
    note: Note | None = None


class Reconciliation(Result):
    """How the incremental profits of a segment's levels add up to the arm's."""

    dimension: str
    arm: str
    total: float | None = None
    levels: float | None = None
    composition: float | None = None
    """What the total holds more than the levels: shares of the levels differ between the arms."""
    note: Note | None = None


class BridgeLine(Result):
    """One amount of all treated customers beyond the control; costs are negative."""

    kind: CostStep
    metric: str | None = None
    """The metric that it counts; None where none is counted."""
    estimate: float
    se: float | None
    low: float | None
    high: float | None
    note: Note | None = None
    of_margin: float | None = None
    """Of the added margin, the part that a cost takes or that profit keeps; None of revenue and
    margin themselves, and where no margin was added."""


class Subsidy(Result):
    """Redemptions by customers who would have bought anyway: at least so many."""

    rate: float
    """What is paid for a redemption."""
    redemptions: float
    """Redemptions of the treated beyond what the control implies."""
    conversions: float
    """Conversions likewise: no more redemptions can have come of the campaign."""
    estimate: float | None
    """Redemptions less conversions: so many at least are by those who would have bought anyway."""
    se: float | None
    low: float | None
    high: float | None
    cost: float | None
    """What was paid for the estimate's redemptions, a whole number of them."""
    note: Note | None = None
    """Why a value is absent."""


class Bridge(Result):
    """The way from incremental revenue to incremental profit; margin and costs add up to it."""

    arm: str | None
    """The treated arm; None where the arms of one contact channel are pooled."""
    dimension: str | None
    """None overall, or `contact_channel`."""
    level: str | None
    decimals: int
    """To how many decimals the lines' estimates are rounded."""
    lines: tuple[BridgeLine, ...] = ()
    """Empty where there is no profit."""
    note: Note | None = None
    """Why there are no lines."""
    subsidy: Subsidy | None = None
    """None where no redemption is paid for, or nothing counts redemptions or conversions."""


class Belief(Result):
    """The Bayesian view of an arm's incremental profit, beside its interval."""

    arm: str
    prior_mean: float | None
    """What was believed of profit per treated customer before; None where nothing was."""
    prior_sd: float | None
    mean: float | None = None
    """Of the posterior, for all treated customers."""
    sd: float | None = None
    low: float | None = None
    """The middle part of it, as large as the confidence level."""
    high: float | None = None
    pays: float | None = None
    """Probability that profit is above 0, never nearer to certainty than one in a thousand."""
    clears_hurdle: float | None = None
    """Probability that ROI is above the hurdle, likewise."""
    loss_adopted: float | None = None
    """What is lost on average where the arm is adopted: the mean of a loss, gains counting 0."""
    loss_declined: float | None = None
    """What is forgone on average where it is not: the mean of a gain, losses counting 0."""
    note: Note | None = None
    """Why there is none."""


class Severity(StrEnum):
    """What a failed check means: critical makes every number invalid."""

    critical = "critical"
    warning = "warning"
    info = "info"


class Check(Result):
    """One question asked of the data before any number is shown."""

    name: str
    """Which check, with what it was asked about after colons: `balance:region`."""
    title: str | None = None
    """What people call it, in English; None in what was written before checks had titles."""
    severity: Severity
    passed: bool | None
    """None where it could not be asked; the message says why."""
    value: float | None = None
    p: float | None = None
    message: str
    """In English; `parts` says it in any language."""
    parts: Message


def exceeded(checks: Sequence[Check], arm: str) -> str | None:
    """A guardrail that an arm clearly exceeds: the metric's title; None where it exceeds none."""
    for check in checks:
        values = check.parts.values
        if check.name.startswith("guardrail:") and check.passed is False and values["arm"] == arm:
            return str(values["metric"])
    return None


class ArmVerdict(Result):
    """The answer for one arm; `value`, `low` and `high` are of the decision metric."""

    arm: str
    code: VerdictCode
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None
    note: Note | None = None
    confidence: float | None = None
    """Level of the interval: with m arms 1 − α/m, so that those of all arms hold at once."""
    shrunken: float | None = None
    """What `value` is best taken for, given the other arms."""


class Verdict(Result):
    """The answer, its reason and what to do next."""

    code: VerdictCode
    metric: str
    """`profit` (incremental profit less the hurdle's share of cost) or a metric's name."""
    arm: str | None
    """The arm the sentence is about."""
    sentence: str
    """In English, with what it takes for granted; `sentence_parts` and `remarks` say it in any
    language."""
    sentence_parts: Message
    next_action: str
    next_action_parts: Message
    arms: tuple[ArmVerdict, ...] = ()
    selection: str | None = None
    """How the choice among several arms is allowed for, in English; None of one arm."""
    selection_parts: Message | None = None
    findings: tuple[Finding, ...] = ()
    """Of several arms, the named one's numbers with intervals at its own confidence."""
    remarks: tuple[Message, ...] = ()
    """What the sentence takes for granted; it ends in them."""


class ArmCount(Result):
    """How many units an arm holds."""

    arm: str
    title: str | None = None
    """What it is called for people, where that was declared."""
    control: bool
    channel: str | None
    channel_title: str | None = None
    """What its contact channel is called for people, where that was declared."""
    n: int
    expected_share: float


class ArmMean(Result):
    """A metric's mean in an arm, per customer, or as a ratio of totals."""

    metric: str
    arm: str
    mean: float | None
    """None where there is nothing to divide by."""


class FlowStep(Result):
    """Customers at one step of the way from all there were to those who are analysed."""

    kind: Literal[
        "population", "apart",
        "observed", "assigned", "absent", "excluded", "ignored", "analysed",
        "contacts", "redemptions",
    ]  # fmt: skip
    """`observed` or `assigned` come first, `analysed` last; what lies between was left out."""
    reason: str | None = None
    """The condition by which they were excluded; of `apart`, why they take no part."""
    arms: dict[str, int]
    """Customers by arm: the plan's, then those that are ignored."""
    without_arm: int = 0
    """Customers of whom no arm is known."""

    @property
    def total(self) -> int:
        """All customers of the step."""
        return sum(self.arms.values()) + self.without_arm


class DesignFacts(Result):
    """The design as it came to be: when customers started, what counts, and how many they are."""

    waves: int
    """How many were declared; 0 where customers start without."""
    first_start: str | None
    """The day of the first customer's start; None where nothing tells starts."""
    last_start: str | None
    window_days: float | None
    """How long after a start outcomes count at most; None where nothing says so."""
    population: int
    """Customers in the table that was assigned, or else in the data."""
    left_out: int
    """Those of them who are not analysed."""
    analysed: int
    unreached: dict[str, int] = Field(default_factory=dict)
    """Customers of each arm that was to be contacted who were not; empty where nothing tells, and
    of households."""


class DataFile(Result):
    """What was read."""

    source: str
    file: str
    sha256: str
    rows: int


class CellMoments(Result):
    """Moments of one arm in one cell, over `Analysis.columns`.

    `m2` is the upper triangle, row by row, of the centred cross-products Σ(z−z̄)(z−z̄)';
    None where no total tells a product of two columns. `m3` holds Σ(z−z̄)³ per column, None where
    it is not known, or not to enough digits.
    """

    arm: str
    dimension: str | None
    level: str | None
    n: int
    mean: tuple[float, ...]
    m2: tuple[float | None, ...]
    m3: tuple[float | None, ...]


CUT: Final = " ≤ "
"""Stands between a metric's title and the value beyond which it is cut."""


class MetricInfo(Result):
    """How a metric is named and shown."""

    name: str
    title: str
    unit: Literal["number", "money", "share"]
    better: Literal["higher", "lower"]
    role: Literal["primary", "secondary", "guardrail", "money"]
    cap: float | None = None
    """Where larger values were cut; None where they were not."""
    table: Literal["known", "uncertain"] | None = None
    """Whether its numbers are those of a declared table of values: taken as they stand, or with
    standard errors, which intervals carry; None where they are of no table."""


class SegmentInfo(Result):
    """A reported dimension; its levels are comparable only where customers were drawn into them."""

    name: str
    title: str
    randomised: bool
    """True for the contact channel of an arm, False for what customers are."""
    joined: str | None = None
    """What levels are called that are shown together, each of too few customers (or needed so that
    the others tell nothing of them); None where none are. No other level is called so."""
    joined_levels: int = 0
    """How many levels these are."""


class LookInfo(Result):
    """Which of several looks at the data this is, and at which level its intervals are made."""

    number: int
    """1 is the first; 0 where it is too early for any."""
    planned: int
    """How many there are, with the end of the longest window."""
    fraction: float
    """Share of the planned information: of time after the customers' starts."""
    nominal: float
    """Two-sided level of each interval, so that all looks err at most 1 − confidence."""
    critical: float | None
    """Standard errors from which this look rejects; None where it cannot."""
    days: float | None
    """Only what happened so many days after each start counts; None to each window's end."""
    following: str | None
    """The day of the next look; None after the last."""
    message: str
    """In English; `parts` says it in any language."""
    parts: Message


class Provenance(Result):
    """What the numbers came from."""

    version: str
    python: str
    engine: str
    created: str
    """ISO 8601, UTC."""
    libraries: dict[str, str] = Field(default_factory=dict)


class _Shared(BaseModel):
    """What of money holds in every arm."""

    currency: str | None
    revenue: str
    margin: float
    hurdle: float


_RATES: Final[dict[str, Any]] = {
    step.line.key: (dict[str, float], Field(default_factory=dict[str, float])) for step in RATED
}
_Rated = create_model("_Rated", __base__=_Shared, **_RATES)
"""With the rates of every cost, by arm."""


class MoneyTermsInfo(_Rated, Result):
    """The money terms that were put in, for the methods section; per arm where arms differ."""

    costs: tuple[str, ...] = ()
    """Metrics of further cost per customer, in every arm."""
    margin_metric: str | None = None
    """The metric that is margin; None where `margin` is a share of revenue. `margin` is 1 then, and
    what if multiplies the metric with another."""
    margin_by: str | None = None
    """The column by whose values margins differ; None where the metric is declared as one."""
    margins: dict[str, float] = Field(default_factory=dict)
    """The share of revenue that is margin, by these values."""

    def rates(self, step: CostStep) -> dict[str, float]:
        """The rates of a cost, by arm; none of one that was not known when this was written."""
        found: dict[str, float] = getattr(self, step.line.key)
        return found


class DecisionRule(Result):
    """The rule that was agreed before the data were read."""

    metric: str
    """`profit` or a metric."""
    ship_if: str
    """What the interval must meet, such as `lower > 0`; money in total, metrics per customer."""
    hurdle: float
    """ROI that profit is asked for above; 0 where there is none."""


class Analysis(Published):
    """Everything one run found."""

    tables: ClassVar[tuple[str, ...]] = (
        "findings",
        "compared",
        "checks",
        "arms",
        "heterogeneity",
        "bridges",
        "beliefs",
        "time_course",
        "quantiles",
        "distribution",
    )
    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    experiment: str
    title: str
    titles: tuple[dict[str, str], ...] = ()
    """What things are called in several languages, by language; of those declared so."""
    owner: str | None = None
    hypothesis: str | None = None
    plan_sha256: str
    confidence: float
    look: LookInfo | None = None
    """None where the data are read once, after every window has closed."""
    currency: str | None
    decision: DecisionRule
    eligible: str | None
    """The condition that customers had to meet."""
    unit: Literal["customer", "household"] = "customer"
    """What was randomised, and is counted by every n."""
    smallest_cell: int | None = None
    """How many units of an arm a level must have to be shown by itself."""
    audience: Audience = "internal"
    """Who it was made for: what the public is not told is left out."""
    data: tuple[DataFile, ...]
    verdict: Verdict
    checks: tuple[Check, ...]
    arms: tuple[ArmCount, ...]
    flow: tuple[FlowStep, ...] = ()
    """From all customers to those who are analysed; empty in what older versions wrote."""
    enrollment: tuple[FlowStep, ...] = ()
    """The customers' table, and those of it who take no part: the rest was assigned."""
    delivery: tuple[FlowStep, ...] = ()
    """Contacts and redemptions of those analysed."""
    design: DesignFacts | None = None
    """When, for how long and of how many; None in what older versions wrote."""
    metrics: tuple[MetricInfo, ...]
    segments: tuple[SegmentInfo, ...]
    terms: MoneyTermsInfo | None
    means: tuple[ArmMean, ...] = ()
    """What customers of each arm did on average."""
    findings: Annotated[tuple[Finding, ...], AfterValidator(_told)]
    compared: Annotated[tuple[Finding, ...], AfterValidator(_told)] = ()
    """Arms against each other, where that was declared: `control` is the arm compared with."""
    quantiles: tuple[QuantileDifference, ...] = ()
    """Each arm against the control, of the quantiles that were declared; empty without."""
    distribution: tuple[ArmQuantile, ...] = ()
    """What shares of each arm stay below, of the metrics of which quantiles were declared."""
    heterogeneity: tuple[Heterogeneity, ...] = ()
    reconciliations: tuple[Reconciliation, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    beliefs: tuple[Belief, ...] = ()
    """The Bayesian view of each arm; empty without money, and in what older versions wrote."""
    time_course: TimeCourse | None = None
    """Effects over time; None where a critical check failed, and in what older versions wrote."""
    money_sums: WhatIf | None = Field(default=None, alias="what_if")
    """None without money, where a critical check failed, and in what older versions wrote."""
    promise: KeptPromise | None = None
    """What `target` promised for the list that this experiment was run on; None of any other."""
    columns: tuple[str, ...]
    moments: tuple[CellMoments, ...]
    provenance: Provenance

    def find(self, **asked: Scalar) -> tuple[Finding, ...]:
        """The findings whose fields are what is asked for; `dimension=None` is overall.

        Args:
            asked: Fields of a finding, such as `kind="roi"`, `arm="email"`, `dimension="region"`.

        Raises:
            DataError: UL621, findings have no such field.
        """
        return matching(self.findings, asked)

    def summary(self) -> Summary:
        """The verdict, and what it rests on: each arm's effect on the primary metric, and money."""
        unit = "households" if self.unit == "household" else "customers"
        counted = f"{sum(arm.n for arm in self.arms):,} {unit}"
        context = f"{self.experiment}: {counted}, intervals at {self.confidence:.0%}"
        main = {metric.name for metric in self.metrics if metric.role == "primary"}
        rows = tuple(
            (
                finding.arm or "",
                finding.metric if finding.kind in _DIFFERENCES else _MONEY[finding.kind],
                short(finding.estimate),
                interval(finding.low, finding.high),
            )
            for finding in self.findings
            if finding.dimension is None
            and finding.headline
            and (finding.metric in main or finding.kind in _MONEY)
            and finding.kind in (*_DIFFERENCES, *_MONEY)
        )
        headline = f"{self.verdict.code}: {self.verdict.sentence}"
        return Summary(headline, context, ("arm", "effect on", "estimate", "interval"), rows)

    def _entries(self, table: str) -> Sequence[tuple[Mapping[str, str | None], Result]]:
        if table == "time_course":
            return [
                ({"kind": curve.kind.value, "metric": curve.metric, "arm": curve.arm}, point)
                for curve in (() if self.time_course is None else self.time_course.curves)
                for point in curve.points
            ]
        return super()._entries(table)


_DIFFERENCES: Final = (EstimandKind.difference, EstimandKind.adjusted_difference)
_MONEY: Final = {EstimandKind.incremental_profit: "profit", EstimandKind.roi: "ROI"}
