"""Small levels are joined so that nothing of them can be had back; all else stays as it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.analysis.aggregates import OVERALL, Slice
from upliftlab.analysis.disclosure import Margin, bridges, is_small, joined, shown, total
from upliftlab.stats.moments import Moments

LEVELS = st.dictionaries(
    st.text("abcdef(other) 2", min_size=1, max_size=8),
    st.dictionaries(st.sampled_from(["none", "mail", "call"]), st.integers(0, 12), min_size=1),
    min_size=1,
    max_size=8,
)
SMALLEST = st.integers(2, 6)


def as_shown(margin):
    """Units by arm of the levels as they are shown."""
    found = {}
    for level, counts in margin.levels.items():
        found.setdefault(margin.shown(level), []).append(counts)
    return {name: total(parts) for name, parts in found.items()}


@given(LEVELS, SMALLEST)
def test_no_level_is_small_nor_what_the_others_leave_of_the_total(levels, smallest):
    whole = total(levels.values())
    margin = Margin(levels).closed(smallest)
    found = as_shown(margin)
    assert total(found.values()) == whole, "totals stay"
    assert margin.joined or not any(is_small(counts, smallest) for counts in levels.values())
    if is_small(whole, smallest):
        assert len(found) == 1, "an arm that is small itself has no levels"
        return
    assert len(margin.joined) != 1, "a single one is the total less the others"
    assert not any(is_small(counts, smallest) for counts in found.values())
    rest = {name: counts for name, counts in levels.items() if name not in margin.joined}
    left = {arm: n - total(rest.values()).get(arm, 0) for arm, n in whole.items()}
    assert not is_small(left, smallest)
    assert margin.name not in levels


def fixed_by_margins(cells):
    """The cells that the margins of a table fix, by the rank of the equations."""
    names = list(cells)
    rows = dict.fromkeys([("left", one) for one, _ in names] + [("right", two) for _, two in names])
    equations = np.array(
        [[float(cell[side == "right"] == level) for cell in names] for side, level in rows]
    )
    rank = np.linalg.matrix_rank(equations)
    unit = np.eye(len(names))
    return {
        cell
        for cell, row in zip(names, unit, strict=True)
        if np.linalg.matrix_rank(np.vstack([equations, row])) == rank
    }


TABLES = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("uvwxyz")),
    st.fixed_dictionaries({"none": st.integers(1, 30), "mail": st.integers(1, 30)}),
    min_size=1,
    max_size=14,
)


@given(TABLES)
def test_bridges_are_the_cells_that_margins_fix(cells):
    assert bridges(cells) == fixed_by_margins(cells)


@given(TABLES, SMALLEST)
def test_two_segments_do_not_give_a_small_cell_away(cells, smallest):
    margins = {
        side: Margin(
            {
                level: total(n for names, n in cells.items() if names[at] == level)
                for level in {names[at] for names in cells}
            }
        )
        for at, side in enumerate(("left", "right"))
    }
    found = joined(margins, {("left", "right"): cells}, smallest)
    parts = {}
    for (one, two), counts in cells.items():
        parts.setdefault((found["left"].shown(one), found["right"].shown(two)), []).append(counts)
    kept = {names: total(counts) for names, counts in parts.items()}
    if is_small(total(cells.values()), smallest):
        return
    for cell in fixed_by_margins(kept):
        assert not is_small(kept[cell], smallest)


def groups(**sizes):
    return {arm: Moments.of(np.arange(n, dtype=float)[:, None]) for arm, n in sizes.items()}


def test_levels_that_are_shown_stay_as_they_were():
    aggregates = {
        OVERALL: groups(none=34, mail=34),
        Slice("area", "north"): groups(none=20, mail=20),
        Slice("area", "rare"): groups(none=1, mail=2),
        Slice("area", "south"): groups(none=12, mail=12),
        Slice("area", "(other)"): groups(none=1),
        Slice("size", "s"): groups(none=34, mail=34),
    }
    told = shown(aggregates, {}, 5)
    assert list(told.aggregates) == [
        OVERALL,
        Slice("area", "north"),
        Slice("area", "(other 2)"),
        Slice("size", "s"),
    ], "rare and (other) are too few together, so the next smallest is with them"
    assert told.aggregates[Slice("area", "north")] is aggregates[Slice("area", "north")]
    assert told.joined("area") == ("(other 2)", 3)
    assert told.joined("size") is None
    both = told.aggregates[Slice("area", "(other 2)")]
    assert {arm: group.n for arm, group in both.items()} == {"none": 14, "mail": 14}


@pytest.mark.parametrize("swapped", [False, True])
def test_bands_within_bands_do_not_tell_who_lies_between(swapped):
    """Customers from 30 to below 31: the difference of two bands, one in each segment."""
    tens = {"below 30": 40, "30 and above": 43}
    others = {"below 31": 43, "31 and above": 40}
    cells = {
        ("below 30", "below 31"): {"none": 40, "mail": 40},
        ("30 and above", "below 31"): {"none": 3, "mail": 3},
        ("30 and above", "31 and above"): {"none": 40, "mail": 40},
    }
    one, two = (
        Margin({level: {"none": n, "mail": n} for level, n in margin.items()})
        for margin in (tens, others)
    )
    if swapped:
        one, two, cells = two, one, {(b, a): n for (a, b), n in cells.items()}
    found = joined({"one": one, "two": two}, {("one", "two"): cells}, 5)
    assert [len(as_shown(margin)) for margin in found.values()] == [2, 1]
