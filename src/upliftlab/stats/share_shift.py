"""Did the arms' shares stay the same over time? A test given how many units started when.

Whatever the shares are, where every unit is drawn alike the arms of a period are a random part of
all units. Two questions are asked of the table arms × periods, given its margins: Pearson's (1900)
χ² of the whole table, which finds shares that go to and fro, and the largest χ² of the periods
before against those from a day on, over all days, which finds one change and its day. The largest
of k is allowed for by Bonferroni's bound k·p, and the smaller of both answers by twice it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from upliftlab.stats.integrity import sum_tail

FEWEST = 25
"""Units of the smallest arm that a period must be expected to hold: χ²'s tail is right then."""
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShareShift:
    """How the arms' shares moved.

    Attributes:
        statistic: χ² of arms × periods, over all groups.
        p: The chance of shares that move as much where all units are drawn alike.
        group: In which group the shares before and from a row on differ most.
        row: That row.
    """

    statistic: float
    p: float
    group: int
    row: int


def share_shift(groups: Sequence[Sequence[Sequence[int]]]) -> ShareShift | None:
    """Whether the shares of arms stay the same over the rows of each group.

    None where no group has two periods of enough units. Rows are taken together with the next
    until the smallest arm is expected to have 25 units.

    Args:
        groups: Within each, one row of units per arm for each day, in the order of days.

    >>> share_shift([[[900, 100], [890, 110], [100, 900]]]).row
    2
    >>> round(share_shift([[[900, 100], [890, 110], [905, 95]]]).p, 3)
    1.0
    """
    statistic, freedom, splits = 0.0, 0, 0
    best, where = (1.0, -1.0), (0, 0)
    for number, rows in enumerate(groups):
        counts, starts = _periods(np.array(rows, dtype=np.float64))
        if len(starts) < 2:  # noqa: PLR2004 - nothing to compare
            continue
        statistic += float(_pearson(counts))
        freedom += (len(counts) - 1) * (counts.shape[1] - 1)
        before = np.cumsum(counts, axis=0)[:-1]
        halves = _pearson(np.stack([before, counts.sum(axis=0) - before], axis=1))
        splits += len(halves)
        at = int(np.argmax(halves))
        largest = float(halves.max())
        found = sum_tail([largest], counts.shape[1] - 1), -largest
        if found < best:
            best, where = found, (number, starts[at + 1])
    if not splits:
        return None
    whole = sum_tail([statistic], freedom)
    return ShareShift(statistic, min(1.0, 2 * min(whole, splits * best[0])), *where)


def _periods(days: Counts) -> tuple[Counts, list[int]]:
    """Days taken together until each has enough units, of the arms that have any, and their rows.

    What is left over at the end belongs to the last period.
    """
    if days.size == 0:
        return days, []
    days = days[:, days.sum(axis=0) > 0]
    if days.shape[1] < 2:  # noqa: PLR2004 - one arm has all
        return days, []
    total = days.sum(axis=0)
    needed = FEWEST * total.sum() / total.min()
    starts, units = [0], 0.0
    for row, count in enumerate(days.sum(axis=1)):
        if units >= needed:
            starts.append(row)
            units = 0.0
        units += count
    if units < needed and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(days, starts, axis=0), starts


def _pearson(tables: Counts) -> Counts:
    """χ² of tables of counts, the last two axes being those of a table."""
    rows, columns = tables.sum(axis=-1, keepdims=True), tables.sum(axis=-2, keepdims=True)
    expected = rows * columns / tables.sum(axis=(-2, -1), keepdims=True)
    return np.asarray(((tables - expected) ** 2 / expected).sum(axis=(-2, -1)))
