"""Are the tables of events complete, of known customers, in one currency and on one clock?"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from upliftlab.analysis.checks.contamination import contacts_meant
from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.analysis.checks.on_record import cost_record, naming
from upliftlab.analysis.event_tables import EventReading, Repeats
from upliftlab.analysis.look import filled_until
from upliftlab.analysis.population import CUSTOMERS
from upliftlab.config.models.experiment import Plan
from upliftlab.queries.clock import INSTANTS, Span, converted, last_passed, moved, time_literal
from upliftlab.queries.events import conditions_of, limits
from upliftlab.queries.spelling import CHANCE, SENTENCES, NearMatches, near_matches
from upliftlab.queries.times import time_column
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.integrity import clock_shift, quiet_hours
from upliftlab.text.language import N_
from upliftlab.util.personal import shape
from upliftlab.util.sql import quote

STRANGERS = 0.01
"""A larger share of events without a known customer is more than orders by guests."""
ALIKE = 0.05
"""A larger share of events that are alike in all that counts is more than chance."""
SILENCE = 3.0
"""Days without an event, from which a table may be cut short: a weekend is not enough."""
FEW = 500
"""With fewer events, nothing is said of the hours at which they happen."""
SURE = 10.0
"""Gain in log-likelihood from which a shift of the clock is believed."""
QUIET = 0.1
"""Where the quietest quarter of the day holds a larger share of events, there is no night."""
NIGHT = (20, 4)
"""The first and last hour at which a night of six hours begins."""
_TICK = timedelta(microseconds=1)
_CODE = re.compile("[A-Z]{3}")
_NAMED = 5


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What a table of events is like, beside its tallies.

    Attributes:
        rows: Events of this experiment in the time that matters.
        total: Rows of the table.
        unknown: Those of nobody in the customers' table.
        near: Those of nobody that nearly match somebody; None where there are none.
        repeats: Rows with the key of another.
        late: Events in their customer's window that became known after it; None where no
            column says when.
        foreign: Events in another currency by its code; None where no column names it, or no
            amount counts.
        alike: Of the last week's events without a key, the share that says what another says.
        first: The first event; None where there is none.
        last: The last event; None where there is none.
        reaches: How far back events are looked for; None where all are.
        closes: The end of the last customer's window, on the events' clock.
        filled: Up to when the table is declared complete, on the events' clock; None where it is
            not.
        recent: Events in the seven days up to the last one.
        hours: Events by hour of the day before the starts, and after; empty without times of day.
    """

    rows: int
    total: int
    unknown: int
    near: NearMatches | None
    repeats: Repeats
    late: int | None
    foreign: Mapping[str, int] | None
    first: datetime | None
    last: datetime | None
    reaches: datetime | None
    closes: datetime | None
    recent: int
    alike: float | None = None
    hours: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    filled: datetime | None = None

    @property
    def declared(self) -> bool:
        """Whether the table is declared complete up to the end of the last window."""
        if self.filled is None or self.closes is None:
            return False
        return self.closes <= self.filled


def event_facts(look: EventReading) -> EventFacts:
    """What a table of events is like."""
    events = look.events
    conditions = conditions_of(events, *limits(look.starts, look.tallies))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    row = look.engine.query(
        f"SELECT COUNT(*) AS n, MIN({events.time}) AS first, MAX({events.time}) AS last,"
        f" COUNT({events.time}) AS timed FROM {events.table}{where}"
    ).to_pylist()[0]
    unknown = row["n"] - _known(look, where)
    closes = _closes(look)
    return EventFacts(
        rows=row["n"],
        total=_one(look, f"SELECT COUNT(*) AS n FROM {look.given.table}"),
        unknown=unknown,
        near=_near(look, where) if unknown else None,
        repeats=look.repeats,
        late=_late(look),
        foreign=_foreign(look, where),
        first=row["first"],
        last=row["last"],
        reaches=_reaches(look),
        closes=closes,
        recent=_recent(look, row["last"], where),
        alike=_alike(look, row["last"], where),
        hours=_hours(look),
        filled=filled_until(look.plan, look.events.name, look.events.clock),
    )


