"""Integrity checks: asked before any number is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time

from upliftlab.analysis.aggregates import OVERALL, Aggregates
from upliftlab.analysis.check import SKEWED, check
from upliftlab.analysis.checks_customers import customers
from upliftlab.analysis.checks_events import events
from upliftlab.analysis.checks_shares import shares
from upliftlab.analysis.estimation import EstimationSpec
from upliftlab.analysis.facts import QualityMetrics
from upliftlab.analysis.look import LookSchedule
from upliftlab.analysis.record import Record
from upliftlab.analysis.rows import UnitRows, gammas
from upliftlab.config.models.experiment import Plan
from upliftlab.results.analysis import Check, DataFile, Scalar, Severity
from upliftlab.text.language import N_


def integrity(
    plan: Plan,
    study: EstimationSpec,
    counted: tuple[Aggregates, QualityMetrics, UnitRows | None],
    occasion: LookSchedule,
) -> tuple[Check, ...]:
    """All checks of one analysis, in the order in which they can void it.

    Args:
        plan: What was declared.
        study: What is compared.
        counted: Moments of the metric columns (not projected), facts of the data, and units by
            kind where they had to be divided anew.
        occasion: Which of the planned looks at the data this is.
    """
    cube, facts, rows = counted
    closed = maturity(occasion)
    divided = [*shares(plan, cube, facts, repeated=occasion.repeated)]
    if few := [*_few(plan, cube)]:  # nothing that is made of these customers' values is told
        return (*few, *divided, closed)
    return (
        *divided,
        *customers(plan, study, cube, facts),
        closed,
        *events(plan, facts, mature=closed.passed is not False),
        *_skewness(plan, study, (cube, rows)),
    )


def _few(plan: Plan, cube: Aggregates) -> Iterator[Check]:
    """Arms of so few units that their numbers are those of single customers."""
    for arm, group in cube[OVERALL].items():
        if group.n < plan.smallest_cell:
            text = N_(
                "{arm} has {count:count} customers: numbers of fewer than {smallest:count} would "
                "tell what single ones did."
            )
            values: dict[str, Scalar] = {
                "arm": arm,
                "count": group.n,
                "smallest": plan.smallest_cell,
            }
            said = (text, values)
            yield check(f"smallest_cell:{arm}", passed=False, severity=Severity.critical, said=said)


def maturity(occasion: LookSchedule) -> Check:
    """Whether the last customer's outcome window has closed, or a declared look is due."""
    name, severity = "maturity", Severity.critical
    if occasion.closes is None:
        text = N_("Not asked: it is not known when outcomes begin to count, or for how long.")
        return check(name, None, Severity.info, (text, {}))
    values: dict[str, Scalar] = {"date": occasion.closes.date().isoformat()}
    if occasion.early:
        text = N_("The outcome window is open until {date:date}.")
        if occasion.declared:
            text = N_("The first look is due on {date:date}.")
        return check(name, passed=False, severity=severity, said=(text, values))
    text = N_("The outcome window closed on {date:date}.")
    if occasion.interim:
        text = N_("Everybody's outcomes are known up to this look, which was due on {date:date}.")
    return check(name, passed=True, severity=severity, said=(text, values))


def _skewness(
    plan: Plan, study: EstimationSpec, counted: tuple[Aggregates, UnitRows | None]
) -> Iterator[Check]:
    """Whether a difference is too skewed for Student's t, and what was done about it."""
    cube, rows = counted
    asked = [plan.experiment.metrics.primary]
    if plan.experiment.money:
        asked.append(plan.experiment.money.revenue)
    for arm in study.treatments:
        found = gammas(study, cube[OVERALL], (arm,))
        for metric in dict.fromkeys(name for name in asked if name in study.metrics):
            parts = study.ratios.get(metric) or (study.columns.index(metric),)
            values = [found[c] for c in (study.columns[part] for part in parts) if c in found]
            yield from _skewed((metric, arm), values, calibrated=rows is not None)


def _skewed(
    about: tuple[str, str], gamma: Sequence[float | None], *, calibrated: bool
) -> Iterator[Check]:
    known = [value for value in gamma if value is not None]
    worst = max(known, key=abs, default=0.0)
    metric, arm = about
    values: dict[str, Scalar] = {"metric": metric, "arm": arm}
    name, severity = f"skewness:{metric}:{arm}", Severity.warning
    if len(known) < len(gamma):
        text = N_(
            "Not asked: too few digits tell how skewed {metric} is between {arm} and control."
        )
        yield check(name, None, severity, (text, values))
        return
    if abs(worst) <= SKEWED:
        return
    text = N_(
        "The difference in {metric} between {arm} and the control is skewed "
        "({value:number}): its interval covers less than it says on one side."
    )
    if calibrated:
        text = N_(
            "The difference in {metric} between {arm} and the control is skewed "
            "({value:number}): its interval comes from re-dealing the customers."
        )
    said = (text, {**values, "value": worst})
    yield check(name, passed=calibrated, severity=severity, said=said, measured=(worst, None))


def recorded(
    record: Record, occasion: LookSchedule, plan: Plan, customers: DataFile
) -> tuple[Check, ...]:
    """What became of plan and customers since they were recorded, and what could be known before.

    Args:
        record: What the ledger holds.
        occasion: Which of the planned looks at the data this is.
        plan: What was declared.
        customers: The customers' table as it is now.
    """
    return (_kept(record), *_beforehand(record, occasion), *_same(record, plan, customers))


def _same(record: Record, plan: Plan, customers: DataFile) -> Iterator[Check]:
    """Whether the customers' table is the one that was assigned.

    A table may be refreshed, and customers may join, without harm: who is in which arm, the ledger
    says. What it says of customers may then be of a time after the campaign began, which is not
    worth a warning where it must grow, having outcomes in it, or says of what day it is.
    """
    if record.customers is None or record.assigned is None:
        return
    values: dict[str, Scalar] = {"date": record.assigned.isoformat()}
    name, passed = "same_customers", record.customers == customers.sha256
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
    yield check(name, passed, severity, (text, values))


def _beforehand(record: Record, occasion: LookSchedule) -> Iterator[Check]:
    """Whether the plan in force is older than the campaign, or than all of its outcomes."""
    if occasion.begins is None:
        return
    settled, closes = record.settled, occasion.due[-1] if occasion.due else None
    values: dict[str, Scalar] = {"date": settled.isoformat()}
    values["start"] = occasion.begins.date().isoformat()
    passed = settled <= occasion.begins.date()
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
    yield check("planned_before", passed, Severity.info, (text, values))


def _kept(record: Record) -> Check:
    """What became of the plan since it was locked."""
    name, severity = "deviations", Severity.warning
    values: dict[str, Scalar] = {"date": record.locked.isoformat()}
    if record.deviations:
        text = N_("The plan was changed after outcomes had been read: {why}")
        said: tuple[str, dict[str, Scalar]] = (text, {"why": "; ".join(record.deviations)})
        return check(name, passed=False, severity=severity, said=said)
    if record.amendments:
        text = N_("The plan locked on {date:date} was amended before outcomes were read: {why}")
        values["why"] = "; ".join(record.amendments)
        return check(name, passed=True, severity=severity, said=(text, values))
    text = N_("The plan is the one locked on {date:date}.")
    return check(name, passed=True, severity=severity, said=(text, values))
