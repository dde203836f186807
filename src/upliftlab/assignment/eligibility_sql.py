"""Who may take part, as the first steps of a query: ids, places, waves and the reasons why not."""
# ruff: noqa: S608 - every name passes through quote(), every text through literal()

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from upliftlab.assignment.allocation import Allocation, Reason
from upliftlab.assignment.contact_policy_sql import ContactPolicySql, Events, limits_sql
from upliftlab.assignment.places_sql import hash_sql, text_sql
from upliftlab.util.sql import literal, quote

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
    carried: Mapping[str, str] = field(default_factory=dict[str, str])
    """SQL over the customers' table of columns to take along, by the names they get."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the result's columns."""
        chosen = self.allocation
        return (chosen.id, *((chosen.unit,) if chosen.household else ()), *OWN_COLUMNS)


def stratum_sql(columns: Sequence[str]) -> str:
    """The combination of levels as one text, in DuckDB's dialect."""
    return f'({levels_sql(columns)}) COLLATE "C"' if columns else NO_TEXT


def levels_sql(columns: Sequence[str], table: str = "") -> str:
    """The combination of levels as one text: `high | north`, a missing level `|null|`.

    A bar inside a level is doubled, so that different combinations never read the same.
    """
    return " || ' | ' || ".join(
        f"COALESCE(REPLACE(CAST({table}{quote(column)} AS VARCHAR), '|', '||'), '|null|')"
        for column in columns
    )


@dataclass(frozen=True, slots=True)
class Screening:
    """The steps up to `screened`, which holds `reason`: NULL for who may take part.

    Attributes:
        steps: Name and query of each, in order.
        barring: Whether anybody can be kept out at all.
    """

    steps: tuple[tuple[str, str], ...]
    barring: bool


def screen(request: Request) -> Screening:
    """The steps that find who may take part."""
    chosen = request.allocation
    policy = limits_sql(chosen.limits, chosen.waves, request.events)
    reasons = _reasons(request, policy)
    steps = (
        ("base", _base(request)),
        ("hashed", _hashed(chosen)),
        ("waved", f"SELECT *, {_wave(chosen)} AS wave FROM hashed"),
        *policy.steps,
        ("screened", _screened(reasons, policy.join)),
    )
    return Screening(steps, bool(reasons))


def with_steps(steps: Iterable[tuple[str, str]]) -> str:
    r"""The WITH clause of named steps.

    >>> with_steps([("one", "SELECT 1 AS n")])
    'WITH one AS (\n  SELECT 1 AS n\n)'
    """
    return "WITH " + ",\n".join(f"{name} AS (\n  {body}\n)" for name, body in steps)


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
    columns += [f"{sql} AS {name}" for name, sql in request.carried.items()]
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
    return between("wave_h", [(wave.end, str(wave.number)) for wave in chosen.waves])


def between(h: str, ends: Sequence[tuple[str, str]]) -> str:
    """The value of the first range that ends beyond `h`; NULL beyond the last."""
    cases = " ".join(f"WHEN {h} < {literal(end)} THEN {value}" for end, value in ends)
    return f"CASE {cases} END"


def _reasons(request: Request, policy: ContactPolicySql) -> list[tuple[Reason, str]]:
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
