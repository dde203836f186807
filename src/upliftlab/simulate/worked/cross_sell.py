"""Who is open to which product: what, when, and through which channel?

Two products, offered at once or two weeks later, by e-mail or by push notification: eight arms.
What a customer bought before says which product they are open to, and the app makes push work.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np

from upliftlab.simulate.people import Trait
from upliftlab.simulate.worked.behaviour import Behaviour, ByKind, Clientele, by, same
from upliftlab.simulate.worked.example import WorkedExample
from upliftlab.simulate.worked.truth import KnownModel, Record

_PRODUCTS: Final = {
    "boots": ((0.09, 0.03, 0.02), 95.0, {"now": 1.0, "later": 0.6}),
    "stove": ((0.02, 0.10, 0.01), 60.0, {"now": 0.6, "later": 1.0}),
}
"""Orders that an e-mail brings by what was bought before, their amount, and how much by when."""
_DAYS: Final = {"now": 0, "later": 14}
_CHANNELS: Final = {"email": (1.0, 1.0), "push": (0.3, 1.4)}
"""Factors without the app and with it."""
_SHARE: Final = 1.0
_HELD_OUT: Final = 2.0
"""The control is compared with eight arms: it takes twice as many customers as one of them."""


def _brings(orders: tuple[float, ...], factor: float, by_app: tuple[float, ...]) -> ByKind:
    return lambda kinds: np.array(orders)[kinds["bought"]] * factor * np.array(by_app)[kinds["app"]]


def _behaviours() -> tuple[Behaviour, ...]:
    found = [Behaviour(arm="holdout", share=_HELD_OUT)]
    for name, when, channel in product(_PRODUCTS, _DAYS, _CHANNELS):
        orders, price, factors = _PRODUCTS[name]
        found.append(
            Behaviour(
                arm=f"{name}_{when}_{channel}",
                share=_SHARE,
                channel=channel,
                day=_DAYS[when],
                brings=_brings(orders, factors[when], _CHANNELS[channel]),
                price=price,
            )
        )
    return tuple(found)


def _answers(known: KnownModel) -> Record:
    """The best arm of all, and of those who bought each thing before."""
    places = [
        (None, None),
        *(("bought", level) for level in known.clientele.traits["bought"].levels),
    ]
    told: list[Record] = []
    for place in places:
        alone = known.means(known.control, place)["profit"]
        gains = {arm: known.means(arm, place)["profit"] - alone for arm in known.spec.treatments}
        best = max(gains, key=lambda arm: gains[arm])
        told.append({"bought": place[1], "best": best, "profit_per_customer": gains[best]})
    return {"best_arm": told}


EXAMPLE: Final = WorkedExample(
    name="cross-sell",
    question="Which product, when, by which channel, and for whom?",
    clientele=Clientele(
        traits={
            "bought": Trait(("running", "camping", "city"), (0.35, 0.35, 0.30)),
            "app": Trait(("no", "yes"), (0.6, 0.4)),
        },
        alone=by("bought", (0.15, 0.15, 0.10)),
        amount=same(50.0),
    ),
    behaviours=_behaviours(),
    answers=_answers,
    customers=50_000,
)
