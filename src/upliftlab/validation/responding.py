"""Customers whose responses are known: what models must find, and what a policy is truly worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from upliftlab.stats.moments import Array
from upliftlab.targeting.crossfit import Crossfit
from upliftlab.targeting.learn import halves
from upliftlab.uplift.bases import Base
from upliftlab.uplift.crossfit import crossfit
from upliftlab.uplift.encoding import Encoding
from upliftlab.uplift.folds import fold_of
from upliftlab.uplift.learners import Name, learner
from upliftlab.uplift.sample import TrainingSample
from upliftlab.uplift.scores import NUISANCE, dr_scores

MARGIN: Final = 0.4
BASKET: Final = 60.0
CONTACT: Final = (0.0, 0.15, 0.45)
VOUCHER: Final = 4.0
SHARES: Final = (0.3, 0.35, 0.35)
_REGIONS: Final = ("north", "east", "south", "west")
_RECENT: Final = 4
"""Months."""
_YOUNG: Final = 38
_OLD: Final = 40
_SPENT: Final = 50
SPREAD: Final = 0.35
"""Of the logarithm of what a purchase comes to, as in the simulated retailer."""
_SILENT: Final = 0.05
"""The share of customers who do not tell their age."""


@dataclass(frozen=True, slots=True)
class KnownWorld:
    """Customers with what is true of them; arm 0 is the control.

    Attributes:
        features: What a model may know.
        buys: Probability of a purchase under each arm, shape (n, arms).
        redeems: Probability that a purchase redeems a voucher under each arm, shape (n, arms).
        cluster: Whom they live with.
    """

    features: pa.Table
    buys: Array
    redeems: Array
    cluster: np.ndarray

    @property
    def value(self) -> Array:
        """Expected margin before marketing cost, shape (n, arms)."""
        return MARGIN * BASKET * self.buys

    @property
    def cost(self) -> Array:
        """Expected marketing cost, shape (n, arms)."""
        return np.array(CONTACT) + VOUCHER * self.redeems * self.buys

    @property
    def profit(self) -> Array:
        """Expected profit, shape (n, arms)."""
        return self.value - self.cost


def world(n: int, seed: int, *, varies: bool = True, members: int = 1) -> KnownWorld:
    """Customers of whom some respond to one arm, some to the other, and some are put off.

    Args:
        n: How many.
        seed: Of all chance.
        varies: Whether responses differ between customers.
        members: Customers of a household, who are alike in recency and get the same arm.
    """
    rng = np.random.default_rng(seed)
    house = np.repeat(np.arange(-(-n // members)), members)[:n]
    recency: Array = rng.uniform(0, 12, int(house.max()) + 1)[house]
    age, history = rng.normal(45, 12, n), rng.lognormal(4, 1, n)
    region = rng.integers(0, len(_REGIONS), n)
    recent, young, old = recency < _RECENT, age < _YOUNG, age > _OLD
    before = 0.06 + 0.08 * recent + 0.02 * np.tanh(history / 200)
    mail = (
        0.015 + 0.05 * np.clip((recency - 3) / 9, 0, 1) * old - 0.02 * (region == len(_REGIONS) - 1)
    )
    text = 0.02 + 0.10 * young * (history > _SPENT) - 0.01 * (region == 0)
    redeem = 0.3
    if not varies:
        # Nor may vouchers: those who would buy anyway redeem them, which costs.
        mail, text, redeem = np.full(n, mail.mean()), np.full(n, text.mean()), 0.0
    buys = np.clip(np.stack([before, before + mail, before + text], axis=1), 0.001, 0.999)
    redeems = np.stack([np.zeros(n), np.full(n, redeem), np.full(n, redeem)], axis=1)
    told = np.where(rng.random(n) < _SILENT, np.nan, age)
    names = np.array(_REGIONS)[region]
    columns = [pa.array(each, from_pandas=True) for each in (recency, told, history, names)]
    features = pa.Table.from_arrays(columns, names=["recency", "age", "history", "region"])
    return KnownWorld(features, buys, redeems, house)


def experiment(
    truth: KnownWorld, seed: int, folds: int = 5, spread: float = SPREAD
) -> tuple[TrainingSample, Encoding]:
    """An experiment on these customers: arms are drawn, they buy or not, some redeem.

    Args:
        truth: The customers.
        seed: Of all chance.
        folds: Parts they are dealt into.
        spread: Of the logarithm of what a purchase comes to.
    """
    rng = np.random.default_rng([seed, 1])
    n, arms = len(truth.buys), truth.buys.shape[1]
    arm = rng.choice(arms, size=int(truth.cluster.max()) + 1, p=SHARES)[truth.cluster]
    rows = np.arange(n)
    bought = rng.random(n) < truth.buys[rows, arm]
    redeemed = bought & (rng.random(n) < truth.redeems[rows, arm])
    amount = bought * BASKET * rng.lognormal(-(spread**2) / 2, spread, n)
    value = MARGIN * amount
    cost = np.array(CONTACT)[arm] + VOUCHER * redeemed
    encoding = Encoding.fit(truth.features)
    sample = TrainingSample(
        encoding.encode(truth.features).values,
        arm.astype(np.int64),
        np.stack([value, cost], axis=1).astype(np.float64),
        np.broadcast_to(np.array(SHARES), (n, arms)),
        truth.cluster,
        fold_of(truth.cluster, folds, seed + 1),
    )
    return sample, encoding


def crossfitted(
    sample: TrainingSample, encoding: Encoding, name: Name = "two_models", base: Base = "linear"
) -> Crossfit:
    """The crossfit of one learner, as the verb makes it."""
    scores = dr_scores(sample, NUISANCE, encoding, 1)
    made = learner(name, base, encoding, 1)
    predicted = crossfit(sample, made, (0, 1))
    return Crossfit(sample, scores, {name: predicted}, name, *halves(sample, made))
