"""Wall clocks in SQL: what a clock of one time zone shows when that of another shows a time.

Engines carry time zone tables of different ages, or none. So the changes of a zone's offset are
looked up here, for the years that matter, and written into the query: every engine then tells
the same time. Times that occur twice (clocks put back) are the first of the two; times that do
not occur (clocks put forward) are counted from before the change, so that a day which begins
without a midnight begins at the change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from upliftlab.config.models.values import Hours
from upliftlab.util.sql import literal

INSTANTS = "UTC"
"""The clock on which instants are read."""
_DAY = timedelta(days=1)
_MARGIN = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last time, on any clock, that a query converts."""

    first: datetime
    last: datetime

    def widened(self, low: timedelta, high: timedelta) -> Span:
        """The span of its times moved by anything between `low` and `high`."""
        return Span(
            self.first + min(low, timedelta(0)) - _MARGIN,
            self.last + max(high, timedelta(0)) + _MARGIN,
        )


@dataclass(frozen=True, slots=True)
class OffsetChange:
    """A zone's offset to UTC changes: when (in UTC), and from what to what."""

    at: datetime
    before: timedelta
    after: timedelta


def time_literal(moment: datetime) -> str:
    """A time without zone as an SQL literal.

    >>> time_literal(datetime(2026, 3, 2))
    "CAST('2026-03-02 00:00:00' AS TIMESTAMP)"
    """
    return f"CAST({literal(moment.isoformat(sep=' '))} AS TIMESTAMP)"


def later(time: str, by: timedelta) -> str:
    """A time in SQL, moved by a fixed length.

    >>> later("t", timedelta(days=28)), later("t", timedelta(hours=-1))
    ("t + INTERVAL '28' DAY", "t - INTERVAL '3600' SECOND")
    """
    if not by:
        return time
    sign = "+" if by > timedelta(0) else "-"
    size = abs(by)
    if size % _DAY == timedelta(0):
        return f"{time} {sign} INTERVAL '{size // _DAY}' DAY"
    return f"{time} {sign} INTERVAL '{size // timedelta(seconds=1)}' SECOND"


def converted(time: str, source: str, target: str, span: Span) -> str:
    """What the clock of zone `target` shows when that of zone `source` shows `time`.

    >>> converted("t", "UTC", "Asia/Shanghai", Span(datetime(2026, 1, 1), datetime(2026, 2, 1)))
    "t + INTERVAL '28800' SECOND"
    """
    if source == target:
        return time
    return _from_utc(_to_utc(time, source, span), target, span)


def moved(time: str, by: timedelta, zone: str, span: Span) -> str:
    """A time of a zone's clock, `by` later.

    Days later it is the same hour of the day; hours later, so many hours have passed.
    """
    if not in_hours(by):
        return later(time, by)
    return _from_utc(later(_to_utc(time, zone, span), by), zone, span)


def in_hours(length: timedelta) -> bool:
    """Whether a length is one of hours passed, as it is written or because it is no whole days.

    >>> in_hours(Hours(hours=168)), in_hours(timedelta(days=7))
    (True, False)
    """
    return isinstance(length, Hours) or length % _DAY != timedelta(0)


def passed(time: datetime, by: timedelta, zone: str) -> datetime:
    """`moved` for one time, in Python.

    >>> str(passed(datetime(2026, 3, 28), timedelta(hours=36), "Europe/Berlin"))
    '2026-03-29 13:00:00'
    """
    if not in_hours(by):
        return time + by
    utc = time.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) + by
    return utc.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def last_passed(time: datetime, lengths: Iterable[timedelta], zone: str) -> datetime | None:
    """The last of the times at which some lengths have passed; None where there are none.

    As long as 168 hours and 7 days are, either may be over first where clocks change.
    """
    return max((passed(time, length, zone) for length in lengths), default=None)


def changes(zone: str, span: Span) -> list[OffsetChange]:
    """A zone's changes of offset within a span, in order.

    >>> year = Span(datetime(2026, 1, 1), datetime(2027, 1, 1))
    >>> [str(change.at) for change in changes("Europe/Berlin", year)]
    ['2026-03-29 01:00:00', '2026-10-25 01:00:00']
    """
    return list(_changes(ZoneInfo(zone), span))


def _changes(zone: ZoneInfo, span: Span) -> Iterator[OffsetChange]:
    days = (span.last - span.first) // _DAY + 2
    ticks = (span.first.replace(microsecond=0) + day * _DAY for day in range(days))
    for low, high in pairwise(ticks):
        before, after = _offset(zone, low), _offset(zone, high)
        if before != after:
            yield OffsetChange(_when(zone, low, high), before, after)


def _when(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second at which the offset changes between two times that differ in it."""
    before = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def _offset(zone: ZoneInfo, utc: datetime) -> timedelta:
    return utc.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta(0)


def _to_utc(time: str, zone: str, span: Span) -> str:
    first, found = -_offset(ZoneInfo(zone), span.first), changes(zone, span)
    cases = [(c.at + max(c.before, c.after), -c.after) for c in found]
    return _by_cases(time, first, cases)


def _from_utc(time: str, zone: str, span: Span) -> str:
    first, found = _offset(ZoneInfo(zone), span.first), changes(zone, span)
    return _by_cases(time, first, [(c.at, c.after) for c in found])


def _by_cases(time: str, first: timedelta, cases: list[tuple[datetime, timedelta]]) -> str:
    """A time moved by `first`, and from each limit on by what stands beside it."""
    if not cases:
        return later(time, first)
    moves = [first, *(by for _, by in cases)]
    whens = " ".join(
        f"WHEN {time} < {time_literal(end)} THEN {later(time, by)}"
        for (end, _), by in zip(cases, moves, strict=False)
    )
    return f"CASE {whens} ELSE {later(time, moves[-1])} END"