def _foreign(look: EventReading, where: str) -> Mapping[str, int] | None:
    """Events whose money counts, by a currency that is not the experiment's, else not most's."""
    column, money = look.events.source.currency, [t for t in look.tallies if t.column]
    if column is None or not money:
        return None
    counts = {tally.where for tally in money}
    if None not in counts:
        kept = " OR ".join(f"({look.events.condition(each)})" for each in counts if each)
        where = f"{where} AND ({kept})" if where else f" WHERE {kept}"
    rows = look.engine.query(
        f"SELECT CAST({quote(column)} AS VARCHAR) AS name, COUNT(*) AS n"
        f" FROM {look.events.table}{where} GROUP BY 1"
    ).to_pylist()
    found = {row["name"]: row["n"] for row in rows}
    most = max(found, key=lambda name: found[name], default=None)
    expected = look.plan.currency or most
    return {_currency_name(name): n for name, n in found.items() if name != expected}


def _currency_name(value: str | None) -> str:
    """A currency's code, which is no customer's value; of anything else its form."""
    if value is None or not value.strip():
        return "(none)"
    return value if _CODE.fullmatch(value) else shape(value)


def _alike(look: EventReading, last: datetime | None, where: str) -> float | None:
    """Of the last week's events without a key, the share that says what another says already."""
    if last is None or look.events.source.key is not None:
        return None
    used = dict.fromkeys([look.events.id, look.events.source.time or ""])
    used |= dict.fromkeys(t.column for t in look.tallies if t.column is not None)
    listed = ", ".join(map(quote, used))
    rows = f"SELECT {listed} FROM {look.events.table}{_last_week(look, last, where)}"
    row = look.engine.query(
        f"SELECT (SELECT COUNT(*) FROM ({rows}) AS a) AS n,"
        f" (SELECT COUNT(*) FROM (SELECT DISTINCT {listed} FROM ({rows}) AS b) AS c) AS different"
    ).to_pylist()[0]
    return 1 - row["different"] / row["n"] if row["n"] else 0.0


def _known(look: EventReading, where: str) -> int:
    """Events of somebody in the customers' table."""
    inner = f"SELECT {_id(look)} AS id FROM {look.events.table}{where}"
    return _one(
        look,
        f"SELECT COUNT(*) AS n FROM ({inner}) AS e WHERE EXISTS"
        f" (SELECT 1 FROM {CUSTOMERS} AS c WHERE {_customer(look)} = e.id)",
    )


def _near(look: EventReading, where: str) -> NearMatches | None:
    """Events of nobody that nearly match somebody: only texts are written in several ways."""
    theirs, own = look.events.ids, look.starts.ids
    if "text" not in (theirs.kind, own.kind):
        return None
    rows = f"SELECT {theirs.text(quote(look.events.id))} AS id FROM {look.events.table}{where}"
    key = own.text(quote(look.plan.customers.id or ""))
    return near_matches(look.engine, rows, f"SELECT {key} AS id FROM {CUSTOMERS}")


def _id(look: EventReading) -> str:
    return look.starts.customer_of(look.events)


def _customer(look: EventReading) -> str:
    return look.starts.customer(f"c.{quote(look.plan.customers.id or '')}", look.events)


def _outcome(look: EventReading) -> timedelta | None:
    """The end of the longest window after the start; None where all lie before it."""
    return max(_outcomes(look), default=None)


def _outcomes(look: EventReading) -> list[timedelta]:
    """The ends of the windows after the start."""
    ends = (tally.window.high for tally in look.tallies if tally.window.anchor == "start")
    return [end for end in ends if end is not None and end > timedelta(0)]


