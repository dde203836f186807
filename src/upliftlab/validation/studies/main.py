"""The main grid: a treated arm and a control, asked for difference, profit and ROI."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from upliftlab.money import ArmTerms
from upliftlab.results.costs import CostStep
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import named
from upliftlab.validation.scenario import CUSTOMERS_ALONE, HOUSEHOLDS, Crowd, Scenario

UNITS = 50_000
MARGIN = 0.4
PAYS_FROM = 0.25
"""Cost as a share of the margin that customers bring anyway: a rise by as much pays for it."""
REDEEMS = 0.4
"""The share of treated buyers who redeem."""
SPLITS: Final = {"50/50": 0.5, "90/10": 0.9, "95/5": 0.95}
OUTCOMES: Final = {
    "binary": Outcome("binary", 0.02, 1.0),
    "normal": Outcome("normal", 1.0, 50.0, 20.0),
    "lognormal": Outcome("lognormal", 0.02, 60.0, 1.5),
}
CROWDS: Final = {"customers": CUSTOMERS_ALONE, "households": HOUSEHOLDS}
COSTS: Final = ("fixed", "redemption")
LIFTS: Final = {"none": 0.0, "+10%": 0.1, "+50%": 0.5}


def cells() -> Iterator[NamedScenario]:
    """Every split, outcome, unit, cost and effect."""
    for split, outcome, unit, cost, effect in product(SPLITS, OUTCOMES, CROWDS, COSTS, LIFTS):
        name = {
            "split": split,
            "outcome": outcome,
            "unit": unit,
            "cost": cost,
            "effect": effect,
        }
        treated = round(UNITS * SPLITS[split])
        scenario = Scenario(
            OUTCOMES[outcome],
            CROWDS[unit],
            (treated, UNITS - treated),
            LIFTS[effect],
            (_terms(OUTCOMES[outcome], CROWDS[unit], treated, cost), ArmTerms(MARGIN)),
            REDEEMS if cost == "redemption" else 0.0,
        )
        yield named(name, scenario)


def _terms(outcome: Outcome, crowd: Crowd, treated: int, cost: str) -> ArmTerms:
    """Half a contact and half an arm's fixed cost; or a fifth a contact, the rest redemptions."""
    each = PAYS_FROM * MARGIN * outcome.mean
    if cost == "fixed":
        fixed = each / 2 * treated * crowd.size
        return ArmTerms(MARGIN, {CostStep.contact_cost: each / 2, CostStep.fixed_cost: fixed})
    redeemed = each * 4 / 5 / (outcome.buys * REDEEMS)
    return ArmTerms(MARGIN, {CostStep.contact_cost: each / 5, CostStep.incentive: redeemed})
