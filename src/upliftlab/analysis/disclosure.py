"""Disclosure: levels of so few units that a number would tell of single ones are shown together.

It is done once, before anything is estimated, so that no number, page or file can hold them. A
level is small where some arm has units there, but fewer than `smallest_cell`. All small levels of
a segment are one in every arm: dropped, they could be had back as the total less the others, and
so could a single one. Where they are together still too few, the next smallest level joins them.

Two segments may hold one another: bands of ages in fives and in tens, a city and its region. Then
what both leave to a few customers is the difference of their levels. Which cells of a table its
margins fix is known (Gusfield 1988): those whose edge is a bridge of the graph that joins every
two levels with a customer in common. Levels of a small cell of that kind are joined as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np

from upliftlab.analysis.aggregates import Aggregates, Slice, level_name
from upliftlab.queries.moments import Count, SliceMoments
from upliftlab.stats.moments import pool
from upliftlab.util.personal import free_name

Names = Mapping[str, Mapping[str, str]]
"""By segment, the level that each of its levels is shown as."""
Counts = Mapping[str, int]
"""Units by arm."""
_BRIDGE: Final = 1 - 1e-6
"""The resistance of an edge without a way round; with one it is at most 1 − 1 / (levels)."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The levels of one segment, some of them taken together.

    Attributes:
        levels: Units by arm of every level.
        joined: The levels that are shown as one.
    """

    levels: Mapping[str, Counts]
    joined: frozenset[str] = frozenset()

    def shown(self, level: str) -> str:
        """What a level is shown as."""
        return self.name if level in self.joined else level

    @property
    def name(self) -> str:
        """What the joined levels are called."""
        return free_name(frozenset(self.levels))

    def closed(self, smallest: int) -> Margin:
        """The margin with all small levels joined, and as many more as they need."""
        small = {level for level, counts in self.levels.items() if is_small(counts, smallest)}
        joined = self.joined | small
        rest = sorted(
            (level for level in self.levels if level not in joined),
            key=lambda level: (sum(self.levels[level].values()), level),
        )
        while rest and (len(joined) == 1 or is_small(self._together(joined), smallest)):
            joined |= {rest.pop(0)}
        return Margin(self.levels, joined)

    def with_level(self, level: str, smallest: int) -> Margin:
        """The margin with one more level joined, as it is shown."""
        added = self.joined if level == self.name else frozenset({level})
        joined = self.joined | added
        if joined == self.joined:  # the joined ones are meant: they take the next smallest along
            rest = set(self.levels) - joined
            least = min(rest, key=lambda each: (sum(self.levels[each].values()), each))
            joined |= {least}
        return Margin(self.levels, joined).closed(smallest)

    def _together(self, joined: Iterable[str]) -> Counts:
        return total(self.levels[level] for level in joined)


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown.

    Attributes:
        aggregates: Moments of every place, small levels taken together.
        names: What the levels are shown as, of segments where some are taken together.
    """

    aggregates: Aggregates
    names: Names = field(default_factory=dict[str, Mapping[str, str]])

    def joined(self, segment: str) -> tuple[str, int] | None:
        """What levels of a segment are called together, and how many; None where none are."""
        others = [shown for level, shown in self.names.get(segment, {}).items() if shown != level]
        return (others[0], len(others)) if others else None


Tables = Mapping[tuple[str, str], Mapping[tuple[str, str], Counts]]
"""By two segments, units by arm in every two of their levels that have some."""


def shown(aggregates: Aggregates, tables: Tables, smallest: int) -> Shown:
    """Aggregates in which no level is small, nor any cell that two segments' levels give away.

    Args:
        aggregates: Moments of every arm in every place.
        tables: Units by two segments.
        smallest: How many units of an arm a level has that is shown.
    """
    found: dict[str, dict[str, Counts]] = defaultdict(dict)
    for place, groups in aggregates.items():
        if place.dimension is not None and place.level is not None:
            counts = {arm: group.n for arm, group in groups.items()}
            found[place.dimension][place.level] = counts
    margins = joined({name: Margin(levels) for name, levels in found.items()}, tables, smallest)
    names = {
        segment: {level: margin.shown(level) for level in margin.levels}
        for segment, margin in margins.items()
        if margin.joined
    }
    return Shown(merged(aggregates, names), names)


def joined(margins: Mapping[str, Margin], tables: Tables, smallest: int) -> Mapping[str, Margin]:
    """Margins of which no small cell can be recovered, alone or two by two."""
    found = {name: margin.closed(smallest) for name, margin in margins.items()}
    while (told := next(_given_away(found, tables, smallest), None)) is not None:
        segment, level = told
        found[segment] = found[segment].with_level(level, smallest)
    return found


