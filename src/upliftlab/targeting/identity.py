"""Identity: a number for every randomised unit that no engine and no order of rows changes."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5
from typing import Any

import numpy as np
import pyarrow as pa

from upliftlab.assignment.hashing import DIGITS
from upliftlab.targeting.coding import encode
from upliftlab.uplift.folds import mixed

_GOLDEN = 0x9E3779B97F4A7C15
_MISSING = 0x5851F42D4C957F2D


def from_places(places: pa.Array[Any] | pa.ChunkedArray[Any]) -> np.ndarray:
    """Places of `hashing.digest` as numbers below 2^60, in the places' order; int64.

    >>> int(from_places(pa.array(["00000000000000a", "fff000000000000"]))[0])
    10
    """
    texts = np.asarray(places.to_pylist(), dtype=f"S{DIGITS}")
    codes = np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), DIGITS)
    digits = np.where(codes > ord("9"), codes - (ord("a") - 10), codes - ord("0"))
    value = np.zeros(len(texts), dtype=np.int64)
    for column in digits.T:
        value = value * 16 + column
    return value


def from_content(columns: Sequence[np.ndarray | pa.ChunkedArray[Any]]) -> np.ndarray:
    """Numbers below 2^60 for rows that nothing names, from all that they hold; int64.

    Rows that are alike are counted, and each gets another number: which of them gets which makes
    no difference, as they are alike. So what is drawn by these numbers is the same in any order.

    Args:
        columns: Doubles or whole numbers, shape (n,), or texts.
    """
    state = np.full(len(columns[0]), _GOLDEN, dtype=np.uint64)
    for column in columns:
        state = mixed(state ^ _bits(column))
    order = np.argsort(state, kind="stable")
    alike = state[order]
    first = np.flatnonzero(np.r_[True, alike[1:] != alike[:-1]])
    counts = np.diff(np.r_[first, len(alike)])
    again = np.arange(len(alike)) - np.repeat(first, counts)
    found = np.empty_like(state)
    found[order] = mixed(alike + again.astype(np.uint64) * np.uint64(_GOLDEN))
    return (found >> np.uint64(4)).astype(np.int64)


def _bits(column: np.ndarray | pa.ChunkedArray[Any]) -> np.ndarray:
    """64 bits per value: a number's own, of a text the beginning of its md5."""
    if isinstance(column, np.ndarray):
        numbers = column.astype(np.float64) + 0.0  # -0.0 becomes 0.0
        numbers[np.isnan(numbers)] = np.nan
        return mixed(numbers.view(np.uint64))
    levels, codes = encode(column)
    hashes = [
        int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:8], "big")
        for text in levels
    ]
    return np.array([*hashes, _MISSING], dtype=np.uint64)[codes]
