"""Who may take part: the tables that decide it, and the request that queries are made from."""
# ruff: noqa: S608 - every name passes through quote()

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upliftlab.assignment.allocation import Allocation
from upliftlab.assignment.contact_policy_sql import Events
from upliftlab.assignment.eligibility_sql import Request
from upliftlab.config.models import ContactPolicy
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import Engine
from upliftlab.errors import ConfigError, DataError, Diagnostic
from upliftlab.queries.computed import attach_table
from upliftlab.queries.conditions import customers_table, sound_condition
from upliftlab.queries.ids import IdColumn, id_column
from upliftlab.queries.spelling import CHANCE, near_matches
from upliftlab.queries.times import refuse_unreadable_times, time_column
from upliftlab.util.sql import quote

CUSTOMERS = "customers"
"""What the customers' table is attached as."""
LEDGER_CONTACTS = "ledger_contacts"
"""Contacts of earlier assignments, as the ledger hands them on: `id` as text and `day`."""
_CONTACTS, _COMPLAINTS = "policy_contacts", "policy_complaints"


def request_of(
    plan: Plan, chosen: Allocation, engine: Engine, prior_contacts: Sequence[Path] = ()
) -> Request:
    """Attach the customers, contacts and complaints, and say what decides over a customer.

    Args:
        plan: The resolved experiment.
        chosen: Its allocation.
        engine: Where the tables lie.
        prior_contacts: Parquet files with the contacts of earlier assignments, `id` as text
            and `day`.

    Raises:
        ConfigError: UL402 a table of events lacks a column, UL409 a day is needed and not known.
        DataError: UL2xx, a table cannot be read, or a condition does not fit it.
    """
    attach_table(CUSTOMERS, plan.customers, engine, whole=False)
    table = customers_table(CUSTOMERS, plan.customers, engine)
    policy = plan.program.contact_policy
    asked = {"eligible": plan.experiment.eligible, "opt_out": policy and policy.opt_out}
    conditions = {
        role: sound_condition(role, text, table, engine) if text else None
        for role, text in asked.items()
    }
    request = Request(
        chosen,
        CUSTOMERS,
        eligible=conditions["eligible"],
        opt_out=conditions["opt_out"],
        events=_events(plan, policy, engine, prior_contacts) if chosen.limits.reach else (),
    )
    if request.events and any(wave.day is None for wave in chosen.waves):
        message = "the contact policy needs the day on which customers are contacted"
        raise ConfigError(Diagnostic("UL409", message, "declare 'waves', or name the day"))
    return request


def _events(
    plan: Plan, policy: ContactPolicy | None, engine: Engine, prior: Sequence[Path]
) -> tuple[Events, ...]:
    """Attach the tables of contacts and complaints the policy looks at."""
    found = list[Events]()
    if prior:
        engine.load(LEDGER_CONTACTS, prior)
        found.append(Events(LEDGER_CONTACTS, "id", quote("day")))
    named = ((_CONTACTS, policy.contacts), (_COMPLAINTS, policy.complaints)) if policy else ()
    for table, name in named:
        if name is not None:
            found.append(_attached(plan, name, table, engine))
    return tuple(found)


def _attached(plan: Plan, name: str, table: str, engine: Engine) -> Events:
    source = plan.sources.get(name)
    key = source and (source.id or plan.customers.id)
    if source is None or source.time is None or key is None:
        message = f"the contact policy reads '{name}', which is no table of events"
        raise ConfigError(
            Diagnostic("UL402", message, "declare it with 'id' and 'time' as a source")
        )
    columns = attach_table(table, source, engine)
    if lacking := [c for c in (key, source.time) if c not in columns]:
        raise ConfigError(
            Diagnostic("UL402", f"'{name}' has no column '{lacking[0]}'", "mend its name")
        )
    ids = id_column(engine, table, key, f"id of {name}")
    _refuse_near(plan, (name, table, key, ids), engine)
    time = time_column(source.time, columns, source, engine, f"{quote(table)} AS c")
    if columns[source.time] == "text":
        refuse_unreadable_times(time, f"rows of {name}", engine, quote(table))
    return Events(table, key, time.sql, contact=table == _CONTACTS, ids=ids)


def _refuse_near(plan: Plan, events: tuple[str, str, str, IdColumn], engine: Engine) -> None:
    """Refuse contacts whose ids nearly match customers': nobody would be protected by them.

    Raises:
        DataError: UL274, with how many.
    """
    name, table, key, ids = events
    own, customers = plan.customers.id, engine.columns(CUSTOMERS)
    if own is None or own not in customers or "text" not in (ids.kind, customers[own]):
        return
    rows = f"SELECT {ids.text(quote(key))} AS id FROM {table}"
    theirs = id_column(engine, CUSTOMERS, own, "id").text(quote(own))
    near = near_matches(engine, rows, f"SELECT {theirs} AS id FROM {CUSTOMERS}")
    if near is None:
        return
    total = engine.query(f"SELECT COUNT(*) AS n FROM {table}").to_pylist()[0]["n"]
    if near.count > CHANCE * total:
        message = f"{near.count:,} rows of '{name}' are of nobody, but would be of a customer if"
        message += " ids were written alike, so the contact policy would not protect them"
        remedy = "write ids as the same text in both tables: no spaces, capital letters, lost"
        remedy += " leading zeros, '.0' or dashes in one of them"
        raise DataError(Diagnostic("UL274", message, remedy))