def is_small(counts: Counts, smallest: int) -> bool:
    """Whether some arm has units, but too few to be shown."""
    return any(0 < n < smallest for n in counts.values())


def total(parts: Iterable[Counts]) -> Counts:
    """Units by arm of several levels."""
    found: dict[str, int] = defaultdict(int)
    for counts in parts:
        for arm, n in counts.items():
            found[arm] += n
    return found


def _given_away(
    margins: Mapping[str, Margin], tables: Tables, smallest: int
) -> Iterator[tuple[str, str]]:
    """Levels, as shown, that with those of another segment fix a small cell."""
    for (one, other), table in tables.items():
        cells: dict[tuple[str, str], list[Counts]] = defaultdict(list)
        for (left, right), counts in table.items():
            cells[margins[one].shown(left), margins[other].shown(right)].append(counts)
        whole = {names: total(parts) for names, parts in cells.items()}
        small = {names for names, counts in whole.items() if is_small(counts, smallest)}
        for left, right in sorted(small & bridges(whole)) if small else ():
            if _several(margins[other]):
                yield other, right
            elif _several(margins[one]):
                yield one, left


def _several(margin: Margin) -> bool:
    """Whether there is another level to join."""
    return len(margin.levels) > len(margin.joined)


def bridges(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The cells of a table, of those with units, that its margins fix.

    As a network of unit resistors, an edge has the resistance 1 where no other way leads round it.
    """
    pairs = list(edges)
    left = {name: at for at, name in enumerate(dict.fromkeys(one for one, _ in pairs))}
    right = {name: at for at, name in enumerate(dict.fromkeys(two for _, two in pairs), len(left))}
    ends = np.array([(left[one], right[two]) for one, two in pairs], dtype=np.int64).T
    laplacian = np.zeros((len(left) + len(right),) * 2)
    laplacian[ends[0], ends[1]] = laplacian[ends[1], ends[0]] = -1.0
    np.fill_diagonal(laplacian, -laplacian.sum(axis=1))
    inverse = np.linalg.pinv(laplacian, rcond=1e-10, hermitian=True)
    own = np.diag(inverse)
    resistance = own[ends[0]] + own[ends[1]] - 2 * inverse[ends[0], ends[1]]
    return {pair for pair, value in zip(pairs, resistance, strict=True) if value > _BRIDGE}


def merged(aggregates: Aggregates, names: Names) -> Aggregates:
    """The aggregates with levels under the names they are shown as; joined ones come last."""
    places = list(aggregates)
    target = {place: shown_as(place, names) for place in places}
    order = [
        *dict.fromkeys(p for p in places if target[p] == p),
        *dict.fromkeys(target[p] for p in places if target[p] != p),
    ]
    parts: dict[Slice, list[Slice]] = defaultdict(list)
    for place in places:
        parts[target[place]].append(place)
    dimensions = list(dict.fromkeys(place.dimension for place in places))
    order.sort(key=lambda place: dimensions.index(place.dimension))
    return {
        place: aggregates[place]
        if parts[place] == [place]
        else {
            arm: pool([aggregates[part][arm] for part in parts[place] if arm in aggregates[part]])
            for arm in sorted({arm for part in parts[place] for arm in aggregates[part]})
        }
        for place in order
    }


def shown_as(place: Slice, names: Names) -> Slice:
    """Where a place's units are shown, as small levels are joined."""
    if place.dimension is None or place.level is None or place.dimension not in names:
        return place
    return Slice(place.dimension, names[place.dimension][place.level])


def tables_of(
    cells: Mapping[tuple[str, ...], Sequence[SliceMoments]],
    segments: Sequence[str],
    counted: Callable[[], Iterable[Count]],
) -> Tables:
    """Units by every two segments.

    Args:
        cells: Cells by the set of segments they were grouped by.
        segments: The segments.
        counted: Asks for the counts, where cells were grouped by one segment each.
    """
    found: dict[tuple[str, str], dict[tuple[str, str], dict[str, int]]] = {
        pair: defaultdict(lambda: defaultdict(int)) for pair in combinations(segments, 2)
    }
    if not found:
        return found
    if (whole := cells.get(tuple(segments))) is None:
        for count in counted():
            one, other = map(level_name, count.levels)
            found[count.segments][one, other][level_name(count.arm)] += count.n
        return found
    for cell in whole:
        for pair, table in found.items():
            one, other = (level_name(cell.levels[name]) for name in pair)
            table[one, other][level_name(cell.arm)] += cell.moments.n
    return found
