"""Experiments drawn many times from a known truth, as Moments, and what intervals make of them.

`python tests/support/simulation.py 20000` (with `src` on the path) prints the tables of
docs/statistics.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import exp
from typing import Literal

import numpy as np

from upliftlab.analysis.check import SKEWED
from upliftlab.money import Question, Roles, Terms, projection
from upliftlab.stats.effects import Pair, difference, skewness
from upliftlab.stats.moments import Moments

CONFIDENCE = 0.95
MARGIN = 0.4
FREE = Terms(MARGIN)
FIXED = Terms(MARGIN, contact=0.5)
REDEEMED = Terms(MARGIN, contact=0.1, incentive=4.0)
CHUNK = 1_000
"""Replications drawn at once, so that memory stays small."""
ROLES = Roles(revenue=0, redemptions=1)
Array = np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What a customer spends: nothing, or (with the probability `buys`) an amount."""

    kind: Literal["binary", "normal", "lognormal"]
    buys: float
    centre: float
    spread: float = 0.0

    @property
    def amount(self) -> float:
        """The mean amount."""
        lognormal = self.kind == "lognormal"
        return exp(self.centre + self.spread**2 / 2) if lognormal else self.centre

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        if self.kind == "lognormal":
            return rng.lognormal(self.centre, self.spread, size)
        return rng.normal(self.centre, self.spread, size) if self.spread else self._same(size)

    def _same(self, size: int) -> Array:
        return np.full(size, self.centre)


@dataclass(frozen=True)
class Case:
    """An experiment whose truth is known."""

    outcome: Outcome
    treated: int
    control: int
    lift: float
    """By how much treatment multiplies the share of buyers, or (all buy) the amount, less one."""
    terms: Terms = FREE
    redeems: float = 0.0
    """The share of treated buyers who redeem."""

    @property
    def difference(self) -> float:
        return self.outcome.buys * self.outcome.amount * self.lift

    @property
    def cost(self) -> float:
        """Expected cost of a treated customer."""
        buys = min(1.0, self.outcome.buys * (1 + self.lift))
        return self.terms.contact + self.terms.incentive * buys * self.redeems

    @property
    def profit(self) -> float:
        return self.treated * (MARGIN * self.difference - self.cost)

    @property
    def roi(self) -> float:
        return MARGIN * self.difference / self.cost - 1


@dataclass(frozen=True)
class Measured:
    """Shares of replications, and the skewness of the difference."""

    replications: int
    difference: float
    profit: float
    roi: float
    low: float
    """The interval of the difference lies wholly below the truth."""
    high: float
    skewness: float
    """Median of the estimates."""
    flagged: float


def groups(
    rng: np.random.Generator, case: Case, replications: int, *, treated: bool
) -> Iterator[Moments]:
    """One arm of every replication, over (revenue, redeemed).

    Only buyers are drawn: the rest are zeros.
    """
    n = case.treated if treated else case.control
    outcome, factor = case.outcome, 1 + case.lift if treated else 1.0
    all_buy = outcome.buys == 1
    share = outcome.buys * (1.0 if all_buy else factor)
    buyers = rng.binomial(n, share, replications)
    ends = np.cumsum(buyers)
    amounts = outcome.draw(rng, int(ends[-1])) * (factor if all_buy else 1.0)
    redeemed = (rng.random(len(amounts)) < case.redeems) * float(treated)

    def total(values: Array) -> Array:
        sums = np.concatenate([[0.0], np.cumsum(values)])
        return sums[ends] - sums[ends - buyers]

    first = np.stack([total(amounts), total(redeemed)], axis=1)
    mixed = total(amounts * redeemed)
    second = np.stack([total(amounts**2), mixed, mixed, first[:, 1]], axis=1)
    third = total(amounts**3)
    mean = first / n
    m2 = second.reshape(-1, 2, 2) - n * mean[:, :, None] * mean[:, None, :]
    m3 = third - 3 * mean[:, 0] * second[:, 0] + 2 * n * mean[:, 0] ** 3
    unknown = np.full(replications, np.nan)
    for one in zip(mean, m2, np.stack([m3, unknown], axis=1), strict=True):
        yield Moments(n, *one)


