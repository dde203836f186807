"""Assumptions: what the user takes for granted, as far as no data tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict, TypeVar

from upliftlab.config.models.experiment import Plan
from upliftlab.config.models.limits import Tolerance, parse_tolerance
from upliftlab.config.models.planning import BaselineFigures, Planning
from upliftlab.config.models.values import Money, budget_in, parse_fraction, parse_money
from upliftlab.errors import ConfigError, Diagnostic

Said = TypeVar("Said")


class PlanArguments(TypedDict, total=False):
    """What `plan` takes for granted; what is left out is as `planning` says, measured, or usual."""

    effect: str | float | Tolerance | None
    """The expected effect: `5%` of the mean, `0.4 points` of a share, or an amount."""
    power: str | float | None
    """The chance of finding it that is wanted."""
    baseline_mean: float | None
    """The metric's mean per customer without the campaign."""
    baseline_sd: float | None
    """Its standard deviation between customers."""
    rate: str | float | None
    """The mean of a share, in place of the two."""
    household_size: float | None
    """Customers of an average household, with a baseline in figures."""
    icc: str | float | None
    """How alike they are, 0 to 1."""
    explained: str | float | None
    """The share of the variance that covariates explain."""
    redemption_rate: str | float | None
    """The share of treated customers who redeem."""
    roi_within: float | None
    """Half of the interval of ROI that is wanted."""
    budget: str | float | Money | None
    """What the campaign may cost, such as `5000 EUR`: the best design for it is looked for."""
    customers: int | None
    """Customers in all arms together."""
    per_week: int | None
    """Customers who arrive in a week."""


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
        roi_within: Half of the interval of ROI that is wanted; None for as exact as ROI is with
            the customers that the expected effect takes.
        budget: What the campaign may cost, in the plan's currency; None where none is named.
    """

    effect: Tolerance = field(default_factory=lambda: Tolerance(value=0.05, kind="relative"))
    power: float = 0.8
    given: Given | None = None
    explained: float | None = None
    customers: int | None = None
    per_week: int | None = None
    redemption_rate: float | None = None
    roi_within: float | None = None
    budget: float | None = None


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


def assumptions_of(plan: Plan, asked: PlanArguments, *, earlier: bool = False) -> Assumptions:
    """Assumptions as a caller gives them, and where none are given as the experiment declares them.

    Args:
        plan: The experiment, with its `planning`.
        asked: What the caller says.
        earlier: Whether an earlier campaign's control is the baseline, which goes before declared
            figures.

    Raises:
        ConfigError: UL320 the effect cannot be read, UL323 the budget cannot be, UL622 a share is
            none or figures contradict, one another or the earlier campaign.
    """
    usual, said = Assumptions(), plan.experiment.planning or Planning()
    power = _share("power", _first(asked.get("power"), said.power, usual.power), proper=True)
    given = _given_in(asked)
    if earlier and given is not None:
        message = "an earlier campaign and a baseline in figures exclude each other"
        raise ConfigError(Diagnostic("UL622", message, "leave one of them out"))
    return Assumptions(
        effect=_effect(_first(asked.get("effect"), said.effect, usual.effect)),
        power=usual.power if power is None else power,
        given=_declared(said.baseline) if given is None and not earlier else given,
        explained=_share("explained", _first(asked.get("explained"), said.explained)),
        customers=_first(asked.get("customers"), said.customers),
        per_week=_first(asked.get("per_week"), said.per_week),
        redemption_rate=_share(
            "redemption_rate", _first(asked.get("redemption_rate"), said.redemption_rate)
        ),
        roi_within=asked.get("roi_within"),
        budget=_budget(asked.get("budget"), said.budget, plan.currency),
    )


def _first(*values: Said | None) -> Said | None:
    """The first that is said."""
    return next((value for value in values if value is not None), None)


def _budget(asked: object, declared: Money | None, currency: str | None) -> float | None:
    """A budget in the plan's currency; raises UL323."""
    try:
        money = declared if asked is None else parse_money(asked)
        return None if money is None else budget_in(money, currency)
    except ValueError as error:
        remedy = f"give such as '5000 {currency or 'EUR'}'"
        raise ConfigError(Diagnostic("UL323", str(error), remedy)) from None


def _effect(value: str | float | Tolerance | None) -> Tolerance:
    """An expected effect; raises UL320 where it is none."""
    if isinstance(value, Tolerance):
        return value
    try:
        return parse_tolerance(str(value))
    except ValueError as error:
        message = str(error).replace("a tolerance", "an effect")
        raise ConfigError(Diagnostic("UL320", message)) from None


def _declared(baseline: BaselineFigures | None) -> Given | None:
    """The baseline in figures that the experiment declares."""
    if baseline is None:
        return None
    mean = baseline.rate if baseline.mean is None else baseline.mean
    return None if mean is None else Given(mean, baseline.sd, baseline.household_size, baseline.icc)


def _given_in(asked: PlanArguments) -> Given | None:
    """The baseline in figures, None where there is none."""
    mean, sd = asked.get("baseline_mean"), asked.get("baseline_sd")
    size, icc = asked.get("household_size"), _share("icc", asked.get("icc"))
    rate = _share("rate", asked.get("rate"), proper=True)
    if rate is not None and (mean is not None or sd is not None):
        message = "'rate' is the mean of a share, and 'baseline_mean' and 'baseline_sd' another"
        raise ConfigError(Diagnostic("UL622", message, "leave one of them out"))
    mean = rate if mean is None else mean
    if mean is None:
        if sd is not None or size is not None or icc is not None:
            message = "a baseline in figures needs its mean"
            raise ConfigError(Diagnostic("UL622", message, "give 'baseline_mean' or 'rate'"))
        return None
    return Given(mean, sd, size, icc)


def _share(name: str, value: str | float | None, *, proper: bool = False) -> float | None:
    """A share between 0 and 1, without these where it is proper.

    Raises:
        ConfigError: UL622.
    """
    if value is None:
        return None
    try:
        share = float(parse_fraction(value))
    except ValueError as error:
        raise ConfigError(Diagnostic("UL622", f"'{name}': {error}", "")) from None
    if not 0 <= share <= 1 or (proper and share in (0, 1)):
        message = f"'{name}' is not between 0% and 100%"
        raise ConfigError(Diagnostic("UL622", message, "give such as 0.4 or '40%'"))
    return share
