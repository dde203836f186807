"""Doubt: why a list would not be known to pay, and what is said of one that is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from upliftlab.results.analysis import Message, Scalar
from upliftlab.results.uplift import Estimate
from upliftlab.targeting.use import Budget
from upliftlab.text.language import N_

_SHUT = N_(
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
_ABSENT = "the budget's policy was not judged"


def doubt(opened: Mapping[str, bool], gain: Estimate | None) -> Message | None:
    """Why it is not known that a list pays; None where it is.

    Args:
        opened: Each treatment, and whether its gate is open.
        gain: What the model's policy is worth beyond contacting nobody, per customer.
    """
    if not any(opened.values()):
        return Message(template=_SHUT, values={"arms": ", ".join(opened)})
    if gain is None or gain.low is None:
        known = gain.note if gain is not None and gain.note is not None else _ABSENT
        return Message(template=_UNKNOWN, values={"reason": str(known)})
    if gain.low <= 0:
        values: dict[str, Scalar] = {
            "estimate": gain.estimate,
            "low": gain.low,
            "high": gain.high,
        }
        return Message(template=_LOW, values=values)
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
