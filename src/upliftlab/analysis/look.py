"""The look of an analysis: which of the planned looks at the data it is, or too early for any.

Outcomes are read at the declared times after the last customer's start and, last of all, when the
longest window has closed. What counts is what happened up to the latest of these times that has
passed, reckoned from each customer's own start: read on the day or a week later, it is the same
look at the same numbers. Before the first of them the data may be read at any moment, and as often
as one likes: then everything counts, and intervals allow for it (`Anytime`).

The information of a look is taken as its share of the planned time. docs/statistics.md says when
that is safe.
"""
# ruff: noqa: S608 - the frame's own relation and columns

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scipy.special import ndtri

from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.queries.clock import Span, passed
from upliftlab.queries.population import AnalysisPopulation
from upliftlab.results.analysis import LookInfo, Message, Scalar
from upliftlab.stats.level import InterimLook, Level
from upliftlab.stats.sequential import Anytime, Declared, tuned_rho
from upliftlab.text.language import N_, Language

_ENGLISH = Language("en")
_NOTHING, _HOUR = timedelta(0), timedelta(hours=1)
_BARELY = 1e-9
"""Share of the planned time at which no level is low enough: for before anything has happened."""


@dataclass(frozen=True, slots=True)
class LookSchedule:
    """When an analysis happens, seen from its customers' starts.

    Attributes:
        times: The looks, as times after a start; empty where nothing tells starts or windows.
        due: When each is due, on the program's clock.
        number: How many of them were due by now: which look this is, 0 before the first.
        elapsed: Share of the customers' planned time that has passed, where it is too early.
        begins: The first customer's start; None where nothing tells starts.
        filled: The table of events that ends first by its own declaration, and its last day, where
            that is before the analysis: what happened later does not count as known.
        last: The last customer's start, likewise.
        followed: How long every customer has been followed, where it is too early.
    """

    times: tuple[timedelta, ...] = ()
    due: tuple[datetime, ...] = ()
    number: int = 0
    elapsed: float = 0.0
    begins: datetime | None = None
    filled: tuple[str, date] | None = None
    followed: timedelta | None = None
    last: datetime | None = None

    @property
    def early(self) -> bool:
        """Whether no look is due yet."""
        return bool(self.due) and not self.number

    @property
    def interim(self) -> bool:
        """Whether this is a look before the last."""
        return 0 < self.number < len(self.due)

    @property
    def declared(self) -> bool:
        """Whether several looks were planned."""
        return len(self.due) > 1

    @property
    def repeated(self) -> bool:
        """Whether the data may have been read before."""
        return self.early or self.declared

    @property
    def closes(self) -> datetime | None:
        """When this look, or the first, is due; None where that is not known."""
        return self.due[max(self.number - 1, 0)] if self.due else None

    @property
    def fraction(self) -> float:
        """Share of the planned information."""
        return self.elapsed if self.early else self.times[self.number - 1] / self.times[-1]

    def look(self, alpha: float) -> InterimLook | None:
        """At which levels intervals are made, for all looks to err at most `alpha`."""
        if not self.repeated:
            return None
        if self.early:
            return Anytime(max(self.elapsed, _BARELY), tuned_rho(1.0, alpha))
        last = self.times[-1]
        return Declared(tuple(t / last for t in self.times[: self.number]), "obrien_fleming")

    def counted(self, plan: Plan) -> Plan:
        """The plan whose windows end with this look."""
        return cut(plan, self.times[self.number - 1]) if self.interim else plan

    def info(self, confidence: float) -> LookInfo | None:
        """What is told of the look; None where the data are read once and in time."""
        if not self.repeated:
            return None
        nominal = Level(confidence, self.look(1 - confidence)).nominal
        critical = -float(ndtri(nominal / 2)) if nominal > 0 else None
        following = self.due[self.number] if self.number < len(self.due) else None
        day = None if following is None else following.date().isoformat()
        parts = self._told(critical)
        return LookInfo(
            number=self.number,
            planned=len(self.due),
            fraction=self.fraction,
            nominal=nominal,
            critical=critical,
            days=self.times[self.number - 1] / timedelta(days=1) if self.interim else None,
            following=day,
            message=_ENGLISH.say(parts, None),
            parts=parts,
        )

    def _told(self, critical: float | None) -> Message:
        if self.early:
            text = N_(
                "The data are read early: {fraction:percent} of the planned time has passed. "
                "Intervals are wide, because they hold however often one looks."
            )
            return Message(template=text, values={"fraction": self.fraction})
        values: dict[str, Scalar] = {
            "number": self.number,
            "planned": len(self.due),
            "fraction": self.fraction,
        }
        if critical is None:
            text = N_(
                "Look {number:count} of {planned:count}, at {fraction:percent} of the planned "
                "time: too early to decide anything."
            )
            return Message(template=text, values=values)
        text = N_(
            "Look {number:count} of {planned:count}, at {fraction:percent} of the planned time. "
            "As there are several, intervals reach about {critical:number} standard errors "
            "each way."
        )
        return Message(template=text, values={**values, "critical": critical})


