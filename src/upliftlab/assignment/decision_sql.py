"""Who gets what, as one query in DuckDB's dialect; other engines transpile it.

Names and values that people wrote occur only quoted, and columns of the customers' table only in
the first step, under names of this module's own from then on. Texts are compared byte by byte on
every engine (`COLLATE "C"`) and joined by `||` (`concat` treats NULL differently from one engine
to the next). Nothing is decided by a number made from hex digits.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import lcm

from upliftlab.assignment.allocation import Allocation, ArmSlot, Reason, Start
from upliftlab.assignment.contact_policy_sql import day_literal
from upliftlab.assignment.eligibility_sql import (
    NO_TEXT,
    OWN_COLUMNS,
    Request,
    Screening,
    between,
    screen,
    with_steps,
)
from upliftlab.assignment.places_sql import bucket_sql, hash_sql
from upliftlab.util.sql import literal, quote

__all__ = ["OWN_COLUMNS", "Request", "assignment_sql"]


def assignment_sql(request: Request) -> str:
    """The query: one row per customer with the arm, or the one reason why there is none."""
    chosen = request.allocation
    screening = screen(request)
    return f"{with_steps(_steps(chosen, screening))}\n{_result(chosen, barring=screening.barring)}"


def _steps(chosen: Allocation, screening: Screening) -> Iterator[tuple[str, str]]:
    last = "screened"
    yield from screening.steps
    if chosen.blocked:
        if chosen.household:
            yield "housed", _housed()
            last = "housed"
        yield "placed", _placed(chosen, last)
        yield from _quotas(chosen.arms)
        last = "cut"
    yield "armed", f"SELECT *, {_arm(chosen, barring=screening.barring)} AS arm FROM {last}"
    yield "spared", f"SELECT *, {_ghost_place(chosen)} AS ghost_h FROM armed"


def _housed() -> str:
    """A household's stratum: that of its smallest id among the members who take part."""
    kept = "id, key, unit_key, unit, h, wave, reason"
    first = (
        "FIRST_VALUE(stratum) OVER (PARTITION BY unit_key, reason IS NULL ORDER BY key"
        " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    )
    return f"SELECT {kept}, {first} AS stratum FROM screened"


def _placed(chosen: Allocation, source: str) -> str:
    """Each unit's rank by hash within its stratum, and how many units the stratum holds."""
    inside = "PARTITION BY stratum, reason IS NULL"
    if not chosen.household:
        return (
            f"SELECT *, ROW_NUMBER() OVER ({inside} ORDER BY h, key) AS place,"
            f" COUNT(*) OVER ({inside}) AS units FROM {source}"
        )
    ranked = f"SELECT *, DENSE_RANK() OVER ({inside} ORDER BY h, unit_key) AS place FROM {source}"
    return f"SELECT *, MAX(place) OVER ({inside}) AS units FROM ({ranked}) AS ranked"


def _quotas(arms: Sequence[ArmSlot]) -> Iterator[tuple[str, str]]:
    """Where each arm ends in a stratum of so many units, rounded by the largest remainder.

    In whole numbers: with shares a/D, arm i gets floor(units · a / D), and the units left over go
    one each to the largest remainders, the earlier arm first among equals. What no arm takes
    competes as one more, last, arm.
    """
    whole = lcm(*(arm.share.denominator for arm in arms))
    parts = [int(arm.share * whole) for arm in arms]
    parts.append(whole - sum(parts))
    rest = ", ".join(f"units * {part} % {whole} AS rest_{i}" for i, part in enumerate(parts))
    yield "rests", f"SELECT *, {rest} FROM placed"
    total = " + ".join(f"rest_{i}" for i in range(len(parts)))
    yield "spare", f"SELECT *, ({total}) // {whole} AS spare FROM rests"
    quotas = ", ".join(
        f"(units * {part} - rest_{i}) // {whole} + {_extra(i, len(parts))} AS quota_{i}"
        for i, part in enumerate(parts[:-1])
    )
    yield "quotas", f"SELECT *, {quotas} FROM spare"
    ends = ", ".join(
        f"{' + '.join(f'quota_{j}' for j in range(i + 1))} AS end_{i}" for i in range(len(arms))
    )
    yield "cut", f"SELECT *, {ends} FROM quotas"


def _extra(i: int, count: int) -> str:
    """1 where part `i` is among the `spare` largest remainders, else 0."""
    ahead = " + ".join(
        f"CASE WHEN rest_{j} {'>=' if j < i else '>'} rest_{i} THEN 1 ELSE 0 END"
        for j in range(count)
        if j != i
    )
    return f"CASE WHEN {ahead} < spare THEN 1 ELSE 0 END"


def _arm(chosen: Allocation, *, barring: bool) -> str:
    if chosen.blocked:
        cases = " ".join(
            f"WHEN place <= end_{i} THEN {literal(arm.name)}" for i, arm in enumerate(chosen.arms)
        )
        drawn = f"CASE {cases} END"
    else:
        drawn = between("h", [(arm.end, literal(arm.name)) for arm in chosen.arms])
    return f"CASE WHEN reason IS NULL THEN {drawn} END" if barring else drawn


def _result(chosen: Allocation, *, barring: bool) -> str:
    columns = [f"id AS {quote(chosen.id)}"]
    if chosen.household:
        columns.append(f"unit AS {quote(chosen.unit)}")
    no_arm = f"CASE WHEN arm IS NULL THEN {literal(Reason.no_arm)} END"
    given = {
        "arm": "arm",
        "h": "h",
        "bucket": bucket_sql("h"),
        "stratum": "stratum",
        "wave": "wave",
        "start": _start(chosen.waves),
        "reason": f"COALESCE(reason, {no_arm})" if barring else no_arm,
        "channel": _channel(chosen),
        "ghost": _ghost(chosen),
    }
    columns += [f"{given[name]} AS {name}" for name in OWN_COLUMNS]
    listed = ",\n  ".join(columns)
    return f"SELECT {listed}\nFROM spared"


def _start(waves: Sequence[Start]) -> str:
    cases = " ".join(
        f"WHEN {wave.number} THEN {day_literal(wave.day)}" for wave in waves if wave.day
    )
    return f"CASE wave {cases} END" if cases else "CAST(NULL AS DATE)"


def _spared(chosen: Allocation) -> tuple[str, ...]:
    """The control arms nobody contacts, where treatment arms contact somebody."""
    if not any(ghost.channel for ghost in chosen.ghosts):
        return ()
    return tuple(arm.name for arm in chosen.arms if arm.contrast == "control" and not arm.channel)


def _ghost_place(chosen: Allocation) -> str:
    """A control customer's place among the treatment arms, by a salt of its own."""
    if not (spared := ", ".join(map(literal, _spared(chosen)))):
        return NO_TEXT
    return f"CASE WHEN arm IN ({spared}) THEN {hash_sql(f'{chosen.salt}:ghost', 'unit_key')} END"


def _ghost_channel(chosen: Allocation) -> str:
    return between(
        "ghost_h",
        [
            (ghost.end, literal(ghost.channel) if ghost.channel else NO_TEXT)
            for ghost in chosen.ghosts
        ],
    )


def _channel(chosen: Allocation) -> str:
    """The arm's channel; for a control customer the one they would have been contacted by."""
    own = {arm.name: literal(arm.channel) for arm in chosen.arms if arm.channel}
    own |= dict.fromkeys(_spared(chosen), _ghost_channel(chosen) if chosen.ghosts else NO_TEXT)
    cases = " ".join(f"WHEN {literal(name)} THEN {channel}" for name, channel in own.items())
    return f"CASE arm {cases} END" if cases else NO_TEXT


def _ghost(chosen: Allocation) -> str:
    return f"{_ghost_channel(chosen)} IS NOT NULL" if _spared(chosen) else "FALSE"
