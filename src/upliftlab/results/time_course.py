"""The time course: how an effect grows with the days after the customers' starts."""

from __future__ import annotations

from upliftlab.results.base import Message, Note, Result
from upliftlab.results.estimands import EstimandKind


class TimePoint(Result):
    """An effect of everything that happened up to the end of a day after each unit's start.

    `low` and `high` are the ends of that day's own interval; those of the band hold at all days
    together.
    """

    day: int
    """How many days had passed; 0 is the start itself, with what is paid then."""
    estimate: float | None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    band_low: float | None = None
    band_high: float | None = None
    note: Note | None = None
    """Why a value is absent: one of `Note`."""


class TimeCurve(Result):
    """One effect of one arm, day by day."""

    kind: EstimandKind
    """`incremental_profit` of all treated units, or the headline's kind of difference per unit."""
    metric: str
    arm: str
    points: tuple[TimePoint, ...]
    """In order; days on which too few units changed to be told apart have none."""
    positive_from: int | None = None
    """The first day from which the estimate is not below 0 up to the last; None where it is."""
    certain_from: int | None = None
    """The first day from which the band lies above 0 up to the last; None where it does not."""


class Arrivals(Result):
    """Units whose time began on a day, or within the days up to the next entry."""

    day: str
    arms: dict[str, int]


class TimeCourse(Result):
    """Effects and arrivals over time; where there are none, why."""

    days: int = 0
    """Up to which day after its start every unit has been followed and is shown."""
    window: int = 0
    """How many days after the start outcomes count."""
    step: int = 1
    """How many days lie between two points."""
    final: bool = True
    """Whether the last day is that of the findings: all that counts has happened."""
    curves: tuple[TimeCurve, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()
    """Empty where all units start on one day."""
    absent: tuple[Message, ...] = ()
    """Why there is no curve, or not of everything."""
