"""Numbers for units: those of the published hash, evenly spread, and alike whatever the order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from upliftlab.assignment.hashing import VECTORS
from upliftlab.targeting.extraction import from_content, from_places

rows = st.lists(
    st.tuples(st.sampled_from([0.0, -0.0, 1.5, np.nan]), st.sampled_from(["a", "é", "", None])),
    min_size=1,
    max_size=40,
)


def columns(found):
    return np.array([x for x, _ in found]), pa.chunked_array([[t for _, t in found]], pa.string())


def test_places_are_read_as_hex():
    places = [place for _, _, place in VECTORS]
    assert from_places(pa.array(places)).tolist() == [int(place, 16) for place in places]


@given(rows, st.randoms(use_true_random=False))
def test_rows_keep_their_numbers_in_any_order(found, random):
    numbers = from_content(columns(found))
    assert len(set(numbers.tolist())) == len(found)
    assert (numbers >= 0).all()
    assert (numbers < 2**60).all()
    shuffled = random.sample(found, len(found))
    again = from_content(columns(shuffled))
    key = [(str(x + 0.0), t) for x, t in found]
    other = [(str(x + 0.0), t) for x, t in shuffled]
    for row in set(key):
        one = {n for n, k in zip(numbers.tolist(), key, strict=True) if k == row}
        assert one == {n for n, k in zip(again.tolist(), other, strict=True) if k == row}


def test_numbers_are_spread_evenly():
    numbers = from_content([np.repeat(np.arange(2_000.0), 10)])
    for part in (numbers % 5, numbers >> 57):
        counts = np.bincount(part)
        assert abs(counts / counts.mean() - 1).max() < 0.06
