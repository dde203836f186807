"""The contact policy as SQL: who was, or is about to be, contacted too often.

Days are compared as whole numbers. A contact at day d forbids another from d - cool-down + 1 to
d + cool-down - 1: contacts that another experiment has already planned count as well, or two
overlapping campaigns would pass each other unseen. For the same reason a contact is one too many
if *any* stretch of so many days that holds it would then have more than the policy allows.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from upliftlab.assignment.allocation import Limits, Reason, Start
from upliftlab.queries.ids import TEXTS, IdColumn
from upliftlab.util.sql import literal, quote

_EPOCH = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Events:
    """A table of contacts or complaints: whose, and when as a time in SQL."""

    table: str
    id: str
    time: str
    contact: bool = True
    ids: IdColumn = TEXTS


@dataclass(frozen=True, slots=True)
class ContactPolicySql:
    """The policy's part of the assignment query."""

    steps: tuple[tuple[str, str], ...] = ()
    join: str = ""
    reasons: tuple[tuple[Reason, str], ...] = ()


def day_literal(day: date) -> str:
    """A day as an SQL literal."""
    return f"CAST({literal(day.isoformat())} AS DATE)"


def limits_sql(
    limits: Limits, waves: Sequence[Start], events: Sequence[Events]
) -> ContactPolicySql:
    """Steps that find the customers a policy protects, for a query with a step `waved`.

    Every wave's day must be known where there are events.
    """
    days = {wave.number: (wave.day - _EPOCH).days for wave in waves if wave.day}
    reasons = list[tuple[Reason, str]]()
    steps, join = list[tuple[str, str]](), ""
    if events and limits.reach and days:
        steps = [
            ("happened", _happened(limits, days, events)),
            ("counted", _counted(limits)),
            ("flagged", _flagged(limits, days)),
        ]
        join = " LEFT JOIN flagged ON flagged.customer = waved.key"
        if limits.cool_down:
            reasons.append((Reason.cool_down, _of_wave("cool", days)))
    if limits.most == 0:
        reasons.append((Reason.max_contacts, "TRUE"))
    elif limits.within and steps:
        reasons.append((Reason.max_contacts, _of_wave("full", days)))
    return ContactPolicySql(tuple(steps), join, tuple(reasons))


def _of_wave(flag: str, days: dict[int, int]) -> str:
    cases = " ".join(f"WHEN {number} THEN {flag}_{number} = 1" for number in days)
    return f"COALESCE(CASE wave {cases} END, FALSE)"


def _happened(limits: Limits, days: dict[int, int], events: Sequence[Events]) -> str:
    """All events that can matter, as customer, day and whether it was a contact."""
    low, high = min(days.values()) - limits.reach, max(days.values()) + limits.reach
    tables = " UNION ALL ".join(_event(event) for event in events)
    return f"SELECT * FROM ({tables}) AS events WHERE day > {low} AND day < {high}"


def _event(event: Events) -> str:
    day = f"CAST({event.time} AS DATE)"
    return (
        f'SELECT {event.ids.text(quote(event.id))} COLLATE "C" AS customer,'
        f" DATE_DIFF('day', {day_literal(_EPOCH)}, {day}) AS day,"
        f" {int(event.contact)} AS contact FROM {quote(event.table)}"
    )


def _counted(limits: Limits) -> str:
    """Beside each event the contacts of the stretch of days that ends with it."""
    if not limits.within:
        return "SELECT *, 0 AS so_far FROM happened"
    stretch = f"RANGE BETWEEN {limits.within - 1} PRECEDING AND CURRENT ROW"
    return (
        "SELECT *, SUM(contact) OVER (PARTITION BY customer ORDER BY day"
        f" {stretch}) AS so_far FROM happened"
    )


def _flagged(limits: Limits, days: dict[int, int]) -> str:
    """One row per customer with a flag for every wave and rule."""
    flags = ", ".join(flag for number, day in days.items() for flag in _flags(limits, number, day))
    return f"SELECT customer, {flags} FROM counted GROUP BY customer"


def _flags(limits: Limits, number: int, day: int) -> Iterator[str]:
    if k := limits.cool_down:
        near = f"day > {day - k} AND (day <= {day} OR contact = 1 AND day < {day + k})"
        yield f"MAX(CASE WHEN {near} THEN 1 ELSE 0 END) AS cool_{number}"
    if (span := limits.within) and limits.most:
        before = f"SUM(CASE WHEN day > {day - span} AND day <= {day} THEN contact ELSE 0 END)"
        after = f"MAX(CASE WHEN day > {day} AND day < {day + span} THEN so_far ELSE 0 END)"
        most = limits.most
        yield (
            f"CASE WHEN {before} >= {most} OR {after} >= {most} THEN 1 ELSE 0 END AS full_{number}"
        )
