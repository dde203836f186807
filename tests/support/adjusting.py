"""Adjusted intervals on trial: experiments with a covariate whose truth is known, many times over.

`PYTHONPATH=src python tests/support/adjusting.py` prints the table of docs/validation.md (nice it:
hours on one core).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.contrasts import Contrast, InferenceSettings, contrasts_of
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.rows import UnitRows, skewed
from upliftlab.stats.effects import Effect
from upliftlab.stats.moments import Moments

SPEC = EstimationSpec(
    metrics=("outcome",),
    columns=("outcome", "before"),
    ratios={},
    control="control",
    treatments=("treated",),
    channels={},
    roles=None,
    terms={},
    hurdle=0.0,
    confidence=0.95,
    covariates=(1,),
)
SPLITS = {"50/50": (2_000, 2_000), "90/10": (3_600, 400), "95/5": (3_800, 200)}
STRENGTHS = {"strong": 0.9, "weak": 0.3}
SHARES = {"skewed": 0.1, "binary": 0.2}
"""How many buy."""


@dataclass(frozen=True)
class World:
    """Customers of whom some bought before, and some do after.

    Attributes:
        shape: What counts of those who buy: a lognormal amount, or that they did.
        strength: Share of those who bought before that buy again for sure, and correlation of the
            logarithms of amounts.
        interacts: Whether treatment moves the covariate's slope: only those who bought before buy
            a fifth more, or more often. Otherwise there is no effect.
        units: Treated and control.
    """

    shape: str
    strength: float
    interacts: bool
    units: tuple[int, int]

    def arm(self, rng: np.random.Generator, *, treated: bool) -> np.ndarray:
        """Outcome and covariate of an arm's units, shape (n, 2)."""
        n, share = self.units[0 if treated else 1], SHARES[self.shape]
        bought = rng.random(n) < share
        again = rng.random(n) < self.strength
        buys = np.where(again, bought, rng.random(n) < share)
        size = rng.normal(size=(2, n))
        size[1] = self.strength * size[0] + (1 - self.strength**2) ** 0.5 * size[1]
        moved = bought & treated & self.interacts
        if self.shape == "binary":
            return np.column_stack([buys | (moved & (rng.random(n) < 0.2)), bought]).astype(float)
        before, after = np.exp(3 + size)
        return np.column_stack([buys * after * np.where(moved, 1.2, 1.0), bought * before])

    def truth(self) -> float:
        """The effect per customer."""
        if not self.interacts:
            return 0.0
        rng, many = np.random.default_rng(0), replace(self, units=(10**7, 10**7))
        treated, control = (many.arm(rng, treated=side)[:, 0].mean() for side in (True, False))
        return float(treated - control)


def contrast(rng: np.random.Generator, world: World) -> Contrast:
    """An experiment drawn and analysed, as an analysis does it."""
    arms = {"treated": world.arm(rng, treated=True), "control": world.arm(rng, treated=False)}
    groups = {name: Moments.of(rows) for name, rows in arms.items()}
    rows = None
    if skewed(SPEC, groups, SPEC.treatments):
        values = np.concatenate(list(arms.values()))
        named = np.repeat(np.array(list(arms), dtype=object), [len(a) for a in arms.values()])
        rows = UnitRows(values, np.arange(len(values)), named, {}, np.ones(len(values)))
    flags = frozenset({"outcome"} if world.shape == "binary" else ())
    reading = InferenceSettings(str(rng.integers(2**63)), rows, shares=flags)
    return contrasts_of(SPEC, {OVERALL: groups}, reading)[0]


def where(effect: Effect, truth: float) -> str:
    """Where an interval lies: it holds the truth, or all of it is above or below."""
    if effect.low is None or effect.high is None:
        return "unbounded"
    if effect.low > truth:
        return "above"
    return "below" if effect.high < truth else "covers"


def tried(world: World, times: int, seed: int = 1) -> tuple[Counter[str], float]:
    """Where adjusted intervals lie, and their mean width over that of the plain ones."""
    rng, truth = np.random.default_rng(seed), world.truth()
    found, widths = Counter[str](), list[float]()
    for _ in range(times):
        one = contrast(rng, world)
        sharp, plain = one.adjusted_difference("outcome"), one.difference("outcome")
        found[where(sharp, truth)] += 1
        if None not in (sharp.low, plain.low):
            widths.append((sharp.high - sharp.low) / (plain.high - plain.low))
    return found, float(np.mean(widths))


def main(times: int = 2_000) -> None:
    """Print the table."""
    for shape, strength, interacts in product(SHARES, STRENGTHS, (False, True)):
        line = [shape, strength, "yes" if interacts else "no"]
        for units in SPLITS.values():
            found, width = tried(World(shape, STRENGTHS[strength], interacts, units), times)
            covers, below, above = (
                100 * found[name] / times for name in ("covers", "below", "above")
            )
            line.append(f"{covers:.1f} ({below:.1f} / {above:.1f}), {width:.2f}")
        print("| " + " | ".join(line) + " |", flush=True)  # noqa: T201 - a script


if __name__ == "__main__":
    main()
