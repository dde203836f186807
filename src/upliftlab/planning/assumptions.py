"""Assumptions: what the user takes for granted, as far as no data tell."""

from __future__ import annotations

from dataclasses import dataclass, field

from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.limits import Tolerance
from upliftlab.errors import ConfigError, Diagnostic


@dataclass(frozen=True, slots=True)
class Given:
    """A baseline in figures: what customers do without the campaign.

    Attributes:
        mean: Of the lead metric, per customer.
        sd: Its standard deviation between customers; None for a share, whose mean tells it.
        household_size: Customers of an average household, where households are randomised.
        icc: How alike customers of a household are, 0 to 1.
    """

    mean: float
    sd: float | None = None
    household_size: float | None = None
    icc: float | None = None


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is taken for granted.

    Attributes:
        effect: The expected effect on the lead metric, in its good direction.
        power: The power that is wanted.
        given: A baseline in figures; None where it is measured.
        explained: The share of the variance that covariates explain; None where it is measured.
        customers: Customers in all arms together; None where they are counted.
        per_week: Customers who arrive in a week; None where all are there.
        redemption_rate: Share of treated customers who redeem; None where nothing tells.
        roi_within: Half of the interval of ROI that is wanted.
    """

    effect: Tolerance = field(default_factory=lambda: Tolerance(value=0.05, kind="relative"))
    power: float = 0.8
    given: Given | None = None
    explained: float | None = None
    customers: int | None = None
    per_week: int | None = None
    redemption_rate: float | None = None
    roi_within: float = 0.2


def refuse_contradictions(plan: Plan, assumed: Assumptions) -> None:
    """Refuse figures that are missing beside others, or have no part in this plan.

    Raises:
        ConfigError: UL322, naming the option.
    """
    given, households = assumed.given, plan.households
    if assumed.explained is not None and not plan.experiment.analysis.covariates:
        message = "--explained has no part where the plan names no covariates"
        remedy = "remove it, or declare 'analysis: {covariates: […]}'"
        raise ConfigError(Diagnostic("UL322", message, remedy))
    if given is None:
        return
    sized = given.household_size is not None and given.icc is not None
    if households and not sized:
        message = f"'{households}' is randomised, so customers are not independent of each other"
        remedy = "give --household-size and --icc, or measure the baseline"
        raise ConfigError(Diagnostic("UL322", message, remedy))
    if not households and (given.household_size is not None or given.icc is not None):
        message = "--household-size and --icc have no part where customers are randomised"
        remedy = "remove them, or declare 'assignment: {unit: …}'"
        raise ConfigError(Diagnostic("UL322", message, remedy))
