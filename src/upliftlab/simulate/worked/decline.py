"""How can customers be lifted whose purchases decline?

A reminder does a little for all of them. A voucher pays for those who have fallen far and are not
gone yet: who has hardly fallen redeems it with orders that come anyway, and who has stopped hardly
answers at all.
"""

from __future__ import annotations

from typing import Final

from upliftlab.simulate.people import Trait
from upliftlab.simulate.worked.behaviour import Behaviour, Clientele, by
from upliftlab.simulate.worked.example import WorkedExample
from upliftlab.simulate.worked.truth import EVERYBODY, KnownModel, Record

DEPTHS: Final = ("slight", "deep", "stopped")
"""Numbers by depth are in this order."""


def _answers(known: KnownModel) -> Record:
    """What each arm brings by depth, and which is best there."""
    found: list[Record] = []
    for depth in DEPTHS:
        place = ("depth", depth)
        alone = known.means(known.control, place)
        profits = {
            arm: known.means(arm, place)["profit"] - alone["profit"]
            for arm in known.spec.treatments
        }
        best = max(profits, key=lambda arm: profits[arm])
        found.append(
            {
                "depth": depth,
                "profit_per_customer": profits,
                "best": best if profits[best] > 0 else known.control,
            }
        )
    arms = {arm: known.means(arm, EVERYBODY) for arm in known.behaviours}
    usual = arms[known.control]["conversion"]
    anyway = {arm: usual / each["conversion"] for arm, each in arms.items() if each["redemptions"]}
    return {"by_depth": found, "share_of_redemptions_by_customers_who_buy_anyway": anyway}


EXAMPLE: Final = WorkedExample(
    name="decline",
    question="What lifts customers whose purchases decline, and how far gone may they be?",
    clientele=Clientele(
        traits={
            "depth": Trait(DEPTHS, (0.40, 0.35, 0.25)),
            "value_band": Trait(("low", "middle", "high"), (0.50, 0.35, 0.15)),
        },
        alone=by("depth", (0.45, 0.18, 0.03)),
        amount=by("value_band", (45.0, 75.0, 110.0)),
    ),
    behaviours=(
        Behaviour(arm="holdout", share=1),
        Behaviour(
            arm="reminder",
            share=1,
            channel="email",
            brings=by("depth", (0.02, 0.04, 0.004)),
        ),
        Behaviour(
            arm="voucher",
            share=1,
            channel="email",
            brings=by("depth", (0.06, 0.19, 0.01)),
            redeems=0.5,
        ),
    ),
    answers=_answers,
)
