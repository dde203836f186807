"""The scenario: an experiment whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.money import ArmTerms, Roles
from upliftlab.results.costs import Per
from upliftlab.validation.outcome import Outcome

TREATED, CONTROL = "treated", "control"
OUTCOME, REDEEMED, CUSTOMERS = "outcome", "redeemed", "customers"


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is randomised: customers, or households.

    Attributes:
        sizes: Shares of units by their number of customers; they sum to 1.
        alike: Correlation between customers of a unit, 0 to 1.
    """

    sizes: dict[int, float]
    alike: float = 0.0

    @property
    def size(self) -> float:
        """Customers of an average unit."""
        return sum(size * share for size, share in self.sizes.items())

    @property
    def households(self) -> bool:
        """Whether a unit may hold several customers."""
        return set(self.sizes) != {1}


CUSTOMERS_ALONE = Crowd({1: 1.0})
HOUSEHOLDS = Crowd({1: 0.25, 2: 0.35, 3: 0.15, 4: 0.15, 5: 0.10}, alike=0.2)
"""2.5 customers on average."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What an analysis should find: per customer, for all treated, per unit of cost."""

    difference: float
    profit: float | None = None
    roi: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """An experiment whose truth is known.

    Treatment multiplies the probability of buying by 1 + lift, or the amount where all buy.

    Attributes:
        outcome: What a customer does without the campaign.
        crowd: What is randomised.
        units: Treated units and those of the control.
        lift: The true relative effect.
        terms: Those of the treated and of the control; None where money is not asked.
        redeems: The share of treated buyers who redeem.
        confidence: Level of the intervals.
        hurdle: What ROI is tested against.
    """

    outcome: Outcome
    crowd: Crowd
    units: tuple[int, int]
    lift: float
    terms: tuple[ArmTerms, ArmTerms] | None = None
    redeems: float = 0.0
    confidence: float = 0.95
    hurdle: float = 0.0

    @property
    def spec(self) -> EstimationSpec:
        """What is compared, as an analysis would have it from a plan."""
        size = 2 if self.crowd.households else None
        return EstimationSpec(
            metrics=(OUTCOME,),
            columns=(OUTCOME, REDEEMED, CUSTOMERS)[: 3 if size else 2],
            ratios={},
            control=CONTROL,
            treatments=(TREATED,),
            channels={},
            roles=Roles(revenue=0, redemptions=1, size=size) if self.terms else None,
            terms=dict(zip((TREATED, CONTROL), self.terms, strict=True)) if self.terms else {},
            hurdle=self.hurdle,
            confidence=self.confidence,
            size=size,
        )

    def truth(self, customers: tuple[float, float]) -> Truth:
        """What is true of so many treated customers, and of the control's."""
        rise = self.outcome.mean * self.lift
        if self.terms is None:
            return Truth(rise)
        mine, theirs = self.terms
        redeemed = min(1.0, self.outcome.buys * (1 + self.lift)) * self.redeems
        cost = _cost(mine.spread(customers[0]), self.outcome.mean + rise, redeemed)
        cost -= _cost(theirs.spread(customers[1]), self.outcome.mean, 0.0)
        gain = mine.margin * rise
        roi = gain / cost - 1 if cost > 0 else None
        return Truth(rise, customers[0] * (gain - cost), roi)


def _cost(terms: ArmTerms, revenue: float, redeemed: float) -> float:
    """What a customer costs on average, of so much revenue and so many redemptions."""
    each = (Per.contact, Per.customer, Per.arm)
    paid = sum(terms.paid(per) for per in each) + terms.paid(Per.redemption) * redeemed
    return paid + terms.paid(Per.revenue) * revenue
