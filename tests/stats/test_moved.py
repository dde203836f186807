"""Uncertain values of a table: intervals hold the truth where tables are drawn, and not without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from upliftlab.stats.effects import LinearContrast as Form
from upliftlab.stats.effects import TwoSample, difference, welch
from upliftlab.stats.moments import Moments, Projection
from upliftlab.stats.moved import counterparts, moved_means, with_raised
from upliftlab.stats.ratio import relative_lift

TRUE = np.array([20.0, 90.0, 240.0, 0.0])
SE = np.array([4.0, 12.0, 40.0])
"""The last state is worth nothing, which is known."""
SHARES = np.array([[0.30, 0.33, 0.22, 0.15], [0.42, 0.28, 0.12, 0.18]])
N = 600
RUNS = 2_000


def group(counts: np.ndarray, table: np.ndarray) -> Moments:
    """A group of which so many are in each state: their number, and it with each value raised."""
    values = np.stack([table, *(table + np.eye(4)[at] * SE[at] for at in range(3))])
    mean = values @ counts / counts.sum()
    centred = values - mean[:, None]
    square = (centred * counts) @ centred.T
    return Moments(int(counts.sum()), mean, square, np.full(4, np.nan))


def pairs(seed: int, runs: int = RUNS):
    """Experiments, each with a table that is drawn around the true values."""
    rng = np.random.default_rng(seed)
    raised = [{0: 1 + at} for at in range(3)]
    wanted = [(column, None) for column in range(4)]
    for _ in range(runs):
        table = TRUE + np.append(rng.normal(0.0, SE), 0.0)
        treated, control = (group(rng.multinomial(N, p), table) for p in SHARES)
        moved = moved_means(treated.mean, wanted, raised), moved_means(control.mean, wanted, raised)
        yield TwoSample(treated, control, moved=moved), TwoSample(treated, control)


def test_intervals_hold_the_truth_where_tables_are_drawn_and_not_without():
    effect = float((SHARES[0] - SHARES[1]) @ TRUE)
    lift = effect / float(SHARES[1] @ TRUE)
    held = np.zeros(4)
    for carried, given in pairs(7):
        for at, pair in enumerate((carried, given)):
            found = difference(pair, 0, 0.95)
            held[at] += found.low <= effect <= found.high
            ratio = relative_lift(pair, 0, 0.95)
            held[2 + at] += ratio.low <= lift <= ratio.high
    carried, given, lift_carried, lift_given = held / RUNS
    assert carried == pytest.approx(0.95, abs=0.015)
    assert lift_carried == pytest.approx(0.95, abs=0.015)
    assert given < 0.93
    assert lift_given < lift_carried


def test_the_variance_is_that_of_the_delta_method():
    carried, given = next(pairs(3, 1))
    with_table, without = difference(carried, 0, 0.95), difference(given, 0, 0.95)
    moved = [carried.moved[0][at, 0] - carried.moved[1][at, 0] for at in range(3)]
    assert with_table.se**2 - without.se**2 == pytest.approx(np.square(moved).sum())
    shares = [(carried.treated.mean - carried.control.mean)[1 + at] for at in range(3)]
    by_hand = [s - with_table.estimate for s in shares]  # se times the difference in shares
    assert moved == pytest.approx(by_hand)


def test_arms_alike_are_told_apart_no_worse_by_an_uncertain_table():
    counts = np.array([200, 200, 100, 100])
    pair = group(counts, TRUE), group(counts, TRUE)
    moved = tuple(moved_means(g.mean, [(0, None)], [{0: 1}, {0: 2}, {0: 3}]) for g in pair)
    form = Form(np.eye(4)[0], -np.eye(4)[0])
    wide = tuple(np.pad(each, ((0, 0), (0, 3))) for each in moved)
    known = welch(TwoSample(*pair), form, 0.95)
    assert welch(TwoSample(*pair, moved=wide), form, 0.95).se == pytest.approx(known.se)


def test_projected_columns_have_their_counterparts_behind_them():
    made = Projection(np.vstack([np.eye(3), [[0.4, 0.0, 1.0], [0.0, 0.0, 2.0]]]), np.zeros(5))
    found = with_raised(made, 3, [{0: 1}])
    assert found.matrix[5:].tolist() == [[0.0, 0.4, 1.0], [0.0, 0.0, 2.0]]
    assert counterparts(7, 3, [{0: 1}]) == [{0: 1, 3: 5, 4: 6}]


def test_the_worked_example_of_the_page():
    """docs/money.md, example 13."""
    page = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
    table, se = np.array([20.0, 90.0, 240.0, 0.0]), {1: 8.0, 2: 30.0}
    groups = []
    for shares in ([0.10, 0.30, 0.06, 0.54], [0.10, 0.25, 0.05, 0.60]):
        counts = np.array(shares) * 10_000
        values = np.stack([table, *(table + np.eye(4)[at] * each for at, each in se.items())])
        mean = values @ counts / 10_000
        centred = values - mean[:, None]
        groups.append(Moments(10_000, mean, (centred * counts) @ centred.T, np.full(3, np.nan)))
    wanted, raised = [(column, None) for column in range(3)], [{0: 1}, {0: 2}]
    moved = tuple(moved_means(each.mean, wanted, raised) for each in groups)
    carried = difference(TwoSample(*groups, moved=moved), 0, 0.95)
    given = difference(TwoSample(*groups), 0, 0.95)
    assert f"{carried.estimate:.2f} more" in page
    assert f"{given.se**2:.4f} + 0.40² + 0.30² = {carried.se**2:.4f}" in page
    ends = f"{carried.low:.2f} to {carried.high:.2f}, not from {given.low:.2f} to {given.high:.2f}"
    assert f"from {ends}" in page
