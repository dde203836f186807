"""Which media win new customers, and up to what spend?

Three media at two levels of spend each, beside prospects who are shown nothing. What a medium wins
rises less and less with what is spent on it. The media report no single prospects, but totals.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd

from upliftlab.simulate.people import Trait
from upliftlab.simulate.worked.behaviour import Behaviour, ByKind, Clientele, by, same
from upliftlab.simulate.worked.drawing import Draw, bought
from upliftlab.simulate.worked.example import Tables, WorkedExample
from upliftlab.simulate.worked.truth import KnownModel, Record

_MEDIA: Final = {
    "search": (0.018, 0.12, (0.10, 0.30), (1.0, 1.0, 1.0)),
    "social": (0.026, 0.30, (0.10, 0.30), (1.5, 1.0, 0.5)),
    "video": (0.016, 0.50, (0.20, 0.50), (0.8, 1.0, 1.2)),
}
"""New customers per prospect at most, the spend that wins 63 % of them, spends per prospect, and
factors by age."""
_NEW: Final = 0.012
"""Of prospects who are shown nothing."""


def _wins(most: float, scale: float, spend: float, by_age: tuple[float, ...]) -> ByKind:
    won = most * (1 - math.exp(-spend / scale))
    return by("age_band", [won * factor for factor in by_age])


def _behaviours() -> tuple[Behaviour, ...]:
    found = [Behaviour(arm="nobody", share=1)]
    for medium, (most, scale, spends, by_age) in _MEDIA.items():
        for dose, spend in zip(("low", "high"), spends, strict=True):
            wins = _wins(most, scale, spend, by_age)
            found.append(Behaviour(arm=f"{medium}_{dose}", share=1, channel=medium, brings=wins))
    return tuple(found)


def _tables(random: np.random.Generator, example: WorkedExample, drawn: Draw) -> Tables:
    """Totals by arm, region and age, as media report them."""
    del random
    counts, spent = bought(drawn)
    levels = {n: np.array(t.levels)[drawn.kinds[n]] for n, t in example.clientele.traits.items()}
    each = pd.DataFrame(
        {
            "arm": np.array(list(example.by_arm))[drawn.arms],
            **levels,
            "prospects": 1,
            "buyers": (counts > 0).astype(np.int64),
            "revenue": spent,
            "revenue_sq": spent**2,
        }
    )
    totals = each.groupby(["arm", *levels], as_index=False, observed=True).sum()
    return {"media": totals.round({"revenue": 2, "revenue_sq": 4})}


def _answers(known: KnownModel) -> Record:
    """What the next step of spend wins of each medium, and what each of them costs."""
    steps: list[Record] = []
    for medium in _MEDIA:
        low, high = (known.means(f"{medium}_{dose}") for dose in ("low", "high"))
        more = {name: high[name] - low[name] for name in low}
        steps.append(
            {
                "channel": medium,
                "customers_per_1000_prospects": 1000 * more["conversion"],
                "cost_per_new_customer_of_the_step": more["cost"] / more["conversion"],
                "profit_per_1000_prospects": 1000 * more["profit"],
                "spend_more": more["profit"] > 0,
            }
        )
    return {"steps_from_low_to_high": steps}


EXAMPLE: Final = WorkedExample(
    name="acquisition",
    question="Which media win new customers at what cost, and where does more spend stop paying?",
    clientele=Clientele(
        traits={
            "age_band": Trait(("18-29", "30-49", "50+"), (0.3, 0.4, 0.3)),
            "region": Trait(("north", "south", "west"), (0.3, 0.45, 0.25)),
        },
        alone=same(_NEW),
        amount=by("age_band", (55.0, 70.0, 80.0)),
    ),
    behaviours=_behaviours(),
    answers=_answers,
    tables=_tables,
    customers=280_000,
)
