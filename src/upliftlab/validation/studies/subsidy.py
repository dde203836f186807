"""The subsidy: vouchers redeemed beyond the purchases they can have brought."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Final

import numpy as np

from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.subsidy import subsidy
from upliftlab.money import ArmTerms
from upliftlab.results.costs import CostStep
from upliftlab.stats.effects import Effect
from upliftlab.validation.cell import NamedScenario
from upliftlab.validation.measurement import Measurement, Replication
from upliftlab.validation.outcome import Outcome
from upliftlab.validation.replication import analysed
from upliftlab.validation.sample import sample
from upliftlab.validation.scenario import CONTROL, CUSTOMERS_ALONE, TREATED, Scenario

BUYS: Final = {"1%": 0.01, "5%": 0.05, "30%": 0.3}
SPLITS: Final = {"50/50": (10_000, 10_000), "90/10": (18_000, 2_000)}
LIFTS: Final = {"none": 0.0, "+20%": 0.2}
REDEEMS: Final = {"a quarter": 0.25, "nearly all": 0.9}
"""The share of treated buyers who redeem, whether they would have bought or not."""
MARGIN: Final = 0.4
VOUCHER: Final = 0.05
"""What a redemption costs, as a share of a purchase."""


class VoucherScenario(Scenario):
    """A campaign with vouchers whose buyers are all alike; amounts are 1: revenue is purchases."""

    @property
    def spec(self) -> EstimationSpec:
        """What is compared: purchases are conversions too."""
        spec = super().spec
        assert spec.roles is not None  # noqa: S101 - a voucher has a price
        return replace(spec, roles=replace(spec.roles, conversions=spec.roles.revenue))

    @property
    def bound(self) -> float:
        """Redemptions added less purchases added, of all treated."""
        before = self.outcome.buys
        after = before * (1 + self.lift)
        return self.units[0] * (after * self.redeems - (after - before))

    @property
    def anyway(self) -> float:
        """Redemptions by those who would have bought without the voucher, of all treated."""
        return self.units[0] * self.outcome.buys * self.redeems


def trial(rng: np.random.Generator, world: VoucherScenario) -> Replication:
    """Draw a campaign, and see what is told of customers who would have bought anyway."""
    drawn = {arm: sample(rng, world, treated=arm == TREATED) for arm in (TREATED, CONTROL)}
    (contrast,) = analysed(rng, world.spec, drawn)
    found = subsidy(contrast)
    assert found is not None  # noqa: S101 - a voucher has a price
    effect = Effect(found.estimate, found.se, low=found.low, high=found.high, note=found.note)
    return Replication((Measurement("subsidy", effect, world.bound),), contrast.calibrated)


def cells() -> Iterator[NamedScenario]:
    """Every share of buyers and redeemers, split and effect."""
    for buys, split, lift, redeems in product(BUYS, SPLITS, LIFTS, REDEEMS):
        name = {
            "study": "subsidy",
            "buys": buys,
            "split": split,
            "effect": lift,
            "redeems": redeems,
        }
        terms = (ArmTerms(MARGIN, {CostStep.incentive: VOUCHER}), ArmTerms(MARGIN))
        scenario = VoucherScenario(
            outcome=Outcome("binary", BUYS[buys], 1.0),
            crowd=CUSTOMERS_ALONE,
            units=SPLITS[split],
            lift=LIFTS[lift],
            terms=terms,
            redeems=REDEEMS[redeems],
        )
        yield NamedScenario(name, scenario, trial)
