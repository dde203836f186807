"""The outlook: what an experiment can be expected to tell, as plain frozen values.

The JSON they serialise to is documented in docs/planning.md and versioned by `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from upliftlab.results.analysis import MetricInfo
from upliftlab.results.base import Message, Published, Result, Scalar, Summary, matching, short

SCHEMA: Literal[1] = 1


class BaselineOrigin(StrEnum):
    """Where the baseline comes from."""

    before = "before"
    """The customers' own time before the start."""
    earlier = "earlier"
    """The control group of an earlier analysis."""
    given = "given"
    """Figures that the user gave."""


class BaselineInfo(Result):
    """What customers do without the campaign, of the metric that is planned for."""

    origin: BaselineOrigin
    described: Message
    customers: int | None
    """Customers it was measured on; None where it was given."""
    mean: float
    sd: float
    """Between units, after the design effect, before covariates."""
    explained: float
    """The share of the variance that covariates explain, R²."""
    unit_size: float
    """Customers of an average unit; more than 1 where households are randomised."""


class ArmOutlook(Result):
    """What can be told of one arm; None where it is not known, or where no number would do."""

    arm: str
    control: bool
    share: float
    customers: int | None
    """Customers in this arm, where it is known how many there are."""
    needed: int | None = None
    """Customers in this arm for the wanted power at the expected effect."""
    needed_campaign: int | None = None
    """The same in all arms together."""
    detectable: float | None = None
    """The smallest effect found with the wanted power, per customer."""
    detectable_lift: float | None = None
    """The same as a share of the mean."""
    power: float | None = None
    """Of finding the expected effect with the customers there are."""


class ArmMoney(Result):
    """What one arm costs, must earn and can be expected to earn."""

    arm: str
    break_even: float | None
    """The relative rise of revenue that pays for the arm."""
    break_even_hurdle: float | None
    """The relative rise at which ROI reaches the hurdle."""
    profit: float | None
    """Incremental profit at the expected effect."""
    profit_half: float | None
    """Half of its interval."""
    roi: float | None
    roi_half: float | None
    """Half of ROI's interval; None where that has no end."""
    holdout_price: float | None
    """Profit that the control forgoes by not being treated like this arm."""
    ships: float | None
    """Probability that the decision rule says SHIP at the expected effect."""
    ships_needed: int | None
    """Customers in the whole campaign for the wanted probability of SHIP."""
    ships_from: float | None
    """The relative rise of revenue from which SHIP has the wanted probability."""
    roi_needed: int | None
    """Customers in the whole campaign for ROI's interval to be as narrow as wanted."""


class Answer(Result):
    """One question, whether the campaign can answer it, and what it can answer instead."""

    name: Literal["effect", "pays", "roi"]
    arm: str | None = None
    """The arm that it is about; None for every treated arm."""
    question: Message
    state: Literal["yes", "no", "cannot", "open"]
    """Whether the answer is yes or no, cannot be had, or hangs on how many customers there are."""
    answerable: bool | None
    """Whether it is yes with the customers there are; None where their number is not known."""
    sentence: Message
    instead: Message | None = None
    ways: tuple[Message, ...] = ()
    """What would make it answerable that cannot be answered, with numbers: those that are enough
    first."""


class Length(Result):
    """How long the experiment takes, to the end of the last outcome window."""

    described: Message
    customers: int
    """Customers who must arrive, or who are there."""
    weeks: int | None
    """Weeks until so many have arrived; None where all are there already."""
    spread_days: int
    """Days from the first wave to the last."""
    window_days: float | None
    """Days until a customer's outcome is known; None where nothing says so."""
    total_days: int | None


class PowerPoint(Result):
    """A point of an arm's power curve."""

    effect: float
    """Per customer."""
    lift: float | None
    """As a share of the mean."""
    power: float
    ships: float | None
    """Probability of SHIP; None without money."""


class ArmPowerCurve(Result):
    """Power of one arm by the size of the effect."""

    arm: str
    described: Message
    decided: Message | None
    """From which effect on SHIP has the wanted chance; None where nothing is decided by profit."""
    customers: int
    """Customers in the whole campaign."""
    points: tuple[PowerPoint, ...]


class PlanAssumption(Result):
    """What was taken for granted."""

    effect: float
    """The expected effect per customer, with its sign."""
    lift: float | None
    """The same as a share of the mean."""
    power: float
    """The power that is wanted."""
    alpha: float
    """The level of each arm's test, several arms allowed for."""
    inflation: float
    """By how much declared looks add to the customers needed."""
    redemptions: dict[str, float]
    """Redemptions per treated customer, by arm."""
    roi_within: float | None
    """The half of ROI's interval that is wanted; None where it cannot be bounded."""
    per_week: int | None


class BudgetArm(Result):
    """An arm of the best design under a budget."""

    arm: str
    control: bool
    share: float
    customers: int
    cost: float
    """What it is expected to cost, its fixed cost included."""


class BudgetDesign(Result):
    """The division of the customers that tells most for a budget, beside the one declared."""

    described: Message
    """The shares to write, and what limits it."""
    budget: float
    cost: float
    """What it is expected to cost."""
    se: float | None
    """The standard error of profit per customer, of the arm where it is largest."""
    power: float
    """Of finding the expected effect, in the arm where that is least likely."""
    declared_cost: float
    """What the design as declared is expected to cost."""
    declared_se: float | None
    declared_power: float
    arms: tuple[BudgetArm, ...]


LimitUnit = Literal["percent", "points", "money", "number"]
"""How a limit, or the smallest that is found, is read."""


