"""Responses: who responds to what and whether targeting pays, as plain frozen values.

The JSON they serialise to is documented in docs/uplift.md and versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from upliftlab.results.analysis import DataFile, Note, Provenance
from upliftlab.results.base import (
    Message,
    Published,
    Result,
    Scalar,
    Summary,
    interval,
    matching,
    short,
)

SCHEMA: Literal[1] = 1


class Estimate(Result):
    """A number with its interval; what cannot be computed is None, with its reason in `note`."""

    estimate: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    note: Note | None = None


class FeatureInfo(Result):
    """What a model was given of every customer."""

    name: str
    kind: Literal["numeric", "categorical"]
    missing: int
    """Customers without a value."""
    levels: tuple[str, ...] = ()
    """The levels of a category that the model knows, the most frequent first."""


class HeterogeneityGate(Result):
    """Whether customers respond differently to one arm, in the order the score puts them in.

    It is open where both the score's slope (best linear predictor) and AUTOC are above 0, each
    tested at the level that is left after asking of several arms (Holm).
    """

    arm: str
    learner: str
    average: Estimate
    """The arm's average effect, per customer."""
    slope: Estimate
    """The effect's rise where the score rises by 1; 1 is a score that is right on average."""
    autoc: Estimate
    """Yadlowsky et al.: what the first in order gain more than the average, over all shares."""
    qini: Estimate
    """The Qini coefficient of Yadlowsky et al., weighting shares by their size."""
    p: float | None
    """The larger p-value of the two tests."""
    p_adjusted: float | None
    open: bool


class LearnerInfo(Result):
    """How one learner orders customers it was not shown, for one arm."""

    learner: str
    """A name of the language, such as `two_models`."""
    base: Literal["boosting", "linear"]
    arm: str
    judged: bool
    """Whether the gate and the policies rest on it: the first one of the plan."""
    autoc: Estimate
    qini_auc: float | None
    """scikit-uplift's Qini coefficient, mean of the folds; None unless the outcome is 0 or 1."""
    qini_auc_sd: float | None
    """Standard deviation between the folds."""
    uplift_at_30: float | None
    """The effect among the 30 % that are first in order, mean of the folds."""


class Tenth(Result):
    """The effect in a tenth of the customers, by predicted response."""

    arm: str
    decile: int
    """1 holds those who are predicted to respond most."""
    n: int
    predicted: float
    effect: Estimate
    """Its interval holds for all deciles of the arm at once."""


class CurvePoint(Result):
    """A point of a curve; ends are None where no band was drawn."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


class UpliftCurve(Result):
    """A curve as points; the band holds at each point, not for all at once.

    `qini`: x is the share of customers contacted, y incremental outcome per customer of all.
    `profit`: the same with incremental profit. `cost`: x is what is spent and y what is gained
    before that cost, per customer of all, over all arms as the model chooses among them.
    """

    kind: Literal["qini", "profit", "cost"]
    arm: str | None
    """None over all arms."""
    points: tuple[CurvePoint, ...]
    reference: tuple[CurvePoint, ...] = ()
    """What contacting customers at random gives, or for costs: the best single arm."""


class PolicyValue(Result):
    """A rule that says who gets which arm, and what it is worth."""

    name: Literal["treat_none", "treat_all", "today", "budget", "return", "tree"]
    arm: str | None = None
    """The arm of `treat_all`."""
    title: Message
    shares: dict[str, float]
    """The share of customers in each arm, the control's included."""
    value: Estimate
    """More than treating nobody, per customer of all: profit with money, else the metric."""
    cost: Estimate | None
    """Marketing cost beyond that of treating nobody, per customer; None without money."""
    beside_best: Estimate | None = None
    """More than the best of treating nobody or everybody with one arm, paired; for `budget` of
    those arms that it pays for."""
    beside_today: Estimate | None = None
    """More than today's rule, paired; None where the plan declares none."""
    beside_random: Estimate | None = None
    """More than spending as much on customers drawn at random, paired; for `budget`."""
    realised: Estimate | None = None
    """What came, on customers whom the models were not shown, of each unit of gain that these
    models foretold of those chosen, fixed costs aside; for `budget` and `return`, None where they
    choose nobody."""


