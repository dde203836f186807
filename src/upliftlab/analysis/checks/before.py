"""Were customers alike before the campaign, and is what is known of them of that time?"""
# ruff: noqa: S608 - every name passes through quote(), conditions through the allow-list

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np

from upliftlab.analysis.aggregates import OVERALL
from upliftlab.analysis.checks.alike import features_by_arm, segments_within, spread_alike
from upliftlab.analysis.checks.definition import (
    IMPLAUSIBLE,
    CheckAnswer,
    CheckDefinition,
    CheckInputs,
    Fact,
    FactInputs,
    unasked,
)
from upliftlab.analysis.measures import SKEWED
from upliftlab.queries.clock import Span, converted
from upliftlab.queries.population import missing_column
from upliftlab.queries.times import refuse_unreadable_times, refuse_untimed, time_column
from upliftlab.results.analysis import Scalar, Severity
from upliftlab.stats.balance_within import balance_within
from upliftlab.stats.integrity import balance
from upliftlab.stats.moments import pool
from upliftlab.stats.skewness import skewness
from upliftlab.text.language import N_

_NOTHING = timedelta(0)


def _balance(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    yield from _covariates(inputs)
    yield from spread_alike(inputs)


def _covariates(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether all covariates together are alike over the arms."""
    plan, spec, arms = inputs.plan, inputs.spec, inputs.arms
    columns = [spec.columns.index(name) for name in plan.covariates]
    if not columns:
        return
    groups = [arms[arm] for arm in plan.arms if arm in arms]
    if plan.experiment.assignment.within_given:
        whole = [each.pair for each in inputs.compared if each.place == OVERALL]
        scale = np.sqrt(np.diagonal(pool(groups).covariance))
        tested = balance_within(whole, columns, scale)
    else:
        tested = balance(groups, columns)
    if tested is None:
        yield unasked(N_("Not asked: nothing of what was known before varies."))
        return
    values: dict[str, Scalar] = {
        "p": tested.p,
        "covariate": spec.columns[tested.column],
        "apart": tested.apart,
    }
    passed = tested.p >= IMPLAUSIBLE
    if passed:
        text = N_(
            "What was known before is alike in every arm (p: {p:p}; the widest gap, in "
            "{covariate}, is {apart:number} standard deviations)."
        )
    else:
        text = N_(
            "What was known before differs between the arms (p: {p:p}; in {covariate} by "
            "{apart:number} standard deviations): customers were not drawn at random."
        )
    severity = Severity.warning if _skewed(inputs, columns) else Severity.critical
    yield CheckAnswer(passed, text, values, severity=severity, value=tested.statistic, p=tested.p)


def _skewed(inputs: CheckInputs, columns: list[int]) -> bool:
    """Whether some covariate's difference is so skewed that χ² is only roughly right."""
    spec = inputs.spec
    found = [skewness(spec.pair(inputs.arms, (arm,))) for arm in spec.treatments]
    values = [skew.own[columns] for skew in found if skew is not None]
    return any(not (np.abs(value) <= SKEWED).all() for value in values)


BALANCE = CheckDefinition(
    name="balance",
    title=N_("Balance before the campaign"),
    severity=Severity.critical,
    judge=_balance,
    facts=(segments_within, features_by_arm),
)


@Fact
def dated(data: FactInputs) -> int | None:
    """How many customers' attributes are of the day of assignment or later, or of no time.

    Raises:
        DataError: UL205 the column of `as_of` is not there, UL218 and UL257 it holds no times.
    """
    column, frame, zone = data.plan.customers.as_of, data.population, data.plan.program.time_zone
    if column is None:
        return None
    if column not in frame.columns:
        raise missing_column(column, "assignment", frame.columns)
    if "as_of" not in frame.own:  # no day of assignment is known, but what the column must hold
        refuse_untimed(column, frame.columns, "customers (as_of)")
        return None
    known = time_column(column, frame.columns, data.plan.customers, data.engine, frame.relation)
    known = replace(known, table="c.")
    refuse_unreadable_times(known, "customers (as_of)", data.engine, frame.relation)
    clock, day = known.clock(zone), frame.own["as_of"]
    whole_days = frame.columns[column] in ("date", "text") and not known.instants
    span = _bounds(data, day).widened(_NOTHING, _NOTHING)
    until = day if whole_days else converted(day, zone, clock, span)
    # A day is known at its end, a moment at once.
    sign = "<" if whole_days else "<="
    late = f"CASE WHEN {known.sql} {sign} {until} THEN 0 ELSE 1 END"
    return data.number(f"SELECT COALESCE(SUM({late}), 0) AS n FROM {frame.relation}")


def _bounds(data: FactInputs, time: str) -> Span:
    row = data.engine.query(
        "SELECT MIN(t) AS first, MAX(t) AS last FROM"
        f" (SELECT {time} AS t FROM {data.population.relation}) AS times"
    ).to_pylist()[0]
    return Span(row["first"], row["last"])


def _known_before(inputs: CheckInputs) -> Iterator[CheckAnswer]:
    """Whether attributes are of a time before the day of assignment."""
    count = inputs.facts.of(dated)
    if count is None:
        return
    if count:
        text = N_(
            "Attributes of {count:count} customers are of the day of assignment or later: "
            "segments and covariates made of them are refused."
        )
    else:
        text = N_("Attributes of customers are of a time before assignment.")
    yield CheckAnswer(count == 0, text, {"count": count}, value=count)


KNOWN_BEFORE = CheckDefinition(
    name="known_before",
    title=N_("Attributes known before"),
    severity=Severity.critical,
    judge=_known_before,
    facts=(dated,),
)
