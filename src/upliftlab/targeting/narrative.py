"""What was found, or why there is no list, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from upliftlab.analysis.estimation import estimation_spec
from upliftlab.config.models.experiment import Plan
from upliftlab.config.titles import arm_titles, titles
from upliftlab.results.analysis import DataFile, Message, Provenance, Scalar
from upliftlab.results.targets import TargetArm, Targets
from upliftlab.results.uplift import Estimate, HeterogeneityGate, TreeBranch
from upliftlab.targeting.budget import ArmSelection, Budget
from upliftlab.targeting.model import FittedModel
from upliftlab.targeting.request import TargetRequest, holdout_of
from upliftlab.targeting.rollout import RolloutBasis
from upliftlab.targeting.selection import Seen, Selection
from upliftlab.targeting.tree_list import TreeBasis
from upliftlab.text.language import N_, Language
from upliftlab.uplift.encoding import Encoding, Feature
from upliftlab.uplift.questions import FeatureQuestion, QuestionKind
from upliftlab.uplift.tree import TreeNode

_NO_ARM_PASSED = N_(
    "No evidence that targeting pays: nothing shows that customers respond differently to {arms}."
)
_NOT_HELPED = N_(
    "No evidence that choosing whom to contact helps: nothing shows that customers respond "
    "differently to {arms}."
)
_OPEN = N_("Customers respond differently to {arms}: those whom the model puts first respond more.")
_SOME = N_(
    "Customers respond differently to {arms}; there is no evidence of it for {others}, which is "
    "taken to do everybody its average good."
)
_AT_MOST = N_("{feature} at most {value:number}")
_UNTIL = N_("{feature} until {value:date}")
_IS = N_("{feature} is {level}")


def answer(gates: Sequence[HeterogeneityGate], *, money: bool) -> Message:
    """Whether targeting pays, and for which arms; without money, whether it helps."""
    paying = ", ".join(gate.arm for gate in gates if gate.open)
    others = ", ".join(gate.arm for gate in gates if not gate.open)
    if not paying:
        text = _NO_ARM_PASSED if money else _NOT_HELPED
        return Message(template=text, values={"arms": others})
    if not others:
        return Message(template=_OPEN, values={"arms": paying})
    return Message(template=_SOME, values={"arms": paying, "others": others})


def english(message: Message, currency: str | None) -> str:
    """A message in English."""
    return Language("en").say(message, currency)


def branch(node: TreeNode, encoding: Encoding, arms: Sequence[str]) -> TreeBranch:
    """A tree in words.

    Args:
        node: Its root.
        encoding: What the columns of the features mean.
        arms: Names of all arms, the control's first.
    """
    asked = node.question
    return TreeBranch(
        question=None if asked is None else _question(asked, encoding.features[asked.feature]),
        yes=None if node.yes is None else branch(node.yes, encoding, arms),
        no=None if node.no is None else branch(node.no, encoding, arms),
        arm=None if node.arm is None else arms[node.arm],
        n=node.n,
        value=node.value,
    )


def _question(asked: FeatureQuestion, feature: Feature) -> Message:
    values: dict[str, Scalar] = {"feature": feature.name}
    if asked.kind is QuestionKind.equals:
        level = feature.levels[int(asked.value)]
        return Message(template=_IS, values={**values, "level": level})
    if feature.form == "date":
        day = date(1970, 1, 1) + timedelta(days=int(asked.value))
        return Message(template=_UNTIL, values={**values, "value": day.isoformat()})
    return Message(template=_AT_MOST, values={**values, "value": asked.value})


_ARMS_NOT_PASSED = N_(
    "There is no evidence that targeting pays: nothing shows that customers respond differently to "
    "{arms}."
)
_UNKNOWN = N_("There is no evidence that targeting pays: what it gains is not known ({reason}).")
_LOW = N_(
    "There is no evidence that targeting pays: contacting whom the model chooses may gain nothing "
    "(per customer {estimate:money}, between {low:money} and {high:money})."
)
_CHOSEN = N_(
    "{targeted:count} customers are to be contacted for an expected cost of {cost:money} and an "
    "expected profit of {profit:money} (between {low:money} and {high:money}); {held:count} more "
    "are held out."
)
_FORCED = N_(
    "Forced, without evidence that it pays: {targeted:count} customers are to be contacted for an "
    "expected cost of {cost:money} and an expected profit of {profit:money} (between {low:money} "
    "and {high:money}); {held:count} more are held out."
)
_ALONE = N_(
    "Forced, without evidence that it pays: {targeted:count} customers are to be contacted for an "
    "expected cost of {cost:money} and an expected profit of {profit:money}, for which there is no "
    "interval; {held:count} more are held out."
)
_NOBODY = N_("Nobody is expected to be worth the cost of a contact.")
_NOBODY_WITHIN = N_(
    "Nobody is expected to be worth the cost of a contact. Fixed costs come first, the least of "
    "them {fixed:money} of a budget of {budget:money}."
)
_TREE_LOW = N_(
    "There is no evidence that targeting pays: contacting whom the readable tree chooses may gain "
    "nothing (per customer {estimate:money}, between {low:money} and {high:money})."
)
_ABSENT = "the budget's policy was not judged"


def doubt(
    opened: Mapping[str, bool], gain: Estimate | None, *, tree: bool = False
) -> Message | None:
    """Why it is not known that a list pays; None where it is.

    Args:
        opened: Each treatment, and whether its gate is open.
        gain: What the policy is worth beyond contacting nobody, per customer.
        tree: Whether the readable tree chooses, and no model.
    """
    if not any(opened.values()):
        return Message(template=_ARMS_NOT_PASSED, values={"arms": ", ".join(opened)})
    if gain is None or gain.low is None:
        known = gain.note if gain is not None and gain.note is not None else _ABSENT
        return Message(template=_UNKNOWN, values={"reason": str(known)})
    if gain.low <= 0:
        values: dict[str, Scalar] = {
            "estimate": gain.estimate,
            "low": gain.low,
            "high": gain.high,
        }
        return Message(template=_TREE_LOW if tree else _LOW, values=values)
    return None


def outcome(counts: tuple[int, int], cost: float, profit: Estimate, *, forced: bool) -> Message:
    """What a list holds: customers contacted and held out, its expected cost and profit."""
    targeted, held = counts
    values: dict[str, Scalar] = {
        "targeted": targeted,
        "held": held,
        "cost": cost,
        "profit": profit.estimate,
    }
    if profit.low is None or profit.high is None:
        return Message(template=_ALONE, values=values)
    values |= {"low": profit.low, "high": profit.high}
    return Message(template=_FORCED if forced else _CHOSEN, values=values)


def nobody(purse: Budget) -> Message:
    """That nobody is chosen, and what has to be paid first where that is why."""
    fixed = [cost for cost in purse.fixed if cost > 0]
    if not fixed:
        return Message(template=_NOBODY)
    values: dict[str, Scalar] = {"fixed": min(fixed), "budget": purse.budget}
    return Message(template=_NOBODY_WITHIN, values=values)


def said(arms: Sequence[str], opened: Sequence[bool]) -> dict[str, bool]:
    """Each treatment, and whether its gate is open."""
    return dict(zip(arms, opened, strict=True))


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
    basis: FittedModel | RolloutBasis | TreeBasis
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
            titles=titles(plan),
            arm_titles=arm_titles(plan),
            plan_sha256=plan.sha256,
            customers=order.customers,
            day=order.day.isoformat(),
            currency=plan.currency,
            sentence=english(message, plan.currency),
            sentence_parts=message,
            policy=order.policy,
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


def _profit(arms: Sequence[TargetArm], basis: FittedModel | RolloutBasis | TreeBasis) -> Estimate:
    """What all arms are expected to earn, as surely as it is known what comes of predictions.

    The interval is that of `basis.realised` for the profit of those contacted; fixed costs, which
    are certain, are taken off. There is none where what is foretold is taken as it is.
    """
    fixed = sum(each.fixed_cost for each in arms)
    total = sum(each.expected_profit for each in arms)
    known = basis.realised
    told = known is not None and basis.believed != 0 and known.estimate == basis.believed
    if known is None or not told or known.low is None or known.high is None:
        return Estimate(estimate=total)
    each = (total + fixed) / basis.believed
    return Estimate(estimate=total, low=known.low * each - fixed, high=known.high * each - fixed)
