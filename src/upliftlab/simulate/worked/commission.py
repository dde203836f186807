"""Why does commission rise while profit does not?

Partners are offered more for each order. More orders then come through them, most of which would
have come anyway: commission grows faster than margin.
"""

from __future__ import annotations

from typing import Final

from upliftlab.simulate.people import Trait
from upliftlab.simulate.worked.behaviour import Behaviour, Clientele, by
from upliftlab.simulate.worked.example import WorkedExample
from upliftlab.simulate.worked.truth import KnownModel, Record

_STANDING: Final = ("new", "some", "loyal")
"""Numbers by standing are in this order."""


def _answers(known: KnownModel) -> Record:
    """Commission against the margin that it bought, and by whom it was earned anyway."""
    told: list[Record] = []
    usual = known.means(known.control)
    for arm in known.spec.treatments:
        here, terms = known.means(arm), known.behaviours[arm]
        added, margin = here["commission"] - usual["commission"], here["margin"] - usual["margin"]
        told.append(
            {
                "arm": arm,
                "commission_per_customer": here["commission"],
                "commission_added_per_customer": added,
                "margin_added_per_customer": margin,
                "commission_share_of_added_margin": added / margin,
                "orders_through_partners_that_come_anyway": usual["orders"] / here["orders"],
                "claims_by_customers_who_buy_anyway": usual["conversion"] * terms.redeems,
            }
        )
    return {"usual_commission_per_customer": usual["commission"], "arms": told}


EXAMPLE: Final = WorkedExample(
    name="commission",
    question="Why does commission rise while profit does not?",
    clientele=Clientele(
        traits={
            "standing": Trait(_STANDING, (0.35, 0.40, 0.25)),
            "region": Trait(("north", "south", "west"), (0.3, 0.45, 0.25)),
        },
        alone=by("standing", (0.12, 0.35, 0.90)),
        amount=by("standing", (55.0, 65.0, 80.0)),
    ),
    behaviours=(
        Behaviour(arm="usual", share=1, through=0.2, commission=0.04),
        Behaviour(
            arm="raised",
            share=1,
            brings=by("standing", (0.07, 0.03, 0.01)),
            redeems=0.5,
            through=0.5,
            commission=0.08,
        ),
        Behaviour(
            arm="exclusive",
            share=1,
            brings=by("standing", (0.09, 0.05, 0.02)),
            redeems=0.7,
            through=0.7,
            commission=0.12,
        ),
    ),
    answers=_answers,
    customers=80_000,
)
