"""Coding: texts as numbers, by the levels that occur."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa


def encode(column: Any) -> tuple[list[str], np.ndarray]:  # noqa: ANN401 - Arrow's arrays are untyped
    """The levels of a column of texts in no order, and each row's; −1 where there is none.

    >>> encode(pa.array(["b", None, "a", "b"]))
    (['b', 'a'], array([ 0, -1,  1,  0]))
    """
    whole: Any = getattr(column, "combine_chunks", lambda: column)()
    coded = whole.cast(pa.string()).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return list(coded.dictionary.to_pylist()), codes.astype(np.int64)


def looked_up(column: Any, numbers: Mapping[str, int], other: int) -> np.ndarray:  # noqa: ANN401 - as above
    """Texts as the numbers they stand for, `other` where that is not known; shape (n,), int64.

    >>> looked_up(pa.array(["b", None, "a"]), {"a": 7}, -1)
    array([-1, -1,  7])
    """
    levels, codes = encode(column)
    return np.array([*(numbers.get(level, other) for level in levels), other])[codes]
