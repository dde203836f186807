"""Cost lines: the table of what a campaign pays, and of the way from revenue to profit.

A member of `CostStep` is one line, and its place is its line's in the order of the way. Everything
that knows of costs reads it: the keys of YAML, money's columns, the bridge, the terms in the JSON,
the page. A new cost line is one more member.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Self

from upliftlab.results import N_


class Per(StrEnum):
    """What a rate is paid for; of what is counted, the key under `money` with the metric for it."""

    contact = "contacts"
    """One for every customer of an arm where no metric counts them."""
    redemption = "redemptions"
    conversion = "conversions"
    revenue = "revenue"
    """The rate is a share, not an amount."""
    customer = "customer"
    """Everybody in the arm."""
    arm = "arm"
    """The whole arm, whatever its size; spread evenly over its customers."""
    metric = "costs"
    """The metrics listed there are amounts already, in every arm."""
    total = "total"
    """It is no cost of its own and stands for other lines."""

    @property
    def needs_count(self) -> bool:
        """Whether nothing can be told of it unless a metric counts it."""
        return self in (Per.redemption, Per.conversion)


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the way from revenue to profit.

    Attributes:
        title: What it is called on that way.
        per: What it is paid for.
        key: The key of its rate in YAML, and of the arms' rates in the JSON.
        under: Where that key is declared: by arms, channels and offers, or by arm under `money`
            (`config.models.MoneyTerms` names those).
        term: What the rate is called among the terms.
        meaning: What the reference of YAML says of the key.
        hint: What stands below the title.
        factor: What a rate is multiplied with: 0.001 of a price per thousand, −1 of what others
            pay.
    """

    title: str
    per: Per = Per.total
    key: str = ""
    under: Literal["arm", "money"] = "arm"
    term: str = ""
    meaning: str = ""
    hint: str = ""
    factor: float = 1.0


class CostStep(StrEnum):
    """What a line of the way from revenue to profit holds, in its order."""

    line: CostLine
    column: int
    """Its place among the columns that money adds behind the metrics."""

    def __new__(cls, value: str, line: CostLine) -> Self:
        """A line under the name that it has in the JSON."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.line = line
        member.column = len(cls.__members__)
        return member

    revenue = "revenue", CostLine(N_("Incremental revenue"))
    margin = "margin", CostLine(N_("Incremental margin"))
    contact_cost = (
        "contact_cost",
        CostLine(
            N_("less contacts"),
            Per.contact,
            key="cost_per_contact",
            term=N_("Cost per contact"),
            meaning="Paid for every contact.",
        ),
    )
    incentive = (
        "incentive",
        CostLine(
            N_("less redemptions"),
            Per.redemption,
            key="cost_per_redemption",
            term=N_("Cost per redemption"),
            meaning="Paid for every redemption, also to customers who would have bought anyway.",
            hint=N_("also of those who would have bought anyway"),
        ),
    )
    commission = (
        "commission",
        CostLine(
            N_("less commission"),
            Per.revenue,
            key="commission",
            term=N_("Commission, share of revenue"),
            meaning="A share of revenue paid to the channel.",
        ),
    )
    service = (
        "service",
        CostLine(
            N_("less service"),
            Per.customer,
            key="service_cost",
            term=N_("Service cost per customer"),
            meaning="Paid once for every customer in the arm.",
        ),
    )
    further_cost = "further_cost", CostLine(N_("less further cost"), Per.metric)
    fixed_cost = (
        "fixed_cost",
        CostLine(
            N_("less fixed cost"),
            Per.arm,
            key="fixed_cost",
            under="money",
            term=N_("Fixed cost"),
            meaning="Cost of an arm that does not depend on the number of customers.",
        ),
    )
    cost = "cost", CostLine(N_("Added cost in all"), hint=N_("what ROI divides profit by"))
    profit = "profit", CostLine(N_("Incremental profit"))


COSTS: Final = tuple(step for step in CostStep if step.line.per is not Per.total)
"""Every cost; they add up to `cost`."""
RATED: Final = tuple(step for step in COSTS if step.line.key)
"""Every cost that an arm has a rate of."""
ON_ARMS: Final = tuple(step for step in RATED if step.line.under == "arm")
"""Those whose rate arms, channels and offers declare."""
