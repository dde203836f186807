"""Single-bit flips: the smallest damage that a file can take.

As a command it damages a ledger and prints what noticed: `python tests/support/flips.py 300`.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Flip(NamedTuple):
    """One bit of one file."""

    path: Path
    byte: int
    bit: int


def flips(files: Sequence[Path], number: int, seed: int) -> list[Flip]:
    """Bits drawn at random, as many from each file as from any other."""
    draw = random.Random(seed)
    chosen = [files[index % len(files)] for index in range(number)]
    return [Flip(f, draw.randrange(f.stat().st_size), draw.randrange(8)) for f in chosen]


@contextmanager
def flipped(flip: Flip) -> Iterator[None]:
    """The file with that bit turned, for the time of a block."""
    content = flip.path.read_bytes()
    damaged = bytearray(content)
    damaged[flip.byte] ^= 1 << flip.bit
    flip.path.write_bytes(bytes(damaged))
    try:
        yield
    finally:
        flip.path.write_bytes(content)


def judged(
    chosen: Sequence[Flip], use: Callable[[], object], refusals: type[Exception]
) -> Counter[str]:
    """How many flips are refused, and how many accepted with the same or with other numbers.

    Whatever else is raised goes through: a flip must not end in a trace.
    """
    whole, found = use(), Counter[str]()
    for flip in chosen:
        with flipped(flip):
            try:
                same = use() == whole
            except refusals:
                found["refused"] += 1
            else:
                found["accepted" if same else "other numbers"] += 1
    return found


def main(number: int) -> None:
    """Flip bits in the records and parts of a ledger, and ask verify and export."""
    from ledgers import assignment_sql, make_draft, make_plan, record

    from upliftlab.errors import UpliftLabError
    from upliftlab.ledger import Ledger, campaign

    with tempfile.TemporaryDirectory() as name:
        ledger, out = Ledger(Path(name) / "ledger"), Path(name) / "out"
        record(ledger, make_draft(make_plan(), 400))
        record(ledger, make_draft(make_plan(), 500, assignment_sql(500), data="b"))
        files = sorted(p for p in ledger.folder.rglob("*") if p.is_file() and p.name != ".lock")

        def lists() -> list[bytes]:
            return [
                file.path.read_bytes()
                for number in (1, 2)
                for file in campaign.export(ledger, "spring", out, generation=number).lists
            ]

        def verified() -> int:
            if faults := campaign.verify(ledger):
                raise UpliftLabError(faults)
            return 0

        for verb in (verified, lists):
            found = judged(flips(files, number, 13), verb, UpliftLabError)
            sys.stdout.write(f"{verb.__name__}: {dict(found)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
