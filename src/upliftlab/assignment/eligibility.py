"""Who may take part: the tables that decide it, and the request that queries are made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upliftlab.assignment.allocation import Allocation
from upliftlab.assignment.contact_policy_sql import Events
from upliftlab.assignment.eligibility_sql import Request
from upliftlab.config.expressions import parse
from upliftlab.config.models import ContactPolicy
from upliftlab.config.models.experiment import Plan
from upliftlab.engines.base import ColumnType, Engine
from upliftlab.errors import ConfigError, Diagnostic
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
        DataError: UL2xx, a table cannot be read, or times in it.
    """
    engine.attach(CUSTOMERS, plan.customers)
    columns = engine.columns(CUSTOMERS)
    policy = plan.program.contact_policy
    request = Request(
        chosen,
        CUSTOMERS,
        eligible=_condition(plan.experiment.eligible, columns),
        opt_out=_condition(policy.opt_out if policy else None, columns),
        events=_events(plan, policy, engine, prior_contacts) if chosen.limits.reach else (),
    )
    if request.events and any(wave.day is None for wave in chosen.waves):
        message = "the contact policy needs the day on which customers are contacted"
        raise ConfigError(Diagnostic("UL409", message, "declare 'waves', or name the day"))
    return request


def _condition(text: str | None, columns: dict[str, ColumnType]) -> str | None:
    """A condition of the language in SQL; the columns of a CSV file take the types it implies."""
    if text is None:
        return None
    texts = [name for name, family in columns.items() if family == "text"]
    return parse(text).sql(text_columns=texts)


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
    id_column = source and (source.id or plan.customers.id)
    if source is None or source.time is None or id_column is None:
        message = f"the contact policy reads '{name}', which is no table of events"
        raise ConfigError(
            Diagnostic("UL402", message, "declare it with 'id' and 'time' as a source")
        )
    engine.attach(table, source)
    if lacking := [c for c in (id_column, source.time) if c not in engine.columns(table)]:
        raise ConfigError(
            Diagnostic("UL402", f"'{name}' has no column '{lacking[0]}'", "mend its name")
        )
    columns, rows = engine.columns(table), f"{quote(table)} AS c"
    time = time_column(source.time, columns, source, engine, rows)
    if columns[source.time] == "text":
        refuse_unreadable_times(time, f"rows of {name}", engine, quote(table))
    return Events(table, id_column, time.sql, contact=table == _CONTACTS)
