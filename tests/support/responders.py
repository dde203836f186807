"""Simulated customers who respond to a treatment or two, with the truth about each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.sample import TrainingSample

COST = 0.2
"""What each contact costs."""
PRICE = (np.log(20), 1.0)
"""Mean and standard deviation of the logarithm of an order."""


@dataclass(frozen=True)
class Trial:
    """An experiment: its customers, what a model sees of them, and the truth.

    The sample's outcomes are whether they ordered, what they spent (mostly nothing, sometimes a
    lot), and what it cost to contact them.
    """

    table: pa.Table
    encoding: Encoding
    sample: TrainingSample
    chance: np.ndarray
    """True probability to order in each arm, shape (n, arms)."""

    @property
    def effect(self):
        """True effect of each treatment on the probability, shape (n, arms − 1)."""
        return self.chance[:, 1:] - self.chance[:, [0]]


def trial(n=4_000, arms=3, seed=1, folds=5, strata=False):
    """A randomised experiment; with `strata` the arms' shares depend on who a customer is."""
    rng = np.random.default_rng(seed)
    age, orders = rng.normal(40, 12, n).round(), rng.poisson(2, n).astype(float)
    city, member = rng.choice(["Rome", "Oslo", "Bonn"], n, p=[0.5, 0.3, 0.2]), rng.random(n) < 0.4
    table = pa.table(
        {
            "age": pa.array(np.where(rng.random(n) < 0.1, np.nan, age), from_pandas=True),
            "orders": orders,
            "city": city,
            "member": member,
        }
    )
    base = 0.15 + 0.03 * np.minimum(orders, 5) + 0.05 * (city == "Rome")
    lifts = [np.zeros(n), 0.2 * member, 0.1 * (orders > 2) * (city != "Oslo")]
    chance = base[:, None] + np.stack(lifts[:arms], axis=1)
    share = np.full((n, arms), 1 / arms)
    if strata:
        share = np.where(member[:, None], np.linspace(1, 3, arms), np.linspace(3, 1, arms))
        share /= share.sum(axis=1, keepdims=True)
    arm = (rng.random(n)[:, None] > share.cumsum(axis=1)[:, :-1]).sum(axis=1)
    ordered = rng.random(n) < chance[np.arange(n), arm]
    spent = np.where(ordered, rng.lognormal(*PRICE, n), 0)
    encoding = Encoding.fit(table)
    cluster = np.arange(n)
    sample = TrainingSample(
        encoding.encode(table).values,
        arm,
        np.column_stack([ordered, spent, COST * (arm > 0)]),
        share,
        cluster,
        fold_of(cluster, folds, seed),
    )
    return Trial(table, encoding, sample, chance)
