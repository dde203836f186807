"""The truth of a worked example: expected values of its model, per comparison and level.

They are those of infinitely many customers like the ones who were drawn, times the treated ones:
what an interval is about that takes customers for a sample of such.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from upliftlab.analysis.contrasts import CHANNEL
from upliftlab.analysis.estimation import EstimationSpec, estimation_spec
from upliftlab.config.models.experiment import Plan
from upliftlab.results.costs import Per
from upliftlab.simulate.calendar import Integers
from upliftlab.simulate.worked.behaviour import Behaviour, Clientele, expected

Place = tuple[str | None, str | None]
"""A dimension and its level; neither for everybody."""
EVERYBODY: Place = (None, None)
Record = dict[str, Any]
_MONEY = ("margin", "cost", "profit")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A worked example whose customers were drawn.

    Attributes:
        plan: What things cost, and which arms are compared.
        clientele: The customers.
        behaviours: What arms do, by name; the control's first.
        kinds: Of those who were drawn, level numbers of each trait.
        arms: Numbers of their arms.
    """

    plan: Plan
    clientele: Clientele
    behaviours: Mapping[str, Behaviour]
    kinds: Mapping[str, Integers]
    arms: Integers
    spec: EstimationSpec = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spec", estimation_spec(self.plan))

    @property
    def control(self) -> str:
        """The arm that others are compared with."""
        return self.spec.control

    def treated(self, arm: str, place: Place = EVERYBODY) -> int:
        """How many were drawn into an arm."""
        here = self.arms == list(self.behaviours).index(arm)
        dimension, level = place
        if dimension is not None:
            at = self.clientele.traits[dimension].levels.index(level or "")
            here = here & (self.kinds[dimension] == at)
        return int(np.count_nonzero(here))

    def means(self, arm: str, place: Place = EVERYBODY) -> dict[str, float]:
        """What a customer of a place is expected to do in an arm, and what remains of it."""
        (kinds, shares), (dimension, level) = self.clientele.every(), place
        if dimension is not None:
            at = self.clientele.traits[dimension].levels.index(level or "")
            shares = np.where(kinds[dimension] == at, shares, 0.0)
        values = expected(self.clientele, self.behaviours[arm], kinds)
        values |= self.money(arm, values)
        return {name: float(np.average(each, weights=shares)) for name, each in values.items()}

    def money(self, arm: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Margin, cost and profit of customers who do so in an arm."""
        terms, roles = self.spec.terms[arm].spread(self.treated(arm)), self.spec.roles
        assert roles is not None  # noqa: S101 - every worked example is about profit
        margin = terms.margin * values["revenue"]
        contacts = 1.0 if roles.contacts is None else values["contacts"]
        redeemed = terms.paid(Per.redemption) * values["redemptions"]
        cost = terms.paid(Per.contact) * contacts + redeemed + terms.paid(Per.arm)
        cost = cost + sum(values[self.spec.columns[column]] for column in roles.further)
        return {"margin": margin, "cost": cost, "profit": margin - cost}


def effects(known: KnownModel) -> list[Record]:
    """One record for each comparison that the report makes, the whole campaign first."""
    treatments = [arm for arm in known.behaviours if arm != known.control]
    pairs = [(arm, known.control) for arm in treatments]
    between = [(one, other) for one, other in known.plan.experiment.compare]
    places = [(EVERYBODY, pair) for pair in (*pairs, *between)]
    places += [(place, pair) for place in _levels(known) for pair in pairs]
    found = [_compared(known, place, pair) for place, pair in places]
    return [*found, *_channels(known, found[: len(pairs)])]


def _levels(known: KnownModel) -> Iterator[Place]:
    for name in known.plan.segments:
        if name in known.clientele.traits:
            yield from ((name, level) for level in known.clientele.traits[name].levels)


def _compared(known: KnownModel, place: Place, pair: tuple[str, str]) -> Record:
    """What one arm brings beyond another, of its own customers."""
    one, other = (known.means(arm, place) for arm in pair)
    n, alone = known.treated(pair[0], place), known.means(known.control, place)
    more = {name: one[name] - other[name] for name in one}
    redeemed, rate = n * one["redemptions"], known.behaviours[pair[0]].redeems
    record: Record = {"arm": pair[0], "control": pair[1], "dimension": place[0], "level": place[1]}
    record |= {"n_treated": n, "difference": {k: v for k, v in more.items() if k not in _MONEY}}
    record |= _totals(n, more)
    if rate:
        record["redeemed_anyway"] = n * alone["conversion"] * rate
        record["redeemed_beyond_conversions"] = redeemed - n * more["conversion"]
    return record


def _totals(n: int, more: Mapping[str, float]) -> Record:
    cost, profit = n * more["cost"], n * more["profit"]
    revenue, conversions = n * more["revenue"], n * more["conversion"]
    return {
        "incremental_revenue": revenue,
        "incremental_margin": n * more["margin"],
        "incremental_conversions": conversions,
        "cost": cost,
        "incremental_profit": profit,
        "profit_per_customer": more["profit"],
        "roi": profit / cost if cost else None,
        "iroas": revenue / cost if cost else None,
        "cost_per_conversion": cost / conversions if conversions else None,
    }


def _channels(known: KnownModel, alone: Iterable[Record]) -> Iterator[Record]:
    """Arms that contact by the same channel, taken together by their customers."""
    whole = {record["arm"]: record for record in alone}
    for channel, arms in known.spec.channels.items():
        parts = [whole[arm] for arm in arms]
        n = sum(part["n_treated"] for part in parts)
        means = {
            name: sum(p["n_treated"] * p["difference"][name] for p in parts) / n
            for name in parts[0]["difference"]
        }
        sums = {"margin": "incremental_margin", "cost": "cost", "profit": "incremental_profit"}
        money = {name: sum(part[key] for part in parts) / n for name, key in sums.items()}
        record: Record = {"arm": None, "control": known.control, "dimension": CHANNEL}
        record |= {"level": channel, "n_treated": n, "difference": means}
        yield record | _totals(n, means | money)


def rounded(record: Record) -> Record:
    """The same with numbers of ten digits."""
    return {key: _rounded(value) for key, value in record.items()}


def _rounded(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, dict):
        return rounded(cast("Record", value))
    if isinstance(value, list):
        return [_rounded(each) for each in cast("list[Any]", value)]
    return float(f"{value:.10g}") if isinstance(value, float) else value