def look_times(plan: Plan) -> tuple[timedelta, ...]:
    """When outcomes are read, after a start: the declared looks and the longest window's end."""
    times = [*plan.experiment.analysis.looks, *filter(None, [plan.longest_window])]
    return tuple(sorted({time / _HOUR: time for time in times}.values()))


def cut(plan: Plan, until: timedelta) -> Plan:
    """The plan with every metric's window ended by a time after the start."""
    metrics = {
        name: metric
        if metric.during is None
        else metric.model_copy(update={"during": (metric.during[0], min(metric.during[1], until))})
        for name, metric in plan.metrics.items()
    }
    return plan.model_copy(update={"metrics": metrics})


def occasion_of(
    plan: Plan, frame: tuple[AnalysisPopulation, Span | None], engine: Engine, now: datetime | None
) -> LookSchedule:
    """The look schedule of an analysis.

    Args:
        plan: The windows and the declared looks.
        frame: Who is analysed, and the first and last start where they are known.
        engine: Where the data lie.
        now: The moment of the analysis on the program's clock; None where everything is to be
            read as if it were over.
    """
    (found, span), times = frame, look_times(plan)
    if span is None or plan.longest_window is None:
        return LookSchedule(begins=span and span.first, last=span and span.last)
    now, filled = _filled(plan, now)
    zone = plan.program.time_zone
    due = [passed(span.last, time, zone) for time in times]
    due[-1] = max(due[-1], *(passed(span.last, window, zone) for window in plan.windows))
    number = len(due) if now is None else sum(day <= now for day in due)
    if number or now is None:
        return LookSchedule(
            times, tuple(due), number, begins=span.first, filled=filled, last=span.last
        )
    elapsed = _elapsed(found, engine, now, times[-1])
    followed = now - span.last
    return LookSchedule(times, tuple(due), 0, elapsed, span.first, filled, followed, span.last)


def _filled(plan: Plan, now: datetime | None) -> tuple[datetime | None, tuple[str, date] | None]:
    """Up to when outcomes are on record, and the table that says so; else now, and None."""
    counted = dict.fromkeys(metric.source for metric in plan.metrics.values() if metric.during)
    ends = {
        name: end
        for name in counted
        if name is not None and (end := filled_until(plan, name, plan.program.time_zone))
    }
    first = min(ends, key=lambda name: ends[name], default=None)
    day = plan.sources[first].complete_until if first else None
    if now is None or first is None or day is None or ends[first] >= now:
        return now, None
    return ends[first], (first, day)


def filled_until(plan: Plan, name: str, zone: str) -> datetime | None:
    """The end of the day up to which a table is declared complete, on the clock of a zone."""
    source = plan.sources[name]
    if source.complete_until is None:
        return None
    own = ZoneInfo(source.zone or plan.program.time_zone)
    end = datetime.combine(source.complete_until + timedelta(days=1), time(), own)
    return end.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _elapsed(frame: AnalysisPopulation, engine: Engine, now: datetime, window: timedelta) -> float:
    """Share of all customers' windows that has passed; those of a day start with its last one."""
    rows = engine.query(
        "SELECT MAX(t) AS t, COUNT(*) AS n FROM"
        f" (SELECT {frame.own['start']} AS t FROM {frame.relation}) AS starts"
        " GROUP BY CAST(t AS DATE)"
    ).to_pylist()
    total = sum(row["n"] for row in rows)
    spent = sum(row["n"] * (min(max(now - row["t"], _NOTHING), window) / window) for row in rows)
    return spent / total if total else 0.0