def _reaches(look: EventReading) -> datetime | None:
    """The beginning of the longest window before the start, the day it lies in counted whole."""
    lows = [tally.window.low for tally in look.tallies]
    known = [low for low in lows if low is not None]
    if len(known) < len(lows):
        return None
    return look.starts.span.first + min(*known, timedelta(0)) + timedelta(days=1)


def _closes(look: EventReading) -> datetime | None:
    zone, clock = look.starts.zone, look.events.clock
    last = last_passed(look.starts.span.last, _outcomes(look), zone)
    if last is None:
        return None
    instant = last.replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo(clock))
    return instant.replace(tzinfo=None)


def _late(look: EventReading) -> int | None:
    """Events in their customer's outcome window that became known after it had closed."""
    column, end = look.events.source.recorded, _outcome(look)
    if column is None or end is None:
        return None
    events, zone = look.given, look.starts.zone
    wide = look.starts.span.widened(timedelta(0), end)
    low = converted("start", zone, events.clock, wide)
    high = converted(moved("start", end, zone, wide), zone, events.clock, wide)
    key = look.starts.customer("id", events)
    own = f" WHERE {events.own}" if events.own else ""
    recorded = time_column(
        column, events.columns, events.source, look.engine, f"{events.table} AS c"
    )
    known, clock = recorded.sql, INSTANTS if recorded.instants else events.zone
    known = converted(known, clock, events.clock, wide)
    return _one(
        look,
        f"SELECT COUNT(*) AS n FROM (SELECT {key} AS id, {low} AS low, {high} AS high"
        f" FROM {look.starts.table}) AS u JOIN (SELECT {_id(look)} AS id, {events.time} AS t,"
        f" {known} AS known FROM {events.table}{own}) AS e ON e.id = u.id"
        " WHERE e.t >= u.low AND e.t < u.high AND e.known >= u.high",
    )


def _recent(look: EventReading, last: datetime | None, where: str) -> int:
    if last is None:
        return 0
    week = _last_week(look, last, where)
    return _one(look, f"SELECT COUNT(*) AS n FROM {look.events.table}{week}")


def _last_week(look: EventReading, last: datetime, where: str) -> str:
    week = f"{look.events.time} > {time_literal(last - timedelta(days=7))}"
    return f"{where} AND {week}" if where else f" WHERE {week}"