class DecisionOutlook(Result):
    """What one part of the verdict takes, in the arm where it takes most."""

    name: Literal["effect", "pays", "guardrail"]
    metric: str
    title: str
    """What the metric is called for people."""
    arm: str | None
    unit: LimitUnit
    limit: float | None
    """The change that a guardrail tolerates, with its sign; None of the other parts."""
    needed: int | None
    """Customers in all arms together for the wanted power; None where no number would do."""
    chance: float | None
    """With the customers there are: of finding the effect, of SHIP, or that the limit is shown to
    hold where the campaign does not move the metric."""
    smallest: float | None
    """The smallest effect, rise of revenue or limit for which that chance is the wanted power."""
    planned: bool
    """Whether its baseline is known; `described` says why not."""
    binds: bool
    """Whether it takes most customers."""
    described: Message


class SimulatedArm(Result):
    """How often an arm's effect was found where the plan was played on the customers' past."""

    arm: str
    power: float | None
    """By the formula."""
    simulated: float
    """Share of trials with the expected effect in which it was found."""
    simulated_low: float
    """Where that share's own 95 % interval begins (Wilson): trials are limited."""
    simulated_high: float
    agrees: bool | None
    """Whether the formula's power is within three Monte Carlo standard errors; None without it."""
    false_positives: float
    """Share of trials without any effect in which one was found."""
    false_positives_low: float
    false_positives_high: float
    ships: float | None
    """Chance of SHIP by the formula; None where none is told."""
    simulated_ships: float | None
    """Share of trials with the expected effect in which the arm's verdict was SHIP."""
    simulated_ships_low: float | None
    simulated_ships_high: float | None
    false_ships: float | None
    """Share of trials without any effect in which it was SHIP."""
    sentence: Message


class PowerSimulation(Result):
    """The plan played many times on the customers whose past is the baseline."""

    described: Message
    trials: int
    """Experiments with the expected effect, and as many without any."""
    asked: int
    """Trials that were asked for: more than `trials` where time ran out."""
    seed: int
    customers: int
    """In all arms together, in each trial."""
    units: int
    """The units that arms were drawn from."""
    arms: tuple[SimulatedArm, ...]
    false_positives: float
    """Share of trials without any effect in which one was found in some arm."""
    false_positives_low: float
    false_positives_high: float
    top_share: float | None
    """What the hundredth of units with the largest values has of the metric's total; None where
    that is not above 0."""
    doubts: tuple[Message, ...]
    """Where simulation and formula disagree, and what the simulation leaves out."""


class PowerReport(Published):
    """Everything that planning found."""

    tables: ClassVar[tuple[str, ...]] = ("arms", "money", "points")
    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    experiment: str
    title: str
    titles: tuple[dict[str, str], ...] = ()
    """What things are called in several languages, by language; of those declared so."""
    arm_titles: dict[str, str] = Field(default_factory=dict)
    """What arms are called for people, by their names; of those that have a title."""
    owner: str | None
    hypothesis: str | None
    plan_sha256: str
    version: str
    created: str
    """ISO 8601, UTC."""
    currency: str | None
    confidence: float
    hurdle: float
    unit: Literal["customer", "household"]
    metric: MetricInfo
    """The metric that is planned for: the primary one, or revenue where that is profit."""
    customers: int | None
    """Customers in all arms together, where it is known how many there are."""
    needed: int | None
    """Customers in all arms together for the wanted power in every arm."""
    baseline: BaselineInfo
    assumed: PlanAssumption
    answers: tuple[Answer, ...]
    arms: tuple[ArmOutlook, ...]
    money: tuple[ArmMoney, ...]
    """Empty where `money_absent` says why."""
    money_absent: Message | None
    length: Length | None
    budget: BudgetDesign | None = None
    """The best design under the budget that was named; None where none was."""
    decisions: tuple[DecisionOutlook, ...] = ()
    """What each part of the verdict takes; empty where there are no guardrails."""
    binding: Message | None = None
    """Which of them takes most customers."""
    simulation: PowerSimulation | None = None
    """The plan played on the customers' past; None where that was not asked for."""
    curves: tuple[ArmPowerCurve, ...]
    notes: tuple[Message, ...]
    """What was assumed or left out, and what to beware of."""

    def find(self, **asked: Scalar) -> tuple[ArmOutlook, ...]:
        """The arms whose fields are what is asked for, such as `arm="email"`.

        Raises:
            DataError: UL621, arms have no such field.
        """
        return matching(self.arms, asked)

    def summary(self) -> Summary:
        """Customers needed in all, and what each arm can be told of."""
        needed = "no number of" if self.needed is None else f"{self.needed:,}"
        there = "unknown" if self.customers is None else f"{self.customers:,}"
        asked = self.assumed
        headline = (
            f"{needed} {self.unit}s needed to find an effect of {short(asked.effect)} on "
            f"{self.metric.name} with {asked.power:.0%} power; there are {there}"
        )
        context = f"{self.experiment}: mean {short(self.baseline.mean)} without the campaign"
        rows = tuple(
            (
                arm.arm,
                "control" if arm.control else "treated",
                short(arm.customers),
                short(arm.needed),
                short(arm.detectable),
                "—" if arm.power is None else f"{arm.power:.0%}",
            )
            for arm in self.arms
        )
        heads = ("arm", "", "customers", "needed", "detectable", "power")
        return Summary(headline, context, heads, rows)

    def _entries(self, table: str) -> Sequence[tuple[Mapping[str, str | None], Result]]:
        if table == "points":
            return [({"arm": curve.arm}, point) for curve in self.curves for point in curve.points]
        return super()._entries(table)
