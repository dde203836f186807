"""Adjusted intervals beside the plain ones: coverage, tails and width.

`PYTHONPATH=src python tests/support/adjusting.py` prints the table of docs/validation.md (nice it:
hours on one core). `upliftlab validate --study adjusted` proves experiments of the
same kind.
"""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np

from upliftlab.stats.effects import Effect
from upliftlab.validation.replication import analysed
from upliftlab.validation.studies.adjusted import SHARES, SPLITS, RepeatBuyers

STRENGTHS = {"strong": 0.9, "weak": 0.3}


def where(effect: Effect, truth: float) -> str:
    """Where an interval lies: it holds the truth, or all of it is above or below."""
    if effect.low is None or effect.high is None:
        return "unbounded"
    if effect.low > truth:
        return "above"
    return "below" if effect.high < truth else "covers"


def tried(world: RepeatBuyers, times: int, seed: int = 1) -> tuple[Counter[str], float]:
    """Where adjusted intervals lie, and their mean width over that of the plain ones."""
    rng, truth = np.random.default_rng(seed), world.truth
    found, widths = Counter[str](), list[float]()
    for _ in range(times):
        arms = {name: world.arm(rng, treated=name == "treated") for name in ("treated", "control")}
        (one,) = analysed(rng, world.spec, arms)
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
            world = RepeatBuyers(shape, STRENGTHS[strength], interacts, units)
            found, width = tried(world, times)
            covers, below, above = (
                100 * found[name] / times for name in ("covers", "below", "above")
            )
            line.append(f"{covers:.1f} ({below:.1f} / {above:.1f}), {width:.2f}")
        print("| " + " | ".join(line) + " |", flush=True)  # noqa: T201 - a script


if __name__ == "__main__":
    main()