def _hours(look: EventReading) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Events by hour of the day, before the first start and after it."""
    events, span, end = look.events, look.starts.span, _outcome(look)
    if end is None or events.columns[events.source.time or ""] == "date":
        return None
    wide = Span(span.first - end, span.last + end).widened(timedelta(0), timedelta(0))
    shown = converted("t", events.clock, look.starts.zone, wide)
    conditions = conditions_of(events, wide.first, wide.last)
    inner = f"SELECT {events.time} AS t FROM {events.table} WHERE {' AND '.join(conditions)}"
    rows = look.engine.query(
        f"SELECT CAST(EXTRACT(hour FROM h) AS INTEGER) AS hour, CASE WHEN h <"
        f" {time_literal(span.first)} THEN 0 ELSE 1 END AS half, COUNT(*) AS n"
        f" FROM (SELECT {shown} AS h FROM ({inner}) AS e) AS shown GROUP BY 1, 2"
    ).to_pylist()
    found = [[0] * 24, [0] * 24]
    for row in rows:
        found[row["half"]][row["hour"]] = row["n"]
    return tuple(found[0]), tuple(found[1])


def _one(look: EventReading, sql: str) -> int:
    """The only number, called `n`, of a query."""
    return int(look.engine.query(sql).to_pylist()[0]["n"])


@Fact
def events(data: FactInputs) -> Mapping[str, EventFacts] | None:
    """What each table of events is like."""
    return {look.events.name: event_facts(look) for look in data.events}


def _each(
    judge: Callable[[Plan, str, EventFacts], Iterable[CheckAnswer]],
) -> Callable[[CheckInputs], Iterator[CheckAnswer]]:
    """A judge of one table asked of every table."""

    def judged(inputs: CheckInputs) -> Iterator[CheckAnswer]:
        for name, found in (inputs.facts.of(events) or {}).items():
            yield from judge(inputs.plan, name, found)

    return judged


def _steady(plan: Plan, name: str) -> bool:
    """Whether events come all the time, not in bursts that the campaign itself brings about."""
    money = plan.experiment.money
    named = (money.contacts, money.redemptions) if money else ()
    sent = {plan.metrics[metric].source for metric in named if metric is not None}
    return plan.sources[name].experiment is None and name not in sent


def _of_contacts(plan: Plan, name: str) -> bool:
    """Whether a table tells contacts, and some arm is contacted."""
    money = plan.experiment.money
    counted = plan.metrics[money.contacts].source if money and money.contacts else None
    return name == counted and any(contacts_meant(plan, arm) for arm in plan.treatments)


def _duplicates(plan: Plan, name: str, found: EventFacts) -> Iterator[CheckAnswer]:
    key, values = plan.sources[name].key, dict[str, Scalar]({"source": name})
    if found.alike is not None and found.alike > ALIKE:
        text = N_(
            "{share:percent} of the last week's events of {source} say what another says already: "
            "were they loaded twice? Declare the column that identifies an event as 'key'."
        )
        values["share"] = found.alike
        yield CheckAnswer(
            passed=False, text=text, values=values, subjects=(name,), value=found.alike
        )
    elif key is None:
        text = N_("Not asked: no column identifies the events of {source}.")
        yield unasked(text, values, (name,))
    elif plan.sources[name].repeats == "each":
        text = N_("Not asked: every row of {source} is declared to count, also of one key.")
        yield unasked(text, values, (name,))
    elif not found.repeats.rows:
        text = N_("No event of {source} is there twice.")
        yield CheckAnswer(passed=True, text=text, values=values, subjects=(name,), value=0.0)
    else:
        severity, count, text = _repeated(found.repeats)
        values |= {"count": count, "key": ", ".join(key)}
        yield CheckAnswer(
            passed=False,
            text=text,
            values=values,
            subjects=(name,),
            severity=severity,
            value=count,
        )


def _repeated(found: Repeats) -> tuple[Severity, int, str]:
    """What rows with the key of another mean, how many they are, and what is said of them.

    Lines of one order that are alike look as an order that was loaded twice. Which of them they
    are, nobody but who made the table can tell.
    """
    if differing := max(found.contradicting, found.lines or 0):
        text = N_(
            "{count:count} rows of {source} have the '{key}' of another and differ from it: it "
            "identifies an order, not a line. Declare all that identifies a line: key: [{key}, "
            "COLUMN]; where the rows were loaded twice all the same, load each once."
        )
        return Severity.critical, differing, text
    if found.lines is not None:
        text = N_(
            "{count:count} rows of {source} have the '{key}' of another and are like it in every "
            "column: nothing tells whether they were loaded twice or are equal lines of an order. "
            "Declare 'repeats: once' or 'repeats: each' under {source}, or a column that tells "
            "lines apart: key: [{key}, COLUMN]."
        )
        return Severity.critical, found.rows, text
    text = N_("{count:count} events of {source} were there twice and are counted once.")
    return Severity.warning, found.rows, text


DUPLICATES = CheckDefinition(
    name="duplicates",
    title=N_("Events counted once"),
    severity=Severity.warning,
    judge=_each(_duplicates),
    facts=(events,),
)


def _unknown(_: Plan, name: str, found: EventFacts) -> Iterator[CheckAnswer]:
    share = found.unknown / found.rows if found.rows else 0.0
    values: dict[str, Scalar] = {"source": name, "count": found.unknown, "share": share}
    severity = Severity.warning
    passed = False
    near = found.near
    if near and (near.spelling == "spaces" or near.count > CHANCE * found.rows):
        severity = Severity.critical
        text = SENTENCES[near.spelling]
        values = {"source": name, "count": near.count}
        if "{table}" in text:
            values["table"] = "customers" if near.customers else name
    elif found.rows and found.unknown == found.rows:
        severity = Severity.critical
        text = N_("No event of {source} is of a known customer: are the ids written alike?")
        values = {"source": name}
    elif share > STRANGERS:
        text = N_("{count:count} events of {source} ({share:percent}) are of unknown customers.")
    elif found.unknown:
        passed = True
        text = N_(
            "Nearly all events of {source} are of known customers; {count:count} "
            "({share:percent}) are not."
        )
    else:
        passed = True
        values = {"source": name}
        text = N_("All events of {source} are of known customers.")
    yield CheckAnswer(passed, text, values, (name,), severity, found.unknown)


UNKNOWN_CUSTOMERS = CheckDefinition(
    name="unknown_customers",
    title=N_("Events of known customers"),
    severity=Severity.warning,
    judge=_each(_unknown),
    facts=(events,),
)


def _late_ones(_: Plan, name: str, found: EventFacts) -> Iterator[CheckAnswer]:
    if found.late is None:
        return
    values: dict[str, Scalar] = {"source": name}
    text = N_("No event of {source} became known late.")
    if found.late:
        values["count"] = found.late
        text = N_(
            "{count:count} events of {source} became known only after their customer's window had "
            "closed; they are counted."
        )
    yield CheckAnswer(found.late == 0, text, values, (name,), value=found.late)


LATE = CheckDefinition(
    name="late",
    title=N_("Events in time"),
    severity=Severity.info,
    judge=_each(_late_ones),
    facts=(events,),
)


def _currency(_: Plan, name: str, found: EventFacts) -> Iterator[CheckAnswer]:
    if (foreign := found.foreign) is None:
        return
    count, values = sum(foreign.values()), dict[str, Scalar](source=name)
    text = N_("All events of {source} are in one currency.")
    if foreign:
        named = sorted(foreign, key=lambda each: (-foreign[each], each))[:_NAMED]
        values |= {"count": count, "currencies": ", ".join(named)}
        text = N_("{count:count} events of {source} are in another currency: {currencies}.")
    yield CheckAnswer(not count, text, values, (name,), value=count)


CURRENCY = CheckDefinition(
    name="currency",
    title=N_("One currency"),
    severity=Severity.critical,
    judge=_each(_currency),
    facts=(events,),
)


def _completeness(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Asked once the last window has closed: before, no table can be complete."""
    if not inputs.schedule.early:
        yield from _each(_complete)(inputs)


