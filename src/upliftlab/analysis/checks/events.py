"""Are the tables of events complete, of known customers, in one currency and on one clock?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from upliftlab.analysis.checks.contamination import contacts_meant
from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    unasked,
)
from upliftlab.analysis.checks.event_facts import EventFacts, events
from upliftlab.analysis.checks.on_record import cost_record, naming
from upliftlab.analysis.event_tables import Repeats
from upliftlab.config.models.experiment import Plan
from upliftlab.queries.spelling import CHANCE, SENTENCES
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.results.costs import RATED, Per
from upliftlab.stats.integrity import clock_shift, quiet_hours
from upliftlab.text.language import N_

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
_NAMED = 5


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


def _unpaid(plan: Plan, name: str) -> bool:
    """Whether a table tells nothing but redemptions that cost nothing in any arm.

    They are counted wherever `configs/metrics.yaml` says how, also where there is no voucher.
    """
    asked, money = plan.experiment.metrics, plan.experiment.money
    counted = None if money is None else money.redemptions
    named = (*plan.metrics.items(), *plan.covariates.items(), *plan.segments.items())
    if counted is None or {key for key, each in named if each.source == name} != {counted}:
        return False
    priced = [step for step in RATED if step.line.per is Per.redemption]
    shown = (asked.primary, *asked.secondary, *asked.guardrails)
    return counted not in shown and not any(plan.pays(s, a) for s in priced for a in plan.arms)


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
    who has a channel was contacted. No result depends on redemptions that cost nothing.
    """
    record = inputs.facts.of(cost_record)
    for name, found in (inputs.facts.of(events) or {}).items():
        if found.rows:
            continue
        unpaid = _unpaid(inputs.plan, name)
        severity = Severity.warning if inputs.schedule.due and not unpaid else Severity.info
        closed = bool(inputs.schedule.due) and not inputs.schedule.early
        empty = (not found.total or _steady(inputs.plan, name)) and not found.declared
        if closed and not unpaid and (empty or _of_contacts(inputs.plan, name)):
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
