"""Are the tables of events complete, of known customers, in one currency and on one clock?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

from upliftlab.analysis.check import IMPLAUSIBLE, check
from upliftlab.analysis.facts import EventFacts, QualityMetrics
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Check, Scalar, Severity
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


def events(plan: Plan, facts: QualityMetrics, *, mature: bool) -> Iterator[Check]:
    """All checks of the tables of events.

    Args:
        plan: What was declared of them.
        facts: What they are like.
        mature: Whether the last window has closed: before, no table can be complete.
    """
    sent = _sent(plan)
    for name, found in facts.events.items():
        yield from _repeats(plan, name, found)
        yield _unknown(name, found)
        if found.late is not None:
            yield _late(name, found.late)
        if found.foreign is not None:
            yield _currency(name, found.foreign)
        if plan.sources[name].experiment is None and name not in sent:
            if mature:
                yield from _complete(name, found)
            yield from _clock(name, found)


def _sent(plan: Plan) -> set[str | None]:
    """Tables of what the campaign itself brings about: they come in bursts, not all the time."""
    money = plan.experiment.money
    named = (money.contacts, money.redemptions) if money else ()
    return {plan.metrics[name].source for name in named if name is not None}


def _repeats(plan: Plan, name: str, found: EventFacts) -> Iterator[Check]:
    title, critical, warning = f"duplicates:{name}", Severity.critical, Severity.warning
    values: dict[str, Scalar] = {"source": name, "count": found.repeated}
    if found.alike is not None and found.alike > ALIKE:
        values = {"source": name, "share": found.alike}
        text = N_(
            "{share:percent} of the last week's events of {source} say what another says already: "
            "were they loaded twice? Declare the column that identifies an event as 'key'."
        )
        measured = (found.alike, None)
        yield check(title, passed=False, severity=warning, said=(text, values), measured=measured)
    elif plan.sources[name].key is None:
        text = N_("Not asked: no column identifies the events of {source}.")
        yield check(title, None, Severity.info, (text, {"source": name}))
    elif found.contradicting:
        text = N_("{count:count} events of {source} have the key of another and differ from it.")
        values["count"] = found.contradicting
        measured = _number(found.contradicting)
        yield check(title, passed=False, severity=critical, said=(text, values), measured=measured)
    elif found.repeated:
        text = N_("{count:count} events of {source} were there twice and are counted once.")
        measured = _number(found.repeated)
        yield check(title, passed=False, severity=warning, said=(text, values), measured=measured)
    else:
        text = N_("No event of {source} is there twice.")
        said: tuple[str, dict[str, Scalar]] = (text, {"source": name})
        yield check(title, passed=True, severity=warning, said=said, measured=_number(0))


def _unknown(name: str, found: EventFacts) -> Check:
    title = f"unknown_customers:{name}"
    share = found.unknown / found.rows if found.rows else 0.0
    values: dict[str, Scalar] = {"source": name, "count": found.unknown, "share": share}
    severity = Severity.warning
    passed = False
    if found.untrimmed:
        severity = Severity.critical
        text = N_(
            "{count:count} events of {source} are of nobody, but would be of somebody without "
            "the spaces around the id: they are not counted."
        )
        values = {"source": name, "count": found.untrimmed}
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
    return check(title, passed, severity, (text, values), _number(found.unknown))


def _late(name: str, count: int) -> Check:
    values: dict[str, Scalar] = {"source": name, "count": count}
    if count:
        text = N_(
            "{count:count} events of {source} became known only after their customer's window had "
            "closed; they are counted."
        )
    else:
        text = N_("No event of {source} became known late.")
        del values["count"]
    return check(f"late:{name}", count == 0, Severity.info, (text, values), _number(count))


def _currency(name: str, count: int) -> Check:
    values: dict[str, Scalar] = {"source": name, "count": count}
    if count:
        text = N_("{count:count} events of {source} are in another currency.")
    else:
        text = N_("All events of {source} are in one currency.")
        del values["count"]
    severity = Severity.critical
    return check(f"currency:{name}", count == 0, severity, (text, values), _number(count))


def _complete(name: str, found: EventFacts) -> Iterator[Check]:
    """Whether events go on to the end of the last window, by how many come in a week."""
    if found.closes is None:
        return
    title, severity = f"completeness:{name}", Severity.critical
    if found.last is None:
        text = N_("There is no event of {source} in the time that is analysed.")
        yield check(title, passed=False, severity=severity, said=(text, {"source": name}))
        return
    gap = max(found.closes - found.last, timedelta(0)) / timedelta(days=1)
    expected = found.recent / 7 * gap
    values: dict[str, Scalar] = {"source": name, "date": found.last.date().isoformat()}
    passed = gap < SILENCE or math.exp(-expected) >= IMPLAUSIBLE
    if passed:
        text = N_("Events of {source} go on to the end of the outcome window.")
        values = {"source": name}
    else:
        text = N_("The last event of {source} is of {date:date}, before the outcome window closed.")
    yield check(title, passed, severity, (text, values), (gap, math.exp(-expected)))


def _clock(name: str, found: EventFacts) -> Iterator[Check]:
    """Whether events happen by day, and at the same hours before and after."""
    if found.hours is None:
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
    yield check(f"clock:{name}", passed, Severity.warning, (text, values), (measured, None))


def _number(count: int) -> tuple[float, None]:
    return float(count), None
