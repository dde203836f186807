"""The account: what a list holds and is expected to bring, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import DataFile, Message, Provenance
from upliftlab.results.targets import TargetArm, Targets
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.basis import FittedModel
from upliftlab.targeting.doubt import nobody, outcome
from upliftlab.targeting.order import TargetRequest, holdout_of
from upliftlab.targeting.scoring import Seen
from upliftlab.targeting.selection import Selection
from upliftlab.targeting.told import english
from upliftlab.targeting.use import ArmSelection, Budget


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What was chosen, from whom, and with what money."""

    seen: Seen
    use: ArmSelection
    selection: Selection
    purse: Budget


@dataclass(frozen=True, slots=True, eq=False)
class ListSummary:
    """What is told of every list, and of none."""

    plan: Plan
    order: TargetRequest
    basis: FittedModel
    provenance: Provenance

    def without_list(self, why: Message) -> Targets:
        """Why there is no list."""
        return self._targets(why, abstained=True)

    def of(self, chosen: Choice, read: DataFile, *, forced: bool) -> Targets:
        """A list that is about to be written; `read` is the table it was chosen from."""
        arms = tuple(self._arms(chosen))
        contacted, held = sum(a.customers for a in arms), sum(a.held_out for a in arms)
        cost, profit = sum(a.expected_cost for a in arms), _profit(arms, self.basis)
        message = nobody(chosen.purse)
        if contacted + held:
            message = outcome((contacted, held), cost, profit, forced=forced)
        found = {
            "seen": chosen.seen.customers,
            "excluded": dict(chosen.seen.excluded),
            "unseen": dict(chosen.seen.unseen),
            "arms": arms,
            "targeted": contacted,
            "held_out": held,
            "holdout": float(holdout_of(self.plan)),
            "not_chosen": chosen.seen.candidates - contacted - held,
            "expected_cost": cost,
            "expected_profit": profit.estimate,
            "expected_low": profit.low,
            "expected_high": profit.high,
            "last_return": chosen.use.spending.slope,
            "exhausted": chosen.use.spending.exhausted,
            "data": (*self.basis.data, read),
        }
        return self._targets(message, forced=forced).model_copy(update=found)

    def _targets(
        self, message: Message, *, abstained: bool = False, forced: bool = False
    ) -> Targets:
        plan, order = self.plan, self.order
        return Targets(
            experiment=plan.experiment.experiment,
            title=plan.experiment.title or plan.experiment.experiment,
            plan_sha256=plan.sha256,
            customers=order.customers,
            day=order.day.isoformat(),
            currency=plan.currency,
            sentence=english(message, plan.currency),
            sentence_parts=message,
            abstained=abstained,
            forced=forced,
            budget=order.budget,
            at_least=order.purse(estimation_spec(plan)).at_least,
            model=self.basis.told,
            data=self.basis.data,
            provenance=self.provenance,
        )

    def _arms(self, chosen: Choice) -> Iterator[TargetArm]:
        """What each treatment's customers are expected to do, those held out apart."""
        picked = chosen.selection
        cost = picked.cost.astype(np.float64)
        profit = picked.value.astype(np.float64) - cost
        for number, name in enumerate(self.plan.treatments, 1):
            mine = picked.arm == number
            treated = mine & ~picked.held
            fixed = chosen.purse.fixed[number - 1] if treated.any() else 0.0
            arm = self.plan.arms[name]
            yield TargetArm(
                arm=name,
                offer=arm.offer,
                channel=arm.channel,
                gate_open=self.basis.opened[number - 1],
                customers=int(treated.sum()),
                held_out=int((mine & picked.held).sum()),
                expected_profit=float(profit[treated].sum()) - fixed,
                expected_cost=float(cost[treated].sum()) + fixed,
                fixed_cost=fixed,
            )


def _profit(arms: Sequence[TargetArm], basis: FittedModel) -> Estimate:
    """What all arms are expected to earn, as surely as it is known what comes of predictions.

    The interval is that of `basis.realised` for the profit of those contacted; fixed costs, which
    are certain, are taken off. There is none where what is foretold is taken as it is.
    """
    fixed = sum(each.fixed_cost for each in arms)
    total = sum(each.expected_profit for each in arms)
    known, each = basis.realised, (total + fixed) / basis.believed
    if known is None or known.estimate != basis.believed or known.low is None or known.high is None:
        return Estimate(estimate=total)
    return Estimate(estimate=total, low=known.low * each - fixed, high=known.high * each - fixed)
