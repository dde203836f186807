"""Who may leave, and what keeps them?

The most likely to leave are mostly lost, and some leave because they are reminded. Those who can
be kept are the ones who still read what the shop writes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from upliftlab.simulate.calendar import Floats
from upliftlab.simulate.people import Trait
from upliftlab.simulate.worked.behaviour import Behaviour, Clientele, Kinds, by, expected, same
from upliftlab.simulate.worked.drawing import Draw
from upliftlab.simulate.worked.example import Tables, WorkedExample, shop_tables
from upliftlab.simulate.worked.truth import KnownModel, Record

_BRINGS: Final = np.array(((0.02, 0.04, 0.08), (0.04, 0.14, 0.34), (0.00, 0.02, 0.06)))
_KEEPS: Final = np.array(((1.0, 1.0, 1.0), (0.95, 1.0, 1.0), (0.45, 0.9, 1.0)))
"""By risk (low, middle, high) and reading (never, sometimes, often)."""
_CUTS: Final = np.array((0.0, 0.35, 0.7, 1.0))
"""Where the score of risk divides; the plan's rule of today begins at the last but one."""


def _brings(kinds: Kinds) -> Floats:
    return _BRINGS[kinds["risk"], kinds["reads"]]


def _keeps(kinds: Kinds) -> Floats:
    return _KEEPS[kinds["risk"], kinds["reads"]]


def _tables(random: np.random.Generator, example: WorkedExample, drawn: Draw) -> Tables:
    """The shop's tables, with the score of its model of churn."""
    found = shop_tables(random, example, drawn)
    risk, low = drawn.kinds["risk"], _CUTS[:-1]
    score = low[risk] + np.diff(_CUTS)[risk] * random.random(len(risk))
    score = np.minimum(np.floor(score * 1000) / 1000, 0.999)
    customers: pd.DataFrame = found["customers"]
    return found | {"customers": customers.assign(risk_score=np.maximum(score, low[risk]))}


def _answers(known: KnownModel) -> Record:
    """What each way of choosing is worth, per customer of all."""
    kinds, shares = known.clientele.every()
    (arm,) = known.spec.treatments
    each = {
        name: known.money(name, expected(known.clientele, known.behaviours[name], kinds))["profit"]
        for name in (arm, known.control)
    }
    gain = each[arm] - each[known.control]
    rules = {
        "everybody": np.ones(len(shares), dtype=bool),
        "by_risk": kinds["risk"] == _CUTS.size - 2,
        "by_response": gain > 0,
    }
    told = [
        {
            "rule": name,
            "contacted": float(shares[chosen].sum()),
            "profit_per_customer": float(shares[chosen] @ gain[chosen]),
        }
        for name, chosen in rules.items()
    ]
    of_kinds: list[Record] = []
    for at, profit in enumerate(gain):
        record: Record = {"profit_per_customer": float(profit)}
        for name, trait in known.clientele.traits.items():
            record[name] = trait.levels[kinds[name][at]]
        of_kinds.append(record)
    return {"rules": told, "by_kind": of_kinds}


EXAMPLE: Final = WorkedExample(
    name="churn",
    question="Who may leave, and whom does an offer keep?",
    clientele=Clientele(
        traits={
            "risk": Trait(("low", "middle", "high"), (0.45, 0.30, 0.25)),
            "reads": Trait(("never", "sometimes", "often"), (0.35, 0.35, 0.30)),
        },
        alone=by("risk", (0.70, 0.40, 0.12)),
        amount=same(65.0),
    ),
    behaviours=(
        Behaviour(arm="holdout", share=1),
        Behaviour(
            arm="offer", share=1, channel="email", brings=_brings, keeps=_keeps, redeems=0.25
        ),
    ),
    answers=_answers,
    tables=_tables,
)
