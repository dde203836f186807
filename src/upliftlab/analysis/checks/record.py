"""What became of plan and customers since they were recorded, and what could be known before?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time

from upliftlab.analysis.checks.definition import CheckAnswer, CheckDefinition, CheckInputs
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.text.language import N_


def _kept(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """What became of the plan since it was locked."""
    record = inputs.record
    if record is None:
        return
    values: dict[str, Scalar] = {"date": record.locked.isoformat()}
    if record.deviations:
        text = N_("The plan was changed after outcomes had been read: {why}")
        values = {"why": "; ".join(record.deviations)}
    elif record.amendments:
        text = N_("The plan locked on {date:date} was amended before outcomes were read: {why}")
        values["why"] = "; ".join(record.amendments)
    else:
        text = N_("The plan is the one locked on {date:date}.")
    yield CheckAnswer(not record.deviations, text, values)


DEVIATIONS = CheckDefinition(
    name="deviations",
    title=N_("Plan kept"),
    severity=Severity.warning,
    judge=_kept,
    tells="counts",
)


_SHOWN = 8


def _as_assigned(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """What was amended since customers got their arms: it holds for all of them now."""
    if inputs.record is None:
        return
    changes = inputs.record.since
    values: dict[str, Scalar] = {"changes": "; ".join(changes[:_SHOWN])}
    text = N_(
        "Amended after customers had been assigned: {changes}. All customers are counted as the "
        "plan is now; each is compared with those assigned by the same shares."
    )
    if len(changes) > _SHOWN:
        text = N_(
            "Amended after customers had been assigned: {changes}; and {more} more. All customers "
            "are counted as the plan is now; each is compared with those assigned by the same "
            "shares."
        )
        values["more"] = len(changes) - _SHOWN
    if not changes:
        text, values = N_("Nothing was amended since customers were assigned."), {}
    yield CheckAnswer(not changes, text, values)


AS_ASSIGNED = CheckDefinition(
    name="amended",
    title=N_("Plan as it was when customers were assigned"),
    severity=Severity.warning,
    judge=_as_assigned,
    tells="counts",
)


def _beforehand(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether the plan in force is older than the campaign, or than all of its outcomes."""
    record, schedule = inputs.record, inputs.schedule
    if record is None or schedule.begins is None:
        return
    settled, closes = record.settled, schedule.due[-1] if schedule.due else None
    values: dict[str, Scalar] = {"date": settled.isoformat()}
    values["start"] = schedule.begins.date().isoformat()
    passed = settled <= schedule.begins.date()
    if passed:
        text = N_("The plan is of {date:date}; the first customers started on {start:date}.")
    elif closes is None or datetime.combine(settled, time()) < closes:
        text = N_(
            "The plan is of {date:date}, when the campaign was under way: the first customers had "
            "started on {start:date}."
        )
    else:
        values = {"date": settled.isoformat(), "closed": closes.date().isoformat()}
        text = N_(
            "The plan is of {date:date}, when all outcomes could be known: the outcome window had "
            "closed on {closed:date}. Nothing shows that it was made without them."
        )
    yield CheckAnswer(passed, text, values)


PLANNED_BEFORE = CheckDefinition(
    name="planned_before",
    title=N_("Plan made beforehand"),
    severity=Severity.info,
    judge=_beforehand,
    tells="counts",
)


def _same(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether the customers' table is the one that was assigned.

    A table may be refreshed, and customers may join, without harm: who is in which arm, the ledger
    says. What it says of customers may then be of a time after the campaign began, which is not
    worth a warning where it must grow, having outcomes in it, or says of what day it is.
    """
    plan, record, customers = inputs.plan, inputs.record, inputs.customers
    if record is None or customers is None:
        return
    if record.customers is None or record.assigned is None:
        return
    values: dict[str, Scalar] = {"date": record.assigned.isoformat()}
    passed = record.customers == customers.sha256
    grown = any(metric.source is None for metric in plan.metrics.values())
    columns = (plan.segments or plan.covariates) and not (grown or plan.customers.as_of)
    severity = Severity.warning if columns else Severity.info
    if passed:
        text = N_("The customers' table is the one that was assigned on {date:date}.")
    elif columns:
        text = N_(
            "The customers' table was changed since it was assigned on {date:date}: what segments "
            "and covariates are made of may be of a time after the campaign began. Analyse the "
            "table as it was (--data), or declare its 'as_of'."
        )
    else:
        text = N_(
            "The customers' table was changed since it was assigned on {date:date}; arms are those "
            "on record."
        )
    yield CheckAnswer(passed, text, values, severity=severity)


SAME_CUSTOMERS = CheckDefinition(
    name="same_customers",
    title=N_("Customers as assigned"),
    severity=Severity.warning,
    judge=_same,
    tells="counts",
)
