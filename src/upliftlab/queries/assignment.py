"""Who gets what, as one query in DuckDB's dialect; other engines transpile it.

Names and values that people wrote occur only quoted, and columns of the customers' table only in
the first step, under names of this module's own from then on. Texts are compared byte by byte on
every engine (`COLLATE "C"`) and joined by `||` (`concat` treats NULL differently from one engine
to the next). Nothing is decided by a number made from hex digits.
"""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lcm

from upliftlab.allocation import Allocation, Reason, Slot, Start
from upliftlab.queries.places import bucket_sql, hash_sql, text_sql
from upliftlab.queries.policy import Events, Policy, day_literal, limits_sql
from upliftlab.sql import literal, quote

OWN_COLUMNS = ("arm", "h", "bucket", "stratum", "wave", "start", "reason", "channel", "ghost")
"""What an assignment says of a customer, after the id (and the household)."""
NO_TEXT = "CAST(NULL AS VARCHAR)"


@dataclass(frozen=True, slots=True)
class Request:
    """What the query is made from.

    `eligible` and `opt_out` are conditions in DuckDB's dialect, parsed and quoted by whoever makes
    the request; None where the plan has none. `events` are the contacts and complaints to respect.
    """

    allocation: Allocation
    customers: str = "customers"
    eligible: str | None = None
    opt_out: str | None = None
    events: tuple[Events, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the result's columns."""
        chosen = self.allocation
        return (chosen.id, *((chosen.unit,) if chosen.household else ()), *OWN_COLUMNS)


def stratum_sql(columns: Sequence[str]) -> str:
    """The combination of levels as one text: `high | north`, a missing level `|null|`.

    A bar inside a level is doubled, so that different combinations never read the same.
    """
    levels = (
        f"COALESCE(REPLACE(CAST({quote(column)} AS VARCHAR), '|', '||'), '|null|')"
        for column in columns
    )
    joined = " || ' | ' || ".join(levels)
    return f'({joined}) COLLATE "C"' if columns else NO_TEXT


def assignment_sql(request: Request) -> str:
    """The query: one row per customer with the arm, or the one reason why there is none."""
    chosen = request.allocation
    policy = limits_sql(chosen.limits, chosen.waves, request.events)
    reasons = _reasons(request, policy)
    listed = _steps(request, policy, reasons)
    steps = ",\n".join(f"{name} AS (\n  {body}\n)" for name, body in listed)
    return f"WITH {steps}\n{_result(chosen, barring=bool(reasons))}"


def _steps(
    request: Request, policy: Policy, reasons: Sequence[tuple[Reason, str]]
) -> Iterator[tuple[str, str]]:
    chosen, last = request.allocation, "screened"
    yield "base", _base(request)
    yield "hashed", _hashed(chosen)
    yield "waved", f"SELECT *, {_wave(chosen)} AS wave FROM hashed"
    yield from policy.steps
    yield "screened", _screened(reasons, policy.join)
    if chosen.blocked:
        if chosen.household:
            yield "housed", _housed()
            last = "housed"
        yield "placed", _placed(chosen, last)
        yield from _quotas(chosen.arms)
        last = "cut"
    yield "armed", f"SELECT *, {_arm(chosen, barring=bool(reasons))} AS arm FROM {last}"
    yield "spared", f"SELECT *, {_ghost_place(chosen)} AS ghost_h FROM armed"


def _base(request: Request) -> str:
    """The only step that sees the customers' table: ids, conditions and strata."""
    chosen = request.allocation
    columns = [f"{quote(chosen.id)} AS id", f"{text_sql(chosen.id)} AS key"]
    columns.append(f"{text_sql(chosen.unit)} AS unit_key")
    if chosen.household:
        columns.append(f"{quote(chosen.unit)} AS unit")
    if request.eligible:
        columns.append(f"COALESCE(({request.eligible}), FALSE) AS eligible")
    if request.opt_out:
        columns.append(f"COALESCE(({request.opt_out}), FALSE) AS opted_out")
    columns.append(f"{stratum_sql(chosen.strata)} AS stratum")
    return f"SELECT {', '.join(columns)} FROM {quote(request.customers)}"


def _hashed(chosen: Allocation) -> str:
    columns = [f"{hash_sql(chosen.salt, 'unit_key')} AS h"]
    if chosen.drawn:
        columns.append(f"{hash_sql(f'{chosen.salt}:wave', 'unit_key')} AS wave_h")
    if chosen.holdout:
        columns.append(f"{hash_sql(chosen.holdout.salt, 'key')} AS holdout_h")
    if chosen.layer:
        columns.append(f"{hash_sql(chosen.layer.salt, 'key')} AS layer_h")
    return f"SELECT *, {', '.join(columns)} FROM base"


def _wave(chosen: Allocation) -> str:
    if not chosen.drawn:
        return "1"
    return _between("wave_h", [(wave.end, str(wave.number)) for wave in chosen.waves])


def _between(h: str, ends: Sequence[tuple[str, str]]) -> str:
    """The value of the first range that ends beyond `h`; NULL beyond the last."""
    cases = " ".join(f"WHEN {h} < {literal(end)} THEN {value}" for end, value in ends)
    return f"CASE {cases} END"


def _reasons(request: Request, policy: Policy) -> list[tuple[Reason, str]]:
    """Why a customer may be in no arm, and when, in the order of `Reason`."""
    chosen = request.allocation
    found = list[tuple[Reason, str]]()
    if request.eligible:
        found.append((Reason.not_eligible, "NOT eligible"))
    if request.opt_out:
        found.append((Reason.opted_out, "opted_out"))
    if chosen.holdout:
        withheld = f"holdout_h < {literal(chosen.holdout.end)}"
        if not chosen.holdout.always:
            withheld += f" AND wave IN ({', '.join(map(str, chosen.holdout.waves))})"
        found.append((Reason.universal_holdout, withheld))
    if chosen.layer:
        low, high = literal(chosen.layer.low), literal(chosen.layer.high)
        found.append((Reason.other_experiment, f"layer_h < {low} OR layer_h >= {high}"))
    if chosen.drawn:
        found.append((Reason.no_wave, "wave IS NULL"))
    return [*found, *policy.reasons]


def _screened(reasons: Sequence[tuple[Reason, str]], join: str) -> str:
    """The first reason that holds."""
    cases = " ".join(f"WHEN {when} THEN {literal(reason)}" for reason, when in reasons)
    reason = f"CASE {cases} END" if cases else NO_TEXT
    return f"SELECT waved.*, {reason} AS reason FROM waved{join}"


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


def _quotas(arms: Sequence[Slot]) -> Iterator[tuple[str, str]]:
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
        drawn = _between("h", [(arm.end, literal(arm.name)) for arm in chosen.arms])
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
    return _between(
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
