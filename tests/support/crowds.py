"""Random customers with everything that decides about them, and the same rules in plain Python."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

import pyarrow as pa

from upliftlab.assignment.allocation import allocation
from upliftlab.assignment.hashing import bucket, choose, cuts, digest
from upliftlab.config.models.experiment import Plan

LEVELS = ("low", "high", "a | b", "|null|", "it's", 'q"', "\\", "Zürich", "zürich", " ", None)


def text_ids(count: int, seed: int) -> list[str]:
    """Ids of all kinds: numbers, leading zeros, UUIDs, letters of many scripts, odd signs."""
    draw = random.Random(seed)
    kinds = (
        lambda: str(draw.getrandbits(64) - 2**63),
        lambda: f"{draw.randrange(10**6):010}",
        lambda: str(UUID(int=draw.getrandbits(128))),
        lambda: "C-" + "".join(draw.choices("äöüßéñ漢字かなΩж🛒 '\"\\|,;%_", k=6)),
        lambda: "".join(draw.choices("abcXYZ019", k=9)),
    )
    found: dict[str, None] = {}
    while len(found) < count:
        found[kinds[len(found) % len(kinds)]()] = None
    return list(found)


def number_ids(count: int, seed: int) -> list[int]:
    """64-bit ids, the extremes among them."""
    draw = random.Random(seed)
    found = {-(2**63), 2**63 - 1, 0, -1, 2**53 + 1}
    while len(found) < count:
        found.add(draw.getrandbits(64) - 2**63)
    return sorted(found)


@dataclass(frozen=True)
class Crowd:
    """Customers, their contacts and complaints."""

    customers: pa.Table
    contacts: pa.Table
    complaints: pa.Table


def crowd(ids: list[Any], seed: int = 1, *, first: date = date(2026, 1, 1)) -> Crowd:
    draw = random.Random(seed)
    size = len(ids)
    customers = pa.table(
        {
            "id": ids,
            "household": [f"H{draw.randrange(size // 2 + 1)}" for _ in ids],
            "age": pa.array([draw.choice((None, *range(10, 90))) for _ in ids], pa.int32()),
            "stop": pa.array([draw.choice((True, False, False, False, None)) for _ in ids]),
            "band": [draw.choice(LEVELS) for _ in ids],
            "region": pa.array([draw.choice((1, 2, 3, None)) for _ in ids], pa.int64()),
        }
    )
    return Crowd(customers, _events(draw, ids, size, first), _events(draw, ids, size // 5, first))


def _events(draw: random.Random, ids: list[Any], count: int, first: date) -> pa.Table:
    return pa.table(
        {
            "id": [str(value) for value in draw.choices(ids, k=count)],
            "day": [first + timedelta(days=draw.randrange(120)) for _ in range(count)],
        }
    )


@dataclass
class Answer:
    """One customer as plain Python decides; to be filled in step by step."""

    id: Any
    h: str
    wave: int | None
    reason: str | None
    unit: str
    stratum: str | None
    arm: str | None = None
    members: list[str] = field(default_factory=list)


def decide(plan: Plan, people: Crowd, *, strata: tuple[str, ...] = ()) -> dict[Any, Answer]:
    """The whole chain of reasons and the arm, written as a person would, one at a time."""
    chosen = allocation(plan)
    contacts, complaints = _by_customer(people.contacts), _by_customer(people.complaints)
    answers = []
    for row in people.customers.to_pylist():
        unit = row[chosen.unit]
        wave = choose(digest(f"{chosen.salt}:wave", unit), [w.end for w in chosen.waves])
        start = chosen.waves[wave].day if wave is not None else None
        key = str(row["id"])
        reason = _reason(plan, row, start, contacts[key], complaints[key])
        number = None if wave is None else wave + 1
        stratum = _stratum(row, strata)
        answers.append(
            Answer(row["id"], digest(chosen.salt, unit), number, reason, str(unit), stratum)
        )
    if chosen.household:
        _join_households(answers)
    _arms(plan, answers)
    return {answer.id: answer for answer in answers}


def _by_customer(events: pa.Table) -> defaultdict[str, list[date]]:
    found: defaultdict[str, list[date]] = defaultdict(list)
    for row in events.to_pylist():
        found[row["id"]].append(row["day"])
    return found


def _reason(
    plan: Plan, row: dict[str, Any], start: date | None, contacts: list[date], bad: list[date]
) -> str | None:
    program, chosen = plan.program, allocation(plan)
    if plan.experiment.eligible and not (row["age"] is not None and row["age"] >= 18):
        return "not_eligible"
    if row["stop"] and program.contact_policy and program.contact_policy.opt_out:
        return "opted_out"
    holdout = program.universal_holdout
    if holdout and digest(holdout.salt, row["id"]) < cuts([holdout.share])[0]:
        return "universal_holdout"
    layer = chosen.layer
    if layer and not layer.low <= digest(layer.salt, row["id"]) < layer.high:
        return "other_experiment"
    if start is None:
        return "no_wave"
    return _policy_reason(plan, start, contacts, bad)


def _policy_reason(plan: Plan, start: date, contacts: list[date], bad: list[date]) -> str | None:
    policy = plan.program.contact_policy
    if policy is None or policy.cool_down is None or policy.per is None:
        return None
    rest = policy.cool_down.days
    if any(abs((day - start).days) < rest for day in contacts):
        return "cool_down"
    if any(0 <= (start - day).days < rest for day in bad):
        return "cool_down"
    return "max_contacts" if _crowded([*contacts, start], start, policy) else None


def _crowded(days: list[date], start: date, policy: Any) -> bool:
    """Whether some stretch of days with the start in it holds too many contacts."""
    span = policy.per.days
    stretches = (start - timedelta(days=back) for back in range(span))
    return any(
        sum(first <= day < first + timedelta(days=span) for day in days) > policy.max_contacts
        for first in stretches
    )


def _stratum(row: dict[str, Any], strata: Iterable[str]) -> str | None:
    levels = [row[name] for name in strata]
    texts = ["|null|" if v is None else str(v).replace("|", "||") for v in levels]
    return " | ".join(texts) if texts else None


def _join_households(answers: list[Answer]) -> None:
    taking: dict[tuple[str, bool], Answer] = {}
    for answer in answers:
        key = (answer.unit, answer.reason is None)
        if key not in taking or str(answer.id).encode() < str(taking[key].id).encode():
            taking[key] = answer
    strata = {key: first.stratum for key, first in taking.items()}
    for answer in answers:
        answer.stratum = strata[answer.unit, answer.reason is None]


def _arms(plan: Plan, answers: list[Answer]) -> None:
    chosen = allocation(plan)
    inside = [answer for answer in answers if answer.reason is None]
    if not chosen.blocked:
        ends = [arm.end for arm in chosen.arms]
        for answer in inside:
            index = choose(answer.h, ends)
            answer.arm = None if index is None else chosen.arms[index].name
    else:
        groups: defaultdict[str | None, dict[tuple[str, bytes], list[Answer]]] = defaultdict(dict)
        for answer in inside:
            groups[answer.stratum].setdefault((answer.h, answer.unit.encode()), []).append(answer)
        for units in groups.values():
            quotas = largest_remainder([arm.share for arm in chosen.arms], len(units))
            names = [n for arm, q in zip(chosen.arms, quotas, strict=False) for n in [arm.name] * q]
            for key, name in zip(sorted(units), names, strict=False):
                for answer in units[key]:
                    answer.arm = name
    for answer in inside:
        if answer.arm is None:
            answer.reason = "no_arm"


def largest_remainder(shares: list[Fraction], units: int) -> list[int]:
    """Whole numbers nearest to the shares of so many units, the rest being the last part."""
    parts = [*shares, 1 - sum(shares)]
    quotas = [floor(share * units) for share in parts]
    rests = [share * units - quota for share, quota in zip(parts, quotas, strict=True)]
    for index in sorted(range(len(parts)), key=lambda i: (-rests[i], i))[: units - sum(quotas)]:
        quotas[index] += 1
    return quotas


def same(found: pa.Table, expected: dict[Any, Answer]) -> None:
    """Assert that a query's result says of everybody what plain Python says."""
    rows = found.to_pylist()
    assert len(rows) == len(expected)
    for row in rows:
        answer = expected[row["id"]]
        got = (row["arm"], row["reason"], row["wave"], row["h"], row["bucket"], row["stratum"])
        right = (answer.arm, answer.reason, answer.wave, answer.h, bucket(answer.h), answer.stratum)
        assert got == right, row["id"]
    assert Counter(row["reason"] for row in rows) == Counter(a.reason for a in expected.values())