def pairs(
    rng: np.random.Generator, case: Case, replications: int
) -> Iterator[tuple[Moments, Moments]]:
    """Both arms of every replication."""
    for start in range(0, replications, CHUNK):
        count = min(CHUNK, replications - start)
        yield from zip(
            groups(rng, case, count, treated=True),
            groups(rng, case, count, treated=False),
            strict=True,
        )


def measure(case: Case, replications: int, seed: int) -> Measured:
    """How often the intervals of a case cover its truth."""
    rng = np.random.default_rng(seed)
    maps = projection(2, ROLES, case.terms), projection(2, ROLES, FREE)
    hits, sides, gammas = np.zeros(3), np.zeros(2), []
    for treated, control in pairs(rng, case, replications):
        raw = Pair(treated, control)
        effect = difference(raw, 0, CONFIDENCE)
        sides += [effect.high < case.difference, effect.low > case.difference]
        gammas.append(skewness(raw, 0))
        if case.cost:
            asked = Question(Pair(treated.project(maps[0]), control.project(maps[1])), CONFIDENCE)
            profit, roi = asked.incremental_profit(), asked.roi()
            hits[1] += profit.low <= case.profit <= profit.high
            hits[2] += roi.low is not None and roi.low <= case.roi <= roi.high
    hits[0] = replications - sides.sum()
    return Measured(
        replications,
        *(hits / replications),
        *(sides / replications),
        skewness=float(np.median(gammas)),
        flagged=float(np.mean(np.abs(gammas) > SKEWED)),
    )


OUTCOMES = {
    "binary": (Outcome("binary", 0.3, 20.0), 4_000),
    "normal": (Outcome("normal", 1.0, 50.0, 20.0), 4_000),
    "lognormal": (Outcome("lognormal", 0.3, 3.0, 0.5), 20_000),
}
SPLITS = {"50/50": 0.5, "90/10": 0.9}
COSTS = {"contact": (FIXED, 0.0), "redemption": (REDEEMED, 0.4)}


def grid() -> Iterator[tuple[str, str, str, Case]]:
    """Every outcome, split and kind of cost."""
    for name, (outcome, size) in OUTCOMES.items():
        for split, share in SPLITS.items():
            treated = round(size * share)
            for cost, (terms, redeems) in COSTS.items():
                case = Case(outcome, treated, size - treated, 0.2, terms, redeems)
                yield name, split, cost, case


def without_effect(case: Case) -> Case:
    """The same experiment where treatment changes nothing and costs nothing."""
    return replace(case, lift=0.0, terms=FREE, redeems=0.0)


SPARSE = Outcome("lognormal", 0.02, 3.0, 1.5)
HOLDOUTS = {
    (treated, control): Case(SPARSE, treated, control, 0.0)
    for treated, control in ((47_500, 2_500), (45_000, 5_000), (9_500, 500), (25_000, 25_000))
}
"""Few buyers, amounts that differ widely, and no effect."""


def tables(replications: int) -> Iterator[str]:
    """The tables of docs/statistics.md, line by line."""

    def row(*cells: object) -> str:
        shown = (f"{100 * c:.1f}" if isinstance(c, float) else str(c) for c in cells)
        return f"| {' | '.join(shown)} |"

    for name, split, cost, case in grid():
        got = measure(case, replications, 1)
        yield row(name, f"{case.treated:,} / {case.control:,}", cost, got.difference,
                  got.profit, got.roi)  # fmt: skip
        if cost == "contact":
            null = measure(without_effect(case), replications, 2)
            yield f"{name} {split}: type I {row(1 - null.difference)} gamma {got.skewness:.3f}"
    for (treated, control), case in HOLDOUTS.items():
        got = measure(case, replications, 3)
        yield row(f"{treated:,} / {control:,}", got.high, got.low, f"{got.skewness:.2f}",
                  got.flagged)  # fmt: skip


if __name__ == "__main__":
    for line in tables(int(sys.argv[1])):
        sys.stdout.write(line + "\n")