def _complete(plan: Plan, name: str, found: EventFacts) -> Iterator[CheckAnswer]:
    """Whether events go on to the end of the last window, by how many come in a week."""
    if found.closes is None:
        return
    if found.filled is not None:
        yield _declared(plan, name, passed=found.declared)
        return
    if found.last is None or not _steady(plan, name):  # the first is said by `presence`
        return
    gap = max(found.closes - found.last, timedelta(0)) / timedelta(days=1)
    silent = math.exp(-found.recent / 7 * gap)
    last_day = (found.closes - _TICK).date()
    values: dict[str, Scalar] = {"source": name, "date": found.last.date().isoformat()}
    passed = gap < SILENCE or silent >= IMPLAUSIBLE
    if passed:
        text = N_("Events of {source} go on to the end of the outcome window.")
        values = {"source": name}
    else:
        values["line"] = f"complete_until: {last_day}"
        text = N_(
            "The last event of {source} is of {date:date}, before the outcome window closed. Bring "
            "the later ones along; if there were none, write '{line}' under {source} in "
            "configs/sources.yaml."
        )
    yield CheckAnswer(passed, text, values, (name,), value=gap, p=silent)


def _declared(plan: Plan, name: str, *, passed: bool) -> CheckAnswer:
    """What is said of a table whose last day is declared, whatever its last event is."""
    day = plan.sources[name].complete_until
    text = N_("Events of {source} are declared complete up to {date:date}, as far as they count.")
    if not passed:
        text = N_(
            "Events of {source} are declared complete up to {date:date}, before the outcome window "
            "closed ('complete_until')."
        )
    values: dict[str, Scalar] = {"source": name, "date": "" if day is None else day.isoformat()}
    return CheckAnswer(passed, text, values, (name,))