class TreeBranch(Result):
    """A node of the readable tree: a question, or at the end an arm."""

    question: Message | None = None
    yes: TreeBranch | None = None
    no: TreeBranch | None = None
    arm: str | None = None
    n: int
    value: float | None = None
    """Estimated gain per customer beyond treating nobody, on the customers it was grown on."""


class Responder(Result):
    """How those predicted to respond most differ from all others; a description, not a cause."""

    arm: str
    feature: str
    level: str | None
    """The level of a category; None for a number."""
    among_first: float
    """Mean (or share) among the fifth that is predicted to respond most."""
    among_others: float
    difference: float
    """In standard deviations of all."""


class Sleeping(Result):
    """Customers predicted to respond less than not at all, and what they really did."""

    arm: str
    n: int
    share: float
    effect: Estimate


class UpliftResult(Published):
    """Everything `upliftlab uplift` found."""

    tables: ClassVar[tuple[str, ...]] = (
        "policies",
        "curves",
        "gates",
        "learners",
        "deciles",
        "responders",
    )
    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    experiment: str
    title: str
    titles: tuple[dict[str, str], ...] = ()
    """What things are called in several languages, by language; of those declared so."""
    arm_titles: dict[str, str] = Field(default_factory=dict)
    """What arms are called for people, by their names; of those that have a title."""
    plan_sha256: str
    metric: str
    """`profit`, or the metric that is learned from."""
    unit: Literal["money", "share", "number"]
    currency: str | None
    confidence: float
    randomised: Literal["customer", "household"]
    customers: int
    """Customers that models learn from and are judged on."""
    sampled_from: int
    """Customers of the experiment; more than `customers` where a sample was drawn."""
    units: int
    """Randomised units among them."""
    control: str
    arms: tuple[str, ...]
    """The treatments."""
    folds: int
    repeats: int
    seed: int
    budget: float | None
    """For as many customers as are analysed; None where none is declared."""
    hurdle: float
    features: tuple[FeatureInfo, ...]
    open: bool
    """Whether targeting pays for any arm."""
    sentence: str
    """In English; `sentence_parts` says it in any language."""
    sentence_parts: Message
    gates: tuple[HeterogeneityGate, ...]
    learners: tuple[LearnerInfo, ...]
    policies: tuple[PolicyValue, ...]
    """With a shut gate only those that need no model."""
    deciles: tuple[Tenth, ...] = ()
    curves: tuple[UpliftCurve, ...] = ()
    tree: TreeBranch | None = None
    responders: tuple[Responder, ...] = ()
    sleeping: tuple[Sleeping, ...] = ()
    notes: tuple[Message, ...] = ()
    """What the reader should know of how this was computed."""
    data: tuple[DataFile, ...]
    provenance: Provenance

    def find(self, **asked: Scalar) -> tuple[PolicyValue, ...]:
        """The policies whose fields are what is asked for, such as `name="budget"`.

        Raises:
            DataError: UL621, policies have no such field.
        """
        return matching(self.policies, asked)

    def summary(self) -> Summary:
        """Whether targeting pays, and what each policy is worth per customer."""
        context = (
            f"{self.experiment}: {self.customers:,} customers, learned from {self.metric}, "
            f"intervals at {self.confidence:.0%}"
        )
        rows = tuple(
            (
                each.name,
                each.arm or "",
                short(each.value.estimate),
                interval(each.value.low, each.value.high),
            )
            for each in self.policies
        )
        heads = ("policy", "arm", "gain per customer", "interval")
        return Summary(self.sentence, context, heads, rows)

    def _entries(self, table: str) -> Sequence[tuple[Mapping[str, str | None], Result]]:
        if table == "curves":
            return [
                ({"kind": curve.kind, "arm": curve.arm}, point)
                for curve in self.curves
                for point in curve.points
            ]
        return super()._entries(table)
