"""Files with one bit flipped, and what becomes of a table that is read from them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from upliftlab.errors import UpliftLabError


def flipped(content: bytes, times: int, seed: int = 9) -> Iterator[bytes]:
    """The same bytes again and again, each time with another single bit flipped."""
    drawn = random.Random(seed)
    for _ in range(times):
        changed = bytearray(content)
        bit = drawn.randrange(len(changed) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def outcomes(file: Path, times: int, read: Callable[[], Any]) -> Counter[str]:
    """How often a file with a flipped bit was refused, read as before, or read as another table."""
    content = file.read_bytes()
    good, found = read(), Counter[str]()
    for changed in flipped(content, times):
        file.write_bytes(changed)
        try:
            found["same" if read() == good else "other"] += 1
        except UpliftLabError:
            found["refused"] += 1
    file.write_bytes(content)
    return found