COMPLETENESS = CheckDefinition(
    name="completeness",
    title=N_("Events complete"),
    severity=Severity.critical,
    judge=_completeness,
    facts=(events,),
)


def _clock(plan: Plan, name: str, found: EventFacts) -> Iterator[CheckAnswer]:
    """Whether events happen by day, and at the same hours before and after."""
    if found.hours is None or not _steady(plan, name):
        return
    before, after = found.hours
    total = [one + other for one, other in zip(before, after, strict=True)]
    if sum(total) < FEW or quiet_hours(total)[1] > QUIET or max(total) == sum(total):
        return
    start = quiet_hours(total)[0]
    shift, gain = clock_shift(before, after) if min(sum(before), sum(after)) >= FEW else (0, 0.0)
    passed, measured = False, float(shift)
    values: dict[str, Scalar] = {"source": name}
    if shift and gain > SURE:
        values["hours"] = shift
        text = N_(
            "Events of {source} happen at hours that moved by {hours:number} since the start: was "
            "their time zone changed?"
        )
    elif NIGHT[1] < start < NIGHT[0]:
        values["hour"], measured = start, float(start)
        text = N_(
            "The quietest hours of {source} begin at {hour:count} o'clock: are its times in the "
            "declared time zone?"
        )
    else:
        passed = True
        text = N_("Events of {source} happen by day, at the same hours before and after the start.")
    yield CheckAnswer(passed, text, values, (name,), value=measured)


def _presence(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether there is anything to count; asked only to say that there is not.

    Before the last window has closed events may still come. Afterwards nobody may have redeemed
    anything, but a table without a single row was not filled, unless it is declared complete; and
    who has a channel was contacted.
    """
    record = inputs.facts.of(cost_record)
    for name, found in (inputs.facts.of(events) or {}).items():
        if found.rows:
            continue
        severity = Severity.warning if inputs.schedule.due else Severity.info
        closed = bool(inputs.schedule.due) and not inputs.schedule.early
        empty = (not found.total or _steady(inputs.plan, name)) and not found.declared
        if closed and (empty or _of_contacts(inputs.plan, name)):
            severity = Severity.critical
        values: dict[str, Scalar] = {"source": name}
        column = inputs.plan.sources[name].experiment
        text = N_("There is no event of {source} in the time that is analysed.")
        if not found.total:
            text = N_("The table of {source} holds no rows: nothing is counted from it.")
        elif column is not None:
            values["column"] = column
            text = N_(
                "No row of {source} names this experiment in '{column}', in the time that is "
                "analysed: nothing is counted from it."
            )
        if (
            column is not None
            and record is not None
            and (names := record.names(name, inputs.plan.control))
        ):
            values |= naming(inputs.plan, names)
            text = N_(
                "No row of {source} names this experiment in '{column}', in the time that is "
                "analysed: nothing is counted from it. Its names are {names}: if one of them is "
                "this campaign, write '{line}'."
            )
        yield CheckAnswer(
            passed=False, text=text, values=values, subjects=(name,), severity=severity
        )


PRESENCE = CheckDefinition(
    name="presence",
    title=N_("Events there"),
    severity=Severity.warning,
    judge=_presence,
    facts=(events, cost_record),
)


CLOCK = CheckDefinition(
    name="clock",
    title=N_("Events on the right clock"),
    severity=Severity.warning,
    judge=_each(_clock),
    facts=(events,),
)
EVENT_CHECKS = (PRESENCE, DUPLICATES, UNKNOWN_CUSTOMERS, LATE, CURRENCY, COMPLETENESS, CLOCK)
"""What can be asked of tables of events before anybody is assigned."""
