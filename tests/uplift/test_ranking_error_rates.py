"""Do the intervals of rankings hold what they promise, and does the gate stay shut by chance?

Half of the customers gain nothing from contact and the others more and more; scores are right or
mostly noise, in five parts of unlike scales. `REPLICATIONS=2000 pytest -s` measures more closely
and prints what it finds.
"""

import os
from functools import cache
from math import sqrt

import numpy as np
import pytest

from upliftlab.uplift.deciles import deciles
from upliftlab.uplift.gains import gain_curve
from upliftlab.uplift.gate import gates
from upliftlab.uplift.ranking import Ranking
from upliftlab.uplift.rate import rate

REPLICATIONS = int(os.environ.get("REPLICATIONS", "320"))
CUSTOMERS, PARTS = 2_000, 5
NOISE = {"right": 0.0, "noisy": 2.0}
SHARES = 10
KINDS = ("autoc", "qini")


def people(rng, n, score):
    """What contact gives each, and their score."""
    x = rng.normal(size=n)
    return np.maximum(x, 0) / 2, x + NOISE[score] * rng.normal(size=n)


def errors(rng, n, kind):
    """What doubly robust scores add to that."""
    if kind != "skewed":
        return 2 * rng.normal(size=n)
    # One in twenty buys for lognormal amounts, one in ten is held out.
    bought = (rng.random(n) < 0.05) * rng.lognormal(0, 1, n) - 0.05 * np.exp(0.5)
    return bought * np.where(rng.random(n) < 0.9, 1 / 0.9, -1 / 0.1)


def world(rng, kind, score):
    """Customers in parts; `households` are three, alike in effect and nearly in score."""
    size = 3 if kind == "households" else 1
    units = CUSTOMERS // size
    gain, order = people(rng, units, score)
    cluster = np.repeat(np.arange(units), size)
    effects = np.repeat(gain + errors(rng, units, kind), size)
    if size > 1:
        effects += rng.normal(size=len(cluster))
    scores = order[cluster] + (0.01 * rng.normal(size=len(cluster)) if size > 1 else 0)
    fold = cluster % PARTS
    return Ranking(effects, scores * (1 + fold) + 3 * fold, cluster, fold)


@cache
def truth(score):
    """The rates, the gains at each tenth and the effect in each, among very many."""
    rng = np.random.default_rng(1)
    gain, order = people(rng, 200_000, score)
    ranking = Ranking(gain, order, np.arange(len(gain)))
    return {
        **{kind: rate(ranking, 0.95, kind).estimate for kind in KINDS},
        "gains": gain_curve(ranking, 0.95, rng, SHARES).gain,
        "deciles": [decile.effect.estimate for decile in deciles(ranking, 0.95, rng)],
    }


def error(times):
    """Two points, and one Monte Carlo standard error of a coverage of 95 %."""
    return 0.02 + sqrt(0.95 * 0.05 / times)


def report(*words):
    print(*words)  # noqa: T201 - shown by `pytest -s`


@pytest.mark.parametrize("score", NOISE)
@pytest.mark.parametrize("kind", ["normal", "skewed", "households"])
def test_rates_are_covered(kind, score):
    rng = np.random.default_rng(2)
    held = dict.fromkeys(KINDS, 0)
    for _ in range(REPLICATIONS):
        ranking = world(rng, kind, score)
        for name in KINDS:
            found = rate(ranking, 0.95, name)
            held[name] += found.low <= truth(score)[name] <= found.high
    for name, times in held.items():
        report(name, kind, score, times / REPLICATIONS)
        assert times / REPLICATIONS == pytest.approx(0.95, abs=error(REPLICATIONS))


@pytest.mark.parametrize("kind", ["normal", "households"])
def test_gains_and_deciles_are_covered(kind):
    rng = np.random.default_rng(3)
    expected, times = truth("noisy"), REPLICATIONS // 8
    points, together = np.zeros(SHARES), 0
    for _ in range(times):
        ranking = world(rng, kind, "noisy")
        curve = gain_curve(ranking, 0.95, rng, SHARES)
        points += ((curve.low <= expected["gains"]) & (expected["gains"] <= curve.high))[1:]
        found = zip(deciles(ranking, 0.95, rng), expected["deciles"], strict=True)
        together += all(one.effect.low <= mean <= one.effect.high for one, mean in found)
    report(kind, "gains", points / times, "all deciles", together / times)
    assert np.mean(points) / times == pytest.approx(0.95, abs=error(times))
    assert points / times == pytest.approx(np.full(SHARES, 0.95), abs=2 * error(times))
    assert together / times == pytest.approx(0.95, abs=2 * error(times))


@pytest.mark.parametrize("kind", ["normal", "skewed", "households"])
def test_the_gate_stays_shut_where_all_respond_alike(kind):
    """Both tests have to agree on a gain, so it opens in less than one in forty."""
    rng = np.random.default_rng(4)
    opened = 0
    for _ in range(REPLICATIONS):
        rankings = [world(rng, kind, "noisy") for _ in range(2)]
        alike = [
            Ranking(one.effects, other.score, one.cluster, one.fold)
            for one, other in zip(rankings, rankings[::-1], strict=True)
        ]
        opened += any(gate.open for gate in gates(alike, 0.95))
    report(kind, "opened", opened / REPLICATIONS)
    assert opened / REPLICATIONS <= 0.05


def test_the_gate_opens_where_they_do_not():
    rng = np.random.default_rng(5)
    opened = [gates([world(rng, "normal", "right")], 0.95)[0].open for _ in range(40)]
    assert np.mean(opened) > 0.9
